// What every kernel demands of its operands, so that no program, however wrong, makes one reach outside of its memory.
// Kernels without an entry cannot be used by programs.
#pragma once
#include "tensor.h"

namespace fathom {

struct Checked {
  const char* name;
  const char* (*check)(const Call&);  // what is wrong, or nullptr; an absent operand has rank -1
  bool inPlace = false;               // an output may lie exactly over an input of its type and shape
};

const Checked* checkFor(const char* kernel);

}  // namespace fathom
