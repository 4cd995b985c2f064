//===- GsaOps.h - ops of the gsa dialect ----------------------------------===//

#ifndef GSA_DIALECT_GSA_GSAOPS_H
#define GSA_DIALECT_GSA_GSAOPS_H

#include <limits>

#include "dialect/Common/AttributeNames.h"
#include "dialect/Gsa/GsaDialect.h"
#include "dialect/Gsa/StatedShapes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialect/Gsa/GsaOps.h.inc"

namespace mlir::gsa {

/// Whether `op` is one of the ops that AttentionForm describes.
bool isAttention(Operation* op);

/// What an attention op computes, whichever it is: over lists of keys or over
/// all keys, over all of them or over a range, with or without a gate. What
/// decompositions, schedules and lowerings read instead of the ops.
struct AttentionForm {
  Operation* op = nullptr;
  Value query, key, value;
  Value indices, counts;  ///< Null: the keys are those that the mask shows.
  Value gate, lengths;    ///< Null where the op has none.
  GateActivation gateActivation = GateActivation::Sigmoid;
  Mask mask = Mask::None;  ///< Of attention without lists.
  std::optional<llvm::APFloat> scaleGiven;
  /// Entries of lists, or keys, from `first` on; at most `size` of them.
  int64_t first = 0, size = std::numeric_limits<int64_t>::max();

  /// Of an op that isAttention.
  static AttentionForm of(Operation* op);

  bool isDense() const { return !indices; }
  /// Whether the op is a gsa.partial_attention.
  bool isPartial() const;
  /// Of `count` entries or keys those in the range; all of an unknown number.
  int64_t clip(int64_t count) const;
  /// The factor of logits. The head size is static, or the op says it.
  double scale() const;
};

/// The pages that an op reads its keys and its values from; null for rows that
/// lie one behind the other, and for ops without keys.
struct PagedInputs {
  PagedRowsOp key, value;

  static PagedInputs of(Operation* op);
  bool any() const { return key || value; }
};

/// The first queries of each batch that see no more keys than their budget
/// surely has. Of an op whose shapes are static and that has no lengths.
int64_t countShortRows(SelectOp op);

/// `scale` if given, otherwise 1/sqrt of the static size `dim`.
double getScaleOrDefault(std::optional<llvm::APFloat> scale, int64_t dim);

}  // namespace mlir::gsa

#endif  // GSA_DIALECT_GSA_GSAOPS_H
