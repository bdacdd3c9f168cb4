// Kernels against plain float64 loops, on odd sizes, every instruction set and several numbers of threads.
#include "reference.h"

using namespace fathom::test;
using fathom::Pool;

namespace {

struct Product {
  std::vector<int64_t> aBatch, bBatch, batch;
  int64_t m, n, k;
};

void testMatmul(const Product& p, bool ta, bool tb, bool bias, bool residual, int64_t activation) {
  const auto shape = [](std::vector<int64_t> batch, int64_t rows, int64_t columns) {
    batch.push_back(rows);
    batch.push_back(columns);
    return batch;
  };
  Host a = random(ta ? shape(p.aBatch, p.k, p.m) : shape(p.aBatch, p.m, p.k));
  Host b = random(tb ? shape(p.bBatch, p.n, p.k) : shape(p.bBatch, p.k, p.n));
  Host c(shape(p.batch, p.m, p.n));
  const Host add = bias ? random({p.n}) : Host(), more = residual ? random(c.dims) : Host();
  const auto offset = [&](const std::vector<int64_t>& dims, int64_t index) {
    int64_t at = 0, step = 1;
    for (int d = static_cast<int>(p.batch.size()) - 1, e = static_cast<int>(dims.size()) - 1; d >= 0; d--, e--) {
      if (e >= 0) {
        at += dims[e] == 1 ? 0 : index % p.batch[d] * step;
        step *= dims[e];
      }
      index /= p.batch[d];
    }
    return at;
  };
  const int64_t matrices = p.m > 0 && p.n > 0 ? static_cast<int64_t>(c.values.size()) / (p.m * p.n) : 0;
  for (int64_t i = 0; i < matrices; i++) {
    const double* x = a.values.data() + offset(p.aBatch, i) * p.m * p.k;
    const double* y = b.values.data() + offset(p.bBatch, i) * p.k * p.n;
    for (int64_t r = 0; r < p.m; r++)
      for (int64_t s = 0; s < p.n; s++) {
        double sum = 0;
        for (int64_t q = 0; q < p.k; q++)
          sum += (ta ? x[q * p.m + r] : x[r * p.k + q]) * (tb ? y[s * p.k + q] : y[q * p.n + s]);
        double& out = c.values[(i * p.m + r) * p.n + s];
        out = activated(sum + (bias ? add.values[s] : 0) + (residual ? more.values[(i * p.m + r) * p.n + s] : 0),
                        activation);
      }
  }
  char label[100];
  std::snprintf(label, sizeof label, "%ldx%ldx%ld batch %ld ta %d tb %d bias %d residual %d act %ld", p.m, p.n, p.k,
                matrices, ta, tb, bias, residual, activation);
  run({"matmul",
       label,
       {a, b, add, more},
       {c},
       {ta, tb, activation},
       {},
       activation > 1 ? 2e-6 * std::sqrt(p.k + 2.0) : 3e-6,
       p.m * p.n * p.k < 300000});
  if (activation != 0 || p.m * p.n * p.k >= 300000) return;
  const Host mask = random(c.dims);
  for (size_t i = 0; i < c.values.size(); i++) c.values[i] = mask.values[i] > 0 ? c.values[i] : 0;
  run({"matmul", std::string(label) + " masked", {a, b, add, more, mask}, {c}, {ta, tb, 0}, {}, 3e-6, false});
}

void testMatmuls() {
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      for (int64_t m : {0, 1, 2, 5, 13, 14, 15, 29, 71})
        for (int64_t n : {1, 7, 16, 17, 32, 33, 50})
          for (int64_t k : {0, 1, 3, 16, 47}) testMatmul({{}, {}, {}, m, n, k}, ta, tb, m % 2, n % 2, (m + n + k) % 6);
      testMatmul({{}, {}, {}, 32, 128, 784}, ta, tb, true, false, 1);
      testMatmul({{}, {}, {}, 128, 10, 3000}, ta, tb, true, true, 2);
      testMatmul({{}, {}, {}, 9, 20, 9216}, ta, tb, true, true, 0);
      testMatmul({{}, {}, {}, 257, 131, 389}, ta, tb, false, false, 0);
      testMatmul({{}, {}, {}, 130, 512, 512}, ta, tb, true, true, 5);
      testMatmul({{}, {}, {}, 40, 1100, 400}, ta, tb, true, true, 0);
      testMatmul({{}, {}, {}, 1700, 33, 64}, ta, tb, true, true, 0);
      testMatmul({{}, {}, {}, 1, 515, 300}, ta, tb, true, true, 3);
      testMatmul({{}, {}, {}, 515, 1, 2300}, ta, tb, true, true, 3);
      testMatmul({{}, {}, {}, 5, 3, 3000}, ta, tb, true, true, 3);
      testMatmul({{7}, {7}, {7}, 19, 21, 16}, ta, tb, true, true, 0);
      testMatmul({{7}, {1}, {7}, 19, 21, 16}, ta, tb, true, true, 0);
      testMatmul({{7}, {}, {7}, 19, 21, 16}, ta, tb, true, true, 0);
      testMatmul({{1}, {7}, {7}, 19, 21, 16}, ta, tb, false, true, 0);
      testMatmul({{2, 1, 3}, {5, 1}, {2, 5, 3}, 4, 6, 8}, ta, tb, true, true, 0);
      testMatmul({{3, 40}, {3, 40}, {3, 40}, 17, 17, 65}, ta, tb, false, false, 0);
      testMatmul({{2}, {2}, {2}, 130, 70, 300}, ta, tb, false, false, 0);
      testMatmul({{3}, {3}, {3}, 0, 4, 5}, ta, tb, false, false, 0);
    }
}

void testConvolution(const ConvSizes& s, bool extras = true, double tolerance = 2e-6) {
  const int64_t activation = extras ? 1 + (s.h + s.c) % 2 : 0;
  const Host x = random({s.n, s.h, s.w, s.c}), filter = random({s.kh, s.kw, s.c / s.groups, s.o});
  Host y({s.n, s.oh(), s.ow(), s.o});
  everyProduct(s, [&](int64_t i, int64_t j, int64_t k) { y.values[k] += x.values[i] * filter.values[j]; });
  const Host bias = extras ? random({s.o}) : Host(), residual = extras ? random(y.dims) : Host();
  if (extras)
    for (size_t i = 0; i < y.values.size(); i++)
      y.values[i] = activated(y.values[i] + bias.values[i % s.o] + residual.values[i], activation);
  const bool small = s.n * s.h * s.w * s.c * s.kh * s.kw * s.o / s.groups < 400000;
  run({"conv2d",
       s.label(),
       {x, filter, bias, residual},
       {y},
       s.ints(activation),
       {},
       activation == 2 ? tolerance * std::sqrt(s.kh * s.kw * s.c) / 2 : tolerance,
       small});
  const Host dy = random(y.dims);
  Host dx(x.dims), dw(filter.dims);
  everyProduct(s, [&](int64_t i, int64_t j, int64_t k) {
    dx.values[i] += dy.values[k] * filter.values[j];
    dw.values[j] += dy.values[k] * x.values[i];
  });
  run({"conv2dInputGradient", s.label(), {dy, filter}, {dx}, s.ints(), {}, tolerance * 2, small});
  const Host added = random(x.dims), mask = random(x.dims);
  for (size_t i = 0; i < dx.values.size(); i++) dx.values[i] = mask.values[i] > 0 ? dx.values[i] + added.values[i] : 0;
  run({"conv2dInputGradient", s.label() + " masked", {dy, filter, added, mask}, {dx}, s.ints(), {}, tolerance * 2, false});
  run({"conv2dFilterGradient", s.label(), {x, dy}, {dw}, s.ints(), {}, tolerance * 4, small});
}

void testConvolutions() {
  testConvolution({2, 7, 9, 3, 5, 3, 3});
  testConvolution({2, 28, 28, 1, 32, 3, 3});
  testConvolution({1, 30, 31, 3, 16, 7, 7, 2, 2, 3, 3, 3, 3});
  testConvolution({2, 8, 8, 4, 6, 1, 1});
  testConvolution({3, 9, 7, 5, 33, 1, 1, 2, 2});
  testConvolution({2, 9, 11, 6, 8, 3, 3, 2, 1, 0, 1, 1, 0});
  testConvolution({1, 13, 12, 4, 6, 3, 2, 1, 1, 2, 1, 2, 0, 2, 3});
  testConvolution({1, 13, 12, 4, 6, 3, 3, 2, 3, 1, 1, 1, 1, 1, 1});
  testConvolution({1, 15, 14, 4, 6, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2});
  testConvolution({1, 9, 9, 4, 6, 1, 1, 3, 3});
  testConvolution({1, 9, 9, 4, 6, 2, 2, 3, 3});
  testConvolution({2, 8, 9, 6, 9, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3});
  testConvolution({2, 8, 9, 6, 40, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 2});
  testConvolution({2, 8, 9, 18, 18, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 18});
  testConvolution({2, 8, 9, 35, 35, 3, 3, 2, 2, 0, 1, 1, 0, 1, 1, 35});
  testConvolution({1, 11, 9, 5, 5, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 5});
  testConvolution({2, 8, 9, 5, 10, 3, 3, 2, 1, 1, 1, 1, 1, 1, 1, 5});
  testConvolution({2, 9, 8, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 8});
  testConvolution({2, 9, 8, 24, 48, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 24});
  testConvolution({2, 9, 8, 20, 10, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 10});
  testConvolution({2, 9, 8, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2});
  testConvolution({1, 1, 1, 3, 5, 1, 1});
  testConvolution({1, 3, 3, 17, 16, 3, 3});
  testConvolution({0, 5, 5, 2, 3, 3, 3}, false);
  testConvolution({1, 2, 2, 4, 5, 3, 3}, false);  // no outputs, so gradients of zero
  testConvolution({2, 1, 5, 32, 16, 3, 3, 1, 1, 0, 1, 0, 1}, false);
  testConvolution({2, 2, 5, 6, 6, 3, 3, 2, 2, 0, 0, 0, 0, 1, 1, 6}, false);
  testConvolution({1, 40, 300, 40, 20, 5, 3, 1, 1, 2, 1, 2, 1}, true, 3e-6);
  testConvolution({1, 3, 700, 300, 4, 3, 3, 1, 1, 1, 1, 1, 1}, true, 2e-5);
  // Filters of three, stride one and many channels: where Winograd takes over.
  const double looser = 1e-5;
  testConvolution({3, 26, 26, 32, 64, 3, 3}, true, looser);
  testConvolution({2, 14, 13, 48, 32, 3, 3, 1, 1, 1, 1, 1, 1}, true, looser);
  testConvolution({2, 7, 9, 17, 37, 3, 3, 1, 1, 1, 1, 1, 1}, true, looser);
  testConvolution({1, 5, 4, 64, 130, 3, 3, 1, 1, 0, 1, 2, 0}, true, looser);
  testConvolution({2, 10, 11, 16, 16, 3, 3, 1, 1, 2, 2, 2, 2}, true, looser);
  testConvolution({5, 15, 16, 130, 96, 3, 3, 1, 1, 1, 1, 1, 1}, true, looser);
  testConvolution({6, 12, 12, 40, 300, 3, 3, 1, 1, 1, 1, 1, 1}, true, looser);
  testConvolution({1, 3, 3, 32, 32, 3, 3}, true, looser);
}

void testPooling(int64_t h, int64_t w, int64_t c, std::vector<int64_t> ints) {
  const int64_t n = 2, oh = ConvSizes::outputs(h + ints[4] + ints[6] - ints[0], ints[2]);
  const int64_t ow = ConvSizes::outputs(w + ints[5] + ints[7] - ints[1], ints[3]);
  Host x = random({n, h, w, c});
  for (double& v : x.values) v = std::round(v * 4);  // ties
  Host largest({n, oh, ow, c}), average(largest.dims);
  const Host dy = random(largest.dims);
  Host dMax(x.dims), dAverage(x.dims);
  for (int64_t i = 0; i < n * oh * ow * c; i++) {
    const int64_t p = i % c, q = i / c % ow, r = i / c / ow % oh, image = i / c / ow / oh;
    int64_t best = -1;
    std::vector<int64_t> inside;
    for (int64_t a = r * ints[2] - ints[4]; a < r * ints[2] - ints[4] + ints[0]; a++)
      for (int64_t b = q * ints[3] - ints[5]; b < q * ints[3] - ints[5] + ints[1]; b++)
        if (a >= 0 && a < h && b >= 0 && b < w) inside.push_back(((image * h + a) * w + b) * c + p);
    for (int64_t at : inside) {
      average.values[i] += x.values[at] / static_cast<double>(inside.size());
      dAverage.values[at] += dy.values[i] / static_cast<double>(inside.size());
      if (best < 0 || x.values[at] > x.values[best]) best = at;
    }
    largest.values[i] = x.values[best];
    dMax.values[best] += dy.values[i];
  }
  const std::string label =
      std::to_string(h) + "x" + std::to_string(w) + "x" + std::to_string(c) + " pool " + std::to_string(ints[0]);
  run({"maxPool2d", label, {x}, {largest}, ints, {}});
  run({"avgPool2d", label, {x}, {average}, ints, {}});
  run({"maxPool2dGradient", label, {x, largest, dy}, {dMax}, ints, {}});
  run({"avgPool2dGradient", label, {dy}, {dAverage}, ints, {}});
}

void testNormalization(int64_t rows, int64_t c, bool affine, double offset) {
  const Host x = random({rows, c}, 1, offset), dy = random({rows, c});
  const Host gamma = affine ? random({c}) : Host(), beta = affine ? random({c}) : Host();
  const double epsilon = 1e-3;
  const std::string label = std::to_string(rows) + "x" + std::to_string(c) + " offset " + std::to_string(offset);
  for (bool batch : {true, false}) {
    const int64_t sets = batch ? c : rows, size = batch ? rows : c;
    const auto at = [&](int64_t set, int64_t i) { return batch ? i * c + set : set * c + i; };
    const auto channel = [&](int64_t set, int64_t i) { return batch ? set : i; };
    Host y({rows, c}), dx({rows, c}), mean({sets}), spread({sets}), dgamma({c}), dbeta({c});
    for (int64_t s = 0; s < sets; s++) {
      for (int64_t i = 0; i < size; i++) mean.values[s] += x.values[at(s, i)] / size;
      double variance = 0, sum = 0, product = 0;
      for (int64_t i = 0; i < size; i++) variance += std::pow(x.values[at(s, i)] - mean.values[s], 2) / size;
      const double rstd = 1 / std::sqrt(variance + epsilon);
      spread.values[s] = batch ? variance : rstd;
      for (int64_t pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < size; i++) {
          const int64_t p = at(s, i), q = channel(s, i);
          const double hat = (x.values[p] - mean.values[s]) * rstd, scale = affine ? gamma.values[q] : 1;
          const double g = dy.values[p] * scale;
          if (pass == 0) {
            y.values[p] = hat * scale + (affine ? beta.values[q] : 0);
            sum += g / size;
            product += g * hat / size;
            dgamma.values[q] += dy.values[p] * hat;
            dbeta.values[q] += dy.values[p];
          } else {
            dx.values[p] = rstd * (g - sum - hat * product);
          }
        }
    }
    const double tolerance = offset == 0 ? 3e-6 : 3e-4;  // what float32 leaves of a small spread far from 0
    const std::string name = batch ? "batchNormalization" : "layerNormalization";
    run({name, label, {x, gamma, beta}, {y, mean, spread}, {0}, {epsilon}, tolerance});
    run({name + "Gradient", label, {x, gamma, mean, spread, dy}, {dx, dgamma, dbeta}, {}, {epsilon}, tolerance * 10});
    if (!batch) continue;
    const Host residual = random({rows, c});
    for (int64_t i = 0; i < rows * c; i++) y.values[i] += residual.values[i];
    run({name, label + " residual", {x, gamma, beta, residual}, {y, mean, spread}, {0}, {epsilon}, tolerance});
    for (double& v : y.values) v = std::max(v, 0.0);
    run({name, label + " residual relu", {x, gamma, beta, residual}, {y, mean, spread}, {1}, {epsilon}, tolerance});
  }
}

// Every block runs exactly once, whatever the number of threads and blocks, also when jobs follow each other closely.
void testPool() {
  for (int threads : {1, 2, 3, 7}) {
    Pool pool(threads);
    for (int round = 0; round < 4000; round++) {
      const int64_t blocks = round % 37;
      std::vector<int> ran(blocks, 0);
      pool.run(blocks, [&](int64_t block, int thread) {
        ran[block]++;
        *pool.scratch(thread) = static_cast<uint8_t>(block);
      });
      checks++;
      for (int count : ran)
        if (count != 1) {
          failures++;
          std::printf("FAIL pool: a block of %ld ran %d times on %d threads\n", blocks, count, threads);
          return;
        }
    }
  }
}

}  // namespace

int main() {
  testPool();
  testMatmuls();
  std::printf("matmul done: %d checks, %d failures\n", checks, failures);
  testConvolutions();
  std::printf("convolution done: %d checks, %d failures\n", checks, failures);
  for (int64_t c : {1, 5, 16, 33}) {
    testPooling(8, 10, c, {2, 2, 2, 2, 0, 0, 0, 0});
    testPooling(9, 7, c, {3, 3, 2, 2, 1, 1, 1, 1});
    testPooling(9, 7, c, {2, 3, 3, 4, 0, 1, 0, 1});
    testPooling(5, 5, c, {5, 5, 1, 1, 0, 0, 0, 0});
    testPooling(7, 8, c, {3, 2, 1, 2, 1, 0, 1, 0});
    testPooling(2, 8, c, {3, 3, 3, 3, 0, 0, 0, 0});
    testPooling(9, 10, c, {2, 2, 4, 3, 1, 1, 0, 0});
  }
  std::printf("pooling done: %d checks, %d failures\n", checks, failures);
  for (int64_t rows : {1, 3, 64, 1500})
    for (int64_t c : {1, 16, 37, 130})
      for (double offset : {0.0, 100.0}) testNormalization(rows, c, rows != 3, offset);
  testNormalization(2, 3000, true, 0);
  std::printf("%d checks, %d failures\n", checks, failures);
  return failures != 0;
}
