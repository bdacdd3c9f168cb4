// A small work-sharing pool. Work is cut into fixed blocks whose results do not depend on which thread runs them,
// so a program's result is the same to the bit for any number of threads.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace fathom {

inline constexpr size_t kThreadScratch = size_t{4} << 20;  // bytes of private, 64-byte aligned memory per thread, for packing

class Pool {
 public:
  explicit Pool(int threads);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  int threads() const;

  // Calls body(block, thread) once for every block in [0, blocks), on all threads including the caller's; returns when
  // all are done. Each thread begins with its own share of the blocks, one after the other, and so finds in its caches
  // what it wrote in the kernel before; who is done helps the others. `thread` indexes per-thread scratch only. Not reentrant.
  template <class Body> void run(int64_t blocks, Body&& body) {
    using Plain = std::remove_reference_t<Body>;
    runErased(blocks, [](void* context, int64_t block, int thread) { (*static_cast<Plain*>(context))(block, thread); }, (void*)&body);
  }

  // Between begin and end threads that have nothing to do wait for it awake; after it they soon sleep.
  void begin();
  void end();

  uint8_t* scratch(int thread) const;  // kThreadScratch bytes, private to that thread during a block

 private:
  using Erased = void (*)(void*, int64_t, int);
  void runErased(int64_t blocks, Erased body, void* context);
  struct State;
  State* state_;
};

}  // namespace fathom
