// -----------------------------------------------------------------------------
// File: cpu_objects_test.cc
// -----------------------------------------------------------------------------
//
// Objects for the CPU on disk: what is read gives the same results as what was
// compiled, whatever is wrong with a file costs a compilation, and many
// processes compile each module once.

#include "runtime/cpu_objects.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/compilations.h"
#include "runtime/plan.h"
#include "test/unit/cache/cache_testing.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

const char kGate[] = R"mlir(
func.func @main(%x: tensor<1x?x2x4xf32> {gsa.name = "x"},
                %logits: tensor<1x?x2x4xf32> {gsa.name = "logits"})
    -> (tensor<1x?x2x4xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<1x?x2x4xf32>, tensor<1x?x2x4xf32>) -> tensor<1x?x2x4xf32>
  return %y : tensor<1x?x2x4xf32>
}
)mlir";

CompileOptions OptionsFor(const ProgramCacheOptions& cache, int64_t tokens) {
  CompileOptions options;
  options.cache = cache;
  options.opt_level = 0;
  options.shapes["x"] = options.shapes["logits"] = {1, tokens, 2, 4};
  return options;
}

// What a plan for kGate computes of fixed numbers, for all of its tokens or for
// those given.
std::vector<float> ResultOf(const Plan& plan, int64_t tokens = 0) {
  if (tokens == 0) tokens = plan.inputs()[0].shape[1];
  const int64_t count = tokens * 8;
  alignas(64) static float x[512], logits[512], y[512];
  for (int64_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(i) - 3.0f;
    logits[i] = 0.25f * static_cast<float>(i % 7);
  }
  const std::vector<int64_t> shape = {1, tokens, 2, 4};
  const TensorView in[] = {{DType::kF32, shape, x},
                           {DType::kF32, shape, logits}};
  const MutableTensorView out[] = {{DType::kF32, shape, y}};
  std::vector<char> memory(
      static_cast<size_t>(plan.workspace_bytes() + plan.workspace_alignment()));
  auto at = reinterpret_cast<uintptr_t>(memory.data());
  at += (plan.workspace_alignment() - at % plan.workspace_alignment()) %
        plan.workspace_alignment();
  const absl::Status status =
      plan.Run(in, out,
               absl::MakeSpan(reinterpret_cast<char*>(at),
                              static_cast<size_t>(plan.workspace_bytes())),
               RunOptions());
  EXPECT_TRUE(status.ok()) << status;
  return {y, y + count};
}

// A plan, and the number of compilations that it took.
struct Made {
  std::shared_ptr<const Plan> plan;
  int64_t compilations = 0;
};

Made Compile(const CompileOptions& options) {
  Made made;
  const int64_t before = Compilations();
  auto plan = Plan::Compile(kGate, "gate.mlir", options);
  EXPECT_TRUE(plan.ok()) << plan.status();
  if (plan.ok()) made.plan = *plan;
  made.compilations = Compilations() - before;
  return made;
}

// The only entry in a folder.
std::string EntryIn(const CacheFolder& folder) {
  std::string found;
  for (const std::string& name : folder.Names())
    if (name.size() == 68) found = absl::StrCat(folder.path(), "/", name);
  EXPECT_NE(found, "");
  return found;
}

TEST(CpuObjectsTest, WhatIsReadIsWhatWasCompiled) {
  CacheFolder folder;
  const CompileOptions options = OptionsFor(folder.Options(), 5);
  const Made first = Compile(options);
  EXPECT_EQ(first.compilations, 1);
  EXPECT_EQ(first.plan->kernel_counts().compiled, 1);
  const Made second = Compile(options);
  EXPECT_EQ(second.compilations, 0);
  EXPECT_EQ(second.plan->kernel_counts().disk, 1);
  EXPECT_EQ(ResultOf(*first.plan), ResultOf(*second.plan));
  EXPECT_EQ(second.plan->inputs()[1].ToString(), "logits: f32[1, 5, 2, 4]");
  EXPECT_EQ(second.plan->outputs()[0].ToString(), "y: f32[1, 5, 2, 4]");
  EXPECT_EQ(second.plan->zone_names(), first.plan->zone_names());
  EXPECT_EQ(second.plan->workspace_bytes(), first.plan->workspace_bytes());
  EXPECT_EQ(second.plan->target_description(),
            first.plan->target_description());
}

TEST(CpuObjectsTest, KeysTellEverythingApart) {
  CacheFolder folder;
  const CompileOptions base = OptionsFor(folder.Options(), 5);
  ASSERT_EQ(Compile(base).compilations, 1);
  const auto is_other =
      [&](const std::function<void(CompileOptions*)>& change) {
        CompileOptions options = base;
        change(&options);
        return Compile(options).compilations == 1;
      };
  EXPECT_TRUE(is_other([](CompileOptions* o) {
    o->shapes["x"] = o->shapes["logits"] = {1, 6, 2, 4};
  }));
  EXPECT_TRUE(is_other([](CompileOptions* o) { o->num_threads = 2; }));
  EXPECT_TRUE(is_other([](CompileOptions* o) { o->opt_level = 1; }));
  EXPECT_TRUE(is_other([](CompileOptions* o) { o->reference = true; }));
  const int other_bits = mlir::gsa::hostVectorBits() == 128 ? 256 : 128;
  EXPECT_TRUE(
      is_other([&](CompileOptions* o) { o->vector_bits = other_bits; }));
  // A file of schedules is what is in it, whether one is for an op or not.
  const std::string schedules = absl::StrCat(folder.path(), ".jsonl");
  const auto write = [&](const std::string& text) {
    std::ofstream(schedules) << text;
  };
  const auto given = [&](CompileOptions* o) {
    o->schedule_database = schedules;
  };
  write("");
  EXPECT_TRUE(is_other(given));
  EXPECT_FALSE(is_other(given));
  write("\n");
  EXPECT_TRUE(is_other(given));
  EXPECT_TRUE(
      is_other([](CompileOptions* o) { o->shipped_schedules = false; }));
  // Bounds of sizes are no sizes.
  EXPECT_TRUE(
      is_other([](CompileOptions* o) { std::swap(o->shapes, o->bounds); }));
  // Of one module's functions each is another program.
  std::string second = kGate;
  second.replace(second.find("@main"), 5, "@also");
  const std::string both = absl::StrCat(kGate, second);
  for (const char* entry : {"main", "also"}) {
    CompileOptions options = base;
    options.entry = entry;
    const int64_t compilations = Compilations();
    const auto plan = Plan::Compile(both, "gate.mlir", options);
    EXPECT_TRUE(plan.ok()) << plan.status();
    EXPECT_EQ(Compilations(), compilations + 1) << entry;
  }
  // Places, comments and names of values are not the module's meaning.
  const int64_t before = Compilations();
  std::string renamed = absl::StrCat("// A comment.\n\n", kGate);
  for (size_t at; (at = renamed.find("%logits")) != std::string::npos;)
    renamed.replace(at, 7, "%l");
  EXPECT_TRUE(Plan::Compile(renamed, "other.mlir", base).ok());
  EXPECT_EQ(Compilations(), before);
  // The name of an input is.
  std::string other = kGate;
  other.replace(other.find("\"y\""), 3, "\"z\"");
  EXPECT_TRUE(Plan::Compile(other, "gate.mlir", base).ok());
  EXPECT_EQ(Compilations(), before + 1);
}

// A plan for bounds is one from disk, too: other sizes than the largest run,
// and sizes that do not agree are refused.
TEST(CpuObjectsTest, BoundsAreKept) {
  CacheFolder folder;
  CompileOptions options = OptionsFor(folder.Options(), 5);
  const Made fixed = Compile(options);
  options.bounds = std::move(options.shapes);
  options.shapes.clear();
  const Made first = Compile(options);
  EXPECT_EQ(first.compilations, 1);
  const Made second = Compile(options);
  EXPECT_EQ(second.compilations, 0);
  ASSERT_TRUE(first.plan->is_bounded());
  EXPECT_TRUE(second.plan->is_bounded());
  const std::vector<float> large = ResultOf(*fixed.plan);
  for (const Made* made : {&first, &second}) {
    EXPECT_EQ(ResultOf(*made->plan), large);
    const std::vector<float> small = ResultOf(*made->plan, 3);
    EXPECT_EQ(small, std::vector<float>(large.begin(), large.begin() + 24));
  }
}

TEST(CpuObjectsTest, WhoLooksAtPhasesSeesThem) {
  CacheFolder folder;
  CompileOptions options = OptionsFor(folder.Options(), 5);
  Compile(options);
  std::vector<std::string> phases;
  options.on_phase = [&](const PhaseInfo& phase) {
    phases.push_back(phase.name);
  };
  Compile(options);
  EXPECT_THAT(phases, ElementsAre("parse", "from disk"));
  options.keep_texts = true;
  EXPECT_EQ(Compile(options).compilations, 1);
  EXPECT_THAT(phases, testing::Contains("llvm"));
}

// Every byte of an entry, each in turn; an object of another key, of another
// kind; a file that is cut, empty, a link, a folder, another's to write.
TEST(CpuObjectsTest, WhateverIsWrongIsAMiss) {
  CacheFolder folder;
  const CompileOptions options = OptionsFor(folder.Options(), 5);
  const std::vector<float> right = ResultOf(*Compile(options).plan);
  const std::string file = EntryIn(folder);
  const std::string whole = ReadBytes(file);
  const std::string key = fs::path(file).stem().string();
  ProgramCache cache(folder.Options());
  CpuProgram program;
  ASSERT_TRUE(ReadCpuProgram(&cache, key, &program));
  const mode_t mask = umask(077);
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ (1 << i % 8));
    ProgramEntry entry;
    ASSERT_NE(DecodeProgramEntry(bytes, key, &entry), EntryRefusal::kNone)
        << "byte " << i;
    // Through the file system now and then.
    if (i % 16 != 0) continue;
    WriteBytes(file, bytes);
    ASSERT_FALSE(ReadCpuProgram(&cache, key, &program)) << "byte " << i;
  }
  umask(mask);
  const auto expect_compiled = [&](const char* what) {
    const Made made = Compile(options);
    EXPECT_EQ(made.compilations, 1) << what;
    EXPECT_EQ(ResultOf(*made.plan), right) << what;
    EXPECT_EQ(Compile(options).compilations, 0) << what << ", put right";
  };
  expect_compiled("a flipped bit");
  WriteBytes(file, whole.substr(0, whole.size() / 2));
  expect_compiled("cut");
  WriteBytes(file, "");
  expect_compiled("empty");
  fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
  expect_compiled("writable by others");
  WriteBytes(folder.path() + "/elsewhere", whole);
  fs::remove(file);
  fs::create_symlink(folder.path() + "/elsewhere", file);
  expect_compiled("a link");
  EXPECT_THAT(CacheProblems(options), testing::Not(testing::IsEmpty()));
}

// Entries that are whole and hold what no entry of ours does.
TEST(CpuObjectsTest, WhatDoesNotFitIsAMiss) {
  CacheFolder folder;
  const CompileOptions options = OptionsFor(folder.Options(), 5);
  Compile(options);
  ProgramCache cache(folder.Options());
  const std::string key = fs::path(EntryIn(folder)).stem().string();
  ProgramEntry entry;
  ASSERT_EQ(cache.Check(key, &entry), EntryRefusal::kNone);
  const ProgramEntry right = entry;
  CpuProgram program;
  ASSERT_TRUE(DecodeCpuProgram(right.payload, &program));
  EXPECT_EQ(EncodeCpuProgram(program), right.payload);
  const auto expect_compiled = [&](const char* what) {
    cache.Write(entry);
    EXPECT_EQ(Compile(options).compilations, 1) << what;
  };
  entry.kind = "cubin";
  expect_compiled("another kind");
  entry = right;
  entry.payload.resize(entry.payload.size() / 2);
  expect_compiled("half a program");
  entry.payload = "";
  expect_compiled("nothing");
  CpuProgram other = program;
  other.object.cpu = "pentium";
  entry.payload = EncodeCpuProgram(other);
  expect_compiled("another CPU");
  other = program;
  other.object.features += ",+avx999";
  entry.payload = EncodeCpuProgram(other);
  expect_compiled("another feature");
  // It is code, and does not link.
  other = program;
  other.object.entrySymbol = "elsewhere";
  entry.payload = EncodeCpuProgram(other);
  expect_compiled("another entry");
  other = program;
  other.object.bytes.resize(100);
  entry.payload = EncodeCpuProgram(other);
  expect_compiled("no object");
  // Prefixes and random changes are read or not, and nothing else.
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = right.payload;
    if (round % 2 == 0) {
      bytes.resize(random() % bytes.size());
      EXPECT_FALSE(DecodeCpuProgram(bytes, &program));
      continue;
    }
    // Where the numbers are.
    for (int i = 0; i < 3; ++i)
      bytes[random() % std::min<size_t>(bytes.size(), 400)] =
          static_cast<char>(random());
    (void)DecodeCpuProgram(bytes, &program);
  }
}

TEST(CpuObjectsTest, DirectoriesThatCannotBeUsed) {
  CacheFolder folder;
  for (const std::string& directory :
       {std::string("/dev/null/cache"), folder.path() + "/link"}) {
    fs::create_directories(folder.path() + "/real");
    if (!fs::is_symlink(folder.path() + "/link"))
      fs::create_symlink(folder.path() + "/real", folder.path() + "/link");
    ProgramCacheOptions cache = folder.Options();
    cache.directory = directory;
    const CompileOptions options = OptionsFor(cache, 5);
    EXPECT_EQ(Compile(options).compilations, 1);
    EXPECT_EQ(Compile(options).compilations, 1);
    EXPECT_THAT(CacheProblems(options),
                testing::Contains(HasSubstr(directory)));
  }
  // Full, for this process: files end at no bytes.
  EXPECT_THAT(folder.Names(), SizeIs(2));
  ProgramCacheOptions small = folder.Options();
  small.max_bytes = 10;
  const CompileOptions options = OptionsFor(small, 5);
  EXPECT_EQ(Compile(options).compilations, 1);
  EXPECT_EQ(Compile(options).compilations, 1);
  EXPECT_THAT(CacheProblems(options), testing::Contains(HasSubstr("an entry")));
}

TEST(CpuObjectsTest, ReadOnlyWritesNothing) {
  CacheFolder folder;
  const CompileOptions reads =
      OptionsFor(folder.Options(CacheMode::kReadOnly), 5);
  EXPECT_EQ(Compile(reads).compilations, 1);
  EXPECT_THAT(folder.Names(), SizeIs(0));
  const auto refused = Plan::Compile(
      kGate, "gate.mlir", OptionsFor(folder.Options(CacheMode::kOnly), 5));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(", key "));
  Compile(OptionsFor(folder.Options(), 5));
  EXPECT_EQ(Compile(reads).compilations, 0);
}

// A child process that ends with the result of `work`.
pid_t Fork(const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) _exit(work());
  return child;
}

int WaitFor(pid_t child) {
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

TEST(CpuObjectsTest, ManyProcessesCompileEachModuleOnce) {
  // What they do with files, 64 processes and 32 keys, is
  // cache_processes_test's concern.
  constexpr int kProcesses = 8, kModules = 4;
  CacheFolder folder;
  const int64_t before = Compilations();
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process)
    children.push_back(Fork([&, process] {
      for (int i = 0; i < kModules; ++i) {
        const int64_t tokens = 3 + (i + process) % kModules;
        const Made made = Compile(OptionsFor(folder.Options(), tokens));
        if (made.plan == nullptr) return 100;
        for (float y : ResultOf(*made.plan))
          if (!std::isfinite(y)) return 101;
      }
      return static_cast<int>(Compilations() - before);
    }));
  int compilations = 0;
  for (pid_t child : children) {
    const int status = WaitFor(child);
    ASSERT_TRUE(WIFEXITED(status));
    ASSERT_LT(WEXITSTATUS(status), 100);
    compilations += WEXITSTATUS(status);
  }
  EXPECT_EQ(compilations, kModules);
  EXPECT_THAT(folder.Names(), SizeIs(kModules));
}

TEST(CpuObjectsTest, KilledAtAnyMoment) {
  CacheFolder folder;
  const std::vector<float> right =
      ResultOf(*Compile(OptionsFor(ProgramCacheOptions(), 5)).plan);
  std::mt19937 random(5);
  for (int round = 0; round < 40; ++round) {
    const pid_t child = Fork([&] {
      while (true) {
        Compile(OptionsFor(folder.Options(), 5));
        for (const std::string& name : folder.Names())
          fs::remove(folder.path() + "/" + name);
      }
      return 0;
    });
    usleep(random() % 100000);
    kill(child, SIGKILL);
    ASSERT_TRUE(WIFSIGNALED(WaitFor(child)));
    const Made made = Compile(OptionsFor(folder.Options(), 5));
    ASSERT_NE(made.plan, nullptr);
    ASSERT_EQ(ResultOf(*made.plan), right);
  }
  EXPECT_THAT(CacheProblems(OptionsFor(folder.Options(), 5)),
              testing::IsEmpty());
}

}  // namespace
}  // namespace gsa
