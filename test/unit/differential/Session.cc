//===- Session.cc - run a plan where it runs ------------------------------===//

#include "test/unit/differential/Session.h"

#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "runtime/core/cuda/device.h"
#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/status_macros.h"
#include "runtime/device_kernels.h"
#include "runtime/emu/host_compiler.h"
#include "runtime/target.h"
#include "test/unit/differential/Runner.h"
#include "tools/common/HostEnvironment.h"
#include "tools/common/ToolkitEnvironment.h"

namespace gsa::differential {
namespace {

class HostSession : public Session {
 public:
  HostSession(std::shared_ptr<const Plan> plan, const Tensors& inputs)
      : plan_(std::move(plan)), inputs_(inputs) {}

  using Session::Run;
  absl::StatusOr<Tensors> Run(uint8_t garbage, uint8_t workspace) override {
    return differential::Run(*plan_, inputs_, 1, garbage, nullptr, workspace);
  }

 private:
  const std::shared_ptr<const Plan> plan_;
  const Tensors& inputs_;
};

/// Guard bytes on each side of a buffer; keeps the alignment.
constexpr int64_t kGuard = 1024;
constexpr uint8_t kGuardByte = 0xFF;

/// Whether outputs, workspace and guards stay as the driver gave them, so that
/// compute-sanitizer's initcheck sees who reads them before a kernel writes.
bool LeavesUninitialized() {
  static const bool kLeaves = std::getenv("GSA_LEAVE_UNINITIALIZED") != nullptr;
  return kLeaves;
}

/// Device memory between two guards.
class GuardedBuffer {
 public:
  static absl::StatusOr<GuardedBuffer> Create(
      const std::shared_ptr<const PrimaryContext>& context, std::string name,
      int64_t bytes) {
    GuardedBuffer guarded;
    guarded.name_ = std::move(name);
    guarded.bytes_ = bytes;
    GSA_ASSIGN_OR_RETURN(guarded.buffer_,
                         DeviceBuffer::Allocate(context, bytes + 2 * kGuard));
    if (LeavesUninitialized()) return guarded;
    std::vector<uint8_t> guards(bytes + 2 * kGuard, kGuardByte);
    GSA_RETURN_IF_ERROR(guarded.buffer_.Upload(guards.data(), guards.size()));
    return guarded;
  }

  void* data() const { return static_cast<char*>(buffer_.data()) + kGuard; }
  absl::Status Upload(const void* source) {
    if (bytes_ == 0) return absl::OkStatus();
    return buffer_.Upload(source, bytes_, kGuard);
  }
  absl::Status Fill(uint8_t byte) {
    if (LeavesUninitialized()) return absl::OkStatus();
    std::vector<uint8_t> bytes(bytes_, byte);
    return Upload(bytes.data());
  }
  absl::Status Download(void* destination) const {
    if (bytes_ == 0) return absl::OkStatus();
    return buffer_.Download(destination, bytes_, kGuard);
  }
  absl::Status CheckGuards() const {
    if (LeavesUninitialized()) return absl::OkStatus();
    for (bool after : {false, true}) {
      std::vector<uint8_t> guard(kGuard);
      GSA_RETURN_IF_ERROR(
          buffer_.Download(guard.data(), kGuard, after ? kGuard + bytes_ : 0));
      for (int64_t i = 0; i < kGuard; ++i) {
        if (guard[i] == kGuardByte) continue;
        return absl::InternalError(absl::StrCat(
            "a kernel wrote byte ", after ? bytes_ + i : i - kGuard, " of '",
            name_, "', which has ", bytes_, " bytes"));
      }
    }
    return absl::OkStatus();
  }

 private:
  std::string name_;
  int64_t bytes_ = 0;
  DeviceBuffer buffer_;
};

class CudaSession : public Session {
 public:
  static absl::StatusOr<std::unique_ptr<Session>> Create(
      int ordinal, std::shared_ptr<const Plan> plan, const Tensors& inputs) {
    auto session = std::make_unique<CudaSession>();
    session->plan_ = std::move(plan);
    GSA_RETURN_IF_ERROR(session->Init(ordinal, inputs));
    return session;
  }

  using Session::Run;
  absl::StatusOr<Tensors> Run(uint8_t garbage, uint8_t workspace) override {
    std::vector<TensorView> arguments;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const TensorSpec& spec = plan_->inputs()[i];
      arguments.push_back({spec.dtype, spec.shape, inputs_[i].data()});
    }
    std::vector<MutableTensorView> results;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const TensorSpec& spec = plan_->outputs()[i];
      GSA_RETURN_IF_ERROR(outputs_[i].Fill(garbage));
      results.push_back({spec.dtype, spec.shape, outputs_[i].data()});
    }
    GSA_RETURN_IF_ERROR(workspace_.Fill(workspace));
    RunOptions options;
    options.stream = stream_->get();
    GSA_RETURN_IF_ERROR(
        plan_->Run(arguments, results,
                   absl::MakeSpan(static_cast<char*>(workspace_.data()),
                                  plan_->workspace_bytes()),
                   options));
    GSA_RETURN_IF_ERROR(stream_->Synchronize());
    GSA_RETURN_IF_ERROR(workspace_.CheckGuards());
    return Results();
  }

 private:
  absl::Status Init(int ordinal, const Tensors& inputs) {
    GSA_ASSIGN_OR_RETURN(const DriverApi* driver, DriverApi::Default());
    GSA_ASSIGN_OR_RETURN(DeviceInfo device, GetDevice(*driver, ordinal));
    GSA_ASSIGN_OR_RETURN(context_, PrimaryContext::Retain(*driver, device));
    GSA_ASSIGN_OR_RETURN(stream_, DeviceStream::Create(context_));
    for (const TensorSpec& spec : plan_->inputs()) {
      auto it = inputs.find(spec.name);
      if (it == inputs.end()) {
        return absl::InternalError(absl::StrCat("no input '", spec.name, "'"));
      }
      GSA_ASSIGN_OR_RETURN(
          inputs_.emplace_back(),
          GuardedBuffer::Create(context_, spec.name, it->second.byte_size()));
      GSA_RETURN_IF_ERROR(inputs_.back().Upload(it->second.raw_data()));
    }
    for (const TensorSpec& spec : plan_->outputs()) {
      int64_t bytes = static_cast<int64_t>(DTypeSize(spec.dtype));
      for (int64_t size : spec.shape) bytes *= size;
      GSA_ASSIGN_OR_RETURN(outputs_.emplace_back(),
                           GuardedBuffer::Create(context_, spec.name, bytes));
    }
    GSA_ASSIGN_OR_RETURN(
        workspace_,
        GuardedBuffer::Create(context_, "workspace", plan_->workspace_bytes()));
    return absl::OkStatus();
  }

  absl::StatusOr<Tensors> Results() const {
    Tensors tensors;
    for (size_t i = 0; i < outputs_.size(); ++i) {
      const TensorSpec& spec = plan_->outputs()[i];
      GSA_RETURN_IF_ERROR(outputs_[i].CheckGuards());
      GSA_ASSIGN_OR_RETURN(
          HostTensor tensor,
          HostTensor::Create(spec.name, spec.dtype, spec.shape));
      GSA_RETURN_IF_ERROR(outputs_[i].Download(tensor.raw_data()));
      tensors[spec.name] = std::move(tensor);
    }
    return tensors;
  }

  std::shared_ptr<const Plan> plan_;
  std::shared_ptr<const PrimaryContext> context_;
  std::unique_ptr<DeviceStream> stream_;
  std::vector<GuardedBuffer> inputs_, outputs_;
  GuardedBuffer workspace_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Session>> Session::Create(
    const std::string& target, std::shared_ptr<const Plan> plan,
    const Tensors& inputs) {
  GSA_ASSIGN_OR_RETURN(Target resolved, ResolveTarget(OptionsFor(target)));
  if (resolved.kind == TargetKind::kCuda) {
    return CudaSession::Create(resolved.ordinal, std::move(plan), inputs);
  }
  return std::make_unique<HostSession>(std::move(plan), inputs);
}

absl::StatusOr<Tensors> RunOnce(const std::string& target,
                                std::shared_ptr<const Plan> plan,
                                const Tensors& inputs) {
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<Session> session,
                       Session::Create(target, std::move(plan), inputs));
  return session->Run(0xA5);
}

CompileOptions OptionsFor(const std::string& target) {
  CompileOptions options;
  options.target = target;
  if (target == "emu") {
    options.arch = "sm_90a";
    options.thread_sanitizer = true;
    options.opt_level = 0;
    options.watchdog_seconds = 120;
  }
  options.toolkit = getToolkitSearchFromEnvironment();
  options.host = getHostPlacesFromEnvironment();
  const char* cache = std::getenv("GSA_TEST_CACHE");
  if (cache != nullptr && target != "emu") {
    options.cache.directory = cache;
    options.cache.mode = CacheMode::kReadWrite;
  }
  return options;
}

bool HasWgmma(const std::string& target) {
  auto resolved = ResolveTarget(OptionsFor(target));
  if (!resolved.ok()) return false;
  if (resolved->kind != TargetKind::kCuda) {
    return OptionsFor(target).arch == "sm_90a";
  }
  auto arch = DeviceArch(resolved->ordinal);
  return arch.ok() && *arch == "sm_90a";
}

absl::Status TargetIsUsable(const std::string& target) {
  GSA_ASSIGN_OR_RETURN(Target resolved, ResolveTarget(OptionsFor(target)));
  if (resolved.kind == TargetKind::kCuda) {
    GSA_RETURN_IF_ERROR(DeviceArch(resolved.ordinal).status());
    return KernelCacheFor(OptionsFor(target)).status();
  }
  if (resolved.kind == TargetKind::kEmu) {
    GSA_ASSIGN_OR_RETURN(HostCompiler * compiler,
                         HostCompiler::Shared(OptionsFor(target).host));
    HostCompilerOptions options;
    options.thread_sanitizer = true;
    return compiler->Compile("int main() {}\n", options).status();
  }
  return absl::OkStatus();
}

}  // namespace gsa::differential
