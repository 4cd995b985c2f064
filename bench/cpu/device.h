// -----------------------------------------------------------------------------
// File: device.h
// -----------------------------------------------------------------------------
//
// Where and when a measurement was taken.

#ifndef GSA_BENCH_CPU_DEVICE_H_
#define GSA_BENCH_CPU_DEVICE_H_

#include <string>

namespace gsa::bench {

// The processor's name as the system gives it, "unknown" if it gives none.
std::string CpuModel();

// What `git describe --always --dirty` says in the working directory, or
// "unknown".
std::string GitCommit();

// "2026-01-31T12:00:00Z".
std::string UtcNow();

}  // namespace gsa::bench

#endif  // GSA_BENCH_CPU_DEVICE_H_
