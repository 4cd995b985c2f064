# The static build of LLVM and MLIR, for programs and libraries that run where
# neither is installed. Defines gsa_static_mlir, which every compiler target
# links, and turns the C++ library, Abseil and the compression libraries static
# too: what is left to load is the C library.

# The package's archives name the shared libLLVM in their link interfaces. This
# target takes its place.
llvm_map_components_to_libnames(gsa_llvm_libraries
  core support supportlsp orcjit native passes irreader bitwriter linker ipo
  targetparser AllTargetsCodeGens AllTargetsDescs
  AllTargetsInfos AllTargetsAsmParsers frontendopenmp frontendopenacc)
add_library(gsa_static_llvm INTERFACE)
target_link_libraries(gsa_static_llvm INTERFACE ${gsa_llvm_libraries})

foreach(target ${MLIR_EXPORTED_TARGETS})
  get_target_property(libraries ${target} INTERFACE_LINK_LIBRARIES)
  if(libraries)
    list(TRANSFORM libraries REPLACE "^LLVM$" gsa_static_llvm)
    list(TRANSFORM libraries REPLACE "^\\$<LINK_ONLY:LLVM>$" gsa_static_llvm)
    set_target_properties(${target} PROPERTIES
                          INTERFACE_LINK_LIBRARIES "${libraries}")
  endif()
endforeach()

# Z3 serves the static analyzer of Clang only.
get_target_property(libraries LLVMSupport INTERFACE_LINK_LIBRARIES)
list(FILTER libraries EXCLUDE REGEX "libz3")
set_target_properties(LLVMSupport PROPERTIES
                      INTERFACE_LINK_LIBRARIES "${libraries}")

# All of MLIR that any of the tools uses; a program takes the objects that it
# needs from it.
add_library(gsa_static_mlir INTERFACE)
target_link_libraries(gsa_static_mlir INTERFACE
  MLIRRegisterAllDialects MLIRRegisterAllPasses MLIRRegisterAllExtensions
  MLIROptLib MLIRReduceLib MLIRLspServerLib
  MLIRToLLVMIRTranslationRegistration MLIRTargetLLVMIRExport MLIRParser
  gsa_static_llvm)

add_link_options($<$<LINK_LANGUAGE:CXX>:-static-libstdc++> -static-libgcc
                 -Wl,--as-needed -Wl,--exclude-libs,ALL -Wl,--strip-all)
