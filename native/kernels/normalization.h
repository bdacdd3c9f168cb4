// What batch and layer normalization share.
#pragma once
#include "kernels.h"

namespace fathom::FATHOM_ISA {

// Rows are summed in chunks of fixed size in the tensor's own type, and the chunks' sums in float64 in their order.
inline int64_t chunkRows(int64_t channels) { return greater(1, lesser(512, (1 << 14) / greater(1, channels))); }

// sums[c] += f(row, c) over rows [first, last), four rows at a time; f returns a vector at a channel.
template <class T, class F> inline void addRows(T* sums, int64_t channels, int64_t first, int64_t last, F&& f) {
  using L = Lanes<T>;
  int64_t row = first;
  for (; row + 4 <= last; row += 4)
    for (int64_t c = 0; c < channels; c += L::count) {
      const int64_t some = lesser(L::count, channels - c);
      const auto four = (f(row, c, some) + f(row + 1, c, some)) + (f(row + 2, c, some) + f(row + 3, c, some));
      L::write(sums + c, L::read(sums + c, some) + four, some);
    }
  for (; row < last; row++)
    for (int64_t c = 0; c < channels; c += L::count) {
      const int64_t some = lesser(L::count, channels - c);
      L::write(sums + c, L::read(sums + c, some) + f(row, c, some), some);
    }
}

// out[c] = Σ over chunks of partial[chunk][c], chunks `step` apart.
template <class T> void sumChunks(const T* partial, int64_t chunks, int64_t step, int64_t channels, T* out) {
  for (int64_t c = 0; c < channels; c++) {
    double total = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) total += static_cast<double>(partial[chunk * step + c]);
    out[c] = static_cast<T>(total);
  }
}

}  // namespace fathom::FATHOM_ISA
