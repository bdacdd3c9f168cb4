// Runs a kernel of every instruction set this machine has, on 1, 2, 3 and 7 threads, against expected values: operands
// end at unreadable pages, results must not depend on the number of threads, and no output may be left unwritten.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../pool.h"
#include "../tensor.h"

#define FAMILIES(use, isa) \
  use(isa, matmul) use(isa, conv2d) use(isa, pool2d) use(isa, batch_normalization) use(isa, layer_normalization)
#define DECLARE(isa, family)           \
  namespace fathom::isa {              \
  const std::vector<Kernel>& family(); \
  }
#if defined(__x86_64__)
FAMILIES(DECLARE, avx512)
FAMILIES(DECLARE, avx2)
#endif
FAMILIES(DECLARE, portable)

namespace fathom::test {

struct Set {
  std::string name;
  std::vector<Kernel> kernels;
  const Kernel& find(const std::string& kernel) const {
    for (const auto& k : kernels)
      if (kernel == k.name) return k;
    std::printf("no kernel %s\n", kernel.c_str());
    std::exit(1);
  }
};

inline std::vector<Set> instructionSets() {
  std::vector<Set> sets;
#define COLLECT(isa, family) \
  for (const auto& kernel : isa::family()) sets.back().kernels.push_back(kernel);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")) {
    sets.push_back({"avx512", {}});
    FAMILIES(COLLECT, avx512)
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    sets.push_back({"avx2", {}});
    FAMILIES(COLLECT, avx2)
  }
#endif
  sets.push_back({"portable", {}});
  FAMILIES(COLLECT, portable)
  return sets;
}

struct Host {
  std::vector<int64_t> dims;
  std::vector<double> values;
  bool absent = false;

  Host() : absent(true) {}
  explicit Host(std::vector<int64_t> shape) : dims(std::move(shape)) {
    size_t n = 1;
    for (auto d : dims) n *= static_cast<size_t>(d);
    values.assign(n, 0.0);
  }
};

inline Host random(std::vector<int64_t> dims, double scale = 1, double offset = 0) {
  static uint64_t state = 88172645463325252ull;
  Host host(std::move(dims));
  for (double& v : host.values) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    v = static_cast<float>((static_cast<double>(state >> 11) * 0x1p-53 * 2 - 1) * scale + offset);
  }
  return host;
}

// Memory whose end is followed by a page nobody may touch.
class Guarded {
 public:
  explicit Guarded(size_t bytes, bool aligned = false) {
    const size_t page = 4096, rounded = (bytes + 64 + page - 1) / page * page;
    size_ = rounded + page;
    base_ = static_cast<uint8_t*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base_ + rounded, page, PROT_NONE);
    data = base_ + rounded - (aligned ? (bytes + 63) / 64 * 64 : bytes);
    std::memset(base_, 0xff, rounded);  // NaN, in both types
  }
  ~Guarded() { munmap(base_, size_); }
  Guarded(const Guarded&) = delete;
  uint8_t* data;

 private:
  uint8_t* base_;
  size_t size_;
};

inline int failures = 0, checks = 0;

struct Case {
  std::string kernel, label;
  std::vector<Host> in;
  std::vector<Host> expected;
  std::vector<int64_t> ints;
  std::vector<double> floats;
  double tolerance = 2e-6;
  bool float64 = true;  // run it in float64, too
};

template <class T> void runCase(const Case& test, const Set& set, std::vector<std::unique_ptr<Pool>>& pools) {
  const bool isDouble = sizeof(T) == 8;
  const Kernel& kernel = set.find(test.kernel);
  std::vector<std::vector<T>> first;
  for (auto& pool : pools) {
    std::vector<std::unique_ptr<Guarded>> memory;
    const auto make = [&](const Host& host, bool fill) {
      Tensor t;
      t.dtype = isDouble ? DType::float64 : DType::float32;
      t.rank = static_cast<int32_t>(host.dims.size());
      for (size_t d = 0; d < host.dims.size(); d++) t.dims[d] = host.dims[d];
      if (host.absent) return t;
      memory.push_back(std::make_unique<Guarded>(host.values.size() * sizeof(T)));
      t.data = memory.back()->data;
      if (fill)
        for (size_t i = 0; i < host.values.size(); i++) t.as<T>()[i] = static_cast<T>(host.values[i]);
      return t;
    };
    std::vector<Tensor> in, out;
    for (const auto& host : test.in) in.push_back(make(host, true));
    for (const auto& host : test.expected) out.push_back(make(host, false));
    Call call;
    call.in = in.data();
    call.inCount = static_cast<int>(in.size());
    call.out = out.data();
    call.outCount = static_cast<int>(out.size());
    call.ints = test.ints.data();
    call.intCount = static_cast<int>(test.ints.size());
    call.floats = test.floats.data();
    call.floatCount = static_cast<int>(test.floats.size());
    call.pool = pool.get();
    Guarded scratch(kernel.scratch ? kernel.scratch(call) : 0, true);
    call.scratch = scratch.data;
    kernel.run(call);
    for (size_t o = 0; o < out.size(); o++) {
      const auto& expected = test.expected[o].values;
      const T* actual = out[o].as<T>();
      const char* type = isDouble ? "float64" : "float32";
      checks++;
      if (first.size() == o) {
        first.emplace_back(actual, actual + expected.size());
        double worst = 0, most = 0.1;  // a value that should be 0 may be a rounding error
        for (size_t i = 0; i < expected.size(); i++) {
          const double distance = std::fabs(static_cast<double>(actual[i]) - expected[i]);
          if (!(distance <= worst)) worst = distance;
          if (std::isnan(worst)) break;
          most = std::max(most, std::fabs(expected[i]));
        }
        if (!(worst / most <= (isDouble ? 1e-12 : test.tolerance))) {
          failures++;
          std::printf("FAIL %s %s %s %s output %zu: error %.3g of %.3g\n", set.name.c_str(), type, test.kernel.c_str(),
                      test.label.c_str(), o, worst, most);
        }
      } else if (!expected.empty() && std::memcmp(first[o].data(), actual, expected.size() * sizeof(T)) != 0) {
        failures++;
        std::printf("FAIL %s %s %s %s output %zu differs on %d threads\n", set.name.c_str(), type, test.kernel.c_str(),
                    test.label.c_str(), o, pool->threads());
      }
    }
  }
}

inline void run(const Case& test) {
  static const auto sets = instructionSets();
  static auto* pools = [] {
    auto* made = new std::vector<std::unique_ptr<Pool>>;
    for (int threads : {1, 2, 3, 7}) made->push_back(std::make_unique<Pool>(threads));
    return made;
  }();
  static std::vector<std::unique_ptr<Pool>> none;
  for (const auto& set : sets) {
    runCase<float>(test, set, *pools);
    if (test.float64) runCase<double>(test, set, *pools);
  }
}

}  // namespace fathom::test
