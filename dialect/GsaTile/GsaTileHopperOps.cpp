//===- GsaTileHopperOps.cpp - verifiers of sm_90a's ops -------------------===//

#include "dialect/GsaTile/GsaTileOps.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::gsa_tile;

/// What one instruction takes (PTX ISA, wgmma.mma_async).
constexpr int64_t kMaxColumns = 256, kGroupRows = 64, kDepth = 16;
/// Rows after which a swizzle repeats.
constexpr int64_t kSwizzleRows = 8;

static bool isHalf(Type type) { return type.isF16() || type.isBF16(); }

/// " (nearest: 16 or 32)", or one number if there is no smaller one.
static std::string nearest(int64_t value, int64_t unit) {
  int64_t above = llvm::alignTo(value, unit), below = above - unit;
  return (" (nearest: " +
          (below > 0 ? Twine(below) + " or " + Twine(above) : Twine(above)) +
          ")")
      .str();
}

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

static LogicalResult verifyFragments(Operation* op) {
  for (Type type : op->getOperandTypes()) {
    auto frag = cast<FragType>(type);
    bool isAccumulator =
        frag.getLayout() == FragLayout::Acc && frag.getElementType().isF32();
    bool isOperand =
        frag.getLayout() == FragLayout::Lhs && isHalf(frag.getElementType());
    if (!isAccumulator && !isOperand)  // wgmma_fence_c1, wgmma_wait_c1
      return op->emitOpError()
             << "expected an accumulator of f32 or a left operand of 16 bits, "
                "got "
             << frag;
  }
  return success();
}

LogicalResult WgmmaFenceOp::verify() { return verifyFragments(*this); }
LogicalResult WgmmaWaitOp::verify() { return verifyFragments(*this); }

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Bytes of a row of a panel, or 0 if wgmma does not read the layout.
static int64_t getPanelBytes(SmemType tile) {
  int64_t rowBytes = tile.getColumns() * getElementBytes(tile.getElementType());
  if (tile.getLayout() == SmemLayout::Swizzle128B) return 128;
  bool known = rowBytes == 128 || rowBytes == 64 || rowBytes == 32;
  return tile.getLayout() == SmemLayout::Swizzle && known ? rowBytes : 0;
}

static LogicalResult verifyTile(Operation* op, StringRef name, SmemType tile) {
  if (!isHalf(tile.getElementType()) || tile.isStaged() || !getPanelBytes(tile))
    return op->emitOpError()
           << "expected '" << name
           << "' to be a single stage of f16 or bf16 of layout swizzle_128b, "
              "or swizzle with rows of 128, 64 or 32 bytes, got "
           << tile;
  if (tile.getRows() % kSwizzleRows != 0)
    return op->emitOpError()
           << "expected '" << name << "' to have a multiple of " << kSwizzleRows
           << " rows, a group of the swizzle, got " << tile.getRows()
           << nearest(tile.getRows(), kSwizzleRows);
  return success();
}

/// Checks a left operand and returns the number of k.
template <typename Op>
static FailureOr<int64_t> verifyLhs(Op op, Type element) {
  auto frag = dyn_cast<FragType>(op.getLhs().getType());
  auto tile = dyn_cast<SmemType>(op.getLhs().getType());
  if ((frag ? frag.getElementType() : tile.getElementType()) != element)
    return op.emitOpError() << "expected 'lhs' of the element type of 'rhs', "
                            << element << ", got " << op.getLhs().getType();
  if (frag) {
    if (frag.getLayout() != FragLayout::Lhs)
      return op.emitOpError()
             << "expected a fragment 'lhs' of layout lhs, got " << frag;
    if (op.getLhsRow())
      return op.emitOpError() << "expected no 'lhs_row': a fragment 'lhs' "
                                 "holds the rows of its warp";
    if (op.getTransposedLhs())  // wgmma_c4
      return op.emitOpError() << "expected a tile as 'lhs' that is transposed, "
                                 "got "
                              << frag;
    return frag.getColumns();
  }
  if (!op.getLhsRow())
    return op.emitOpError()
           << "expected a 'lhs_row' for the tile 'lhs', " << tile;
  if (failed(verifyTile(op, "lhs", tile))) return failure();
  bool transposed = op.getTransposedLhs();
  int64_t rows = transposed ? tile.getColumns() : tile.getRows();
  if (transposed && getPanelBytes(tile) != 128)  // wgmma_c4
    return op.emitOpError() << "expected panels of 128 bytes of a 'lhs' that "
                               "is transposed, got "
                            << tile;
  if (transposed && tile.getRows() % kDepth != 0)
    return op.emitOpError()
           << "expected a 'lhs' that is transposed to have a multiple of "
           << kDepth << " rows, got " << tile.getRows()
           << nearest(tile.getRows(), kDepth);
  if (rows < kGroupRows)  // wgmma_c5
    return op.emitOpError()
           << "expected " << kGroupRows << " or more "
           << (transposed ? "columns of a 'lhs' that is transposed"
                          : "rows of 'lhs'")
           << ", got " << rows;
  return transposed ? tile.getRows() : tile.getColumns();
}

/// `isNt`: a row of the right operand is one column of the product.
template <typename Op>
static LogicalResult verifyProduct(Op op, bool isNt) {
  FragType acc = op.getAcc().getType();
  SmemType rhs = op.getRhs().getType();
  if (acc.getLayout() != FragLayout::Acc || !acc.getElementType().isF32() ||
      acc.getRows() != 16)
    return op.emitOpError()
           << "expected an f32 accumulator of layout acc and 16 rows, got "
           << acc;
  int64_t columns = acc.getColumns();
  if (columns > kMaxColumns)  // wgmma_c1
    return op.emitOpError() << "expected an accumulator of at most "
                            << kMaxColumns << " columns, got " << columns;
  if (failed(verifyTile(op, "rhs", rhs))) return failure();  // wgmma_c2
  FailureOr<int64_t> depth = verifyLhs(op, rhs.getElementType());
  if (failed(depth)) return failure();
  // wgmma_nt_c6, wgmma_nn_c6
  if (isNt && rhs.getColumns() != *depth)
    return op.emitOpError()
           << "expected 'rhs' to have " << *depth
           << " columns, the k of 'lhs', got " << rhs.getColumns();
  if (!isNt && rhs.getColumns() < columns)
    return op.emitOpError()
           << "expected 'rhs' to have " << columns
           << " or more columns, those of 'acc', got " << rhs.getColumns();
  int64_t rows = isNt ? columns : *depth;
  if (rhs.getRows() < rows)
    return op.emitOpError()
           << "expected 'rhs' to have " << rows << " or more rows, "
           << (isNt ? "the columns of 'acc'" : "the k of 'lhs'") << ", got "
           << rhs.getRows();
  return success();
}

using Effects =
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>;

/// The accumulator is read unless the product is the first of its sum.
template <typename Op>
static void getProductEffects(Op op, Effects& effects) {
  auto add = [&](MemoryEffects::Effect* effect, OpOperand& operand) {
    bool isTile = isa<SmemType>(operand.get().getType());
    effects.emplace_back(
        effect, &operand,
        isTile ? static_cast<SideEffects::Resource*>(SharedResource::get())
               : RegisterResource::get());
  };
  if (op.getAccumulate()) add(MemoryEffects::Read::get(), op.getAccMutable());
  add(MemoryEffects::Write::get(), op.getAccMutable());
  add(MemoryEffects::Read::get(), op.getLhsMutable());
  add(MemoryEffects::Read::get(), op.getRhsMutable());
}

/// The call of the record without what the op does not say.
template <typename Op>
static LogicalResult emitProduct(Op op, CudaEmitter& emitter) {
  std::string text = Op::getDeviceCall().str();
  auto leaveOut = [&](StringRef part) {
    text.erase(text.find(part), part.size());
  };
  if (!op.getLhsRow()) leaveOut("{lhs_row}, ");
  if (!op.getTransposedLhs())
    leaveOut(op.getAccumulate() ? "<{accumulate}, {transposed_lhs}>"
                                : ", {transposed_lhs}");
  return emitter.emitCall(
      {op, text, Op::getArgumentNames(), Op::getResultNames(),
       [&](unsigned i) -> ValueRange { return op.getODSOperands(i); }});
}

LogicalResult WgmmaNtOp::verify() {
  return verifyProduct(*this, /*isNt=*/true);
}
void WgmmaNtOp::getEffects(Effects& effects) {
  getProductEffects(*this, effects);
}
LogicalResult WgmmaNtOp::emitCuda(CudaEmitter& emitter) {
  return emitProduct(*this, emitter);
}

LogicalResult WgmmaNnOp::verify() {
  return verifyProduct(*this, /*isNt=*/false);
}
void WgmmaNnOp::getEffects(Effects& effects) {
  getProductEffects(*this, effects);
}
LogicalResult WgmmaNnOp::emitCuda(CudaEmitter& emitter) {
  return emitProduct(*this, emitter);
}

//===----------------------------------------------------------------------===//
// Tensor maps
//===----------------------------------------------------------------------===//

ProductUnit WgmmaNtOp::getUnit() { return ProductUnit::Wgmma; }
ProductUnit WgmmaNnOp::getUnit() { return ProductUnit::Wgmma; }
AsyncKind WgmmaNtOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaNnOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaCommitOp::getAsyncKind() { return AsyncKind::Product; }
AsyncKind WgmmaWaitOp::getAsyncKind() { return AsyncKind::Product; }

bool WgmmaFenceOp::isOfRegisters() { return true; }
bool FenceAsyncOp::isOfRegisters() { return false; }

CopyEngine TmaLoadOp::getEngine() { return CopyEngine::Bulk; }
AsyncKind TmaLoadOp::getAsyncKind() { return AsyncKind::Bulk; }

void TmaLoadOp::setArrival(Value ring, Value iteration) {
  getRingMutable().assign(ring);
  getIterationMutable().assign(iteration);
}

Value TmaLoadOp::getArrival() { return getRing(); }

LogicalResult TmaLoadOp::verify() {
  TensorMapType map = getMap().getType();
  SmemType target = getTarget().getType();
  // Panels of swizzle_128b lie one after the other: each is a box.
  bool hasPanels = map.getLayout() == SmemLayout::Swizzle128B;
  int64_t boxColumns = map.getShape()[1];
  bool fits = !target.isStaged() && target.getRows() == map.getShape()[0] &&
              (hasPanels ? target.getColumns() % boxColumns == 0
                         : target.getColumns() == boxColumns);
  if (!fits || target.getElementType() != map.getElementType() ||
      target.getLayout() != map.getLayout())  // tma_load_c1
    return emitOpError() << "expected a target like the box " << map
                         << (hasPanels ? ", or several side by side, got "
                                       : ", got ")
                         << target;
  if (!getRing() != !getIteration())  // tma_load_c2
    return emitOpError() << "expected a ring and an iteration, or neither";
  return success();
}
