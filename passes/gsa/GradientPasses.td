//===- GradientPasses.td - backward functions, losses ----------*- tablegen -*-===//
//
// Beside passes/Passes.td, since few sources know of it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSA_GRADIENTPASSES_TD
#define GSA_PASSES_GSA_GRADIENTPASSES_TD

include "mlir/Pass/PassBase.td"

def GsaDifferentiate : Pass<"gsa-differentiate", "::mlir::ModuleOp"> {
  let summary = "Makes the backward function of a function";
  let description = [{
    Beside the function `function`, say @f, comes @f_backward in reverse mode:

    - its arguments are those of @f that it reads, under their names (`gsa.name`,
      or arg0, arg1, ...), for each differentiated output X the gradient X_grad,
      and what is saved;
    - its results are, for each differentiated argument Y, the gradient Y_grad, of
      the type of Y.

    Differentiated are tensors of floats: of the arguments those that `inputs`
    names, or all, and of the results those that `outputs` names, or all that
    depend on one of these. An argument that no such result depends on, but
    through a selection or as the target of an indexer, has no gradient: it is an
    error to name it, otherwise it is left out with the remark `NoGradient`.
    Selection has no gradient, its lists are constants (`NoGradient` at the op).

    Ops with a gradient: gsa.attention, gsa.gather_attention and
    gsa.dense_attention (a `gate` becomes a gsa.gate), gsa.gate, gsa.rope, gsa.index_scores,
    gsa.index_kl (for the operands of the indexer); contractions;
    elementwise ops of arith, math and linalg and sums over dimensions;
    tensor.expand_shape, collapse_shape and cast. Another one that a gradient has
    to pass is an error that names it. The gradient of an elementwise op or a sum
    is computed in A(T) and rounded once, as is the sum of all gradients that a
    value gets.

    What @f_backward needs of the forward function it computes again, or reads, by
    `save`: `none`; `lists`, those of selection; `attention`, also outputs and lse
    of attention; `all`, everything but reshapes, constants and what no function
    returns (tensors of i1). If anything is saved, @f_forward is @f with the results saved0, saved1, ... behind its own,
    which @f_backward has as arguments of these names.

    Remark `Differentiated`, with the number of gradients and of saved tensors.
    Order: before everything else; calls have to be inlined.
    Example: test/passes/gsa/differentiate.mlir.
  }];
  let options = [
    Option<"function", "function", "std::string", "\"main\"",
           "Function to differentiate">,
    ListOption<"inputs", "inputs", "std::string",
               "Names of arguments to differentiate by; empty: all">,
    ListOption<"outputs", "outputs", "std::string",
               "Names of results that have gradients; empty: all">,
    Option<"save", "save", "::mlir::gsa::SavedValues",
           "::mlir::gsa::SavedValues::None",
           "What the forward function saves for the backward function", [{
      ::llvm::cl::values(
        clEnumValN(::mlir::gsa::SavedValues::None, "none",
                   "Nothing: all is computed again"),
        clEnumValN(::mlir::gsa::SavedValues::Lists, "lists",
                   "The lists of selection"),
        clEnumValN(::mlir::gsa::SavedValues::Attention, "attention",
                   "Lists, and the results of attention"),
        clEnumValN(::mlir::gsa::SavedValues::All, "all",
                   "Whatever is read, but reshapes and constants"))
    }]>
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def GsaCheckIndexLoss : Pass<"gsa-check-index-loss"> {
  let summary = "Refuses a loss of the indexer that trains nothing";
  let description = [{
    A `gsa.index_kl`, or its gradient, over the lists of a selection whose budget
    covers all keys is an error: the lists are all visible keys whatever the scores,
    so no score that the loss moves changes what is selected. So it is where the keys
    that `sink` and `local` force fill the budget, or are all keys: rows may keep more
    or fewer of them by their scores, but no others. Changes nothing. Sizes
    that are not known, and lists that no selection of the function makes, are not
    judged.
    Example: test/passes/gsa/check-index-loss.mlir.
  }];
}

#endif  // GSA_PASSES_GSA_GRADIENTPASSES_TD
