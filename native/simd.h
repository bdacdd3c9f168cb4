// Vectors of float32 as wide as the instruction set this file is compiled for, through GCC/Clang vector types: plain
// operators, no intrinsics. Everything lives in the instruction set's namespace, so that the linker can never pick code
// made for one processor for use on another.
#pragma once
#include <cstdint>
#include <cstring>
#include <utility>

#ifndef FATHOM_ISA
#define FATHOM_ISA portable
#define FATHOM_VECTOR_BYTES 16
#endif

namespace fathom::FATHOM_ISA {

typedef float vf __attribute__((vector_size(FATHOM_VECTOR_BYTES)));
typedef int32_t vi __attribute__((vector_size(FATHOM_VECTOR_BYTES)));

inline constexpr int kLanes = FATHOM_VECTOR_BYTES / 4;

inline vf load(const float* p) {
  typedef float unaligned __attribute__((vector_size(FATHOM_VECTOR_BYTES), aligned(4), may_alias));
  return *reinterpret_cast<const unaligned*>(p);
}
inline void store(float* p, vf v) {
  typedef float unaligned __attribute__((vector_size(FATHOM_VECTOR_BYTES), aligned(4), may_alias));
  *reinterpret_cast<unaligned*>(p) = v;
}
inline vf splat(float x) { return x - vf{}; }
inline vf minimum(vf a, vf b) { return a < b ? a : b; }
inline vf maximum(vf a, vf b) { return a > b ? a : b; }

// Copies fewer than kLanes floats in at most log2(kLanes) moves.
inline void copyTail(float* to, const float* from, int64_t n) {
  int64_t i = 0;
  if constexpr (kLanes > 8) {
    if (n & 8) {
      std::memcpy(to + i, from + i, 32);
      i += 8;
    }
  }
  if constexpr (kLanes > 4) {
    if (n & 4) {
      std::memcpy(to + i, from + i, 16);
      i += 4;
    }
  }
  if (n & 2) {
    std::memcpy(to + i, from + i, 8);
    i += 2;
  }
  if (n & 1) to[i] = from[i];
}
// The first n lanes; the others are zero. Touches no memory past n.
inline vf loadSome(const float* p, int64_t n) {
  if (n >= kLanes) return load(p);
  alignas(FATHOM_VECTOR_BYTES) float lanes[kLanes] = {};
  copyTail(lanes, p, n);
  return load(lanes);
}
inline void storeSome(float* p, vf v, int64_t n) {
  if (n >= kLanes) return store(p, v);
  alignas(FATHOM_VECTOR_BYTES) float lanes[kLanes];
  store(lanes, v);
  copyTail(p, lanes, n);
}

// Sum of the lanes, pairwise: the order is part of the result.
inline float sum(vf v) {
  alignas(FATHOM_VECTOR_BYTES) float lanes[kLanes];
  store(lanes, v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
  return lanes[0];
}

namespace simd_detail {
// Lane i of the result of one step: from a, or from b where the index is past a's lanes.
template <int kStep, int kOdd> constexpr int laneOf(int i) {
  return (i & kStep) ? kLanes + i - (kOdd ? 0 : kStep) : i + (kOdd ? kStep : 0);
}
template <int kStep, int kOdd, int... I> inline vf exchange(vf a, vf b, std::integer_sequence<int, I...>) {
#if defined(__clang__) || __GNUC__ >= 12
  return __builtin_shufflevector(a, b, laneOf<kStep, kOdd>(I)...);
#else
  return __builtin_shuffle(a, b, vi{laneOf<kStep, kOdd>(I)...});
#endif
}
template <int kStep> inline void transposeStep(vf (&rows)[kLanes]) {
  if constexpr (kStep < kLanes) {
    using Lanes = std::make_integer_sequence<int, kLanes>;
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; i++) {
      if (i & kStep) continue;
      vf a = rows[i], b = rows[i + kStep];
      rows[i] = exchange<kStep, 0>(a, b, Lanes{});
      rows[i + kStep] = exchange<kStep, 1>(a, b, Lanes{});
    }
    transposeStep<kStep * 2>(rows);
  }
}
}  // namespace simd_detail

// Transposes a kLanes × kLanes square held in registers.
inline void transpose(vf (&rows)[kLanes]) { simd_detail::transposeStep<1>(rows); }

inline vi asInts(vf v) { return (vi)v; }  // the same bits
inline vf asFloats(vi v) { return (vf)v; }

// e^x to about 1 ulp, with overflow to infinity, gradual underflow and NaN.
inline vf exp(vf x) {
  x = x > 89.0f ? splat(89.0f) : x;
  x = x < -104.0f ? splat(-104.0f) : x;
  const float magic = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer in the low bits
  vf shifted = x * 1.44269504088896341f + magic;
  vf n = shifted - magic;
  vi power = asInts(shifted) - asInts(splat(magic));
  vf r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  vf p = 1.9875691500e-4f * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  vi half = power >> 1;  // in two steps, so that 2^128 and denormals come out right
  return p * asFloats((half + 127) << 23) * asFloats((power - half + 127) << 23);
}

inline vf sigmoid(vf x) { return 1.0f / (1.0f + exp(-x)); }

inline vf tanh(vf x) {
  vf magnitude = asFloats(asInts(x) & 0x7fffffff);
  vf large = 1.0f - 2.0f / (exp(2.0f * magnitude) + 1.0f);
  vf s = x * x;
  vf p = -5.70498872745e-3f * s + 2.06390887954e-2f;
  p = p * s - 5.37397155531e-2f;
  p = p * s + 1.33314422036e-1f;
  p = p * s - 3.33332819422e-1f;
  vf small = p * s * x + x;
  vf signedLarge = x < 0 ? -large : large;
  return magnitude < 0.625f ? small : signedLarge;
}

// Natural logarithm to about 1 ulp; 0 gives -infinity, negative numbers NaN.
inline vf log(vf x) {
  vf scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;  // denormals
  vi bits = asInts(scaled);
  vi exponent = ((bits >> 23) & 0xff) - 126;
  vf m = asFloats((bits & 0x007fffff) | 0x3f000000);  // [0.5, 1)
  vi low = m < 0.707106781186547524f;                 // all ones, that is -1, where true
  m = low ? m + m - 1.0f : m - 1.0f;
  vf e = __builtin_convertvector(exponent + low - (x < 1.17549435e-38f ? vi{} + 23 : vi{}), vf);
  vf z = m * m;
  vf p = 7.0376836292e-2f * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  vf y = p * m * z + e * -2.12194440e-4f - 0.5f * z;
  vf result = m + y + e * 0.693359375f;
  const vf infinity = splat(__builtin_inff());
  result = x == infinity ? infinity : result;
  result = x == 0 ? -infinity : result;
  return x >= 0 ? result : splat(__builtin_nanf(""));
}

// Error function: a rational approximation that is ±1 to the last bit beyond 4.
inline vf erf(vf x) {
  x = x > 4.0f ? splat(4.0f) : x;
  x = x < -4.0f ? splat(-4.0f) : x;
  vf s = x * x;
  vf p = -2.72614225801306e-10f * s + 2.77068142495902e-08f;
  p = p * s - 2.10102402082508e-06f;
  p = p * s - 5.69250639462346e-05f;
  p = p * s - 7.34990630326855e-04f;
  p = p * s - 2.95459980854025e-03f;
  p = p * s - 1.60960333262415e-02f;
  vf q = -1.45660718464996e-05f * s - 2.13374055278905e-04f;
  q = q * s - 1.68282697438203e-03f;
  q = q * s - 7.37332916720468e-03f;
  q = q * s - 1.42647390514189e-02f;
  return x * p / q;
}

}  // namespace fathom::FATHOM_ISA
