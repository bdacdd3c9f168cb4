// Scaled dot-product attention without a buffer of queries × keys (Dao et al., "FlashAttention", 2022): tiles of scores, the
// softmax's sum and largest element carried from tile to tile.
//
//   scaledDotProductAttention  q [N,T,H,D], k [N,S,K,D], v [N,S,K,E], mask bool [N,S] if masked, bias [N|1,H|1,T,S] if biased,
//                              step int32 [] if dropped -> y [N,T,H,E], logSumExp [N,H,T];
//                              ints = {causal, masked, biased, dropped, seed low, seed high, stream}, floats = {scale, dropout}
#include "attention.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Running {
  float top, total;
};

// Turns a row of scores into weights relative to the largest so far; `factor` is what earlier sums are multiplied by.
float weigh(float* row, int64_t columns, Running& running) {
  vf best = splat(-__builtin_inff());
  for (int64_t j = 0; j < columns; j += kLanes) {
    const vf x = load(row + j);
    best = x > best ? x : best;
  }
  alignas(64) float lanes[kLanes];
  store(lanes, best);
  float top = running.top;
  for (float value : lanes) top = value > top ? value : top;
  if (top == -__builtin_inff()) {
    // Nothing seen so far, or NaN alone, which stays.
    vf rest{};
    for (int64_t j = 0; j < columns; j += kLanes) {
      const vf x = load(row + j), weight = x == splat(top) ? vf{} : x;
      store(row + j, weight);
      rest += weight;
    }
    running.total += sum(rest);
    return 1;
  }
  const float factor = running.top == top ? 1 : running.top == -__builtin_inff() ? 0 : exp(splat(running.top - top))[0];
  vf total{};
  for (int64_t j = 0; j < columns; j += kLanes) {
    const vf weight = shareOf(load(row + j), splat(top));
    store(row + j, weight);
    total += weight;
  }
  running.top = top;
  running.total = running.total * factor + sum(total);
  return factor;
}

void scaleRow(float* row, int64_t width, float factor) {
  for (int64_t e = 0; e < width; e += kLanes) {
    const int64_t some = lesser(kLanes, width - e);
    storeSome(row + e, loadSome(row + e, some) * factor, some);
  }
}

void attention(const Call& call) {
  const Attention a(call);
  float* y = call.out[0].as<float>();
  float* logSumExp = call.out[1].as<float>();
  const int64_t blocks = ceilDiv(a.queries, kQueryRows);
  call.pool->run(a.batch * a.heads * blocks, [&](int64_t task, int thread) {
    const int64_t i0 = task % blocks * kQueryRows, h = task / blocks % a.heads, n = task / blocks / a.heads;
    const int64_t rows = lesser(kQueryRows, a.queries - i0), g = h / (a.heads / a.keyHeads);
    float* scores = reinterpret_cast<float*>(call.pool->scratch(thread));
    float* keys = scores + kQueryRows * kKeyColumns;
    float* values = keys + panelFloats(a.depth, kKeyColumns);
    alignas(64) float hidden[kKeyColumns], kept[kKeyColumns];
    Running running[kQueryRows];
    for (int64_t i = 0; i < rows; i++) running[i] = {-__builtin_inff(), 0};
    float* result = y + a.resultAt(n, i0, h);
    bool begun = false;
    const int64_t last = a.causal ? lesser(a.keys, i0 + rows) : a.keys;
    for (int64_t j0 = 0; j0 < last; j0 += kKeyColumns) {
      const int64_t columns = lesser(kKeyColumns, a.keys - j0);
      packPanels(a.keyAt(n, j0, g), a.keyStride(), true, a.depth, columns, keys);
      packPanels(a.valueAt(n, j0, g), a.valueStride(), false, columns, a.width, values);
      tileProduct(kRows, a.queryAt(n, i0, h), a.queryStride(), keys, scores, kKeyColumns, rows, columns, a.depth, false);
      const float* hiding = hiddenKeys(a, n, j0, columns, hidden);
      for (int64_t i = 0; i < rows; i++) {
        float* row = scores + i * kKeyColumns;
        const float* bias = a.bias ? a.bias + n * a.biasExample + h * a.biasHead + (i0 + i) * a.keys + j0 : nullptr;
        finishScores(a, row, hiding, bias, a.seen(i0 + i, j0, columns), columns);
        const float factor = weigh(row, columns, running[i]);
        if (begun && factor != 1) scaleRow(result + i * a.resultStride(), a.width, factor);
        if (a.dropout > 0) {
          keptWeights(a, n, h, i0 + i, j0, columns, kept);
          for (int64_t j = 0; j < columns; j += kLanes) store(row + j, load(row + j) * load(kept + j));
        }
      }
      tileProduct(kRows, scores, kKeyColumns, values, result, a.resultStride(), rows, a.width, columns, begun);
      begun = true;
    }
    for (int64_t i = 0; i < rows; i++) {
      const auto [top, total] = running[i];
      float* row = result + i * a.resultStride();
      const bool none = total == 0 || !begun;
      if (none) {
        for (int64_t e = 0; e < a.width; e++) row[e] = 0;
      } else {
        scaleRow(row, a.width, 1 / total);
      }
      logSumExp[(n * a.heads + h) * a.queries + i0 + i] = none ? 0 : top + log(splat(total))[0];
    }
  });
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(attention, {{"scaledDotProductAttention", attention, nullptr}})
