// float64 products in plain loops the compiler vectorises: for gradient checks and small exact work, not for speed.
#include "gemm.h"

namespace fathom::FATHOM_ISA {

int64_t matmulOperandOffset(const Tensor& operand, const Tensor& out, int64_t index);

double activate(double x, Activation activation) {
  const auto sigmoid = [](double v) { return 1 / (1 + __builtin_exp(-v)); };
  switch (activation) {
    case Activation::relu: return x < 0 ? 0 : x;
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return __builtin_tanh(x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::gelu: return 0.5 * x * (1 + __builtin_erf(x * 0.70710678118654752440));
    default: return x;
  }
}

void matmulFloat64(const Call& call) {
  const Tensor &a = call.in[0], &b = call.in[1], &out = call.out[0];
  const bool aTransposed = call.intCount > 0 && call.ints[0], bTransposed = call.intCount > 1 && call.ints[1];
  const auto activation = call.intCount > 2 ? Activation(call.ints[2]) : Activation::none;
  const Tensor *bias = optional(call, 2), *residual = optional(call, 3);
  const int64_t m = out.dims[out.rank - 2], n = out.dims[out.rank - 1], size = out.size();
  const int64_t k = a.dims[a.rank - (aTransposed ? 2 : 1)];
  const int64_t aStride = a.dims[a.rank - 1], bStride = b.dims[b.rank - 1];
  if (size == 0) return;
  constexpr int64_t kRowsAtOnce = 16;
  const int64_t parts = ceilDiv(m, kRowsAtOnce);
  call.pool->run(size / (m * n) * parts, [&](int64_t block, int) {
    const int64_t matrix = block / parts, row = block % parts * kRowsAtOnce;
    const double* x = a.as<double>() + matmulOperandOffset(a, out, matrix);
    const double* y = b.as<double>() + matmulOperandOffset(b, out, matrix);
    for (int64_t i = row; i < lesser(m, row + kRowsAtOnce); i++) {
      double* c = out.as<double>() + matrix * m * n + i * n;
      for (int64_t j = 0; j < n; j++) c[j] = 0;
      if (bTransposed) {
        for (int64_t j = 0; j < n; j++)
          for (int64_t p = 0; p < k; p++)
            c[j] += (aTransposed ? x[p * aStride + i] : x[i * aStride + p]) * y[j * bStride + p];
      } else {
        for (int64_t p = 0; p < k; p++) {
          const double scale = aTransposed ? x[p * aStride + i] : x[i * aStride + p];
          for (int64_t j = 0; j < n; j++) c[j] += scale * y[p * bStride + j];
        }
      }
      for (int64_t j = 0; j < n; j++) {
        if (bias) c[j] += bias->as<double>()[j];
        if (residual) c[j] += residual->as<double>()[matrix * m * n + i * n + j];
        c[j] = activate(c[j], activation);
      }
    }
  });
}

}  // namespace fathom::FATHOM_ISA
