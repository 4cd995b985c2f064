// -----------------------------------------------------------------------------
// File: compiler_context.h
// -----------------------------------------------------------------------------
//
// A context with all that a module for the compiler may have, for
// fuzz::Renewed.

#ifndef GSA_TEST_FUZZ_COMPILER_CONTEXT_H_
#define GSA_TEST_FUZZ_COMPILER_CONTEXT_H_

#include "mlir/IR/MLIRContext.h"
#include "runtime/compiler.h"

namespace gsa::fuzz {

struct CompilerContext {
  CompilerContext() : value(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    RegisterCompilerDialects(registry);
    value.appendDialectRegistry(registry);
  }
  mlir::MLIRContext value;
};

}  // namespace gsa::fuzz

#endif  // GSA_TEST_FUZZ_COMPILER_CONTEXT_H_
