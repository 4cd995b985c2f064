// -----------------------------------------------------------------------------
// File: faults.cc
// -----------------------------------------------------------------------------

#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <mutex>
#include <set>
#include <type_traits>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace gsa {
namespace {

struct State {
  std::mutex mutex;
  unsigned kinds = 0;
  int left = 0;  // calls before the one that fails
  bool onwards = false;
  Faults::Effect effect = Faults::Effect::kFails;
  std::string name;  // of the function; "" for all
  std::string failed;
  std::vector<std::string> calls;
};

State& TheState() {
  static State& state = *new State;
  return state;
}

}  // namespace

void Faults::Arm(unsigned kinds, int index, bool onwards, Effect effect,
                 const char* name) {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.kinds = kinds;
  state.left = index;
  state.onwards = onwards;
  state.effect = effect;
  state.name = name;
  state.failed.clear();
  state.calls.clear();
}

void Faults::Disarm() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.kinds = 0;
}

std::string Faults::Failed() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  return state.failed;
}

std::vector<std::string> Faults::Calls() {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  return state.calls;
}

bool Faults::Hits(Kind kind, const char* name, Effect* effect) {
  State& state = TheState();
  std::lock_guard<std::mutex> lock(state.mutex);
  if ((state.kinds & kind) == 0) return false;
  if (!state.name.empty() && state.name != name) return false;
  // What a call cannot have does not use up its turn.
  if (effect == nullptr && state.effect != Effect::kFails) return false;
  state.calls.emplace_back(name);
  if (effect != nullptr) *effect = state.effect;
  if (state.left > 0) {
    --state.left;
    return false;
  }
  if (!state.failed.empty() && !state.onwards) return false;
  if (state.failed.empty()) state.failed = name;
  return true;
}

bool GivesBack(const std::string& name) {
  static const auto& names = *new std::set<std::string>{
      "cuMemFree_v2",
      "cuModuleUnload",
      "cuStreamDestroy_v2",
      "cuEventDestroy_v2",
      "cuGraphDestroy",
      "cuGraphExecDestroy",
      "cuDevicePrimaryCtxRelease_v2",
      "cuCtxPopCurrent_v2",
      "nvrtcDestroyProgram",
      "cublasLtDestroy",
      "cublasLtMatmulDescDestroy",
      "cublasLtMatrixLayoutDestroy",
      "cublasLtMatmulPreferenceDestroy",
      "close",
      "closedir",
  };
  return names.count(name) != 0;
}

namespace {

template <typename Table>
constexpr Faults::Kind KindOf() {
  if (std::is_same_v<Table, cuda::DriverTable>) return Faults::kDriver;
  return std::is_same_v<Table, cuda::NvrtcTable> ? Faults::kNvrtc
                                                 : Faults::kBlas;
}
template <typename Table>
constexpr int OutOfMemory() {
  if (std::is_same_v<Table, cuda::DriverTable>) return cuda::kErrorOutOfMemory;
  return std::is_same_v<Table, cuda::NvrtcTable> ? cuda::kNvrtcOutOfMemory
                                                 : cuda::kBlasAllocFailed;
}

// Puts a function that counts in the place of `table->*Member`: of those that
// return an error.
template <auto Member>
struct Wrapper {
  template <typename Table>
  static void Install(const char*, Table*) {}
};
template <typename Table, typename... Arguments,
          int (*Table::*Member)(Arguments...)>
struct Wrapper<Member> {
  static inline int (*real)(Arguments...) = nullptr;
  static inline const char* name = "";

  // A capture has ended whether it gives a graph or not.
  static void EndCapture(cuda::Stream stream, cuda::Graph* graph) {
    if (real(stream, graph) != cuda::kSuccess) return;
    Wrapper<&cuda::DriverTable::GraphDestroy>::real(*graph);
    *graph = nullptr;
  }
  template <typename... Others>
  static void EndCapture(Others...) {}

  static int Call(Arguments... arguments) {
    if (!Faults::Hits(KindOf<Table>(), name)) return real(arguments...);
    if (GivesBack(name)) real(arguments...);
    EndCapture(arguments...);
    return OutOfMemory<Table>();
  }
  static void Install(const char* symbol, Table* table) {
    real = table->*Member;
    name = symbol;
    if (real != nullptr) table->*Member = Call;
  }
};

}  // namespace

cuda::DriverTable WithFaults(const cuda::DriverTable& table) {
  cuda::DriverTable wrapped = table;
#define GSA_WRAP(member, symbol, parameters) \
  Wrapper<&cuda::DriverTable::member>::Install(symbol, &wrapped);
  GSA_CUDA_DRIVER_FUNCTIONS(GSA_WRAP)
  GSA_CUDA_DRIVER_OPTIONAL_FUNCTIONS(GSA_WRAP)
#undef GSA_WRAP
  // They are called once something has failed.
  wrapped.GetErrorName = table.GetErrorName;
  wrapped.GetErrorString = table.GetErrorString;
  return wrapped;
}

cuda::NvrtcTable WithFaults(const cuda::NvrtcTable& table) {
  cuda::NvrtcTable wrapped = table;
#define GSA_WRAP(member, symbol, type, parameters) \
  Wrapper<&cuda::NvrtcTable::member>::Install(symbol, &wrapped);
  GSA_NVRTC_FUNCTIONS(GSA_WRAP)
#undef GSA_WRAP
  return wrapped;
}

cuda::CublasLtTable WithFaults(const cuda::CublasLtTable& table) {
  cuda::CublasLtTable wrapped = table;
#define GSA_WRAP(member, symbol, type, parameters) \
  Wrapper<&cuda::CublasLtTable::member>::Install(symbol, &wrapped);
  GSA_CUBLASLT_FUNCTIONS(GSA_WRAP)
#undef GSA_WRAP
  return wrapped;
}

int OpenFiles() {
  int count = 0;
  for (const auto& file :
       std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)file;
    ++count;
  }
  return count;
}

int ForEachFault(
    unsigned kinds,
    const std::function<absl::Status(const std::function<void()>& arm)>&
        attempt,
    const std::function<void(const absl::Status&, const std::string& failed)>&
        check,
    bool onwards, Faults::Effect effect) {
  for (int index = 0; index < 5000; ++index) {
    const absl::Status status =
        attempt([&] { Faults::Arm(kinds, index, onwards, effect); });
    Faults::Disarm();
    const std::string failed = Faults::Failed();
    if (failed.empty()) {
      EXPECT_TRUE(status.ok()) << status;
      return index;
    }
    SCOPED_TRACE(absl::StrCat("call ", index, ", ", failed));
    check(status, failed);
  }
  ADD_FAILURE() << "there is no end of calls";
  return 0;
}

}  // namespace gsa

// -----------------------------------------------------------------------------
// The system. The linker gives `__wrap_open` for each `open` of this program,
// and the system's own under `__real_open`.
// -----------------------------------------------------------------------------

namespace {

using gsa::Faults;

// Whether the call fails; errno says how.
bool Fails(const char* name, int error = EIO) {
  if (!Faults::Hits(Faults::kFiles, name)) return false;
  errno = error;
  return true;
}

// Moves bytes as `move(count)` does, or as the effect says.
template <typename Move>
ssize_t Transfer(const char* name, size_t count, Move move) {
  Faults::Effect effect;
  if (!Faults::Hits(Faults::kFiles, name, &effect)) return move(count);
  switch (effect) {
    case Faults::Effect::kPart:
      return move(count < 1 ? count : 1);
    case Faults::Effect::kNothing:
      return 0;
    case Faults::Effect::kInterrupted:
      errno = EINTR;
      return -1;
    case Faults::Effect::kFails:
      break;
  }
  errno = EIO;
  return -1;
}

}  // namespace

// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the
// linker's names.
extern "C" {

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return Fails("open") ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int directory, const char* path, int flags, ...);
int __wrap_openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return Fails("openat") ? -1 : __real_openat(directory, path, flags, mode);
}

// Linux closes the descriptor, whatever it says.
int __real_close(int fd);
int __wrap_close(int fd) {
  const bool fails = Fails("close");
  const int result = __real_close(fd);
  if (!fails) return result;
  errno = EIO;
  return -1;
}

int __real_closedir(DIR* directory);
int __wrap_closedir(DIR* directory) {
  const bool fails = Fails("closedir");
  const int result = __real_closedir(directory);
  return fails ? -1 : result;
}

ssize_t __real_read(int fd, void* data, size_t count);
ssize_t __wrap_read(int fd, void* data, size_t count) {
  return Transfer("read", count,
                  [&](size_t part) { return __real_read(fd, data, part); });
}

ssize_t __real_pread(int fd, void* data, size_t count, off_t offset);
ssize_t __wrap_pread(int fd, void* data, size_t count, off_t offset) {
  return Transfer("pread", count, [&](size_t part) {
    return __real_pread(fd, data, part, offset);
  });
}

ssize_t __real_write(int fd, const void* data, size_t count);
ssize_t __wrap_write(int fd, const void* data, size_t count) {
  return Transfer("write", count,
                  [&](size_t part) { return __real_write(fd, data, part); });
}

#define GSA_WRAP_SYSTEM(type, name, failure, parameters, arguments) \
  type __real_##name parameters;                                    \
  type __wrap_##name parameters {                                   \
    return Fails(#name) ? failure : __real_##name arguments;        \
  }
GSA_WRAP_SYSTEM(int, fsync, -1, (int fd), (fd))
GSA_WRAP_SYSTEM(int, fstat, -1, (int fd, struct stat* info), (fd, info))
GSA_WRAP_SYSTEM(int, stat, -1, (const char* path, struct stat* info),
                (path, info))
GSA_WRAP_SYSTEM(int, fstatat, -1,
                (int fd, const char* path, struct stat* info, int flags),
                (fd, path, info, flags))
GSA_WRAP_SYSTEM(int, flock, -1, (int fd, int operation), (fd, operation))
GSA_WRAP_SYSTEM(int, unlink, -1, (const char* path), (path))
GSA_WRAP_SYSTEM(int, unlinkat, -1, (int fd, const char* path, int flags),
                (fd, path, flags))
GSA_WRAP_SYSTEM(int, mkdir, -1, (const char* path, mode_t mode), (path, mode))
GSA_WRAP_SYSTEM(int, rename, -1, (const char* from, const char* to), (from, to))
GSA_WRAP_SYSTEM(int, futimens, -1, (int fd, const struct timespec* times),
                (fd, times))
GSA_WRAP_SYSTEM(char*, realpath, nullptr, (const char* path, char* buffer),
                (path, buffer))
GSA_WRAP_SYSTEM(DIR*, fdopendir, nullptr, (int fd), (fd))
GSA_WRAP_SYSTEM(struct dirent*, readdir, nullptr, (DIR * directory),
                (directory))
#undef GSA_WRAP_SYSTEM

void* __real_aligned_alloc(size_t alignment, size_t size);
void* __wrap_aligned_alloc(size_t alignment, size_t size) {
  if (Faults::Hits(Faults::kMemory, "aligned_alloc")) return nullptr;
  return __real_aligned_alloc(alignment, size);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
