//===- Watchdog.cpp - ends a process that takes too long ------------------===//

#include "tools/gsa-run/Watchdog.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "runtime/core/temporary_files.h"
#include "tools/common/ExitCode.h"

namespace gsa {

Watchdog::Watchdog(int seconds) {
  if (seconds <= 0) return;
  thread = std::thread([this, seconds] {
    std::unique_lock<std::mutex> lock(mutex);
    if (ended.wait_for(lock, std::chrono::seconds(seconds),
                       [this] { return done; }))
      return;
    std::fprintf(stderr,
                 "gsa-run: error: the run took longer than the %d s of "
                 "--watchdog\n",
                 seconds);
    std::fflush(nullptr);
    EndTemporaries();
    _exit(kExitFailure);
  });
}

Watchdog::~Watchdog() {
  if (!thread.joinable()) return;
  {
    std::lock_guard<std::mutex> lock(mutex);
    done = true;
  }
  ended.notify_all();
  thread.join();
}

}  // namespace gsa
