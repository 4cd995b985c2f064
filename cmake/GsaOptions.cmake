# Compiler flags that hold for the whole tree.

add_compile_options(-Wall -Wextra -Wno-unused-parameter -fvisibility=hidden
                    -fvisibility-inlines-hidden)
if(GSA_WERROR)
  add_compile_options(-Werror)
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options(-fcolor-diagnostics)
endif()

if(GSA_COVERAGE)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "GSA_COVERAGE: expected clang, got "
                        "${CMAKE_CXX_COMPILER_ID}")
  endif()
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()

if(GSA_SANITIZE)
  add_compile_options(-fsanitize=${GSA_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GSA_SANITIZE})
  # libMLIR.so is not instrumented: vptr checks would need its type infos.
  if(GSA_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize=vptr,function)
  endif()
endif()

# Coverage that libFuzzer steers by, in all code: what only a target itself has
# would leave it blind. The targets alone link libFuzzer; the runtime of a sanitizer
# has what the other programs need.
if(GSA_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR NOT GSA_SANITIZE MATCHES "address")
    message(FATAL_ERROR "GSA_FUZZ: expected clang and GSA_SANITIZE with address, got "
                        "${CMAKE_CXX_COMPILER_ID} and '${GSA_SANITIZE}'")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

add_link_options(-Wl,--gc-sections)
find_program(GSA_LLD NAMES ld.lld-22)
if(GSA_LLD)
  add_link_options(-fuse-ld=lld)
endif()
find_package(Threads REQUIRED)
include(GsaAbseil)
find_package(nlohmann_json REQUIRED)
