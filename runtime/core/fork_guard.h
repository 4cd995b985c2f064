// -----------------------------------------------------------------------------
// File: fork_guard.h
// -----------------------------------------------------------------------------
//
// Whether this process was forked since an object was made. What belongs to the
// process alone, a CUDA context or a pool of threads, is dead in the child,
// where using it hangs or fails without a word of why.

#ifndef GSA_RUNTIME_CORE_FORK_GUARD_H_
#define GSA_RUNTIME_CORE_FORK_GUARD_H_

#include <cstdint>

namespace gsa {

class ForkGuard {
 public:
  ForkGuard();

  // Whether this process is a child, forked after the guard was made, of the
  // one that made it. A load of a counter: no call of the system. Thread safe.
  bool forked() const;

 private:
  uint64_t generation_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_FORK_GUARD_H_
