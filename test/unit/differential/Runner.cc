//===- Runner.cc - compile and run a module -------------------------------===//

#include "test/unit/differential/Runner.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "test/unit/differential/Session.h"

namespace gsa::differential {

absl::StatusOr<std::shared_ptr<const Plan>> Compile(const Spec& spec,
                                                    const Module& module) {
  CompileOptions options = OptionsFor(spec.target);
  if (!spec.arch.empty()) options.arch = spec.arch;
  for (const TensorSpec& input : module.inputs) {
    options.shapes[input.name] = input.shape;
  }
  options.num_threads = spec.threads;
  options.vector_bits = spec.vector_bits;
  options.opt_level = spec.opt_level;
  options.reference = spec.reference;
  return Plan::Compile(module.text, "case.mlir", options);
}

namespace {

absl::StatusOr<HostTensor> Garbage(const std::string& name, DType dtype,
                                   const std::vector<int64_t>& shape,
                                   int byte) {
  GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                       HostTensor::Create(name, dtype, shape));
  std::memset(tensor.raw_data(), byte, tensor.byte_size());
  return tensor;
}

}  // namespace

absl::StatusOr<Tensors> Run(const Plan& plan, const Tensors& inputs,
                            int threads, uint8_t garbage,
                            const std::vector<TensorSpec>* like,
                            std::optional<uint8_t> filling) {
  std::vector<TensorView> arguments;
  for (const TensorSpec& spec : plan.inputs()) {
    auto it = inputs.find(spec.name);
    if (it == inputs.end()) {
      return absl::InternalError(absl::StrCat("no input '", spec.name, "'"));
    }
    arguments.push_back(it->second.view());
  }
  Tensors outputs;
  std::vector<MutableTensorView> results;
  for (const TensorSpec& spec : like ? *like : plan.outputs()) {
    GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                         Garbage(spec.name, spec.dtype, spec.shape, garbage));
    HostTensor& kept = outputs[spec.name] = std::move(tensor);
    results.push_back({kept.dtype(), kept.shape(), kept.raw_data()});
  }
  GSA_ASSIGN_OR_RETURN(
      HostTensor workspace,
      Garbage("workspace", DType::kU8, {plan.workspace_bytes()},
              filling.value_or(static_cast<uint8_t>(~garbage))));
  RunOptions options;
  std::unique_ptr<ThreadPool> pool;
  if (threads > 1) {
    GSA_ASSIGN_OR_RETURN(pool, ThreadPool::Create(threads));
    options.pool = pool.get();
  }
  GSA_RETURN_IF_ERROR(
      plan.Run(arguments, results,
               absl::MakeSpan(static_cast<char*>(workspace.raw_data()),
                              workspace.byte_size()),
               options));
  return outputs;
}

bool SameBits(const HostTensor& a, const HostTensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.raw_data(), b.raw_data(), a.byte_size()) == 0;
}

std::string FirstDifference(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return "(number of tensors)";
  for (const auto& [name, tensor] : a) {
    auto it = b.find(name);
    if (it == b.end() || !SameBits(tensor, it->second)) return name;
  }
  return "";
}

}  // namespace gsa::differential
