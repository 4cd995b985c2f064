// -----------------------------------------------------------------------------
// File: simt.cc
// -----------------------------------------------------------------------------

// A checked longjmp goes up one stack only; these go from one to another.
#undef _FORTIFY_SOURCE

#include "simt.h"

#include <setjmp.h>
#include <ucontext.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "cuda_runtime.h"

// What the device library declares for the block.
namespace gsa::dev {
extern unsigned char gsa_shared_memory[];
alignas(1024) unsigned char gsa_shared_memory[simt::kMaxSharedBytes];
}  // namespace gsa::dev

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace simt {
namespace {

constexpr size_t kStackBytes = size_t{256} << 10;

struct LaneState {
  jmp_buf resume;
  std::unique_ptr<char[]> stack;
  ucontext_t start;
  bool started = false, done = false;
  // Waits while the word has that value; null: can go on.
  const uint32_t* word = nullptr;
  uint32_t value = 0;
  std::vector<std::function<void()>> copies;
};

// Where lanes of a warp exchange values.
struct Meeting {
  uint32_t generation = 0;
  uint32_t arrived = 0, mask = 0;  // one bit a lane
  const char* name = "";
  uint64_t values[2][kWarpSize];
};

// Lanes that meet do so at the meeting of the first one of them.
struct Warp {
  Meeting meetings[kWarpSize];
};

struct Barrier {
  uint32_t generation = 0;
  int arrived = 0;
};

struct Block {
  std::vector<LaneState> lanes;
  std::vector<Warp> warps;
  std::array<Barrier, 16> barriers;
  const std::function<void()>* kernel = nullptr;
  int shared_bytes = 0;
  int current = 0;
  jmp_buf scheduler;
};

Block* block = nullptr;

// Stacks are kept from one block to the next.
std::vector<std::unique_ptr<char[]>>& Stacks() {
  static auto& stacks = *new std::vector<std::unique_ptr<char[]>>;
  return stacks;
}

void Enter() {
  (*block->kernel)();
  FinishCopies();
  block->lanes[block->current].done = true;
  _longjmp(block->scheduler, 1);
}

// Not inlined: its locals must not be kept in registers over the jump.
__attribute__((noinline)) void Resume(int number) {
  block->current = number;
  threadIdx = {static_cast<unsigned>(number), 0, 0};
  LaneState& lane = block->lanes[number];
  if (_setjmp(block->scheduler) != 0) return;
  if (lane.started) _longjmp(lane.resume, 1);
  lane.started = true;
  setcontext(&lane.start);
}

__attribute__((noinline)) void Yield() {
  LaneState& lane = block->lanes[block->current];
  if (_setjmp(lane.resume) == 0) _longjmp(block->scheduler, 1);
}

bool CanRun(const LaneState& lane) {
  return !lane.done && (lane.word == nullptr || *lane.word != lane.value);
}

void RunBlock() {
  bool progress = true;
  size_t left = block->lanes.size();
  while (left > 0) {
    if (!progress) {
      int waiting = 0;
      while (block->lanes[waiting].done) ++waiting;
      Fail("%zu threads of block (%u, %u, %u) wait for ever, the first is %d",
           left, blockIdx.x, blockIdx.y, blockIdx.z, waiting);
    }
    progress = false;
    // A warp as far as it gets, then the next one.
    for (size_t first = 0; first < block->lanes.size(); first += kWarpSize) {
      bool again = true;
      while (again) {
        again = false;
        for (int i = 0; i < kWarpSize; ++i) {
          const size_t number = first + static_cast<size_t>(i);
          LaneState& lane = block->lanes[number];
          if (!CanRun(lane)) continue;
          lane.word = nullptr;
          Resume(static_cast<int>(number));
          if (block->lanes[number].done) --left;
          again = progress = true;
        }
      }
    }
  }
}

void PrepareLane(size_t number) {
  LaneState& lane = block->lanes[number];
  auto& stacks = Stacks();
  if (stacks.empty()) {
    lane.stack.reset(new char[kStackBytes]);
  } else {
    lane.stack = std::move(stacks.back());
    stacks.pop_back();
  }
  getcontext(&lane.start);
  lane.start.uc_stack.ss_sp = lane.stack.get();
  lane.start.uc_stack.ss_size = kStackBytes;
  lane.start.uc_link = nullptr;
  makecontext(&lane.start, Enter, 0);
}

}  // namespace

void Run(Dim3 grid, int threads, int shared_bytes,
         const std::function<void()>& kernel) {
  if (threads % kWarpSize != 0 || threads > 1024 ||
      shared_bytes > kMaxSharedBytes)
    Fail("a block of %d threads and %d bytes of shared memory", threads,
         shared_bytes);
  gridDim = {grid.x, grid.y, grid.z};
  blockDim = {static_cast<unsigned>(threads), 1, 1};
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        Block one;
        one.lanes.resize(static_cast<size_t>(threads));
        one.warps.resize(static_cast<size_t>(threads / kWarpSize));
        one.kernel = &kernel;
        one.shared_bytes = shared_bytes;
        block = &one;
        blockIdx = {x, y, z};
        std::memset(gsa::dev::gsa_shared_memory, 0xff,
                    static_cast<size_t>(shared_bytes));
        for (size_t i = 0; i < one.lanes.size(); ++i) PrepareLane(i);
        RunBlock();
        for (LaneState& lane : one.lanes)
          Stacks().push_back(std::move(lane.stack));
        block = nullptr;
      }
}

int Thread() { return block->current; }
int NumThreads() { return static_cast<int>(block->lanes.size()); }

void WaitWhile(const uint32_t& word, uint32_t value) {
  while (word == value) {
    LaneState& lane = block->lanes[block->current];
    lane.word = &word;
    lane.value = value;
    Yield();
  }
}

void AddCopy(std::function<void()> action) {
  block->lanes[block->current].copies.push_back(std::move(action));
}

void FinishCopies() {
  auto copies = std::move(block->lanes[block->current].copies);
  block->lanes[block->current].copies.clear();
  for (const auto& copy : copies) copy();
}

void Fail(const char* format, ...) {
  std::fflush(stdout);
  std::fprintf(stderr, "simt: ");
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  if (block != nullptr) std::fprintf(stderr, " (thread %d)", block->current);
  std::fprintf(stderr, "\n");
  std::abort();
}

void* SharedMemory(unsigned address, int bytes, int alignment) {
  const int64_t offset = int64_t{address} - kSharedBase;
  if (offset < 0 || offset + bytes > block->shared_bytes ||
      address % static_cast<unsigned>(alignment) != 0)
    Fail(
        "%d bytes at %lld of %d bytes of shared memory, expected a multiple "
        "of %d within",
        bytes, static_cast<long long>(offset), block->shared_bytes, alignment);
  return gsa::dev::gsa_shared_memory + offset;
}

unsigned SharedAddress(const void* pointer) {
  const ptrdiff_t offset =
      static_cast<const unsigned char*>(pointer) - gsa::dev::gsa_shared_memory;
  if (offset < 0 || offset > kMaxSharedBytes)
    Fail("%p is not in shared memory", pointer);
  return kSharedBase + static_cast<unsigned>(offset);
}

const uint64_t* Exchange(const char* name, uint64_t value, uint32_t mask) {
  const int lane = Thread() % kWarpSize;
  if ((mask >> lane & 1) == 0)
    Fail("lane %d in %s of lanes %08x", lane, name, mask);
  Warp& warp = block->warps[static_cast<size_t>(Thread() / kWarpSize)];
  Meeting& meeting = warp.meetings[__builtin_ctz(mask)];
  if (meeting.arrived == 0) {
    meeting.name = name;
    meeting.mask = mask;
  } else if (std::strcmp(meeting.name, name) != 0 || meeting.mask != mask) {
    Fail("lanes of a warp meet in %s of %08x and in %s of %08x", meeting.name,
         meeting.mask, name, mask);
  }
  const uint32_t generation = meeting.generation;
  uint64_t* values = meeting.values[generation & 1];
  values[lane] = value;
  meeting.arrived |= 1u << lane;
  if (meeting.arrived == mask) {
    meeting.arrived = 0;
    ++meeting.generation;
  } else {
    WaitWhile(meeting.generation, generation);
  }
  return values;
}

void BarrierArrive(int number, int threads) {
  if (number < 0 || number > 15 || threads % kWarpSize != 0 || threads <= 0)
    Fail("barrier %d of %d threads", number, threads);
  Barrier& barrier = block->barriers[static_cast<size_t>(number)];
  if (++barrier.arrived < threads) return;
  barrier.arrived = 0;
  ++barrier.generation;
}

void BarrierSync(int number, int threads) {
  if (number < 0 || number > 15) Fail("barrier %d", number);
  Barrier& barrier = block->barriers[static_cast<size_t>(number)];
  const uint32_t generation = barrier.generation;
  BarrierArrive(number, threads);
  WaitWhile(barrier.generation, generation);
}

void Mbarrier::Settle() {
  if (missing != 0 || bytes != 0) return;
  missing = expected;
  ++phase;
}

Mbarrier& MbarrierAt(unsigned address) {
  return *static_cast<Mbarrier*>(SharedMemory(address, sizeof(Mbarrier), 8));
}

}  // namespace simt
