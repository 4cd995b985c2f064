//===- StandardStreams.h - standard output that may fail -------*- C++ -*-===//

#ifndef GSA_TOOLS_COMMON_STANDARDSTREAMS_H
#define GSA_TOOLS_COMMON_STANDARDSTREAMS_H

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gsa {

/// Call first in main. A standard descriptor that the caller of the tool has
/// closed is taken, so that no file that the tool opens gets its number and
/// then what was meant for the terminal: writing to such an output fails,
/// messages on such an error stream are dropped.
void reserveStandardStreams();

/// Writes all of `text` to standard output, or says why it could not (a full
/// disk, a closed descriptor or pipe); Internal.
absl::Status writeToStandardOutput(absl::string_view text);

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_STANDARDSTREAMS_H
