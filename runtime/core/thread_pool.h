// -----------------------------------------------------------------------------
// File: thread_pool.h
// -----------------------------------------------------------------------------
//
// Fork-join parallelism for compiled kernels: ParallelFor runs a counted set of
// independent tasks on a fixed set of threads and returns when all are done.

#ifndef GSA_RUNTIME_CORE_THREAD_POOL_H_
#define GSA_RUNTIME_CORE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "absl/status/statusor.h"

namespace gsa {

// The number of CPUs this thread may run on (its affinity mask), at least 1.
int AvailableCpus();

// A fixed set of threads. All methods are thread safe.
//
// Several threads may call ParallelFor on one pool: their jobs then run one
// after the other. Callers that must not wait for each other need pools of
// their own. A ParallelFor inside a task, of this pool or another one, runs its
// tasks inline on the calling thread, so nesting cannot deadlock.
//
// The pool does not survive fork().
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;

  // `num_threads` counts the calling thread: ThreadPool(1) starts no thread.
  // InvalidArgument unless 1 <= num_threads <= kMaxThreads; ResourceExhausted
  // if the system refuses a thread.
  static absl::StatusOr<std::unique_ptr<ThreadPool>> Create(int num_threads);

  // No ParallelFor may be in progress.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls body(closure, i) exactly once for each i in [0, num_tasks), on any
  // thread of the pool and in any order, and returns when all calls have
  // returned; what they wrote is then visible to the caller. The calling thread
  // takes part. A task must not throw: that terminates the process.
  void ParallelFor(void (*body)(void* closure, int64_t task), void* closure,
                   int64_t num_tasks);

  // The same for a callable `void(int64_t task)`.
  template <typename Fn>
  void ParallelFor(int64_t num_tasks, Fn&& fn) {
    using Body = std::remove_reference_t<Fn>;
    ParallelFor(
        [](void* closure, int64_t task) noexcept {
          (*static_cast<Body*>(closure))(task);
        },
        const_cast<void*>(static_cast<const void*>(&fn)), num_tasks);
  }

 private:
  ThreadPool() = default;

  void WorkerLoop();
  // Takes part in the open job, if there is one whose epoch is not `*seen`.
  bool TryJoin(uint64_t* seen);
  // Takes tasks of the current job until none is left.
  void RunTasks();
  void AwaitParticipants();

  // The job. Written by the thread that holds caller_mutex_, before the gate
  // opens; read by workers only after they passed the gate.
  void (*body_)(void*, int64_t) = nullptr;
  void* closure_ = nullptr;
  int64_t num_tasks_ = 0;
  int64_t chunk_ = 1;
  alignas(64) std::atomic<int64_t> next_task_{0};

  // Epoch of the job, whether it is open to workers, and how many workers are
  // inside. A worker that wakes up after the job was closed never enters it,
  // hence the caller waits for late workers only if they have begun to work.
  alignas(64) std::atomic<uint64_t> gate_{0};

  alignas(64) std::mutex caller_mutex_;  // serialises ParallelFor
  std::mutex mutex_;                     // guards the fields below
  std::condition_variable wake_;         // a job opened, or stop_
  std::condition_variable done_;         // the last participant left
  int num_sleeping_ = 0;
  bool caller_sleeping_ = false;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_THREAD_POOL_H_
