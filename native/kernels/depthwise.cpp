// Depthwise convolution (groups = channels, one output each): no products to share, so plain vectors over channels.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kMostParts = 16;

// Taps t of a filter for which t·dilation + start lies in [0, size).
void tapRange(int64_t start, int64_t dilation, int64_t size, int64_t taps, int64_t& first, int64_t& last) {
  first = start < 0 ? ceilDiv(-start, dilation) : 0;
  last = start >= size ? 0 : lesser(taps, ceilDiv(size - start, dilation));
}

struct Taps {
  int64_t rows, columns;                                   // inside the image
  int64_t pixelRow, pixelColumn, weightRow, weightColumn;  // steps
};

template <bool kWhole> inline vf weigh(const float* pixels, const float* weights, const Taps& t, vf total,
                                       int64_t some) {
  for (int64_t i = 0; i < t.rows; i++) {
    for (int64_t j = 0; j < t.columns; j++) {
      const float *x = pixels + j * t.pixelColumn, *w = weights + j * t.weightColumn;
      total += kWhole ? load(x) * load(w) : loadSome(x, some) * loadSome(w, some);
    }
    pixels += t.pixelRow;
    weights += t.weightRow;
  }
  return total;
}

// y = x * filter; the filter's taps lie `step` floats apart, negative to turn it round.
void correlate(const Conv& c, const float* x, const float* filter, int64_t step, float* y, const Epilogue& epilogue,
               Pool& pool) {
  const int64_t channels = c.channels;
  pool.run(c.images * c.outHeight, [&](int64_t block, int) {
    const int64_t n = block / c.outHeight, top = block % c.outHeight * c.strideH - c.padTop;
    const float* image = x + n * c.height * c.width * channels;
    int64_t i0, i1;
    tapRange(top, c.dilationH, c.height, c.filterHeight, i0, i1);
    for (int64_t ow = 0; ow < c.outWidth; ow++) {
      const int64_t left = ow * c.strideW - c.padLeft;
      int64_t j0, j1;
      tapRange(left, c.dilationW, c.width, c.filterWidth, j0, j1);
      const Taps taps{i1 - i0, j1 - j0, c.dilationH * c.width * channels, c.dilationW * channels, c.filterWidth * step,
                      step};
      const float* pixels = image + ((top + i0 * c.dilationH) * c.width + left + j0 * c.dilationW) * channels;
      const float* weights = filter + (i0 * c.filterWidth + j0) * step;
      const int64_t at = (block * c.outWidth + ow) * channels;
      for (int64_t p = 0; p < channels; p += kLanes) {
        const int64_t some = lesser(kLanes, channels - p);
        const vf bias = epilogue.bias ? loadSome(epilogue.bias + p, some) : vf{};
        vf total = some == kLanes ? weigh<true>(pixels + p, weights + p, taps, bias, some)
                                  : weigh<false>(pixels + p, weights + p, taps, bias, some);
        if (epilogue.residual) total += loadSome(epilogue.residual + at + p, some);
        if (epilogue.activation != Activation::none) total = activate(total, epilogue.activation);
        storeSome(y + at + p, total, some);
      }
    }
  });
}

}  // namespace

void depthwiseForward(const Conv& c, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                      Pool& pool) {
  correlate(c, x, filter, c.channels, y, epilogue, pool);
}

void depthwiseInputGradient(const Conv& c, const float* dy, const float* filter, float* dx, Pool& pool) {
  if (c.strideH == 1 && c.strideW == 1) {
    Conv turned = c;
    turned.height = c.outHeight;
    turned.width = c.outWidth;
    turned.outHeight = c.height;
    turned.outWidth = c.width;
    turned.padTop = (c.filterHeight - 1) * c.dilationH - c.padTop;
    turned.padLeft = (c.filterWidth - 1) * c.dilationW - c.padLeft;
    const float* last = filter + (c.filterHeight * c.filterWidth - 1) * c.channels;
    return correlate(turned, dy, last, -c.channels, dx, {}, pool);
  }
  const int64_t channels = c.channels;
  pool.run(c.images * c.height, [&](int64_t block, int) {
    const int64_t n = block / c.height, h = block % c.height + c.padTop;
    const float* image = dy + n * c.outHeight * c.outWidth * channels;
    for (int64_t w = 0; w < c.width; w++) {
      float* to = dx + (block * c.width + w) * channels;
      for (int64_t p = 0; p < channels; p += kLanes) {
        const int64_t some = lesser(kLanes, channels - p);
        vf total{};
        for (int64_t i = 0; i < c.filterHeight; i++) {
          const int64_t oh = h - i * c.dilationH;
          if (oh < 0 || oh % c.strideH || oh / c.strideH >= c.outHeight) continue;
          for (int64_t j = 0; j < c.filterWidth; j++) {
            const int64_t ow = w + c.padLeft - j * c.dilationW;
            if (ow < 0 || ow % c.strideW || ow / c.strideW >= c.outWidth) continue;
            total += loadSome(image + (oh / c.strideH * c.outWidth + ow / c.strideW) * channels + p, some) *
                     loadSome(filter + (i * c.filterWidth + j) * channels + p, some);
          }
        }
        storeSome(to + p, total, some);
      }
    }
  });
}

size_t depthwiseFilterGradientScratch(const Conv& c) {
  return lesser(c.images * c.outHeight, kMostParts) * c.filterSize() * sizeof(float);
}

void depthwiseFilterGradient(const Conv& c, const float* x, const float* dy, float* dw, Pool& pool, uint8_t* scratch) {
  const int64_t channels = c.channels, lines = c.images * c.outHeight, parts = lesser(lines, kMostParts);
  float* partial = reinterpret_cast<float*>(scratch);
  pool.run(parts, [&](int64_t part, int) {
    float* sums = partial + part * c.filterSize();
    std::memset(sums, 0, c.filterSize() * sizeof(float));
    for (int64_t line = splitAt(lines, parts, part); line < splitAt(lines, parts, part + 1); line++) {
      const int64_t n = line / c.outHeight, top = line % c.outHeight * c.strideH - c.padTop;
      const float* image = x + n * c.height * c.width * channels;
      const float* gradient = dy + line * c.outWidth * channels;
      for (int64_t i = 0; i < c.filterHeight; i++) {
        const int64_t h = top + i * c.dilationH;
        if (h < 0 || h >= c.height) continue;
        for (int64_t j = 0; j < c.filterWidth; j++) {
          // Outputs whose pixel under this tap lies inside the image.
          const int64_t shift = j * c.dilationW - c.padLeft;
          const int64_t from = shift < 0 ? ceilDiv(-shift, c.strideW) : 0;
          const int64_t until = shift >= c.width ? 0 : lesser(c.outWidth, ceilDiv(c.width - shift, c.strideW));
          for (int64_t p = 0; p < channels; p += kLanes) {
            const int64_t some = lesser(kLanes, channels - p);
            float* sum = sums + (i * c.filterWidth + j) * channels + p;
            vf total = loadSome(sum, some);
            for (int64_t ow = from; ow < until; ow++)
              total += loadSome(image + (h * c.width + ow * c.strideW + shift) * channels + p, some) *
                       loadSome(gradient + ow * channels + p, some);
            storeSome(sum, total, some);
          }
        }
      }
    }
  });
  sumParts(partial, parts, c.filterSize(), dw, pool);
}

}  // namespace fathom::FATHOM_ISA
