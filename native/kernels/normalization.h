// What batch and layer normalization share.
#pragma once
#include <type_traits>

#include "kernels.h"

namespace fathom::FATHOM_ISA {

// Rows are summed in chunks of fixed size in the tensor's own type, and the chunks' sums in float64 in their order.
inline int64_t chunkRows(int64_t channels) { return greater(1, lesser(512, (1 << 14) / greater(1, channels))); }

// Calls body(vectors, whole, c) for blocks of one, two or four vectors of channels from c on; `whole` is false for a last
// vector that has fewer channels than lanes.
template <class T, class Body> [[gnu::always_inline]] inline void overChannels(int64_t channels, Body&& body) {
  constexpr int64_t n = Lanes<T>::count;
  int64_t c = 0;
  for (; c + 4 * n <= channels; c += 4 * n) body(std::integral_constant<int, 4>{}, std::true_type{}, c);
  for (; c + 2 * n <= channels; c += 2 * n) body(std::integral_constant<int, 2>{}, std::true_type{}, c);
  for (; c + n <= channels; c += n) body(std::integral_constant<int, 1>{}, std::true_type{}, c);
  if (c < channels) body(std::integral_constant<int, 1>{}, std::false_type{}, c);
}

// totals[k][v] = Σ over rows [first, last) of what f(row, out) writes to out[k][v]. Eight running vectors, so that no sum
// waits for the one before; the order is part of the result.
template <int kSums, int kVectors, class Value, class F>
[[gnu::always_inline]] inline void sumRows(int64_t first, int64_t last, Value (&totals)[kSums][kVectors], F&& f) {
  constexpr int kTogether = kSums * kVectors >= 8 ? 1 : 8 / (kSums * kVectors);
  Value running[kTogether][kSums][kVectors] = {};
  const auto add = [&](Value(&to)[kSums][kVectors], int64_t row) __attribute__((always_inline)) {
    Value values[kSums][kVectors];
    f(row, values);
#pragma GCC unroll 4
    for (int k = 0; k < kSums; k++)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) to[k][v] += values[k][v];
  };
  int64_t row = first;
  for (; row + kTogether <= last; row += kTogether)
#pragma GCC unroll 8
    for (int i = 0; i < kTogether; i++) add(running[i], row + i);
  for (; row < last; row++) add(running[0], row);
  for (int k = 0; k < kSums; k++)
    for (int v = 0; v < kVectors; v++) {
      Value total = running[0][k][v];
      for (int i = 1; i < kTogether; i++) total += running[i][k][v];
      totals[k][v] = total;
    }
}

// out[c] = Σ over chunks of partial[chunk][c], chunks `step` apart, of at most 64 channels.
template <class T> void sumChunks(const T* partial, int64_t chunks, int64_t step, int64_t channels, T* out) {
  double totals[64] = {};
  for (int64_t chunk = 0; chunk < chunks; chunk++)
    for (int64_t c = 0; c < channels; c++) totals[c] += static_cast<double>(partial[chunk * step + c]);
  for (int64_t c = 0; c < channels; c++) out[c] = static_cast<T>(totals[c]);
}

}  // namespace fathom::FATHOM_ISA
