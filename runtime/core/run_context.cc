// -----------------------------------------------------------------------------
// File: run_context.cc
// -----------------------------------------------------------------------------

#include "runtime/core/run_context.h"

#include <chrono>

namespace gsa {
namespace {

thread_local RunContext* current_context = nullptr;

int64_t NowNanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

RunContext::RunContext(ThreadPool* pool, int64_t num_zones)
    : pool_(pool), zones_(num_zones > 0 ? num_zones : 0) {}

void RunContext::MarkZone(int64_t zone) {
  const int64_t now = NowNanoseconds();
  if (current_ >= 0) {
    zones_[current_].nanoseconds += now - started_ns_;
    ++zones_[current_].visits;
  }
  const bool valid = zone >= -1 && zone < num_zones();
  if (!valid) ++invalid_marks_;
  current_ = valid ? zone : -1;
  started_ns_ = now;
}

ScopedRunContext::ScopedRunContext(RunContext* context)
    : previous_(current_context) {
  current_context = context;
}

ScopedRunContext::~ScopedRunContext() {
  if (current_context != nullptr) current_context->MarkZone(-1);
  current_context = previous_;
}

RunContext* ScopedRunContext::Current() { return current_context; }

}  // namespace gsa

extern "C" {

void gsa_cpu_parallel(void (*body)(void* closure, int64_t task), void* closure,
                      int64_t num_tasks) {
  gsa::RunContext* context = gsa::ScopedRunContext::Current();
  if (context != nullptr && context->pool() != nullptr) {
    context->pool()->ParallelFor(body, closure, num_tasks);
    return;
  }
  for (int64_t i = 0; i < num_tasks; ++i) body(closure, i);
}

void gsa_cpu_zone(int64_t zone_id) {
  gsa::RunContext* context = gsa::ScopedRunContext::Current();
  if (context != nullptr) context->MarkZone(zone_id);
}

}  // extern "C"
