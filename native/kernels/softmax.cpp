// Softmax and its cross-entropy over the last axis.
//
//   softmax, logSoftmax  x -> y
//   sparseSoftmaxCrossEntropy          logits [N,K], labels int32 [N] -> loss [N]; floats = {label smoothing}
//   sparseSoftmaxCrossEntropyGradient  logits, labels, dloss [N] -> dlogits; floats = {label smoothing}
#include "elementwise_math.h"
#include "kernels.h"

namespace fathom::FATHOM_ISA {

namespace {

// The largest element, skipping NaN, and then Σ exp(x - largest), which does not.
template <class L> typename L::T largest(const typename L::T* x, int64_t n) {
  using T = typename L::T;
  T best = -static_cast<T>(__builtin_inf());
  int64_t i = 0;
  if (n >= L::lanes) {
    auto lanes = L::load(x);
    for (i = L::lanes; i + L::lanes <= n; i += L::lanes) {
      const auto next = L::load(x + i);
      lanes = next > lanes ? next : lanes;
    }
    alignas(64) T all[L::lanes];
    L::store(all, lanes);
    for (T value : all) best = value > best ? value : best;
  }
  for (; i < n; i++) best = x[i] > best ? x[i] : best;
  return best;
}
// y = exp(x - shift) if y is wanted; the sum of it.
template <class L> typename L::T exponentials(const typename L::T* x, typename L::T* y, typename L::T shift, int64_t n) {
  using T = typename L::T;
  typename L::V lanes = L::splat(0);
  int64_t i = 0;
  for (; i + L::lanes <= n; i += L::lanes) {
    const auto e = maths::exp(L::load(x + i) - L::splat(shift));
    if (y) L::store(y + i, e);
    lanes = lanes + e;
  }
  alignas(64) T all[L::lanes];
  L::store(all, lanes);
  for (int width = L::lanes / 2; width > 0; width /= 2)
    for (int j = 0; j < width; j++) all[j] += all[j + width];
  T total = all[0];
  if (i < n) {
    alignas(64) T rest[L::lanes];
    L::store(rest, maths::exp(L::loadSome(x + i, n - i) - L::splat(shift)));
    for (int64_t j = 0; i + j < n; j++) {
      if (y) y[i + j] = rest[j];
      total += rest[j];
    }
  }
  return total;
}

template <class F> void overRows(const Call& call, F&& row) {
  const Tensor& x = call.in[0];
  const int64_t n = x.dims[x.rank - 1];
  if (n == 0) return;
  const int64_t rows = x.size() / n, group = greater(1, 4096 / n);
  call.pool->run(ceilDiv(rows, group), [&](int64_t block, int) {
    const int64_t end = lesser(rows, (block + 1) * group);
    for (int64_t i = block * group; i < end; i++) row(i, n);
  });
}

inline float logOf(float x) { return log(splat(x))[0]; }
inline double logOf(double x) { return std::log(x); }

template <class L> struct Kernels {
  using T = typename L::T;
  static void softmax(const Call& call) {
    overRows(call, [&](int64_t i, int64_t n) {
      const T* x = call.in[0].as<T>() + i * n;
      T* y = call.out[0].as<T>() + i * n;
      const T scale = 1 / exponentials<L>(x, y, largest<L>(x, n), n);
      for (int64_t j = 0; j < n; j++) y[j] *= scale;
    });
  }
  static void logSoftmax(const Call& call) {
    overRows(call, [&](int64_t i, int64_t n) {
      const T* x = call.in[0].as<T>() + i * n;
      T* y = call.out[0].as<T>() + i * n;
      const T top = largest<L>(x, n), rest = logOf(exponentials<L>(x, static_cast<T*>(nullptr), top, n));
      for (int64_t j = 0; j < n; j++) y[j] = (x[j] - top) - rest;
    });
  }
  static void crossEntropy(const Call& call) {
    const T smoothing = static_cast<T>(call.floats[0]);
    overRows(call, [&](int64_t i, int64_t n) {
      const T* x = call.in[0].as<T>() + i * n;
      const int64_t label = call.in[1].as<int32_t>()[i];
      T& loss = call.out[0].as<T>()[i];
      if (label < 0 || label >= n) {
        loss = 0;
        return;
      }
      const T top = largest<L>(x, n), rest = logOf(exponentials<L>(x, static_cast<T*>(nullptr), top, n));
      T at = x[label] - top;
      if (smoothing != 0) {
        T total = 0;
        for (int64_t j = 0; j < n; j++) total += x[j] - top;
        at = (1 - smoothing) * at + smoothing / static_cast<T>(n) * total;
      }
      loss = rest - at;
    });
  }
  static void crossEntropyGradient(const Call& call) {
    const T smoothing = static_cast<T>(call.floats[0]);
    overRows(call, [&](int64_t i, int64_t n) {
      const T* x = call.in[0].as<T>() + i * n;
      T* y = call.out[0].as<T>() + i * n;
      const int64_t label = call.in[1].as<int32_t>()[i];
      const T slope = call.in[2].as<T>()[i];
      if (label < 0 || label >= n) {
        for (int64_t j = 0; j < n; j++) y[j] = 0;
        return;
      }
      const T scale = 1 / exponentials<L>(x, y, largest<L>(x, n), n), even = smoothing / static_cast<T>(n);
      for (int64_t j = 0; j < n; j++) y[j] = (y[j] * scale - even) * slope;
      y[label] -= (1 - smoothing) * slope;
    });
  }
};

template <void (*kSingle)(const Call&), void (*kDouble)(const Call&)> void either(const Call& call) {
  if (call.in[0].dtype == DType::float64) kDouble(call);
  else kSingle(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(softmax,
        {{"softmax", either<Kernels<Single>::softmax, Kernels<Double>::softmax>, nullptr},
         {"logSoftmax", either<Kernels<Single>::logSoftmax, Kernels<Double>::logSoftmax>, nullptr},
         {"sparseSoftmaxCrossEntropy", either<Kernels<Single>::crossEntropy, Kernels<Double>::crossEntropy>, nullptr},
         {"sparseSoftmaxCrossEntropyGradient",
          either<Kernels<Single>::crossEntropyGradient, Kernels<Double>::crossEntropyGradient>, nullptr}})
