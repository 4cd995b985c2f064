// -----------------------------------------------------------------------------
// File: export_program.h
// -----------------------------------------------------------------------------
//
// From the last phase of the CUDA target to the flat program that executors
// run: kernels are printed, and the entry function is executed symbolically, so
// that loops over chunks are unrolled and every address and size is a number.

#ifndef GSA_RUNTIME_EXPORT_PROGRAM_H_
#define GSA_RUNTIME_EXPORT_PROGRAM_H_

#include <string>

#include "mlir/IR/BuiltinOps.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

// The program of function `entry` of a module that went through all phases of
// mlir::gsa::getCudaPhases: arguments are inputs, outputs (as many as the
// attribute gsa.outputs says) and the workspace. The entry may hold
//
//   gsa_tile.launch and gsa_tile.gemm       steps
//   memref.copy and linalg.fill             steps, on dense buffers
//   calls of gsa_cpu_zone                  the zone of the steps that follow
//   arith ops, scf.for and scf.if           evaluated
//   memref views                            evaluated
//   memref.get_global                       constants of the program
//
// Steps outside of any zone are of the zone "other". Fails with a diagnostic
// at the op that has no place in a program, at a launch that writes an input or
// a constant or maps a buffer that cuTensorMapEncodeTiled cannot take, and at
// what a kernel's printing fails at.
mlir::FailureOr<DeviceProgram> ExportDeviceProgram(mlir::ModuleOp module,
                                                   const std::string& entry,
                                                   const std::string& arch);

}  // namespace gsa

#endif  // GSA_RUNTIME_EXPORT_PROGRAM_H_
