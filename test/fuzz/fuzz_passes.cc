// -----------------------------------------------------------------------------
// File: fuzz_passes.cc
// -----------------------------------------------------------------------------
//
// Modules on their way through the passes, up to where schedules are chosen,
// for the CPU and for a GPU. Sizes at the boundary are small: nothing here may
// take long by rights.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "runtime/plan.h"

namespace {

// Of a size that the module leaves free, and the largest that it may state.
constexpr int64_t kFreeSize = 8, kMostElements = 1 << 16;

// The shapes of the inputs, or none where they are not small.
bool ChooseShapes(const gsa::ModuleInterface& interface,
                  gsa::CompileOptions* options) {
  for (const gsa::TensorSpec& input : interface.inputs) {
    std::vector<int64_t> shape = input.shape;
    int64_t elements = 1;
    for (int64_t& size : shape) {
      if (size < 0) size = kFreeSize;
      if (size > kMostElements) return false;
      elements *= size;
      if (elements > kMostElements) return false;
    }
    options->shapes[input.name] = shape;
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto interface = gsa::DescribeModule(text, "f.mlir", "");
  if (!interface.ok()) return 0;
  gsa::CompileOptions options;
  options.stop_after = "schedule";
  if (!ChooseShapes(*interface, &options)) return 0;
  for (const char* target : {"cpu", "cuda"}) {
    options.target = target;
    options.arch = options.target == "cuda" ? "sm_90a" : "";
    const absl::Status status = gsa::CompileToPhase(text, "f.mlir", options);
    // What is refused says why, and is the module's fault.
    if (!status.ok() &&
        (absl::IsInternal(status) ||
         absl::StrContains(status.message(), "without a diagnostic"))) {
      std::fprintf(stderr, "%s: %s\n", target, status.ToString().c_str());
      std::abort();
    }
  }
  return 0;
}
