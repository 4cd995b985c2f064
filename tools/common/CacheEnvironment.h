//===- CacheEnvironment.h - where compiled kernels are kept ----*- C++ -*-===//
//
// The libraries read no environment and keep nothing on disk unless they are
// told where; the tools are told by
//
//   GSA_CACHE        off, ro, rw or only: the mode; anything else is a
//                    directory
//   XDG_CACHE_HOME   the default directory is gsa in it, if it is an absolute
//   HOME             path, else .cache/gsa in the home directory
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_CACHEENVIRONMENT_H
#define GSA_TOOLS_COMMON_CACHEENVIRONMENT_H

#include <string>

#include "runtime/core/program_cache.h"
#include "tools/common/ToolkitEnvironment.h"

/// For the end of --help.
inline constexpr char kCacheEnvironmentHelp[] =
    "Compiled kernels are kept in the directory that GSA_CACHE names, else in "
    "$XDG_CACHE_HOME/gsa or ~/.cache/gsa; GSA_CACHE=off, ro, rw or only "
    "is the mode instead.\n";

/// What the environment says; the mode is rw where it says nothing, and the
/// directory empty, so that nothing is kept, where there is no home.
inline gsa::ProgramCacheOptions getCacheFromEnvironment() {
  gsa::ProgramCacheOptions cache;
  cache.mode = gsa::CacheMode::kReadWrite;
  const std::string root = getEnvironment("XDG_CACHE_HOME");
  const std::string home = getEnvironment("HOME");
  if (!root.empty() && root[0] == '/')
    cache.directory = root + "/gsa";
  else if (!home.empty() && home[0] == '/')
    cache.directory = home + "/.cache/gsa";
  const std::string asked = getEnvironment("GSA_CACHE");
  if (auto mode = gsa::ParseCacheMode(asked); mode.ok())
    cache.mode = *mode;
  else if (!asked.empty())
    cache.directory = asked;
  return cache;
}

#endif  // GSA_TOOLS_COMMON_CACHEENVIRONMENT_H
