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

RunContext::RunContext(ThreadPool* pool, int64_t num_stages)
    : pool_(pool), stages_(num_stages > 0 ? num_stages : 0) {}

void RunContext::MarkStage(int64_t stage) {
  const int64_t now = NowNanoseconds();
  if (current_ >= 0) {
    stages_[current_].nanoseconds += now - started_ns_;
    ++stages_[current_].visits;
  }
  const bool valid = stage >= -1 && stage < num_stages();
  if (!valid) ++invalid_marks_;
  current_ = valid ? stage : -1;
  started_ns_ = now;
}

ScopedRunContext::ScopedRunContext(RunContext* context)
    : previous_(current_context) {
  current_context = context;
}

ScopedRunContext::~ScopedRunContext() {
  if (current_context != nullptr) current_context->MarkStage(-1);
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

void gsa_cpu_stage(int64_t stage_id) {
  gsa::RunContext* context = gsa::ScopedRunContext::Current();
  if (context != nullptr) context->MarkStage(stage_id);
}

}  // extern "C"
