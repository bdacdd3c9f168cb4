// Batch normalization over all but the last axis. floats = {epsilon}; ints[0] = activation (forward only)
//
// batchNormalization: x [..,c], gamma [c]?, beta [c]?, residual [..,c]? -> y, mean [c], variance [c] (biased)
//   y = activation(x̂·gamma + beta + residual)
// batchNormalizationGradient: x, gamma?, mean, variance, dy -> dx, dgamma [c], dbeta [c]
#include "normalization.h"

namespace fathom::FATHOM_ISA {

namespace {

constexpr int64_t kSlice = 64;  // channels whose chunks are combined together

struct Rows {
  int64_t rows, channels, perChunk, chunks;
  int64_t last(int64_t chunk) const { return lesser(rows, (chunk + 1) * perChunk); }
};

Rows rowsOf(const Tensor& x) {
  Rows r;
  r.channels = x.dims[x.rank - 1];
  r.rows = 1;
  for (int d = 0; d < x.rank - 1; d++) r.rows *= x.dims[d];
  r.perChunk = chunkRows(r.channels);
  r.chunks = ceilDiv(r.rows, r.perChunk);
  return r;
}

// Per chunk two vectors of channels: (mean, squared distances) forward, (Σ dy·(x - mean), Σ dy) backward; and three more.
size_t scratchBytes(const Call& call) {
  const Rows r = rowsOf(call.in[0]);
  return (2 * r.chunks + 3) * r.channels * sizeOf(call.in[0].dtype);
}

template <int kVectors, bool kWhole, class T> struct Block {
  using L = Lanes<T>;
  using Value = typename L::Value;
  int64_t c, channels;

  int64_t some() const { return kWhole ? L::count : channels - c; }
  [[gnu::always_inline]] void read(const T* from, int64_t row, Value (&to)[kVectors]) const {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) to[v] = L::read(from + row * channels + c + v * L::count, some());
  }
  [[gnu::always_inline]] void write(T* to, int64_t row, const Value (&from)[kVectors]) const {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) L::write(to + row * channels + c + v * L::count, from[v], some());
  }
};

template <class T> void forward(const Call& call) {
  const Rows r = rowsOf(call.in[0]);
  const int64_t channels = r.channels;
  const T* x = call.in[0].as<T>();
  const Tensor *gamma = optional(call, 1), *beta = optional(call, 2), *added = optional(call, 3);
  const T* residual = added ? added->as<T>() : nullptr;
  T *y = call.out[0].as<T>(), *mean = call.out[1].as<T>(), *variance = call.out[2].as<T>();
  const double epsilon = call.floats[0];
  const bool relu = call.intCount > 0 && call.ints[0] == static_cast<int64_t>(Activation::relu);
  T* chunks = reinterpret_cast<T*>(call.scratch);
  T *scale = chunks + r.chunks * 2 * channels, *offset = scale + channels;

  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = r.last(chunk);
    T *averages = chunks + chunk * 2 * channels, *squares = averages + channels;
    overChannels<T>(channels, [&](auto vectors, auto whole, int64_t c) __attribute__((always_inline)) {
      constexpr int kVectors = decltype(vectors)::value;
      const Block<kVectors, decltype(whole)::value, T> block{c, channels};
      using Value = typename Lanes<T>::Value;
      Value average[1][kVectors], square[1][kVectors];
      sumRows(first, last, average, [&](int64_t row, Value(&to)[1][kVectors]) __attribute__((always_inline)) {
        block.read(x, row, to[0]);
      });
      for (auto& value : average[0]) value = value / Lanes<T>::all(static_cast<double>(last - first));
      sumRows(first, last, square, [&](int64_t row, Value(&to)[1][kVectors]) __attribute__((always_inline)) {
        block.read(x, row, to[0]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) {
          const Value distance = to[0][v] - average[0][v];
          to[0][v] = distance * distance;
        }
      });
      block.write(averages, 0, average[0]);
      block.write(squares, 0, square[0]);
    });
  });
  // Chan's formula: means and squared distances of two sets give those of their union without cancellation.
  call.pool->run(ceilDiv(channels, kSlice), [&](int64_t slice, int) {
    const int64_t from = slice * kSlice, n = lesser(kSlice, channels - from);
    double average[kSlice] = {}, squares[kSlice] = {}, count = 0;
    for (int64_t chunk = 0; chunk < r.chunks; chunk++) {
      const T* its = chunks + chunk * 2 * channels + from;
      const double more = static_cast<double>(r.last(chunk) - chunk * r.perChunk);
      const double share = more / (count + more), both = count * share;
      for (int64_t c = 0; c < n; c++) {
        const double difference = static_cast<double>(its[c]) - average[c];
        squares[c] += static_cast<double>(its[channels + c]) + difference * difference * both;
        average[c] += difference * share;
      }
      count += more;
    }
    for (int64_t c = 0; c < n; c++) {
      const double spread = r.rows ? squares[c] / count : 0;
      mean[from + c] = static_cast<T>(average[c]);
      variance[from + c] = static_cast<T>(spread);
      const double factor = gamma ? static_cast<double>(gamma->as<T>()[from + c]) : 1.0;
      scale[from + c] = static_cast<T>(factor / __builtin_sqrt(spread + epsilon));
      offset[from + c] = beta ? beta->as<T>()[from + c] : T(0);
    }
  });
  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = r.last(chunk);
    overChannels<T>(channels, [&](auto vectors, auto whole, int64_t c) __attribute__((always_inline)) {
      constexpr int kVectors = decltype(vectors)::value;
      const Block<kVectors, decltype(whole)::value, T> block{c, channels};
      using Value = typename Lanes<T>::Value;
      Value average[kVectors], factor[kVectors], added[kVectors];
      block.read(mean, 0, average);
      block.read(scale, 0, factor);
      block.read(offset, 0, added);
      for (int64_t row = first; row < last; row++) {
        Value value[kVectors], more[kVectors] = {};
        block.read(x, row, value);
        if (residual) block.read(residual, row, more);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) {
          value[v] = (value[v] - average[v]) * factor[v] + added[v];
          if (residual) value[v] = value[v] + more[v];
          if (relu) value[v] = value[v] < Lanes<T>::all(0) ? Lanes<T>::all(0) : value[v];
        }
        block.write(y, row, value);
      }
    });
  });
}

template <class T> void gradient(const Call& call) {
  const Rows r = rowsOf(call.in[0]);
  const int64_t channels = r.channels;
  const T* x = call.in[0].as<T>();
  const Tensor* gamma = optional(call, 1);
  const T *mean = call.in[2].as<T>(), *variance = call.in[3].as<T>(), *dy = call.in[4].as<T>();
  T *dx = call.out[0].as<T>(), *dgamma = call.out[1].as<T>(), *dbeta = call.out[2].as<T>();
  const double epsilon = call.floats[0];
  T* chunks = reinterpret_cast<T*>(call.scratch);
  T *scale = chunks + r.chunks * 2 * channels, *product = scale + channels, *sum = product + channels;

  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = r.last(chunk);
    T *products = chunks + chunk * 2 * channels, *sums = products + channels;
    overChannels<T>(channels, [&](auto vectors, auto whole, int64_t c) __attribute__((always_inline)) {
      constexpr int kVectors = decltype(vectors)::value;
      const Block<kVectors, decltype(whole)::value, T> block{c, channels};
      using Value = typename Lanes<T>::Value;
      Value average[kVectors], totals[2][kVectors];
      block.read(mean, 0, average);
      sumRows(first, last, totals, [&](int64_t row, Value(&to)[2][kVectors]) __attribute__((always_inline)) {
        Value position[kVectors];
        block.read(dy, row, to[1]);
        block.read(x, row, position);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++) to[0][v] = to[1][v] * (position[v] - average[v]);
      });
      block.write(products, 0, totals[0]);
      block.write(sums, 0, totals[1]);
    });
  });

  // dx = γ·s·(dy − mean(dy) − x̂·mean(dy·x̂)), with s = 1/√(variance + ε)
  const double share = r.rows ? 1.0 / static_cast<double>(r.rows) : 0.0;
  call.pool->run(ceilDiv(channels, kSlice), [&](int64_t slice, int) {
    const int64_t from = slice * kSlice, n = lesser(kSlice, channels - from);
    sumChunks(chunks + from, r.chunks, 2 * channels, n, dgamma + from);
    sumChunks(chunks + channels + from, r.chunks, 2 * channels, n, dbeta + from);
    for (int64_t c = from; c < from + n; c++) {
      const double s = 1 / __builtin_sqrt(static_cast<double>(variance[c]) + epsilon);
      dgamma[c] = static_cast<T>(static_cast<double>(dgamma[c]) * s);
      scale[c] = static_cast<T>(gamma ? s * static_cast<double>(gamma->as<T>()[c]) : s);
      product[c] = static_cast<T>(static_cast<double>(dgamma[c]) * s * share);
      sum[c] = static_cast<T>(static_cast<double>(dbeta[c]) * share);
    }
  });
  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = r.last(chunk);
    overChannels<T>(channels, [&](auto vectors, auto whole, int64_t c) __attribute__((always_inline)) {
      constexpr int kVectors = decltype(vectors)::value;
      const Block<kVectors, decltype(whole)::value, T> block{c, channels};
      using Value = typename Lanes<T>::Value;
      Value average[kVectors], factor[kVectors], slope[kVectors], level[kVectors];
      block.read(mean, 0, average);
      block.read(scale, 0, factor);
      block.read(product, 0, slope);
      block.read(sum, 0, level);
      for (int64_t row = first; row < last; row++) {
        Value value[kVectors], position[kVectors];
        block.read(dy, row, value);
        block.read(x, row, position);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; v++)
          value[v] = (value[v] - level[v] - (position[v] - average[v]) * slope[v]) * factor[v];
        block.write(dx, row, value);
      }
    });
  });
}

void batchNormalization(const Call& call) {
  call.in[0].dtype == DType::float64 ? forward<double>(call) : forward<float>(call);
}
void batchNormalizationGradient(const Call& call) {
  call.in[0].dtype == DType::float64 ? gradient<double>(call) : gradient<float>(call);
}

}  // namespace

}  // namespace fathom::FATHOM_ISA

KERNELS(batch_normalization, {{"batchNormalization", batchNormalization, scratchBytes},
                              {"batchNormalizationGradient", batchNormalizationGradient, scratchBytes}})
