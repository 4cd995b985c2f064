// -----------------------------------------------------------------------------
// File: core_thread_pool_test.cc
// -----------------------------------------------------------------------------
//
// The thread pool and the run context. These tests are also run under
// ThreadSanitizer; plain (non-atomic) writes in tasks are there on purpose.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/run_context.h"
#include "runtime/core/thread_pool.h"

namespace gsa {
namespace {

std::unique_ptr<ThreadPool> MakePool(int n) {
  return ThreadPool::Create(n).value();
}

TEST(ThreadPoolTest, RefusesBadThreadCounts) {
  for (int n : {0, -1, ThreadPool::kMaxThreads + 1}) {
    EXPECT_EQ(ThreadPool::Create(n).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
  EXPECT_GE(AvailableCpus(), 1);
}

TEST(ThreadPoolTest, EachTaskRunsExactlyOnce) {
  for (int threads : {1, 2, 3, 8}) {
    auto pool = MakePool(threads);
    EXPECT_EQ(pool->num_threads(), threads);
    for (int64_t n : {0, 1, 2, 7, 64, 1000, 100003}) {
      std::vector<int> runs(n, 0);
      pool->ParallelFor(n, [&](int64_t task) { ++runs[task]; });
      for (int64_t i = 0; i < n; ++i) ASSERT_EQ(runs[i], 1) << i << " of " << n;
    }
    pool->ParallelFor(-5, [](int64_t) { FAIL(); });
  }
}

TEST(ThreadPoolTest, ManyShortJobsPublishTheirResults) {
  auto pool = MakePool(4);
  std::vector<int64_t> values(5, 0);
  for (int64_t job = 1; job <= 3000; ++job) {
    pool->ParallelFor(5, [&](int64_t task) { values[task] += job; });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), int64_t{0}),
              5 * job * (job + 1) / 2);
  }
}

TEST(ThreadPoolTest, JobsAfterAPauseWakeSleepingWorkers) {
  auto pool = MakePool(3);
  for (int job = 0; job < 10; ++job) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    // Each task waits for the other two: passes only if three threads work.
    std::atomic<int> arrived{0};
    pool->ParallelFor(3, [&](int64_t) {
      ++arrived;
      while (arrived.load() < 3) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), 3);
  }
}

TEST(ThreadPoolTest, CallerWaitsForASlowWorker) {
  auto pool = MakePool(2);
  std::vector<int> done(2, 0);
  std::atomic<int> arrived{0};
  pool->ParallelFor(2, [&](int64_t task) {
    ++arrived;
    while (arrived.load() < 2) std::this_thread::yield();
    // Long enough for the other thread to stop spinning and to sleep.
    if (task == 1) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    done[task] = 1;
  });
  EXPECT_THAT(done, testing::ElementsAre(1, 1));
}

TEST(ThreadPoolTest, ConcurrentCallersShareAPool) {
  auto pool = MakePool(3);
  constexpr int kCallers = 4;
  std::vector<int64_t> sums(kCallers, 0);
  std::vector<std::thread> callers;
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      for (int job = 0; job < 200; ++job) {
        std::vector<int64_t> parts(17, 0);
        pool->ParallelFor(17, [&](int64_t task) { parts[task] = task + c; });
        sums[c] += std::accumulate(parts.begin(), parts.end(), int64_t{0});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (int c = 0; c < kCallers; ++c) EXPECT_EQ(sums[c], 200 * (136 + 17 * c));
}

TEST(ThreadPoolTest, NestedLoopsRunInline) {
  auto pool = MakePool(3);
  auto other = MakePool(2);
  std::vector<int> runs(6 * 5, 0);
  pool->ParallelFor(6, [&](int64_t outer) {
    const auto thread = std::this_thread::get_id();
    ThreadPool* inner_pool = outer % 2 ? pool.get() : other.get();
    inner_pool->ParallelFor(5, [&](int64_t inner) {
      EXPECT_EQ(std::this_thread::get_id(), thread);
      ++runs[outer * 5 + inner];
    });
  });
  EXPECT_THAT(runs, testing::Each(1));
}

TEST(ThreadPoolTest, PoolsComeAndGo) {
  for (int i = 0; i < 50; ++i) {
    auto pool = MakePool(1 + i % 5);
    std::atomic<int> runs{0};
    if (i % 2) pool->ParallelFor(9, [&](int64_t) { ++runs; });
    EXPECT_EQ(runs.load(), i % 2 ? 9 : 0);
  }
}

TEST(ThreadPoolDeathTest, AThrowingTaskTerminates) {
  auto pool = MakePool(1);
  EXPECT_DEATH(pool->ParallelFor(1, [](int64_t) { throw 1; }), "");
}

struct Closure {
  std::vector<std::thread::id> threads;
};

void RecordThread(void* closure, int64_t task) {
  static_cast<Closure*>(closure)->threads[task] = std::this_thread::get_id();
}

TEST(RunContextTest, WithoutContextTasksRunOnTheCaller) {
  ASSERT_EQ(ScopedRunContext::Current(), nullptr);
  Closure closure{std::vector<std::thread::id>(10)};
  gsa_cpu_parallel(RecordThread, &closure, 10);
  EXPECT_THAT(closure.threads, testing::Each(std::this_thread::get_id()));
  gsa_cpu_zone(3);  // must be harmless
  RunContext no_pool(nullptr, 0);
  ScopedRunContext scope(&no_pool);
  closure.threads.assign(10, {});
  gsa_cpu_parallel(RecordThread, &closure, 10);
  EXPECT_THAT(closure.threads, testing::Each(std::this_thread::get_id()));
}

TEST(RunContextTest, CEntryUsesThePoolOfTheContext) {
  auto pool = MakePool(2);
  RunContext context(pool.get(), 1);
  ScopedRunContext scope(&context);
  struct Shared {
    std::atomic<int> arrived{0};
  } shared;
  // Two tasks that wait for each other: they must be on two threads.
  gsa_cpu_parallel(
      [](void* closure, int64_t) {
        auto& arrived = static_cast<Shared*>(closure)->arrived;
        ++arrived;
        while (arrived.load() < 2) std::this_thread::yield();
      },
      &shared, 2);
  EXPECT_EQ(shared.arrived.load(), 2);
}

TEST(RunContextTest, NestedCEntryRunsInline) {
  auto pool = MakePool(3);
  RunContext context(pool.get(), 0);
  ScopedRunContext scope(&context);
  std::vector<int64_t> sums(8, 0);
  gsa_cpu_parallel(
      [](void* closure, int64_t task) {
        auto& sums = *static_cast<std::vector<int64_t>*>(closure);
        gsa_cpu_parallel(
            [](void* sum, int64_t inner) {
              *static_cast<int64_t*>(sum) += inner;
            },
            &sums[task], 100);
      },
      &sums, 8);
  EXPECT_THAT(sums, testing::Each(4950));
}

TEST(RunContextTest, ZonesAccumulateTime) {
  RunContext context(nullptr, 3);
  {
    ScopedRunContext scope(&context);
    gsa_cpu_zone(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    gsa_cpu_zone(2);
    gsa_cpu_zone(0);
    std::this_thread::sleep_for(std::chrono::milliseconds(4));
    gsa_cpu_zone(-1);
    gsa_cpu_zone(2);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }  // the end of the scope ends zone 2
  EXPECT_EQ(context.zone_visits(0), 2);
  EXPECT_GE(context.zone_nanoseconds(0), 8'000'000);
  EXPECT_EQ(context.zone_visits(1), 0);
  EXPECT_EQ(context.zone_nanoseconds(1), 0);
  EXPECT_EQ(context.zone_visits(2), 2);
  EXPECT_GE(context.zone_nanoseconds(2), 2'000'000);
  EXPECT_EQ(context.invalid_marks(), 0);
}

TEST(RunContextTest, ZonesOutOfRangeAreCountedNotStored) {
  RunContext context(nullptr, 2);
  ScopedRunContext scope(&context);
  gsa_cpu_zone(2);
  gsa_cpu_zone(-2);
  gsa_cpu_zone(INT64_MAX);
  gsa_cpu_zone(1);
  gsa_cpu_zone(-1);
  EXPECT_EQ(context.invalid_marks(), 3);
  EXPECT_EQ(context.zone_visits(1), 1);
}

TEST(RunContextTest, ScopesNestAndBelongToOneThread) {
  RunContext outer(nullptr, 1);
  RunContext inner(nullptr, 1);
  ScopedRunContext outer_scope(&outer);
  {
    ScopedRunContext inner_scope(&inner);
    EXPECT_EQ(ScopedRunContext::Current(), &inner);
    std::thread([] { EXPECT_EQ(ScopedRunContext::Current(), nullptr); }).join();
  }
  EXPECT_EQ(ScopedRunContext::Current(), &outer);
}

}  // namespace
}  // namespace gsa
