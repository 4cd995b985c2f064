// -----------------------------------------------------------------------------
// File: lane_streams.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/lane_streams.h"

#include "runtime/core/status_macros.h"

namespace gsa {

LaneStreams::Lease::~Lease() {
  if (set_ == nullptr) return;
  std::lock_guard<std::mutex> lock(owner_->mutex_);
  set_->taken = false;
}

LaneStreams::~LaneStreams() {
  if (sets_.empty()) return;
  ScopedContext scope(context_->driver(), context_->get());
  // Fails only where the context is lost, and what is in it.
  if (!scope.status().ok()) return;
  for (const std::unique_ptr<Set>& set : sets_) Destroy(*set);
}

void LaneStreams::SetSizes(std::shared_ptr<const PrimaryContext> context,
                           int32_t lanes, int32_t events) {
  context_ = std::move(context);
  lanes_ = lanes;
  events_ = events;
}

void LaneStreams::Destroy(const Set& set) const {
  for (cuda::Event event : set.events)
    context_->driver().EventDestroy(event).IgnoreError();
  for (cuda::Stream stream : set.streams)
    context_->driver().StreamDestroy(stream).IgnoreError();
}

absl::StatusOr<std::unique_ptr<LaneStreams::Set>> LaneStreams::Make() const {
  const DriverApi& driver = context_->driver();
  // Another thread may capture; and so may this run, on another stream.
  const ScopedRelaxedCapture relaxed(driver);
  auto set = std::make_unique<Set>();
  absl::Status status;
  for (int32_t lane = 1; lane < lanes_ && status.ok(); ++lane) {
    auto stream = driver.StreamCreate(cuda::kStreamNonBlocking);
    status = stream.status();
    if (status.ok()) set->streams.push_back(*stream);
  }
  for (int32_t i = 0; i < events_ && status.ok(); ++i) {
    auto event = driver.EventCreate(cuda::kEventDisableTiming);
    status = event.status();
    if (status.ok()) set->events.push_back(*event);
  }
  if (status.ok()) return set;
  Destroy(*set);
  return status;
}

absl::Status LaneStreams::Reserve() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!sets_.empty()) return absl::OkStatus();
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Set> set, Make());
  sets_.push_back(std::move(set));
  return absl::OkStatus();
}

absl::StatusOr<bool> LaneStreams::Fits(Set& set, cuda::Stream stream,
                                       bool captures) const {
  if (!set.captured) return true;
  // All of its streams were in that capture.
  GSA_ASSIGN_OR_RETURN(
      const cuda::CaptureStatus status,
      context_->driver().StreamIsCapturing(set.streams.front()));
  if (status == cuda::kCaptureNone) {
    set.captured = false;
    return true;
  }
  // Streams leave a capture together: as both capture, it is the same one.
  return status == cuda::kCaptureActive && captures && set.origin == stream;
}

absl::StatusOr<LaneStreams::Lease> LaneStreams::Take(cuda::Stream stream,
                                                     bool captures) {
  std::lock_guard<std::mutex> lock(mutex_);
  Set* found = nullptr;
  for (const std::unique_ptr<Set>& set : sets_) {
    if (set->taken) continue;
    GSA_ASSIGN_OR_RETURN(const bool fits, Fits(*set, stream, captures));
    if (!fits) continue;
    found = set.get();
    break;
  }
  if (found == nullptr) {
    GSA_ASSIGN_OR_RETURN(std::unique_ptr<Set> set, Make());
    sets_.push_back(std::move(set));
    found = sets_.back().get();
  }
  found->taken = true;
  found->captured = captures;
  found->origin = stream;
  return Lease(this, found);
}

}  // namespace gsa
