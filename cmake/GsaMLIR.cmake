# Finds MLIR 22.1 and defines gsa_link_mlir(target), the only way in which a
# target of this project links LLVM and MLIR. Shared by default: exactly
# libMLIR.so and libLLVM.so, never a static archive beside them (two copies of
# MLIR in one process have two sets of TypeIDs). GSA_PORTABLE links everything
# statically instead.

if(GSA_PORTABLE AND NOT TARGET zstd::libzstd_shared)
  find_library(GSA_ZSTD_STATIC NAMES libzstd.a REQUIRED)
  add_library(zstd::libzstd_shared STATIC IMPORTED)
  set_target_properties(zstd::libzstd_shared PROPERTIES
                        IMPORTED_LOCATION ${GSA_ZSTD_STATIC})
  set(ZLIB_USE_STATIC_LIBS ON)
endif()

# A plain "22" is refused by the package's version file.
find_package(MLIR 22.1 REQUIRED CONFIG PATHS /usr/lib/llvm-22/lib/cmake/mlir)
set(GSA_LLVM_BIN ${LLVM_TOOLS_BINARY_DIR})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
separate_arguments(GSA_LLVM_DEFINITIONS NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${GSA_LLVM_DEFINITIONS})

# LLVM 22 is built without exceptions and with RTTI; objects that derive from
# its classes must agree.
set(GSA_MLIR_COMPILE_OPTIONS -fno-exceptions)
include(GsaPrecompiledHeaders)

if(GSA_PORTABLE)
  include(GsaPortable)
endif()

function(gsa_link_mlir target)
  get_target_property(type ${target} TYPE)
  set(visibility PUBLIC)
  if(GSA_PORTABLE)
    target_link_libraries(${target} ${visibility} gsa_static_mlir)
  else()
    target_link_libraries(${target} ${visibility} MLIR LLVM)
  endif()
endfunction()

# A library of compiler code: linked with MLIR, compiled without exceptions.
function(gsa_add_compiler_library name)
  add_library(${name} STATIC ${ARGN})
  gsa_compile_without_exceptions(${name})
  gsa_link_mlir(${name})
endfunction()
