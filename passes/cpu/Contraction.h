//===- Contraction.h - matmul-like linalg ops and their blocking ----------===//
//
// What gsa-cpu-tile-contractions recognises, and the sizes it chooses.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_CPU_CONTRACTION_H
#define GSA_PASSES_CPU_CONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::gsa {

/// out[outer.., rows.., lane] += lhs[outer.., rows.., k..] * rhs[outer..,
/// lane, k..], each index set in any order of the operand's dimensions; loops
/// are numbered as in the op. `lane` is the last dimension of `out` and
/// contiguous there.
struct Contraction {
  linalg::LinalgOp op;
  Value lhs, rhs, out;
  AffineMap lhsMap, rhsMap, outMap;
  SmallVector<int64_t> sizes;  ///< Trip count of each loop, or its bound.
  /// Dimension of `out` that a loop runs through whose size is dynamic: one of
  /// `rows`. By loop, -1 for a static one.
  SmallVector<int64_t> dynamic;
  SmallVector<unsigned> outer;   ///< Batch loops and further lane loops.
  SmallVector<unsigned> rows;    ///< Loops of lhs and out, flattened.
  SmallVector<unsigned> outerK;  ///< Further reduction loops.
  unsigned lane = 0;
  unsigned k = 0;
  Type acc;  ///< Element type of out: f32 or f64.

  /// Rows; at most, where one of their loops is dynamic.
  int64_t rowCount() const;
  bool hasDynamicRows() const {
    return llvm::any_of(dynamic, [](int64_t dim) { return dim >= 0; });
  }
  int64_t laneCount() const { return sizes[lane]; }
  int64_t depth() const { return sizes[k]; }
  /// Trip count of the outer loops together.
  int64_t outerCount() const;
};

/// Whether the body yields out + ext(in0) * ext(in1), operands in any order.
/// `op` has two inputs and one output.
bool isMultiplyAccumulate(linalg::LinalgOp op);

/// Recognises a contraction on buffers whose body is out + ext(lhs) * ext(rhs).
/// Sizes are static, those of rows may be bounded instead. On failure `reason`
/// says what differs, and is empty when the op is no contraction at all.
FailureOr<Contraction> matchContraction(linalg::LinalgOp op,
                                        std::string& reason);

/// Sizes of the blocks, in elements unless named otherwise. The inner kernel
/// keeps blockRows x blockVectors vectors of `lanes` accumulators in
/// registers; a row's sums run over k in ascending order whatever the sizes.
struct Blocking {
  int64_t lanes = 1;         ///< Elements of one vector.
  int64_t blockVectors = 1;  ///< Vectors per inner block.
  int64_t blockRows = 1;     ///< Rows per inner block.
  int64_t depth = 1;         ///< k per packed block (KC).
  int64_t cachedRows = 1;    ///< Row blocks per packed lhs block (MC).
  int64_t cachedPanels = 1;  ///< Lane panels per packed rhs block (NC).

  enum class Split { None, Outer, Rows, Panels };
  Split split = Split::None;  ///< What the tasks divide among them.

  int64_t panel() const { return lanes * blockVectors; }
};

Blocking chooseBlocking(const Contraction& c, int64_t vectorBits,
                        int64_t tasks);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_CPU_CONTRACTION_H
