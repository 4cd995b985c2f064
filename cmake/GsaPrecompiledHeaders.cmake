# Headers that many sources include, parsed once: without this LLVM's and MLIR's
# take most of the compile time of every source of the compiler, and GoogleTest's
# much of that of a test. Sources still include what they use; the preset
# plain-headers, which does without, shows whether they do.

option(GSA_PRECOMPILED_HEADERS "Precompile headers of LLVM, MLIR and GoogleTest" ON)

# CMake's own options name the header as well, by a path that ccache leaves absolute.
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(CMAKE_CXX_COMPILE_OPTIONS_USE_PCH -Xclang -include-pch -Xclang <PCH_FILE>)
endif()

# A precompiled header holds the path of its tree, so ccache would find no object of
# another tree again. It takes what stands in `<header>.pch.sum` for the content of
# the header (pch_external_checksum): the hash of all text that is precompiled. So
# trees of the same flags share their objects, as dev and portable-dev do. The header
# itself is compiled in each tree.
function(gsa_sum_headers name)
  set_target_properties(${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/CMakeFiles/${name}.dir)
  set(source ${PROJECT_BINARY_DIR}/precompiled/${name}.sum.cpp)
  list(TRANSFORM ARGN PREPEND "#include <")
  list(TRANSFORM ARGN APPEND ">\n")
  string(CONCAT text ${ARGN})
  file(WRITE ${source} "${text}")
  set(includes ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
  list(TRANSFORM includes PREPEND "-I")
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -std=c++${CMAKE_CXX_STANDARD}
            ${GSA_LLVM_DEFINITIONS} ${includes} -E -P -dD ${source} -o ${source}.txt
    RESULT_VARIABLE failed ERROR_QUIET)
  # Without a sum ccache reads the header itself.
  file(REMOVE ${folder}/cmake_pch.hxx.pch.sum)
  if(NOT failed)
    file(SHA256 ${source}.txt sum)
    file(WRITE ${folder}/cmake_pch.hxx.pch.sum "${sum}\n")
  endif()
  file(REMOVE ${source}.txt)
endfunction()

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
    # The same bytes after the same headers, whenever they were written.
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    gsa_sum_headers(${name} ${ARG_HEADERS})
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
