// Pooling, channels last. ints = {poolH, poolW, strideH, strideW, padTop, padLeft, padBottom, padRight}
//
// maxPool2d: x -> y          maxPool2dGradient: x, y, dy -> dx (the first maximum of a window takes the gradient)
// avgPool2d: x -> y          avgPool2dGradient: dy -> dx (padding does not count)
#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Pooling {
  int64_t images, height, width, channels, outHeight, outWidth;
  int64_t poolH, poolW, strideH, strideW, padTop, padLeft;
};

Pooling poolingOf(const Tensor& x, const Tensor& y, const int64_t* ints) {
  return {x.dims[0], x.dims[1], x.dims[2], x.dims[3], y.dims[1], y.dims[2],
          ints[0],   ints[1],   ints[2],   ints[3],   ints[4],   ints[5]};
}

struct Range {
  int64_t begin, end;
  int64_t size() const { return greater(0, end - begin); }
};

// The part of a window that lies inside the image.
Range windowOf(int64_t out, int64_t stride, int64_t pad, int64_t pool, int64_t size) {
  const int64_t start = out * stride - pad;
  return {greater(0, start), lesser(size, start + pool)};
}

// Outputs whose window holds this input.
Range windowsOver(int64_t at, int64_t stride, int64_t pad, int64_t pool, int64_t outputs) {
  const int64_t last = (at + pad) / stride, first = at + pad - pool + 1;
  return {first <= 0 ? 0 : ceilDiv(first, stride), lesser(outputs, last + 1)};
}

template <class T, bool kMax> void pool(const Call& call) {
  using L = Lanes<T>;
  const Pooling p = poolingOf(call.in[0], call.out[0], call.ints);
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  call.pool->run(p.images * p.outHeight, [&](int64_t block, int) {
    const int64_t n = block / p.outHeight;
    const Range rows = windowOf(block % p.outHeight, p.strideH, p.padTop, p.poolH, p.height);
    for (int64_t ow = 0; ow < p.outWidth; ow++) {
      const Range columns = windowOf(ow, p.strideW, p.padLeft, p.poolW, p.width);
      const int64_t count = rows.size() * columns.size();
      for (int64_t c = 0; c < p.channels; c += L::count) {
        const int64_t some = lesser(L::count, p.channels - c);
        auto total = L::all(kMax ? -__builtin_inf() : 0.0);
        for (int64_t h = rows.begin; h < rows.end; h++) {
          const T* line = x + (n * p.height + h) * p.width * p.channels + c;
          for (int64_t w = columns.begin; w < columns.end; w++) {
            const auto value = L::read(line + w * p.channels, some);
            if constexpr (kMax) total = value <= total ? total : value;  // lets NaN through
            else total += value;
          }
        }
        if constexpr (!kMax) total = total / L::all(static_cast<double>(greater(1, count)));
        L::write(y + (block * p.outWidth + ow) * p.channels + c, total, some);
      }
    }
  });
}

template <class T> void averageGradient(const Call& call) {
  using L = Lanes<T>;
  const Pooling p = poolingOf(call.out[0], call.in[0], call.ints);
  const T* dy = call.in[0].as<T>();
  T* dx = call.out[0].as<T>();
  call.pool->run(p.images * p.height, [&](int64_t block, int) {
    const int64_t n = block / p.height;
    const Range rows = windowsOver(block % p.height, p.strideH, p.padTop, p.poolH, p.outHeight);
    Range columns{0, 0};  // windows over pixel w: both ends only ever move to the right
    for (int64_t w = 0; w < p.width; w++) {
      while (columns.end < p.outWidth && columns.end * p.strideW - p.padLeft <= w) columns.end++;
      while (columns.begin < columns.end && columns.begin * p.strideW - p.padLeft + p.poolW <= w) columns.begin++;
      T* to = dx + (block * p.width + w) * p.channels;
      if (rows.size() * columns.size() == 0) std::memset(to, 0, p.channels * sizeof(T));
      bool first = true;
      for (int64_t oh = rows.begin; oh < rows.end; oh++) {
        const int64_t high = windowOf(oh, p.strideH, p.padTop, p.poolH, p.height).size();
        for (int64_t ow = columns.begin; ow < columns.end; ow++, first = false) {
          const int64_t count = high * windowOf(ow, p.strideW, p.padLeft, p.poolW, p.width).size();
          const auto share = L::all(1.0 / static_cast<double>(count));
          const T* from = dy + ((n * p.outHeight + oh) * p.outWidth + ow) * p.channels;
          for (int64_t c = 0; c < p.channels; c += L::count) {
            const int64_t some = lesser(L::count, p.channels - c);
            const auto value = L::read(from + c, some) * share;
            L::write(to + c, first ? value : L::read(to + c, some) + value, some);
          }
        }
      }
    }
  });
}

// Walks the windows of an image in order, and in each looks for the first input equal to the maximum.
template <class T> void maxGradient(const Call& call) {
  const Pooling p = poolingOf(call.in[0], call.in[1], call.ints);
  const T *x = call.in[0].as<T>(), *y = call.in[1].as<T>(), *dy = call.in[2].as<T>();
  T* dx = call.out[0].as<T>();
  const int64_t plane = p.height * p.width * p.channels;
  // Without overlap rows of windows are independent; with it a whole image is one block.
  const bool apart = p.strideH >= p.poolH;
  const int64_t perImage = apart ? greater(1, p.outHeight) : 1;
  call.pool->run(p.images * perImage, [&](int64_t block, int) {
    using L = Lanes<T>;
    const int64_t n = block / perImage, oh0 = apart ? block % perImage : 0,
                  oh1 = apart ? lesser(oh0 + 1, p.outHeight) : p.outHeight;
    // This block's rows of dx, including those no window covers.
    const int64_t top = oh0 == 0 ? 0 : oh0 * p.strideH - p.padTop;
    const int64_t bottom = oh1 == p.outHeight ? p.height : lesser(p.height, oh1 * p.strideH - p.padTop);
    if (bottom > top)
      std::memset(dx + n * plane + top * p.width * p.channels, 0, (bottom - top) * p.width * p.channels * sizeof(T));
    for (int64_t oh = oh0; oh < oh1; oh++) {
      const Range rows = windowOf(oh, p.strideH, p.padTop, p.poolH, p.height);
      for (int64_t ow = 0; ow < p.outWidth; ow++) {
        const Range columns = windowOf(ow, p.strideW, p.padLeft, p.poolW, p.width);
        const int64_t at = ((n * p.outHeight + oh) * p.outWidth + ow) * p.channels;
        for (int64_t c = 0; c < p.channels; c += L::count) {
          const int64_t some = lesser(L::count, p.channels - c);
          const auto maximum = L::read(y + at + c, some);
          auto gradient = L::read(dy + at + c, some);
          for (int64_t h = rows.begin; h < rows.end; h++) {
            for (int64_t w = columns.begin; w < columns.end; w++) {
              const int64_t from = n * plane + (h * p.width + w) * p.channels + c;
              const auto value = L::read(x + from, some);
              const auto taken = value == maximum ? gradient : L::all(0);
              L::write(dx + from, L::read(dx + from, some) + taken, some);
              gradient = value == maximum ? L::all(0) : gradient;
            }
          }
        }
      }
    }
  });
}

bool isDouble(const Call& call) { return call.out[0].dtype == DType::float64; }
void maxPool(const Call& call) { isDouble(call) ? pool<double, true>(call) : pool<float, true>(call); }
void maxPoolGradient(const Call& call) { isDouble(call) ? maxGradient<double>(call) : maxGradient<float>(call); }
void averagePool(const Call& call) { isDouble(call) ? pool<double, false>(call) : pool<float, false>(call); }
void averagePoolGradient(const Call& call) {
  isDouble(call) ? averageGradient<double>(call) : averageGradient<float>(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(pool2d, {{"maxPool2d", maxPool, nullptr},
                 {"maxPool2dGradient", maxPoolGradient, nullptr},
                 {"avgPool2d", averagePool, nullptr},
                 {"avgPool2dGradient", averagePoolGradient, nullptr}})
