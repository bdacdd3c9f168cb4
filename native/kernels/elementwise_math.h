// The elementwise functions on vectors of float32, and the same ones on float64 one at a time.
#pragma once
#include <cmath>

#include "kernels.h"

namespace fathom::FATHOM_ISA {

struct Single {
  using T = float;
  using V = vf;
  static constexpr int lanes = kLanes;
  static V load(const T* p) { return FATHOM_ISA::load(p); }
  static void store(T* p, V v) { FATHOM_ISA::store(p, v); }
  static V loadSome(const T* p, int64_t n) { return FATHOM_ISA::loadSome(p, n); }
  static void storeSome(T* p, V v, int64_t n) { FATHOM_ISA::storeSome(p, v, n); }
  static V splat(T x) { return FATHOM_ISA::splat(x); }
};

struct Double {
  using T = double;
  using V = double;
  static constexpr int lanes = 1;
  static V load(const T* p) { return *p; }
  static void store(T* p, V v) { *p = v; }
  static V loadSome(const T* p, int64_t) { return *p; }
  static void storeSome(T* p, V v, int64_t) { *p = v; }
  static V splat(T x) { return x; }
};

// Applies a function of one number to each lane: what has no vector form and is rare.
template <class F> inline vf lanewise(vf x, F f) {
  for (int i = 0; i < kLanes; i++) x[i] = static_cast<float>(f(static_cast<double>(x[i])));
  return x;
}
inline bool any(vi mask) {
  int32_t all = 0;
  for (int i = 0; i < kLanes; i++) all |= mask[i];
  return all != 0;
}

namespace maths {

inline vf abs(vf x) { return asFloats(asInts(x) & 0x7fffffff); }
inline vf copySign(vf magnitude, vf sign) {
  return asFloats((asInts(magnitude) & 0x7fffffff) | (asInts(sign) & static_cast<int32_t>(0x80000000)));
}
inline vf truncate(vf x) {
  vf t = __builtin_convertvector(__builtin_convertvector(abs(x) < 8388608.0f ? x : vf{}, vi), vf);
  return abs(x) < 8388608.0f ? copySign(t, x) : x;
}
inline vf floor(vf x) {
  vf t = truncate(x);
  return t > x ? t - 1.0f : t;
}
inline vf ceil(vf x) {
  vf t = truncate(x);
  return t < x ? copySign(t + 1.0f, x) : t;
}
inline vf round(vf x) {
  vf magic = copySign(splat(8388608.0f), x);
  return abs(x) < 8388608.0f ? copySign((x + magic) - magic, x) : x;
}
inline vf exp(vf x) { return FATHOM_ISA::exp(x); }
inline vf log(vf x) { return FATHOM_ISA::log(x); }
inline vf tanh(vf x) { return FATHOM_ISA::tanh(x); }
inline vf sigmoid(vf x) { return FATHOM_ISA::sigmoid(x); }
inline vf erf(vf x) { return x == x ? FATHOM_ISA::erf(x) : x; }
inline vf expm1(vf x) {
  vf p = splat(1.0f / 5040);
  p = p * x + 1.0f / 720;
  p = p * x + 1.0f / 120;
  p = p * x + 1.0f / 24;
  p = p * x + 1.0f / 6;
  p = p * x + 0.5f;
  p = p * x * x + x;
  return abs(x) < 0.35f ? p : FATHOM_ISA::exp(x) - 1.0f;
}
inline vf log1p(vf x) {
  // The error of 1 + x is what is left of x, and the slope of the logarithm there is 1 / (1 + x).
  vf u = 1.0f + x;
  vf lost = x - (u - 1.0f);
  vf y = FATHOM_ISA::log(u) + (abs(x) < 1e8f ? lost / u : vf{});
  y = u == 1.0f ? x : y;
  return x == -1.0f ? FATHOM_ISA::log(u) : y;
}
inline vf softplus(vf x) { return (x < 0 ? vf{} : x) + log1p(FATHOM_ISA::exp(-abs(x))); }

// Sine (shift 0) and cosine (shift 1) of r + quadrant · π/2 for |r| ≤ π/4.
inline vf sineOf(vf r, vi quadrant) {
  vf z = r * r;
  vf s = -1.9515295891e-4f * z + 8.3321608736e-3f;
  s = s * z - 1.6666654611e-1f;
  s = s * z * r + r;
  vf c = 2.443315711809948e-5f * z - 1.388731625493765e-3f;
  c = c * z + 4.166664568298827e-2f;
  c = c * z * z - 0.5f * z + 1.0f;
  vf y = (quadrant & 1) == 1 ? c : s;
  return (quadrant & 2) == 2 ? -y : y;
}
template <int kShift> inline vf circular(vf x) {
  if (any(!(abs(x) < 8192.0f)))
    return lanewise(x, [](double v) { return kShift ? std::cos(v) : std::sin(v); });
  vf n = round(x * 0.636619772367581343f);
  vf r = x - n * 1.5703125f;
  r = r - n * 4.83751296997070312e-4f;
  r = r - n * 7.54953362047672272e-8f;
  r = r - n * 2.56334406825708960e-12f;
  return sineOf(r, __builtin_convertvector(n, vi) + kShift);
}
inline vf sin(vf x) { return circular<0>(x); }
inline vf cos(vf x) { return circular<1>(x); }
inline vf sqrt(vf x) {
  for (int i = 0; i < kLanes; i++) x[i] = __builtin_sqrtf(x[i]);
  return x;
}
inline vf pow(vf x, vf y) {
  for (int i = 0; i < kLanes; i++) x[i] = static_cast<float>(std::pow(static_cast<double>(x[i]), static_cast<double>(y[i])));
  return x;
}

inline double abs(double x) { return std::fabs(x); }
inline double truncate(double x) { return std::trunc(x); }
inline double floor(double x) { return std::floor(x); }
inline double ceil(double x) { return std::ceil(x); }
inline double round(double x) { return std::nearbyint(x); }
inline double exp(double x) { return std::exp(x); }
inline double log(double x) { return std::log(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double erf(double x) { return std::erf(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double softplus(double x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); }
inline double sin(double x) { return std::sin(x); }
inline double cos(double x) { return std::cos(x); }
inline double sqrt(double x) { return std::sqrt(x); }
// JavaScript's power: 1 to an infinite or undefined power is undefined.
inline double pow(double x, double y) {
  if (y != y || (std::isinf(y) && std::fabs(x) == 1)) return __builtin_nan("");
  return std::pow(x, y);
}

}  // namespace maths

// JavaScript's conversions to integers: towards zero, modulo 2^32 or 2^8; what is not finite gives 0.
inline int32_t toInt32(double x) {
  if (x > -2147483649.0 && x < 2147483648.0) return static_cast<int32_t>(x);
  if (!(x - x == 0)) return 0;
  return static_cast<int32_t>(static_cast<uint32_t>(static_cast<int64_t>(std::fmod(std::trunc(x), 4294967296.0))));
}

}  // namespace fathom::FATHOM_ISA
