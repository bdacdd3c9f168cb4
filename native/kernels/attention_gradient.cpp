// The gradient of attention: weights are made again from the scores and logSumExp, tile by tile.
//
//   scaledDotProductAttentionGradient  q, k, v, mask if masked, step if dropped, y, logSumExp, dy -> dq, dk, dv;
//                                      ints and floats as scaledDotProductAttention's
#include "attention.h"

namespace fathom::FATHOM_ISA {

namespace {

// Σ dy·y of a query's row: what its weights' gradients have in common.
float inner(const float* a, const float* b, int64_t width) {
  vf total{};
  for (int64_t e = 0; e < width; e += kLanes) {
    const int64_t some = lesser(kLanes, width - e);
    total += loadSome(a + e, some) * loadSome(b + e, some);
  }
  return sum(total);
}

void clear(float* to, int64_t rows, int64_t stride, int64_t width) {
  for (int64_t i = 0; i < rows; i++)
    for (int64_t d = 0; d < width; d++) to[i * stride + d] = 0;
}

void attentionGradient(const Call& call) {
  const Attention a(call);
  const float* y = call.in[a.others].as<float>();
  const float* logSumExp = call.in[a.others + 1].as<float>();
  const float* dy = call.in[a.others + 2].as<float>();
  float *dq = call.out[0].as<float>(), *dk = call.out[1].as<float>(), *dv = call.out[2].as<float>();
  const int64_t group = a.heads / a.keyHeads;

  // One head of keys with all queries that read it: sums over queries and over tiles of keys stay on one thread.
  call.pool->run(a.batch * a.keyHeads, [&](int64_t task, int thread) {
    const int64_t g = task % a.keyHeads, n = task / a.keyHeads;
    float* scores = reinterpret_cast<float*>(call.pool->scratch(thread));
    float* slopes = scores + kQueryRows * kKeyColumns;
    float* keysAcross = slopes + kQueryRows * kKeyColumns;               // Kᵀ
    float* keysAlong = keysAcross + panelFloats(a.depth, kKeyColumns);    // K
    float* valuesAcross = keysAlong + panelFloats(kKeyColumns, a.depth);  // Vᵀ
    float* queries = valuesAcross + panelFloats(a.width, kKeyColumns);
    float* results = queries + panelFloats(kQueryRows, a.depth);
    alignas(64) float hidden[kKeyColumns], kept[kKeyColumns];

    for (int64_t h = g * group; h < (g + 1) * group; h++)
      clear(dq + (a.queryAt(n, 0, h) - a.q), a.queries, a.queryStride(), a.depth);
    clear(dk + (a.keyAt(n, 0, g) - a.k), a.keys, a.keyStride(), a.depth);
    clear(dv + (a.valueAt(n, 0, g) - a.v), a.keys, a.valueStride(), a.width);

    for (int64_t j0 = 0; j0 < a.keys; j0 += kKeyColumns) {
      const int64_t columns = lesser(kKeyColumns, a.keys - j0);
      packPanels(a.keyAt(n, j0, g), a.keyStride(), true, a.depth, columns, keysAcross);
      packPanels(a.keyAt(n, j0, g), a.keyStride(), false, columns, a.depth, keysAlong);
      packPanels(a.valueAt(n, j0, g), a.valueStride(), true, a.width, columns, valuesAcross);
      const float* hiding = hiddenKeys(a, n, j0, columns, hidden);
      float* dkTile = dk + (a.keyAt(n, j0, g) - a.k);
      float* dvTile = dv + (a.valueAt(n, j0, g) - a.v);
      for (int64_t h = g * group; h < (g + 1) * group; h++) {
        for (int64_t i0 = 0; i0 < a.queries; i0 += kQueryRows) {
          const int64_t rows = lesser(kQueryRows, a.queries - i0);
          if (a.causal && i0 + rows <= j0) continue;  // none of them sees so far
          const float* q = a.queryAt(n, i0, h);
          const int64_t at = a.resultAt(n, i0, h);
          tileProduct(kRows, q, a.queryStride(), keysAcross, scores, kKeyColumns, rows, columns, a.depth, false);
          tileProduct(kRows, dy + at, a.resultStride(), valuesAcross, slopes, kKeyColumns, rows, columns, a.width, false);
          for (int64_t i = 0; i < rows; i++) {
            float *row = scores + i * kKeyColumns, *slope = slopes + i * kKeyColumns;
            finishScores(a, row, hiding, nullptr, a.seen(i0 + i, j0, columns), columns);
            const vf top = splat(logSumExp[(n * a.heads + h) * a.queries + i0 + i]);
            const vf common = splat(inner(dy + at + i * a.resultStride(), y + at + i * a.resultStride(), a.width));
            if (a.dropout > 0) keptWeights(a, n, h, i0 + i, j0, columns, kept);
            for (int64_t j = 0; j < columns; j += kLanes) {
              const vf share = shareOf(load(row + j), top);
              const vf left = a.dropout > 0 ? load(kept + j) : splat(1);
              store(slope + j, share * (load(slope + j) * left - common) * a.scale);
              store(row + j, share * left);
            }
          }
          packPanels(q, a.queryStride(), false, rows, a.depth, queries);
          packPanels(dy + at, a.resultStride(), false, rows, a.width, results);
          tileProduct(kColumns, scores, kKeyColumns, results, dvTile, a.valueStride(), columns, a.width, rows, true);
          tileProduct(kColumns, slopes, kKeyColumns, queries, dkTile, a.keyStride(), columns, a.depth, rows, true);
          tileProduct(kRows, slopes, kKeyColumns, keysAlong, dq + (q - a.q), a.queryStride(), rows, a.depth, columns, true);
        }
      }
    }
  });
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(attention_gradient, {{"scaledDotProductAttentionGradient", attentionGradient, nullptr}})
