// Reductions in a fixed order: inputs are cut into chunks by their sizes alone, chunks are reduced on any thread and
// combined one after the other.
//
//   reduce     x -> y without the axes; ints = {kind, axes…}
//   argReduce  x -> int32 index of the first largest (or smallest) element; ints = {smallest, axis}
#include <limits>

#include "elementwise_math.h"
#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

enum Kind : int64_t { kSum, kMean, kProd, kMax, kMin };
constexpr int64_t kChunk = 1 << 14;  // elements that one block reduces

template <int kKind, class V> inline V combine(V a, V b) {
  if constexpr (kKind == kProd) return a * b;
  else if constexpr (kKind == kMax) return a != a ? a : (a > b ? a : b);
  else if constexpr (kKind == kMin) return a != a ? a : (a < b ? a : b);
  else return a + b;
}
template <int kKind> inline double identity() {
  if constexpr (kKind == kProd) return 1;
  else if constexpr (kKind == kMax) return -std::numeric_limits<double>::infinity();
  else if constexpr (kKind == kMin) return std::numeric_limits<double>::infinity();
  else return 0;
}

// kept × reduced × kept, or a list of dimensions where that is not enough.
struct Layout {
  int rank = 0;
  int64_t dims[kMaxRank], strides[kMaxRank];
  bool reduced[kMaxRank];
  int64_t count = 1;  // elements behind one result

  explicit Layout(const Call& call) {
    const Tensor& x = call.in[0];
    bool wanted[kMaxRank] = {};
    for (int i = 1; i < call.intCount; i++) wanted[call.ints[i]] = true;
    for (int d = 0; d < x.rank; d++) {
      if (wanted[d]) count *= x.dims[d];
      if (x.dims[d] == 1) continue;
      if (rank > 0 && reduced[rank - 1] == wanted[d]) {
        dims[rank - 1] *= x.dims[d];
      } else {
        dims[rank] = x.dims[d];
        reduced[rank++] = wanted[d];
      }
    }
    int64_t stride = 1;
    for (int d = rank - 1; d >= 0; d--) {
      strides[d] = stride;
      stride *= dims[d];
    }
  }
  bool simple() const { return rank <= 2 || (rank == 3 && reduced[1]); }
  void sides(int64_t& outer, int64_t& middle, int64_t& inner) const {
    outer = middle = inner = 1;
    int d = 0;
    if (d < rank && !reduced[d]) outer = dims[d++];
    if (d < rank) middle = dims[d++];
    if (d < rank) inner = dims[d];
  }
};

template <int kKind> float reduceRun(const float* x, int64_t n) {
  vf lanes[4];
  for (vf& lane : lanes) lane = splat(static_cast<float>(identity<kKind>()));
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes)
    for (int v = 0; v < 4; v++) lanes[v] = combine<kKind>(lanes[v], load(x + i + v * kLanes));
  for (; i + kLanes <= n; i += kLanes) lanes[0] = combine<kKind>(lanes[0], load(x + i));
  alignas(64) float all[kLanes];
  store(all, combine<kKind>(combine<kKind>(lanes[0], lanes[1]), combine<kKind>(lanes[2], lanes[3])));
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++) all[j] = combine<kKind>(all[j], all[j + width]);
  for (; i < n; i++) all[0] = combine<kKind>(all[0], x[i]);
  return all[0];
}

// One row of results from `rows` rows of n elements.
template <int kKind> void reduceRows(float* y, const float* x, int64_t rows, int64_t n) {
  int64_t r = 0;
  if (rows == 0) {
    for (int64_t i = 0; i < n; i++) y[i] = static_cast<float>(identity<kKind>());
    return;
  }
  std::memcpy(y, x, sizeof(float) * static_cast<size_t>(n));
  for (r = 1; r + 4 <= rows; r += 4) {
    const float *a = x + r * n, *b = a + n, *c = b + n, *d = c + n;
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t left = n - i;
      const vf four = combine<kKind>(combine<kKind>(loadSome(a + i, left), loadSome(b + i, left)),
                                     combine<kKind>(loadSome(c + i, left), loadSome(d + i, left)));
      storeSome(y + i, combine<kKind>(loadSome(y + i, left), four), left);
    }
  }
  for (; r < rows; r++)
    for (int64_t i = 0; i < n; i += kLanes)
      storeSome(y + i, combine<kKind>(loadSome(y + i, n - i), loadSome(x + r * n + i, n - i)), n - i);
}

struct Cut {
  int64_t outer, middle, inner, rows, chunks;
  explicit Cut(const Layout& layout) {
    layout.sides(outer, middle, inner);
    rows = greater(16, kChunk / greater(inner, 1));
    chunks = greater(1, ceilDiv(middle, rows));
  }
};

template <int kKind> void reduceFloat(const Call& call, const Layout& layout) {
  const Cut cut(layout);
  const auto [outer, middle, inner, rows, chunks] = cut;
  const float* x = call.in[0].as<float>();
  float* y = call.out[0].as<float>();
  const double scale = kKind == kMean ? static_cast<double>(layout.count) : 1;
  float* partial = chunks > 1 ? reinterpret_cast<float*>(call.scratch) : y;
  // Several short rows make a block.
  const int64_t group = chunks > 1 ? 1 : greater(1, kChunk / greater(1, middle * inner));
  call.pool->run(ceilDiv(outer * chunks, group), [&](int64_t block, int) {
    const int64_t end = lesser(outer * chunks, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) {
      const int64_t first = i % chunks * rows, count = lesser(rows, middle - first);
      const float* from = x + (i / chunks * middle + first) * inner;
      if (inner == 1) {
        partial[i] = reduceRun<kKind>(from, count);
      } else {
        reduceRows<kKind>(partial + i * inner, from, count, inner);
      }
      if (chunks == 1 && kKind == kMean)
        for (int64_t j = 0; j < inner; j++) y[i * inner + j] = static_cast<float>(y[i * inner + j] / scale);
    }
  });
  if (chunks == 1) return;
  for (int64_t o = 0; o < outer; o++)
    for (int64_t j = 0; j < inner; j++) {
      double total = partial[o * chunks * inner + j];
      for (int64_t c = 1; c < chunks; c++) total = combine<kKind>(total, static_cast<double>(partial[(o * chunks + c) * inner + j]));
      y[o * inner + j] = static_cast<float>(total / scale);
    }
}

// Any type and any axes, in float64, one result at a time.
template <int kKind, class T> void reduceGeneric(const Call& call, const Layout& layout) {
  const T* x = call.in[0].as<T>();
  T* y = call.out[0].as<T>();
  int64_t kept[kMaxRank], keptStrides[kMaxRank], gone[kMaxRank], goneStrides[kMaxRank];
  int keptRank = 0, goneRank = 0;
  for (int d = 0; d < layout.rank; d++) {
    if (layout.reduced[d]) gone[goneRank] = layout.dims[d], goneStrides[goneRank++] = layout.strides[d];
    else kept[keptRank] = layout.dims[d], keptStrides[keptRank++] = layout.strides[d];
  }
  const int64_t results = call.out[0].size(), group = greater(1, kChunk / greater(1, layout.count));
  call.pool->run(ceilDiv(results, group), [&](int64_t block, int) {
    const int64_t end = lesser(results, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) {
      int64_t rest = i, offset = 0;
      for (int d = keptRank - 1; d >= 0; d--) {
        offset += rest % kept[d] * keptStrides[d];
        rest /= kept[d];
      }
      double total = identity<kKind>();
      int64_t index[kMaxRank] = {};
      for (int64_t j = 0; j < layout.count; j++) {
        total = combine<kKind>(total, static_cast<double>(x[offset]));
        for (int d = goneRank - 1; d >= 0; d--) {
          offset += goneStrides[d];
          if (++index[d] < gone[d]) break;
          offset -= gone[d] * goneStrides[d];
          index[d] = 0;
        }
      }
      if (kKind == kMean) total /= static_cast<double>(layout.count);
      if constexpr (sizeof(T) >= 4 && T(0.5) != T(0)) y[i] = static_cast<T>(total);
      else y[i] = static_cast<T>(toInt32(total));
    }
  });
}

template <int kKind> void reduceKind(const Call& call) {
  const Layout layout(call);
  switch (call.in[0].dtype) {
    case DType::float32: return layout.simple() ? reduceFloat<kKind>(call, layout) : reduceGeneric<kKind, float>(call, layout);
    case DType::float64: return reduceGeneric<kKind, double>(call, layout);
    case DType::int32: return reduceGeneric<kKind, int32_t>(call, layout);
    default: return reduceGeneric<kKind, uint8_t>(call, layout);
  }
}

void reduce(const Call& call) {
  switch (call.ints[0]) {
    case kSum: return reduceKind<kSum>(call);
    case kMean: return reduceKind<kMean>(call);
    case kProd: return reduceKind<kProd>(call);
    case kMax: return reduceKind<kMax>(call);
    default: return reduceKind<kMin>(call);
  }
}

size_t reduceScratch(const Call& call) {
  if (call.in[0].dtype != DType::float32) return 0;
  const Layout layout(call);
  if (!layout.simple()) return 0;
  const Cut cut(layout);
  return cut.chunks > 1 ? static_cast<size_t>(cut.outer * cut.chunks * cut.inner) * sizeof(float) : 0;
}

template <class T> void argReduceOf(const Call& call) {
  const Tensor& x = call.in[0];
  const bool smallest = call.ints[0] != 0;
  const int axis = static_cast<int>(call.ints[1]);
  int64_t outer = 1, inner = 1;
  for (int d = 0; d < axis; d++) outer *= x.dims[d];
  for (int d = axis + 1; d < x.rank; d++) inner *= x.dims[d];
  const int64_t middle = x.dims[axis], group = greater(1, kChunk / greater(1, middle));
  call.pool->run(ceilDiv(outer * inner, group), [&](int64_t block, int) {
    const int64_t end = lesser(outer * inner, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) {
      const T* from = x.as<T>() + i / inner * middle * inner + i % inner;
      int64_t best = 0;
      for (int64_t j = 1; j < middle; j++)
        if (smallest ? from[j * inner] < from[best * inner] : from[j * inner] > from[best * inner]) best = j;
      call.out[0].as<int32_t>()[i] = static_cast<int32_t>(best);
    }
  });
}

void argReduce(const Call& call) {
  switch (call.in[0].dtype) {
    case DType::float32: return argReduceOf<float>(call);
    case DType::float64: return argReduceOf<double>(call);
    case DType::int32: return argReduceOf<int32_t>(call);
    default: return argReduceOf<uint8_t>(call);
  }
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(reduce, {{"reduce", reduce, reduceScratch}, {"argReduce", argReduce, nullptr}})
