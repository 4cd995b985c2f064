//===- CudaPrinter.cpp - gsa_tile kernels as CUDA C++ ---------------------===//

#include "codegen/cuda/CudaPrinter.h"

#include <set>

#include "codegen/cuda/EmitModels.h"
#include "codegen/cuda/KernelHeader.h"
#include "codegen/cuda/Names.h"
#include "dialect/GsaTile/CudaNames.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::gsa_tile;

namespace {

/// Longest expression that is repeated at its only use instead of being named.
constexpr size_t kInlineWidth = 72;

class Printer : public CudaEmitter {
 public:
  Printer(MLIRContext* context, LineMap* lines)
      : context(context), names(context), lines(lines) {}

  /// `header`: comment lines above the function.
  LogicalResult printKernel(KernelOp kernel, StringRef header = "");
  LogicalResult printProlog(ArrayRef<KernelOp> kernels);
  std::string takeText() { return std::move(text); }

  LogicalResult emitCall(const DeviceCall& call) override;
  LogicalResult emitExpression(Operation* op, const Twine& text,
                               Precedence precedence) override;
  void emitLine(Operation* op, const Twine& text) override;
  LogicalResult emitBlock(Operation* op, const Twine& head,
                          Block& block) override;
  FailureOr<std::string> getExpression(Value value,
                                       Precedence context) override;
  std::string declareName(Value value, StringRef hint) override;
  void bindValue(Value value, const Twine& text,
                 Precedence precedence) override;
  FailureOr<std::string> getType(Operation* op, Type type) override;
  FailureOr<std::string> getAttribute(Operation* op,
                                      Attribute attribute) override;

 private:
  struct Expression {
    std::string text;
    Precedence precedence;
  };

  LogicalResult emitBody(Block& block);
  FailureOr<std::string> getParameters(KernelOp kernel);
  FailureOr<std::string> expandCall(const DeviceCall& call);
  FailureOr<std::string> expandField(const DeviceCall& call, StringRef field);
  /// `<type> <new name>` for an op's result.
  FailureOr<std::string> declareResult(Value result, StringRef hint = "");

  MLIRContext* context;
  Names names;
  LineMap* lines;
  std::string text;
  unsigned line = 1;
  unsigned indent = 0;
  DenseMap<Value, Expression> values;
};

}  // namespace

//===----------------------------------------------------------------------===//
// Lines and blocks
//===----------------------------------------------------------------------===//

void Printer::emitLine(Operation* op, const Twine& content) {
  if (op && lines) lines->add(line, op->getLoc(), op->getName().getStringRef());
  text.append(size_t{2} * indent, ' ');
  std::string lineText = content.str();
  text += lineText + '\n';
  line += 1 + llvm::count(lineText, '\n');
}

LogicalResult Printer::emitBlock(Operation* op, const Twine& head,
                                 Block& block) {
  std::string first = head.str();
  std::string close = std::string(size_t{2} * indent, ' ') + "}\n";
  if (StringRef(first).starts_with("else") && StringRef(text).ends_with(close))
    text.back() = ' ', text += first + " {\n";
  else
    emitLine(op, first.empty() ? "{" : Twine(first) + " {");
  ++indent;
  size_t scope = names.openScope();
  LogicalResult result = emitBody(block);
  names.closeScope(scope);
  --indent;
  emitLine(nullptr, "}");
  return result;
}

LogicalResult Printer::emitBody(Block& block) {
  for (Operation& op : block) {
    auto emission = dyn_cast<CudaEmitOpInterface>(op);
    if (!emission) return op.emitOpError() << "has no CUDA C++ emission";
    if (failed(emission.emitCuda(*this))) return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::string Printer::declareName(Value value, StringRef hint) {
  std::string name = names.makeUnique(getNameHint(value, hint));
  bindValue(value, name, Precedence::Primary);
  return name;
}

void Printer::bindValue(Value value, const Twine& text, Precedence precedence) {
  values[value] = {text.str(), precedence};
}

FailureOr<std::string> Printer::getExpression(Value value,
                                              Precedence precedence) {
  auto it = values.find(value);
  if (it == values.end())
    return emitError(value.getLoc()) << "value is used before it is printed";
  if (it->second.precedence >= precedence) return it->second.text;
  return "(" + it->second.text + ")";
}

/// True if the op's text may stand at its only use: nothing happens in between
/// that could change it, and it is not moved into a loop.
static bool mayInline(Operation* op) {
  if (op->hasTrait<OpTrait::ConstantLike>() || op->use_empty()) return true;
  Value result = op->getResult(0);
  return isMemoryEffectFree(op) && result.hasOneUse() &&
         (*result.user_begin())->getBlock() == op->getBlock();
}

LogicalResult Printer::emitExpression(Operation* op, const Twine& text,
                                      Precedence precedence) {
  std::string content = text.str();
  if (mayInline(op) && (op->hasTrait<OpTrait::ConstantLike>() ||
                        content.size() <= kInlineWidth)) {
    bindValue(op->getResult(0), content, precedence);
    return success();
  }
  FailureOr<std::string> declaration = declareResult(op->getResult(0));
  if (failed(declaration)) return failure();
  emitLine(op, Twine(*declaration) + " = " + content + ";");
  return success();
}

FailureOr<std::string> Printer::declareResult(Value result, StringRef hint) {
  Operation* op = result.getDefiningOp();
  // Storage is changed by later ops; its C++ type is written in the call.
  std::string type = "auto";
  if (result.getType().isIntOrIndexOrFloat()) {
    FailureOr<std::string> scalar = getType(op, result.getType());
    if (failed(scalar)) return failure();
    type = "const " + *scalar;
  }
  return type + " " + declareName(result, hint);
}

//===----------------------------------------------------------------------===//
// Device calls
//===----------------------------------------------------------------------===//

static std::string spellTeam(TeamAttr team) {
  return "team<" + std::to_string(team.getFirst()) + ", " +
         std::to_string(team.getCount()) + ">";
}

static Type getElementType(Type type) {
  return TypeSwitch<Type, Type>(type)
      .Case<GlobalType, SmemType, FragType, RowVecType, LanesType>(
          [](auto t) { return t.getElementType(); })
      .Default(Type());
}

/// Expands `name`, `name...`, `name:type` or `name:elem` of a call's text.
FailureOr<std::string> Printer::expandField(const DeviceCall& call,
                                            StringRef field) {
  Operation* op = call.op;
  auto [name, mode] = field.split(':');
  bool list = name.consume_back("...");
  unsigned group = 0;
  ValueRange operands;
  bool known = false;
  for (StringRef argument : call.argumentNames) {
    bool isAttribute =
        llvm::is_contained(op->getName().getAttributeNames(), argument);
    if (argument != name) {
      group += !isAttribute;
      continue;
    }
    if (isAttribute) {
      Attribute attribute = op->getInherentAttr(argument).value_or(nullptr);
      if (attribute) return getAttribute(op, attribute);
      return op->emitOpError() << "attribute '" << name << "' is not set";
    }
    operands = call.operands(group);
    known = true;
    break;
  }
  if (auto* it = llvm::find(call.resultNames, name);
      !known && it != call.resultNames.end()) {
    operands = op->getResults().slice(it - call.resultNames.begin(), 1);
    known = true;
  }
  if (!known || (operands.size() != 1 && !list))
    return op->emitOpError()
           << "call text names '" << field << "', which the op does not have";
  if (mode == "type") return getType(op, operands[0].getType());
  if (mode == "elem") {
    Type element = getElementType(operands[0].getType());
    if (!element)
      return op->emitOpError() << "'" << name << "' has no element type";
    return getType(op, element);
  }
  SmallVector<std::string> texts;
  for (Value operand : operands) {
    FailureOr<std::string> text =
        getExpression(operand, Precedence::Assignment);
    if (failed(text)) return failure();
    texts.push_back(*text);
  }
  return llvm::join(texts, ", ");
}

FailureOr<std::string> Printer::expandCall(const DeviceCall& call) {
  std::string result;
  StringRef rest = call.text;
  while (!rest.empty()) {
    auto [plain, after] = rest.split('{');
    result += plain;
    if (plain.size() == rest.size()) break;
    auto [field, tail] = after.split('}');
    FailureOr<std::string> text = expandField(call, field);
    if (failed(text)) return failure();
    result += *text;
    rest = tail;
  }
  return result;
}

LogicalResult Printer::emitCall(const DeviceCall& call) {
  FailureOr<std::string> text = expandCall(call);
  if (failed(text)) return failure();
  Operation* op = call.op;
  if (op->getNumResults() > 1)
    return op->emitOpError() << "a device call has at most one result";
  if (op->use_empty()) {
    emitLine(op, Twine(*text) + ";");
    return success();
  }
  FailureOr<std::string> declaration =
      declareResult(op->getResult(0),
                    call.resultNames[0] == "result" ? "" : call.resultNames[0]);
  if (failed(declaration)) return failure();
  emitLine(op, Twine(*declaration) + " = " + *text + ";");
  return success();
}

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

FailureOr<std::string> Printer::getType(Operation* op, Type type) {
  if (type.isIndex() || type.isInteger(32)) return std::string("int");
  if (type.isInteger(64)) return std::string("long long");
  if (type.isInteger(8)) return std::string("signed char");
  if (type.isInteger(1)) return std::string("bool");
  if (type.isF32()) return std::string("float");
  if (type.isF64()) return std::string("double");
  if (type.isF16()) return std::string("f16");
  if (type.isBF16()) return std::string("bf16");
  if (auto ring = dyn_cast<RingType>(type))
    return "ring<" + std::to_string(ring.getStages()) + ">";
  if (isa<TensorMapType>(type)) return std::string("tensor_map");
  if (isa<CursorType>(type)) return std::string("ring_cursor");
  if (auto found = dyn_cast<FoundRowsType>(type))
    return "found_rows<" + spellTeam(found.getTeam()) + ", " +
           std::to_string(found.getRows()) + ", " +
           std::to_string(found.getUnits()) + ">";
  Type elementType = getElementType(type);
  if (!elementType) return FailureOr<std::string>(emitUnprintable(op, type));
  FailureOr<std::string> element = getType(op, elementType);
  if (failed(element)) return failure();
  auto sizes = [](ArrayRef<int64_t> shape) {
    return llvm::join(
        llvm::map_range(shape,
                        [](int64_t size) { return std::to_string(size); }),
        ", ");
  };
  if (auto pointer = dyn_cast<GlobalType>(type))
    return (pointer.getAccess() == Access::Read ? "const " : "") + *element +
           "*";
  if (auto smem = dyn_cast<SmemType>(type))
    return (smem.isStaged() ? "smem_stages<" : "smem<") + *element + ", " +
           sizes(smem.getShape()) +
           ", smem_layout::" + stringifySmemLayout(smem.getLayout()).str() +
           ">";
  if (auto frag = dyn_cast<FragType>(type))
    return "frag<" + *element + ", " + sizes(frag.getShape()) +
           ", frag_layout::" + stringifyFragLayout(frag.getLayout()).str() +
           ">";
  if (auto lanes = dyn_cast<LanesType>(type))
    return "lanes<" + *element + ", " + sizes(lanes.getShape()) + ">";
  return "rowvec<" + *element + ", " +
         sizes(cast<RowVecType>(type).getShape()) + ">";
}

FailureOr<std::string> Printer::getAttribute(Operation* op,
                                             Attribute attribute) {
  if (auto flag = dyn_cast<BoolAttr>(attribute))
    return std::string(flag.getValue() ? "true" : "false");
  if (auto number = dyn_cast<IntegerAttr>(attribute)) {
    // Template arguments: of the parameter's type, so without a suffix.
    return std::to_string(number.getValue().getSExtValue());
  }
  if (auto team = dyn_cast<TeamAttr>(attribute)) return spellTeam(team);
  if (auto activation = dyn_cast<ActivationAttr>(attribute))
    return "activation::" + stringifyActivation(activation.getValue()).str();
  return op->emitOpError() << "attribute " << attribute
                           << " has no CUDA C++ spelling";
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// The include, and the products of wgmma that the kernels use: an instruction
/// for each width and type would make the headers slow to read.
LogicalResult Printer::printProlog(ArrayRef<KernelOp> kernels) {
  emitLine(nullptr, "#include <gsa/device/tile.cuh>");
  emitLine(nullptr, "");
  emitLine(nullptr, "using namespace gsa::dev;");
  std::set<std::pair<int64_t, std::string>> products;
  auto add = [&](auto product) -> WalkResult {
    FailureOr<std::string> element =
        getType(product, product.getRhs().getType().getElementType());
    if (failed(element)) return WalkResult::interrupt();
    products.emplace(product.getAcc().getType().getColumns(), *element);
    return WalkResult::advance();
  };
  for (KernelOp kernel : kernels) {
    WalkResult walk = kernel.walk([&](Operation* op) {
      if (auto product = dyn_cast<WgmmaNtOp>(op)) return add(product);
      if (auto product = dyn_cast<WgmmaNnOp>(op)) return add(product);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted()) return failure();
  }
  for (const auto& [columns, element] : products)
    emitLine(nullptr, "GSA_WGMMA(" + Twine(columns) + ", " + element + ");");
  return success();
}

FailureOr<std::string> Printer::getParameters(KernelOp kernel) {
  SmallVector<std::string> parameters;
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    FailureOr<std::string> type = getType(kernel, argument.getType());
    if (failed(type)) return failure();
    // The launch passes every array once, and maps by value.
    if (isa<GlobalType>(argument.getType())) *type += " __restrict__";
    if (isa<TensorMapType>(argument.getType()))
      type->insert(0, "const __grid_constant__ ");
    parameters.push_back(*type + " " + declareName(argument, ""));
  }
  bool wraps = parameters.size() > 3;
  return (wraps ? "\n    " : "") +
         llvm::join(parameters, wraps ? ",\n    " : ", ");
}

LogicalResult Printer::printKernel(KernelOp kernel, StringRef header) {
  if (!isLegalKernelName(context, kernel.getSymName()))
    return kernel.emitOpError()
           << "name is not free in CUDA C++; gsa-tile-finalize makes it so";
  names = Names(context);
  values.clear();
  FailureOr<std::string> parameters = getParameters(kernel);
  if (failed(parameters)) return failure();
  emitLine(nullptr, "");
  if (!header.empty()) emitLine(nullptr, header.rtrim('\n'));
  std::string cluster;
  if (kernel.getCluster() > 1)
    cluster =
        "__cluster_dims__(" + std::to_string(kernel.getCluster()) + ", 1, 1) ";
  emitLine(kernel, "extern \"C\" __global__ " + Twine(cluster) +
                       "__launch_bounds__(" + Twine(32 * kernel.getWarps()) +
                       ", " + Twine(kernel.getMinBlocks()) + ")");
  return emitBlock(
      kernel, "void " + Twine(kernel.getSymName()) + "(" + *parameters + ")",
      kernel.getBody().front());
}

FailureOr<std::string> gsa_tile::printCudaKernel(KernelOp kernel,
                                                 LineMap* lines) {
  Printer printer(kernel.getContext(), lines);
  if (failed(printer.printProlog(kernel))) return failure();
  if (failed(printer.printKernel(kernel))) return failure();
  return printer.takeText();
}

FailureOr<std::string> gsa_tile::printCudaModule(ModuleOp module,
                                                 LineMap* lines) {
  Printer printer(module.getContext(), lines);
  SmallVector<KernelOp> kernels(module.getOps<KernelOp>());
  if (failed(printer.printProlog(kernels))) return failure();
  for (KernelOp kernel : kernels)
    if (failed(printer.printKernel(kernel, getKernelHeader(kernel))))
      return failure();
  return printer.takeText();
}

bool gsa_tile::hasCudaEmission(Operation* op) {
  return isa<CudaEmitOpInterface>(op);
}

void gsa_tile::registerCudaEmitModels(DialectRegistry& registry) {
  registerArithEmitModels(registry);
  registerMathEmitModels(registry);
  registerScfEmitModels(registry);
}
