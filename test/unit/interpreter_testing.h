//===- interpreter_testing.h - modules for interpreter tests ----*- C++ -*-===//

#ifndef GSA_TEST_UNIT_INTERPRETER_TESTING_H_
#define GSA_TEST_UNIT_INTERPRETER_TESTING_H_

#include <map>
#include <random>
#include <string>
#include <vector>

#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "tools/reference-interpreter/Interpreter.h"

namespace mlir::gsa {

/// A module with a function @main; errors of MLIR are collected.
class TestModule {
 public:
  TestModule()
      : handler_(&context_, [this](Diagnostic& diagnostic) {
          errors_ += diagnostic.str() + "\n";
          return success();
        }) {
    context_.loadDialect<GsaDialect, arith::ArithDialect, func::FuncDialect,
                         linalg::LinalgDialect, math::MathDialect,
                         scf::SCFDialect, tensor::TensorDialect>();
  }

  bool Parse(const std::string& text) {
    module_ = parseSourceString<ModuleOp>(text, &context_);
    return bool(module_);
  }
  bool ParseExample(const std::string& file) {
    module_ = parseSourceFile<ModuleOp>(
        std::string(GSA_SOURCE_DIR "/examples/") + file, &context_);
    return bool(module_);
  }

  func::FuncOp main() { return module_->lookupSymbol<func::FuncOp>("main"); }
  const std::string& errors() const { return errors_; }

  /// The results of @main; empty after an error.
  SmallVector<RuntimeValue> Run(ArrayRef<RuntimeValue> inputs,
                                const InterpreterOptions& options = {}) {
    FailureOr<SmallVector<RuntimeValue>> results =
        interpret(main(), inputs, options);
    return failed(results) ? SmallVector<RuntimeValue>() : std::move(*results);
  }

  /// The argument `i`'s gsa.name, or "".
  std::string ArgumentName(unsigned i) {
    auto name = main().getArgAttrOfType<StringAttr>(i, "gsa.name");
    return name ? name.str() : "";
  }
  std::vector<std::string> ArgumentNames() {
    std::vector<std::string> names;
    for (unsigned i = 0; i < main().getNumArguments(); ++i)
      names.push_back(ArgumentName(i));
    return names;
  }
  /// Of the ops of @main, without those of regions.
  std::vector<std::string> OpNames() {
    std::vector<std::string> names;
    for (Operation& op : main().getOps())
      names.push_back(op.getName().getStringRef().str());
    return names;
  }

  /// Inputs by argument name: parameters, and the hidden states.
  std::vector<RuntimeValue> InputsByName(
      const std::map<std::string, reference::Tensor<double>>& parameters,
      const reference::Tensor<double>& hidden) {
    std::vector<RuntimeValue> inputs;
    for (const std::string& name : ArgumentNames())
      inputs.push_back(name == "hidden_states" ? hidden : parameters.at(name));
    return inputs;
  }
  SmallVector<RuntimeValue> RunByName(
      const std::map<std::string, reference::Tensor<double>>& parameters,
      const reference::Tensor<double>& hidden,
      const InterpreterOptions& options = {}) {
    return Run(InputsByName(parameters, hidden), options);
  }

  /// Normally distributed floats: the first two dynamic sizes of an argument
  /// are `batch` and `size`.
  std::vector<RuntimeValue> RandomInputs(int64_t batch, int64_t size) {
    std::mt19937 generator(7);
    std::normal_distribution<double> normal;
    std::vector<RuntimeValue> inputs;
    for (Type type : main().getArgumentTypes()) {
      reference::Shape shape;
      bool first = true;
      for (int64_t dim : cast<RankedTensorType>(type).getShape()) {
        if (ShapedType::isDynamic(dim)) {
          dim = first ? batch : size;
          first = false;
        }
        shape.push_back(dim);
      }
      reference::Tensor<double> tensor(shape);
      for (double& value : tensor.values())
        value = static_cast<float>(normal(generator));
      inputs.push_back(std::move(tensor));
    }
    return inputs;
  }

 private:
  MLIRContext context_{MLIRContext::Threading::DISABLED};
  std::string errors_;
  ScopedDiagnosticHandler handler_;
  OwningOpRef<ModuleOp> module_;
};

}  // namespace mlir::gsa

#endif  // GSA_TEST_UNIT_INTERPRETER_TESTING_H_
