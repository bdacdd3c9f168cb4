// What attention and its gradient share: sizes, tiles, products on tiles, weights that dropout leaves.
//
// Scores are made a tile at a time and never kept: the gradient makes them again. A tile of queries against one head of
// keys is a unit of work that no other thread touches, with a fixed order of tiles within: results do not depend on threads.
#pragma once
#include "gemm_micro.h"
#include "philox.h"

namespace fathom::FATHOM_ISA {

inline constexpr int64_t kQueryRows = 56 / kMostRows * kMostRows;
inline constexpr int64_t kKeyColumns = 128;

struct Attention {
  int64_t batch, queries, keys, heads, keyHeads, depth, width;
  bool causal;
  float scale, dropout;
  const float *q, *k, *v;
  const uint8_t* mask = nullptr;
  const float* bias = nullptr;
  int64_t biasExample = 0, biasHead = 0;  // steps between examples and heads, 0 where it is repeated
  PhiloxKey key{};

  explicit Attention(const Call& call)
      : batch(call.in[0].dims[0]), queries(call.in[0].dims[1]), keys(call.in[1].dims[1]), heads(call.in[0].dims[2]),
        keyHeads(call.in[1].dims[2]), depth(call.in[0].dims[3]), width(call.in[2].dims[3]), causal(call.ints[0] != 0),
        scale(static_cast<float>(call.floats[0])), dropout(static_cast<float>(call.floats[1])),
        q(call.in[0].as<float>()), k(call.in[1].as<float>()), v(call.in[2].as<float>()) {
    int next = 3;
    if (call.ints[1]) mask = call.in[next++].as<uint8_t>();
    if (call.ints[2]) {
      const Tensor& given = call.in[next++];
      bias = given.as<float>();
      biasHead = given.dims[1] == 1 ? 0 : queries * keys;
      biasExample = given.dims[0] == 1 ? 0 : given.dims[1] * queries * keys;
    }
    if (call.ints[3])
      key = {static_cast<uint32_t>(call.in[next++].as<int32_t>()[0]), static_cast<uint32_t>(call.ints[6]),
             static_cast<uint32_t>(call.ints[4]), static_cast<uint32_t>(call.ints[5])};
    others = next;
  }
  int others;  // the first input behind these

  int64_t queryStride() const { return heads * depth; }
  int64_t keyStride() const { return keyHeads * depth; }
  int64_t valueStride() const { return keyHeads * width; }
  int64_t resultStride() const { return heads * width; }
  const float* queryAt(int64_t n, int64_t i, int64_t h) const { return q + ((n * queries + i) * heads + h) * depth; }
  const float* keyAt(int64_t n, int64_t j, int64_t g) const { return k + ((n * keys + j) * keyHeads + g) * depth; }
  const float* valueAt(int64_t n, int64_t j, int64_t g) const { return v + ((n * keys + j) * keyHeads + g) * width; }
  int64_t resultAt(int64_t n, int64_t i, int64_t h) const { return ((n * queries + i) * heads + h) * width; }

  // Columns of a tile of `columns` keys from j0 that query i sees, counted from the tile's first.
  int64_t seen(int64_t i, int64_t j0, int64_t columns) const {
    return causal ? greater(0, lesser(columns, i - j0 + 1)) : columns;
  }
};

// c[m,n] (+)= a·b with b in panels (see packPanels): a as rows (a[i·stride + k]) or as columns (a[k·stride + i]).
inline void tileProduct(int layout, const float* a, int64_t aStride, const float* panels, float* c, int64_t cStride,
                        int64_t m, int64_t n, int64_t k, bool accumulate) {
  for (int64_t j = 0; j < n; j += kMostColumns) {
    const int64_t columns = lesser(kMostColumns, n - j);
    for (int64_t i = 0; i < m; i += kMostRows) {
      MicroCall call{a + (layout == kRows ? i * aStride : i), aStride, 0, panels + j * k, paddedColumns(columns), 0,
                     c + i * cStride + j, cStride, k, 1, accumulate};
      microTile(call, layout, lesser(kMostRows, m - i), columns, true, {});
    }
  }
}

inline int64_t panelFloats(int64_t rows, int64_t columns) { return rows * paddedColumns(columns); }

// Scales a row of a tile's scores, adds the bias, and makes −∞ of what the query does not see, to whole vectors.
inline void finishScores(const Attention& a, float* row, const float* hidden, const float* bias, int64_t seen,
                         int64_t columns) {
  const float infinity = __builtin_inff();
  for (int64_t j = 0; j < columns; j += kLanes) {
    vf x = load(row + j) * a.scale;
    if (bias) x += loadSome(bias + j, lesser(kLanes, columns - j));
    if (hidden) x += load(hidden + j);
    store(row + j, x);
  }
  for (int64_t j = seen; j < paddedColumns(columns); j++) row[j] = -infinity;
}

// 0 where the mask lets a key be seen, else −∞; nullptr without a mask.
inline const float* hiddenKeys(const Attention& a, int64_t n, int64_t j0, int64_t columns, float* to) {
  if (!a.mask) return nullptr;
  const uint8_t* mask = a.mask + n * a.keys + j0;
  for (int64_t j = 0; j < kKeyColumns; j++) to[j] = j < columns && mask[j] ? 0.0f : -__builtin_inff();
  return to;
}

// e^(x − top), exactly 0 for −∞.
inline vf shareOf(vf x, vf top) { return x == splat(-__builtin_inff()) ? vf{} : exp(x - top); }

// 1 / (1 − rate) or 0 for the weights (n, h, i, j0…) as randomUniform of shape [N,H,T,S] decides.
inline void keptWeights(const Attention& a, int64_t n, int64_t h, int64_t i, int64_t j0, int64_t columns, float* to) {
  static_assert(kKeyColumns + 8 <= 4 * kPhiloxLanes);
  uint32_t words[4 * kPhiloxLanes];
  const uint64_t first = static_cast<uint64_t>(((n * a.heads + h) * a.queries + i) * a.keys + j0);
  philox(first / 4, a.key, words);
  const float scale = static_cast<float>(1 / (1 - static_cast<double>(a.dropout)));
  for (int64_t j = 0; j < columns; j++) {
    const float uniform = static_cast<float>(words[first % 4 + static_cast<uint64_t>(j)] >> 8) * 0x1p-24f;
    to[j] = uniform >= a.dropout ? scale : 0.0f;
  }
  for (int64_t j = columns; j < paddedColumns(columns); j++) to[j] = 0;
}

}  // namespace fathom::FATHOM_ISA
