#include "registry.h"

#include <cstdlib>
#include <cstring>

#include "checks.h"
#include "failure.h"
#include "families.inc"

#define DECLARE_FAMILY(isa, family) \
  namespace fathom::isa {           \
  const std::vector<Kernel>& family(); \
  }
#define DECLARE_SET(isa) FATHOM_FAMILIES(DECLARE_FAMILY, isa)
FATHOM_INSTRUCTION_SETS(DECLARE_SET)

namespace fathom {

namespace {

bool available(const char* set) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  if (!std::strcmp(set, "avx2")) return avx2;
  if (!std::strcmp(set, "avx512"))
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd");
#endif
  return true;
}

void collect(std::vector<CheckedKernel>& into, const std::vector<Kernel>& family) {
  for (const Kernel& kernel : family) {
    const Checked* checked = checkFor(kernel.name);
    into.push_back({kernel, checked ? checked->check : nullptr, checked && checked->inPlace});
  }
}

std::vector<CheckedKernel> load(const std::string& set) {
  std::vector<CheckedKernel> result;
#define COLLECT_FAMILY(isa, family) collect(result, isa::family());
#define COLLECT_SET(isa) \
  if (set == #isa) { FATHOM_FAMILIES(COLLECT_FAMILY, isa) }
  FATHOM_INSTRUCTION_SETS(COLLECT_SET)
  return result;
}

}  // namespace

const std::vector<std::string>& instructionSets() {
  static const auto* sets = [] {
    auto* found = new std::vector<std::string>;
#define TRY_SET(isa) \
  if (available(#isa)) found->insert(found->begin(), #isa);
    FATHOM_INSTRUCTION_SETS(TRY_SET)
    return found;
  }();
  return *sets;
}

const std::string& instructionSet() {
  static const auto* chosen = [] {
    const char* wanted = std::getenv("FATHOM_INSTRUCTION_SET");
    if (wanted && *wanted) {
      for (const auto& set : instructionSets())
        if (set == wanted) return new std::string(set);
      fail("NATIVE", std::string("FATHOM_INSTRUCTION_SET=") + wanted + " is not one this processor has");
    }
    return new std::string(instructionSets().front());
  }();
  return *chosen;
}

const std::vector<CheckedKernel>& kernels() {
  static const auto* loaded = new std::vector<CheckedKernel>(load(instructionSet()));
  return *loaded;
}

}  // namespace fathom
