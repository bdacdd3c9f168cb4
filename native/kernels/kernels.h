// How a file of kernels registers itself, and the activations kernels may apply to what they just computed.
#pragma once
#include <vector>

#include "../pool.h"
#include "../simd.h"
#include "../tensor.h"

// The vector is never destroyed: its destructor would be a weak symbol compiled for one instruction set and shared by
// all.
#define KERNELS(family, ...)                                          \
  namespace fathom::FATHOM_ISA {                                      \
  const std::vector<Kernel>& family() {                               \
    static const auto* kernels = new std::vector<Kernel> __VA_ARGS__; \
    return *kernels;                                                  \
  }                                                                   \
  }

namespace fathom::FATHOM_ISA {

enum class Activation : int64_t { none = 0, relu = 1, sigmoid = 2, tanh = 3, silu = 4, gelu = 5 };

inline vf activate(vf x, Activation activation) {
  switch (activation) {
    case Activation::relu: return x < 0 ? vf{} : x;  // written so that NaN stays NaN
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return tanh(x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::gelu: return 0.5f * x * (1.0f + erf(x * 0.70710678118654752f));
    default: return x;
  }
}

double activate(double x, Activation activation);  // the slow path of float64 kernels; in gemm_generic.cpp

inline const Tensor* optional(const Call& call, int index) {
  return index < call.inCount && call.in[index].data ? &call.in[index] : nullptr;
}
inline const float* optionalFloats(const Call& call, int index) {
  const Tensor* tensor = optional(call, index);
  return tensor ? tensor->as<float>() : nullptr;
}
inline int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }
inline int64_t lesser(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

// Cuts [0, size) into `parts` even pieces; begin of piece `index`.
inline int64_t splitAt(int64_t size, int64_t parts, int64_t index) {
  return size / parts * index + lesser(index, size % parts);
}

// A kernel of both types is written over Lanes<T>: vectors of float32, and float64 one by one.
template <class T> struct Lanes;
template <> struct Lanes<float> {
  using Value = vf;
  static constexpr int64_t count = kLanes;
  static vf read(const float* p, int64_t n) { return loadSome(p, n); }
  static void write(float* p, vf v, int64_t n) { storeSome(p, v, n); }
  static vf all(double x) { return splat(static_cast<float>(x)); }
  static double total(vf v) { return sum(v); }
};
template <> struct Lanes<double> {
  using Value = double;
  static constexpr int64_t count = 1;
  static double read(const double* p, int64_t) { return *p; }
  static void write(double* p, double v, int64_t) { *p = v; }
  static double all(double x) { return x; }
  static double total(double v) { return v; }
};

}  // namespace fathom::FATHOM_ISA
