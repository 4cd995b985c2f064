# Abseil: the targets of a project that takes this one in, or built from a source
# tree as part of this build (GSA_ABSEIL_SOURCE_DIR), or the installed package.
# The portable build needs the source: Debian's archives are compiled for
# executables, with thread-local variables at fixed offsets, so no shared library
# can take them in (docs/rationale/portable-library.md).

set(GSA_ABSEIL_SOURCE_DIR "" CACHE PATH
    "Source tree of Abseil to build in; the portable build needs one")

# A function, so that what Abseil's build reads is set for it alone. The options
# of the tree apply to it: position independent, hidden symbols.
function(gsa_add_abseil source)
  if(NOT EXISTS ${source}/absl/base/options.h)
    message(FATAL_ERROR
      "GSA_ABSEIL_SOURCE_DIR is '${source}', which is no source tree of "
      "Abseil. `./dev setup portable` unpacks Debian's source package into "
      "build/abseil, where the preset portable looks for it")
  endif()
  set(ABSL_PROPAGATE_CXX_STD ON)
  set(ABSL_ENABLE_INSTALL OFF)
  set(BUILD_TESTING OFF)
  set(BUILD_SHARED_LIBS OFF)
  set(CMAKE_WARN_DEPRECATED OFF)
  add_subdirectory(${source} abseil EXCLUDE_FROM_ALL SYSTEM)
endfunction()

if(TARGET absl::status)
  message(STATUS "gsa uses the Abseil of this project")
elseif(GSA_ABSEIL_SOURCE_DIR)
  gsa_add_abseil(${GSA_ABSEIL_SOURCE_DIR})
elseif(GSA_PORTABLE)
  message(FATAL_ERROR "GSA_PORTABLE needs GSA_ABSEIL_SOURCE_DIR; "
                      "`./dev setup portable` makes build/abseil")
else()
  find_package(absl REQUIRED)
endif()
