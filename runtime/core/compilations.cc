// -----------------------------------------------------------------------------
// File: compilations.cc
// -----------------------------------------------------------------------------

#include "runtime/core/compilations.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

struct State {
  std::atomic<int64_t> count = 0;
  std::atomic<bool> forbidden = false;
  // Shared by calls of the listener, so that setting another waits for them.
  std::shared_mutex mutex;
  CompilationListener listener;
};

State& TheState() {
  static State& state = *new State;
  return state;
}

}  // namespace

int64_t Compilations() { return TheState().count; }

void SetCompilationListener(CompilationListener listener) {
  State& state = TheState();
  std::unique_lock<std::shared_mutex> lock(state.mutex);
  state.listener = std::move(listener);
}

void ForbidCompilations(bool forbidden) { TheState().forbidden = forbidden; }

absl::Status CheckCompilation(const CompilationEvent& event) {
  if (!TheState().forbidden) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      event.name, " (", event.kind, ", ", event.target, ", key ", event.key,
      ") would have to be compiled, which is forbidden in this process; "
      "expected it in a cache or compiled before"));
}

void NoteCompilation(const CompilationEvent& event) {
  State& state = TheState();
  ++state.count;
  std::shared_lock<std::shared_mutex> lock(state.mutex);
  if (state.listener) state.listener(event);
}

}  // namespace gsa
