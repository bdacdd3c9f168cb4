// Simple RNN, LSTM and GRU over whole sequences: step by step the state's products with the recurrent kernel, the gates fused
// behind them.
//
// recurrent: x [b,t,i], kernel [i,g·u], recurrentKernel [u,g·u], bias [g·u] (GRU: [2,g·u]), h0 [b,u], LSTM: c0 [b,u],
//   masked: mask [b,t] -> y [b,t,u], h [b,u], LSTM: c [b,u], LSTM and GRU: gates [b,t,4u], LSTM: cells [b,t,u];
//   ints = {cell, backwards, masked}. Kept of a GRU: update, reset, the candidate's recurrent product, candidate.
#include "recurrent.h"

namespace fathom::FATHOM_ISA {

namespace {

// How the input's products with the kernel come in. `project`: as one large product over all steps, before the first.
// `within`: with those of the state, from rows [h | x | 1] and weights [recurrentKernel; kernel; bias]: where these stay in L2,
// nothing then passes through memory between product and gate.
enum class Inputs { project, within };

struct Sizes : RecurrentSizes {
  int64_t features = 0;
  Inputs inputs = Inputs::project;

  // Sums that a step makes for each unit. A GRU's candidate has two: of the state, and of the input if that is within.
  int sums() const { return cell == CellKind::gru && inputs == Inputs::within ? 4 : gatesOf(cell); }
  // Numbers of a row that are multiplied.
  int64_t width() const { return inputs == Inputs::within ? units + features + 1 : units; }
};

// Of one vector of units: `count` of its sums, side by side, over the numbers [from, to) of a row.
struct Panel {
  int first, count;
  int64_t from, to;
};
struct Panels {
  Panel list[3];
  int count = 0;

  explicit Panels(const Sizes& s) {
    const int64_t units = s.units, width = s.width();
    if (s.cell == CellKind::gru && s.inputs == Inputs::within) {
      add({0, 2, 0, width});
      add({2, 1, 0, units});
      add({3, 1, units, width});
    } else {
      for (int first = 0; first < s.sums(); first += 2) add({first, s.sums() - first < 2 ? 1 : 2, 0, width});
    }
  }
  void add(const Panel& panel) { list[count++] = panel; }
  int64_t floats() const {  // of one vector of units
    int64_t total = 0;
    for (int i = 0; i < count; i++) total += (list[i].to - list[i].from) * list[i].count * kLanes;
    return total;
  }
};

constexpr int64_t kMostWithin = int64_t{1} << 19;  // bytes of weights: half of a common L2

Sizes sizesOf(const Call& call) {
  Sizes s;
  s.cell = static_cast<CellKind>(call.ints[0]);
  s.backwards = call.ints[1];
  s.masked = call.ints[2];
  s.batch = call.in[0].dims[0];
  s.time = call.in[0].dims[1];
  s.features = call.in[0].dims[2];
  s.units = call.in[2].dims[0];
  const bool single = call.in[0].dtype == DType::float32;
  const int64_t bytes = (s.units + s.features) * s.columns() * static_cast<int64_t>(sizeof(float));
  if (single && bytes <= kMostWithin) s.inputs = Inputs::within;
  return s;
}

int64_t tilesOf(const Sizes& s) { return ceilDiv(s.units, kLanes); }
int64_t packedFloats(const Sizes& s) { return tilesOf(s) * Panels(s).floats(); }

// Row k of the weights that make sum `sum` of a tile's units.
vf weightsAt(const Call& call, const Sizes& s, int sum, int64_t k, int64_t u, int64_t n) {
  const int gate = sum == 3 && s.cell == CellKind::gru ? 2 : sum;
  const int64_t column = gate * s.units + u, columns = s.columns();
  if (k < s.units) return loadSome(call.in[2].as<float>() + k * columns + column, n);
  if (k < s.units + s.features) return loadSome(call.in[1].as<float>() + (k - s.units) * columns + column, n);
  const float* bias = call.in[3].as<float>();
  const vf own = loadSome(bias + column, n);
  return s.cell == CellKind::gru && sum < 2 ? own + loadSome(bias + columns + column, n) : own;
}

void packTile(const Call& call, const Sizes& s, const Panels& panels, int64_t tile, float* to) {
  const int64_t u = tile * kLanes, n = lesser(kLanes, s.units - u);
  for (int i = 0; i < panels.count; i++) {
    const Panel& panel = panels.list[i];
    for (int64_t k = panel.from; k < panel.to; k++)
      for (int sum = panel.first; sum < panel.first + panel.count; sum++, to += kLanes)
        store(to, weightsAt(call, s, sum, k, u, n));
  }
}

template <class T> struct Products;

// sums[row][sum][lane] = Σ row[k] · weights[k][sum·units + tile·lanes + lane]
template <> struct Products<float> {
  const float* packed;
  void operator()(const Sizes& s, const Panels& panels, const float* h, int64_t stride, int64_t rows, int64_t tile,
                  float* sums) const {
    const int64_t width = s.sums() * kLanes, parts = ceilDiv(rows, kMostRows);
    const float* weights = packed + tile * panels.floats();
    for (int i = 0; i < panels.count; i++) {
      const Panel& panel = panels.list[i];
      for (int64_t part = 0; part < parts; part++) {
        const int64_t r = splitAt(rows, parts, part), m = splitAt(rows, parts, part + 1) - r;
        MicroCall call{};
        call.a = h + r * stride + panel.from;
        call.aStride = stride;
        call.b = weights;
        call.bStride = panel.count * kLanes;
        call.c = sums + r * width + panel.first * kLanes;
        call.cStride = width;
        call.k = panel.to - panel.from;
        call.reduce = 1;
        kMicro[kRows][panel.count - 1][m - 1](call);
      }
      weights += (panel.to - panel.from) * panel.count * kLanes;
    }
  }
};
template <> struct Products<double> {
  const double* weights;
  void operator()(const Sizes& s, const Panels&, const double* h, int64_t stride, int64_t rows, int64_t tile,
                  double* sums) const {
    const int gates = gatesOf(s.cell);
    for (int64_t r = 0; r < rows; r++)
      for (int g = 0; g < gates; g++) {
        double total = 0;
        for (int64_t k = 0; k < s.units; k++) total += h[r * stride + k] * weights[k * s.columns() + g * s.units + tile];
        sums[r * gates + g] = total;
      }
  }
};

// x · kernel + bias into the rows of `gates` or `y`; the candidate of a GRU comes last there.
void project(const Call& call, const Sizes& s, float* to, int64_t width, uint8_t* scratch) {
  const auto part = [&](int64_t from, int64_t count, int64_t column) {
    GemmBatch batch;
    Gemm& g = batch.gemm;
    g.m = s.batch * s.time;
    g.n = count;
    g.k = s.features;
    g.a = call.in[0].as<float>();
    g.aStride = s.features;
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
void project(const Call& call, const Sizes& s, double* to, int64_t width, uint8_t*) {
  const int64_t features = s.features, columns = s.columns();
  const double *kernel = call.in[1].as<double>(), *bias = call.in[3].as<double>();
  call.pool->run(s.batch, [&](int64_t b, int) {
    for (int64_t row = b * s.time; row < (b + 1) * s.time; row++) {
      const double* x = call.in[0].as<double>() + row * features;
      for (int gate = 0; gate < gatesOf(s.cell); gate++) {
        const int64_t column = gate * s.units;
        double* out = to + row * width + (s.cell == CellKind::gru && gate == 2 ? 3 * s.units : column);
        for (int64_t u = 0; u < s.units; u++) out[u] = bias[column + u];
        for (int64_t i = 0; i < features; i++)
          for (int64_t u = 0; u < s.units; u++) out[u] += x[i] * kernel[i * columns + column + u];
      }
    }
  });
}

// One row's units of one tile, at one step.
template <class T> struct Place {
  const T* sums;      // [sum][lane]
  const T* previous;  // state before
  T* h;               // state after
  T* c;               // an LSTM's carry, before and after
  T* y;
  T* gates;           // holds the input's sums where these were projected, takes the gates
  T* cells;
  const T* bias;      // of a GRU's recurrent products
  int64_t units, n;
};

template <class T, CellKind kCell, Inputs kInputs> inline void step(const Place<T>& p) {
  using L = Lanes<T>;
  constexpr bool kWithin = kInputs == Inputs::within;
  const int64_t u = p.units, n = p.n;
  const auto sum = [&](int index) { return L::read(p.sums + index * L::count, L::count); };
  // A gate's sum with the input's share, which was projected to `at`.
  const auto with = [&](const T* at, int index) {
    if constexpr (kWithin) return sum(index);
    else return L::read(at, n) + sum(index);
  };
  typename L::Value h;
  if constexpr (kCell == CellKind::simpleRnn) {
    h = hyperbolic(with(p.y, 0));
  } else if constexpr (kCell == CellKind::lstm) {
    auto i = with(p.gates, 0), f = with(p.gates + u, 1), g = with(p.gates + 2 * u, 2), o = with(p.gates + 3 * u, 3);
    lstmGates(i, f, g, o);
    const auto c = f * L::read(p.c, n) + i * g;
    h = o * hyperbolic(c);
    L::write(p.gates, i, n);
    L::write(p.gates + u, f, n);
    L::write(p.gates + 2 * u, g, n);
    L::write(p.gates + 3 * u, o, n);
    L::write(p.c, c, n);
    L::write(p.cells, c, n);
  } else {
    auto z = with(p.gates, 0), r = with(p.gates + u, 1);
    if constexpr (!kWithin) {
      z = z + L::read(p.bias, n);
      r = r + L::read(p.bias + u, n);
    }
    z = logistic(z);
    r = logistic(r);
    const auto m = sum(2) + L::read(p.bias + 2 * u, n);
    typename L::Value input;
    if constexpr (kWithin) input = sum(3);
    else input = L::read(p.gates + 3 * u, n);
    const auto candidate = hyperbolic(input + r * m);
    h = z * L::read(p.previous, n) + (L::all(1) - z) * candidate;
    L::write(p.gates, z, n);
    L::write(p.gates + u, r, n);
    L::write(p.gates + 2 * u, m, n);
    L::write(p.gates + 3 * u, candidate, n);
  }
  L::write(p.h, h, n);
  L::write(p.y, h, n);
}

template <class T, CellKind kCell, Inputs kInputs> void forward(const Call& call, const Sizes& s) {
  using L = Lanes<T>;
  constexpr bool kCarries = kCell == CellKind::lstm, kWithin = kInputs == Inputs::within;
  const int64_t units = s.units, features = s.features, kept = s.kept() * units, tiles = ceilDiv(units, L::count);
  const T *x = call.in[0].as<T>(), *h0 = call.in[4].as<T>(), *c0 = kCarries ? call.in[5].as<T>() : nullptr;
  const uint8_t* mask = s.masked ? call.in[kCarries ? 6 : 5].as<uint8_t>() : nullptr;
  T *y = call.out[0].as<T>(), *hOut = call.out[1].as<T>(), *cOut = kCarries ? call.out[2].as<T>() : nullptr;
  T* gates = kCell == CellKind::simpleRnn ? nullptr : call.out[kCarries ? 3 : 2].as<T>();
  T* cells = kCarries ? call.out[4].as<T>() : nullptr;
  const T* bias = kCell == CellKind::gru ? call.in[3].as<T>() + s.columns() : nullptr;

  const Panels panels(s);
  Products<T> products;
  if constexpr (sizeof(T) == sizeof(float)) {
    float* packed = reinterpret_cast<float*>(call.scratch);
    call.pool->run(tiles, [&](int64_t tile, int) { packTile(call, s, panels, tile, packed + tile * panels.floats()); });
    products.packed = packed;
  } else {
    products.weights = call.in[2].as<double>();
  }
  if constexpr (!kWithin)
    project(call, s, gates ? gates : y, gates ? kept : units, call.scratch + packedFloats(s) * sizeof(float));

  const int64_t sumWidth = s.sums() * L::count, stride = rowStride(s.width()), carryStride = rowStride(units);
  const RowBlocks cut(s.batch, call.pool->threads(), (2 * stride + carryStride + sumWidth) * sizeof(T));
  call.pool->run(cut.blocks, [&](int64_t block, int thread) {
    const int64_t first = block * cut.rows, rows = lesser(cut.rows, s.batch - first);
    T* h = reinterpret_cast<T*>(call.pool->scratch(thread));
    T *next = h + rows * stride, *c = next + rows * stride, *sums = c + rows * carryStride;
    for (int64_t r = 0; r < rows; r++) {
      std::memcpy(h + r * stride, h0 + (first + r) * units, units * sizeof(T));
      if (kCarries) std::memcpy(c + r * carryStride, c0 + (first + r) * units, units * sizeof(T));
      if (kWithin) h[r * stride + s.width() - 1] = next[r * stride + s.width() - 1] = 1;
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
        if (kCarries) std::memcpy(cells + at * units, c + r * carryStride, units * sizeof(T));
      }
      for (int64_t r = 0; kWithin && any && r < rows; r++)
        std::memcpy(h + r * stride + units, x + ((first + r) * s.time + t) * features, features * sizeof(T));
      for (int64_t tile = 0; any && tile < tiles; tile++) {
        const int64_t u = tile * L::count;
        products(s, panels, h, stride, rows, tile, sums);
        for (int64_t r = 0; r < rows; r++) {
          if (!runs(r)) continue;
          const int64_t at = (first + r) * s.time + t;
          step<T, kCell, kInputs>({sums + r * sumWidth, h + r * stride + u, next + r * stride + u, c + r * carryStride + u,
                                   y + at * units + u, gates ? gates + at * kept + u : nullptr,
                                   cells ? cells + at * units + u : nullptr, bias ? bias + u : nullptr, units,
                                   lesser(L::count, units - u)});
        }
      }
      T* before = h;
      h = next;
      next = before;
    }
    for (int64_t r = 0; r < rows; r++) {
      std::memcpy(hOut + (first + r) * units, h + r * stride, units * sizeof(T));
      if (kCarries) std::memcpy(cOut + (first + r) * units, c + r * carryStride, units * sizeof(T));
    }
  });
}

template <class T, CellKind kCell> void forwardOf(const Call& call, const Sizes& s) {
  if constexpr (sizeof(T) == sizeof(float))
    if (s.inputs == Inputs::within) return forward<T, kCell, Inputs::within>(call, s);
  forward<T, kCell, Inputs::project>(call, s);
}

template <class T> void forwardOf(const Call& call) {
  const Sizes s = sizesOf(call);
  switch (s.cell) {
    case CellKind::simpleRnn: return forwardOf<T, CellKind::simpleRnn>(call, s);
    case CellKind::lstm: return forwardOf<T, CellKind::lstm>(call, s);
    case CellKind::gru: return forwardOf<T, CellKind::gru>(call, s);
  }
}

void recurrent(const Call& call) {
  call.in[0].dtype == DType::float64 ? forwardOf<double>(call) : forwardOf<float>(call);
}

size_t scratchBytes(const Call& call) {
  if (call.in[0].dtype == DType::float64) return 0;
  const Sizes s = sizesOf(call);
  const size_t packed = packedFloats(s) * sizeof(float);
  if (s.inputs == Inputs::within) return packed;
  const auto scratch = [&](int64_t columns) { return gemmScratch(s.batch * s.time, columns, s.features, 1, false); };
  if (s.cell != CellKind::gru) return packed + scratch(s.columns());
  return packed + static_cast<size_t>(greater(scratch(2 * s.units), scratch(s.units)));
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(recurrent, {{"recurrent", recurrent, scratchBytes}})
