//===- block.h - a block of warps as host threads --------------*- C++ -*-===//
//
// What stands behind the emulated device functions: one host thread per warp of
// a block, the block's shared memory, waiting, and reports of misuse.
//
// All order between warps comes from the barriers and rings of the kernel, made
// of atomics with just the release and acquire that the hardware promises, so
// that ThreadSanitizer sees a missing wait as a data race. Nothing else here
// may synchronise warps: records for the watchdog are relaxed atomics.
//
// Only headers that compile fast; Linux only (futex).
//
//===----------------------------------------------------------------------===//

#ifndef GSA_EMU_BLOCK_H
#define GSA_EMU_BLOCK_H

#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <vector>

/// For functions that only touch memory of their own warp: not instrumented.
#define GSA_EMU_PRIVATE __attribute__((noinline, no_sanitize_thread))

namespace gsa::emu {

/// Fills memory that nobody wrote: NaN as f16, bf16, f32 and f64, and no valid
/// index as i32 (2141552549).
inline constexpr uint16_t kPoison = 0x7FA5;
inline constexpr int32_t kPoisonIndex = 0x7FA57FA5;

GSA_EMU_PRIVATE inline void poison(void* memory, size_t bytes) {
  auto* out = static_cast<unsigned char*>(memory);
  for (size_t i = 0; i < bytes; ++i)
    out[i] = static_cast<unsigned char>(i % 2 == 0 ? kPoison : kPoison >> 8);
}

/// Exit codes of an emulation; ThreadSanitizer's own is 66.
enum ExitCode { kMisuse = 70, kHang = 71, kBadProgram = 72 };

/// A range of global memory that kernels may touch.
struct Extent {
  const char* name;
  const char* begin;
  const char* end;
  bool writable;
};

/// A barrier in 8 bytes. A wait must see what came before the arrivals of its
/// own phase and no more: a warp that wakes up late would else be ordered after
/// what others did meanwhile, and a race would go unseen. So the word is
/// relaxed, and phases of even and odd number release and acquire one of two
/// tokens each. The fences are for the hardware; ThreadSanitizer ignores them.
struct Barrier {
  uint32_t word;  // phase: 16 bits, warps of a phase: 8, to arrive: 8
  uint16_t tokens[2];

  static constexpr uint32_t kPhase = 0x10000;
  static uint32_t phase(uint32_t word) { return word >> 16; }
  static uint32_t expected(uint32_t word) { return word >> 8 & 0xFF; }
  static uint32_t missing(uint32_t word) { return word & 0xFF; }
  static uint32_t make(uint32_t phase, uint32_t expected, uint32_t missing) {
    return phase << 16 | expected << 8 | missing;
  }
};

/// Where a warp waits: while `(*word ^ value) & mask` is 0. Written by the
/// warp, read by the watchdog, all with relaxed atomics.
struct WaitRecord {
  const char* function;  // null: the warp runs
  const uint32_t* word;
  uint32_t value, mask;
  int number;     // barrier, or offset of the ring
  int iteration;  // of a ring; -1 for a barrier
};

/// An asynchronous copy that was issued and not yet performed.
struct PendingCopy {
  void* target;
  const void* source;  // null: zeros only
  int bytes;           // from the source
  int zeros;           // behind them
};

/// Which call of a synchronising function a test breaks; see fault().
struct Fault {
  const char* function = "";
  int call = 0;   // of that function by the warp in a block, from 0
  int warp = -1;  // -1: any
};

/// When issued copies happen.
enum Delay : uint64_t { kLatest = 0, kAtOnce = 1 /* others: random */ };

struct LaunchInfo {
  const char* kernel = "kernel";
  int grid[3] = {1, 1, 1};
  int warps = 1;
  int sharedBytes = 0;
  /// Neighbouring blocks that may wait for each other.
  int cluster = 1;
  /// Blocks that run at the same time, each with its own threads; of a cluster
  /// all do.
  int blocksAtOnce = 1;
  /// A Delay, or the seed of random delays.
  uint64_t seed = kLatest;
  /// Whether launches before may still write until launch_wait.
  bool dependent = false;
};

struct Block {
  const LaunchInfo* launch;
  unsigned char* shared;
  Barrier barriers[17];  // 16 named ones, and that between blocks
  int waits;             // calls of launch_wait; relaxed
  Barrier ofCluster;     // that of the cluster of which this block is the first
  Barrier* clusterBarrier;
};

struct Warp {
  Block* block;
  int index;  // within the block
  int group;  // which of the blocks that run at once
  int blockId[3];
  bool live;  // relaxed
  WaitRecord wait;
  uint64_t random;
  std::vector<PendingCopy> pending;
  bool plainCopies;  // since the last barrier: copied by ordinary stores
  bool waited;       // for the launches before
  const Extent* lastExtent;
  int calls[11];  // of functions that may be faulty
  void (*run)(const void*);
  const void* body;
};

inline thread_local Warp* self = nullptr;

//===----------------------------------------------------------------------===//
// Reports
//===----------------------------------------------------------------------===//

/// "kernel attend, block (3, 0, 0), warp 2", or nothing outside kernels.
inline void printPlace(FILE* file, const Warp* warp) {
  if (!warp) return;
  fprintf(file, "kernel %s, block (%d, %d, %d), warp %d",
          warp->block->launch->kernel, warp->blockId[0], warp->blockId[1],
          warp->blockId[2], warp->index);
}

/// Ends the process: the kernel did what the device functions do not allow.
[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(
    const char* function, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char message[512];
  vsnprintf(message, sizeof(message), format, arguments);
  va_end(arguments);
  fprintf(stderr, "gsa-emu: %s: %s (", function, message);
  printPlace(stderr, self);
  fprintf(stderr, ")\n");
  fflush(stderr);
  _exit(kMisuse);
}

/// The ranges that kernels may touch; none: no check.
inline std::vector<Extent> extents;

/// The row of NaN that pages have which are not in their pool.
constexpr int64_t kAbsentBytes = 1024;
inline const char* absentRow() {
  static const std::vector<uint32_t> words(kAbsentBytes / 4, 0x7fff7fff);
  return reinterpret_cast<const char*>(words.data());
}

inline void checkGlobal(const char* function, const void* address,
                        int64_t bytes, bool write) {
  if (extents.empty() || bytes <= 0) return;
  auto* begin = static_cast<const char*>(address);
  if (!write && begin >= absentRow() &&
      begin + bytes <= absentRow() + kAbsentBytes)
    return;
  auto holds = [&](const Extent& extent) {
    return begin >= extent.begin && begin + bytes <= extent.end;
  };
  const Extent* found = self ? self->lastExtent : nullptr;
  if (!found || !holds(*found)) {
    found = nullptr;
    for (const Extent& extent : extents)
      if (holds(extent)) found = &extent;
    if (!found) {
      const Extent* near = nullptr;
      for (const Extent& extent : extents)
        if (!near || llabs(begin - extent.begin) < llabs(begin - near->begin))
          near = &extent;
      fail(function,
           "%s of %lld bytes at byte %lld of %s, which has %lld bytes",
           write ? "write" : "read", static_cast<long long>(bytes),
           static_cast<long long>(begin - near->begin), near->name,
           static_cast<long long>(near->end - near->begin));
    }
    if (self) self->lastExtent = found;
  }
  if (write && !found->writable)
    fail(function, "write to %s, which is only read", found->name);
  if (found->writable && self && self->block->launch->dependent &&
      !self->waited)
    fail(function, "%s of %s before launch_wait, in a dependent launch",
         write ? "write" : "read", found->name);
}

//===----------------------------------------------------------------------===//
// Seeded faults
//===----------------------------------------------------------------------===//

/// Compiled in by GSA_EMU_FAULT only: tests break one call of a synchronising
/// function and expect to be told so.
#ifdef GSA_EMU_FAULT
inline Fault seededFault;

inline bool fault(const char* function) {
  static const char* const names[11] = {
      "ring_acquire", "ring_commit", "ring_wait", "ring_release",
      "wrong_slot",   "sync",        "copy_wait", "copy_rows",
      "turn_wait",    "turn_pass",   "cursor_get"};
  for (int i = 0; i < 11; ++i) {
    if (strcmp(names[i], function) != 0) continue;
    bool hit = self->calls[i]++ == seededFault.call;
    return hit && strcmp(function, seededFault.function) == 0 &&
           (seededFault.warp < 0 || seededFault.warp == self->index);
  }
  return false;
}
#else
constexpr bool fault(const char*) { return false; }
#endif

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

template <typename T>
void put(T* field, T value) {
  __atomic_store_n(field, value, __ATOMIC_RELAXED);
}
template <typename T>
T get(const T* field) {
  return __atomic_load_n(field, __ATOMIC_RELAXED);
}

inline void wake(uint32_t* word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1 << 30, nullptr, nullptr, 0);
}

/// One warp arrives. `next` gives the word after the arrival and may fail.
/// Returns the phase of the arrival.
template <typename Next>
uint32_t arrive(Barrier* barrier, const Next& next) {
  uint32_t seen = get(&barrier->word), changed, announced = ~0u;
  do {
    changed = next(seen);
    uint32_t phase = Barrier::phase(seen);
    if (phase != announced)
      __atomic_fetch_add(&barrier->tokens[phase & 1], 1, __ATOMIC_RELEASE);
    announced = phase;
    __atomic_thread_fence(__ATOMIC_RELEASE);
  } while (!__atomic_compare_exchange_n(&barrier->word, &seen, changed, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED));
  if (Barrier::phase(changed) != announced) wake(&barrier->word);
  return announced;
}

/// Waits until a phase with the parity of `phase` is complete, which is not the
/// current one.
inline void waitForPhase(Barrier* barrier, uint32_t phase, const char* function,
                         int number, int iteration) {
  uint32_t value = phase << 16, mask = Barrier::kPhase;
  auto complete = [&](uint32_t seen) { return ((seen ^ value) & mask) != 0; };
  WaitRecord& record = self->wait;
  uint32_t seen = get(&barrier->word);
  for (int spin = 0; spin < 32 && !complete(seen); ++spin)
    seen = get(&barrier->word);
  if (!complete(seen)) {
    put<const uint32_t*>(&record.word, &barrier->word);
    put(&record.value, value);
    put(&record.mask, mask);
    put(&record.number, number);
    put(&record.iteration, iteration);
    put(&record.function, function);
    while (!complete(seen = get(&barrier->word)))
      syscall(SYS_futex, &barrier->word, FUTEX_WAIT_PRIVATE, seen, nullptr,
              nullptr, 0);
    put<const char*>(&record.function, nullptr);
  }
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  __atomic_load_n(&barrier->tokens[phase & 1], __ATOMIC_ACQUIRE);
}

/// Arrives at a barrier of `count` warps, which the first to arrive sets.
/// Returns the phase.
inline uint32_t arriveOf(Barrier* barrier, int count, const char* function,
                         int number) {
  return arrive(barrier, [&](uint32_t word) {
    uint32_t missing = Barrier::missing(word);
    if (missing == 0)
      missing = count;
    else if (Barrier::expected(word) != static_cast<uint32_t>(count))
      fail(function, "barrier %d: this warp expects %d warps, others %u",
           number, count, Barrier::expected(word));
    bool last = missing == 1;
    return Barrier::make(Barrier::phase(word) + last, count, missing - 1);
  });
}

/// Arrives, and waits for all.
inline void meet(Barrier* barrier, int count, const char* function,
                 int number) {
  uint32_t phase = arriveOf(barrier, count, function, number);
  waitForPhase(barrier, phase, function, number, -1);
}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

inline void perform(const PendingCopy& copy) {
  if (copy.bytes > 0) memcpy(copy.target, copy.source, copy.bytes);
  if (copy.zeros > 0)
    memset(static_cast<char*>(copy.target) + copy.bytes, 0, copy.zeros);
}

/// Performs the copy now or at the next wait of this warp.
inline void issue(const PendingCopy& copy) {
  Warp& warp = *self;
  warp.random = warp.random * 6364136223846793005u + 1442695040888963407u;
  uint64_t seed = warp.block->launch->seed;
  bool now = seed == kAtOnce || (seed != kLatest && (warp.random >> 40) & 1);
  if (now)
    perform(copy);
  else
    warp.pending.push_back(copy);
}

/// All copies that this warp issued have happened.
inline void performPending() {
  for (const PendingCopy& copy : self->pending) perform(copy);
  self->pending.clear();
}

//===----------------------------------------------------------------------===//
// Launch and watchdog
//===----------------------------------------------------------------------===//

/// The warps of the running launch, for the watchdog. The mutex holds them
/// alive; warps never take it.
inline Warp* runningWarps = nullptr;
inline int runningCount = 0;
inline pthread_mutex_t runningMutex = PTHREAD_MUTEX_INITIALIZER;

inline void setRunning(Warp* warps, int count) {
  pthread_mutex_lock(&runningMutex);
  put(&runningWarps, warps);
  put(&runningCount, count);
  pthread_mutex_unlock(&runningMutex);
}

/// Says where every warp is. Only for a process that is about to end.
inline void dumpWarps(const char* reason) {
  fprintf(stderr, "gsa-emu: %s\n", reason);
  int count = get(&runningCount);
  Warp* warps = get(&runningWarps);
  for (int i = 0; i < count; ++i) {
    Warp& warp = warps[i];
    fprintf(stderr, "  ");
    printPlace(stderr, &warp);
    const char* function = get(&warp.wait.function);
    if (!get(&warp.live))
      fprintf(stderr, ": finished\n");
    else if (!function)
      fprintf(stderr, ": running\n");
    else if (get(&warp.wait.iteration) >= 0)
      fprintf(stderr, ": waits in %s, ring at %d, iteration %d\n", function,
              get(&warp.wait.number), get(&warp.wait.iteration));
    else
      fprintf(stderr, ": waits in %s, barrier %d\n", function,
              get(&warp.wait.number));
  }
  fflush(stderr);
}

/// True if every live warp waits for something that only another warp could
/// change: no later moment can look different. Not instrumented: it looks at
/// barriers in memory that may become a tile.
GSA_EMU_PRIVATE inline bool isHung() {
  int count = get(&runningCount);
  Warp* warps = get(&runningWarps);
  bool any = false;
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < count; ++i) {
      if (!get(&warps[i].live)) continue;
      const WaitRecord& wait = warps[i].wait;
      if (!get(&wait.function)) return false;
      uint32_t seen = *static_cast<const volatile uint32_t*>(get(&wait.word));
      if ((seen ^ get(&wait.value)) & get(&wait.mask)) return false;
      any = true;
    }
    if (pass == 0) usleep(2000);
  }
  return any;
}

/// A thread of the process: ends it when the warps wait for each other.
inline void* watchdog(void*) {
  while (true) {
    usleep(20000);
    pthread_mutex_lock(&runningMutex);
    if (isHung()) {
      dumpWarps("all warps wait for each other");
      _exit(kHang);
    }
    pthread_mutex_unlock(&runningMutex);
  }
}

inline void startWatchdog() {
  static bool started = false;
  if (started) return;
  started = true;
  pthread_t thread;
  pthread_create(&thread, nullptr, watchdog, nullptr);
  pthread_detach(thread);
}

/// Whole clusters.
inline int blocksAtOnce(const LaunchInfo& launch) {
  int clusters = (launch.blocksAtOnce + launch.cluster - 1) / launch.cluster;
  return clusters * launch.cluster;
}

inline void* warpMain(void* argument) {
  self = static_cast<Warp*>(argument);
  Warp& warp = *self;
  Block& block = *warp.block;
  const LaunchInfo& launch = *block.launch;
  auto meetAll = [&] {
    meet(&block.barriers[16], launch.warps, "end of block", 16);
  };
  int64_t blocks =
      int64_t(1) * launch.grid[0] * launch.grid[1] * launch.grid[2];
  for (int64_t i = warp.group; i < blocks; i += blocksAtOnce(launch)) {
    put(&warp.blockId[0], static_cast<int>(i % launch.grid[0]));
    put(&warp.blockId[1],
        static_cast<int>(i / launch.grid[0] % launch.grid[1]));
    put(&warp.blockId[2],
        static_cast<int>(i / launch.grid[0] / launch.grid[1]));
    warp.random = (launch.seed + i) * 977 + warp.index;
    memset(warp.calls, 0, sizeof(warp.calls));
    if (warp.index == 0) {
      poison(block.shared, launch.sharedBytes);
      memset(block.barriers, 0, 16 * sizeof(Barrier));
      put(&block.waits, 0);
    }
    warp.waited = false;
    meetAll();
    warp.run(warp.body);
    performPending();
    meetAll();
    if (warp.index == 0 && launch.dependent && get(&block.waits) == 0)
      fail("launch_wait", "no warp of a block of a dependent launch ran it");
  }
  put(&warp.live, false);
  return nullptr;
}

/// Runs `body()` as each warp of each block and returns when all are done.
template <typename Body>
void launch(const LaunchInfo& info, const Body& body) {
  startWatchdog();
  if (info.cluster * info.warps > 255 || info.grid[0] % info.cluster != 0)
    fail("launch", "a cluster of %d blocks of %d warps in a grid of %d blocks",
         info.cluster, info.warps, info.grid[0]);
  std::vector<Block> blocks(blocksAtOnce(info));
  std::vector<Warp> warps(blocks.size() * info.warps);
  std::vector<pthread_t> threads(warps.size());
  for (size_t i = 0; i < blocks.size(); ++i) {
    Block& block = blocks[i];
    memset(&block, 0, sizeof(block));
    block.launch = &info;
    block.clusterBarrier = &blocks[i - i % info.cluster].ofCluster;
    size_t bytes = (static_cast<size_t>(info.sharedBytes) + 1024) & ~1023ull;
    block.shared = static_cast<unsigned char*>(aligned_alloc(1024, bytes));
  }
  for (size_t i = 0; i < warps.size(); ++i) {
    Warp& warp = warps[i];
    warp.group = static_cast<int>(i) / info.warps;
    warp.index = static_cast<int>(i) % info.warps;
    warp.block = &blocks[warp.group];
    warp.live = true;
    warp.run = [](const void* body) { (*static_cast<const Body*>(body))(); };
    warp.body = &body;
  }
  setRunning(warps.data(), static_cast<int>(warps.size()));
  for (size_t i = 0; i < warps.size(); ++i)
    if (pthread_create(&threads[i], nullptr, warpMain, &warps[i]) != 0)
      fail("launch", "cannot start thread %d of %d", static_cast<int>(i),
           static_cast<int>(warps.size()));
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  setRunning(nullptr, 0);
  for (Block& block : blocks) free(block.shared);
}

}  // namespace gsa::emu

#endif  // GSA_EMU_BLOCK_H
