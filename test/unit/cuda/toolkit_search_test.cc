// -----------------------------------------------------------------------------
// File: toolkit_search_test.cc
// -----------------------------------------------------------------------------
//
// Where libraries of CUDA are searched, on folders made for it, with libraries
// that every system has in the place of NVIDIA's.

#include "runtime/core/cuda/toolkit_search.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

absl::Status Accept(const DynamicLibrary&) { return absl::OkStatus(); }

class ToolkitSearchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name =
        (fs::temp_directory_path() / "gsa_toolkit_XXXXXX").string();
    root_ = mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  // A file below the root that is no library.
  std::string Write(const std::string& name) {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "no library";
    return path.string();
  }
  // One that is.
  std::string Link(const std::string& name) {
    auto library = DynamicLibrary::Open("libm.so.6");
    EXPECT_TRUE(library.ok()) << library.status();
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    fs::create_symlink(fs::canonical(library->path()), path);
    return path.string();
  }
  std::string Path(const std::string& name) { return (root_ / name).string(); }

  fs::path root_;
  const ToolkitLibrary library_ = {
      "L", {"l.13", "l.12"}, {"nvidia/cu13/lib", "nvidia/l/lib"}, "nvidia-l"};
};

TEST_F(ToolkitSearchTest, PlacesHaveAnOrder) {
  const std::string site = Path("venv/lib/python3.11/site-packages");
  fs::create_directories(site + "/nvidia/cu13/lib");
  fs::create_directories(Path("last/lib/python3/dist-packages"));
  ToolkitSearch search;
  search.first = "/first";
  search.cuda_home = "/home";
  // An environment by its prefix; the same by its site-packages.
  search.python_prefixes = {Path("venv"), site};
  search.last_prefixes = {Path("last")};
  search.system = false;
  const std::string last = Path("last/lib/python3/dist-packages");
  EXPECT_THAT(
      ToolkitCandidates(library_, search),
      ElementsAre("/first/l.13", "/first/l.12", "/first/lib64/l.13",
                  "/first/lib64/l.12", "/first/lib/l.13", "/first/lib/l.12",
                  "/first/targets/x86_64-linux/lib/l.13",
                  "/first/targets/x86_64-linux/lib/l.12", "/home/lib64/l.13",
                  "/home/lib64/l.12", "/home/lib/l.13", "/home/lib/l.12",
                  "/home/targets/x86_64-linux/lib/l.13",
                  "/home/targets/x86_64-linux/lib/l.12",
                  site + "/nvidia/cu13/lib/l.13",
                  site + "/nvidia/cu13/lib/l.12", site + "/nvidia/l/lib/l.13",
                  site + "/nvidia/l/lib/l.12", last + "/nvidia/cu13/lib/l.13",
                  last + "/nvidia/cu13/lib/l.12", last + "/nvidia/l/lib/l.13",
                  last + "/nvidia/l/lib/l.12"));
  // The system's places lie between the environments that the user named and
  // those that merely exist.
  search.system = true;
  const std::vector<std::string> all = ToolkitCandidates(library_, search);
  const auto at = [&](const std::string& file) {
    return std::find(all.begin(), all.end(), file) - all.begin();
  };
  EXPECT_LT(at(site + "/nvidia/l/lib/l.12"), at("l.13"));
  EXPECT_LT(at("l.12"), at("/usr/local/cuda/lib64/l.13"));
  EXPECT_LT(at("/usr/local/cuda/lib64/l.13"), at("/opt/cuda/lib64/l.13"));
  EXPECT_LT(at("/opt/cuda/lib64/l.13"), at(last + "/nvidia/cu13/lib/l.13"));
}

TEST_F(ToolkitSearchTest, OnlyConfinesTheSearch) {
  ToolkitSearch search;
  search.cuda_home = "/home";
  search.only = "/some/libl.so";
  EXPECT_THAT(ToolkitCandidates(library_, search),
              ElementsAre("/some/libl.so"));
  // A folder, whatever it is.
  fs::create_directories(Path("lib/python3.12/site-packages"));
  search.only = root_.string();
  const std::vector<std::string> files = ToolkitCandidates(library_, search);
  EXPECT_THAT(files, ::testing::Each(::testing::StartsWith(root_.string())));
  EXPECT_THAT(files, ::testing::Contains(Path("l.13")));
  EXPECT_THAT(files, ::testing::Contains(Path("lib64/l.13")));
  EXPECT_THAT(files, ::testing::Contains(Path(
                         "lib/python3.12/site-packages/nvidia/l/lib/l.12")));

  // A library that belongs to it may lie elsewhere.
  const ToolkitSearch other = NotConfined(search);
  EXPECT_EQ(other.only, "");
  EXPECT_EQ(other.first, root_.string());
  EXPECT_EQ(other.cuda_home, "/home");
  search.only = Path("lib64/l.13");
  EXPECT_EQ(NotConfined(search).first, Path("lib64"));
}

TEST_F(ToolkitSearchTest, WhatDoesNotWorkDoesNotEndTheSearch) {
  const std::string broken = Write("home/lib64/l.13");
  Link("home/lib64/l.12");
  const std::string good =
      Link("venv/lib/python3.9/site-packages/nvidia/l/lib/l.13");
  ToolkitSearch search;
  search.cuda_home = Path("home");
  search.python_prefixes = {Path("venv")};
  search.system = false;
  std::vector<std::string> asked;
  const auto accept = [&](const DynamicLibrary& library) {
    asked.push_back(library.path());
    return asked.size() == 1 ? absl::NotFoundError("lacks a function")
                             : absl::OkStatus();
  };
  auto found = OpenToolkitLibrary(library_, search, accept);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(asked.size(), 2u);

  // If nothing works, each place is listed with what was wrong there.
  fs::remove(good);
  asked.clear();
  auto missing = OpenToolkitLibrary(library_, search, accept);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kUnavailable);
  const std::string message(missing.status().message());
  EXPECT_THAT(message, HasSubstr("L not found; searched for l.13 and l.12 in\n"
                                 "  the toolkit " +
                                 Path("home") + ": " + broken));
  EXPECT_THAT(message,
              HasSubstr("; lacks a function\n  the Python environment " +
                        Path("venv") + ": not there\n"));
  EXPECT_THAT(message, HasSubstr("pip install nvidia-l"));
}

TEST_F(ToolkitSearchTest, AnEmptySystemIsSaid) {
  ToolkitSearch search;
  auto missing = OpenToolkitLibrary(library_, search, Accept);
  const std::string message(missing.status().message());
  EXPECT_THAT(message, HasSubstr("\n  the dynamic loader's path: not there"));
  EXPECT_THAT(message, HasSubstr("\n  the toolkit /usr/local/cuda: not there"));
  EXPECT_THAT(message, HasSubstr("\n  the toolkit /opt/cuda: not there"));
  EXPECT_THAT(message, Not(HasSubstr("the Python environment")));
}

TEST_F(ToolkitSearchTest, KeysDiffer) {
  EXPECT_EQ(ToKey({}), ToKey({}));
  std::vector<ToolkitSearch> searches(7);
  searches[1].only = "/a";
  searches[2].first = "/a";
  searches[3].cuda_home = "/a";
  searches[4].python_prefixes = {"/a"};
  searches[5].last_prefixes = {"/a"};
  searches[6].system = !searches[6].system;
  std::set<std::string> keys;
  for (const ToolkitSearch& search : searches) keys.insert(ToKey(search));
  EXPECT_EQ(keys.size(), searches.size());
}

// The environment of the tools; variables are set for this process alone.
TEST_F(ToolkitSearchTest, TheEnvironmentIsRead) {
  for (const char* name : {"CUDA_HOME", "CUDA_PATH", "GSA_PYTHON_PREFIX",
                           "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONUSERBASE"})
    unsetenv(name);
  Write("bin/python3");
  setenv("PATH", ("/nonexistent:" + Path("bin")).c_str(), 1);
  setenv("HOME", "/home/user", 1);
  setenv("CUDA_PATH", "/cuda", 1);
  setenv("GSA_PYTHON_PREFIX", "/a::/b", 1);
  setenv("VIRTUAL_ENV", "/venv", 1);
  const ToolkitSearch search = getToolkitSearchFromEnvironment();
  EXPECT_EQ(search.cuda_home, "/cuda");
  EXPECT_THAT(search.python_prefixes, ElementsAre("/a", "/b", "/venv"));
  EXPECT_THAT(search.last_prefixes,
              ElementsAre(root_.string(), "/home/user/.local"));
  setenv("CUDA_HOME", "/home/cuda", 1);
  EXPECT_EQ(getToolkitSearchFromEnvironment().cuda_home, "/home/cuda");
}

}  // namespace
}  // namespace gsa
