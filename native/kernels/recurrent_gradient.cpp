// Back through time: from the gradients of the states to those of every step's sums. The large products that make weights'
// gradients of them are matrix products of their own.
//
// recurrentGradient: recurrentKernel [u,g·u], h0 [b,u], LSTM: c0 [b,u], masked: mask [b,t], y [b,t,u], LSTM and GRU: gates
//   [b,t,4u], LSTM: cells [b,t,u], sequences: dy [b,t,u], dh [b,u], LSTM: dc [b,u] -> of the input's sums [b,t,g·u], dh0,
//   LSTM: dc0, GRU: of the recurrent sums [b,t,g·u]; ints = {cell, backwards, masked, sequences}
#include "recurrent.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Operands {
  RecurrentSizes sizes;
  const Tensor *weights, *h0, *c0 = nullptr, *mask = nullptr, *y, *gates = nullptr, *cells = nullptr, *dy = nullptr, *dh,
                           *dc = nullptr;
};

Operands operandsOf(const Call& call) {
  Operands o;
  RecurrentSizes& s = o.sizes;
  s.cell = static_cast<CellKind>(call.ints[0]);
  s.backwards = call.ints[1];
  s.masked = call.ints[2];
  const bool carries = s.cell == CellKind::lstm;
  const Tensor* next = call.in;
  o.weights = next++;
  o.h0 = next++;
  if (carries) o.c0 = next++;
  if (s.masked) o.mask = next++;
  o.y = next++;
  if (s.cell != CellKind::simpleRnn) o.gates = next++;
  if (carries) o.cells = next++;
  if (call.ints[3]) o.dy = next++;
  o.dh = next++;
  if (carries) o.dc = next++;
  s.units = o.weights->dims[0];
  s.batch = o.y->dims[0];
  s.time = o.y->dims[1];
  return o;
}

template <class T> struct Products;

// dh[row][u] += Σ sums[row][k] · recurrentKernel[u][k]
template <> struct Products<float> {
  const float* packed;
  void operator()(const RecurrentSizes& s, const float* sums, int64_t sumStride, int64_t rows, float* dh, int64_t stride) const {
    const int64_t parts = ceilDiv(rows, kMostRows), k = s.columns();
    for (int64_t u = 0; u < s.units; u += kMostColumns) {
      const int64_t columns = paddedColumns(lesser(kMostColumns, s.units - u));
      for (int64_t part = 0; part < parts; part++) {
        const int64_t r = splitAt(rows, parts, part), m = splitAt(rows, parts, part + 1) - r;
        MicroCall call{};
        call.a = sums + r * sumStride;
        call.aStride = sumStride;
        call.b = packed + u * k;
        call.bStride = columns;
        call.c = dh + r * stride + u;  // rows are whole vectors wide
        call.cStride = stride;
        call.k = k;
        call.reduce = 1;
        call.accumulate = true;
        kMicro[kRows][columns / kLanes - 1][m - 1](call);
      }
    }
  }
};
template <> struct Products<double> {
  const double* weights;
  void operator()(const RecurrentSizes& s, const double* sums, int64_t sumStride, int64_t rows, double* dh, int64_t stride) const {
    for (int64_t r = 0; r < rows; r++)
      for (int64_t u = 0; u < s.units; u++) {
        double total = 0;
        for (int64_t k = 0; k < s.columns(); k++) total += sums[r * sumStride + k] * weights[u * s.columns() + k];
        dh[r * stride + u] += total;
      }
  }
};

// Some units of one row, at one step.
template <class T> struct Place {
  const T* y;
  const T* previous;       // state before the step
  const T* gates;
  const T* c;
  const T* previousC;
  const T* dy;             // or nullptr
  T* dh;                   // after the step; before it but for the recurrent products, which are added later
  T* dc;
  T* sums;                 // what goes back through the recurrent kernel
  T* projected;
  T* recurrent;
  int64_t units, n;
};

template <class T, CellKind kCell> inline void step(const Place<T>& p) {
  using L = Lanes<T>;
  const int64_t u = p.units, n = p.n;
  const auto one = L::all(1);
  auto dh = L::read(p.dh, n);
  if (p.dy) dh = dh + L::read(p.dy, n);
  const auto give = [&](int gate, typename L::Value value) {
    L::write(p.sums + gate * u, value, n);
    L::write(p.projected + gate * u, value, n);
  };
  if constexpr (kCell == CellKind::simpleRnn) {
    const auto h = L::read(p.y, n);
    give(0, dh * (one - h * h));
    L::write(p.dh, L::all(0), n);
  } else if constexpr (kCell == CellKind::lstm) {
    const auto i = L::read(p.gates, n), f = L::read(p.gates + u, n), g = L::read(p.gates + 2 * u, n);
    const auto o = L::read(p.gates + 3 * u, n), out = hyperbolic(L::read(p.c, n));
    const auto carry = L::read(p.dc, n) + dh * o * (one - out * out);
    give(0, carry * g * (i * (one - i)));
    give(1, carry * L::read(p.previousC, n) * (f * (one - f)));
    give(2, carry * i * (one - g * g));
    give(3, dh * out * (o * (one - o)));
    L::write(p.dc, carry * f, n);
    L::write(p.dh, L::all(0), n);
  } else {
    const auto z = L::read(p.gates, n), r = L::read(p.gates + u, n), m = L::read(p.gates + 2 * u, n);
    const auto candidate = L::read(p.gates + 3 * u, n);
    const auto dCandidate = dh * (one - z) * (one - candidate * candidate);
    const auto recurrent = dCandidate * r;
    give(0, dh * (L::read(p.previous, n) - candidate) * (z * (one - z)));
    give(1, dCandidate * m * (r * (one - r)));
    L::write(p.recurrent, L::read(p.sums, n), n);
    L::write(p.recurrent + u, L::read(p.sums + u, n), n);
    L::write(p.sums + 2 * u, recurrent, n);
    L::write(p.recurrent + 2 * u, recurrent, n);
    L::write(p.projected + 2 * u, dCandidate, n);
    L::write(p.dh, dh * z, n);
  }
}

template <class T, CellKind kCell> void backward(const Call& call) {
  using L = Lanes<T>;
  const Operands o = operandsOf(call);
  const RecurrentSizes& s = o.sizes;
  constexpr bool kCarries = kCell == CellKind::lstm;
  const int64_t units = s.units, columns = s.columns(), kept = s.kept() * units;
  const auto at = [](const Tensor* tensor) { return tensor ? tensor->as<T>() : nullptr; };
  const T *h0 = at(o.h0), *c0 = at(o.c0), *y = at(o.y), *gates = at(o.gates), *cells = at(o.cells), *dy = at(o.dy);
  const T *dhIn = at(o.dh), *dcIn = at(o.dc);
  const uint8_t* mask = o.mask ? o.mask->as<uint8_t>() : nullptr;
  T *projected = call.out[0].as<T>(), *dh0 = call.out[1].as<T>(), *dc0 = kCarries ? call.out[2].as<T>() : nullptr;
  T* recurrent = kCell == CellKind::gru ? call.out[2].as<T>() : nullptr;

  Products<T> products;
  if constexpr (sizeof(T) == sizeof(float)) {
    float* packed = reinterpret_cast<float*>(call.scratch);
    call.pool->run(ceilDiv(units, kMostColumns), [&](int64_t panel, int) {
      const int64_t u = panel * kMostColumns;
      packPanels(o.weights->as<float>() + u * columns, columns, true, columns, lesser(kMostColumns, units - u),
                 packed + u * columns);
    });
    products.packed = packed;
  } else {
    products.weights = o.weights->as<double>();
  }

  const int64_t stride = rowStride(units), sumStride = rowStride(columns);
  const int64_t perRow = 2 * stride + sumStride;
  const RowBlocks cut(s.batch, call.pool->threads(), perRow * sizeof(T));
  call.pool->run(cut.blocks, [&](int64_t block, int thread) {
    const int64_t first = block * cut.rows, rows = lesser(cut.rows, s.batch - first);
    T* dh = reinterpret_cast<T*>(call.pool->scratch(thread));
    T *dc = dh + rows * stride, *sums = dc + rows * stride;
    for (int64_t r = 0; r < rows; r++) {
      std::memset(dh + r * stride, 0, stride * sizeof(T));
      std::memcpy(dh + r * stride, dhIn + (first + r) * units, units * sizeof(T));
      if (kCarries) std::memcpy(dc + r * stride, dcIn + (first + r) * units, units * sizeof(T));
    }
    for (int64_t index = s.time - 1; index >= 0; index--) {
      const int64_t t = s.stepAt(index), before = s.backwards ? 1 : -1;
      bool any = false;
      for (int64_t r = 0; r < rows; r++) {
        const int64_t row = first + r, place = row * s.time + t;
        T *its = sums + r * sumStride, *dState = dh + r * stride;
        if (mask && !mask[place]) {
          // The state went through unchanged, and so does its gradient.
          std::memset(its, 0, columns * sizeof(T));
          std::memset(projected + place * columns, 0, columns * sizeof(T));
          if (recurrent) std::memset(recurrent + place * columns, 0, columns * sizeof(T));
          for (int64_t u = 0; dy && u < units; u++) dState[u] += dy[place * units + u];
          continue;
        }
        any = true;
        const T* previous = index == 0 ? h0 + row * units : y + (place + before) * units;
        const T* previousC = !kCarries ? nullptr : index == 0 ? c0 + row * units : cells + (place + before) * units;
        for (int64_t u = 0; u < units; u += L::count)
          step<T, kCell>({y + place * units + u, previous + u, gates ? gates + place * kept + u : nullptr,
                          kCarries ? cells + place * units + u : nullptr, kCarries ? previousC + u : nullptr,
                          dy ? dy + place * units + u : nullptr, dState + u, dc + r * stride + u, its + u,
                          projected + place * columns + u, recurrent ? recurrent + place * columns + u : nullptr, units,
                          lesser(L::count, units - u)});
      }
      if (any) products(s, sums, sumStride, rows, dh, stride);
    }
    for (int64_t r = 0; r < rows; r++) {
      std::memcpy(dh0 + (first + r) * units, dh + r * stride, units * sizeof(T));
      if (kCarries) std::memcpy(dc0 + (first + r) * units, dc + r * stride, units * sizeof(T));
    }
  });
}

template <class T> void backwardOf(const Call& call) {
  switch (static_cast<CellKind>(call.ints[0])) {
    case CellKind::simpleRnn: return backward<T, CellKind::simpleRnn>(call);
    case CellKind::lstm: return backward<T, CellKind::lstm>(call);
    case CellKind::gru: return backward<T, CellKind::gru>(call);
  }
}

void recurrentGradient(const Call& call) {
  call.in[0].dtype == DType::float64 ? backwardOf<double>(call) : backwardOf<float>(call);
}

size_t scratchBytes(const Call& call) {
  if (call.in[0].dtype == DType::float64) return 0;
  const Tensor& weights = call.in[0];
  return paddedColumns(weights.dims[0]) * weights.dims[1] * sizeof(float);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(recurrent_gradient, {{"recurrentGradient", recurrentGradient, scratchBytes}})
