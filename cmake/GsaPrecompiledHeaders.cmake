# Upstream's headers, parsed once: without this they take most of the compile
# time of every source of the compiler. Sources still include what they
# use; the preset plain-headers, which does without, shows whether they do.

option(GSA_PRECOMPILED_HEADERS "Precompile the headers of LLVM and MLIR" ON)

if(GSA_PRECOMPILED_HEADERS)
  set(gsa_upstream_source ${PROJECT_BINARY_DIR}/upstream_headers.cpp)
  if(NOT EXISTS ${gsa_upstream_source})
    file(WRITE ${gsa_upstream_source} "")
  endif()
  add_library(GsaUpstreamHeaders STATIC ${gsa_upstream_source})
  target_compile_options(GsaUpstreamHeaders PRIVATE
                         ${GSA_MLIR_COMPILE_OPTIONS})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # So that ccache finds it again in another checkout.
    target_compile_options(GsaUpstreamHeaders PRIVATE
                           "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  target_precompile_headers(GsaUpstreamHeaders PRIVATE
    <mlir/Dialect/Arith/IR/Arith.h>
    <mlir/Dialect/Bufferization/IR/Bufferization.h>
    <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/Math/IR/Math.h>
    <mlir/Dialect/MemRef/IR/MemRef.h>
    <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h>
    <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/IR/Builders.h>
    <mlir/IR/BuiltinOps.h>
    <mlir/IR/Matchers.h>
    <mlir/IR/PatternMatch.h>
    <mlir/IR/Remarks.h>
    <mlir/Pass/PassManager.h>
    <mlir/Pass/PassRegistry.h>
    <llvm/ADT/TypeSwitch.h>)
endif()

# gsa_use_precompiled_headers(target): for targets that are compiled with
# GSA_MLIR_COMPILE_OPTIONS; a precompiled header fits one set of options.
function(gsa_use_precompiled_headers target)
  if(GSA_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM GsaUpstreamHeaders)
  endif()
endfunction()
