// -----------------------------------------------------------------------------
// File: temporary_files.cc
// -----------------------------------------------------------------------------

#include "runtime/core/temporary_files.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;

struct Registry {
  std::mutex mutex;
  std::set<std::string> paths;
  std::set<pid_t> children;
};

// Never destroyed: objects with static lifetime use it while the process ends.
Registry& TheRegistry() {
  static Registry& registry = *new Registry;
  return registry;
}

void RemovePath(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

// Whether the child has ended; it stays for Wait().
bool HasEnded(pid_t child) {
  siginfo_t info = {};
  return waitid(P_PID, static_cast<id_t>(child), &info,
                WEXITED | WNOHANG | WNOWAIT) != 0 ||
         info.si_pid == child;
}

}  // namespace

absl::StatusOr<TemporaryPath> TemporaryPath::Make(
    absl::FunctionRef<absl::StatusOr<std::string>()> create) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  TemporaryPath made;
  GSA_ASSIGN_OR_RETURN(made.path_, create());
  registry.paths.insert(made.path_);
  return made;
}

TemporaryPath::TemporaryPath(TemporaryPath&& other) noexcept
    : path_(std::exchange(other.path_, std::string())) {}

TemporaryPath& TemporaryPath::operator=(TemporaryPath&& other) noexcept {
  if (this != &other) {
    Remove();
    path_ = std::exchange(other.path_, std::string());
  }
  return *this;
}

void TemporaryPath::Remove() {
  if (path_.empty()) return;
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  RemovePath(path_);
  registry.paths.erase(path_);
  path_.clear();
}

void TemporaryPath::Release() {
  if (path_.empty()) return;
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.paths.erase(path_);
  path_.clear();
}

int RegisteredChild::Spawn(absl::FunctionRef<int(pid_t*)> spawn, pid_t* child) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  const int error = spawn(child);
  if (error == 0) registry.children.insert(*child);
  return error;
}

int RegisteredChild::Wait(pid_t child) {
  // The number stays taken until it is out of the registry, so that it cannot
  // name another process there.
  siginfo_t info = {};
  while (waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT) !=
             0 &&
         errno == EINTR) {
  }
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.children.erase(child);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void EndTemporaries() {
  Registry& registry = TheRegistry();
  registry.mutex.lock();  // and never unlocked
  using Clock = std::chrono::steady_clock;
  for (pid_t child : registry.children) kill(child, SIGTERM);
  const Clock::time_point until = Clock::now() + std::chrono::seconds(2);
  for (pid_t child : registry.children) {
    while (!HasEnded(child) && Clock::now() < until) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (!HasEnded(child)) kill(child, SIGKILL);
  }
  for (const std::string& path : registry.paths) {
    // Other threads still run and may be about to make files in a directory:
    // under its new name they do not find it.
    std::error_code error;
    const std::string hidden = path + ".ending";
    fs::rename(path, hidden, error);
    RemovePath(error ? path : hidden);
  }
}

}  // namespace gsa
