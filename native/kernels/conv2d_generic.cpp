// Convolution in plain loops: float64, and the rare shapes the fast ways leave out.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

template <class T> void genericForward(const Conv& c, const T* x, const T* filter, const T* bias, const T* residual,
                                       Activation activation, T* y, Pool& pool) {
  const int64_t in = c.groupIn(), out = c.groupOut();
  pool.run(c.images * c.outHeight, [&](int64_t block, int) {
    const int64_t n = block / c.outHeight, oh = block % c.outHeight;
    for (int64_t ow = 0; ow < c.outWidth; ow++) {
      const int64_t at = (block * c.outWidth + ow) * c.outChannels;
      for (int64_t o = 0; o < c.outChannels; o++) {
        T total = bias ? bias[o] : T(0);
        for (int64_t i = 0; i < c.filterHeight; i++) {
          const int64_t h = oh * c.strideH - c.padTop + i * c.dilationH;
          if (h < 0 || h >= c.height) continue;
          for (int64_t j = 0; j < c.filterWidth; j++) {
            const int64_t w = ow * c.strideW - c.padLeft + j * c.dilationW;
            if (w < 0 || w >= c.width) continue;
            const T* pixel = x + ((n * c.height + h) * c.width + w) * c.channels + o / out * in;
            const T* weights = filter + (i * c.filterWidth + j) * in * c.outChannels + o;
            for (int64_t p = 0; p < in; p++) total += pixel[p] * weights[p * c.outChannels];
          }
        }
        if (residual) total += residual[at + o];
        y[at + o] = static_cast<T>(activate(static_cast<double>(total), activation));
      }
    }
  });
}

template <class T> void genericInputGradient(const Conv& c, const T* dy, const T* filter, T* dx, Pool& pool) {
  const int64_t in = c.groupIn(), out = c.groupOut();
  pool.run(c.images * c.height, [&](int64_t block, int) {
    const int64_t n = block / c.height, h = block % c.height;
    for (int64_t w = 0; w < c.width; w++) {
      for (int64_t p = 0; p < c.channels; p++) {
        T total = 0;
        for (int64_t i = 0; i < c.filterHeight; i++) {
          const int64_t oh = h + c.padTop - i * c.dilationH;
          if (oh < 0 || oh % c.strideH || oh / c.strideH >= c.outHeight) continue;
          for (int64_t j = 0; j < c.filterWidth; j++) {
            const int64_t ow = w + c.padLeft - j * c.dilationW;
            if (ow < 0 || ow % c.strideW || ow / c.strideW >= c.outWidth) continue;
            const int64_t first = p / in * out;
            const T* pixel =
                dy + ((n * c.outHeight + oh / c.strideH) * c.outWidth + ow / c.strideW) * c.outChannels + first;
            const T* weights = filter + ((i * c.filterWidth + j) * in + p % in) * c.outChannels + first;
            for (int64_t o = 0; o < out; o++) total += pixel[o] * weights[o];
          }
        }
        dx[(block * c.width + w) * c.channels + p] = total;
      }
    }
  });
}

template <class T> void genericFilterGradient(const Conv& c, const T* x, const T* dy, T* dw, Pool& pool) {
  const int64_t in = c.groupIn(), out = c.groupOut();
  pool.run(c.filterHeight * c.filterWidth * in, [&](int64_t block, int) {
    const int64_t p = block % in, j = block / in % c.filterWidth, i = block / in / c.filterWidth;
    T* sums = dw + block * c.outChannels;
    for (int64_t o = 0; o < c.outChannels; o++) sums[o] = 0;
    for (int64_t n = 0; n < c.images; n++) {
      for (int64_t oh = 0; oh < c.outHeight; oh++) {
        const int64_t h = oh * c.strideH - c.padTop + i * c.dilationH;
        if (h < 0 || h >= c.height) continue;
        for (int64_t ow = 0; ow < c.outWidth; ow++) {
          const int64_t w = ow * c.strideW - c.padLeft + j * c.dilationW;
          if (w < 0 || w >= c.width) continue;
          const T* pixel = x + ((n * c.height + h) * c.width + w) * c.channels + p;
          const T* gradient = dy + ((n * c.outHeight + oh) * c.outWidth + ow) * c.outChannels;
          for (int64_t g = 0; g < c.groups; g++)
            for (int64_t o = 0; o < out; o++) sums[g * out + o] += pixel[g * in] * gradient[g * out + o];
        }
      }
    }
  });
}

#define FOR_TYPE(T)                                                                                            \
  template void genericForward<T>(const Conv&, const T*, const T*, const T*, const T*, Activation, T*, Pool&); \
  template void genericInputGradient<T>(const Conv&, const T*, const T*, T*, Pool&);                           \
  template void genericFilterGradient<T>(const Conv&, const T*, const T*, T*, Pool&);
FOR_TYPE(float)
FOR_TYPE(double)

}  // namespace fathom::FATHOM_ISA
