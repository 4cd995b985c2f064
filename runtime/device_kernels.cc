// -----------------------------------------------------------------------------
// File: device_kernels.cc
// -----------------------------------------------------------------------------

#include "runtime/device_kernels.h"

#include <map>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "codegen/device/UsedDeclarations.h"
#include "dialect/Target/CudaTarget.h"
#include "runtime/core/cuda/executor_builder.h"
#include "runtime/core/cuda/nvrtc_compiler.h"
#include "runtime/core/status_macros.h"
#include "runtime/cpu_objects.h"

namespace gsa {
namespace {

// The place of the op that a line of a kernel came from; "" if unknown.
std::string PlaceOfLine(const KernelSource& kernel, int32_t line) {
  std::string place;
  for (const LineMapEntry& entry : kernel.lines) {
    if (entry.cuda_line > line) break;
    place = entry.location;
  }
  return place;
}

// The error with a line "place: message" for each message that has a place.
absl::Status Locate(const absl::Status& error, const KernelSource& kernel) {
  std::string places;
  for (const CompileMessage& message :
       ParseMessages(std::string(error.message()))) {
    if (message.severity != CompileMessage::Severity::kError) continue;
    std::string place = PlaceOfLine(kernel, message.line);
    if (!place.empty()) {
      absl::StrAppend(&places, place, ": error: ", message.text, "\n");
    }
  }
  return absl::Status(error.code(),
                      absl::StrCat(places, "kernel ", kernel.symbol, ": ",
                                   std::string(error.message())));
}

std::string ToText(const KernelArg& argument) {
  return std::visit(
      [](const auto& value) -> std::string {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
          return absl::StrCat(value);
        } else {
          return ToString(value);
        }
      },
      argument);
}

// The caches of this process.
struct Caches {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<KernelCache>> by_key;
};

Caches& TheCaches() {
  static Caches& caches = *new Caches;
  return caches;
}

// Options with the same one use one cache.
std::string KeyOf(const CompileOptions& options) {
  const ProgramCacheOptions& cache = options.cache;
  if (!cache.enabled()) return ToKey(options.toolkit);
  return absl::StrCat(ToKey(options.toolkit), "|", cache.directory, "|",
                      ToString(cache.mode), "|", cache.max_bytes);
}

}  // namespace

void AddHeaders(DeviceProgram* program) {
  for (KernelSource& kernel : program->kernels) {
    for (mlir::gsa_tile::UsedHeader& header :
         mlir::gsa_tile::getUsedDeviceHeaders(kernel.text)) {
      kernel.headers.push_back({header.name.str(), std::move(header.text)});
    }
  }
}

absl::StatusOr<KernelCache*> KernelCacheFor(const CompileOptions& options) {
  if (!options.cache.enabled() && ToKey(options.toolkit) == ToKey({}))
    return KernelCache::Default();
  Caches& caches = TheCaches();
  std::lock_guard<std::mutex> lock(caches.mutex);
  std::unique_ptr<KernelCache>& cache = caches.by_key[KeyOf(options)];
  if (cache != nullptr) return cache.get();
  if (options.cache.enabled()) {
    auto programs = std::make_shared<ProgramCache>(options.cache);
    auto loader = std::make_shared<NvrtcLoader>(options.toolkit, programs);
    GSA_RETURN_IF_ERROR(loader->Identify().status());
    cache = KernelCache::ForLoader(std::move(loader), std::move(programs));
  } else {
    GSA_ASSIGN_OR_RETURN(std::shared_ptr<const NvrtcApi> api,
                         NvrtcApi::Load(options.toolkit));
    cache = KernelCache::ForNvrtc(std::move(api));
  }
  return cache.get();
}

std::vector<std::string> CacheProblems(const CompileOptions& options) {
  if (!options.cache.enabled()) return {};
  std::vector<std::string> problems = CpuPrograms(options)->problems();
  Caches& caches = TheCaches();
  std::lock_guard<std::mutex> lock(caches.mutex);
  const auto cache = caches.by_key.find(KeyOf(options));
  if (cache == caches.by_key.end() || cache->second == nullptr) return problems;
  for (std::string& problem : cache->second->programs()->problems()) {
    problems.push_back(std::move(problem));
  }
  return problems;
}

std::future<void> BeginLoadingNvrtc(const CompileOptions& options) {
  return std::async(std::launch::async, [options] {
    KernelCacheFor(options).status().IgnoreError();
  });
}

LaunchLimits LimitsOf(const std::string& arch) {
  LaunchLimits limits;
  if (auto target = mlir::gsa::findCudaTarget(arch)) {
    limits.max_smem_bytes = target->sharedBytesPerBlock;
  }
  return limits;
}

std::string Describe(const DeviceProgram& program) {
  std::string text = absl::StrCat(
      "architecture ", program.arch, ", ", program.kernels.size(),
      " kernels, workspace of ", program.workspace_bytes, " bytes\n");
  for (const ProgramStep& step : program.steps) {
    absl::StrAppend(&text, program.zone_names[ZoneOf(step)], ": ");
    if (auto* launch = std::get_if<LaunchStep>(&step)) {
      const KernelSource& kernel = program.kernels[launch->kernel];
      absl::StrAppend(
          &text, launch->dependent ? "dependent " : "", kernel.symbol, "<<<",
          launch->grid[0], "x", launch->grid[1], "x", launch->grid[2], ", ",
          kernel.threads_per_block, ", ", kernel.dynamic_smem_bytes, ">>>(");
      const char* comma = "";
      for (const KernelArg& argument : launch->args) {
        absl::StrAppend(&text, comma, ToText(argument));
        comma = ", ";
      }
      absl::StrAppend(&text, ")\n");
    } else if (auto* gemm = std::get_if<GemmStep>(&step)) {
      absl::StrAppend(&text, "gemm ", gemm->batch, "x", gemm->m, "x", gemm->n,
                      "x", gemm->k, gemm->trans_a ? " ta" : "",
                      gemm->trans_b ? " tb" : "", gemm->beta ? " +=" : "", " (",
                      ToString(gemm->a), ", ", ToString(gemm->b), ") to ",
                      ToString(gemm->c), "\n");
    } else if (auto* copy = std::get_if<CopyStep>(&step)) {
      absl::StrAppend(&text, "copy ", copy->bytes, " bytes from ",
                      ToString(copy->source), " to ",
                      ToString(copy->destination), "\n");
    } else if (auto* fill = std::get_if<FillStep>(&step)) {
      absl::StrAppend(&text, "fill ", fill->count, " x ", fill->element_bytes,
                      " bytes of ", fill->pattern, " at ",
                      ToString(fill->destination), "\n");
    }
  }
  return text;
}

void ReportTexts(const DeviceProgram& program, const CompileOptions& options) {
  if (!options.on_phase || !options.keep_texts) return;
  for (const KernelSource& kernel : program.kernels) {
    options.on_phase({absl::StrCat("kernel-", kernel.symbol), 0,
                      [&] {
                        // Messages of compilers count from the text.
                        return absl::StrCat(kernel.header, "#line 1\n",
                                            kernel.text);
                      },
                      "cu"});
  }
}

absl::Status ReportCode(const DeviceProgram& program,
                        const CompileOptions& options) {
  if (!options.on_phase || !options.keep_texts) return absl::OkStatus();
  GSA_ASSIGN_OR_RETURN(KernelCache * cache, KernelCacheFor(options));
  for (const KernelSource& kernel : program.kernels) {
    for (CudaOutput output : {CudaOutput::kPtx, CudaOutput::kCubin}) {
      CompileRequest request;
      request.name = kernel.symbol + ".cu";
      request.source = kernel.text;
      request.headers = kernel.headers;
      request.arch = program.arch;
      request.output = output;
      KernelOrigin origin;
      auto compiled = cache->Get(request, &origin);
      if (!compiled.ok()) return Locate(compiled.status(), kernel);
      if (options.on_kernel)
        options.on_kernel(
            KernelCache::EventOf(kernel.symbol, request, **compiled, origin));
      const std::string& image = (*compiled)->code.image;
      const bool ptx = output == CudaOutput::kPtx;
      // PTX ends in a zero byte, which is not text.
      options.on_phase(
          {absl::StrCat("kernel-", kernel.symbol),
           (*compiled)->code.milliseconds,
           [&] { return ptx ? std::string(image.c_str()) : image; },
           ptx ? "ptx" : "cubin"});
    }
  }
  return absl::OkStatus();
}

absl::Status FillImages(const CompileOptions& options, DeviceProgram* program) {
  GSA_ASSIGN_OR_RETURN(KernelCache * cache, KernelCacheFor(options));
  const std::vector<CompileRequest> requests = RequestsOf(*program, {});
  std::vector<KernelOrigin> origins;
  const auto compiled = cache->GetAll(
      requests, static_cast<int>(std::thread::hardware_concurrency()),
      &origins);
  if (!compiled.ok()) {
    // Which one it was: an error is not kept.
    for (size_t i = 0; i < requests.size(); ++i) {
      const absl::Status failed = cache->Get(requests[i]).status();
      if (!failed.ok()) return Locate(failed, program->kernels[i]);
    }
    return compiled.status();
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    KernelSource& kernel = program->kernels[i];
    const CachedKernel& code = *(*compiled)[i];
    if (options.on_kernel)
      options.on_kernel(
          KernelCache::EventOf(kernel.symbol, requests[i], code, origins[i]));
    kernel.image = code.code.image;
    kernel.text.clear();
    kernel.header.clear();
    kernel.lines.clear();
    kernel.headers.clear();
  }
  return absl::OkStatus();
}

}  // namespace gsa
