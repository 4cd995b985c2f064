// -----------------------------------------------------------------------------
// File: program_steps.h
// -----------------------------------------------------------------------------
//
// Parts of export_program: what buffers, products, fills and constants of the
// IR are in a device program. Internal. Failures come with a diagnostic.

#ifndef GSA_RUNTIME_PROGRAM_STEPS_H_
#define GSA_RUNTIME_PROGRAM_STEPS_H_

#include <string>

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

// Where a memref's elements are: `offset` elements after `base`. The two are
// apart because memref.reinterpret_cast replaces the offset.
struct DeviceBufferView {
  BufferRef base;
  int64_t offset = 0;

  // The address of the first element.
  BufferRef Ref(mlir::MemRefType type) const;
};

// Bytes of one element and of a buffer of static shape.
int64_t ElementBytes(mlir::MemRefType type);
int64_t ByteSize(mlir::MemRefType type);

// Static shape and row-major strides; any offset.
bool IsDense(mlir::MemRefType type);

// "file:line:col" of the innermost place that a location names; "" if none.
std::string PlaceOf(mlir::Location location);

// All of the step but the addresses and the zone.
mlir::FailureOr<GemmStep> MakeGemmStep(mlir::gsa_tile::GemmOp op);

// The map of the matrix [all dimensions but the last, the last] of a dense
// buffer of static shape at `base`; an error at `op` that names argument
// `index` where cuTensorMapEncodeTiled cannot take it.
mlir::FailureOr<TensorMapArg> MakeTensorMap(mlir::Operation* op, size_t index,
                                            mlir::gsa_tile::TensorMapType map,
                                            mlir::MemRefType type,
                                            BufferRef base);

// All of the step but the address and the zone; `value` is the element.
mlir::FailureOr<FillStep> MakeFillStep(mlir::Operation* op,
                                       mlir::Attribute value,
                                       mlir::MemRefType type);

// The elements of a constant, as they lie in memory.
mlir::FailureOr<ConstantData> ReadConstant(mlir::memref::GlobalOp global);

}  // namespace gsa

#endif  // GSA_RUNTIME_PROGRAM_STEPS_H_
