//===- GsaDialect.td - dialect and base classes ----------------*- tablegen -*-===//
//
// The dialect record, the tensor types that its ops accept and the class that
// every op derives from.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSADIALECT_TD
#define GSA_DIALECT_GSADIALECT_TD

include "dialect/Gsa/GsaScheduleInterfaces.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Gsa_Dialect : Dialect {
  let name = "gsa";
  let cppNamespace = "::mlir::gsa";
  let summary = "Gated Sparse Attention on tensors";
  let description = [{
    Describes a Gated Sparse Attention layer with values: ranked tensors go in,
    ranked tensors come out, no op has a side effect and no op says how it is
    computed. A gated indexer scores every (query, key) pair, an adaptive top-k
    keeps a few keys for each query, attention runs over those keys, and
    sigmoid gates scale the values and the output. docs/spec.md is the
    normative text; the labels C1, C2, ... used there appear in the op
    descriptions, in the verifiers and in the names of the tests.

    Element types: `T` is one of f16, bf16, f32, f64. Arithmetic happens in the
    accumulator type `A(T)`, which is f64 for f64 and f32 otherwise.

    Layouts are batch first, sequence before heads: `[B, S, H, D]`.
  }];
  let useDefaultAttributePrinterParser = 1;
  // What stands on functions, arguments and foreign ops: GsaAttrNames.h.
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

/// Tensors that carry data: queries, keys, values, gates.
class Gsa_FloatTensor<int rank> : TensorRankOf<[F16, BF16, F32, F64], [rank]>;
/// Tensors of the accumulator type: scores, statistics, log-sum-exp.
class Gsa_AccTensor<int rank> : TensorRankOf<[F32, F64], [rank]>;
/// Logits of gates: one for each element, or for each head.
def Gsa_GateTensor : TensorRankOf<[F16, BF16, F32, F64], [3, 4]>;
/// Key indices, counts, lengths and budgets; int32 as the index contract asks.
class Gsa_IndexTensor<int rank> : TensorRankOf<[I32], [rank]>;
/// Token positions; int64.
class Gsa_PositionTensor<int rank> : TensorRankOf<[I64], [rank]>;

/// No attributes but those of the record and discardable ones with a prefix.
def Gsa_KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::mlir::gsa";
}

/// Operands and results have the shapes and types of the record. Stands before
/// the inference of types: the verifier of that one would report a mistake and
/// then, as a second error, that it has inferred nothing.
def Gsa_StatedShapes : NativeOpTrait<"StatedShapes"> {
  let cppNamespace = "::mlir::gsa";
}

/// An op that a lowering obeys a schedule for.
def Gsa_Scheduled : DeclareOpInterfaceMethods<Gsa_ScheduledOpInterface>;

/// Base of all ops.
///
/// `operandDims` names the dimensions of each operand, `resultDims` those of
/// each result ("B Sq Hi Di"). Equal names are equal sizes. The verifier, the
/// type inference and the reification of result shapes all read these strings,
/// so a shape rule is written once. The operands of a variadic record all have
/// its dimensions. A name that no operand binds must be bound by `extraDims()`
/// of the op.
class Gsa_Op<string mnemonic, list<string> operandDims, list<string> resultDims,
             list<Trait> traits = []>
    : Op<Gsa_Dialect, mnemonic, !listconcat([
          Gsa_KnownAttributes,
          NoMemoryEffect,
          DeclareOpInterfaceMethods<ConditionallySpeculatable>,
          Gsa_StatedShapes,
          InferTypeOpAdaptorWithIsCompatible,
          DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface,
                                    ["reifyResultShapes"]>,
          DeclareOpInterfaceMethods<AggregatedOpInterface,
                                    ["decomposeOperation"]>], traits)> {
  let hasVerifier = 1;

  code dimsDeclaration = [{
    static constexpr ::llvm::StringLiteral kOperandDims[] = }] #
    "{\"" # !interleave(operandDims, "\", \"") # "\"};" # [{
    static constexpr ::llvm::StringLiteral kResultDims[] = }] #
    "{\"" # !interleave(resultDims, "\", \"") # "\"};" # [{
  }];
  // Operands come first in `arguments`, one for each entry of operandDims.
  list<string> operandNames =
      !foreach(i, !range(!size(operandDims)), !getdagname(arguments, i));
  list<string> resultNames =
      !foreach(i, !range(!size(resultDims)), !getdagname(results, i));
  code namesDeclaration = [{
    static constexpr ::llvm::StringLiteral kOperandNames[] = }] #
    "{\"" # !interleave(operandNames, "\", \"") # "\"};" # [{
    static constexpr ::llvm::StringLiteral kResultNames[] = }] #
    "{\"" # !interleave(resultNames, "\", \"") # "\"};" # [{
  }];
  code extraOpDeclaration = "";
  let extraClassDeclaration =
      dimsDeclaration # namesDeclaration # extraOpDeclaration;
}

#endif  // GSA_DIALECT_GSADIALECT_TD
