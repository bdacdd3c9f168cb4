// Two-dimensional convolution, channels last, filters [kh, kw, in/groups, out]; what its implementations share.
#pragma once
#include "gemm.h"

namespace fathom::FATHOM_ISA {

struct Conv {
  int64_t images, height, width, channels;   // x
  int64_t outHeight, outWidth, outChannels;  // y
  int64_t filterHeight, filterWidth;
  int64_t strideH, strideW, padTop, padLeft, dilationH, dilationW, groups;

  int64_t groupIn() const { return channels / groups; }
  int64_t groupOut() const { return outChannels / groups; }
  int64_t filterSize() const { return filterHeight * filterWidth * groupIn() * outChannels; }
  // A plain matrix product over pixels.
  bool pointwise() const {
    return filterHeight == 1 && filterWidth == 1 && strideH == 1 && strideW == 1 && groups == 1 &&
           outHeight == height && outWidth == width && padTop == 0 && padLeft == 0;
  }
  bool depthwise() const { return groups > 1 && groups == channels; }
  bool empty() const { return images * outHeight * outWidth * outChannels == 0; }
};

// ints = {strideH, strideW, padTop, padLeft, padBottom, padRight, dilationH, dilationW, groups, activation}
Conv convOf(const Tensor& x, const Tensor& filter, const Tensor& y, const int64_t* ints);

// What a convolution's output is pooled to, by the largest of each 2 × 2, and which of the four that is.
struct Pooled {
  float* y = nullptr;  // no pooling
  uint8_t* which = nullptr;  // may be absent
  int64_t height = 0, width = 0;
};
// One window: `pitch` floats between its rows, `step` between its pixels.
void poolWindow(const float* from, int64_t pitch, int64_t step, int64_t channels, float* y, uint8_t* which);
void poolImages(const Conv& conv, const float* x, const Pooled& pooled, Pool& pool);

// Images as they lie, or the gradient of what was pooled: each window's value belongs to one of its four pixels.
struct Images {
  const float* x;
  const uint8_t* which;  // absent: as they lie
  int64_t height, width, channels;

  int64_t size() const { return height * width * channels; }
  int64_t bufferFloats() const { return which ? size() : 0; }
  // Image n, in the buffer if it had to be made; `held` is the image the buffer holds, at first -1.
  const float* at(int64_t n, float* buffer, int64_t& held) const;
  void unpool(int64_t n, float* to) const;
  void unpoolAll(int64_t images, float* to, Pool& pool) const;
};
inline constexpr int64_t kMostImageBuffer = 128 << 10;  // floats of an image made within one thread's scratch

// A convolution as a loop of microkernels over a grid of outputs: forward, and each phase of a strided input gradient.
struct DirectConv {
  const float* x;
  int64_t images, height, width, channels;
  int64_t outHeight, outWidth;  // the grid
  int64_t filterHeight, filterWidth;
  int64_t strideH, strideW, padTop, padLeft, dilationH, dilationW;
  int64_t groups, groupIn, groupOut;
  const float* panels;  // per group, packed as packPanels does, k = [filterHeight, filterWidth, groupIn]
  float* y;             // at the grid's first point
  int64_t imageStep, rowStep, pixelStep;
  Epilogue epilogue;  // residual and mask are laid out as y
  Pooled pooled = {};  // then y is not written
};
void directConv(const DirectConv& conv, Pool& pool);
inline int64_t panelFloats(int64_t k, int64_t n) { return k * paddedColumns(n); }

size_t directForwardScratch(const Conv& conv);
void directForward(const Conv& conv, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                   const Pooled& pooled, Pool& pool, uint8_t* scratch);
bool directPoolFits(const Conv& conv);
size_t directInputGradientScratch(const Conv& conv);
void directInputGradient(const Conv& conv, const float* dy, const float* filter, float* dx, const Epilogue& epilogue,
                         Pool& pool, uint8_t* scratch);
bool directInputGradientFits(const Conv& conv);
size_t directFilterGradientScratch(const Conv& conv);
void directFilterGradient(const Conv& conv, const float* x, const float* dy, float* dw, Pool& pool, uint8_t* scratch);

// Narrow groups as fewer, wider ones: how many at a time (1: leave them), and their filter with zeros between groups.
int64_t groupsToMerge(const Conv& conv);
size_t mergedFilterBytes(const Conv& conv);
void mergeFilter(const Conv& conv, const float* filter, float* merged, Pool& pool);
void splitFilter(const Conv& conv, const float* merged, float* filter, Pool& pool);

// Copies rows [top, top + rows) and columns [left, left + columns) of an image, zero outside of it.
void copyWindow(const float* image, int64_t height, int64_t width, int64_t channels, int64_t top, int64_t left,
                int64_t rows, int64_t columns, float* to);

// Adds `parts` partial results of `size` floats lying one after the other, in their order.
void sumParts(const float* partial, int64_t parts, int64_t size, float* out, Pool& pool);

bool winogradFits(const Conv& conv);
size_t winogradForwardScratch(const Conv& conv);
void winogradForward(const Conv& conv, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                     const Pooled& pooled, Pool& pool, uint8_t* scratch);
bool winogradInputGradientFits(const Conv& conv);
size_t winogradInputGradientScratch(const Conv& conv);
void winogradInputGradient(const Conv& conv, const Images& dy, const float* filter, float* dx, const Epilogue& epilogue,
                           Pool& pool, uint8_t* scratch);
size_t winogradFilterGradientScratch(const Conv& conv);
void winogradFilterGradient(const Conv& conv, const float* x, const Images& dy, float* dw, Pool& pool,
                            uint8_t* scratch);

// groups = channels, one output channel each.
void depthwiseForward(const Conv& conv, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                      Pool& pool);
void depthwiseInputGradient(const Conv& conv, const float* dy, const float* filter, float* dx, Pool& pool);
size_t depthwiseFilterGradientScratch(const Conv& conv);
void depthwiseFilterGradient(const Conv& conv, const float* x, const float* dy, float* dw, Pool& pool,
                             uint8_t* scratch);

// Plain loops, for float64 and for what no other way covers.
template <class T> void genericForward(const Conv& conv, const T* x, const T* filter, const T* bias, const T* residual,
                                       Activation activation, T* y, Pool& pool);
template <class T> void genericInputGradient(const Conv& conv, const T* dy, const T* filter, T* dx, Pool& pool);
template <class T> void genericFilterGradient(const Conv& conv, const T* x, const T* dy, T* dw, Pool& pool);

}  // namespace fathom::FATHOM_ISA
