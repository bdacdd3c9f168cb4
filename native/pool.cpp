#include "pool.h"

#include <chrono>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sched.h>
#include <sys/mman.h>
#endif

namespace fathom {

namespace {

// How long a thread waits awake before it sleeps, from which it takes some fifty microseconds to come back: within a
// program over what one thread does alone, after it over the gap to the next step.
constexpr auto kPatience = std::chrono::microseconds(200), kPatienceAfter = std::chrono::microseconds(60);
constexpr int kSpins = 60;  // between two looks at the clock

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Whoever yields on a machine that is not ours alone is back a time slice later, milliseconds. Only under a real-time
// policy, where nobody of the same priority gets the core otherwise, a waiting thread must.
bool mustYield() {
#if defined(__linux__)
  const int policy = sched_getscheduler(0);
  return policy == SCHED_FIFO || policy == SCHED_RR;
#else
  return false;
#endif
}

}  // namespace

// A job's blocks are cut into one share a thread. A share is published by storing a new ticket: the job's number in the
// high half, the next unclaimed block of the share in the low half. A block is claimed by incrementing the ticket with
// compare-and-swap, so a thread that wakes up late, when its job is long finished, can never take a block of the next one
// by mistake. The caller does not wait for threads, only for blocks.
struct Pool::State {
  explicit State(int threads) : shares(new Share[threads]), scratch(threads) {}

  struct alignas(64) Share {
    std::atomic<uint64_t> ticket{0};
  };
  std::unique_ptr<Share[]> shares;
  alignas(64) std::atomic<int64_t> finished{0};
  alignas(64) std::atomic<uint32_t> epoch{0};  // what parked threads wait on
  std::atomic<Erased> body{nullptr};
  std::atomic<void*> context{nullptr};
  std::atomic<int64_t> blocks{0};
  std::atomic<bool> stopping{false};
  std::atomic<bool> running{false};  // a program is
  const bool yields = mustYield();
  std::vector<uint8_t*> scratch;
  std::vector<std::thread> workers;

  void work(int thread) {
    const int count = static_cast<int>(scratch.size());
    const uint64_t job = shares[thread].ticket.load(std::memory_order_acquire) >> 32;
    Erased call = body.load(std::memory_order_acquire);
    void* with = context.load(std::memory_order_acquire);
    const int64_t total = blocks.load(std::memory_order_acquire);
    int64_t done = 0;
    for (int i = 0; i < count; i++) {
      const int share = (thread + i) % count;
      const int64_t first = total * share / count, size = total * (share + 1) / count - first;
      std::atomic<uint64_t>& ticket = shares[share].ticket;
      uint64_t seen = ticket.load(std::memory_order_acquire);
      while (seen >> 32 == job && static_cast<int64_t>(seen & 0xffffffff) < size) {
        const int64_t block = first + static_cast<int64_t>(seen & 0xffffffff);
        // Success proves that the job read above is still the current one.
        if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
        call(with, block, thread);
        done++;
        seen = ticket.load(std::memory_order_acquire);
      }
    }
    if (done > 0 && finished.fetch_add(done, std::memory_order_acq_rel) + done == total) finished.notify_one();
  }

  template <class Done> void waitAwake(Done&& done) const {
    using Clock = std::chrono::steady_clock;
    for (int i = 0; i < kSpins; i++) {
      if (done()) return;
      relax();
    }
    const auto start = Clock::now();
    while (Clock::now() - start < (running.load(std::memory_order_relaxed) ? kPatience : kPatienceAfter)) {
      if (yields) std::this_thread::yield();
      for (int i = 0; i < kSpins; i++) {
        if (done()) return;
        relax();
      }
    }
  }

  void loop(int thread) {
    uint32_t seen = 0;
    while (true) {
      waitAwake([&] { return epoch.load(std::memory_order_acquire) != seen; });
      epoch.wait(seen, std::memory_order_acquire);
      seen = epoch.load(std::memory_order_acquire);
      if (stopping.load(std::memory_order_acquire)) return;
      work(thread);
    }
  }
};

Pool::Pool(int threads) : state_(new State(threads < 1 ? 1 : threads)) {
  for (int i = 1; i < threads; i++) state_->workers.emplace_back([state = state_, i] { state->loop(i); });
}

Pool::~Pool() {
  state_->stopping.store(true, std::memory_order_release);
  state_->epoch.fetch_add(1, std::memory_order_acq_rel);
  state_->epoch.notify_all();
  for (auto& worker : state_->workers) worker.join();
  for (uint8_t* memory : state_->scratch) std::free(memory);
  delete state_;
}

void Pool::begin() { state_->running.store(true, std::memory_order_relaxed); }
void Pool::end() { state_->running.store(false, std::memory_order_relaxed); }

int Pool::threads() const { return static_cast<int>(state_->scratch.size()); }

uint8_t* Pool::scratch(int thread) const {
  uint8_t*& memory = state_->scratch[thread];
  if (!memory) {
    memory = static_cast<uint8_t*>(std::aligned_alloc(kThreadScratch, kThreadScratch));
    if (!memory) throw std::bad_alloc();
#if defined(__linux__)
    madvise(memory, kThreadScratch, MADV_HUGEPAGE);  // panels lie far apart
#endif
  }
  return memory;
}

void Pool::runErased(int64_t blocks, Erased body, void* context) {
  State& state = *state_;
  if (blocks <= 1 || state.workers.empty()) {
    for (int64_t i = 0; i < blocks; i++) body(context, i, 0);
    return;
  }
  // The low half of the ticket counts blocks; more than it can hold go in several jobs.
  constexpr int64_t kMost = int64_t{1} << 31;
  if (blocks > kMost) {
    struct Shifted {
      Erased body;
      void* context;
      int64_t base;
    };
    for (int64_t base = 0; base < blocks; base += kMost) {
      Shifted shifted{body, context, base};
      runErased(
          blocks - base < kMost ? blocks - base : kMost,
          [](void* from, int64_t block, int thread) {
            auto& it = *static_cast<Shifted*>(from);
            it.body(it.context, it.base + block, thread);
          },
          &shifted);
    }
    return;
  }
  // A late thread may read these while they change, but then its claim on the old ticket fails.
  const int count = threads();
  const uint64_t job = (state.shares[0].ticket.load(std::memory_order_relaxed) >> 32) + 1;
  for (int i = 0; i < count; i++)  // nothing to claim yet
    state.shares[i].ticket.store(job << 32 | 0xffffffff, std::memory_order_relaxed);
  state.body.store(body, std::memory_order_release);
  state.context.store(context, std::memory_order_release);
  state.blocks.store(blocks, std::memory_order_release);
  state.finished.store(0, std::memory_order_release);
  for (int i = 0; i < count; i++) state.shares[i].ticket.store((job + 1) << 32, std::memory_order_release);
  state.epoch.fetch_add(1, std::memory_order_acq_rel);
  state.epoch.notify_all();
  state.work(0);
  state.waitAwake([&] { return state.finished.load(std::memory_order_acquire) == blocks; });
  for (int64_t done = state.finished.load(std::memory_order_acquire); done != blocks;
       done = state.finished.load(std::memory_order_acquire))
    state.finished.wait(done, std::memory_order_acquire);
}

}  // namespace fathom
