//===- compile_program.h - from a module to its program ---------*- C++ -*-===//

#ifndef GSA_TEST_UNIT_EMU_COMPILE_PROGRAM_H_
#define GSA_TEST_UNIT_EMU_COMPILE_PROGRAM_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

/// What all phases of the CUDA target make of the text of a module.
absl::StatusOr<DeviceProgram> CompileProgram(const std::string& text,
                                             const std::string& arch);

}  // namespace gsa

#endif  // GSA_TEST_UNIT_EMU_COMPILE_PROGRAM_H_
