// -----------------------------------------------------------------------------
// File: simt.h
// -----------------------------------------------------------------------------
//
// Threads of a block as coroutines of one thread of the host, so that text for
// a GPU runs lane by lane: each thread has its registers, warps meet in their
// collective instructions, and barriers hold. Blocks run one after the other.
// A thread goes on until it has to wait; there is no race to be seen, and a
// wait that nobody ends is reported and ends the program.
//
// The text is that of the device headers, in which host_headers.py has put
// calls of instructions.h in place of asm; cuda_runtime.h has the rest of what
// it needs.

#ifndef GSA_TEST_UNIT_DEVICE_SIMT_SIMT_H_
#define GSA_TEST_UNIT_DEVICE_SIMT_SIMT_H_

#include <cstdint>
#include <cstring>
#include <functional>

namespace simt {

constexpr int kWarpSize = 32;
constexpr int kMaxSharedBytes = 227 * 1024;
// Where dynamic shared memory begins in the shared window, as on a GPU: no
// address of it is 0.
constexpr unsigned kSharedBase = 1024;

struct Dim3 {
  unsigned x, y, z;
};

// Runs `kernel` in each thread of each block, with that much dynamic shared
// memory, whose bytes are all ones before.
void Run(Dim3 grid, int threads, int shared_bytes,
         const std::function<void()>& kernel);

// Of the thread that runs.
int Thread();
int NumThreads();
// Lets the others go on, and returns when the word has another value.
void WaitWhile(const uint32_t& word, uint32_t value);
// Calls `action` in this thread when its asynchronous copies are waited for.
void AddCopy(std::function<void()> action);
void FinishCopies();

// Prints the text and ends the program.
[[noreturn]] void Fail(const char* format, ...)
    __attribute__((format(printf, 1, 2)));

// The memory at an address of the shared window; `bytes` of it are in dynamic
// shared memory, and the address is a multiple of `alignment`.
void* SharedMemory(unsigned address, int bytes, int alignment);
unsigned SharedAddress(const void* pointer);

inline constexpr uint32_t kAllLanes = ~uint32_t{0};

// Collective: gives a value of 64 bits and gets those of the lanes of `mask`,
// which all make the same call, by name and mask. Valid until the next one but
// one of these lanes.
const uint64_t* Exchange(const char* name, uint64_t value,
                         uint32_t mask = kAllLanes);

template <class T>
uint64_t ToBits(T value) {
  static_assert(sizeof(T) <= 8);
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(value));
  return bits;
}
template <class T>
T FromBits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Barrier `number` (0 to 15) of `threads` threads of the block.
void BarrierArrive(int number, int threads);
void BarrierSync(int number, int threads);

// A barrier of 8 bytes in shared memory: mbarrier.
struct Mbarrier {
  // The number of the phase and the arrivals that it waits for: one word, so
  // that who waits sees any change.
  uint32_t phase : 8, missing : 12, expected : 12;
  int32_t bytes;  // to land before the phase is complete

  void Settle();  // ends the phase where nothing is missing
  uint32_t& word() { return *reinterpret_cast<uint32_t*>(this); }
};
static_assert(sizeof(Mbarrier) == 8);
Mbarrier& MbarrierAt(unsigned address);

}  // namespace simt

#endif  // GSA_TEST_UNIT_DEVICE_SIMT_SIMT_H_
