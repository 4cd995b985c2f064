//===- RunMemory.cpp - where the tensors of a run are ---------------------===//

#include "tools/gsa-run/RunMemory.h"

#include "runtime/core/cuda/driver_api.h"
#include "runtime/core/status_macros.h"

namespace gsa {

absl::StatusOr<std::unique_ptr<RunMemory>> RunMemory::create(
    const Plan& plan, const std::vector<HostTensor>& inputs,
    std::vector<HostTensor>& outputs) {
  std::unique_ptr<RunMemory> made(new RunMemory(plan, outputs));
  GSA_RETURN_IF_ERROR(plan.target().kind == TargetKind::kCuda
                          ? made->onDevice(inputs)
                          : made->onHost(inputs));
  return made;
}

absl::Status RunMemory::onHost(const std::vector<HostTensor>& inputs) {
  for (const HostTensor& tensor : inputs) inputViews.push_back(tensor.view());
  for (HostTensor& tensor : outputs)
    outputViews.push_back({tensor.dtype(), tensor.shape(), tensor.raw_data()});
  GSA_ASSIGN_OR_RETURN(
      HostTensor made,
      HostTensor::Create("workspace", DType::kU8, {plan.workspace_bytes()}));
  hostWorkspace = std::make_unique<HostTensor>(std::move(made));
  workspace = absl::MakeSpan(static_cast<char*>(hostWorkspace->raw_data()),
                             hostWorkspace->byte_size());
  return absl::OkStatus();
}

absl::Status RunMemory::onDevice(const std::vector<HostTensor>& inputs) {
  GSA_ASSIGN_OR_RETURN(const DriverApi* driver, DriverApi::Default());
  GSA_ASSIGN_OR_RETURN(DeviceInfo device,
                       GetDevice(*driver, plan.target().ordinal));
  GSA_ASSIGN_OR_RETURN(std::shared_ptr<const PrimaryContext> context,
                       PrimaryContext::Retain(*driver, device));
  GSA_ASSIGN_OR_RETURN(stream, DeviceStream::Create(context));
  auto allocate = [&](int64_t bytes) -> absl::StatusOr<void*> {
    GSA_ASSIGN_OR_RETURN(DeviceBuffer buffer,
                         DeviceBuffer::Allocate(context, bytes));
    buffers.push_back(std::move(buffer));
    return buffers.back().data();
  };
  for (const HostTensor& tensor : inputs) {
    GSA_ASSIGN_OR_RETURN(void* data, allocate(tensor.byte_size()));
    GSA_RETURN_IF_ERROR(
        buffers.back().Upload(tensor.view().data, tensor.byte_size()));
    inputViews.push_back({tensor.dtype(), tensor.shape(), data});
  }
  for (HostTensor& tensor : outputs) {
    GSA_ASSIGN_OR_RETURN(void* data, allocate(tensor.byte_size()));
    outputViews.push_back({tensor.dtype(), tensor.shape(), data});
  }
  GSA_ASSIGN_OR_RETURN(void* data, allocate(plan.workspace_bytes()));
  workspace = absl::MakeSpan(static_cast<char*>(data),
                             static_cast<size_t>(plan.workspace_bytes()));
  return absl::OkStatus();
}

absl::Status RunMemory::run(ThreadPool* pool,
                            std::vector<ZoneTime>* zones) const {
  RunOptions options;
  options.pool = pool;
  options.zone_times = zones;
  if (stream) options.stream = stream->get();
  GSA_RETURN_IF_ERROR(plan.Run(inputViews, outputViews, workspace, options));
  return stream ? stream->Synchronize() : absl::OkStatus();
}

absl::Status RunMemory::finish() {
  if (buffers.empty()) return absl::OkStatus();
  for (size_t i = 0; i < outputs.size(); ++i)
    GSA_RETURN_IF_ERROR(buffers[inputViews.size() + i].Download(
        outputs[i].raw_data(), outputs[i].byte_size()));
  return absl::OkStatus();
}

}  // namespace gsa
