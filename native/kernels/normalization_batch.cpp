// Batch normalization over all but the last axis. floats = {epsilon}; ints[0] = activation (forward only)
//
// batchNormalization: x [..,c], gamma [c]?, beta [c]? -> y, mean [c], variance [c] (biased)
// batchNormalizationGradient: x, gamma?, mean, variance, dy -> dx, dgamma [c], dbeta [c]
#include "normalization.h"

namespace fathom::FATHOM_ISA {

namespace {

struct Rows {
  int64_t rows, channels, perChunk, chunks;
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

// Per chunk two vectors of channels: (mean, squared distances) forward, (Σ dy·x̂, Σ dy) backward; and two more vectors.
size_t scratchBytes(const Call& call) {
  const Rows r = rowsOf(call.in[0]);
  return (r.chunks + 1) * 2 * r.channels * sizeOf(call.in[0].dtype);
}

template <class T> void forward(const Call& call) {
  using L = Lanes<T>;
  const Rows r = rowsOf(call.in[0]);
  const int64_t channels = r.channels;
  const T* x = call.in[0].as<T>();
  const Tensor *gamma = optional(call, 1), *beta = optional(call, 2);
  T *y = call.out[0].as<T>(), *mean = call.out[1].as<T>(), *variance = call.out[2].as<T>();
  const double epsilon = call.floats[0];
  const bool relu = call.intCount > 0 && call.ints[0] == static_cast<int64_t>(Activation::relu);
  T* chunks = reinterpret_cast<T*>(call.scratch);
  T* scale = chunks + r.chunks * 2 * channels;

  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = lesser(r.rows, first + r.perChunk);
    T *average = chunks + chunk * 2 * channels, *squares = average + channels;
    std::memset(average, 0, 2 * channels * sizeof(T));
    addRows(average, channels, first, last,
            [&](int64_t row, int64_t c, int64_t n) { return L::read(x + row * channels + c, n); });
    for (int64_t c = 0; c < channels; c++) average[c] /= static_cast<T>(last - first);
    addRows(squares, channels, first, last, [&](int64_t row, int64_t c, int64_t n) {
      const auto distance = L::read(x + row * channels + c, n) - L::read(average + c, n);
      return distance * distance;
    });
  });
  // Chan's formula: means and squared distances of two sets give those of their union without cancellation.
  constexpr int64_t kSlice = 64;
  call.pool->run(ceilDiv(channels, kSlice), [&](int64_t slice, int) {
    for (int64_t c = slice * kSlice; c < lesser(channels, (slice + 1) * kSlice); c++) {
      double average = 0, squares = 0, count = 0;
      for (int64_t chunk = 0; chunk < r.chunks; chunk++) {
        const T* its = chunks + chunk * 2 * channels;
        const double more = static_cast<double>(lesser(r.rows, (chunk + 1) * r.perChunk) - chunk * r.perChunk);
        const double difference = static_cast<double>(its[c]) - average;
        squares += static_cast<double>(its[channels + c]) + difference * difference * count * more / (count + more);
        average += difference * more / (count + more);
        count += more;
      }
      const double spread = r.rows ? squares / count : 0;
      mean[c] = static_cast<T>(average);
      variance[c] = static_cast<T>(spread);
      scale[c] =
          static_cast<T>((gamma ? static_cast<double>(gamma->as<T>()[c]) : 1.0) / __builtin_sqrt(spread + epsilon));
    }
  });
  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t last = lesser(r.rows, (chunk + 1) * r.perChunk);
    for (int64_t row = chunk * r.perChunk; row < last; row++) {
      for (int64_t c = 0; c < channels; c += L::count) {
        const int64_t n = lesser(L::count, channels - c), at = row * channels + c;
        auto value = (L::read(x + at, n) - L::read(mean + c, n)) * L::read(scale + c, n);
        if (beta) value = value + L::read(beta->as<T>() + c, n);
        if (relu) value = value < L::all(0) ? L::all(0) : value;
        L::write(y + at, value, n);
      }
    }
  });
}

template <class T> void gradient(const Call& call) {
  using L = Lanes<T>;
  const Rows r = rowsOf(call.in[0]);
  const int64_t channels = r.channels;
  const T* x = call.in[0].as<T>();
  const Tensor* gamma = optional(call, 1);
  const T *mean = call.in[2].as<T>(), *variance = call.in[3].as<T>(), *dy = call.in[4].as<T>();
  T *dx = call.out[0].as<T>(), *dgamma = call.out[1].as<T>(), *dbeta = call.out[2].as<T>();
  const double epsilon = call.floats[0];
  T* chunks = reinterpret_cast<T*>(call.scratch);
  T* inverse = chunks + r.chunks * 2 * channels;
  for (int64_t c = 0; c < channels; c++)
    inverse[c] = static_cast<T>(1 / __builtin_sqrt(static_cast<double>(variance[c]) + epsilon));

  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t first = chunk * r.perChunk, last = lesser(r.rows, first + r.perChunk);
    T *products = chunks + chunk * 2 * channels, *sums = products + channels;
    std::memset(products, 0, 2 * channels * sizeof(T));
    addRows(products, channels, first, last, [&](int64_t row, int64_t c, int64_t n) {
      const int64_t at = row * channels + c;
      return L::read(dy + at, n) * ((L::read(x + at, n) - L::read(mean + c, n)) * L::read(inverse + c, n));
    });
    addRows(sums, channels, first, last,
            [&](int64_t row, int64_t c, int64_t n) { return L::read(dy + row * channels + c, n); });
  });
  sumChunks(chunks, r.chunks, 2 * channels, channels, dgamma);
  sumChunks(chunks + channels, r.chunks, 2 * channels, channels, dbeta);

  // dx = γ·s·(dy − mean(dy) − x̂·mean(dy·x̂)), with s = 1/√(variance + ε)
  const auto share = L::all(r.rows ? 1.0 / static_cast<double>(r.rows) : 0.0);
  call.pool->run(r.chunks, [&](int64_t chunk, int) {
    const int64_t last = lesser(r.rows, (chunk + 1) * r.perChunk);
    for (int64_t row = chunk * r.perChunk; row < last; row++) {
      for (int64_t c = 0; c < channels; c += L::count) {
        const int64_t n = lesser(L::count, channels - c), at = row * channels + c;
        const auto s = L::read(inverse + c, n);
        const auto normal = (L::read(x + at, n) - L::read(mean + c, n)) * s;
        auto value = L::read(dy + at, n) - L::read(dbeta + c, n) * share - normal * (L::read(dgamma + c, n) * share);
        value = value * s;
        if (gamma) value = value * L::read(gamma->as<T>() + c, n);
        L::write(dx + at, value, n);
      }
    }
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
