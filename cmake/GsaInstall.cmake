# What `cmake --install` puts where, relocatable: every path that an installed
# file holds is relative to its own place.
#
#   bin/                 the tools                        component gsa-tools
#   lib/gsa/             the plugin for mlir-opt          component gsa-tools
#   lib/libgsa.so*       the library                      component gsa-runtime
#   include/gsa/, lib/cmake/gsa/, lib/pkgconfig/          component gsa-dev
#   share/gsa/examples/  modules and programs             component gsa-dev
#
# What was not built is left out, and said; nothing at all is an error.

include(GNUInstallDirs)

# libMLIR.so and libLLVM.so are found in the folder they were linked from; the
# portable build needs no such folder.
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)

# "$ORIGIN/<to>" for a file that is installed into `from`, both relative to the
# prefix.
function(gsa_origin_path result from to)
  file(RELATIVE_PATH path /prefix/${from} /prefix/${to})
  if(path STREQUAL "")
    set(${result} "\$ORIGIN" PARENT_SCOPE)
  else()
    set(${result} "\$ORIGIN/${path}" PARENT_SCOPE)
  endif()
endfunction()

# Says at installation what of `ARGN` (targets that may not even exist) is not
# built; nothing at all is an error.
function(gsa_require_built)
  set(files)
  foreach(target ${ARGN})
    string(APPEND files
           " \"$<$<TARGET_EXISTS:${target}>:$<TARGET_FILE:${target}>>\"")
  endforeach()
  install(CODE "
    set(gsa_built)
    foreach(file ${files})
      get_filename_component(name \"\${file}\" NAME)
      if(EXISTS \"\${file}\")
        list(APPEND gsa_built \${name})
      elseif(file)
        message(STATUS \"Left out, since it is not built: \${name}\")
      endif()
    endforeach()
    if(NOT gsa_built)
      message(FATAL_ERROR \"nothing of gsa is built; run \"
                          \"cmake --build ${PROJECT_BINARY_DIR} first\")
    endif()" ALL_COMPONENTS)
endfunction()
if(GSA_INSTALL)
  gsa_require_built(gsa gsa_runtime gsa-cache gsa-compile gsa-doctor gsa-explain gsa-run gsa-opt
                    gsa-translate gsa-reduce gsa-lsp-server GSAPlugin)
endif()

# gsa_install_tool(<target>): an executable, or the plugin.
function(gsa_install_tool target)
  if(NOT GSA_INSTALL)
    return()
  endif()
  set(folder ${CMAKE_INSTALL_BINDIR})
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "MODULE_LIBRARY")
    set(folder ${CMAKE_INSTALL_LIBDIR}/gsa)
  endif()
  gsa_origin_path(origin ${folder} ${CMAKE_INSTALL_LIBDIR})
  set_target_properties(${target} PROPERTIES INSTALL_RPATH "${origin}")
  install(TARGETS ${target}
          RUNTIME DESTINATION ${folder} COMPONENT gsa-tools OPTIONAL
          LIBRARY DESTINATION ${folder} COMPONENT gsa-tools OPTIONAL)
endfunction()

if(GSA_INSTALL)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/examples/
          DESTINATION ${CMAKE_INSTALL_DATADIR}/gsa/examples COMPONENT gsa-dev
          PATTERN .clang-tidy EXCLUDE PATTERN __pycache__ EXCLUDE)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE
          DESTINATION ${CMAKE_INSTALL_DATADIR}/gsa COMPONENT gsa-runtime)
endif()
