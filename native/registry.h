// The kernels of the best instruction set this processor has, by number and by name.
#pragma once
#include <string>
#include <vector>

#include "tensor.h"

namespace fathom {

// Says what is wrong with a call's operands, or nullptr. Called before the kernel ever sees them, with every size known.
using Check = const char* (*)(const Call&);

struct CheckedKernel {
  Kernel kernel;
  Check check;   // nullptr: programs may not use this kernel
  bool inPlace;  // an output may be the very memory of an input of the same shape
};

const std::vector<CheckedKernel>& kernels();
const std::string& instructionSet();           // the one in use: "avx512", "avx2", "portable", "neon"
const std::vector<std::string>& instructionSets();  // those compiled in that this processor has, best first

}  // namespace fathom
