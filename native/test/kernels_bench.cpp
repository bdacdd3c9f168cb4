// Speed of the kernels at the shapes of a training step: kernels_bench [threads [set [filter]]]. Minimum of many runs.
#include <chrono>

#include "reference.h"

using namespace fathom::test;
using fathom::Call;
using fathom::DType;
using fathom::Kernel;
using fathom::Pool;
using fathom::Tensor;

namespace {

std::string filter;

struct Bench {
  const Set& set;
  Pool& pool;

  void measure(const std::string& label, const std::string& name, std::vector<std::vector<int64_t>> in,
               std::vector<std::vector<int64_t>> out, std::vector<int64_t> ints, double flops,
               std::vector<double> floats = {}) {
    if ((label + name).find(filter) == std::string::npos) return;
    const Kernel& kernel = set.find(name);
    std::vector<std::unique_ptr<Guarded>> memory;
    double bytes = 0;
    const auto make = [&](const std::vector<int64_t>& dims) {
      Tensor t;
      t.rank = static_cast<int32_t>(dims.size());
      for (size_t d = 0; d < dims.size(); d++) t.dims[d] = dims[d];
      if (dims.empty()) return t;
      memory.push_back(std::make_unique<Guarded>(t.size() * sizeof(float), true));
      t.data = memory.back()->data;
      for (int64_t i = 0; i < t.size(); i++) t.as<float>()[i] = static_cast<float>((i * 7919 % 1021) / 1021.0 - 0.5);
      bytes += static_cast<double>(t.size()) * sizeof(float);
      return t;
    };
    std::vector<Tensor> inputs, outputs;
    for (auto& dims : in) inputs.push_back(make(dims));
    for (auto& dims : out) outputs.push_back(make(dims));
    Call call;
    call.in = inputs.data();
    call.inCount = static_cast<int>(inputs.size());
    call.out = outputs.data();
    call.outCount = static_cast<int>(outputs.size());
    call.ints = ints.data();
    call.intCount = static_cast<int>(ints.size());
    call.floats = floats.data();
    call.pool = &pool;
    Guarded scratch(kernel.scratch ? kernel.scratch(call) : 0, true);
    call.scratch = scratch.data;
    double best = 1e9, spent = 0;
    for (int run = 0; (run < 5 || spent < 0.25) && run < 20000; run++) {
      const auto start = std::chrono::steady_clock::now();
      kernel.run(call);
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      best = std::min(best, seconds);
      spent += seconds;
    }
    if (flops > 0) std::printf("%-52s %10.1f us %8.1f GFLOP/s\n", label.c_str(), best * 1e6, flops / best / 1e9);
    else std::printf("%-52s %10.1f us %8.1f GB/s\n", label.c_str(), best * 1e6, bytes / best / 1e9);
    std::fflush(stdout);
  }

  void product(int64_t m, int64_t n, int64_t k, int64_t ta = 0, int64_t tb = 0, int64_t batch = 0) {
    const std::vector<int64_t> a = ta ? std::vector{k, m} : std::vector{m, k},
                               b = tb ? std::vector{n, k} : std::vector{k, n};
    const auto with = [&](std::vector<int64_t> dims) {
      if (batch) dims.insert(dims.begin(), batch);
      return dims;
    };
    char label[100];
    std::snprintf(label, sizeof label, "matmul %ldx%ldx%ld %s%s batch %ld", m, n, k, ta ? "T" : "N", tb ? "T" : "N",
                  batch);
    measure(label, "matmul", {with(a), with(b)}, {with({m, n})}, {ta, tb, 0}, 2.0 * m * n * k * (batch ? batch : 1));
  }

  void convolution(const ConvSizes& s, bool activation = true) {
    const std::vector<int64_t> x{s.n, s.h, s.w, s.c}, w{s.kh, s.kw, s.c / s.groups, s.o}, y{s.n, s.oh(), s.ow(), s.o};
    const double flops = 2.0 * s.n * s.oh() * s.ow() * s.o * s.kh * s.kw * s.c / s.groups;
    char label[100];
    std::snprintf(label, sizeof label, "conv %ldx%ldx%ldx%ld %ldx%ld/%ld->%ld g%ld ", s.n, s.h, s.w, s.c, s.kh, s.kw,
                  s.sh, s.o, s.groups);
    measure(std::string(label) + "forward", "conv2d", {x, w, {s.o}}, {y}, s.ints(activation), flops);
    measure(std::string(label) + "input gradient", "conv2dInputGradient", {y, w}, {x}, s.ints(), flops);
    measure(std::string(label) + "filter gradient", "conv2dFilterGradient", {x, y}, {w}, s.ints(), flops);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  const std::string wanted = argc > 2 ? argv[2] : "";
  filter = argc > 3 ? argv[3] : "";
  Pool pool(threads);
  for (const auto& set : instructionSets()) {
    if (!wanted.empty() && wanted != "all" && wanted != set.name) continue;
    std::printf("%s, %d threads\n", set.name.c_str(), threads);
    Bench bench{set, pool};
    for (int64_t n : {64, 128, 256, 512, 1024, 2048}) bench.product(n, n, n);
    bench.product(1024, 1024, 1024, 1, 0);
    bench.product(1024, 1024, 1024, 0, 1);
    bench.product(1024, 1024, 1024, 1, 1);
    const int64_t skinny[][3] = {{32, 128, 784}, {128, 128, 9216}, {2048, 512, 128}};  // dense: batch, out, in
    for (const auto& s : skinny) {
      bench.product(s[0], s[1], s[2]);
      bench.product(s[2], s[1], s[0], 1, 0);
      bench.product(s[0], s[2], s[1], 0, 1);
    }
    bench.product(128, 10, 128);
    bench.product(128, 10, 128, 1, 0);
    bench.product(128, 128, 10, 0, 1);
    bench.product(1, 1024, 1024);
    bench.product(1024, 1, 1024);
    bench.product(128, 128, 32, 0, 1, 96);  // attention
    bench.product(128, 32, 128, 0, 0, 96);
    bench.product(16, 16, 16, 0, 0, 1000);
    bench.convolution({128, 28, 28, 1, 32, 3, 3});
    bench.convolution({128, 26, 26, 32, 64, 3, 3});
    bench.convolution({8, 26, 26, 32, 64, 3, 3});
    bench.convolution({32, 13, 13, 32, 64, 3, 3});
    bench.convolution({32, 5, 5, 64, 64, 3, 3});
    bench.convolution({64, 32, 32, 3, 16, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({64, 32, 32, 16, 16, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({64, 32, 32, 16, 32, 3, 3, 2, 2, 0, 0, 1, 1});
    bench.convolution({64, 16, 16, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({64, 8, 8, 64, 64, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({64, 32, 32, 16, 32, 1, 1, 2, 2});
    bench.convolution({32, 32, 32, 3, 32, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({8, 56, 56, 64, 64, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({8, 28, 28, 128, 128, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({8, 14, 14, 256, 256, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({8, 7, 7, 512, 512, 3, 3, 1, 1, 1, 1, 1, 1});
    bench.convolution({8, 28, 28, 128, 256, 3, 3, 2, 2, 0, 0, 1, 1});
    bench.convolution({8, 56, 56, 64, 256, 1, 1});
    bench.convolution({8, 28, 28, 256, 512, 1, 1, 2, 2});
    bench.convolution({4, 224, 224, 3, 64, 7, 7, 2, 2, 3, 3, 3, 3});
    bench.convolution({16, 16, 16, 32, 64, 5, 5, 1, 1, 2, 2, 2, 2});
    bench.convolution({8, 56, 56, 96, 96, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 96});
    bench.convolution({8, 28, 28, 128, 128, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 32});
    const std::vector<int64_t> big{128, 24, 24, 64}, half{128, 12, 12, 64}, halves{2, 2, 2, 2, 0, 0, 0, 0};
    bench.measure("maxPool2d 128x24x24x64", "maxPool2d", {big}, {half}, halves, 0);
    bench.measure("maxPool2dGradient", "maxPool2dGradient", {big, half, half}, {big}, halves, 0);
    bench.measure("avgPool2d", "avgPool2d", {big}, {half}, halves, 0);
    bench.measure("avgPool2dGradient", "avgPool2dGradient", {half}, {big}, halves, 0);
    bench.measure("batchNormalization 128x24x24x64", "batchNormalization", {big, {64}, {64}}, {big, {64}, {64}}, {0}, 0,
                  {1e-3});
    bench.measure("batchNormalizationGradient", "batchNormalizationGradient", {big, {64}, {64}, {64}, big},
                  {big, {64}, {64}}, {}, 0, {1e-3});
    bench.measure("layerNormalization 4096x256", "layerNormalization", {{4096, 256}, {256}, {256}},
                  {{4096, 256}, {4096}, {4096}}, {}, 0, {1e-3});
    bench.measure("layerNormalizationGradient", "layerNormalizationGradient",
                  {{4096, 256}, {256}, {4096}, {4096}, {4096, 256}}, {{4096, 256}, {256}, {256}}, {}, 0, {1e-3});
    if (wanted.empty()) break;
  }
}
