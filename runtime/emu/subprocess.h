// -----------------------------------------------------------------------------
// File: subprocess.h
// -----------------------------------------------------------------------------
//
// A child process that ends in bounded time.

#ifndef GSA_RUNTIME_EMU_SUBPROCESS_H_
#define GSA_RUNTIME_EMU_SUBPROCESS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace gsa {

struct SubprocessResult {
  int exit_code = 0;  // 128 + number of the signal that ended it
  bool timed_out = false;
  std::string output;  // the first 64 KiB of stdout and stderr together
};

// Runs `arguments[0]`, a path, with the environment of this process and
// `environment` ("NAME=value") on top. After `timeout` the child gets SIGTERM,
// and SIGKILL two seconds later; EndTemporaries() ends it, too. Thread safe.
//   Internal           the child cannot be started
absl::StatusOr<SubprocessResult> RunSubprocess(
    const std::vector<std::string>& arguments,
    const std::vector<std::string>& environment, absl::Duration timeout);

// The first of `names` that is an executable file in a directory of
// `search_path`, folders with colons in between, or itself the path of one;
// empty if there is none.
std::string FindProgram(const std::vector<std::string>& names,
                        const std::string& search_path);

}  // namespace gsa

#endif  // GSA_RUNTIME_EMU_SUBPROCESS_H_
