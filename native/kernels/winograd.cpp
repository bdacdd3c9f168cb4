// Winograd convolution forward and input gradient. A block of tiles is transformed, multiplied point by point with the
// filter (transformed once a call) and transformed back, all within one thread's cache.
#include "winograd.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kMostChannels = 1024;
constexpr int64_t kScratchFloats = kThreadScratch / sizeof(float);

struct Cut {
  int64_t tiles, tileBlocks;      // at most so many tiles a block
  int64_t columns, columnBlocks;  // output channels a block
};

// `besides`: floats of the scratch that hold something else.
Cut cutFor(int64_t tiles, int64_t channels, int64_t outputs, int64_t besides) {
  Cut cut;
  // Products of a few output channels at a time keep what is between the transforms small.
  cut.columnBlocks = ceilDiv(outputs, 256);
  cut.columns = ceilDiv(ceilDiv(outputs, cut.columnBlocks), kMostColumns) * kMostColumns;
  const int64_t perTile = tileStride(channels) + tileStride(cut.columns);
  const int64_t rows = greater(2, (112 << 10) / (perTile * 14)) * 14;
  const int64_t fits = (kScratchFloats - kPoints * channels - kTile * kTile * cut.columns - besides) / perTile;
  cut.tileBlocks = ceilDiv(tiles, lesser(lesser(rows, fits), 112));
  if (cut.tileBlocks < 8) cut.tileBlocks = greater(cut.tileBlocks, lesser(8, tiles / 14));
  // Few tiles: share the output channels out, too.
  if (cut.tileBlocks < 8) {
    const int64_t most = ceilDiv(outputs, 2 * kMostColumns);
    const int64_t parts = greater(cut.columnBlocks, lesser(most, ceilDiv(8, greater(1, cut.tileBlocks))));
    cut.columns = ceilDiv(ceilDiv(outputs, parts), kMostColumns) * kMostColumns;
  }
  cut.columnBlocks = ceilDiv(outputs, cut.columns);
  cut.tiles = ceilDiv(tiles, cut.tileBlocks);
  return cut;
}

bool fits(const Conv& c, int64_t in, int64_t out, int64_t outHeight, int64_t outWidth) {
  if (c.filterHeight != 3 || c.filterWidth != 3 || c.strideH != 1 || c.strideW != 1 || c.dilationH != 1 ||
      c.dilationW != 1 || c.groups != 1 || in < 16 || out < 16 || in > kMostChannels || out > kMostChannels)
    return false;
  // A tile costs 36 products where nine per output would do it directly; transforming the filter and streaming it from
  // memory costs as much as some more tiles.
  const int64_t tiles = c.images * ceilDiv(outHeight, kTile) * ceilDiv(outWidth, kTile);
  const int64_t filter = kPoints * in * out * sizeof(float) > (1 << 20) ? 64 : 16;
  return 36 * (tiles + filter) < 10 * c.images * outHeight * outWidth;
}

struct Product {
  Tiles tiles;
  Images x;
  int64_t outputs;
  const float* points;  // of the filter: 36 sets of panels
  float* y;
  Epilogue epilogue;
  Pooled pooled;
};

// kWhole: a tile and a vector of channels that lie all inside, the usual case, without tests.
template <bool kWhole>
inline void outputTile(const Epilogue& epilogue, const float* sums, int64_t plane, float* y, vf bias, int64_t pitch, int64_t outputs, int64_t rows, int64_t columns, int64_t some) {
  const Activation activation = epilogue.activation;
  const float *residual = epilogue.residual, *mask = epilogue.mask;
  transformTile<6, 4>([](const vf(&m)[6], vf(&t)[4]) { toOutputs(m, t); },
                      [=](int i, int j) { return load(sums + (i * kPatch + j) * plane); },
                      [=](int i, int j, vf value) {
                        if (!kWhole && (i >= rows || j >= columns)) return;
                        const int64_t to = i * pitch + j * outputs;
                        value += bias;
                        if (residual) value += kWhole ? load(residual + to) : loadSome(residual + to, some);
                        if (activation == Activation::relu) value = value < 0 ? vf{} : value;
                        if (mask) value = (kWhole ? load(mask + to) : loadSome(mask + to, some)) > 0 ? value : vf{};
                        if constexpr (kWhole) store(y + to, value);
                        else storeSome(y + to, value, some);
                      });
}

// `tile` holds 16 · count floats: the outputs of a tile whose pool alone is kept.
void outputsOf(const Product& p, int64_t index, const float* sums, int64_t plane, int64_t first, int64_t count,
               float* tile) {
  const Tiles& t = p.tiles;
  const int64_t column = index % t.wide() * kTile, row = index / t.wide() % t.high() * kTile;
  const int64_t n = index / t.wide() / t.high();
  const int64_t at = ((n * t.outHeight + row) * t.outWidth + column) * p.outputs + first;
  const int64_t rows = lesser(kTile, t.outHeight - row), columns = lesser(kTile, t.outWidth - column);
  const bool pooled = p.pooled.y;
  const int64_t step = pooled ? count : p.outputs, pitch = pooled ? kTile * count : t.outWidth * p.outputs;
  float* y = pooled ? tile : p.y + at;
  for (const float* read : {p.epilogue.residual, p.epilogue.mask})
    if (read) prefetchRows(read + at + kTile * pitch, pitch, kTile * p.outputs);
  for (int64_t o = 0; o < count; o += kLanes) {
    const int64_t some = lesser(kLanes, count - o);
    const vf bias = p.epilogue.bias ? loadSome(p.epilogue.bias + first + o, some) : vf{};
    const bool whole = some == kLanes && rows == kTile && columns == kTile;
    (whole ? outputTile<true> : outputTile<false>)(p.epilogue.at(0, at + o), sums + o, plane, y + o, bias, pitch, step,
                                                   rows, columns, some);
  }
  if (p.epilogue.activation > Activation::relu)  // the others would fill the tile's loop with code
    for (int64_t i = 0; i < rows; i++)
      for (int64_t j = 0; j < columns; j++) {
        float* pixel = y + i * pitch + j * step;
        finishTile(pixel, 0, pixel, 0, 1, count, {nullptr, nullptr, p.epilogue.activation});
      }
  for (int64_t i = 0; pooled && i + 2 <= rows; i += 2)
    for (int64_t j = 0; j + 2 <= columns; j += 2) {
      const int64_t window = (n * p.pooled.height + (row + i) / 2) * p.pooled.width + (column + j) / 2;
      const int64_t to = window * p.outputs + first;
      poolWindow(tile + i * pitch + j * step, pitch, step, count, p.pooled.y + to,
                 p.pooled.which ? p.pooled.which + to : nullptr);
    }
}

void multiply(const Product& p, Pool& pool) {
  const int64_t tiles = p.tiles.count(), channels = p.tiles.channels;
  const Cut cut = cutFor(tiles, channels, p.outputs, p.x.bufferFloats());
  const int64_t inPlane = paddedColumns(channels), outPlane = paddedColumns(cut.columns);
  const int64_t inStride = tileStride(channels), outStride = tileStride(cut.columns);
  pool.run(cut.tileBlocks * cut.columnBlocks, [&](int64_t block, int thread) {
    const int64_t part = block / cut.columnBlocks, first = block % cut.columnBlocks * cut.columns;
    const int64_t t0 = splitAt(tiles, cut.tileBlocks, part), count = splitAt(tiles, cut.tileBlocks, part + 1) - t0;
    const int64_t outputs = lesser(cut.columns, p.outputs - first);
    float* in = reinterpret_cast<float*>(pool.scratch(thread));
    float* out = in + cut.tiles * inStride;
    float* patch = out + cut.tiles * outStride;
    float* tile = patch + kPoints * channels;
    float* image = tile + kTile * kTile * cut.columns;
    int64_t held = -1;
    for (int64_t t = t0; t < t0 + count; t++)
      inputToPoints(p.tiles, p.x.at(p.tiles.imageOf(t), image, held), t, in + (t - t0) * inStride, inPlane, patch);

    MicroCall call{};
    call.aStride = inStride;
    call.k = channels;
    call.reduce = 1;
    call.cStride = outStride;
    const int64_t rowPanels = ceilDiv(count, kMostRows);
    for (int64_t point = 0; point < kPoints; point++) {
      for (int64_t j = 0; j < outputs; j += kMostColumns) {
        const int64_t width = lesser(kMostColumns, paddedColumns(outputs - j));
        call.b = p.points + point * panelFloats(channels, p.outputs) + (first + j) * channels;
        call.bStride = width;
        for (int64_t panel = 0; panel < rowPanels; panel++) {
          const int64_t from = splitAt(count, rowPanels, panel), rows = splitAt(count, rowPanels, panel + 1) - from;
          call.a = in + point * inPlane + from * inStride;
          call.c = out + point * outPlane + from * outStride + j;
          kMicro[kRows][width / kLanes - 1][rows - 1](call);
        }
      }
    }
    for (int64_t t = 0; t < count; t++) outputsOf(p, t0 + t, out + t * outStride, outPlane, first, outputs, tile);
  });
}

// Transforms packed filter taps, 9 sets of panels, to points, 36 sets: element by element.
void filterPoints(const float* taps, int64_t size, float* points, Pool& pool) {
  constexpr int64_t kSlice = 1 << 11;
  pool.run(ceilDiv(size, kSlice), [&](int64_t block, int) {
    const int64_t end = lesser(size, (block + 1) * kSlice);
    for (int64_t at = block * kSlice; at < end; at += kLanes) {
      transformTile<3, 6>([](const vf(&g)[3], vf(&u)[6]) { filterToPoints(g, u); },
                          [=](int i, int j) { return load(taps + (i * 3 + j) * size + at); },
                          [=](int i, int j, vf value) { store(points + (i * kPatch + j) * size + at, value); });
    }
  });
}

}  // namespace

void inputToPoints(const Tiles& t, const float* image, int64_t index, float* to, int64_t plane, float* patch) {
  const int64_t left = index % t.wide() * kTile - t.padLeft, top = index / t.wide() % t.high() * kTile - t.padTop;
  const float* source = image + (top * t.width + left) * t.channels;
  int64_t pitch = t.width * t.channels;
  if (top < 0 || left < 0 || top + kPatch > t.height || left + kPatch > t.width) {
    copyWindow(image, t.height, t.width, t.channels, top, left, kPatch, kPatch, patch);
    source = patch;
    pitch = kPatch * t.channels;
  }
  const auto transform = [](const vf(&d)[6], vf(&p)[6]) { toPoints(d, p); };
  const int64_t step = t.channels;
  prefetchRows(image + ((top + kPatch) * t.width + left + 2) * t.channels, t.width * t.channels, kTile * t.channels);
  int64_t c = 0;
  for (; c + kLanes <= t.channels; c += kLanes)
    transformTile<6, 6>(
        transform, [=](int i, int j) { return load(source + i * pitch + j * step + c); },
        [=](int i, int j, vf value) { store(to + (i * kPatch + j) * plane + c, value); });
  if (c < t.channels)
    transformTile<6, 6>(
        transform, [=](int i, int j) { return loadSome(source + i * pitch + j * step + c, step - c); },
        [=](int i, int j, vf value) { store(to + (i * kPatch + j) * plane + c, value); });
}

bool winogradFits(const Conv& c) { return fits(c, c.channels, c.outChannels, c.outHeight, c.outWidth); }
bool winogradInputGradientFits(const Conv& c) { return fits(c, c.outChannels, c.channels, c.height, c.width); }

size_t winogradForwardScratch(const Conv& c) {
  return (9 + kPoints) * panelFloats(c.channels, c.outChannels) * sizeof(float);
}
size_t winogradInputGradientScratch(const Conv& c) {
  return (9 + kPoints) * panelFloats(c.outChannels, c.channels) * sizeof(float);
}

void winogradForward(const Conv& c, const float* x, const float* filter, float* y, const Epilogue& epilogue,
                     const Pooled& pooled, Pool& pool, uint8_t* scratch) {
  const int64_t size = panelFloats(c.channels, c.outChannels);
  float *points = reinterpret_cast<float*>(scratch), *taps = points + kPoints * size;
  pool.run(9, [&](int64_t tap, int) {
    packPanels(filter + tap * c.channels * c.outChannels, c.outChannels, false, c.channels, c.outChannels,
               taps + tap * size);
  });
  filterPoints(taps, size, points, pool);
  multiply({{c.images, c.height, c.width, c.channels, c.outHeight, c.outWidth, c.padTop, c.padLeft},
            {x, nullptr, c.height, c.width, c.channels},
            c.outChannels,
            points,
            y,
            epilogue,
            pooled},
           pool);
}

// The same with the filter turned round and its channels exchanged, over dy padded by what is left of the filter.
void winogradInputGradient(const Conv& c, const Images& dy, const float* filter, float* dx, const Epilogue& epilogue,
                           Pool& pool, uint8_t* scratch) {
  const int64_t size = panelFloats(c.outChannels, c.channels);
  float *points = reinterpret_cast<float*>(scratch), *taps = points + kPoints * size;
  pool.run(9, [&](int64_t tap, int) {
    packPanels(filter + (8 - tap) * c.channels * c.outChannels, c.outChannels, true, c.outChannels, c.channels,
               taps + tap * size);
  });
  filterPoints(taps, size, points, pool);
  multiply({{c.images, c.outHeight, c.outWidth, c.outChannels, c.height, c.width, 2 - c.padTop, 2 - c.padLeft},
            dy,
            c.channels,
            points,
            dx,
            epilogue,
            {}},
           pool);
}

}  // namespace fathom::FATHOM_ISA
