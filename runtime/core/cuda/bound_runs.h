// -----------------------------------------------------------------------------
// File: bound_runs.h
// -----------------------------------------------------------------------------
//
// What the launches of a program are given, made once for each set of buffers
// that it runs on: the values of all kernel parameters, the maps of the copy
// engine, and the array of pointers to them that a launch takes. Whoever
// decodes runs on the same few sets of buffers step after step.
//
//   BoundRuns::Lease lease = runs.Find(addresses);
//   if (!lease) {
//     lease = runs.Take(addresses);
//     ... fill lease->values and lease->maps, point lease->pointers at them ...
//     runs.Keep(lease);
//   }
//   Launch(..., lease->pointers.data() + first_parameter);
//
// A set that is found again and again has a graph of the run, too
// (run_graph.h): whoever gets the lock of a lease makes it, and launches it.
//
// As many sets are kept as kMaxRuns and kMaxBytes allow, the least recently
// used goes first. Its memory is used again, so that nothing is allocated once
// that many sets, or all that there are, have been seen. Thread safe.

#ifndef GSA_RUNTIME_CORE_CUDA_BOUND_RUNS_H_
#define GSA_RUNTIME_CORE_CUDA_BOUND_RUNS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "runtime/core/cuda/cuda_abi.h"
#include "runtime/core/cuda/run_graph.h"

namespace gsa {

// The arguments of all launches of a run.
struct BoundRun {
  std::vector<uint64_t> addresses;    // of the buffers: what it is found by
  std::vector<uint64_t> values;       // one a parameter
  std::vector<cuda::TensorMap> maps;  // in the order of the parameters
  std::vector<void*> pointers;        // one a parameter, to its value or map

  // The launches as one, guarded by the mutex.
  struct Recorded {
    std::mutex mutex;
    std::unique_ptr<RunGraph> graph;  // null: none, or none yet
    bool failed = false;              // it could not be made
  };
  Recorded recorded;
};

class BoundRuns {
 private:
  struct Entry {
    BoundRun run;
    bool bound = false;         // filled; guarded by mutex_
    uint64_t last_use = 0;      // guarded by mutex_
    int64_t times_found = 0;    // guarded by mutex_
    std::atomic<int> users{0};  // leases; grows under mutex_ only
  };

 public:
  // One for each layer of a large model, and as many again.
  static constexpr size_t kMaxRuns = 256;
  static constexpr size_t kMaxBytes = size_t{16} << 20;

  // Keeps a bound run from being used for other buffers.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept { *this = std::move(other); }
    Lease& operator=(Lease&& other) noexcept;
    ~Lease() { Release(); }

    explicit operator bool() const { return entry_ != nullptr; }
    // How often it was found; 0 for one that has been taken.
    int64_t times_found() const { return times_found_; }
    BoundRun* operator->() const { return &entry_->run; }
    BoundRun& operator*() const { return entry_->run; }

   private:
    friend class BoundRuns;
    void Release();

    Entry* entry_ = nullptr;
    int64_t times_found_ = 0;
    std::unique_ptr<Entry> own_;  // where all that are kept are in use
  };

  // `parameters` and `maps` are what the launches of a run have, all together.
  void SetSizes(size_t parameters, size_t maps);

  // The bound run of the buffers at `addresses`, to be read only; an empty
  // lease where there is none.
  Lease Find(absl::Span<const uint64_t> addresses);
  // A bound run for these buffers, whose arrays have their sizes and are for
  // the holder of the lease to fill.
  Lease Take(absl::Span<const uint64_t> addresses);
  // Lets Find see what has been filled.
  void Keep(const Lease& lease);

 private:
  size_t parameters_ = 0, maps_ = 0;
  size_t max_runs_ = 1;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> entries_;
  uint64_t clock_ = 0;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_BOUND_RUNS_H_
