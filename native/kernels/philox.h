// Philox 4×32-10 (Salmon et al. 2011), the same numbers as src/core/random.ts, many counters at a time.
#pragma once
#include <cstdint>

#include "kernels.h"

namespace fathom::FATHOM_ISA {

struct PhiloxKey {
  uint32_t step, stream, seedLow, seedHigh;
};

inline constexpr int kPhiloxLanes = 64;

// The four words of counters (first + lane, step, stream), lane by lane: words[4·lane + word].
inline void philox(uint64_t first, const PhiloxKey& key, uint32_t* words) {
  uint32_t out[4][kPhiloxLanes];
  // Rounds inside lanes: the shape of loop that compilers turn into widening vector products.
  for (int i = 0; i < kPhiloxLanes; i++) {
    uint32_t c0 = static_cast<uint32_t>(first) + static_cast<uint32_t>(i);
    uint32_t c1 = static_cast<uint32_t>(first >> 32) + (c0 < static_cast<uint32_t>(first) ? 1u : 0u);
    uint32_t c2 = key.step, c3 = key.stream, k0 = key.seedLow, k1 = key.seedHigh;
    for (int round = 0; round < 10; round++) {
      const uint64_t p0 = uint64_t{0xd2511f53} * c0, p1 = uint64_t{0xcd9e8d57} * c2;
      c0 = static_cast<uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c2 = static_cast<uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c1 = static_cast<uint32_t>(p1);
      c3 = static_cast<uint32_t>(p0);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    out[0][i] = c0;
    out[1][i] = c1;
    out[2][i] = c2;
    out[3][i] = c3;
  }
  for (int i = 0; i < kPhiloxLanes; i++)
    for (int j = 0; j < 4; j++) words[4 * i + j] = out[j][i];
}

}  // namespace fathom::FATHOM_ISA
