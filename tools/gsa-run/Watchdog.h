//===- Watchdog.h - ends a process that takes too long ---------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_WATCHDOG_H
#define GSA_TOOLS_GSA_RUN_WATCHDOG_H

#include <condition_variable>
#include <mutex>
#include <thread>

namespace gsa {

/// Ends the process with exit code 1 and a message if it still lives after
/// `seconds`; 0 does nothing. A kernel that waits for ever cannot be ended in
/// another way.
class Watchdog {
 public:
  explicit Watchdog(int seconds);
  ~Watchdog();

 private:
  std::mutex mutex;
  std::condition_variable ended;
  bool done = false;
  std::thread thread;
};

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_WATCHDOG_H
