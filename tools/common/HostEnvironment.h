//===- HostEnvironment.h - what the user says of this machine --*- C++ -*-===//
//
// The libraries read no environment; the tools do, in one way:
//
//   TMPDIR          where temporary files go; /tmp without it
//   PATH            where the C++ compiler of the emulation and disassemblers
//                   are searched
//   GSA_EMU_CACHE   a folder that keeps compiled emulations for later runs
//   NO_COLOR, CI    if one is set and not empty: lines instead of a bar that
//                   redraws itself
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_COMMON_HOSTENVIRONMENT_H
#define GSA_TOOLS_COMMON_HOSTENVIRONMENT_H

#include <unistd.h>

#include <cstdio>
#include <string>

#include "runtime/core/progress.h"
#include "runtime/emu/host_places.h"
#include "tools/common/ToolkitEnvironment.h"

/// Places of the emulation; what is not set keeps its default.
inline gsa::HostPlaces getHostPlacesFromEnvironment() {
  gsa::HostPlaces places;
  places.directory = getEnvironment("GSA_EMU_CACHE");
  if (std::string root = getEnvironment("TMPDIR"); !root.empty())
    places.temporary_root = root;
  if (std::string path = getEnvironment("PATH"); !path.empty())
    places.search_path = path;
  return places;
}

/// How progress is shown on `stream`.
inline gsa::ProgressStyle getProgressStyle(FILE* stream, bool quiet) {
  return gsa::ChooseProgressStyle(isatty(fileno(stream)) == 1, quiet,
                                  getEnvironment("NO_COLOR"),
                                  getEnvironment("CI"));
}

#endif  // GSA_TOOLS_COMMON_HOSTENVIRONMENT_H
