// Values made from nothing, and pictures resampled.
//
//   iota        -> 0, 1, …
//   dimension   -> a scalar; ints = {size}
//   affineWarp  images [N,H,W,C], matrices [N,6] -> images; ints = {edge}: outside is zero, or the nearest pixel
#include <cmath>

#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

template <class T> void writeRange(const Tensor& y, int64_t first, int64_t step) {
  const int64_t n = y.size();
  for (int64_t i = 0; i < n; i++) y.as<T>()[i] = static_cast<T>(first + i * step);
}
void writeRange(const Tensor& y, int64_t first, int64_t step) {
  switch (y.dtype) {
    case DType::float32: return writeRange<float>(y, first, step);
    case DType::float64: return writeRange<double>(y, first, step);
    case DType::int32: return writeRange<int32_t>(y, first, step);
    case DType::int64: return writeRange<int64_t>(y, first, step);
    default: return writeRange<uint8_t>(y, first, step);
  }
}

void iota(const Call& call) { writeRange(call.out[0], 0, 1); }
void dimension(const Call& call) { writeRange(call.out[0], call.ints[0], 0); }

template <class T> void warp(const Call& call) {
  const Tensor &x = call.in[0], &matrices = call.in[1];
  const int64_t height = x.dims[1], width = x.dims[2], channels = x.dims[3];
  const bool edge = call.ints[0] != 0;
  const T centreX = static_cast<T>(width - 1) / 2, centreY = static_cast<T>(height - 1) / 2;
  call.pool->run(x.dims[0] * height, [&](int64_t block, int) {
    const int64_t image = block / height;
    const T* m = matrices.as<T>() + image * 6;
    const T* from = x.as<T>() + image * height * width * channels;
    T* to = call.out[0].as<T>() + block * width * channels;
    const T v = static_cast<T>(block % height) - centreY;
    for (int64_t column = 0; column < width; column++, to += channels) {
      const T u = static_cast<T>(column) - centreX;
      T sx = m[0] * u + m[1] * v + m[2] + centreX, sy = m[3] * u + m[4] * v + m[5] + centreY;
      if (edge) {
        sx = sx < 0 ? 0 : (sx > width - 1 ? static_cast<T>(width - 1) : sx);
        sy = sy < 0 ? 0 : (sy > height - 1 ? static_cast<T>(height - 1) : sy);
      }
      // Written so that NaN is outside.
      if (!(sx > -1 && sx < width && sy > -1 && sy < height)) {
        for (int64_t c = 0; c < channels; c++) to[c] = 0;
        continue;
      }
      const T fx = std::floor(sx), fy = std::floor(sy);
      const int64_t x0 = static_cast<int64_t>(fx), y0 = static_cast<int64_t>(fy);
      const T ax = sx - fx, ay = sy - fy;
      const T weights[4] = {(1 - ax) * (1 - ay), ax * (1 - ay), (1 - ax) * ay, ax * ay};
      const T* pixels[4];
      for (int k = 0; k < 4; k++) {
        const int64_t px = x0 + (k & 1), py = y0 + (k >> 1);
        pixels[k] = px < 0 || px >= width || py < 0 || py >= height ? nullptr : from + (py * width + px) * channels;
      }
      for (int64_t c = 0; c < channels; c++) {
        T total = 0;
        for (int k = 0; k < 4; k++)
          if (pixels[k]) total += weights[k] * pixels[k][c];
        to[c] = total;
      }
    }
  });
}

void affineWarp(const Call& call) {
  if (call.in[0].dtype == DType::float64) warp<double>(call);
  else warp<float>(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(sources, {{"iota", iota, nullptr}, {"dimension", dimension, nullptr}, {"affineWarp", affineWarp, nullptr}})
