// -----------------------------------------------------------------------------
// File: subprocess.cc
// -----------------------------------------------------------------------------

#include "runtime/emu/subprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "runtime/core/temporary_files.h"

extern char** environ;

namespace gsa {
namespace {

constexpr size_t kMaxOutput = 64 * 1024;

// Strings as exec wants them; valid while the strings are.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings)
    pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

std::vector<std::string> MergedEnvironment(
    const std::vector<std::string>& extra) {
  std::vector<std::string> merged = extra;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string text = *entry;
    std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : extra)
      replaced |= other.compare(0, name.size(), name) == 0;
    if (!replaced) merged.push_back(std::move(text));
  }
  return merged;
}

// Reads until the end of file or the moment `until`. True if time is up.
bool ReadUntil(int fd, absl::Time until, std::string* output) {
  char buffer[4096];
  while (true) {
    int64_t left = absl::ToInt64Milliseconds(until - absl::Now());
    if (left <= 0) return true;
    pollfd entry = {fd, POLLIN, 0};
    int ready =
        poll(&entry, 1, static_cast<int>(std::min<int64_t>(left, 1000)));
    if (ready <= 0) continue;
    ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    size_t room = kMaxOutput - output->size();
    output->append(buffer, std::min<size_t>(room, count));
  }
}

}  // namespace

absl::StatusOr<SubprocessResult> RunSubprocess(
    const std::vector<std::string>& arguments,
    const std::vector<std::string>& environment, absl::Duration timeout) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return absl::InternalError(
        absl::StrCat("cannot make a pipe: ", strerror(errno)));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  std::vector<std::string> merged = MergedEnvironment(environment);
  pid_t child = 0;
  auto spawn = [&](pid_t* started) {
    return posix_spawn(started, arguments[0].c_str(), &actions, nullptr,
                       Pointers(arguments).data(), Pointers(merged).data());
  };
  int error = RegisteredChild::Spawn(spawn, &child);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  if (error != 0) {
    close(ends[0]);
    return absl::InternalError(
        absl::StrCat("cannot run ", arguments[0], ": ", strerror(error)));
  }
  SubprocessResult result;
  if (ReadUntil(ends[0], absl::Now() + timeout, &result.output)) {
    result.timed_out = true;
    kill(child, SIGTERM);
    ReadUntil(ends[0], absl::Now() + absl::Seconds(2), &result.output);
    kill(child, SIGKILL);
  }
  close(ends[0]);
  const int status = RegisteredChild::Wait(child);
  result.exit_code =
      WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

std::string FindProgram(const std::vector<std::string>& names,
                        const std::string& search_path) {
  auto is_program = [](const std::string& file) {
    struct stat info;
    return stat(file.c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
           access(file.c_str(), X_OK) == 0;
  };
  for (const std::string& name : names) {
    if (name.find('/') != std::string::npos) {
      if (is_program(name)) return name;
      continue;
    }
    size_t begin = 0;
    while (begin <= search_path.size()) {
      size_t end = std::min(search_path.find(':', begin), search_path.size());
      std::string file =
          absl::StrCat(search_path.substr(begin, end - begin), "/", name);
      if (is_program(file)) return file;
      begin = end + 1;
    }
  }
  return "";
}

}  // namespace gsa
