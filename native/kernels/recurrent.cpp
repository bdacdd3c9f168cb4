// Simple RNN, LSTM and GRU over whole sequences: the input's products with the kernel as one large matrix product, then step
// by step the state's with the recurrent kernel, the gates fused behind them.
//
// recurrent: x [b,t,i], kernel [i,g·u], recurrentKernel [u,g·u], bias [g·u] (GRU: [2,g·u]), h0 [b,u], LSTM: c0 [b,u],
//   masked: mask [b,t] -> y [b,t,u], h [b,u], LSTM: c [b,u], LSTM and GRU: gates [b,t,4u], LSTM: cells [b,t,u];
//   ints = {cell, backwards, masked}. Kept of a GRU: update, reset, the candidate's recurrent product, candidate.
#include "recurrent.h"

namespace fathom::FATHOM_ISA {

namespace {

RecurrentSizes sizesOf(const Call& call) {
  RecurrentSizes s;
  s.cell = static_cast<CellKind>(call.ints[0]);
  s.backwards = call.ints[1];
  s.masked = call.ints[2];
  s.batch = call.in[0].dims[0];
  s.time = call.in[0].dims[1];
  s.units = call.in[2].dims[0];
  return s;
}

int64_t tilesOf(const RecurrentSizes& s) { return ceilDiv(s.units, kLanes); }
int64_t packedFloats(const RecurrentSizes& s) { return tilesOf(s) * gatesOf(s.cell) * kLanes * s.units; }

// Where a step's sums of the input begin within its row of `gates` (of `y` for a simple RNN): the candidate of a GRU is last.
int64_t inputColumn(CellKind cell, int gate) { return cell == CellKind::gru && gate == 2 ? 3 : gate; }

// For each vector of units the columns of its gates side by side, two gates a panel, so that a tile's sums meet in L1.
void packTile(const float* weights, const RecurrentSizes& s, int64_t tile, float* to) {
  const int gates = gatesOf(s.cell);
  const int64_t u = tile * kLanes, n = lesser(kLanes, s.units - u), columns = s.columns();
  for (int first = 0; first < gates; first += 2) {
    const int together = gates - first < 2 ? 1 : 2;
    for (int64_t k = 0; k < s.units; k++)
      for (int g = 0; g < together; g++, to += kLanes)
        store(to, loadSome(weights + k * columns + (first + g) * s.units + u, n));
  }
}

template <class T> struct Products;

// sums[row][gate][lane] = Σ h[row][k] · recurrentKernel[k][gate·units + tile·lanes + lane]
template <> struct Products<float> {
  const float* packed;
  void operator()(const RecurrentSizes& s, const float* h, int64_t stride, int64_t rows, int64_t tile, float* sums) const {
    const int gates = gatesOf(s.cell);
    const float* panel = packed + tile * gates * kLanes * s.units;
    const int64_t parts = ceilDiv(rows, kMostRows);
    for (int first = 0; first < gates; first += 2) {
      const int together = gates - first < 2 ? 1 : 2;
      for (int64_t part = 0; part < parts; part++) {
        const int64_t r = splitAt(rows, parts, part), m = splitAt(rows, parts, part + 1) - r;
        MicroCall call{};
        call.a = h + r * stride;
        call.aStride = stride;
        call.b = panel;
        call.bStride = together * kLanes;
        call.c = sums + (r * gates + first) * kLanes;
        call.cStride = gates * kLanes;
        call.k = s.units;
        call.reduce = 1;
        kMicro[kRows][together - 1][m - 1](call);
      }
      panel += together * kLanes * s.units;
    }
  }
};
template <> struct Products<double> {
  const double* weights;
  void operator()(const RecurrentSizes& s, const double* h, int64_t stride, int64_t rows, int64_t tile, double* sums) const {
    const int gates = gatesOf(s.cell);
    for (int64_t r = 0; r < rows; r++)
      for (int g = 0; g < gates; g++) {
        double total = 0;
        for (int64_t k = 0; k < s.units; k++) total += h[r * stride + k] * weights[k * s.columns() + g * s.units + tile];
        sums[r * gates + g] = total;
      }
  }
};

// x · kernel + bias into the rows of `gates` or `y`.
void project(const Call& call, const RecurrentSizes& s, float* to, int64_t width, uint8_t* scratch) {
  const int64_t features = call.in[0].dims[2];
  const auto part = [&](int64_t from, int64_t count, int64_t column) {
    GemmBatch batch;
    Gemm& g = batch.gemm;
    g.m = s.batch * s.time;
    g.n = count;
    g.k = features;
    g.a = call.in[0].as<float>();
    g.aStride = features;
    g.b = call.in[1].as<float>() + from;
    g.bStride = s.columns();
    g.c = to + column;
    g.cStride = width;
    g.epilogue.bias = call.in[3].as<float>() + from;
    gemm(batch, *call.pool, scratch);
  };
  if (s.cell != CellKind::gru) return part(0, s.columns(), 0);
  part(0, 2 * s.units, 0);
  part(2 * s.units, s.units, 3 * s.units);
}
void project(const Call& call, const RecurrentSizes& s, double* to, int64_t width, uint8_t*) {
  const int64_t features = call.in[0].dims[2], columns = s.columns();
  const double *kernel = call.in[1].as<double>(), *bias = call.in[3].as<double>();
  call.pool->run(s.batch, [&](int64_t b, int) {
    for (int64_t row = b * s.time; row < (b + 1) * s.time; row++) {
      const double* x = call.in[0].as<double>() + row * features;
      for (int gate = 0; gate < gatesOf(s.cell); gate++) {
        double* out = to + row * width + inputColumn(s.cell, gate) * s.units;
        const int64_t column = gate * s.units;
        for (int64_t u = 0; u < s.units; u++) out[u] = bias[column + u];
        for (int64_t i = 0; i < features; i++)
          for (int64_t u = 0; u < s.units; u++) out[u] += x[i] * kernel[i * columns + column + u];
      }
    }
  });
}

// One row's units of one tile, at one step.
template <class T> struct Place {
  const T* sums;      // of the recurrent products: [gate][lane]
  const T* previous;  // state before
  T* h;               // state after
  T* c;               // an LSTM's carry, before and after
  T* y;
  T* gates;           // holds the input's sums, takes the gates
  T* cells;
  const T* bias;      // of a GRU's recurrent products
  int64_t units, n;
};

template <class T, CellKind kCell> inline void step(const Place<T>& p) {
  using L = Lanes<T>;
  const int64_t u = p.units, n = p.n;
  const auto sum = [&](int gate) { return L::read(p.sums + gate * L::count, L::count); };
  typename L::Value h;
  if constexpr (kCell == CellKind::simpleRnn) {
    h = hyperbolic(L::read(p.y, n) + sum(0));
  } else if constexpr (kCell == CellKind::lstm) {
    const auto i = logistic(L::read(p.gates, n) + sum(0));
    const auto f = logistic(L::read(p.gates + u, n) + sum(1));
    const auto g = hyperbolic(L::read(p.gates + 2 * u, n) + sum(2));
    const auto o = logistic(L::read(p.gates + 3 * u, n) + sum(3));
    const auto c = f * L::read(p.c, n) + i * g;
    h = o * hyperbolic(c);
    L::write(p.gates, i, n);
    L::write(p.gates + u, f, n);
    L::write(p.gates + 2 * u, g, n);
    L::write(p.gates + 3 * u, o, n);
    L::write(p.c, c, n);
    L::write(p.cells, c, n);
  } else {
    const auto z = logistic(L::read(p.gates, n) + (sum(0) + L::read(p.bias, n)));
    const auto r = logistic(L::read(p.gates + u, n) + (sum(1) + L::read(p.bias + u, n)));
    const auto m = sum(2) + L::read(p.bias + 2 * u, n);
    const auto candidate = hyperbolic(L::read(p.gates + 3 * u, n) + r * m);
    h = z * L::read(p.previous, n) + (L::all(1) - z) * candidate;
    L::write(p.gates, z, n);
    L::write(p.gates + u, r, n);
    L::write(p.gates + 2 * u, m, n);
    L::write(p.gates + 3 * u, candidate, n);
  }
  L::write(p.h, h, n);
  L::write(p.y, h, n);
}

template <class T, CellKind kCell> void forward(const Call& call) {
  using L = Lanes<T>;
  const RecurrentSizes s = sizesOf(call);
  constexpr int kGates = gatesOf(kCell);
  const bool carries = kCell == CellKind::lstm;
  const int64_t units = s.units, kept = s.kept() * units, tiles = ceilDiv(units, L::count);
  const T *h0 = call.in[4].as<T>(), *c0 = carries ? call.in[5].as<T>() : nullptr;
  const uint8_t* mask = s.masked ? call.in[carries ? 6 : 5].as<uint8_t>() : nullptr;
  T *y = call.out[0].as<T>(), *hOut = call.out[1].as<T>(), *cOut = carries ? call.out[2].as<T>() : nullptr;
  T* gates = kCell == CellKind::simpleRnn ? nullptr : call.out[carries ? 3 : 2].as<T>();
  T* cells = carries ? call.out[4].as<T>() : nullptr;
  const T* bias = kCell == CellKind::gru ? call.in[3].as<T>() + s.columns() : nullptr;

  Products<T> products;
  if constexpr (sizeof(T) == sizeof(float)) {
    float* packed = reinterpret_cast<float*>(call.scratch);
    call.pool->run(tiles, [&](int64_t tile, int) {
      packTile(call.in[2].as<float>(), s, tile, packed + tile * kGates * kLanes * units);
    });
    products.packed = packed;
  } else {
    products.weights = call.in[2].as<double>();
  }
  project(call, s, gates ? gates : y, gates ? kept : units, call.scratch + packedFloats(s) * sizeof(float));

  const int64_t stride = rowStride(units);
  const int64_t perRow = 3 * stride + kGates * L::count;
  const RowBlocks cut(s.batch, call.pool->threads(), perRow * sizeof(T));
  call.pool->run(cut.blocks, [&](int64_t block, int thread) {
    const int64_t first = block * cut.rows, rows = lesser(cut.rows, s.batch - first);
    T* h = reinterpret_cast<T*>(call.pool->scratch(thread));
    T *next = h + rows * stride, *c = next + rows * stride, *sums = c + rows * stride;
    for (int64_t r = 0; r < rows; r++) {
      std::memcpy(h + r * stride, h0 + (first + r) * units, units * sizeof(T));
      if (carries) std::memcpy(c + r * stride, c0 + (first + r) * units, units * sizeof(T));
    }
    for (int64_t index = 0; index < s.time; index++) {
      const int64_t t = s.stepAt(index);
      const auto runs = [&](int64_t r) { return !mask || mask[(first + r) * s.time + t]; };
      bool any = !mask;
      for (int64_t r = 0; !any && r < rows; r++) any = runs(r);
      for (int64_t r = 0; mask && r < rows; r++) {
        if (runs(r)) continue;
        const int64_t at = (first + r) * s.time + t;
        std::memcpy(next + r * stride, h + r * stride, units * sizeof(T));
        std::memcpy(y + at * units, h + r * stride, units * sizeof(T));
        if (gates) std::memset(gates + at * kept, 0, kept * sizeof(T));
        if (carries) std::memcpy(cells + at * units, c + r * stride, units * sizeof(T));
      }
      for (int64_t tile = 0; any && tile < tiles; tile++) {
        const int64_t u = tile * L::count;
        products(s, h, stride, rows, tile, sums);
        for (int64_t r = 0; r < rows; r++) {
          if (!runs(r)) continue;
          const int64_t at = (first + r) * s.time + t;
          step<T, kCell>({sums + r * kGates * L::count, h + r * stride + u, next + r * stride + u, c + r * stride + u,
                          y + at * units + u, gates ? gates + at * kept + u : nullptr,
                          cells ? cells + at * units + u : nullptr, bias ? bias + u : nullptr, units,
                          lesser(L::count, units - u)});
        }
      }
      std::swap(h, next);
    }
    for (int64_t r = 0; r < rows; r++) {
      std::memcpy(hOut + (first + r) * units, h + r * stride, units * sizeof(T));
      if (carries) std::memcpy(cOut + (first + r) * units, c + r * stride, units * sizeof(T));
    }
  });
}

template <class T> void forwardOf(const Call& call) {
  switch (static_cast<CellKind>(call.ints[0])) {
    case CellKind::simpleRnn: return forward<T, CellKind::simpleRnn>(call);
    case CellKind::lstm: return forward<T, CellKind::lstm>(call);
    case CellKind::gru: return forward<T, CellKind::gru>(call);
  }
}

void recurrent(const Call& call) {
  call.in[0].dtype == DType::float64 ? forwardOf<double>(call) : forwardOf<float>(call);
}

size_t scratchBytes(const Call& call) {
  if (call.in[0].dtype == DType::float64) return 0;
  const RecurrentSizes s = sizesOf(call);
  const int64_t rows = s.batch * s.time, features = call.in[0].dims[2];
  const size_t products = s.cell == CellKind::gru
                              ? greater(gemmScratch(rows, 2 * s.units, features, 1, false), gemmScratch(rows, s.units, features, 1, false))
                              : gemmScratch(rows, s.columns(), features, 1, false);
  return packedFloats(s) * sizeof(float) + products;
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(recurrent, {{"recurrent", recurrent, scratchBytes}})
