// Convolution without a patch buffer: the microkernel reduces over filter rows, reading pixels where they lie. Only
// what touches padding is copied first, into a window of a few rows.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kWindow = 96 << 10;                                              // floats of a window that L2 likes
constexpr int64_t kScratchFloats = kThreadScratch / sizeof(float);
constexpr int64_t kMostWindow = static_cast<int64_t>(kThreadScratch / 4) * 3 / 4;  // floats of a window that fits

int64_t span(int64_t outputs, int64_t stride, int64_t taps, int64_t dilation) {
  return (outputs - 1) * stride + (taps - 1) * dilation + 1;
}

// How the grid is cut: blocks of whole rows, or of parts of one row where a row's window would not fit.
struct Cut {
  int64_t rowBlocks, columnBlocks;
};

constexpr int64_t kMostPooled = 192 << 10;  // floats of outputs that only their pool is kept of

Cut cutFor(const DirectConv& c) {
  Cut cut{1, 1};
  const auto window = [&](int64_t rows, int64_t columns) {
    return span(rows, c.strideH, c.filterHeight, c.dilationH) * span(columns, c.strideW, c.filterWidth, c.dilationW) *
           c.channels;
  };
  while (cut.columnBlocks < c.outWidth && window(1, ceilDiv(c.outWidth, cut.columnBlocks)) > kMostWindow)
    cut.columnBlocks *= 2;
  const int64_t columns = ceilDiv(c.outWidth, cut.columnBlocks);
  cut.rowBlocks = lesser(c.outHeight, ceilDiv(16, c.images * cut.columnBlocks));
  while (cut.rowBlocks < c.outHeight && window(ceilDiv(c.outHeight, cut.rowBlocks), columns) > kWindow)
    cut.rowBlocks = lesser(c.outHeight, cut.rowBlocks * 2);
  if (c.pooled.y) {
    const int64_t outputs = ceilDiv(c.outHeight, 2) * 2 * c.outWidth * c.groups * c.groupOut;
    cut.rowBlocks = greater(cut.rowBlocks, ceilDiv(outputs, kMostPooled / 2));
  }
  return cut;
}

}  // namespace

void copyWindow(const float* image, int64_t height, int64_t width, int64_t channels, int64_t top, int64_t left,
                int64_t rows, int64_t columns, float* to) {
  const int64_t from = greater(0, -left), until = greater(from, lesser(columns, width - left));
  for (int64_t r = 0; r < rows; r++, to += columns * channels) {
    const int64_t h = top + r;
    if (h < 0 || h >= height) {
      std::memset(to, 0, columns * channels * sizeof(float));
      continue;
    }
    std::memset(to, 0, lesser(from, columns) * channels * sizeof(float));
    if (until > from && from < columns)
      std::memcpy(to + from * channels, image + (h * width + left + from) * channels,
                  (until - from) * channels * sizeof(float));
    if (until < columns) std::memset(to + until * channels, 0, (columns - until) * channels * sizeof(float));
  }
}

void directConv(const DirectConv& c, Pool& pool) {
  const Cut cut = cutFor(c);
  const int64_t k = c.filterHeight * c.filterWidth * c.groupIn;
  // A filter row is one contiguous run of x when nothing lies between its pixels.
  const bool rowAtOnce = c.dilationW == 1 && c.groups == 1;
  pool.run(c.images * cut.rowBlocks * cut.columnBlocks, [&](int64_t block, int thread) {
    const int64_t columnBlock = block % cut.columnBlocks, rowBlock = block / cut.columnBlocks % cut.rowBlocks;
    const int64_t n = block / cut.columnBlocks / cut.rowBlocks;
    const int64_t together = c.pooled.y ? 2 : 1;  // rows that must not be cut apart
    const auto rowAt = [&](int64_t index) {
      return lesser(c.outHeight, splitAt(ceilDiv(c.outHeight, together), cut.rowBlocks, index) * together);
    };
    const int64_t oh0 = rowAt(rowBlock), oh1 = rowAt(rowBlock + 1);
    const int64_t ow0 = splitAt(c.outWidth, cut.columnBlocks, columnBlock);
    const int64_t ow1 = splitAt(c.outWidth, cut.columnBlocks, columnBlock + 1);
    if (oh0 == oh1 || ow0 == ow1) return;
    float* outputs = reinterpret_cast<float*>(pool.scratch(thread)) + kScratchFloats - kMostPooled;

    const float* image = c.x + n * c.height * c.width * c.channels;
    const int64_t top = oh0 * c.strideH - c.padTop, left = ow0 * c.strideW - c.padLeft;
    const int64_t rows = span(oh1 - oh0, c.strideH, c.filterHeight, c.dilationH);
    const int64_t columns = span(ow1 - ow0, c.strideW, c.filterWidth, c.dilationW);
    const float* source = image + (top * c.width + left) * c.channels;
    int64_t pitch = c.width * c.channels;
    if (k > 0 && (top < 0 || left < 0 || top + rows > c.height || left + columns > c.width)) {
      float* window = reinterpret_cast<float*>(pool.scratch(thread));
      copyWindow(image, c.height, c.width, c.channels, top, left, rows, columns, window);
      source = window;
      pitch = columns * c.channels;
    }

    MicroCall call{};
    call.aStride = c.strideW * c.channels;
    call.aReduce = rowAtOnce ? c.dilationH * pitch : c.dilationW * c.channels;
    call.k = rowAtOnce ? c.filterWidth * c.groupIn : c.groupIn;  // groupIn may be 0: a phase without taps
    call.reduce = rowAtOnce ? c.filterHeight : c.filterWidth;
    call.cStride = c.pixelStep;
    const int64_t steps = rowAtOnce ? 1 : c.filterHeight;
    const int64_t rowPanels = ceilDiv(ow1 - ow0, kMostRows);
    for (int64_t g = 0; g < c.groups; g++) {
      for (int64_t j = 0; j < c.groupOut; j += kMostColumns) {
        const int64_t width = lesser(kMostColumns, c.groupOut - j), channel = g * c.groupOut + j;
        const float* panel = c.panels + g * panelFloats(k, c.groupOut) + j * k;
        call.bStride = paddedColumns(width);
        call.bReduce = call.k * call.bStride;
        for (int64_t oh = oh0; oh < oh1; oh++) {
          for (int64_t p = 0; p < rowPanels; p++) {
            const int64_t from = splitAt(ow1 - ow0, rowPanels, p), count = splitAt(ow1 - ow0, rowPanels, p + 1) - from;
            const int64_t at = n * c.imageStep + oh * c.rowStep + (ow0 + from) * c.pixelStep + channel;
            const float* a = source + (oh - oh0) * c.strideH * pitch + from * c.strideW * c.channels + g * c.groupIn;
            call.c = c.pooled.y ? outputs + ((oh - oh0) * c.outWidth + from) * c.pixelStep + channel : c.y + at;
            for (int64_t step = 0; step < steps; step++) {
              call.a = a + step * c.dilationH * pitch;
              call.b = panel + step * call.reduce * call.bReduce;
              call.accumulate = step > 0;
              microTile(call, kRows, count, width, step == steps - 1, c.epilogue.at(channel, at));
            }
          }
        }
      }
    }
    for (int64_t oh = oh0; c.pooled.y && oh + 2 <= oh1; oh += 2)
      for (int64_t w = 0; w < c.pooled.width; w++) {
        const int64_t to = ((n * c.pooled.height + oh / 2) * c.pooled.width + w) * c.pixelStep;
        poolWindow(outputs + ((oh - oh0) * c.outWidth + 2 * w) * c.pixelStep, c.outWidth * c.pixelStep, c.pixelStep,
                   c.pixelStep, c.pooled.y + to, c.pooled.which ? c.pooled.which + to : nullptr);
      }
  });
}

size_t directForwardScratch(const Conv& c) {
  return c.groups * panelFloats(c.filterHeight * c.filterWidth * c.groupIn(), c.groupOut()) * sizeof(float);
}

// Rows of outputs and the window under them lie in one thread's scratch.
bool directPoolFits(const Conv& c) {
  const int64_t rows = c.strideH + (c.filterHeight - 1) * c.dilationH + 1;
  const int64_t columns = (c.outWidth - 1) * c.strideW + (c.filterWidth - 1) * c.dilationW + 1;
  return 4 * c.outWidth * c.outChannels <= kMostPooled && rows * columns * c.channels <= kMostWindow / 4;
}

void directForward(const Conv& c, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                   const Pooled& pooled, Pool& pool, uint8_t* scratch) {
  float* panels = reinterpret_cast<float*>(scratch);
  const int64_t k = c.filterHeight * c.filterWidth * c.groupIn(), n = c.groupOut();
  const int64_t perGroup = ceilDiv(n, kMostColumns);
  pool.run(c.groups * perGroup, [&](int64_t block, int) {
    const int64_t g = block / perGroup, j = block % perGroup * kMostColumns;
    packPanels(filter + g * n + j, c.outChannels, false, k, lesser(kMostColumns, n - j),
               panels + g * panelFloats(k, n) + j * k);
  });
  directConv({x,
              c.images,
              c.height,
              c.width,
              c.channels,
              c.outHeight,
              c.outWidth,
              c.filterHeight,
              c.filterWidth,
              c.strideH,
              c.strideW,
              c.padTop,
              c.padLeft,
              c.dilationH,
              c.dilationW,
              c.groups,
              c.groupIn(),
              n,
              panels,
              y,
              c.outHeight * c.outWidth * c.outChannels,
              c.outWidth * c.outChannels,
              c.outChannels,
              epilogue,
              pooled},
             pool);
}

// The gradient of a stride s is s × s convolutions of stride 1, one per phase of the input pixel, each with every s-th
// filter row and column, turned round.
bool directInputGradientFits(const Conv& c) {
  return (c.strideH == 1 || c.dilationH == 1) && (c.strideW == 1 || c.dilationW == 1);
}

namespace {

struct Phase {
  int64_t first, taps, pad, size;  // first tap, number of taps, padding of dy, input pixels of this phase
};

Phase phaseOf(int64_t phase, int64_t stride, int64_t pad, int64_t taps, int64_t dilation, int64_t size) {
  Phase p;
  p.size = phase < size ? ceilDiv(size - phase, stride) : 0;
  p.first = (phase + pad) % stride;
  p.taps = p.first < taps ? ceilDiv(taps - p.first, stride) : 0;
  p.pad = (p.taps - 1) * dilation - (phase + pad - p.first) / stride;
  return p;
}

}  // namespace

size_t directInputGradientScratch(const Conv& c) {
  return c.groups * panelFloats(c.filterHeight * c.filterWidth * c.groupOut(), c.groupIn()) * sizeof(float);
}

void directInputGradient(const Conv& c, const float* dy, const float* filter, float* dx, const Epilogue& epilogue,
                         Pool& pool, uint8_t* scratch) {
  float* panels = reinterpret_cast<float*>(scratch);
  const int64_t in = c.groupIn(), out = c.groupOut(), perGroup = ceilDiv(in, kMostColumns);
  for (int64_t ph = 0; ph < c.strideH; ph++) {
    const Phase v = phaseOf(ph, c.strideH, c.padTop, c.filterHeight, c.dilationH, c.height);
    for (int64_t pw = 0; pw < c.strideW; pw++) {
      const Phase u = phaseOf(pw, c.strideW, c.padLeft, c.filterWidth, c.dilationW, c.width);
      if (v.size == 0 || u.size == 0) continue;
      const int64_t k = v.taps * u.taps * out, phase = (ph * c.width + pw) * c.channels;
      pool.run(c.groups * perGroup, [&](int64_t block, int) {
        const int64_t g = block / perGroup, j = block % perGroup * kMostColumns;
        const int64_t columns = lesser(kMostColumns, in - j);
        float* panel = panels + g * panelFloats(k, in) + j * k;
        for (int64_t s = v.taps - 1; s >= 0; s--) {
          for (int64_t t = u.taps - 1; t >= 0; t--) {
            const int64_t tap = (v.first + s * c.strideH) * c.filterWidth + u.first + t * c.strideW;
            packPanels(filter + (tap * in + j) * c.outChannels + g * out, c.outChannels, true, out, columns, panel);
            panel += out * paddedColumns(columns);
          }
        }
      });
      DirectConv d{dy,
                   c.images,
                   c.outHeight,
                   c.outWidth,
                   c.outChannels,
                   v.size,
                   u.size,
                   v.taps,
                   u.taps,
                   1,
                   1,
                   v.pad,
                   u.pad,
                   c.dilationH,
                   c.dilationW,
                   c.groups,
                   out,
                   in,
                   panels,
                   dx + phase,
                   c.height * c.width * c.channels,
                   c.strideH * c.width * c.channels,
                   c.strideW * c.channels,
                   epilogue.at(0, phase)};
      if (k == 0) {  // pixels no output looks at
        d.filterHeight = d.filterWidth = 1;
        d.padTop = d.padLeft = 0;
        d.groupIn = 0;
        d.dilationH = d.dilationW = 1;
      }
      directConv(d, pool);
    }
  }
}

}  // namespace fathom::FATHOM_ISA
