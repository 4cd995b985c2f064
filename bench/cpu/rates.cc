// -----------------------------------------------------------------------------
// File: rates.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/rates.h"

#include <sched.h>

#include <algorithm>
#include <barrier>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "bench/cpu/kernels.h"
#include "bench/cpu/modules.h"
#include "bench/cpu/plan_runner.h"
#include "bench/cpu/timing.h"
#include "runtime/core/status_macros.h"

namespace gsa::bench {
namespace {

// "512K", "32M" -> bytes; 0 if the file is missing or says something else.
int64_t ReadCacheSize(int index) {
  std::ifstream file(
      absl::StrCat("/sys/devices/system/cpu/cpu0/cache/index", index, "/size"));
  int64_t size = 0;
  char unit = 0;
  if (!(file >> size)) return 0;
  if (file >> unit) {
    if (unit == 'K') return size << 10;
    if (unit == 'M') return size << 20;
  }
  return size;
}

void FindCaches(MachineRates* rates) {
  for (int index = 0; index < 8; ++index) {
    std::ifstream file(absl::StrCat("/sys/devices/system/cpu/cpu0/cache/index",
                                    index, "/level"));
    int level = 0;
    if (!(file >> level)) break;
    if (level == 2) rates->l2_bytes = ReadCacheSize(index);
    if (level == 3) rates->l3_bytes = ReadCacheSize(index);
  }
  rates->caches_known = rates->l2_bytes > 0;
  if (!rates->caches_known) rates->l2_bytes = int64_t{1} << 20;
  if (rates->l3_bytes == 0) rates->l3_bytes = 8 * rates->l2_bytes;
}

// Keeps the calling thread on the `index`-th CPU that it may use, modulo their
// number. Without this, two threads may share a CPU for a whole measurement
// while another process holds the other one. Best effort: a system that refuses
// only measures less well.
void PinThread(int index) {
  cpu_set_t allowed, one;
  if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0) return;
  index %= std::max(1, CPU_COUNT(&allowed));
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || index-- > 0) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
    return;
  }
}

// Runs loops on all threads and keeps the best rate of the rounds. Samples are
// short and many: on a machine that does something else as well, some of them
// then have all threads for themselves.
class Meter {
 public:
  Meter(ThreadPool* pool, int rounds, double min_ms)
      : pool_(pool), rounds_(rounds), min_ms_(min_ms) {}

  // `body(thread)` does `amount` of work; returns work per second of `threads`
  // bodies that run at once. The threads meet before each sample, so that none
  // has finished when another one begins.
  double Rate(int threads, double amount,
              const std::function<void(int)>& body) const {
    body(0);
    double start = NowMs();
    body(0);
    double once = std::max(NowMs() - start, 1e-4);
    auto repeat = std::max<int64_t>(1, static_cast<int64_t>(min_ms_ / once));
    std::barrier meeting(threads);
    const size_t samples = static_cast<size_t>(threads) * rounds_;
    std::vector<double> starts(samples), ends(samples);
    auto work = [&](int thread) {
      PinThread(thread);
      for (int round = 0; round < rounds_; ++round) {
        meeting.arrive_and_wait();
        starts[thread * rounds_ + round] = NowMs();
        for (int64_t i = 0; i < repeat; ++i) body(thread);
        ends[thread * rounds_ + round] = NowMs();
      }
    };
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) workers.emplace_back(work, t);
    for (std::thread& worker : workers) worker.join();
    double best = 0;
    for (int round = 0; round < rounds_; ++round) {
      double first = starts[round], last = ends[round];
      for (int t = 1; t < threads; ++t) {
        first = std::min(first, starts[t * rounds_ + round]);
        last = std::max(last, ends[t * rounds_ + round]);
      }
      double work_done = amount * threads * static_cast<double>(repeat);
      best = std::max(best, work_done / ((last - first) * 1e-3));
    }
    return best;
  }

  int threads() const { return pool_->num_threads(); }
  ThreadPool* pool() const { return pool_; }
  int rounds() const { return rounds_; }
  double min_ms() const { return min_ms_; }

 private:
  ThreadPool* pool_;
  int rounds_;
  double min_ms_;
};

// A pair of buffers that a thread walks through piece by piece, over and over:
// samples stay short however much memory is walked through.
class Walk {
 public:
  static absl::StatusOr<Walk> Create(int64_t floats) {
    Walk walk;
    GSA_ASSIGN_OR_RETURN(walk.x_,
                         HostTensor::Create("x", DType::kF32, {floats}));
    GSA_ASSIGN_OR_RETURN(walk.y_,
                         HostTensor::Create("y", DType::kF32, {floats}));
    for (HostTensor* tensor : {&walk.x_, &walk.y_}) {
      std::fill_n(tensor->values<float>().data(), floats, 1.0f);
    }
    walk.piece_ = std::min(floats, kPiece);
    walk.end_ = floats / walk.piece_ * walk.piece_;
    return walk;
  }

  // Of one step, all together.
  double bytes() const { return 2.0 * 4 * piece_; }

  void Read(const Kernels& kernels) {
    sum_ += kernels.read(x_.values<float>().data() + at_, piece_) +
            kernels.read(y_.values<float>().data() + at_, piece_);
    Advance();
  }
  void Copy(const Kernels& kernels) {
    kernels.copy(x_.values<float>().data() + at_,
                 y_.values<float>().data() + at_, piece_);
    Advance();
  }

  // Of what was read: a loop whose result nobody uses could be removed.
  float sum() const { return sum_; }

 private:
  static constexpr int64_t kPiece = 1 << 17;  // 512 KiB of each buffer

  void Advance() { at_ = at_ + piece_ < end_ ? at_ + piece_ : 0; }

  HostTensor x_, y_;
  int64_t piece_ = 0, end_ = 0, at_ = 0;
  float sum_ = 0;
};

// Reads and copies inside `total` bytes, split evenly over the threads.
absl::Status MeasureBandwidth(const Meter& meter, const Kernels& kernels,
                              int64_t total, double* read, double* copy) {
  int threads = meter.threads();
  int64_t floats = total / threads / 4 / 2 / 256 * 256;
  if (floats == 0) {
    return absl::InternalError(
        absl::StrCat("a cache of ", total, " bytes is too small to measure"));
  }
  std::vector<Walk> walks;
  for (int t = 0; t < threads; ++t) {
    GSA_ASSIGN_OR_RETURN(Walk walk, Walk::Create(floats));
    walks.push_back(std::move(walk));
  }
  double bytes = walks[0].bytes();
  *read = meter.Rate(threads, bytes, [&](int t) { walks[t].Read(kernels); });
  *copy = meter.Rate(threads, bytes, [&](int t) { walks[t].Copy(kernels); });
  for (const Walk& walk : walks) {
    if (!(walk.sum() > 0)) return absl::InternalError("reads went wrong");
  }
  return absl::OkStatus();
}

absl::Status MeasureLoops(const Meter& meter, const Kernels& kernels,
                          MachineRates* rates) {
  constexpr int64_t kIterations = 20000;
  int threads = meter.threads();
  std::vector<float> sinks(static_cast<size_t>(threads) * 16);
  double fmas = 0;
  auto fma = [&](int t) {
    float* sink = &sinks[static_cast<size_t>(t) * 16];
    sink[0] = 0.5f;
    sink[1] = 1.0f;
    kernels.fma(kIterations, sink);
  };
  {
    float sink[3] = {0.5f, 1.0f, 0};
    fmas = static_cast<double>(kernels.fma(kIterations, sink));
  }
  rates->fma_one_thread = meter.Rate(1, fmas, fma);
  rates->fma = meter.Rate(threads, fmas, fma);

  constexpr int64_t kElements = 2048;  // 16 KiB for input and output: in L1.
  std::vector<HostTensor> x, y;
  for (int t = 0; t < threads; ++t) {
    GSA_ASSIGN_OR_RETURN(HostTensor a,
                         HostTensor::Create("x", DType::kF32, {kElements}));
    GSA_ASSIGN_OR_RETURN(HostTensor b,
                         HostTensor::Create("y", DType::kF32, {kElements}));
    for (int64_t i = 0; i < kElements; ++i) {
      a.values<float>()[i] = -8.0f + 16.0f * i / kElements;
    }
    x.push_back(std::move(a));
    y.push_back(std::move(b));
  }
  constexpr int64_t kAngles = 256;
  std::vector<double> angles(kAngles);
  for (int64_t i = 0; i < kAngles; ++i) {
    angles[i] = 32.0 * i * std::pow(10000.0, -(i % 32) / 32.0);
  }
  auto elementwise = [&](void (*kernel)(const float*, float*, int64_t)) {
    return meter.Rate(threads, kElements, [&, kernel](int t) {
      kernel(x[t].values<float>().data(), y[t].values<float>().data(),
             kElements);
    });
  };
  rates->exp_loop = elementwise(kernels.exp);
  rates->sigmoid_loop = elementwise(kernels.sigmoid);
  // Angles as rotary embedding has them: 32 frequencies of each position.
  rates->sincos = meter.Rate(threads, kAngles, [&](int t) {
    absl::Span<float> out = y[t].values<float>();
    for (int64_t i = 0; i < kAngles; ++i) {
      out[i] = static_cast<float>(std::sin(angles[i]) + std::cos(angles[i]));
    }
  });
  return absl::OkStatus();
}

// The same function as the compiler makes it: an elementwise module on data
// that stays in the second-level caches.
absl::StatusOr<double> MeasureCompiled(const Meter& meter,
                                       const std::string& function) {
  int64_t elements = 32768 * int64_t{meter.threads()};
  GSA_ASSIGN_OR_RETURN(
      std::unique_ptr<PlanRunner> runner,
      PlanRunner::Create(ElementwiseModule(function, elements),
                         absl::StrCat(function, ".mlir"), meter.pool(), 0));
  Tensors tensors;
  GSA_ASSIGN_OR_RETURN(HostTensor x,
                       HostTensor::Create("x", DType::kF32, {elements}));
  for (int64_t i = 0; i < elements; ++i) {
    x.values<float>()[i] = -8.0f + 16.0f * i / elements;
  }
  tensors.emplace("x", std::move(x));
  GSA_RETURN_IF_ERROR(runner->Bind(tensors));
  TimingOptions timing;
  timing.rounds = meter.rounds();
  timing.min_sample_ms = meter.min_ms();
  GSA_ASSIGN_OR_RETURN(std::vector<Sample> samples,
                       Measure({{[&] { return runner->Run(); }}}, timing));
  return elements / (samples[0].min * 1e-3);
}

}  // namespace

absl::StatusOr<MachineRates> MeasureRates(ThreadPool* pool, int rounds,
                                          bool quick) {
  const Kernels& kernels = BestKernels();
  MachineRates rates;
  rates.threads = pool->num_threads();
  rates.vector_bits = kernels.vector_bits;
  FindCaches(&rates);
  Meter meter(pool, quick ? 15 : 25 * rounds, 1.5);
  GSA_RETURN_IF_ERROR(MeasureLoops(meter, kernels, &rates));
  GSA_ASSIGN_OR_RETURN(rates.exp_compiled, MeasureCompiled(meter, "exp"));
  GSA_ASSIGN_OR_RETURN(rates.sigmoid_compiled,
                       MeasureCompiled(meter, "sigmoid"));
  GSA_RETURN_IF_ERROR(MeasureBandwidth(meter, kernels,
                                       rates.threads * rates.l2_bytes / 2,
                                       &rates.read.l2, &rates.copy.l2));
  GSA_RETURN_IF_ERROR(MeasureBandwidth(meter, kernels, rates.l3_bytes / 2,
                                       &rates.read.l3, &rates.copy.l3));
  int64_t memory = std::clamp<int64_t>(8 * rates.l3_bytes, int64_t{64} << 20,
                                       int64_t{quick ? 128 : 512} << 20);
  GSA_RETURN_IF_ERROR(MeasureBandwidth(meter, kernels, memory,
                                       &rates.read.memory, &rates.copy.memory));
  return rates;
}

}  // namespace gsa::bench
