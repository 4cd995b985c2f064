// -----------------------------------------------------------------------------
// File: run_context.h
// -----------------------------------------------------------------------------
//
// What code compiled by the JIT needs from the runtime while it runs: a thread
// pool and zone timers, found through a thread-local pointer so that compiled
// functions need no extra argument.
//
//   RunContext context(pool.get(), plan.num_zones());
//   {
//     ScopedRunContext scope(&context);
//     compiled_entry(args);
//   }
//   context.zone_nanoseconds(0);

#ifndef GSA_RUNTIME_CORE_RUN_CONTEXT_H_
#define GSA_RUNTIME_CORE_RUN_CONTEXT_H_

#include <cstdint>

#include "absl/container/inlined_vector.h"
#include "runtime/core/thread_pool.h"

extern "C" {

// Runs body(closure, i) once for each i in [0, num_tasks) and returns when all
// are done: on the pool of the calling thread's RunContext, or inline on the
// caller where there is no context, no pool, or a task calls it.
void gsa_cpu_parallel(void (*body)(void* closure, int64_t task), void* closure,
                      int64_t num_tasks);

// Ends the running zone of the calling thread's RunContext and starts zone
// `zone_id`; -1 only ends. Does nothing without a context. Marks belong
// between parallel loops, not into their bodies.
void gsa_cpu_zone(int64_t zone_id);

}  // extern "C"

namespace gsa {

// The state of one run. Used by one thread at a time; not thread safe.
class RunContext {
 public:
  // `pool` may be null (everything runs on the caller) and must outlive the
  // context. Zones are numbered [0, num_zones).
  RunContext(ThreadPool* pool, int64_t num_zones);

  ThreadPool* pool() const { return pool_; }
  int64_t num_zones() const { return static_cast<int64_t>(zones_.size()); }

  // Elapsed wall time summed over all visits of the zone, and their number.
  // A zone that is still running counts up to its last end only.
  int64_t zone_nanoseconds(int64_t zone) const {
    return zones_[zone].nanoseconds;
  }
  int64_t zone_visits(int64_t zone) const { return zones_[zone].visits; }

  // Marks outside [-1, num_zones): nonzero means that the compiled code and
  // this context disagree about the zones.
  int64_t invalid_marks() const { return invalid_marks_; }

  // What gsa_cpu_zone does.
  void MarkZone(int64_t zone);

 private:
  struct Zone {
    int64_t nanoseconds = 0;
    int64_t visits = 0;
  };

  ThreadPool* pool_;
  // More than a layer has: a run allocates nothing.
  absl::InlinedVector<Zone, 16> zones_;
  int64_t current_ = -1;
  int64_t started_ns_ = 0;
  int64_t invalid_marks_ = 0;
};

// Makes `context` the calling thread's context for its own lifetime, then ends
// the running zone and restores the context that was there before.
class ScopedRunContext {
 public:
  explicit ScopedRunContext(RunContext* context);
  ~ScopedRunContext();
  ScopedRunContext(const ScopedRunContext&) = delete;
  ScopedRunContext& operator=(const ScopedRunContext&) = delete;

  // The calling thread's context, or null.
  static RunContext* Current();

 private:
  RunContext* previous_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_RUN_CONTEXT_H_
