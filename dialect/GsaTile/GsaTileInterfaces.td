//===- GsaTileInterfaces.td - printing as CUDA C++ -------------*- tablegen -*-===//
//
// The interface through which an op becomes text. The dialect says what an op
// is called; the printer of codegen/cuda decides nothing beyond names.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TILE_INTERFACES_TD
#define GSA_TILE_INTERFACES_TD

include "mlir/IR/OpBase.td"

def GsaTile_CudaEmitOpInterface : OpInterface<"CudaEmitOpInterface"> {
  let cppNamespace = "::mlir::gsa_tile";
  let description = [{
    An op that prints as CUDA C++. `emitCuda` prints exactly one statement
    through the emitter, or gives the expression of its only result to it, and
    fails with a diagnostic at the op otherwise. Ops of upstream dialects get
    the interface as external models.
  }];
  let methods = [
    InterfaceMethod<"Prints the op.", "::llvm::LogicalResult", "emitCuda",
                    (ins "::mlir::gsa_tile::CudaEmitter &":$emitter)>
  ];
}

#endif  // GSA_TILE_INTERFACES_TD
