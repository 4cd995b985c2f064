// -----------------------------------------------------------------------------
// File: device.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/device.h"

#include <sys/utsname.h>

#include <cstdio>
#include <ctime>
#include <fstream>

namespace gsa::bench {

std::string CpuModel() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (line.rfind("model name", 0) != 0) continue;
    size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    size_t start = line.find_first_not_of(' ', colon + 1);
    if (start != std::string::npos) return line.substr(start);
  }
  utsname system;
  return uname(&system) == 0 ? system.machine : "unknown";
}

std::string GitCommit() {
  // NOLINTNEXTLINE(bugprone-command-processor): a constant command
  FILE* pipe = popen(
      "git describe --always --dirty --abbrev=12 --exclude='*' 2>/dev/null",
      "r");
  if (pipe == nullptr) return "unknown";
  char text[128] = {};
  size_t size = fread(text, 1, sizeof(text) - 1, pipe);
  if (pclose(pipe) != 0) return "unknown";
  std::string commit(text, size);
  while (!commit.empty() && commit.back() == '\n') commit.pop_back();
  return commit.empty() ? "unknown" : commit;
}

std::string UtcNow() {
  std::time_t now = std::time(nullptr);
  std::tm utc;
  if (gmtime_r(&now, &utc) == nullptr) return "unknown";
  char text[32];
  size_t size = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return std::string(text, size);
}

}  // namespace gsa::bench
