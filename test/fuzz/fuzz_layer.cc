// -----------------------------------------------------------------------------
// File: fuzz_layer.cc
// -----------------------------------------------------------------------------
//
// Configurations of layers as text. Of what is accepted, the module is read as
// a user's would be.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/compiler.h"
#include "runtime/layer_config.h"
#include "test/fuzz/compiler_context.h"
#include "test/fuzz/fuzz_input.h"

namespace {

[[noreturn]] void Fail(const char* what, const absl::Status& status) {
  std::fprintf(stderr, "%s: %s\n", what, status.ToString().c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  gsa::LayerConfig set;
  const absl::Status status = gsa::SetLayerFields(text, &set);
  if (!status.ok() && status.message().empty()) std::abort();
  const auto config = gsa::ParseLayerConfig(text);
  if (!config.ok()) return 0;
  // What was taken is written as text that means the same.
  const std::string written = gsa::LayerConfigToString(*config);
  const auto again = gsa::ParseLayerConfig(written);
  if (!again.ok()) Fail(written.c_str(), again.status());
  if (gsa::LayerFields(*again) != gsa::LayerFields(*config)) std::abort();
  const auto module_text = gsa::LayerModuleText(*config);
  if (!module_text.ok()) Fail("module", module_text.status());
  static gsa::fuzz::Renewed<gsa::fuzz::CompilerContext> contexts(/*uses=*/500);
  const auto module =
      gsa::ParseModule(*module_text, "layer", &contexts.Get().value);
  if (!module.ok()) Fail(written.c_str(), module.status());
  return 0;
}
