//===- Parallel.cc - independent rows on several threads ------------------===//

#include "test/reference/Parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace gsa::reference {

void ParallelFor(int64_t count, int num_threads,
                 const std::function<void(int64_t, int64_t)>& body,
                 int64_t piece) {
  // Causal rows differ in cost: small pieces, taken as threads become free.
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  auto work = [&] {
    for (;;) {
      int64_t begin = next.fetch_add(piece);
      if (begin >= count) return;
      try {
        body(begin, std::min(begin + piece, count));
      } catch (...) {
        std::lock_guard<std::mutex> lock(mutex);
        if (!first_error) first_error = std::current_exception();
        next.store(count);
        return;
      }
    }
  };
  int64_t pieces = (count + piece - 1) / piece;
  int64_t extra = std::min<int64_t>(num_threads, pieces) - 1;
  std::vector<std::thread> threads;
  for (int64_t i = 0; i < extra; ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace gsa::reference
