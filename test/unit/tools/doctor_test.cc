// -----------------------------------------------------------------------------
// File: doctor_test.cc
// -----------------------------------------------------------------------------
//
// What gsa-doctor finds on machines that are whole, lack something or are
// broken. The driver and the compiler are the tests' own.

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/cuda/fake_driver.h"
#include "tools/gsa-doctor/Checkup.h"

namespace gsa {
namespace {

using ::testing::HasSubstr;

// Does what the kernel of the self-test says.
cuda::Result LaunchSelfTest(cuda::Function, unsigned grid, unsigned, unsigned,
                            unsigned threads, unsigned, unsigned, unsigned,
                            cuda::Stream, void** arguments, void**) {
  auto* result =
      reinterpret_cast<uint32_t*>(*static_cast<cuda::DevicePtr*>(arguments[0]));
  for (uint32_t i = 0; i < grid * threads; ++i) result[i] = i * 2654435761u + 1;
  return cuda::kSuccess;
}

class DoctorTest : public ::testing::Test {
 protected:
  DoctorTest()
      : directory_(std::filesystem::temp_directory_path() /
                   absl::StrCat("gsa-doctor-", getpid())) {
    fake_->kernels["gsa_self_test"].parameter_bytes = {8};
    cuda::DriverTable table = fake_->Table();
    table.LaunchKernel = LaunchSelfTest;
    UseDriver(table);
    examination_.nvrtc = [] { return FakeNvrtc(13); };
    examination_.cublasLt = [] {
      return absl::StatusOr<std::shared_ptr<const CublasLtApi>>(
          std::make_shared<const CublasLtApi>(cuda::CublasLtTable(),
                                              "/wheel/libcublasLt.so.13"));
    };
    examination_.compile = [](const NvrtcApi&, const CompileRequest& request) {
      CompiledCuda compiled;
      compiled.image = absl::StrCat(request.arch, " gsa_self_test");
      compiled.milliseconds = 17;
      return absl::StatusOr<CompiledCuda>(compiled);
    };
    examination_.cache.directory = directory_.string();
    examination_.cache.mode = CacheMode::kReadWrite;
  }
  ~DoctorTest() override { std::filesystem::remove_all(directory_); }

  void UseDriver(const cuda::DriverTable& table) {
    driver_ = std::make_unique<DriverApi>(table, "/lib/libcuda.so.1");
    examination_.driver = [this] {
      return absl::StatusOr<const DriverApi*>(driver_.get());
    };
  }
  static absl::StatusOr<std::shared_ptr<const NvrtcApi>> FakeNvrtc(
      int version) {
    static int major;
    major = version;
    cuda::NvrtcTable table;
    table.Version = [](int* a, int* b) { return *a = major, *b = 0; };
    table.GetNumSupportedArchs = [](int* count) { return *count = 1, 0; };
    table.GetSupportedArchs = [](int* archs) { return archs[0] = 90, 0; };
    return NvrtcApi::FromTable(table, "/wheel/libnvrtc.so");
  }

  // The finding of a name in a new examination; broken without one.
  Finding Find(const std::string& name) {
    findings_ = examine(examination_);
    for (const Finding& finding : findings_)
      if (finding.name == name) return finding;
    return {name, Health::Broken, "nothing was found", ""};
  }
  bool Has(const std::string& name) const {
    return std::any_of(
        findings_.begin(), findings_.end(),
        [&](const Finding& finding) { return finding.name == name; });
  }

  std::unique_ptr<FakeDriver> fake_ = std::make_unique<FakeDriver>();
  std::unique_ptr<DriverApi> driver_;
  Examination examination_;
  std::filesystem::path directory_;
  std::vector<Finding> findings_;
};

TEST_F(DoctorTest, AMachineThatIsWhole) {
  EXPECT_EQ(Find("kernel on device 0").what, "ran, and its results are right");
  for (const Finding& finding : findings_) {
    EXPECT_EQ(finding.health, Health::Ok) << finding.name << finding.what;
    EXPECT_EQ(finding.advice, "");
  }
  for (const char* name : {"driver", "device 0", "NVRTC", "compile for sm_90a",
                           "versions", "cuBLASLt", "cache"})
    EXPECT_TRUE(Has(name)) << name;
  EXPECT_TRUE(isHealthy(findings_, true));
  EXPECT_THAT(findingsText(findings_), HasSubstr("ok      driver "));
  EXPECT_EQ(fake_->Leaks(), "");
  // Its entry is gone again.
  EXPECT_THAT(Find("cache").what, HasSubstr("0 entries"));
}

TEST_F(DoctorTest, Variables) {
  examination_.variables = {"GSA_CACHEDIR", "GSA_CACHE_DIR", "GSA_WEATHER"};
  std::vector<Finding> found;
  for (const Finding& finding : examine(examination_))
    if (finding.name == "environment") found.push_back(finding);
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].health, Health::Ignored);
  EXPECT_EQ(found[0].what,
            "GSA_CACHEDIR, which nothing reads; did you mean 'GSA_CACHE_DIR'?");
  EXPECT_THAT(found[0].advice, HasSubstr("one of GSA_CACHE, GSA_CACHE_DIR, "));
  EXPECT_EQ(found[1].health, Health::Ok);
  EXPECT_EQ(found[1].what,
            "GSA_CACHE_DIR, read by the Python package: directory of compiled "
            "code");
  EXPECT_EQ(found[2].what, "GSA_WEATHER, which nothing reads");
  EXPECT_TRUE(isHealthy(found, false));
  EXPECT_THAT(findingsText(found), HasSubstr("ignored environment "));
}

TEST_F(DoctorTest, NoDriver) {
  examination_.driver = [] {
    return absl::StatusOr<const DriverApi*>(
        absl::UnavailableError("CUDA driver not found"));
  };
  Finding finding = Find("driver");
  EXPECT_EQ(finding.health, Health::Absent);
  EXPECT_EQ(finding.what, "CUDA driver not found");
  EXPECT_THAT(finding.advice, HasSubstr("--target=cpu runs"));
  // Kernels compile all the same.
  EXPECT_TRUE(Has("compile for sm_90a"));
  EXPECT_FALSE(Has("versions"));
  EXPECT_TRUE(isHealthy(findings_, false));
  EXPECT_FALSE(isHealthy(findings_, true));
}

TEST_F(DoctorTest, ADeviceThatIsNotSupported) {
  FakeDriver::Device old;
  old.major = 7;
  old.minor = 5;
  driver_.reset();
  fake_.reset();  // one lives at a time
  fake_ = std::make_unique<FakeDriver>(std::vector<FakeDriver::Device>{old});
  UseDriver(fake_->Table());
  Finding finding = Find("device 0");
  EXPECT_EQ(finding.health, Health::Absent);
  EXPECT_THAT(finding.what, HasSubstr("7.5"));
  EXPECT_FALSE(isHealthy(findings_, true));
}

TEST_F(DoctorTest, AKernelThatDoesNotRun) {
  // The fake driver records launches and runs nothing.
  UseDriver(fake_->Table());
  Finding finding = Find("kernel on device 0");
  EXPECT_EQ(finding.health, Health::Broken);
  EXPECT_THAT(finding.what, HasSubstr("expected 1"));
  EXPECT_THAT(finding.advice, HasSubstr("nvidia-smi"));
  EXPECT_FALSE(isHealthy(findings_, false));
}

TEST_F(DoctorTest, AnNvrtcThatIsNewerThanTheDriver) {
  examination_.nvrtc = [] { return FakeNvrtc(99); };
  Finding finding = Find("versions");
  EXPECT_EQ(finding.health, Health::Broken);
  EXPECT_THAT(finding.what, HasSubstr("NVRTC 99.0, driver for CUDA "));
  EXPECT_THAT(finding.advice, HasSubstr("pip install nvidia-cuda-nvrtc-cu"));
}

TEST_F(DoctorTest, NoNvrtcAndNoBuiltins) {
  examination_.compile = [](const NvrtcApi&, const CompileRequest&) {
    return absl::StatusOr<CompiledCuda>(
        absl::UnavailableError("libnvrtc-builtins.so.13.0 is missing"));
  };
  Finding finding = Find("compile for sm_90a");
  EXPECT_EQ(finding.health, Health::Broken);
  EXPECT_THAT(finding.advice, HasSubstr("libnvrtc-builtins"));
  EXPECT_FALSE(Has("kernel on device 0"));
  examination_.nvrtc = [] {
    return absl::StatusOr<std::shared_ptr<const NvrtcApi>>(
        absl::UnavailableError("NVRTC not found"));
  };
  EXPECT_EQ(Find("NVRTC").health, Health::Absent);
  EXPECT_THAT(Find("NVRTC").advice, HasSubstr("pip install nvidia-cuda-nvrtc"));
}

TEST_F(DoctorTest, ACacheThatIsRefused) {
  std::filesystem::create_directory(directory_);
  std::filesystem::permissions(directory_, std::filesystem::perms::all);
  Finding finding = Find("cache");
  EXPECT_EQ(finding.health, Health::Broken);
  EXPECT_THAT(finding.advice, HasSubstr("chmod 700"));
  examination_.cache.mode = CacheMode::kOff;
  EXPECT_EQ(Find("cache").health, Health::Absent);
  std::filesystem::permissions(directory_, std::filesystem::perms::owner_all);
  examination_.cache.mode = CacheMode::kReadOnly;
  EXPECT_EQ(Find("cache").health, Health::Ok);
}

TEST_F(DoctorTest, JsonHasEverything) {
  examination_.cublasLt = [] {
    return absl::StatusOr<std::shared_ptr<const CublasLtApi>>(
        absl::UnavailableError("not \"here\""));
  };
  Find("cuBLASLt");
  const std::string json = findingsJson(findings_);
  EXPECT_THAT(json, HasSubstr("\"health\": \"absent\""));
  EXPECT_THAT(json, HasSubstr("\"what\": \"not \\\"here\\\"\""));
}

}  // namespace
}  // namespace gsa
