//===- GradientPasses.h - backward functions -------------------*- C++ -*-===//

#ifndef GSA_PASSES_GSA_GRADIENTPASSES_H
#define GSA_PASSES_GSA_GRADIENTPASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "passes/ChoiceParser.h"

namespace mlir::gsa {

/// What a forward function hands to its backward function; each one also what
/// the ones before it do.
enum class SavedValues {
  None,
  Lists,      ///< Results of selection.
  Attention,  ///< Results of attention.
  All,        ///< Everything that is read, but what moves no data.
};

}  // namespace mlir::gsa

template <>
class llvm::cl::parser<mlir::gsa::SavedValues>
    : public mlir::gsa::ChoiceParser<mlir::gsa::SavedValues> {
 public:
  using ChoiceParser::ChoiceParser;
};

namespace mlir::gsa {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/gsa/GradientPasses.h.inc"

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSA_GRADIENTPASSES_H
