// Max-pooling by 2 × 2 as the end of a convolution, and gradients that come through it.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

namespace {

typedef uint8_t vb __attribute__((vector_size(FATHOM_VECTOR_BYTES / 4)));

inline void storeBytes(uint8_t* to, vi values, int64_t n) {
  const vb bytes = __builtin_convertvector(values, vb);
  if (n >= kLanes) std::memcpy(to, &bytes, kLanes);
  else
    for (int64_t i = 0; i < n; i++) to[i] = bytes[i];
}
inline vi loadBytes(const uint8_t* from, int64_t n) {
  vb bytes = {};
  if (n >= kLanes) std::memcpy(&bytes, from, kLanes);
  else
    for (int64_t i = 0; i < n; i++) bytes[i] = from[i];
  return __builtin_convertvector(bytes, vi);
}

}  // namespace

void poolWindow(const float* from, int64_t pitch, int64_t step, int64_t channels, float* y, uint8_t* which) {
  for (int64_t c = 0; c < channels; c += kLanes) {
    const int64_t n = lesser(kLanes, channels - c);
    vf most = loadSome(from + c, n);
    vi index = {};
    const auto take = [&](const float* other, int32_t number) {
      const vf value = loadSome(other + c, n);
      const vi more = value > most || value != value;
      most = more ? value : most;
      index = more ? vi{} + number : index;
    };
    take(from + step, 1);
    take(from + pitch, 2);
    take(from + pitch + step, 3);
    storeSome(y + c, most, n);
    if (which) storeBytes(which + c, index, n);
  }
}

void poolImages(const Conv& c, const float* x, const Pooled& pooled, Pool& pool) {
  const int64_t pitch = c.outWidth * c.outChannels;
  pool.run(c.images * pooled.height, [&](int64_t row, int) {
    const float* from = x + (row / pooled.height * c.outHeight + row % pooled.height * 2) * pitch;
    for (int64_t w = 0; w < pooled.width; w++) {
      const int64_t at = (row * pooled.width + w) * c.outChannels;
      poolWindow(from + 2 * w * c.outChannels, pitch, c.outChannels, c.outChannels, pooled.y + at,
                 pooled.which ? pooled.which + at : nullptr);
    }
  });
}

const float* Images::at(int64_t n, float* buffer, int64_t& held) const {
  if (!which) return x + n * size();
  if (held == n) return buffer;
  held = n;
  unpool(n, buffer);
  return buffer;
}

void Images::unpool(int64_t n, float* to) const {
  const int64_t pooledHeight = height / 2, pooledWidth = width / 2, pitch = width * channels;
  const float* from = x + n * pooledHeight * pooledWidth * channels;
  const uint8_t* index = which + n * pooledHeight * pooledWidth * channels;
  for (int64_t h = 0; h < pooledHeight; h++) {
    float* row = to + 2 * h * pitch;
    for (int64_t w = 0; w < pooledWidth; w++, row += 2 * channels, from += channels, index += channels)
      for (int64_t c = 0; c < channels; c += kLanes) {
        const int64_t n = lesser(kLanes, channels - c);
        const vf value = loadSome(from + c, n);
        const vi place = loadBytes(index + c, n);
        storeSome(row + c, place == 0 ? value : vf{}, n);
        storeSome(row + channels + c, place == 1 ? value : vf{}, n);
        storeSome(row + pitch + c, place == 2 ? value : vf{}, n);
        storeSome(row + pitch + channels + c, place == 3 ? value : vf{}, n);
      }
    if (width % 2) {
      std::memset(row, 0, channels * sizeof(float));
      std::memset(row + pitch, 0, channels * sizeof(float));
    }
  }
  if (height % 2) std::memset(to + (height - 1) * pitch, 0, pitch * sizeof(float));
}

void Images::unpoolAll(int64_t images, float* to, Pool& pool) const {
  pool.run(images, [&](int64_t n, int) { unpool(n, to + n * size()); });
}

}  // namespace fathom::FATHOM_ISA
