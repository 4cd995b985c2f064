//===- Signals.h - ends by signals leave nothing behind --------*- C++ -*-===//

#ifndef GSA_TOOLS_COMMON_SIGNALS_H
#define GSA_TOOLS_COMMON_SIGNALS_H

namespace gsa {

/// Call early in main, once. SIGINT, SIGTERM and SIGHUP end the process as
/// before, after EndTemporaries(); one that was ignored stays ignored, and a
/// second one ends the process at once. Writing to a closed pipe or beyond the
/// limit on file sizes fails and no longer ends the process.
void cleanUpOnSignals();

/// Waits for ever if one of those signals has come: call it before reporting a
/// failure that is only the signal's consequence, an ended child for instance.
void waitIfEnding();

}  // namespace gsa

#endif  // GSA_TOOLS_COMMON_SIGNALS_H
