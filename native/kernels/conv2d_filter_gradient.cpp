// Filter gradient without a patch buffer: for each filter row, the pixels under it (as columns) times dy, summed in
// registers over all rows of a window. Images are cut into a fixed number of parts, whose sums are added in order.
#include "conv2d.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kWindow = 64 << 10;
constexpr int64_t kMostPartial = 1 << 20;  // floats

struct Cut {
  int64_t rowBlocks;     // windows per image
  int64_t columnBlocks;  // where even one row's window would not fit
  int64_t parts;         // partial sums
  int64_t filterRows;    // blocks of filter rows, where parts alone are too few
};

int64_t windowFloats(const Conv& c, int64_t rows, int64_t columns) {
  return ((rows - 1) * c.strideH + (c.filterHeight - 1) * c.dilationH + 1) *
         ((columns - 1) * c.strideW + (c.filterWidth - 1) * c.dilationW + 1) * c.channels;
}

Cut cutFor(const Conv& c) {
  Cut cut{1, 1, 1, 1};
  constexpr int64_t kMost = kThreadScratch / sizeof(float) / 2;
  while (cut.columnBlocks < c.outWidth && windowFloats(c, 1, ceilDiv(c.outWidth, cut.columnBlocks)) > kMost)
    cut.columnBlocks = lesser(c.outWidth, cut.columnBlocks * 2);
  const int64_t columns = ceilDiv(c.outWidth, cut.columnBlocks);
  while (cut.rowBlocks < c.outHeight && windowFloats(c, ceilDiv(c.outHeight, cut.rowBlocks), columns) +
                                                ceilDiv(c.outHeight, cut.rowBlocks) * columns * c.groupOut() >
                                            kWindow)
    cut.rowBlocks = lesser(c.outHeight, cut.rowBlocks * 2);
  const int64_t windows = c.images * cut.rowBlocks * cut.columnBlocks;
  cut.parts = greater(1, lesser(lesser(windows, 16), kMostPartial / greater(1, c.filterSize())));
  if (cut.parts < 4) cut.filterRows = c.filterHeight;
  return cut;
}

}  // namespace

void sumParts(const float* partial, int64_t parts, int64_t size, float* out, Pool& pool) {
  constexpr int64_t kSlice = 1 << 13;
  pool.run(ceilDiv(size, kSlice), [&](int64_t block, int) {
    const int64_t end = lesser(size, (block + 1) * kSlice);
    for (int64_t i = block * kSlice; i < end; i += kLanes) {
      vf total = loadSome(partial + i, end - i);
      for (int64_t part = 1; part < parts; part++) total += loadSome(partial + part * size + i, end - i);
      storeSome(out + i, total, end - i);
    }
  });
}

size_t directFilterGradientScratch(const Conv& c) {
  const Cut cut = cutFor(c);
  return cut.parts > 1 ? cut.parts * c.filterSize() * sizeof(float) : 0;
}

void directFilterGradient(const Conv& c, const float* x, const float* dy, float* dw, Pool& pool, uint8_t* scratch) {
  const Cut cut = cutFor(c);
  const int64_t size = c.filterSize(), in = c.groupIn(), out = c.groupOut();
  const int64_t windows = c.images * cut.rowBlocks * cut.columnBlocks;
  const bool rowAtOnce = c.dilationW == 1 && c.groups == 1;
  const int64_t tapColumns = rowAtOnce ? 1 : c.filterWidth, m = rowAtOnce ? c.filterWidth * in : in;
  const int64_t rowPanels = ceilDiv(m, kMostRows);
  const int64_t inPlace = out / kLanes * kLanes;  // dy's channels that fill vectors; the rest are copied and padded

  pool.run(cut.parts * cut.filterRows, [&](int64_t block, int thread) {
    const int64_t part = block / cut.filterRows;
    const int64_t tap0 = splitAt(c.filterHeight, cut.filterRows, block % cut.filterRows);
    const int64_t tap1 = splitAt(c.filterHeight, cut.filterRows, block % cut.filterRows + 1);
    float* sums = cut.parts > 1 ? reinterpret_cast<float*>(scratch) + part * size : dw;
    float* window = reinterpret_cast<float*>(pool.scratch(thread));
    float* tail = window + kThreadScratch / sizeof(float) / 2;
    const int64_t first = splitAt(windows, cut.parts, part), last = splitAt(windows, cut.parts, part + 1);
    for (int64_t index = first; index < last; index++) {
      const int64_t columnBlock = index % cut.columnBlocks, rowBlock = index / cut.columnBlocks % cut.rowBlocks;
      const int64_t n = index / cut.columnBlocks / cut.rowBlocks;
      const int64_t oh0 = splitAt(c.outHeight, cut.rowBlocks, rowBlock),
                    oh1 = splitAt(c.outHeight, cut.rowBlocks, rowBlock + 1);
      const int64_t ow0 = splitAt(c.outWidth, cut.columnBlocks, columnBlock);
      const int64_t ow1 = splitAt(c.outWidth, cut.columnBlocks, columnBlock + 1);
      const float* image = x + n * c.height * c.width * c.channels;
      const int64_t top = oh0 * c.strideH - c.padTop, left = ow0 * c.strideW - c.padLeft;
      const int64_t rows = (oh1 - oh0 - 1) * c.strideH + (c.filterHeight - 1) * c.dilationH + 1;
      const int64_t columns = (ow1 - ow0 - 1) * c.strideW + (c.filterWidth - 1) * c.dilationW + 1;
      const float* source = image + (top * c.width + left) * c.channels;
      int64_t pitch = c.width * c.channels;
      if (top < 0 || left < 0 || top + rows > c.height || left + columns > c.width) {
        copyWindow(image, c.height, c.width, c.channels, top, left, rows, columns, window);
        source = window;
        pitch = columns * c.channels;
      }
      const float* gradient = dy + ((n * c.outHeight + oh0) * c.outWidth + ow0) * c.outChannels;

      MicroCall call{};
      call.aStride = c.strideW * c.channels;
      call.aReduce = c.strideH * pitch;
      call.k = ow1 - ow0;
      call.reduce = oh1 - oh0;
      call.cStride = c.outChannels;
      call.accumulate = index > first;
      for (int64_t g = 0; g < c.groups; g++) {
        for (int64_t j = 0; j < out;) {
          const int64_t left32 = inPlace - j;
          const int64_t width = left32 >= kMostColumns ? kMostColumns : left32 >= kLanes ? kLanes : out - j;
          const float* b = gradient + g * out + j;
          if (left32 > 0) {
            call.b = b;
            call.bStride = c.outChannels;
            call.bReduce = c.outWidth * c.outChannels;
          } else {
            for (int64_t r = 0; r < call.reduce; r++)
              packPanels(b + r * c.outWidth * c.outChannels, c.outChannels, false, call.k, width,
                         tail + r * call.k * kLanes);
            call.b = tail;
            call.bStride = kLanes;
            call.bReduce = call.k * kLanes;
          }
          for (int64_t tap = tap0; tap < tap1; tap++) {
            for (int64_t t = 0; t < tapColumns; t++) {
              for (int64_t p = 0; p < rowPanels; p++) {
                const int64_t from = splitAt(m, rowPanels, p), count = splitAt(m, rowPanels, p + 1) - from;
                call.a = source + tap * c.dilationH * pitch + t * c.dilationW * c.channels + g * in + from;
                call.c = sums + ((tap * c.filterWidth + t) * in + from) * c.outChannels + g * out + j;
                microTile(call, kColumns, count, width, false, {});
              }
            }
          }
          j += width;
        }
      }
    }
  });
  if (cut.parts > 1) sumParts(reinterpret_cast<float*>(scratch), cut.parts, size, dw, pool);
}

}  // namespace fathom::FATHOM_ISA
