//===- StandardStreams.cpp - standard output that may fail ----------------===//

#include "tools/common/StandardStreams.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace gsa {

void reserveStandardStreams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    // open() gives the lowest free number, which is this one. The wrong
    // direction makes reads and writes fail as they do on a closed descriptor.
    const bool reads = descriptor == STDOUT_FILENO;
    if (open("/dev/null", reads ? O_RDONLY : O_WRONLY) != descriptor) return;
  }
}

absl::Status writeToStandardOutput(absl::string_view text) {
  errno = 0;
  const size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written == text.size() && std::fflush(stdout) == 0)
    return absl::OkStatus();
  return absl::InternalError(
      absl::StrCat("cannot write to standard output: ", std::strerror(errno)));
}

}  // namespace gsa
