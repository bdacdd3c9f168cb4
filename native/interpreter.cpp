#include "interpreter.h"

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "failure.h"
#include "registry.h"

namespace fathom {

namespace {

constexpr size_t kMostResolved = 64;
constexpr size_t kHugePage = size_t{2} << 20;

// Pools that no run is using now, to be taken by the next one that wants as many threads. As many exist as runs have
// ever overlapped.
class Lease {
 public:
  explicit Lease(int threads) {
    std::lock_guard lock(mutex());
    auto& free = idle();
    for (size_t i = free.size(); i-- > 0;) {
      if (free[i]->threads() != threads) continue;
      pool_ = std::move(free[i]);
      free.erase(free.begin() + static_cast<std::ptrdiff_t>(i));
      pool_->begin();
      return;
    }
    pool_ = std::make_unique<Pool>(threads);
    pool_->begin();
  }
  ~Lease() {
    pool_->end();
    std::unique_ptr<Pool> oldest;  // joined outside of the lock
    std::lock_guard lock(mutex());
    idle().push_back(std::move(pool_));
    if (idle().size() > 16) {
      oldest = std::move(idle().front());
      idle().erase(idle().begin());
    }
  }
  Pool& operator*() const { return *pool_; }

 private:
  static std::mutex& mutex() {
    static auto* it = new std::mutex;
    return *it;
  }
  // Never destroyed: at exit its threads end with the process.
  static std::vector<std::unique_ptr<Pool>>& idle() {
    static auto* it = new std::vector<std::unique_ptr<Pool>>;
    return *it;
  }
  std::unique_ptr<Pool> pool_;
};

}  // namespace

Memory::~Memory() { std::free(data_); }

void Memory::reserve(size_t bytes) {
  if (bytes <= bytes_) return;
  std::free(data_);
  data_ = nullptr;
  bytes_ = 0;
  // Large memory in large pages, where the system has them for those who ask: a step walks through all of it.
  const size_t page = bytes < kHugePage ? 4096 : kHugePage, rounded = (bytes + page - 1) / page * page;
  data_ = static_cast<uint8_t*>(std::aligned_alloc(page, rounded));
#if defined(__linux__)
  if (data_ && page == kHugePage) madvise(data_, rounded, MADV_HUGEPAGE);
#endif
  if (!data_) fail("MEMORY", "the system has no " + std::to_string(bytes) + " bytes for the program");
  bytes_ = rounded;
}

Session::Session(std::shared_ptr<const Program> program, std::vector<Buffer> states, int threads)
    : program_(std::move(program)), states_(std::move(states)), threads_(threads) {
  const auto& bytes = program_->slotBytes[static_cast<int>(Storage::state)];
  if (states_.size() != bytes.size()) fail("SHAPE", "the number of states does not fit the program");
  for (size_t i = 0; i < bytes.size(); i++)
    if (static_cast<int64_t>(states_[i].bytes) < bytes[i]) fail("SHAPE", "a state is smaller than the program says");
}

std::unique_ptr<Session::Resolved> Session::build(std::span<const int64_t> symbols) {
  const Program& program = *program_;
  if (symbols.size() != program.bounds.size()) fail("SHAPE", "the number of symbols does not fit the program");
  for (size_t i = 0; i < symbols.size(); i++)
    if (symbols[i] < 0 || symbols[i] > program.bounds[i]) fail("SHAPE", "a symbol is outside of its bounds");

  auto result = std::make_unique<Resolved>();
  for (int s = 2; s < 5; s++) result->slotBytes[s].resize(program.slotBytes[s].size());
  std::vector<Tensor> shapes;
  for (const TensorSpec& spec : program.tensors) {
    shapes.push_back(program.shape(spec, symbols.data()));
    const int64_t bytes = shapes.back().size() * static_cast<int64_t>(sizeOf(spec.dtype));
    // Not so for a negative coefficient; memory was planned at the bounds.
    if (bytes > spec.boundBytes) fail("SHAPE", "a tensor is larger than at the symbols' bounds");
    if (static_cast<int>(spec.storage) < 2) continue;
    auto& slot = result->slotBytes[static_cast<int>(spec.storage)][spec.where];
    if (bytes > slot) slot = bytes;
  }

  result->ints.reserve(program.instructions.size());
  size_t count = 0;
  for (const Instruction& it : program.instructions) count += it.inputs.size() + it.outputs.size();
  result->operands.reserve(count);  // calls point into it
  for (size_t i = 0; i < program.instructions.size(); i++) {
    const Instruction& it = program.instructions[i];
    if (static_cast<int>(i) == program.commit) result->commit = static_cast<int>(result->calls.size());
    const size_t first = result->operands.size();
    bool empty = true;
    for (int id : it.inputs) {
      result->operands.push_back(id < 0 ? Tensor{} : shapes[id]);
      if (id < 0) result->operands.back().rank = -1;
    }
    for (int id : it.outputs) {
      result->operands.push_back(shapes[id]);
      empty = empty && shapes[id].size() == 0;
    }
    Call call;
    call.in = result->operands.data() + first;
    call.inCount = static_cast<int>(it.inputs.size());
    call.out = result->operands.data() + first + it.inputs.size();
    call.outCount = static_cast<int>(it.outputs.size());
    const auto& ints = result->ints.emplace_back(program.attributes(it, symbols.data()));
    call.ints = ints.data();
    call.intCount = static_cast<int>(ints.size());
    call.floats = it.floats.data();
    call.floatCount = static_cast<int>(it.floats.size());
    checkCall(it, call, static_cast<int>(i));
    if (empty) {
      result->operands.resize(first);
      continue;
    }
    if (const auto scratch = kernels()[it.kernel].kernel.scratch) {
      const size_t bytes = scratch(call);
      if (bytes > static_cast<size_t>(kMostBytes)) fail("PROGRAM", "a kernel would need too much scratch");
      if (bytes > result->scratch) result->scratch = bytes;
    }
    for (size_t j = 0; j < it.inputs.size() + it.outputs.size(); j++) {
      const int id = j < it.inputs.size() ? it.inputs[j] : it.outputs[j - it.inputs.size()];
      if (id < 0) continue;
      const TensorSpec& spec = program.tensors[id];
      Tensor& operand = result->operands[first + j];
      switch (spec.storage) {
        case Storage::arena: operand.data = arena_.data() + spec.where; break;
        case Storage::constant: operand.data = const_cast<uint8_t*>(program.constantData) + spec.where; break;
        case Storage::state: operand.data = states_[spec.where].data; break;
        default:
          result->patches.push_back({static_cast<int>(first + j), spec.storage, static_cast<int>(spec.where)});
      }
    }
    result->calls.push_back(call);
    result->numbers.push_back(static_cast<int>(i));
  }
  if (program.commit == static_cast<int>(program.instructions.size()))
    result->commit = static_cast<int>(result->calls.size());
  return result;
}

Session::Resolved& Session::resolve(std::span<const int64_t> symbols) {
  const std::vector<int64_t> key(symbols.begin(), symbols.end());
  auto found = resolved_.find(key);
  if (found == resolved_.end()) {
    if (resolved_.size() >= kMostResolved) {
      auto oldest = resolved_.begin();
      for (auto it = resolved_.begin(); it != resolved_.end(); ++it)
        if (it->second->used < oldest->second->used) oldest = it;
      resolved_.erase(oldest);
    }
    arena_.reserve(static_cast<size_t>(program_->arenaBytes));  // the same size each time: it never moves
    found = resolved_.emplace(key, build(symbols)).first;
  }
  found->second->used = ++clock_;
  return *found->second;
}

void Session::run(std::span<const int64_t> symbols, std::span<const Buffer> feeds, std::span<const Buffer> outputs,
                  std::span<double> nanoseconds) {
  Resolved& it = resolve(symbols);
  const auto check = [&](Storage storage, std::span<const Buffer> buffers) {
    const auto& bytes = it.slotBytes[static_cast<int>(storage)];
    if (buffers.size() != bytes.size()) fail("SHAPE", "the number of feeds or outputs does not fit the program");
    for (size_t i = 0; i < bytes.size(); i++)
      if (static_cast<int64_t>(buffers[i].bytes) < bytes[i]) fail("SHAPE", "a feed or output is smaller than the program says");
  };
  check(Storage::feed, feeds);
  check(Storage::output, outputs);
  for (const auto& patch : it.patches)
    it.operands[patch.operand].data = (patch.storage == Storage::feed ? feeds : outputs)[patch.slot].data;
  scratch_.reserve(it.scratch);

  Lease pool(threads_);
  using Clock = std::chrono::steady_clock;
  const int calls = static_cast<int>(it.calls.size());
  const bool timed = nanoseconds.size() >= program_->instructions.size() && !nanoseconds.empty();
  for (int i = 0; i < calls; i++) {
    if (i <= it.commit && cancelled_.load(std::memory_order_relaxed)) fail("CANCELLED", "the run was cancelled");
    Call& call = it.calls[i];
    call.scratch = scratch_.data();
    call.pool = &*pool;
    const auto started = timed ? Clock::now() : Clock::time_point{};
    kernels()[program_->instructions[it.numbers[i]].kernel].kernel.run(call);
    if (timed) nanoseconds[it.numbers[i]] += static_cast<double>((Clock::now() - started).count());
  }
}

}  // namespace fathom
