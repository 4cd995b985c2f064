//===- CudaEmitter.h - what an op may ask of the printer -------*- C++ -*-===//
//
// The abstract side of the CUDA C++ printer (codegen/cuda), so that the dialect
// does not depend on it.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_DIALECT_GSATILE_CUDAEMITTER_H
#define GSA_DIALECT_GSATILE_CUDAEMITTER_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Region.h"
#include "mlir/IR/ValueRange.h"

namespace mlir::gsa_tile {

/// A device call as the op's record spells it. See GsaTile_Op.
struct DeviceCall {
  Operation* op;
  StringRef text;
  ArrayRef<StringRef> argumentNames;
  ArrayRef<StringRef> resultNames;
  /// Operands of the i-th operand group (attributes do not count).
  llvm::function_ref<ValueRange(unsigned)> operands;
};

/// Precedence of a C++ expression, loosest first.
enum class Precedence {
  Comma,
  Assignment,
  Conditional,
  LogicalOr,
  LogicalAnd,
  BitOr,
  BitXor,
  BitAnd,
  Equality,
  Relational,
  Shift,
  Additive,
  Multiplicative,
  Unary,
  Postfix,
  Primary
};

class CudaEmitter {
 public:
  virtual ~CudaEmitter() = default;

  /// Prints a device call as one statement.
  virtual LogicalResult emitCall(const DeviceCall& call) = 0;
  /// The op's only result is `text`; the printer inlines it or names it.
  virtual LogicalResult emitExpression(Operation* op, const Twine& text,
                                       Precedence precedence) = 0;
  /// Prints a line, `text` with the current indentation.
  virtual void emitLine(Operation* op, const Twine& text) = 0;
  /// Prints `head {`, the ops of the block, and `}`. What a terminator does is
  /// the terminator's own: scf.yield prints assignments, gsa_tile.yield
  /// nothing.
  virtual LogicalResult emitBlock(Operation* op, const Twine& head,
                                  Block& block) = 0;

  /// Expression of a value, in parentheses if it binds looser than `context`.
  virtual FailureOr<std::string> getExpression(
      Value value, Precedence context = Precedence::Comma) = 0;
  /// Gives a value a unique name near `hint` and returns it.
  virtual std::string declareName(Value value, StringRef hint) = 0;
  /// Makes `text` (a name, or an expression that may be repeated) stand for a
  /// value that an op with regions declares itself.
  virtual void bindValue(Value value, const Twine& text,
                         Precedence precedence = Precedence::Primary) = 0;
  /// C++ spelling of a type or attribute; fails with an error at `op`.
  virtual FailureOr<std::string> getType(Operation* op, Type type) = 0;
  virtual FailureOr<std::string> getAttribute(Operation* op,
                                              Attribute attribute) = 0;
};

}  // namespace mlir::gsa_tile

#endif  // GSA_DIALECT_GSATILE_CUDAEMITTER_H
