// Layer normalization over the last axis. floats = {epsilon}
//
// layerNormalization: x [..,d], gamma [d]?, beta [d]? -> y, mean [..], rstd [..] (1/√(variance + ε))
// layerNormalizationGradient: x, gamma?, mean, rstd, dy -> dx, dgamma [d], dbeta [d]
#include "normalization.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Shape {
  int64_t rows, depth, perChunk, chunks;
};

Shape shapeOf(const Tensor& x) {
  Shape s;
  s.depth = x.dims[x.rank - 1];
  s.rows = 1;
  for (int d = 0; d < x.rank - 1; d++) s.rows *= x.dims[d];
  s.perChunk = chunkRows(s.depth);
  s.chunks = ceilDiv(s.rows, s.perChunk);
  return s;
}

// Σ f(c) over a row; four running vectors keep the adders busy.
template <class T, class F> double sumRow(int64_t depth, F&& f) {
  using L = Lanes<T>;
  typename L::Value sums[4] = {};
  int64_t c = 0;
  for (; c + 4 * L::count <= depth; c += 4 * L::count)
    for (int v = 0; v < 4; v++) sums[v] += f(c + v * L::count, L::count);
  for (; c < depth; c += L::count) sums[0] += f(c, lesser(L::count, depth - c));
  return L::total((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

template <class T> void forward(const Call& call) {
  using L = Lanes<T>;
  const Shape s = shapeOf(call.in[0]);
  const Tensor *gamma = optional(call, 1), *beta = optional(call, 2);
  T *means = call.out[1].as<T>(), *rstds = call.out[2].as<T>();
  const double depth = static_cast<double>(s.depth), epsilon = call.floats[0];
  call.pool->run(s.chunks, [&](int64_t chunk, int) {
    const int64_t last = lesser(s.rows, (chunk + 1) * s.perChunk);
    for (int64_t row = chunk * s.perChunk; row < last; row++) {
      const T* x = call.in[0].as<T>() + row * s.depth;
      T* y = call.out[0].as<T>() + row * s.depth;
      const double mean = sumRow<T>(s.depth, [&](int64_t c, int64_t n) { return L::read(x + c, n); }) / depth;
      means[row] = static_cast<T>(mean);
      const auto center = L::all(mean);
      const double squares = sumRow<T>(s.depth, [&](int64_t c, int64_t n) {
        // Lanes past the end hold 0, not a distance from the mean.
        const auto distance = L::read(x + c, n) - center;
        if (n == L::count) return distance * distance;
        T lanes[L::count] = {};
        L::write(lanes, distance * distance, n);
        return L::read(lanes, L::count);
      });
      const double rstd = 1 / __builtin_sqrt(squares / depth + epsilon);
      rstds[row] = static_cast<T>(rstd);
      const auto scale = L::all(rstd);
      for (int64_t c = 0; c < s.depth; c += L::count) {
        const int64_t n = lesser(L::count, s.depth - c);
        auto value = (L::read(x + c, n) - center) * scale;
        if (gamma) value = value * L::read(gamma->as<T>() + c, n);
        if (beta) value = value + L::read(beta->as<T>() + c, n);
        L::write(y + c, value, n);
      }
    }
  });
}

// Chunks of rows whose sums for dgamma and dbeta lie in the scratch.
size_t gradientScratch(const Call& call) {
  const Shape s = shapeOf(call.in[0]);
  return s.chunks * 2 * s.depth * sizeOf(call.in[0].dtype);
}

template <class T> void gradient(const Call& call) {
  using L = Lanes<T>;
  const Shape s = shapeOf(call.in[0]);
  const Tensor* gamma = optional(call, 1);
  const T *means = call.in[2].as<T>(), *rstds = call.in[3].as<T>();
  const double depth = static_cast<double>(s.depth);
  T* partial = reinterpret_cast<T*>(call.scratch);
  call.pool->run(s.chunks, [&](int64_t chunk, int) {
    T *products = partial + chunk * 2 * s.depth, *sums = products + s.depth;
    std::memset(products, 0, 2 * s.depth * sizeof(T));
    const int64_t last = lesser(s.rows, (chunk + 1) * s.perChunk);
    for (int64_t row = chunk * s.perChunk; row < last; row++) {
      const T* x = call.in[0].as<T>() + row * s.depth;
      const T* dy = call.in[4].as<T>() + row * s.depth;
      T* dx = call.out[0].as<T>() + row * s.depth;
      const auto mean = L::all(static_cast<double>(means[row])), rstd = L::all(static_cast<double>(rstds[row]));
      const auto scaled = [&](int64_t c, int64_t n) {
        const auto g = L::read(dy + c, n);
        return gamma ? g * L::read(gamma->as<T>() + c, n) : g;
      };
      const auto normal = [&](int64_t c, int64_t n) { return (L::read(x + c, n) - mean) * rstd; };
      const auto sum = L::all(sumRow<T>(s.depth, scaled) / depth);
      const auto product =
          L::all(sumRow<T>(s.depth, [&](int64_t c, int64_t n) { return scaled(c, n) * normal(c, n); }) / depth);
      for (int64_t c = 0; c < s.depth; c += L::count) {
        const int64_t n = lesser(L::count, s.depth - c);
        const auto hat = normal(c, n), g = L::read(dy + c, n);
        L::write(products + c, L::read(products + c, n) + g * hat, n);
        L::write(sums + c, L::read(sums + c, n) + g, n);
        L::write(dx + c, (scaled(c, n) - sum - hat * product) * rstd, n);
      }
    }
  });
  constexpr int64_t kSlice = 64;
  call.pool->run(ceilDiv(s.depth, kSlice), [&](int64_t slice, int) {
    const int64_t from = slice * kSlice, n = lesser(kSlice, s.depth - from);
    sumChunks(partial + from, s.chunks, 2 * s.depth, n, call.out[1].as<T>() + from);
    sumChunks(partial + s.depth + from, s.chunks, 2 * s.depth, n, call.out[2].as<T>() + from);
  });
}

void layerNormalization(const Call& call) {
  call.in[0].dtype == DType::float64 ? forward<double>(call) : forward<float>(call);
}
void layerNormalizationGradient(const Call& call) {
  call.in[0].dtype == DType::float64 ? gradient<double>(call) : gradient<float>(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(layer_normalization, {{"layerNormalization", layerNormalization, nullptr},
                              {"layerNormalizationGradient", layerNormalizationGradient, gradientScratch}})
