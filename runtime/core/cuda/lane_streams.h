// -----------------------------------------------------------------------------
// File: lane_streams.h
// -----------------------------------------------------------------------------
//
// The streams and events on which a run submits the steps of its lanes beside
// that of its caller. A run has a set of its own while it submits; what the set
// still has to do then is behind it on its streams, and events are waited for
// as they were recorded when the wait was submitted.
//
//   GSA_ASSIGN_OR_RETURN(LaneStreams::Lease set, streams.Take(stream,
//   captures)); set->streams[lane - 1], set->events[i]
//
// A stream that a capture has reached belongs to it until it ends: a set whose
// streams capture is given only to runs on the stream with which it was
// captured. Sets are kept, so that nothing is made once as many are there as
// runs submit at a time. Thread safe.

#ifndef GSA_RUNTIME_CORE_CUDA_LANE_STREAMS_H_
#define GSA_RUNTIME_CORE_CUDA_LANE_STREAMS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"

namespace gsa {

class LaneStreams {
 public:
  struct Set {
    std::vector<cuda::Stream> streams;  // of lane 1 and those behind it
    std::vector<cuda::Event> events;
    bool taken = false;     // guarded by the mutex
    bool captured = false;  // the last run was captured, on `origin`
    cuda::Stream origin = nullptr;
  };

  // Keeps a set from other runs.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)),
          set_(std::exchange(other.set_, nullptr)) {}
    Lease& operator=(Lease&&) = delete;
    ~Lease();

    const Set* operator->() const { return set_; }

   private:
    friend class LaneStreams;
    Lease(LaneStreams* owner, Set* set) : owner_(owner), set_(set) {}

    LaneStreams* owner_ = nullptr;
    Set* set_ = nullptr;
  };

  LaneStreams() = default;
  ~LaneStreams();
  LaneStreams(const LaneStreams&) = delete;
  LaneStreams& operator=(const LaneStreams&) = delete;

  // For programs of `lanes` lanes, the caller's stream included, with `events`
  // events. Called once, before all others.
  void SetSizes(std::shared_ptr<const PrimaryContext> context, int32_t lanes,
                int32_t events);

  // Makes the first set, if there is none. The context is current.
  absl::Status Reserve();

  // A set for a run on `stream`, which captures or not. The context is current.
  absl::StatusOr<Lease> Take(cuda::Stream stream, bool captures);

 private:
  absl::StatusOr<std::unique_ptr<Set>> Make() const;
  void Destroy(const Set& set) const;
  // Whether a run on `stream` may have a set that no other run has.
  absl::StatusOr<bool> Fits(Set& set, cuda::Stream stream, bool captures) const;

  std::shared_ptr<const PrimaryContext> context_;
  int32_t lanes_ = 1, events_ = 0;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Set>> sets_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_LANE_STREAMS_H_
