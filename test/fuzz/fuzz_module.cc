// -----------------------------------------------------------------------------
// File: fuzz_module.cc
// -----------------------------------------------------------------------------
//
// The text of a module as gsa_compile reads it: the scan before the parser, the
// parser, verifiers and what a user's module is held to beyond them. Bytecode
// is refused before anything reads it.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "dialect/Text/ModuleText.h"
#include "llvm/Support/raw_ostream.h"
#include "runtime/compiler.h"
#include "test/fuzz/compiler_context.h"
#include "test/fuzz/fuzz_input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  static gsa::fuzz::Renewed<gsa::fuzz::CompilerContext> contexts(/*uses=*/500);
  const auto module = gsa::ParseModule(text, "f.mlir", &contexts.Get().value);
  if (!module.ok()) {
    // What is refused says why.
    if (absl::StrContains(module.status().message(), "without a diagnostic"))
      std::abort();
    return 0;
  }
  if (mlir::gsa::isBytecodeText(text)) std::abort();
  llvm::raw_null_ostream nowhere;
  (**module).print(nowhere);
  const auto entry = gsa::FindEntry(**module, "");
  if (!entry.ok()) return 0;
  gsa::InputSpecs(*entry).status().IgnoreError();
  gsa::OutputSpecs(*entry).status().IgnoreError();
  return 0;
}
