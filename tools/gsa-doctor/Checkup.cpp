//===- Checkup.cpp - what a GPU needs, and whether it is there ------------===//

#include "tools/gsa-doctor/Checkup.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/kernel_cache.h"
#include "runtime/core/nearest_name.h"
#include "runtime/core/sha256.h"
#include "runtime/core/status_macros.h"
#include "tools/gsa-doctor/Variables.h"

namespace gsa {
namespace {

constexpr char kWithoutGpu[] =
    "without it: --target=cpu runs, --target=emu runs the kernels slowly, and "
    "--arch sm_90a with --stop-after compiles them";
constexpr uint32_t kThreads = 256, kFactor = 2654435761u;
constexpr char kSelfTest[] =
    "extern \"C\" __global__ void gsa_self_test(unsigned* result) {\n"
    "  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;\n"
    "  result[i] = i * 2654435761u + 1;\n"
    "}\n";

std::string messageOf(const absl::Status& status) {
  return std::string(status.message());
}

class Checkup {
 public:
  explicit Checkup(const Examination& examination) : examination(examination) {}

  std::vector<Finding> run() {
    checkDriver();
    checkNvrtc();
    checkCublasLt();
    checkCache();
    checkVariables();
    for (const DeviceInfo& device : devices) checkKernel(device);
    return std::move(findings);
  }

 private:
  void add(std::string name, Health health, std::string what,
           std::string advice = "") {
    findings.push_back(
        {std::move(name), health, std::move(what), std::move(advice)});
  }

  void checkDriver();
  void checkDevice(const DeviceInfo& device);
  void checkNvrtc();
  void checkBuiltins(const std::string& arch);
  void checkVersions();
  void checkCublasLt();
  void checkCache();
  void checkVariables();
  void checkKernel(const DeviceInfo& device);
  absl::Status runKernel(const DeviceInfo& device, const CompiledCuda& code);

  const Examination& examination;
  std::vector<Finding> findings;
  const DriverApi* driver = nullptr;
  int driverVersion = 0;  ///< 13000 for CUDA 13.0.
  std::vector<DeviceInfo> devices;
  std::shared_ptr<const NvrtcApi> nvrtc;
  std::map<std::string, CompiledCuda> code;  ///< By architecture.
};

void Checkup::checkDriver() {
  absl::StatusOr<const DriverApi*> found = examination.driver();
  if (!found.ok()) {
    add("driver", Health::Absent, messageOf(found.status()),
        absl::StrCat("install the driver of the GPU (nvidia-smi must list it); "
                     "in a container start it with --gpus all; ",
                     kWithoutGpu));
    return;
  }
  driver = *found;
  absl::StatusOr<int> version = driver->DriverGetVersion();
  if (!version.ok()) {
    add("driver", Health::Broken, messageOf(version.status()),
        "reinstall the driver, or restart the machine after an update of it");
    return;
  }
  driverVersion = *version;
  add("driver", Health::Ok,
      absl::StrFormat("%s, CUDA %d.%d", driver->path(), driverVersion / 1000,
                      driverVersion % 1000 / 10));
  absl::StatusOr<std::vector<DeviceInfo>> list = ListDevices(*driver);
  if (!list.ok()) {
    add("devices", Health::Broken, messageOf(list.status()),
        "look at nvidia-smi and at CUDA_VISIBLE_DEVICES");
    return;
  }
  if (list->empty())
    add("devices", Health::Absent, "the driver lists no device",
        absl::StrCat("look at CUDA_VISIBLE_DEVICES; ", kWithoutGpu));
  for (const DeviceInfo& device : *list) checkDevice(device);
}

void Checkup::checkDevice(const DeviceInfo& device) {
  const std::string name = absl::StrCat("device ", device.ordinal);
  const std::string what = absl::StrFormat(
      "%s, compute capability %d.%d, %d SMs, %.1f GiB", device.name,
      device.major, device.minor, device.sm_count,
      static_cast<double>(device.memory_bytes) / (int64_t{1} << 30));
  if (absl::StatusOr<std::string> arch = ArchOf(device.major, device.minor);
      !arch.ok()) {
    add(name, Health::Absent,
        absl::StrCat(what, ": ", messageOf(arch.status())),
        "choose another device with --target=cuda:<ordinal>");
    return;
  }
  add(name, Health::Ok, absl::StrCat(what, ", ", device.arch));
  devices.push_back(device);
}

void Checkup::checkNvrtc() {
  absl::StatusOr<std::shared_ptr<const NvrtcApi>> found = examination.nvrtc();
  if (!found.ok()) {
    add("NVRTC", Health::Absent, messageOf(found.status()),
        "pip install nvidia-cuda-nvrtc into an environment that is active, or "
        "name a toolkit by CUDA_HOME; kernels of gsa-cache import run without "
        "it");
    return;
  }
  nvrtc = *found;
  add("NVRTC", Health::Ok, nvrtc->Describe());
  std::set<std::string> archs;
  for (const DeviceInfo& device : devices) archs.insert(device.arch);
  if (archs.empty()) archs.insert("sm_90a");
  for (const std::string& arch : archs) checkBuiltins(arch);
  checkVersions();
}

void Checkup::checkBuiltins(const std::string& arch) {
  CompileRequest request;
  request.name = "self_test.cu";
  request.source = kSelfTest;
  request.arch = arch;
  absl::StatusOr<CompiledCuda> compiled = examination.compile(*nvrtc, request);
  const std::string name = absl::StrCat("compile for ", arch);
  if (!compiled.ok()) {
    const bool isOld = absl::IsUnimplemented(compiled.status());
    add(name, Health::Broken, messageOf(compiled.status()),
        isOld ? "install a newer NVRTC"
              : "install NVRTC anew, with libnvrtc-builtins of its version "
                "beside it");
    return;
  }
  add(name, Health::Ok,
      absl::StrFormat("%.0f ms, %d bytes, with its builtins",
                      compiled->milliseconds, compiled->image.size()));
  code[arch] = *std::move(compiled);
}

/// A driver loads the code of an NVRTC of its own major version, or an older
/// one.
void Checkup::checkVersions() {
  if (driverVersion == 0) return;
  const int major = driverVersion / 1000;
  const std::string what =
      absl::StrCat("NVRTC ", nvrtc->version(), ", driver for CUDA ", major, ".",
                   driverVersion % 1000 / 10);
  if (nvrtc->major_version() <= major)
    add("versions", Health::Ok, what);
  else
    add("versions", Health::Broken, what,
        absl::StrCat("update the driver, or install NVRTC ", major,
                     " (pip install nvidia-cuda-nvrtc-cu", major, ")"));
}

void Checkup::checkCublasLt() {
  absl::StatusOr<std::shared_ptr<const CublasLtApi>> found =
      examination.cublasLt();
  if (found.ok())
    add("cuBLASLt", Health::Ok, (*found)->path());
  else
    add("cuBLASLt", Health::Absent, messageOf(found.status()),
        "pip install nvidia-cublas into an environment that is active, or name "
        "a toolkit by CUDA_HOME; modules without products of matrices run "
        "without it");
}

void Checkup::checkCache() {
  const ProgramCacheOptions& options = examination.cache;
  if (!options.enabled()) {
    add("cache", Health::Absent,
        options.directory.empty() ? "there is no home directory for it"
                                  : "GSA_CACHE=off",
        "set GSA_CACHE to a directory of your own: kernels are compiled anew "
        "in each process otherwise");
    return;
  }
  ProgramCache cache(options);
  const std::string mode =
      absl::StrCat(options.directory, " (", ToString(options.mode), ")");
  const char* advice =
      "name another directory by GSA_CACHE, or make this one yours alone: "
      "chown and chmod 700";
  absl::StatusOr<ProgramCache::Listing> listing = cache.List();
  if (!listing.ok() && !absl::IsNotFound(listing.status())) {
    add("cache", Health::Broken, messageOf(listing.status()), advice);
    return;
  }
  if (options.mode == CacheMode::kReadWrite) {
    // Whether an entry can be written, read and removed.
    ProgramEntry entry;
    Sha256 hash;
    hash.UpdateField("gsa-doctor");
    entry.key = hash.HexDigest();
    entry.kind = "doctor";
    entry.payload = "well";
    cache.Write(entry);
    const bool isWritten = cache.Read(entry.key, entry.kind).has_value();
    if (isWritten) cache.Remove(entry.key).IgnoreError();
    if (!isWritten) {
      add("cache", Health::Broken,
          absl::StrCat(mode, ": ", absl::StrJoin(cache.problems(), "; ")),
          advice);
      return;
    }
  }
  add("cache", Health::Ok,
      listing.ok()
          ? absl::StrFormat("%s, %d entries, %.1f MiB", mode,
                            listing->files.size(),
                            static_cast<double>(listing->bytes) / (1 << 20))
          : absl::StrCat(mode, ", empty"));
}

void Checkup::checkVariables() {
  std::vector<absl::string_view> known;
  for (const Variable& variable : knownVariables())
    known.push_back(variable.name);
  for (const std::string& name : examination.variables) {
    const auto found = std::find(known.begin(), known.end(), name);
    if (found != known.end()) {
      const Variable& variable = knownVariables()[found - known.begin()];
      add("environment", Health::Ok,
          absl::StrCat(name, ", read by ", variable.reader, ": ",
                       variable.meaning));
      continue;
    }
    const std::string nearest = DidYouMean(name, known);
    add("environment", Health::Ignored,
        absl::StrCat(name, ", which nothing reads", nearest),
        absl::StrCat("unset it, or set one of ", absl::StrJoin(known, ", ")));
  }
}

absl::Status Checkup::runKernel(const DeviceInfo& device,
                                const CompiledCuda& compiled) {
  GSA_ASSIGN_OR_RETURN(auto context, PrimaryContext::Retain(*driver, device));
  GSA_ASSIGN_OR_RETURN(auto module,
                       LoadedModule::Load(context, compiled.image));
  GSA_ASSIGN_OR_RETURN(
      cuda::Function function,
      driver->ModuleGetFunction(module->get(), "gsa_self_test"));
  constexpr uint32_t kBlocks = 64;
  constexpr int64_t kBytes = int64_t{kBlocks} * kThreads * sizeof(uint32_t);
  GSA_ASSIGN_OR_RETURN(DeviceBuffer buffer,
                       DeviceBuffer::Allocate(context, kBytes));
  GSA_ASSIGN_OR_RETURN(auto stream, DeviceStream::Create(context));
  {
    ScopedContext current(*driver, context->get());
    GSA_RETURN_IF_ERROR(current.status());
    cuda::DevicePtr pointer = buffer.get();
    void* arguments[] = {&pointer};
    GSA_RETURN_IF_ERROR(driver->ToStatus(
        driver->table().LaunchKernel(function, kBlocks, 1, 1, kThreads, 1, 1, 0,
                                     stream->get(), arguments, nullptr),
        "cuLaunchKernel"));
  }
  GSA_RETURN_IF_ERROR(stream->Synchronize());
  std::vector<uint32_t> results(size_t{kBlocks} * kThreads);
  GSA_RETURN_IF_ERROR(buffer.Download(results.data(), kBytes));
  for (uint32_t i = 0; i < results.size(); ++i)
    if (results[i] != i * kFactor + 1)
      return absl::InternalError(absl::StrCat(
          "thread ", i, " wrote ", results[i], ", expected ", i * kFactor + 1));
  return absl::OkStatus();
}

void Checkup::checkKernel(const DeviceInfo& device) {
  const auto compiled = code.find(device.arch);
  if (compiled == code.end()) return;  // said above
  const std::string name = absl::StrCat("kernel on device ", device.ordinal);
  const absl::Status status = runKernel(device, compiled->second);
  if (status.ok())
    add(name, Health::Ok, "ran, and its results are right");
  else
    add(name, Health::Broken, messageOf(status),
        "look at nvidia-smi: another process may hold the device or its "
        "memory; dmesg has the errors of the hardware (Xid)");
}

const char* toText(Health health) {
  switch (health) {
    case Health::Ok:
      return "ok";
    case Health::Absent:
      return "absent";
    case Health::Broken:
      return "broken";
    case Health::Ignored:
      return "ignored";
  }
  return "";
}

}  // namespace

std::vector<Finding> examine(const Examination& examination) {
  return Checkup(examination).run();
}

std::string findingsText(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    absl::StrAppendFormat(
        &text, "%-7s %-18s %s\n", toText(finding.health), finding.name,
        absl::StrReplaceAll(finding.what, {{"\n", "\n        "}}));
    if (!finding.advice.empty())
      absl::StrAppendFormat(&text, "        -> %s\n", finding.advice);
  }
  return text;
}

std::string findingsJson(const std::vector<Finding>& findings) {
  auto list = nlohmann::ordered_json::array();
  for (const Finding& finding : findings)
    list.push_back({{"name", finding.name},
                    {"health", toText(finding.health)},
                    {"what", finding.what},
                    {"advice", finding.advice}});
  return nlohmann::ordered_json({{"findings", list}}).dump(2) + "\n";
}

bool isHealthy(const std::vector<Finding>& findings, bool needsGpu) {
  bool hasKernel = false;
  for (const Finding& finding : findings) {
    if (finding.health == Health::Broken) return false;
    hasKernel |= finding.name.rfind("kernel on device", 0) == 0;
  }
  return hasKernel || !needsGpu;
}

}  // namespace gsa
