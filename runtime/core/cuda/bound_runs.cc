// -----------------------------------------------------------------------------
// File: bound_runs.cc
// -----------------------------------------------------------------------------

#include "runtime/core/cuda/bound_runs.h"

#include <algorithm>

namespace gsa {

BoundRuns::Lease& BoundRuns::Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  Release();
  entry_ = std::exchange(other.entry_, nullptr);
  times_found_ = other.times_found_;
  own_ = std::move(other.own_);
  return *this;
}

void BoundRuns::Lease::Release() {
  // What was read of the entry comes before whoever takes it writes to it.
  if (entry_ != nullptr) entry_->users.fetch_sub(1, std::memory_order_release);
  entry_ = nullptr;
  own_.reset();
}

void BoundRuns::SetSizes(size_t parameters, size_t maps) {
  parameters_ = parameters;
  maps_ = maps;
  const size_t bytes = parameters * (sizeof(uint64_t) + sizeof(void*)) +
                       maps * sizeof(cuda::TensorMap);
  max_runs_ = bytes == 0
                  ? kMaxRuns
                  : std::min(kMaxRuns, std::max<size_t>(1, kMaxBytes / bytes));
  entries_.reserve(max_runs_);
}

BoundRuns::Lease BoundRuns::Find(absl::Span<const uint64_t> addresses) {
  Lease lease;
  std::lock_guard<std::mutex> lock(mutex_);
  for (const std::unique_ptr<Entry>& entry : entries_) {
    if (!entry->bound ||
        !std::equal(addresses.begin(), addresses.end(),
                    entry->run.addresses.begin(), entry->run.addresses.end()))
      continue;
    entry->last_use = ++clock_;
    entry->users.fetch_add(1, std::memory_order_relaxed);
    lease.entry_ = entry.get();
    lease.times_found_ = ++entry->times_found;
    return lease;
  }
  return lease;
}

BoundRuns::Lease BoundRuns::Take(absl::Span<const uint64_t> addresses) {
  Lease lease;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    Entry* oldest = nullptr;
    for (const std::unique_ptr<Entry>& entry : entries_)
      if (entry->users.load(std::memory_order_acquire) == 0 &&
          (oldest == nullptr || entry->last_use < oldest->last_use))
        oldest = entry.get();
    if (entries_.size() < max_runs_) {
      entries_.push_back(std::make_unique<Entry>());
      oldest = entries_.back().get();
    }
    if (oldest != nullptr) {
      oldest->bound = false;
      oldest->times_found = 0;
      oldest->last_use = ++clock_;
      oldest->users.fetch_add(1, std::memory_order_relaxed);
      lease.entry_ = oldest;
    }
  }
  if (!lease) {
    lease.own_ = std::make_unique<Entry>();
    lease.own_->users = 1;
    lease.entry_ = lease.own_.get();
  }
  BoundRun& run = lease.entry_->run;
  run.recorded.graph.reset();  // of other buffers
  run.recorded.failed = false;
  run.addresses.assign(addresses.begin(), addresses.end());
  run.values.resize(parameters_);
  run.maps.resize(maps_);
  run.pointers.resize(parameters_);
  return lease;
}

void BoundRuns::Keep(const Lease& lease) {
  if (lease.own_ != nullptr) return;
  std::lock_guard<std::mutex> lock(mutex_);
  lease.entry_->bound = true;
}

}  // namespace gsa
