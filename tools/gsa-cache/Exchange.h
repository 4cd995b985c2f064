//===- Exchange.h - entries of a cache in one file -------------*- C++ -*-===//
//
// A file of entries for another machine:
//
//   8 bytes    "GSAKERNS"
//   and for each entry
//   8 bytes    its size, little-endian
//   the entry  as in the cache, with its digest
//
// What stands for this machine alone, the record of its NVRTC, is left out.
// Kernels are found there if it has the same NVRTC.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_GSA_CACHE_EXCHANGE_H
#define GSA_TOOLS_GSA_CACHE_EXCHANGE_H

#include <string>

#include "absl/status/statusor.h"
#include "runtime/core/program_cache.h"

namespace gsa {

/// Writes all entries that are whole; how many, and their bytes.
absl::StatusOr<ProgramCache::Collected> exportEntries(const ProgramCache& cache,
                                                      const std::string& file);

/// Puts the entries of a file into a cache, which must be writable.
/// InvalidArgument: the file is none, or is damaged; what came before the
/// damage is in the cache.
absl::StatusOr<ProgramCache::Collected> importEntries(ProgramCache& cache,
                                                      const std::string& file);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_CACHE_EXCHANGE_H
