//===- ScalarProgram.h - scalar arithmetic over many elements -------------===//
//
// The body of a linalg op, resolved once into a list of instructions that each
// run over a strip of elements. Dispatch then costs little per element, and
// simple instructions vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_SCALARPROGRAM_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_SCALARPROGRAM_H

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "tools/reference-interpreter/RuntimeValue.h"

namespace mlir::gsa::detail {

/// One element: the op that reads it knows which member is meant.
union Cell {
  double f;
  int64_t i;
};

struct Instruction;

/// Computes `count` elements of `out` from those of `in`.
using Kernel = void (*)(const Instruction& instruction, const Cell* const* in,
                        Cell* out, int64_t count);

struct Instruction {
  Kernel kernel = nullptr;
  SmallVector<int, 3> operands;  ///< Registers
  int result = 0;                ///< Register
  int64_t predicate = 0;         ///< Of comparisons
  unsigned width = 64;           ///< Bits of an integer result
  unsigned operandWidth = 64;    ///< Bits of the first integer operand
  RuntimeValue tensor;           ///< Of tensor.extract
  /// Rounds the result to its type; absent in the exact evaluation.
  std::optional<reference::Rounder> rounder;
};

/// The instruction of an arith or math op; its registers are not set. nullopt
/// if the op is none or not supported.
std::optional<Instruction> selectInstruction(Operation* op);

class ScalarProgram {
 public:
  /// Elements that one run handles at most.
  static constexpr int64_t kLanes = 256;

  /// A program for `block`, whose terminator yields the results. `lookup`
  /// gives the values that the block reads but does not define. With `rounds`
  /// each float is rounded to the type of its SSA value. Throws
  /// std::invalid_argument for an op that is not supported, naming it.
  static ScalarProgram compile(Block& block,
                               const std::function<RuntimeValue(Value)>& lookup,
                               bool rounds);
  /// A program for one op; its operands are the arguments. nullopt if the op
  /// is not supported.
  static std::optional<ScalarProgram> compile(Operation* op);

  /// Registers of the block arguments, and of the yielded values.
  ArrayRef<int> arguments() const { return argumentRegisters; }
  ArrayRef<int> results() const { return resultRegisters; }
  /// Loop dimension and register of each linalg.index.
  ArrayRef<std::pair<int64_t, int>> indices() const { return indexRegisters; }

  /// Registers of one thread.
  class Registers {
   public:
    explicit Registers(const ScalarProgram& program);
    Cell* operator[](int index) { return cells.data() + index * kLanes; }

   private:
    std::vector<Cell> cells;
  };

  /// Runs the program on the first `count` elements of the registers.
  void run(Registers& registers, int64_t count) const;

 private:
  int newRegister() { return numRegisters++; }
  int registerOf(Value value, const std::function<RuntimeValue(Value)>& lookup);
  void add(Operation* op, const std::function<RuntimeValue(Value)>& lookup);

  bool rounds = false;
  DenseMap<Value, int> registerOfValue;
  std::vector<Instruction> instructions;
  SmallVector<int> argumentRegisters, resultRegisters;
  SmallVector<std::pair<int64_t, int>> indexRegisters;
  SmallVector<std::pair<int, Cell>> constants;
  int numRegisters = 0;
};

/// Copies `count` elements of `tensor`, from flat index `offset` on and
/// `stride` apart, to `cells`; and back.
void loadCells(const RuntimeValue& tensor, int64_t offset, int64_t stride,
               Cell* cells, int64_t count);

/// A tensor that is being written.
class TensorBuilder {
 public:
  /// Starts from the elements of `init`.
  explicit TensorBuilder(const RuntimeValue& init);
  void storeCells(const Cell* cells, int64_t offset, int64_t stride,
                  int64_t count);
  void loadCells(int64_t offset, int64_t stride, Cell* cells,
                 int64_t count) const;
  RuntimeValue finish();

 private:
  RuntimeValue::Storage storage;
  RuntimeValue::Floats floats;
  RuntimeValue::Ints ints;
  RuntimeValue::Longs longs;
};

}  // namespace mlir::gsa::detail

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_SCALARPROGRAM_H
