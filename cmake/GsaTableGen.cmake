# gsa_tablegen(<target> <td> <out> <args...> [<out> <args...> ;] ...)
# Runs mlir-tblgen on <td>; each output is "<name>:<flag>[,<flag>...]".
# Example:
#   gsa_tablegen(GsaOpsIncGen Gsa.td GsaOps.h.inc:-gen-op-decls
#                GsaOps.cpp.inc:-gen-op-defs)

find_program(GSA_MLIR_TBLGEN NAMES mlir-tblgen-22 mlir-tblgen
             HINTS ${MLIR_TOOLS_BINARY_DIR} /usr/lib/llvm-22/bin REQUIRED)

function(gsa_tablegen target td)
  set(outputs)
  foreach(spec ${ARGN})
    string(FIND "${spec}" ":" colon)
    string(SUBSTRING "${spec}" 0 ${colon} out)
    math(EXPR after "${colon} + 1")
    string(SUBSTRING "${spec}" ${after} -1 flags)
    string(REPLACE "," ";" flags "${flags}")
    set(path ${CMAKE_CURRENT_BINARY_DIR}/${out})
    set(includes)
    foreach(dir ${MLIR_INCLUDE_DIRS})
      list(APPEND includes -I ${dir})
    endforeach()
    add_custom_command(
      OUTPUT ${path}
      COMMAND ${GSA_MLIR_TBLGEN} ${flags} ${CMAKE_CURRENT_SOURCE_DIR}/${td}
              -I ${PROJECT_SOURCE_DIR} ${includes} -o ${path} -d ${path}.d
              --write-if-changed
      COMMAND ${CMAKE_COMMAND} -E touch_nocreate ${path}
      DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${td}
      DEPFILE ${path}.d
      COMMENT "tblgen ${out}" VERBATIM)
    list(APPEND outputs ${path})
  endforeach()
  add_custom_target(${target} DEPENDS ${outputs})
endfunction()
