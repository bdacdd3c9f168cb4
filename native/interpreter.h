// Runs programs. A session is a program with its state bound and an arena of its own; for each binding of the symbols
// that it meets, the sizes are resolved and checked once and kept.
#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "pool.h"
#include "program.h"

namespace fathom {

// 64-byte aligned memory that grows and is never read before it is written.
class Memory {
 public:
  Memory() = default;
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void reserve(size_t bytes);  // @throws Failure "MEMORY"
  uint8_t* data() const { return data_; }

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
};

struct Buffer {
  void* data = nullptr;
  size_t bytes = 0;
};

class Session {
 public:
  Session(std::shared_ptr<const Program> program, std::vector<Buffer> states, int threads);

  const Program& program() const { return *program_; }
  // One run. `nanoseconds`, if any, has an entry for each instruction, to which its time is added.
  void run(std::span<const int64_t> symbols, std::span<const Buffer> feeds, std::span<const Buffer> outputs,
           std::span<double> nanoseconds);
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  // Clears an earlier cancellation; called on the thread that cancels, before the run starts.
  void arm() { cancelled_.store(false, std::memory_order_relaxed); }

  std::atomic<bool> busy{false};

 private:
  struct Resolved {
    std::vector<Tensor> operands;
    std::vector<Call> calls;
    std::vector<std::vector<int64_t>> ints;
    std::vector<int> numbers;      // of the instruction each call comes from
    struct Patch { int operand; Storage storage; int slot; };
    std::vector<Patch> patches;    // operands that live outside of the arena
    std::vector<int64_t> slotBytes[5];
    size_t scratch = 0;
    int commit = 0;                // in calls
    uint64_t used = 0;
  };
  Resolved& resolve(std::span<const int64_t> symbols);
  std::unique_ptr<Resolved> build(std::span<const int64_t> symbols);

  std::shared_ptr<const Program> program_;
  std::vector<Buffer> states_;
  int threads_;
  Memory arena_, scratch_;
  std::map<std::vector<int64_t>, std::unique_ptr<Resolved>> resolved_;
  uint64_t clock_ = 0;
  std::atomic<bool> cancelled_{false};
};

}  // namespace fathom
