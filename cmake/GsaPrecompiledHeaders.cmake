# Headers that many sources include, parsed once: without this LLVM's and MLIR's
# take most of the compile time of every source of the compiler, and GoogleTest's
# much of that of a test. Sources still include what they use; the preset
# plain-headers, which does without, shows whether they do.

option(GSA_PRECOMPILED_HEADERS "Precompile headers of LLVM, MLIR and GoogleTest" ON)

# gsa_precompile_headers(<name> HEADERS <a.h> ... [OPTIONS ...] [LIBS ...])
# A target whose precompiled headers serve those that are compiled with the same
# options, for gsa_reuse_headers.
function(gsa_precompile_headers name)
  if(NOT GSA_PRECOMPILED_HEADERS)
    return()
  endif()
  cmake_parse_arguments(ARG "" "" "HEADERS;OPTIONS;LIBS" ${ARGN})
  set(source ${PROJECT_BINARY_DIR}/precompiled/${name}.cpp)
  if(NOT EXISTS ${source})
    file(WRITE ${source} "")
  endif()
  add_library(${name} STATIC ${source})
  target_compile_options(${name} PRIVATE ${ARG_OPTIONS})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # So that ccache finds it again in another checkout.
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
  list(TRANSFORM ARG_HEADERS PREPEND "<")
  list(TRANSFORM ARG_HEADERS APPEND ">")
  target_precompile_headers(${name} PRIVATE ${ARG_HEADERS})
endfunction()

# Headers are precompiled as for a library; code of an executable may be such, too.
function(gsa_reuse_headers target name)
  if(GSA_PRECOMPILED_HEADERS)
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_options(
      ${target} PRIVATE ${CMAKE_CXX_COMPILE_OPTIONS_PIC})
  endif()
endfunction()

set(GSA_UPSTREAM_HEADERS
  mlir/Dialect/Arith/IR/Arith.h
  mlir/Dialect/Bufferization/IR/Bufferization.h
  mlir/Dialect/Func/IR/FuncOps.h
  mlir/Dialect/Linalg/IR/Linalg.h
  mlir/Dialect/Math/IR/Math.h
  mlir/Dialect/MemRef/IR/MemRef.h
  mlir/Dialect/SCF/IR/SCF.h
  mlir/Dialect/Tensor/IR/Tensor.h
  mlir/Dialect/Vector/IR/VectorOps.h
  mlir/IR/Builders.h
  mlir/IR/BuiltinOps.h
  mlir/IR/Matchers.h
  mlir/IR/PatternMatch.h
  mlir/IR/Remarks.h
  mlir/Pass/PassManager.h
  mlir/Pass/PassRegistry.h
  llvm/ADT/TypeSwitch.h)
gsa_precompile_headers(GsaUpstreamHeaders HEADERS ${GSA_UPSTREAM_HEADERS}
                       OPTIONS ${GSA_MLIR_COMPILE_OPTIONS})
# For what throws, or includes what does.
gsa_precompile_headers(GsaThrowingUpstreamHeaders HEADERS ${GSA_UPSTREAM_HEADERS})

# As LLVM is: what derives from its classes, and throws nothing.
function(gsa_compile_without_exceptions target)
  target_compile_options(${target} PRIVATE ${GSA_MLIR_COMPILE_OPTIONS})
  gsa_reuse_headers(${target} GsaUpstreamHeaders)
endfunction()
