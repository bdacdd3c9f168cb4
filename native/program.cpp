#include "program.h"

#include <cmath>
#include <cstring>
#include <string>

#include "failure.h"
#include "registry.h"

namespace fathom {

namespace {

constexpr int kMostCount = 1 << 24;

class Reader {
 public:
  explicit Reader(std::span<const double> data) : data_(data) {}

  double number() {
    if (at_ >= data_.size()) fail("PROGRAM", "the encoding ends early");
    return data_[at_++];
  }
  int64_t integer(int64_t low, int64_t high, const char* what) {
    const double value = number();
    // Written so that NaN fails as well.
    if (!(value >= static_cast<double>(low) && value <= static_cast<double>(high)) || value != std::floor(value))
      fail("PROGRAM", std::string(what) + " is " + std::to_string(value) + ", expected an integer in [" +
                          std::to_string(low) + ", " + std::to_string(high) + "]");
    return static_cast<int64_t>(value);
  }
  // A count of things that take at least one number each, so that a lie about it cannot make us allocate much.
  int count(const char* what) {
    const int64_t left = static_cast<int64_t>(data_.size() - at_);
    return static_cast<int>(integer(0, left < kMostCount ? left : kMostCount, what));
  }
  bool finished() const { return at_ == data_.size(); }

 private:
  std::span<const double> data_;
  size_t at_ = 0;
};

DimSpec readDim(Reader& in, const Program& program) {
  DimSpec dim;
  dim.coefficient = in.integer(-kMostBytes, kMostBytes, "a dimension's coefficient");
  dim.offset = in.integer(-kMostBytes, kMostBytes, "a dimension's offset");
  const int count = static_cast<int>(in.integer(0, 8, "a dimension's symbol count"));
  for (int j = 0; j < count; j++)
    dim.symbols.push_back(static_cast<int>(in.integer(0, static_cast<int64_t>(program.bounds.size()) - 1, "a symbol")));
  return dim;
}

TensorSpec readTensor(Reader& in, const Program& program) {
  TensorSpec spec;
  spec.dtype = static_cast<DType>(in.integer(0, 6, "a dtype"));
  const int rank = static_cast<int>(in.integer(0, kMaxRank, "a rank"));
  spec.storage = static_cast<Storage>(in.integer(0, 4, "a storage"));
  spec.where = in.integer(0, kMostBytes, "a storage's place");
  for (int i = 0; i < rank; i++) spec.dims.push_back(readDim(in, program));
  return spec;
}

int64_t bytesOf(const Tensor& tensor) { return tensor.size() * static_cast<int64_t>(sizeOf(tensor.dtype)); }

void checkStorage(Program& program, TensorSpec& spec) {
  spec.boundBytes = bytesOf(program.shape(spec, program.bounds.data()));
  const int64_t align = static_cast<int64_t>(sizeOf(spec.dtype));
  int64_t slots = 0;
  switch (spec.storage) {
    case Storage::arena:
    case Storage::constant: {
      const int64_t total =
          spec.storage == Storage::arena ? program.arenaBytes : static_cast<int64_t>(program.constants.size());
      if (spec.where > total || spec.boundBytes > total - spec.where) fail("PROGRAM", "a tensor lies outside its memory");
      if (spec.where % align != 0) fail("PROGRAM", "a tensor is not aligned");
      return;
    }
    case Storage::feed: slots = program.feeds; break;
    case Storage::state: slots = program.states; break;
    case Storage::output: slots = program.outputs; break;
  }
  if (spec.where >= slots) fail("PROGRAM", "a tensor refers to a slot that is not there");
  if (spec.storage == Storage::state)
    for (const DimSpec& dim : spec.dims)
      if (!dim.symbols.empty()) fail("PROGRAM", "a state's shape is not static");
  auto& bytes = program.slotBytes[static_cast<int>(spec.storage)][spec.where];
  if (spec.boundBytes > bytes) bytes = spec.boundBytes;
}

bool overlap(const TensorSpec& a, const TensorSpec& b) {
  if (a.storage != b.storage || a.boundBytes == 0 || b.boundBytes == 0) return false;
  if (a.storage != Storage::arena && a.storage != Storage::constant) return a.where == b.where;
  return a.where < b.where + b.boundBytes && b.where < a.where + a.boundBytes;
}

bool sameShape(const TensorSpec& a, const TensorSpec& b) {
  if (a.dims.size() != b.dims.size()) return false;
  for (size_t i = 0; i < a.dims.size(); i++)
    if (a.dims[i].coefficient != b.dims[i].coefficient || a.dims[i].offset != b.dims[i].offset ||
        a.dims[i].symbols != b.dims[i].symbols)
      return false;
  return true;
}

void checkOverlaps(const Program& program, const Instruction& instruction, int number, bool inPlace) {
  const std::string who = "instruction " + std::to_string(number);
  for (size_t i = 0; i < instruction.outputs.size(); i++) {
    const TensorSpec& out = program.tensors[instruction.outputs[i]];
    if (out.storage == Storage::feed || out.storage == Storage::constant)
      fail("PROGRAM", who + " writes to what may only be read");
    if (out.storage == Storage::state && number < program.commit) fail("PROGRAM", who + " writes state before the commit");
    for (size_t j = 0; j < i; j++)
      if (overlap(out, program.tensors[instruction.outputs[j]])) fail("PROGRAM", who + " has outputs that overlap");
    for (int input : instruction.inputs) {
      if (input < 0) continue;
      const TensorSpec& in = program.tensors[input];
      if (!overlap(out, in)) continue;
      const bool same = in.where == out.where && in.dtype == out.dtype && sameShape(in, out);
      if (!inPlace || !same) fail("PROGRAM", who + " overwrites an input that it still reads");
    }
  }
}

Instruction readInstruction(Reader& in, const Program& program) {
  Instruction instruction;
  instruction.kernel = static_cast<int>(in.integer(0, static_cast<int64_t>(kernels().size()) - 1, "a kernel"));
  const int inputs = in.count("an instruction's number of inputs");
  const int outputs = in.count("an instruction's number of outputs");
  const int ints = in.count("an instruction's number of ints");
  const int dims = in.count("an instruction's number of dimensions");
  const int floats = in.count("an instruction's number of floats");
  const int64_t last = static_cast<int64_t>(program.tensors.size()) - 1;
  for (int i = 0; i < inputs; i++) instruction.inputs.push_back(static_cast<int>(in.integer(-1, last, "an input")));
  for (int i = 0; i < outputs; i++) instruction.outputs.push_back(static_cast<int>(in.integer(0, last, "an output")));
  for (int i = 0; i < ints; i++) instruction.ints.push_back(in.integer(-(int64_t{1} << 53), int64_t{1} << 53, "an attribute"));
  for (int i = 0; i < dims; i++) instruction.dims.push_back(readDim(in, program));
  for (int i = 0; i < floats; i++) instruction.floats.push_back(in.number());
  return instruction;
}

}  // namespace

int64_t Program::dimension(const DimSpec& dim, const int64_t* symbols) const {
  __int128 size = dim.coefficient;
  for (int symbol : dim.symbols) {
    size *= symbols[symbol];
    if (size > kMostBytes || size < -kMostBytes) fail("PROGRAM", "a dimension is too large");
  }
  size += dim.offset;
  if (size < 0 || size > kMostBytes) fail("SHAPE", "a dimension would be " + std::to_string(static_cast<double>(size)));
  return static_cast<int64_t>(size);
}

std::vector<int64_t> Program::attributes(const Instruction& instruction, const int64_t* symbols) const {
  std::vector<int64_t> result = instruction.ints;
  for (const DimSpec& dim : instruction.dims) result.push_back(dimension(dim, symbols));
  return result;
}

Tensor Program::shape(const TensorSpec& spec, const int64_t* symbols) const {
  Tensor tensor;
  tensor.dtype = spec.dtype;
  tensor.rank = static_cast<int32_t>(spec.dims.size());
  __int128 size = 1;
  for (int i = 0; i < tensor.rank; i++) {
    tensor.dims[i] = dimension(spec.dims[i], symbols);
    // Zeros count as ones here: kernels multiply only some of the dimensions, and no such product may overflow.
    size *= tensor.dims[i] > 0 ? tensor.dims[i] : 1;
    if (size > kMostBytes) fail("PROGRAM", "a tensor is too large");
  }
  return tensor;
}

void checkCall(const Instruction& instruction, const Call& call, int number) {
  const CheckedKernel& kernel = kernels()[instruction.kernel];
  const char* problem = kernel.check ? kernel.check(call) : "it may not be used in programs";
  if (problem)
    fail("PROGRAM", "instruction " + std::to_string(number) + " (" + kernel.kernel.name + "): " + problem);
}

Program decode(std::span<const double> encoding, std::span<const uint8_t> constants) {
  Reader in(encoding);
  Program program;
  if (in.number() != kMagic) fail("PROGRAM", "this is not a program");
  if (in.number() != kVersion) fail("PROGRAM", "the program is of another version; rebuild with \"npm run build:native\"");
  const int symbols = in.count("the number of symbols");
  const int tensors = in.count("the number of tensors");
  const int instructions = in.count("the number of instructions");
  program.feeds = static_cast<int>(in.integer(0, kMostCount, "the number of feeds"));
  program.states = static_cast<int>(in.integer(0, kMostCount, "the number of states"));
  program.outputs = static_cast<int>(in.integer(0, kMostCount, "the number of outputs"));
  program.commit = static_cast<int>(in.integer(0, instructions, "the commit"));
  program.arenaBytes = in.integer(0, kMostBytes, "the arena's size");
  if (in.integer(0, kMostBytes, "the constants' size") != static_cast<int64_t>(constants.size()))
    fail("PROGRAM", "the constants are not as long as the program says");
  program.slotBytes[static_cast<int>(Storage::feed)].resize(program.feeds);
  program.slotBytes[static_cast<int>(Storage::state)].resize(program.states);
  program.slotBytes[static_cast<int>(Storage::output)].resize(program.outputs);

  program.constants.assign(constants.begin(), constants.end());
  for (int i = 0; i < symbols; i++) program.bounds.push_back(in.integer(0, kMostBytes, "a symbol's bound"));
  program.tensors.reserve(tensors);
  for (int i = 0; i < tensors; i++) {
    program.tensors.push_back(readTensor(in, program));
    checkStorage(program, program.tensors.back());
  }

  std::vector<Tensor> ins, outs;
  for (int i = 0; i < instructions; i++) {
    Instruction instruction = readInstruction(in, program);
    checkOverlaps(program, instruction, i, kernels()[instruction.kernel].inPlace);
    ins.clear();
    outs.clear();
    for (int id : instruction.inputs)
      ins.push_back(id < 0 ? Tensor{} : program.shape(program.tensors[id], program.bounds.data()));
    // Checks see which operands are there; no check or scratch function follows a data pointer.
    for (size_t j = 0; j < ins.size(); j++)
      if (instruction.inputs[j] < 0) ins[j].rank = -1;
    for (int id : instruction.outputs) outs.push_back(program.shape(program.tensors[id], program.bounds.data()));
    Call call;
    call.in = ins.data();
    call.inCount = static_cast<int>(ins.size());
    call.out = outs.data();
    call.outCount = static_cast<int>(outs.size());
    const auto ints = program.attributes(instruction, program.bounds.data());
    call.ints = ints.data();
    call.intCount = static_cast<int>(ints.size());
    call.floats = instruction.floats.data();
    call.floatCount = static_cast<int>(instruction.floats.size());
    checkCall(instruction, call, i);
    if (const auto scratch = kernels()[instruction.kernel].kernel.scratch) {
      const size_t bytes = scratch(call);
      if (bytes > static_cast<size_t>(kMostBytes)) fail("PROGRAM", "a kernel would need too much scratch");
      if (static_cast<int64_t>(bytes) > program.scratchBytes) program.scratchBytes = static_cast<int64_t>(bytes);
    }
    program.instructions.push_back(std::move(instruction));
  }
  if (!in.finished()) fail("PROGRAM", "the encoding goes on after its end");
  return program;
}

}  // namespace fathom
