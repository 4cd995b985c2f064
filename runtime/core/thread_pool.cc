// -----------------------------------------------------------------------------
// File: thread_pool.cc
// -----------------------------------------------------------------------------

#include "runtime/core/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <system_error>

#include "absl/memory/memory.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

// Layout of ThreadPool::gate_: bits 0-15 count the workers inside the job, bit
// 16 is set while workers may enter, the rest is the epoch of the job.
constexpr uint64_t kCountMask = 0xffff;
constexpr uint64_t kOpen = uint64_t{1} << 16;
constexpr int kEpochShift = 17;

// Polls before sleeping: some 10 us, about the cost of one wake-up, which makes
// the waste at most twice the optimum whatever the gap between two jobs is.
constexpr int kSpins = 400;

// Tasks per claim are chosen so that a thread claims about this often: enough
// to balance triangular (causal) work, few enough to keep the shared counter
// off the profile.
constexpr int64_t kClaimsPerThread = 32;

// Set while this thread runs tasks of any pool.
thread_local bool inside_job = false;

inline void CpuRelax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

int AvailableCpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    return std::max(1, CPU_COUNT(&set));
  }
  // More CPUs than cpu_set_t can name.
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

absl::StatusOr<std::unique_ptr<ThreadPool>> ThreadPool::Create(
    int num_threads) {
  if (num_threads < 1 || num_threads > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("thread pool: got ", num_threads,
                     " threads, expected 1 to ", kMaxThreads));
  }
  auto pool = absl::WrapUnique(new ThreadPool());
  pool->workers_.reserve(num_threads - 1);
  for (int i = 1; i < num_threads; ++i) {
    try {
      pool->workers_.emplace_back([p = pool.get()] { p->WorkerLoop(); });
    } catch (const std::system_error& error) {
      return absl::ResourceExhaustedError(
          absl::StrCat("thread pool: cannot start thread ", i, " of ",
                       num_threads, ": ", error.what()));
    }
  }
  return pool;
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::ParallelFor(void (*body)(void*, int64_t), void* closure,
                             int64_t num_tasks) {
  if (num_tasks <= 0) return;
  if (inside_job || workers_.empty() || num_tasks == 1) {
    for (int64_t i = 0; i < num_tasks; ++i) body(closure, i);
    return;
  }
  std::lock_guard<std::mutex> serial(caller_mutex_);
  body_ = body;
  closure_ = closure;
  num_tasks_ = num_tasks;
  chunk_ = std::max<int64_t>(1, num_tasks / (num_threads() * kClaimsPerThread));
  next_task_.store(0, std::memory_order_relaxed);

  const uint64_t epoch =
      (gate_.load(std::memory_order_relaxed) >> kEpochShift) + 1;
  bool wake;
  {
    // Under the mutex: a worker looks at the gate under it before it sleeps,
    // so it either sees this job or is counted in num_sleeping_.
    std::lock_guard<std::mutex> lock(mutex_);
    gate_.store((epoch << kEpochShift) | kOpen, std::memory_order_release);
    wake = num_sleeping_ > 0;
  }
  if (wake) wake_.notify_all();

  RunTasks();
  gate_.fetch_and(~kOpen, std::memory_order_acq_rel);
  AwaitParticipants();
}

void ThreadPool::RunTasks() {
  inside_job = true;
  while (true) {
    const int64_t begin =
        next_task_.fetch_add(chunk_, std::memory_order_relaxed);
    if (begin >= num_tasks_) break;
    const int64_t end = std::min(num_tasks_ - begin, chunk_) + begin;
    for (int64_t i = begin; i < end; ++i) body_(closure_, i);
  }
  inside_job = false;
}

void ThreadPool::AwaitParticipants() {
  auto all_left = [this] {
    return (gate_.load(std::memory_order_acquire) & kCountMask) == 0;
  };
  for (int i = 0; i < kSpins; ++i) {
    if (all_left()) return;
    CpuRelax();
  }
  std::unique_lock<std::mutex> lock(mutex_);
  caller_sleeping_ = true;
  done_.wait(lock, all_left);
  caller_sleeping_ = false;
}

bool ThreadPool::TryJoin(uint64_t* seen) {
  uint64_t gate = gate_.load(std::memory_order_acquire);
  do {
    if (!(gate & kOpen) || (gate >> kEpochShift) == *seen) return false;
  } while (!gate_.compare_exchange_weak(
      gate, gate + 1, std::memory_order_acq_rel, std::memory_order_acquire));
  *seen = gate >> kEpochShift;
  RunTasks();
  const uint64_t left = gate_.fetch_sub(1, std::memory_order_acq_rel) - 1;
  if ((left & (kCountMask | kOpen)) == 0) {
    // The mutex orders this against the caller's last look before it sleeps.
    std::lock_guard<std::mutex> lock(mutex_);
    if (caller_sleeping_) done_.notify_one();
  }
  return true;
}

void ThreadPool::WorkerLoop() {
  uint64_t seen = 0;
  while (true) {
    bool joined = false;
    for (int i = 0; i < kSpins && !joined; ++i) {
      joined = TryJoin(&seen);
      if (!joined) CpuRelax();
    }
    if (joined) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    ++num_sleeping_;
    wake_.wait(lock, [this, seen] {
      const uint64_t gate = gate_.load(std::memory_order_acquire);
      return stop_ || ((gate & kOpen) && (gate >> kEpochShift) != seen);
    });
    --num_sleeping_;
    if (stop_) return;
  }
}

}  // namespace gsa
