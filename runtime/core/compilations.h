// -----------------------------------------------------------------------------
// File: compilations.h
// -----------------------------------------------------------------------------
//
// Every time that this process has code generated - kernels by NVRTC, modules
// for the CPU by LLVM - it passes here: it is counted, told to a listener, and
// can be forbidden. What is read from disk or found in memory does not pass.
// (The emulation, which is for tests, has its own compiler and does not
// either.)
//
// Thread safe.

#ifndef GSA_RUNTIME_CORE_COMPILATIONS_H_
#define GSA_RUNTIME_CORE_COMPILATIONS_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"

namespace gsa {

// One compilation.
struct CompilationEvent {
  std::string kind;    // "cubin", "ptx" or "object", as in a ProgramEntry
  std::string name;    // of the kernel's text, or of the module's entry
  std::string target;  // "sm_90a", "znver4"
  // What a cache on disk keeps it under.
  std::string key;
  double milliseconds = 0;
};

// How many have ended well.
int64_t Compilations();

using CompilationListener = std::function<void(const CompilationEvent&)>;

// `listener` is called for each compilation that ends well, in the thread that
// compiled and several at once; empty: none is. Returns when no call of the one
// before is running, so it must not be called by a listener.
void SetCompilationListener(CompilationListener listener);

// Whether compilations are errors from now on.
void ForbidCompilations(bool forbidden);

// FailedPrecondition, with name and key, where they are.
absl::Status CheckCompilation(const CompilationEvent& event);

// Counts it and calls the listener.
void NoteCompilation(const CompilationEvent& event);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_COMPILATIONS_H_
