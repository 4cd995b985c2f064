// -----------------------------------------------------------------------------
// File: count_allocations.h
// -----------------------------------------------------------------------------
//
// Counts what the calling thread allocates by operator new. Replaces the
// operators of the whole program: to be included by one file of a test that is
// an executable of its own.

#ifndef GSA_TEST_UNIT_COUNT_ALLOCATIONS_H_
#define GSA_TEST_UNIT_COUNT_ALLOCATIONS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace gsa_testing {

inline thread_local int64_t allocations = 0;

inline void* Allocate(size_t bytes, size_t alignment) {
  ++allocations;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* memory =
      std::aligned_alloc(alignment, rounded == 0 ? alignment : rounded);
  if (memory == nullptr) std::abort();
  return memory;
}

// The allocations of `body`.
template <typename Body>
int64_t AllocationsOf(Body&& body) {
  const int64_t before = allocations;
  body();
  return allocations - before;
}

}  // namespace gsa_testing

void* operator new(size_t bytes) {
  return gsa_testing::Allocate(bytes, alignof(std::max_align_t));
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  return gsa_testing::Allocate(bytes, static_cast<size_t>(alignment));
}
// Sanitizers have their own of these, whose memory std::free may not have.
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  return gsa_testing::Allocate(bytes, alignof(std::max_align_t));
}
void* operator new[](size_t bytes) {
  return gsa_testing::Allocate(bytes, alignof(std::max_align_t));
}
void* operator new[](size_t bytes, const std::nothrow_t&) noexcept {
  return gsa_testing::Allocate(bytes, alignof(std::max_align_t));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t, std::align_val_t) noexcept {
  std::free(memory);
}

#endif  // GSA_TEST_UNIT_COUNT_ALLOCATIONS_H_
