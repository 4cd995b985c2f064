// -----------------------------------------------------------------------------
// File: core_temporary_files_test.cc
// -----------------------------------------------------------------------------
//
// What must be gone when an object ends, and when a process does.

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/temporary_files.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;

class TemporaryFilesTest : public testing::Test {
 protected:
  TemporaryFilesTest() {
    std::string pattern =
        (fs::temp_directory_path() / "gsa_temporary_XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  ~TemporaryFilesTest() override { fs::remove_all(directory_); }

  // A directory "d" with a file in a directory in it.
  TemporaryPath MakeTree() const {
    return TemporaryPath::Make([&]() -> absl::StatusOr<std::string> {
             fs::create_directories(directory_ / "d/e");
             std::ofstream(directory_ / "d/e/f") << "text";
             return (directory_ / "d").string();
           })
        .value();
  }
  bool IsEmpty() const { return fs::is_empty(directory_); }

  fs::path directory_;
};

TEST_F(TemporaryFilesTest, EndsWithTheObject) {
  {
    TemporaryPath path = MakeTree();
    TemporaryPath moved = std::move(path);
    // NOLINTNEXTLINE(bugprone-use-after-move): that it is empty then is tested
    EXPECT_TRUE(path.empty());
    EXPECT_TRUE(fs::exists(directory_ / "d/e/f"));
  }
  EXPECT_TRUE(IsEmpty());
}

TEST_F(TemporaryFilesTest, AssignmentRemovesWhatWasThere) {
  TemporaryPath path = MakeTree();
  path = TemporaryPath();
  EXPECT_TRUE(IsEmpty());
}

TEST_F(TemporaryFilesTest, ReleasedPathsStay) {
  {
    TemporaryPath path = MakeTree();
    path.Release();
  }
  EXPECT_TRUE(fs::exists(directory_ / "d/e/f"));
}

TEST_F(TemporaryFilesTest, FailureToMakeIsPassedOn) {
  absl::StatusOr<TemporaryPath> made =
      TemporaryPath::Make([&]() -> absl::StatusOr<std::string> {
        return absl::InternalError("no room");
      });
  EXPECT_EQ(made.status(), absl::InternalError("no room"));
}

// In a process of its own, since nothing works after EndTemporaries().
using TemporaryFilesDeathTest = TemporaryFilesTest;

TEST_F(TemporaryFilesDeathTest, EndRemovesAllOfThem) {
  EXPECT_EXIT(
      {
        TemporaryPath tree = MakeTree();
        AtomicFileWriter file =
            AtomicFileWriter::Create((directory_ / "out").string()).value();
        if (!file.Append(std::string("abc")).ok() || IsEmpty()) _exit(1);
        EndTemporaries();
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_TRUE(IsEmpty());
}

// Other threads do not stop for the end: one that goes on to write by path must
// not bring a directory back.
TEST_F(TemporaryFilesDeathTest, WritersDoNotBringDirectoriesBack) {
  EXPECT_EXIT(
      {
        TemporaryPath tree = MakeTree();
        std::thread([path = tree.path()] {
          for (int i = 0;; ++i) std::ofstream(absl::StrCat(path, "/", i)) << i;
        }).detach();
        usleep(20'000);
        EndTemporaries();
        usleep(20'000);
        _exit(0);
      },
      testing::ExitedWithCode(0), "");
  EXPECT_TRUE(IsEmpty());
}

// Starts a program without an environment.
int Spawn(std::vector<std::string> arguments, pid_t* child) {
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  char* environment = nullptr;
  return RegisteredChild::Spawn(
      [&](pid_t* started) {
        return posix_spawn(started, pointers[0], nullptr, nullptr,
                           pointers.data(), &environment);
      },
      child);
}

// 0 if EndTemporaries() ends a child that would sleep for long.
int EndSleepingChild() {
  pid_t child = 0;
  if (Spawn({"/bin/sleep", "1000"}, &child) != 0) return 1;
  EndTemporaries();
  int status = 0;
  const bool ended = waitpid(child, &status, 0) == child &&
                     WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  return ended ? 0 : 2;
}

TEST_F(TemporaryFilesDeathTest, EndStopsChildren) {
  EXPECT_EXIT(_exit(EndSleepingChild()), testing::ExitedWithCode(0), "");
}

TEST_F(TemporaryFilesTest, WaitGivesTheStatusOfTheChild) {
  pid_t child = 0;
  ASSERT_EQ(Spawn({"/bin/sh", "-c", "exit 7"}, &child), 0);
  const int status = RegisteredChild::Wait(child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

}  // namespace
}  // namespace gsa
