// -----------------------------------------------------------------------------
// File: host_compiler_test.cc
// -----------------------------------------------------------------------------
//
// What a directory of programs does when several processes share it.

#include "runtime/emu/host_compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace gsa::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class HostCompilerTest : public ::testing::Test {
 protected:
  HostCompilerTest()
      : directory_(absl::StrCat(
            ::testing::TempDir(), "/host-compiler-", getpid(), "-",
            ::testing::UnitTest::GetInstance()->current_test_info()->name())) {}
  ~HostCompilerTest() override { std::filesystem::remove_all(directory_); }

  // The inode number of every header in the directory.
  std::map<std::string, ino_t> Inodes() const {
    std::map<std::string, ino_t> inodes;
    for (const auto& entry : fs::recursive_directory_iterator(directory_)) {
      struct stat info;
      EXPECT_EQ(stat(entry.path().c_str(), &info), 0) << entry.path();
      if (entry.is_regular_file()) inodes[entry.path()] = info.st_ino;
    }
    return inodes;
  }

  const std::string directory_;
};

constexpr char kProgram[] =
    "#include <gsa/emu/program.h>\nint main() { return 0; }\n";

TEST_F(HostCompilerTest, HeadersStayTheFilesTheyAre) {
  auto first = HostCompiler::Create({.directory = directory_});
  ASSERT_TRUE(first.ok()) << first.status();
  const std::map<std::string, ino_t> inodes = Inodes();
  ASSERT_GT(inodes.size(), 10u);
  auto second = HostCompiler::Create({.directory = directory_});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(Inodes(), inodes);
}

TEST_F(HostCompilerTest, StartsFromNothingManyAtOnce) {
  std::vector<absl::StatusOr<std::string>> programs(6);
  std::vector<std::thread> threads;
  for (auto& program : programs)
    threads.emplace_back([&] {
      auto compiler = HostCompiler::Create({.directory = directory_});
      program = compiler.ok() ? (*compiler)->Compile(kProgram, {})
                              : compiler.status();
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& program : programs) {
    ASSERT_TRUE(program.ok()) << program.status();
    EXPECT_EQ(*program, *programs[0]);
  }
  EXPECT_TRUE(fs::exists(*programs[0]));
  for (const auto& entry : fs::directory_iterator(directory_))
    EXPECT_THAT(entry.path().filename().string(),
                ::testing::Not(::testing::StartsWith("run-")));
}

TEST_F(HostCompilerTest, CompilesATextOnce) {
  auto compiler = HostCompiler::Create({.directory = directory_});
  ASSERT_TRUE(compiler.ok()) << compiler.status();
  auto program = (*compiler)->Compile(kProgram, {});
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(*(*compiler)->Compile(kProgram, {}), *program);
  EXPECT_EQ((*compiler)->compilations(), 1);
  auto other = HostCompiler::Create({.directory = directory_});
  ASSERT_TRUE(other.ok()) << other.status();
  EXPECT_EQ(*(*other)->Compile(kProgram, {}), *program);
  EXPECT_EQ((*other)->compilations(), 0);
  // With more or less effort it is another program.
  EXPECT_NE(*(*other)->Compile(kProgram, {.opt_level = 0}), *program);
  EXPECT_EQ((*other)->compilations(), 1);
}

TEST_F(HostCompilerTest, NamesAHeaderThatWasChanged) {
  ASSERT_TRUE(HostCompiler::Create({.directory = directory_}).ok());
  const std::string header = Inodes().begin()->first;
  std::ofstream(header, std::ios::app) << "int more;\n";
  absl::Status status =
      HostCompiler::Create({.directory = directory_}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(header));
}

TEST_F(HostCompilerTest, SaysThatThereIsNoCompiler) {
  auto compiler = HostCompiler::Create({.directory = directory_});
  ASSERT_TRUE(compiler.ok()) << compiler.status();
  HostCompilerOptions options;
  options.compiler = "no-such-compiler";
  EXPECT_EQ((*compiler)->Compile(kProgram, options).status().code(),
            absl::StatusCode::kUnavailable);
}

TEST_F(HostCompilerTest, SearchesTheGivenFoldersAlone) {
  fs::create_directories(directory_);
  HostPlaces places = {.directory = directory_ + "/programs",
                       .search_path = directory_ + "/bin"};
  auto without = HostCompiler::Create(places);
  ASSERT_TRUE(without.ok()) << without.status();
  absl::Status status = (*without)->Compile(kProgram, {}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr(places.search_path));
  // One that ends with 7 shows that it is the one that runs.
  fs::create_directories(places.search_path);
  const std::string fake = places.search_path + "/c++";
  std::ofstream(fake) << "#!/bin/sh\necho fake compiler\nexit 7\n";
  fs::permissions(fake, fs::perms::owner_all);
  auto with = HostCompiler::Create(places);
  ASSERT_TRUE(with.ok()) << with.status();
  status = (*with)->Compile(kProgram, {}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("fake compiler"));
}

TEST_F(HostCompilerTest, PutsTemporaryFilesWhereItIsTold) {
  fs::create_directories(directory_);
  {
    HostPlaces places;
    places.temporary_root = directory_;
    auto compiler = HostCompiler::Create(places);
    ASSERT_TRUE(compiler.ok()) << compiler.status();
    EXPECT_FALSE(fs::is_empty(directory_));
  }
  EXPECT_TRUE(fs::is_empty(directory_));
}

TEST_F(HostCompilerTest, IsSharedByThoseWhoNameTheSamePlaces) {
  auto first = HostCompiler::Shared({.directory = directory_});
  auto second = HostCompiler::Shared({.directory = directory_});
  auto other = HostCompiler::Shared({.directory = directory_ + "/other"});
  ASSERT_TRUE(first.ok() && second.ok() && other.ok());
  EXPECT_EQ(*first, *second);
  EXPECT_NE(*first, *other);
}

}  // namespace
}  // namespace gsa::testing
