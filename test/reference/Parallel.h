//===- Parallel.h - independent rows on several threads ---------*- C++ -*-===//
//
// Rows of every operator are independent, so threads change the time and never
// the result.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_PARALLEL_H_
#define GSA_TEST_REFERENCE_PARALLEL_H_

#include <cstdint>
#include <functional>

namespace gsa::reference {

/// Calls `body(begin, end)` for consecutive pieces of [0, count), on
/// `num_threads` threads (at least 1), `piece` at a time. The first exception
/// of a piece is thrown again here after all threads have ended.
void ParallelFor(int64_t count, int num_threads,
                 const std::function<void(int64_t, int64_t)>& body,
                 int64_t piece = 16);

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_PARALLEL_H_
