// A program as the TypeScript side encodes it: one array of float64, every number in it a small integer but for
// constants of instructions. It is decoded as hostile input: nothing in it is trusted that is not checked here or, once
// sizes are known, by the kernel's check.
//
//   header   magic, version, symbols, tensors, instructions, feeds, states, outputs, commit, arena, constants
//   symbols  bound …
//   tensors  dtype, rank, storage, where, then for each dimension: coefficient, offset, count, symbol …
//            `where` is a byte offset in the arena or the constants, or the number of a feed, state or output
//   instructions  kernel, inputs, outputs, ints, dimensions, floats, then the tensors' numbers (an absent input is -1), ints,
//                 dimensions (as above: the kernel sees their values behind the ints), floats
//
// Instructions from `commit` on write state; a run is cancelled before them or not at all.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tensor.h"

namespace fathom {

inline constexpr double kMagic = 0x4661746d;  // "Fatm"
inline constexpr double kVersion = 1;
inline constexpr int64_t kMostBytes = int64_t{1} << 46;

enum class Storage : int32_t { arena = 0, constant = 1, feed = 2, state = 3, output = 4 };

struct DimSpec {
  int64_t coefficient = 0;
  int64_t offset = 0;
  std::vector<int> symbols;
};

struct TensorSpec {
  DType dtype = DType::float32;
  Storage storage = Storage::arena;
  int64_t where = 0;
  std::vector<DimSpec> dims;
  int64_t boundBytes = 0;
};

struct Instruction {
  int kernel = 0;
  std::vector<int> inputs, outputs;
  std::vector<int64_t> ints;
  std::vector<DimSpec> dims;
  std::vector<double> floats;
};

struct Program {
  std::vector<int64_t> bounds;  // of the symbols
  std::vector<TensorSpec> tensors;
  std::vector<Instruction> instructions;
  int feeds = 0, states = 0, outputs = 0;
  int commit = 0;
  int64_t arenaBytes = 0;
  int64_t scratchBytes = 0;  // at the bounds
  std::vector<int64_t> slotBytes[5];  // of feeds, states and outputs at the bounds, by storage
  std::vector<uint8_t> constants;
  const uint8_t* constantData = nullptr;  // 64-byte aligned

  // The size of a dimension for these symbols; throws when it is negative or absurd.
  int64_t dimension(const DimSpec& dim, const int64_t* symbols) const;
  // The ints a kernel sees: those of the instruction, then its dimensions.
  std::vector<int64_t> attributes(const Instruction& instruction, const int64_t* symbols) const;
  // A tensor with its sizes and no data.
  Tensor shape(const TensorSpec& spec, const int64_t* symbols) const;
};

// Decodes and checks. @throws Failure "PROGRAM".
Program decode(std::span<const double> encoding, std::span<const uint8_t> constants);

// Runs the kernel's own check on operands whose sizes are known. @throws Failure "PROGRAM".
void checkCall(const Instruction& instruction, const Call& call, int number);

}  // namespace fathom
