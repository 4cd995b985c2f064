//===- GsaTileStructureOps.cpp - kernels, roles, loops --------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"

using namespace mlir;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// kernel
//===----------------------------------------------------------------------===//

void KernelOp::build(OpBuilder& builder, OperationState& state, StringRef name,
                     FunctionType type, int64_t warps) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  state.addAttribute(getWarpsAttrName(state.name),
                     builder.getI64IntegerAttr(warps));
  Region* body = state.addRegion();
  Block& block = body->emplaceBlock();
  for (Type input : type.getInputs()) block.addArgument(input, state.location);
  ensureTerminator(*body, builder, state.location);
}

ParseResult KernelOp::parse(OpAsmParser& parser, OperationState& result) {
  auto buildType = [](Builder& builder, ArrayRef<Type> inputs,
                      ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag, std::string&) {
    return builder.getFunctionType(inputs, results);
  };
  if (function_interface_impl::parseFunctionOp(
          parser, result, /*allowVariadic=*/false,
          getFunctionTypeAttrName(result.name), buildType,
          getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name)))
    return failure();
  ensureTerminator(*result.regions[0], parser.getBuilder(), result.location);
  return success();
}

void KernelOp::print(OpAsmPrinter& printer) {
  function_interface_impl::printFunctionOp(
      printer, *this, /*isVariadic=*/false, getFunctionTypeAttrName(),
      getArgAttrsAttrName(), getResAttrsAttrName());
}

LogicalResult KernelOp::verify() {
  if (!getFunctionType().getResults().empty())  // kernel_c1
    return emitOpError() << "expected no results, got "
                         << getFunctionType().getNumResults();
  for (auto [i, type] : llvm::enumerate(getFunctionType().getInputs())) {
    bool scalar = isa<TensorMapType>(type) || type.isIndex() ||
                  type.isInteger(32) || type.isInteger(64) || type.isF32() ||
                  type.isF64();
    if (!scalar && !isa<GlobalType>(type))  // kernel_c1
      return emitOpError() << "argument " << i
                           << ": expected a pointer or a scalar of index, i32, "
                              "i64, f32 or f64, got "
                           << type;
  }
  if (getWarps() < 1 || getWarps() > 32)  // kernel_c2
    return emitOpError() << "expected 1 to 32 warps, got " << getWarps();
  auto cluster = static_cast<int64_t>(getCluster());
  if (!llvm::is_contained({1, 2, 4, 8, 16}, cluster))  // kernel_c3
    return emitOpError() << "cluster: expected 1, 2, 4, 8 or 16 blocks, got "
                         << cluster;
  return success();
}

TeamAttr ClusterSyncOp::getTeam() {
  auto kernel = (*this)->getParentOfType<KernelOp>();
  return TeamAttr::get(getContext(), 0, kernel ? kernel.getWarps() : 1);
}

LogicalResult ClusterSyncOp::verify() {
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (!kernel) return success();
  if (getBlocks() > 1 && getBlocks() == kernel.getCluster())
    return success();  // cluster_sync_c1
  return emitOpError() << "expected the blocks of a cluster of the kernel, "
                       << kernel.getCluster() << " and more than 1, got "
                       << getBlocks();
}

//===----------------------------------------------------------------------===//
// roles
//===----------------------------------------------------------------------===//

// roles {
//   role <load, team = <0, 4>> { ... }
//   role <mma, team = <4, 4>> { ... }
// }
ParseResult RolesOp::parse(OpAsmParser& parser, OperationState& result) {
  SmallVector<Attribute> roles;
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseLBrace())
    return failure();
  while (succeeded(parser.parseOptionalKeyword("role"))) {
    RoleAttr role;
    if (parser.parseCustomAttributeWithFallback(role)) return failure();
    roles.push_back(role);
    Region* region = result.addRegion();
    if (parser.parseRegion(*region)) return failure();
    ensureTerminator(*region, parser.getBuilder(), result.location);
  }
  result.addAttribute(getRolesAttrName(result.name),
                      parser.getBuilder().getArrayAttr(roles));
  return parser.parseRBrace();
}

void RolesOp::print(OpAsmPrinter& printer) {
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getRolesAttrName()});
  printer << " {";
  printer.increaseIndent();
  for (auto [role, body] : llvm::zip(getRoles(), getBodies())) {
    printer.printNewline();
    printer << "role ";
    printer.printStrippedAttrOrType(cast<RoleAttr>(role));
    printer << ' ';
    printer.printRegion(body, /*printEntryBlockArgs=*/false,
                        /*printBlockTerminators=*/false);
  }
  printer.decreaseIndent();
  printer.printNewline();
  printer << '}';
}

LogicalResult RolesOp::verify() {
  if (getRoles().size() != getBodies().size())  // roles_c1
    return emitOpError() << "expected one region per role, got "
                         << getRoles().size() << " roles and "
                         << getBodies().size() << " regions";
  if ((*this)->getParentOfType<RolesOp>())  // roles_c3
    return emitOpError() << "must not be nested in another roles op";
  auto kernel = (*this)->getParentOfType<KernelOp>();
  int64_t warps = kernel ? kernel.getWarps() : 32;
  uint32_t taken = 0;
  for (Attribute attribute : getRoles()) {
    auto role = cast<RoleAttr>(attribute);
    TeamAttr team = role.getTeam();
    if (team.getFirst() + team.getCount() > warps)  // roles_c2
      return emitOpError() << "role " << role.getName() << ": team " << team
                           << " exceeds the " << warps
                           << " warps of the kernel";
    for (int64_t i = 0; i < team.getCount(); ++i) {
      uint32_t bit = 1u << (team.getFirst() + i);
      if (taken & bit)  // roles_c2
        return emitOpError() << "role " << role.getName() << ": warp "
                             << team.getFirst() + i << " has another role";
      taken |= bit;
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// for_each
//===----------------------------------------------------------------------===//

void ForEachOp::build(OpBuilder& builder, OperationState& state, Value count,
                      int64_t lanes) {
  state.addOperands(count);
  if (lanes != 1)
    state.addAttribute(getLanesAttrName(state.name),
                       builder.getI64IntegerAttr(lanes));
  Region* body = state.addRegion();
  body->emplaceBlock().addArgument(builder.getI64Type(), state.location);
  ensureTerminator(*body, builder, state.location);
}

// for_each %i below %count lanes 8 { ... }
ParseResult ForEachOp::parse(OpAsmParser& parser, OperationState& result) {
  OpAsmParser::Argument variable;
  OpAsmParser::UnresolvedOperand count;
  Type i64 = parser.getBuilder().getI64Type();
  if (parser.parseArgument(variable) || parser.parseKeyword("below") ||
      parser.parseOperand(count) ||
      parser.resolveOperand(count, i64, result.operands))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("lanes"))) {
    int64_t lanes = 0;
    if (parser.parseInteger(lanes)) return failure();
    result.addAttribute(getLanesAttrName(result.name),
                        parser.getBuilder().getI64IntegerAttr(lanes));
  }
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  variable.type = i64;
  Region* body = result.addRegion();
  if (parser.parseRegion(*body, variable)) return failure();
  ensureTerminator(*body, parser.getBuilder(), result.location);
  return success();
}

void ForEachOp::print(OpAsmPrinter& printer) {
  printer << ' ' << getInductionVar() << " below " << getCount();
  if (getLanes() != 1) printer << " lanes " << getLanes();
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs(),
                                           {getLanesAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/false);
}

LogicalResult ForEachOp::verify() {
  Block& block = getBody().front();
  if (block.getNumArguments() != 1 ||
      !block.getArgument(0).getType().isInteger(64))
    return emitOpError() << "expected one i64 induction variable";
  auto lanes = static_cast<int64_t>(getLanes());
  if (lanes < 1 || lanes > 32 || !llvm::isPowerOf2_64(lanes))  // for_each_c1
    return emitOpError() << "expected 1, 2, 4, 8, 16 or 32 lanes, got "
                         << lanes;
  WalkResult walk = getBody().walk([&](Operation* op) {
    if (isa<GsaTileDialect>(op->getDialect()) &&
        !isa<LoadOp, StoreOp, YieldOp, FirstTermOp, TermStepOp, SumTermsOp>(
            op)) {
      emitOpError()
          << "only scalar ops, load, store and sums of terms may be in "
             "the body, got "
          << op->getName();
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// Of an op that knows how many lanes share a sum.
static LogicalResult verifyTerms(Operation* op, uint64_t lanes) {
  auto loop = op->getParentOfType<ForEachOp>();
  if (loop && loop.getLanes() == lanes) return success();  // first_term_c1
  InFlightDiagnostic error = op->emitOpError()
                             << "expected to be in the body of a for_each of "
                             << lanes << " lanes, got ";
  return loop ? error << "one of " << loop.getLanes() : error << "none";
}

LogicalResult FirstTermOp::verify() { return verifyTerms(*this, getLanes()); }
LogicalResult TermStepOp::verify() { return verifyTerms(*this, getLanes()); }

LogicalResult SumTermsOp::verify() {
  if (failed(verifyTerms(*this, getLanes()))) return failure();
  if (isa<ForEachOp>((*this)->getParentOp())) return success();  // sum_terms_c2
  return emitOpError()
         << "expected to be run by all lanes of an iteration, got "
            "one in the body of "
         << (*this)->getParentOp()->getName();
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

/// Alignment of tiles: the widest vector; of swizzle_128b: its swizzle's
/// period. Barriers are at home with the former.
static constexpr int64_t kAlignment = 16;
static constexpr int64_t kPanelAlignment = 1024;
/// Rows after which a swizzle repeats.
static constexpr int64_t kSwizzleRows = 8;

LogicalResult PartOfOp::verify() {
  for (Operation* user : getBuffer().getUsers())
    if (isa<StageOp>(user))
      return emitOpError() << "takes a tile of a buffer that has stages"
                           << "; expected one of which others take parts, too";
  return success();  // part_c1
}

int64_t SmemAllocOp::getSharedBytes() { return getType().getBytes(); }
/// Whether a product of a warpgroup reads a tile, or a stage of it: as it lies,
/// by a description of its address.
static bool isReadAsItLies(Value tile) {
  return llvm::any_of(tile.getUsers(), [&](Operation* user) {
    if (isa<StageOp, PartOfOp>(user)) return isReadAsItLies(user->getResult(0));
    auto product = dyn_cast<ProductOpInterface>(user);
    return product && product.getUnit() == ProductUnit::Wgmma;
  });
}

int64_t SmemAllocOp::getSharedAlignment() {
  SmemType type = getType();
  if (type.getLayout() == SmemLayout::Swizzle128B) return kPanelAlignment;
  if (type.getLayout() == SmemLayout::Swizzle && isReadAsItLies(getResult()))
    return kSwizzleRows * type.getColumns() *
           getElementBytes(type.getElementType());
  return kAlignment;
}
bool SmemAllocOp::isBarrier() { return false; }

int64_t RingAllocOp::getSharedBytes() { return getRingBytes(getType()); }
int64_t RingAllocOp::getSharedAlignment() { return kAlignment; }
bool RingAllocOp::isBarrier() { return true; }

int64_t FragAllocOp::getThreadRegisters() { return getType().getRegisters(); }
/// A thread holds two rows of 16.
int64_t RowVecAllocOp::getThreadRegisters() {
  // A number for each 8 rows.
  RowVecType type = getType();
  return type.getShape()[0] / 8 * getElementBytes(type.getElementType()) / 4;
}
int64_t LanesAllocOp::getThreadRegisters() {
  LanesType type = getType();
  return type.getShape()[0] * getElementBytes(type.getElementType()) / 4;
}

//===----------------------------------------------------------------------===//
// Emission of ops with regions
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::emitCuda(CudaEmitter&) {
  return emitOpError() << "is printed by the translation of its module";
}

LogicalResult ReturnOp::emitCuda(CudaEmitter&) { return success(); }
LogicalResult YieldOp::emitCuda(CudaEmitter&) { return success(); }

LogicalResult RolesOp::emitCuda(CudaEmitter& emitter) {
  for (auto [role, body] : llvm::zip(getRoles(), getBodies())) {
    auto attribute = cast<RoleAttr>(role);
    auto team = emitter.getAttribute(*this, attribute.getTeam());
    if (failed(team)) return failure();
    // Teams are disjoint, so one `if` after another is as good as `else if`
    // for meaning; the compiler needs the chain for setmaxnreg.
    StringRef head = &body == &getBodies().front() ? "if" : "else if";
    if (failed(emitter.emitBlock(
            *this, head + Twine(" (in_team<") + *team + ">())", body.front())))
      return failure();
  }
  return success();
}

LogicalResult ForEachOp::emitCuda(CudaEmitter& emitter) {
  auto count = emitter.getExpression(getCount(), Precedence::Relational);
  if (failed(count)) return failure();
  std::string i = emitter.declareName(getInductionVar(), "i");
  std::string lanes =
      getLanes() == 1 ? "" : "<" + std::to_string(getLanes()) + ">";
  return emitter.emitBlock(*this,
                           "for (long long " + Twine(i) + " = first_element" +
                               lanes + "(); " + i + " < " + *count + "; " + i +
                               " = next_element" + lanes + "(" + i + "))",
                           getBody().front());
}
