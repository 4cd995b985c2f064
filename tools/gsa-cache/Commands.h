//===- Commands.h - what gsa-cache does with a cache -----------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_CACHE_COMMANDS_H
#define GSA_TOOLS_GSA_CACHE_COMMANDS_H

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "runtime/core/program_cache.h"

namespace gsa {

struct CacheCommand {
  std::string name;  ///< One of commandNames().
  ProgramCacheOptions cache;
  std::string file;      ///< Of export and import.
  int64_t maxBytes = 0;  ///< Of gc.
  bool json = false;
};

/// ls, verify, gc, clear, export, import.
std::vector<std::string> commandNames();

/// Runs the command; its report goes to standard output. `*passed` is whether
/// verify found nothing. Errors: FailedPrecondition for a directory that the
/// cache refuses, InvalidArgument and NotFound for a file. A directory that is
/// not there is an empty cache.
absl::Status runCommand(const CacheCommand& command, bool* passed);

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_CACHE_COMMANDS_H
