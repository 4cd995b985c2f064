//===- Elementwise.h - kernels without a reduction -------------*- C++ -*-===//

#ifndef GSA_PASSES_GSATOTILE_ELEMENTWISE_H
#define GSA_PASSES_GSATOTILE_ELEMENTWISE_H

#include "dialect/Gsa/GsaBuilders.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "passes/gsa_to_tile/ToTile.h"

namespace mlir::gsa::tile {

/// Warps of a block of kernels that spread elements over the grid; without
/// shared memory and barriers any number that fills an SM does.
inline constexpr int64_t kMapWarps = 8;

/// Blocks for a gsa_tile.for_each over `count` elements: enough to fill the
/// device twice; the rest comes round by round.
int64_t getMapBlocks(const CudaTarget& target, int64_t count);

/// A kernel of one gsa_tile.for_each over `count` elements, and its launch:
/// `arguments` makes its arguments, `body` what it does for an element, an i64.
void launchForEach(
    ToTileContext& context, StringRef name, int64_t count,
    llvm::function_ref<void(KernelBuilder&)> arguments,
    llvm::function_ref<void(gsa::detail::ScalarBuilder&, Value)> body);

/// Whether `op` is what lowerElementwise is for: all loops parallel.
bool isElementwise(linalg::LinalgOp op);

/// Replaces `op` (on tensors of static shape) by a kernel with one
/// gsa_tile.for_each over all loops. Slices and reshapes of operands are read
/// in place. Loops that are contiguous in all operands are merged; the sizes of
/// inner loops are constants of the kernel and the number of elements is an
/// argument, so addresses take few divisions.
///
/// Elements are f16, bf16, f32, f64, i8, i32 or i64. The body may use `arith`,
/// `math`, `scf`, `linalg.index`, and `tensor.extract` from other tensors.
/// Everything else is an error at the op.
LogicalResult lowerElementwise(linalg::LinalgOp op, ToTileContext& context);

/// The same for an op that stays: the new buffers of its results.
FailureOr<SmallVector<Value>> emitElementwise(linalg::LinalgOp op,
                                              ToTileContext& context);

/// The new contents of a part of a tensor, as a kernel.
LogicalResult lowerInsertSlice(tensor::InsertSliceOp op,
                               ToTileContext& context);

/// Copies what is left of slices whose elements do not lie row by row, such as
/// one that a function returns: the runtime copies whole ranges only.
LogicalResult lowerSlices(ModuleOp module, ToTileContext& context);

/// Whether `tensor` is a slice whose elements do not lie row by row.
bool hasGaps(Value tensor);

/// A new dense buffer with the elements of `tensor`, which a kernel copies.
FailureOr<Value> copyToDense(Value tensor, ToTileContext& context);

/// A buffer with the contents of `tensor` that its caller, the only user of the
/// tensor from here on, may overwrite: the tensor's own if nobody else reads
/// it, otherwise a copy.
Value takeBuffer(Value tensor, ToTileContext& context);

}  // namespace mlir::gsa::tile

#endif  // GSA_PASSES_GSATOTILE_ELEMENTWISE_H
