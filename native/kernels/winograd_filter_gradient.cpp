// Winograd filter gradient: the adjoint of the forward pass in the filter. Tiles of x and of dy go to points, where
// their products are summed over all tiles; only the sums are transformed back.
#include "winograd.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kScratchFloats = kThreadScratch / sizeof(float);
constexpr int64_t kMostPartial = 4 << 20;  // floats

struct Cut {
  int64_t tiles;                  // at a time
  int64_t parts;                  // partial sums over tiles
  int64_t columns, columnBlocks;  // output channels a block
  int64_t sumStride() const { return columns * columnBlocks; }
};

// `besides`: floats of the scratch that hold something else.
Cut cutFor(const Conv& c, int64_t tiles, int64_t besides) {
  Cut cut;
  const int64_t most = greater(1, (160 << 10) / (kPoints * c.channels * kMostColumns));  // panels whose sums L2 holds
  const int64_t panels = ceilDiv(c.outChannels, kMostColumns);
  cut.columnBlocks = ceilDiv(panels, lesser(panels, greater(2, most)));
  cut.columns = ceilDiv(panels, cut.columnBlocks) * kMostColumns;
  cut.columnBlocks = ceilDiv(c.outChannels, cut.columns);
  const int64_t perTile = tileStride(c.channels) + tileStride(cut.columns);
  const int64_t fits = (kScratchFloats - kPoints * c.channels - besides) / perTile;
  // Where L2 does not hold the sums anyway, as many tiles as possible per pass over them.
  const bool large = kPoints * c.channels * cut.columns > (192 << 10);
  cut.tiles = greater(1, lesser(large ? fits : lesser(fits, greater(28, (112 << 10) / perTile)), tiles));
  const int64_t wanted = lesser(ceilDiv(16, cut.columnBlocks), ceilDiv(tiles, greater(8, cut.tiles / 2)));
  const int64_t size = kPoints * c.channels * cut.sumStride();
  cut.parts = greater(1, lesser(wanted, kMostPartial / size));
  return cut;
}

Tiles tilesOf(const Conv& c) {
  return {c.images, c.height, c.width, c.channels, c.outHeight, c.outWidth, c.padTop, c.padLeft};
}

void gradientPoints(const Conv& c, const Tiles& t, const float* image, int64_t index, int64_t first, int64_t count,
                    float* to, int64_t plane) {
  const int64_t column = index % t.wide() * kTile, row = index / t.wide() % t.high() * kTile;
  const float* source = image + (row * t.outWidth + column) * c.outChannels + first;
  const int64_t rows = lesser(kTile, t.outHeight - row), columns = lesser(kTile, t.outWidth - column);
  const auto transform = [](const vf(&y)[4], vf(&p)[6]) { gradientToPoints(y, p); };
  const int64_t pitch = t.outWidth * c.outChannels, step = c.outChannels;
  prefetchRows(source + kTile * pitch, pitch, kTile * c.outChannels);
  for (int64_t o = 0; o < count; o += kLanes) {
    const int64_t some = lesser(kLanes, count - o);
    const auto write = [=](int i, int j, vf value) { store(to + (i * kPatch + j) * plane + o, value); };
    if (some == kLanes && rows == kTile && columns == kTile)
      transformTile<4, 6>(transform, [=](int i, int j) { return load(source + i * pitch + j * step + o); }, write);
    else
      transformTile<4, 6>(
          transform,
          [=](int i, int j) {
            return i >= rows || j >= columns ? vf{} : loadSome(source + i * pitch + j * step + o, some);
          },
          write);
  }
}

// Few tiles of many channels: sums of all points would be larger than what is summed. Then all tiles are transformed
// first, and each point is one matrix product over all of them.
struct Whole {
  int64_t tiles, inStride, outStride;
  int64_t inPlane() const { return tiles * inStride; }
  int64_t outPlane() const { return tiles * outStride; }
  int64_t floats() const { return kPoints * (inPlane() + outPlane()); }
};

Whole wholeOf(const Conv& c) { return {tilesOf(c).count(), paddedColumns(c.channels), paddedColumns(c.outChannels)}; }

bool pointByPoint(const Conv& c, const Cut& cut) {
  return cut.parts > 1 && wholeOf(c).floats() < cut.parts * kPoints * c.channels * cut.sumStride();
}

constexpr int64_t kTilesAtOnce = 8;  // that one block transforms: what it copies out again is in its cache

// Rows of one point, `stride` apart, to where all tiles of that point lie.
void copyPoints(const float* from, int64_t stride, int64_t plane, int64_t rows, int64_t channels, float* to,
                int64_t toPlane) {
  for (int64_t point = 0; point < kPoints; point++)
    for (int64_t row = 0; row < rows; row++)
      std::memcpy(to + point * toPlane + row * channels, from + row * stride + point * plane, channels * sizeof(float));
}

// Point sums into sums[point][channel][sumStride], by way of all transformed tiles in `scratch`.
void multiplyPoints(const Conv& c, const float* x, const Images& dy, int64_t sumStride, float* sums, float* scratch,
                    Pool& pool) {
  const Tiles tiles = tilesOf(c);
  const Whole whole = wholeOf(c);
  float *allIn = scratch, *allOut = scratch + kPoints * whole.inPlane();
  const int64_t inTile = tileStride(c.channels), outTile = tileStride(c.outChannels);
  pool.run(ceilDiv(whole.tiles, kTilesAtOnce), [&](int64_t block, int thread) {
    const int64_t first = block * kTilesAtOnce, count = lesser(kTilesAtOnce, whole.tiles - first);
    float* in = reinterpret_cast<float*>(pool.scratch(thread));
    float* out = in + kTilesAtOnce * inTile;
    float* patch = out + kTilesAtOnce * outTile;
    float* buffer = patch + kPoints * c.channels;
    int64_t held = -1;
    for (int64_t t = 0; t < count; t++) {
      const int64_t n = tiles.imageOf(first + t);
      inputToPoints(tiles, x + n * c.height * c.width * c.channels, first + t, in + t * inTile, whole.inStride, patch);
      gradientPoints(c, tiles, dy.at(n, buffer, held), first + t, 0, c.outChannels, out + t * outTile, whole.outStride);
    }
    copyPoints(in, inTile, whole.inStride, count, whole.inStride, allIn + first * whole.inStride, whole.inPlane());
    copyPoints(out, outTile, whole.outStride, count, whole.outStride, allOut + first * whole.outStride,
               whole.outPlane());
  });
  const int64_t panels = ceilDiv(c.outChannels, 4 * kMostColumns);
  pool.run(kPoints * panels, [&](int64_t block, int thread) {
    const int64_t point = block / panels, first = block % panels * 4 * kMostColumns;
    Gemm g;
    g.m = c.channels;
    g.n = lesser(4 * kMostColumns, c.outChannels - first);
    g.k = whole.tiles;
    g.a = allIn + point * whole.inPlane();
    g.aStride = whole.inStride;
    g.aTransposed = true;
    g.b = allOut + point * whole.outPlane() + first;
    g.bStride = whole.outStride;
    g.c = sums + point * c.channels * sumStride + first;
    g.cStride = sumStride;
    gemmBlock(g, pool.scratch(thread));
  });
}

}  // namespace

size_t winogradFilterGradientScratch(const Conv& c) {
  const Cut cut = cutFor(c, tilesOf(c).count(), kMostImageBuffer);
  const int64_t sums = kPoints * c.channels * cut.sumStride();
  return (pointByPoint(c, cut) ? sums + wholeOf(c).floats() : cut.parts * sums) * sizeof(float);
}

void winogradFilterGradient(const Conv& c, const float* x, const Images& dy, float* dw, Pool& pool,
                            uint8_t* scratch) {
  const Tiles tiles = tilesOf(c);
  const int64_t total = tiles.count();
  Cut cut = cutFor(c, total, kMostImageBuffer);
  const int64_t channels = c.channels, sumStride = cut.sumStride(), sumPlane = channels * sumStride;
  const int64_t partSize = kPoints * sumPlane;
  const int64_t inPlane = paddedColumns(channels), outPlane = paddedColumns(cut.columns);
  const int64_t inStride = tileStride(channels), outStride = tileStride(cut.columns);
  float* partial = reinterpret_cast<float*>(scratch);

  if (pointByPoint(c, cut)) {
    multiplyPoints(c, x, dy, sumStride, partial, partial + partSize, pool);
    cut.parts = 1;
  } else pool.run(cut.parts * cut.columnBlocks, [&](int64_t block, int thread) {
    const int64_t part = block / cut.columnBlocks, first = block % cut.columnBlocks * cut.columns;
    const int64_t outputs = lesser(cut.columns, c.outChannels - first);
    float* in = reinterpret_cast<float*>(pool.scratch(thread));
    float* out = in + cut.tiles * inStride;
    float* patch = out + cut.tiles * outStride;
    float* buffer = patch + kPoints * channels;
    int64_t held = -1;
    const int64_t begin = splitAt(total, cut.parts, part), end = splitAt(total, cut.parts, part + 1);
    const int64_t steps = ceilDiv(end - begin, cut.tiles), rowPanels = ceilDiv(channels, kMostRows);
    for (int64_t step = 0; step < steps; step++) {
      const int64_t t0 = begin + splitAt(end - begin, steps, step), t1 = begin + splitAt(end - begin, steps, step + 1);
      for (int64_t t = t0; t < t1; t++) {
        const int64_t n = tiles.imageOf(t);
        inputToPoints(tiles, x + n * c.height * c.width * channels, t, in + (t - t0) * inStride, inPlane, patch);
        gradientPoints(c, tiles, dy.at(n, buffer, held), t, first, outputs, out + (t - t0) * outStride, outPlane);
      }
      MicroCall call{};
      call.aStride = inStride;
      call.bStride = outStride;
      call.cStride = sumStride;
      call.k = t1 - t0;
      call.reduce = 1;
      call.accumulate = step > 0;
      for (int64_t point = 0; point < kPoints; point++) {
        for (int64_t panel = 0; panel < rowPanels; panel++) {
          const int64_t from = splitAt(channels, rowPanels, panel),
                        rows = splitAt(channels, rowPanels, panel + 1) - from;
          call.a = in + point * inPlane + from;
          for (int64_t j = 0; j < outputs; j += kMostColumns) {
            const int64_t width = lesser(kMostColumns, paddedColumns(outputs - j));
            call.b = out + point * outPlane + j;
            call.c = partial + part * partSize + point * sumPlane + from * sumStride + first + j;
            kMicro[kColumns][width / kLanes - 1][rows - 1](call);
          }
        }
      }
    }
  });

  pool.run(channels, [&](int64_t channel, int) {
    for (int64_t o = 0; o < c.outChannels; o += kLanes) {
      const float* at = partial + channel * sumStride + o;
      transformTile<6, 3>([](const vf(&u)[6], vf(&g)[3]) { pointsToFilter(u, g); },
                          [&](int i, int j) {
                            const float* point = at + (i * kPatch + j) * sumPlane;
                            vf sum = load(point);
                            for (int64_t part = 1; part < cut.parts; part++) sum += load(point + part * partSize);
                            return sum;
                          },
                          [&](int i, int j, vf value) {
                            storeSome(dw + ((i * 3 + j) * channels + channel) * c.outChannels + o, value,
                                      c.outChannels - o);
                          });
    }
  });
}

}  // namespace fathom::FATHOM_ISA
