//===- ScalarProgram.cpp - scalar arithmetic over many elements -----------===//

#include "tools/reference-interpreter/ScalarProgram.h"

#include <algorithm>

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinAttributes.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa::detail;

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// Element of a captured tensor at the index registers.
static void extractKernel(const Instruction& instruction, const Cell* const* in,
                          Cell* out, int64_t count) {
  const reference::Shape& shape = instruction.tensor.shape();
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      int64_t index = in[axis][i].i;
      if (index < 0 || index >= shape[axis])
        throw std::invalid_argument("extracts at index " +
                                    std::to_string(index) + " of axis " +
                                    std::to_string(axis) + ", outside shape " +
                                    reference::ShapeToString(shape));
      offset = offset * shape[axis] + index;
    }
    loadCells(instruction.tensor, offset, 0, out + i, 1);
  }
}

int ScalarProgram::registerOf(
    Value value, const std::function<RuntimeValue(Value)>& lookup) {
  auto [it, inserted] = registerOfValue.try_emplace(value, numRegisters);
  if (!inserted) return it->second;
  // A scalar from outside of the block is the same for all elements.
  RuntimeValue captured = lookup(value);
  reference::Require(captured.shape().empty(),
                     "a region reads a tensor other than by tensor.extract");
  Cell cell;
  loadCells(captured, 0, 0, &cell, 1);
  int index = newRegister();
  constants.push_back({index, cell});
  return index;
}

void ScalarProgram::add(Operation* op,
                        const std::function<RuntimeValue(Value)>& lookup) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Cell cell;
    if (auto real = dyn_cast<FloatAttr>(constant.getValue())) {
      cell.f = real.getValueAsDouble();
    } else {
      auto integer = dyn_cast<IntegerAttr>(constant.getValue());
      reference::Require(bool(integer), "a region holds a constant tensor");
      const APInt& bits = integer.getValue();
      cell.i =
          bits.getBitWidth() == 1 ? bits.getZExtValue() : bits.getSExtValue();
    }
    int index = registerOfValue[constant] = newRegister();
    constants.push_back({index, cell});
    return;
  }
  if (auto indexOp = dyn_cast<linalg::IndexOp>(op)) {
    int index = registerOfValue[indexOp] = newRegister();
    indexRegisters.push_back({static_cast<int64_t>(indexOp.getDim()), index});
    return;
  }
  std::optional<Instruction> instruction;
  ValueRange scalars = op->getOperands();
  if (auto extract = dyn_cast<tensor::ExtractOp>(op)) {
    instruction.emplace();
    instruction->kernel = extractKernel;
    instruction->tensor = lookup(extract.getTensor());
    scalars = extract.getIndices();
  } else {
    instruction = selectInstruction(op);
  }
  reference::Require(instruction.has_value(),
                     "has a region with '" +
                         op->getName().getStringRef().str() +
                         "', which is not supported by the reference "
                         "interpreter");
  for (Value operand : scalars)
    instruction->operands.push_back(registerOf(operand, lookup));
  instruction->result = registerOfValue[op->getResult(0)] = newRegister();
  Type type = op->getResult(0).getType();
  if (rounds && formatOf(type) != reference::FloatFormat::F64())
    instruction->rounder.emplace(formatOf(type));
  instructions.push_back(std::move(*instruction));
}

ScalarProgram ScalarProgram::compile(
    Block& block, const std::function<RuntimeValue(Value)>& lookup,
    bool rounds) {
  ScalarProgram program;
  program.rounds = rounds;
  for (BlockArgument argument : block.getArguments()) {
    int index = program.newRegister();
    program.registerOfValue[argument] = index;
    program.argumentRegisters.push_back(index);
  }
  for (Operation& op : block.without_terminator()) program.add(&op, lookup);
  for (Value value : block.getTerminator()->getOperands())
    program.resultRegisters.push_back(program.registerOf(value, lookup));
  return program;
}

std::optional<ScalarProgram> ScalarProgram::compile(Operation* op) {
  std::optional<Instruction> instruction = selectInstruction(op);
  if (!instruction) return std::nullopt;
  ScalarProgram program;
  for (size_t i = 0; i < op->getNumOperands(); ++i) {
    int index = program.newRegister();
    program.argumentRegisters.push_back(index);
    instruction->operands.push_back(index);
  }
  instruction->result = program.newRegister();
  program.resultRegisters.push_back(instruction->result);
  program.instructions.push_back(std::move(*instruction));
  return program;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

ScalarProgram::Registers::Registers(const ScalarProgram& program)
    : cells(program.numRegisters * kLanes, Cell{.i = 0}) {
  for (auto [index, cell] : program.constants)
    std::fill_n((*this)[index], kLanes, cell);
}

void ScalarProgram::run(Registers& registers, int64_t count) const {
  SmallVector<const Cell*, 8> operands;
  for (const Instruction& instruction : instructions) {
    operands.clear();
    for (int index : instruction.operands) operands.push_back(registers[index]);
    Cell* result = registers[instruction.result];
    instruction.kernel(instruction, operands.data(), result, count);
    if (!instruction.rounder) continue;
    for (int64_t i = 0; i < count; ++i)
      result[i].f = (*instruction.rounder)(result[i].f);
  }
}

//===----------------------------------------------------------------------===//
// Elements of tensors
//===----------------------------------------------------------------------===//

static void setCell(Cell& cell, double value) { cell.f = value; }
static void setCell(Cell& cell, int64_t value) { cell.i = value; }
static void setCell(Cell& cell, int32_t value) { cell.i = value; }

template <typename T>
static void load(const reference::Tensor<T>& tensor, int64_t offset,
                 int64_t stride, Cell* cells, int64_t count) {
  const T* data = tensor.data() + offset;
  for (int64_t i = 0; i < count; ++i) setCell(cells[i], data[i * stride]);
}

void mlir::gsa::detail::loadCells(const RuntimeValue& tensor, int64_t offset,
                                  int64_t stride, Cell* cells, int64_t count) {
  tensor.visit(
      [&](const auto& data) { load(data, offset, stride, cells, count); });
}

TensorBuilder::TensorBuilder(const RuntimeValue& init)
    : storage(init.storage()) {
  if (init.isFloat()) floats = init.floats();
  if (init.isInt()) ints = init.ints();
  if (init.isLong()) longs = init.longs();
}

void TensorBuilder::loadCells(int64_t offset, int64_t stride, Cell* cells,
                              int64_t count) const {
  switch (storage) {
    case RuntimeValue::Storage::Float:
      return load(floats, offset, stride, cells, count);
    case RuntimeValue::Storage::Int:
      return load(ints, offset, stride, cells, count);
    case RuntimeValue::Storage::Long:
      return load(longs, offset, stride, cells, count);
  }
}

void TensorBuilder::storeCells(const Cell* cells, int64_t offset,
                               int64_t stride, int64_t count) {
  switch (storage) {
    case RuntimeValue::Storage::Float:
      for (int64_t i = 0; i < count; ++i)
        floats[offset + i * stride] = cells[i].f;
      return;
    case RuntimeValue::Storage::Int:
      for (int64_t i = 0; i < count; ++i)
        ints[offset + i * stride] = static_cast<int32_t>(cells[i].i);
      return;
    case RuntimeValue::Storage::Long:
      for (int64_t i = 0; i < count; ++i)
        longs[offset + i * stride] = cells[i].i;
      return;
  }
}

RuntimeValue TensorBuilder::finish() {
  switch (storage) {
    case RuntimeValue::Storage::Float:
      return std::move(floats);
    case RuntimeValue::Storage::Int:
      return std::move(ints);
    case RuntimeValue::Storage::Long:
      return std::move(longs);
  }
  llvm_unreachable("unknown storage");
}
