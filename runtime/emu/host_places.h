// -----------------------------------------------------------------------------
// File: host_places.h
// -----------------------------------------------------------------------------
//
// What the emulation of kernels uses of this machine: where its compiler is and
// where its files go. No environment variable is read here;
// tools/common/HostEnvironment.h says what the tools take from theirs.

#ifndef GSA_RUNTIME_EMU_HOST_PLACES_H_
#define GSA_RUNTIME_EMU_HOST_PLACES_H_

#include <string>

namespace gsa {

struct HostPlaces {
  // Keeps compiled programs, beyond this process and shared with others; made
  // if it is missing. Empty: a new directory in `temporary_root` that is
  // removed at the end of the process.
  std::string directory;
  std::string temporary_root = "/tmp";
  // Folders with colons in between, as in PATH, where compilers are searched.
  std::string search_path = "/usr/local/bin:/usr/bin:/bin";

  bool operator==(const HostPlaces&) const = default;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_HOST_PLACES_H_
