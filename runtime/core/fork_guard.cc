// -----------------------------------------------------------------------------
// File: fork_guard.cc
// -----------------------------------------------------------------------------

#include "runtime/core/fork_guard.h"

#include <pthread.h>

#include <atomic>

namespace gsa {
namespace {

// How many forks lie between this process and the first that asked. The child
// of a fork has one thread, so that the order of memory does not matter.
std::atomic<uint64_t> generation{0};

void CountFork() { generation.fetch_add(1, std::memory_order_relaxed); }

uint64_t Generation() {
  // Fails only for want of memory; forks are then not noticed, as without it.
  static const int kRegistered = pthread_atfork(nullptr, nullptr, CountFork);
  static_cast<void>(kRegistered);
  return generation.load(std::memory_order_relaxed);
}

}  // namespace

ForkGuard::ForkGuard() : generation_(Generation()) {}

bool ForkGuard::forked() const {
  return generation.load(std::memory_order_relaxed) != generation_;
}

}  // namespace gsa
