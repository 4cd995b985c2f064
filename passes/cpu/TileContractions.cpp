//===- TileContractions.cpp - register-blocked contractions ---------------===//
//
// gsa-cpu-tile-contractions. The loop nest is the classical one (Goto and
// van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008):
//
//   for lane panels of a cached rhs block, for blocks of k
//     pack rhs as [panel][k][panel lanes]       (outputs on lanes)
//     for row blocks of a cached lhs block
//       pack lhs as [row][k]
//       for panels, for row blocks: blockRows x blockVectors sums in registers
//
// The loops are emitted here instead of through upstream tiling, packing and
// vectorisation of linalg ops: those need padded copies of every operand with
// an odd size, transposes that lower to element-wise inserts, and a masked
// vector.contract, for which there is no lowering to FMAs.
//
// Every sum is a chain of fused multiply-adds over k in ascending order,
// starting from the value in `out`: neither blocking, nor tasks, nor the
// number of rows changes a bit of the result.
//
//===----------------------------------------------------------------------===//

#include "dialect/Gsa/GsaShapes.h"
#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/cpu/Contraction.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUTILECONTRACTIONS
#include "passes/cpu/CpuPasses.h.inc"

namespace {

struct Range {
  Value begin, end;
};

class Emitter {
 public:
  Emitter(OpBuilder& builder, Location loc, const Contraction& c,
          const Blocking& blocking, int64_t vectorBits, int64_t tasks)
      : b(builder),
        loc(loc),
        c(c),
        blocking(blocking),
        tasks(tasks),
        lhsLanes(std::min<int64_t>(vectorBits / c.acc.getIntOrFloatBitWidth(),
                                   llvm::PowerOf2Ceil(c.depth()))),
        indices(c.sizes.size()) {
    if (!c.hasDynamicRows()) return;
    rowCount = constant(1);
    for (unsigned loop : c.rows)
      rowCount = arith::MulIOp::create(b, loc, rowCount, sizeOf(loop));
  }

  void emit();

 private:
  using Body = llvm::function_ref<void(Value)>;

  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  bool isOne(unsigned loop) const {
    return c.sizes[loop] == 1 && c.dynamic[loop] < 0;
  }
  Value sizeOf(unsigned loop) {
    if (c.dynamic[loop] < 0) return constant(c.sizes[loop]);
    return memref::DimOp::create(b, loc, c.out, c.dynamic[loop]);
  }
  /// `row`, or the last one behind it.
  Value existing(Value row) {
    return min(row, c.hasDynamicRows() ? sub(rowCount, constant(1))
                                       : constant(c.rowCount() - 1));
  }
  Value add(Value lhs, Value rhs) {
    return arith::AddIOp::create(b, loc, lhs, rhs);
  }
  Value add(Value lhs, int64_t rhs) {
    return rhs == 0 ? lhs : add(lhs, constant(rhs));
  }
  Value sub(Value lhs, Value rhs) {
    return arith::SubIOp::create(b, loc, lhs, rhs);
  }
  Value mul(Value lhs, int64_t rhs) {
    return rhs == 1
               ? lhs
               : arith::MulIOp::create(b, loc, lhs, constant(rhs)).getResult();
  }
  Value min(Value lhs, Value rhs) {
    return arith::MinUIOp::create(b, loc, lhs, rhs);
  }
  VectorType vectorOf(int64_t lanes, Type element) {
    return VectorType::get({lanes}, element);
  }

  void forLoop(Value begin, Value end, int64_t step, Body body);
  void setLoops(ArrayRef<unsigned> loops, Value linear);
  SmallVector<Value> operandIndices(AffineMap map);
  bool isContiguousAlong(Value operand, AffineMap map, unsigned loop);
  Value gatherRun(Value operand, AffineMap map, unsigned loop, Value start,
                  int64_t lanes);
  Value contiguousRun(Value operand, AffineMap map, unsigned loop, Value start,
                      int64_t lanes);
  Value loadScalar(Value operand, AffineMap map);
  Value loadRun(Value operand, AffineMap map, int64_t lanes);
  Value fullVectors(Value count, int64_t lanes);
  SmallVector<Value> transpose(SmallVector<Value> rows);

  void emitTask(Range outer, Range rowBlocks, Range panels);
  void emitPanels(Range rowBlocks, Range panels);
  void packRhs(Range panels, Value kBegin, Value kCount);
  void packScalars(Value slot, Value lane, Value offset, Value kBegin,
                   Value begin, Value end);
  void packTransposed(Value slot, Value lane, Value offset, Value kBegin,
                      Value kCount);
  void packStraight(Value slot, Value lane, Value offset, Value kBegin,
                    Value kCount);
  void packLhs(Range rowBlocks, Value kBegin, Value kCount);
  void kernel(Value slotPanel, Value panel, Value slotBlock, Value block,
              Value kCount);
  SmallVector<Value> multiply(Value slotPanel, Value slotRow, Value kCount,
                              ValueRange sums);
  Value outMask(Value row, Value lane);

  OpBuilder& b;
  Location loc;
  const Contraction& c;
  const Blocking& blocking;
  int64_t tasks;
  int64_t lhsLanes;
  SmallVector<Value> indices;  ///< Current value of each loop.
  Value rowCount;              ///< Null where it is static.
  Value lhsPack, rhsPack;
};

void Emitter::forLoop(Value begin, Value end, int64_t step, Body body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, constant(step));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

/// Sets `loops` from their row-major linear index.
void Emitter::setLoops(ArrayRef<unsigned> loops, Value linear) {
  unsigned first = 0;  // outermost loop that is not trivial
  while (first < loops.size() && isOne(loops[first])) ++first;
  for (unsigned i = loops.size(); i-- > 0;) {
    if (isOne(loops[i])) {
      indices[loops[i]] = constant(0);
    } else if (i == first) {
      indices[loops[i]] = linear;
    } else {
      Value divisor = sizeOf(loops[i]);
      indices[loops[i]] = arith::RemUIOp::create(b, loc, linear, divisor);
      linear = arith::DivUIOp::create(b, loc, linear, divisor);
    }
  }
}

SmallVector<Value> Emitter::operandIndices(AffineMap map) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expr) {
    return indices[cast<AffineDimExpr>(expr).getPosition()];
  });
}

bool Emitter::isContiguousAlong(Value operand, AffineMap map, unsigned loop) {
  if (cast<AffineDimExpr>(map.getResults().back()).getPosition() != loop)
    return false;
  int64_t offset;
  SmallVector<int64_t> strides;
  return succeeded(cast<MemRefType>(operand.getType())
                       .getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

/// The current element of `operand`, in the accumulator's type.
Value Emitter::loadScalar(Value operand, AffineMap map) {
  Value element = memref::LoadOp::create(b, loc, operand, operandIndices(map));
  if (element.getType() == c.acc) return element;
  return arith::ExtFOp::create(b, loc, c.acc, element);
}

/// `lanes` contiguous elements from the current one on; all must exist.
Value Emitter::loadRun(Value operand, AffineMap map, int64_t lanes) {
  Type element = cast<MemRefType>(operand.getType()).getElementType();
  Value run = vector::LoadOp::create(b, loc, vectorOf(lanes, element), operand,
                                     operandIndices(map));
  if (element == c.acc) return run;
  return arith::ExtFOp::create(b, loc, vectorOf(lanes, c.acc), run);
}

/// Largest multiple of `lanes` that is at most `count`, where the k loop's
/// blocks are multiples of `lanes` up to the last.
Value Emitter::fullVectors(Value count, int64_t lanes) {
  if (c.depth() % lanes == 0) return count;
  Value rest = arith::RemUIOp::create(b, loc, count, constant(lanes));
  return sub(count, rest);
}

/// Transposes a square of vectors by perfect shuffles: in each of the log2(n)
/// rounds, rows i and i + n/2 are interleaved into rows 2i and 2i + 1.
SmallVector<Value> Emitter::transpose(SmallVector<Value> rows) {
  int64_t n = rows.size();
  SmallVector<int64_t> low, high;
  for (int64_t i = 0; i < n / 2; ++i) {
    low.append({i, n + i});
    high.append({n / 2 + i, n + n / 2 + i});
  }
  for (int64_t round = 1; round < n; round *= 2) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < n / 2; ++i)
      for (ArrayRef<int64_t> mask : {ArrayRef(low), ArrayRef(high)})
        next.push_back(
            vector::ShuffleOp::create(b, loc, rows[i], rows[i + n / 2], mask));
    rows = next;
  }
  return rows;
}

void Emitter::emit() {
  Value rowBlocks =
      c.hasDynamicRows()
          ? arith::CeilDivUIOp::create(b, loc, rowCount,
                                       constant(blocking.blockRows))
                .getResult()
          : constant(llvm::divideCeil(c.rowCount(), blocking.blockRows));
  int64_t panels = llvm::divideCeil(c.laneCount(), blocking.panel());
  Value zero = constant(0);
  Range outer{zero, constant(c.outerCount())};
  Range rows{zero, rowBlocks}, cols{zero, constant(panels)};
  if (blocking.split == Blocking::Split::None)
    return emitTask(outer, rows, cols);

  Value one = constant(1), count = constant(tasks);
  auto loop = scf::ParallelOp::create(b, loc, ValueRange{zero},
                                      ValueRange{count}, ValueRange{one});
  loop->setAttr(kTasksAttr, b.getUnitAttr());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value task = loop.getInductionVars()[0];
  auto share = [&](Range all) -> Range {
    auto bound = [&](Value index) -> Value {
      Value scaled = arith::MulIOp::create(b, loc, index, all.end);
      return arith::DivUIOp::create(b, loc, scaled, count);
    };
    return {bound(task), bound(add(task, one))};
  };
  switch (blocking.split) {
    case Blocking::Split::Outer:
      outer = share(outer);
      break;
    case Blocking::Split::Rows:
      rows = share(rows);
      break;
    default:
      cols = share(cols);
  }
  emitTask(outer, rows, cols);
}

void Emitter::emitTask(Range outer, Range rowBlocks, Range panels) {
  auto alloc = [&](ArrayRef<int64_t> shape) -> Value {
    return memref::AllocOp::create(b, loc, MemRefType::get(shape, c.acc),
                                   b.getI64IntegerAttr(64));
  };
  // One vector longer than the block: rows do not fall into one cache set.
  lhsPack = alloc(
      {blocking.cachedRows * blocking.blockRows, blocking.depth + lhsLanes});
  rhsPack = alloc({blocking.cachedPanels, blocking.depth, blocking.panel()});
  forLoop(outer.begin, outer.end, 1, [&](Value linear) {
    setLoops(c.outer, linear);
    int64_t steps = 1;
    for (unsigned loop : c.outerK) steps *= c.sizes[loop];
    forLoop(constant(0), constant(steps), 1, [&](Value linearK) {
      setLoops(c.outerK, linearK);
      emitPanels(rowBlocks, panels);
    });
  });
}

void Emitter::emitPanels(Range rowBlocks, Range panels) {
  forLoop(panels.begin, panels.end, blocking.cachedPanels, [&](Value first) {
    Range cols{first, min(add(first, blocking.cachedPanels), panels.end)};
    forLoop(constant(0), constant(c.depth()), blocking.depth, [&](Value k) {
      Value kCount = min(constant(blocking.depth), sub(constant(c.depth()), k));
      packRhs(cols, k, kCount);
      forLoop(rowBlocks.begin, rowBlocks.end, blocking.cachedRows,
              [&](Value firstRow) {
                Range rows{firstRow, min(add(firstRow, blocking.cachedRows),
                                         rowBlocks.end)};
                packLhs(rows, k, kCount);
                forLoop(cols.begin, cols.end, 1, [&](Value panel) {
                  forLoop(rows.begin, rows.end, 1, [&](Value block) {
                    kernel(sub(panel, first), panel, sub(block, firstRow),
                           block, kCount);
                  });
                });
              });
    });
  });
}

void Emitter::packRhs(Range panels, Value kBegin, Value kCount) {
  forLoop(panels.begin, panels.end, 1, [&](Value panel) {
    Value slot = sub(panel, panels.begin);
    forLoop(constant(0), constant(blocking.panel()), blocking.lanes,
            [&](Value offset) {
              Value lane = add(mul(panel, blocking.panel()), offset);
              if (isContiguousAlong(c.rhs, c.rhsMap, c.k))
                packTransposed(slot, lane, offset, kBegin, kCount);
              else
                packStraight(slot, lane, offset, kBegin, kCount);
            });
  });
}

/// Packs one vector of lanes element by element, for k in [begin, end) of the
/// block. Lanes behind the last repeat it; their sums are never stored.
void Emitter::packScalars(Value slot, Value lane, Value offset, Value kBegin,
                          Value begin, Value end) {
  forLoop(begin, end, 1, [&](Value k) {
    forLoop(constant(0), constant(blocking.lanes), 1, [&](Value i) {
      indices[c.k] = add(kBegin, k);
      indices[c.lane] = min(add(lane, i), constant(c.laneCount() - 1));
      memref::StoreOp::create(b, loc, loadScalar(c.rhs, c.rhsMap), rhsPack,
                              ValueRange{slot, k, add(offset, i)});
    });
  });
}

/// Packs one vector of lanes of an rhs that is contiguous along k.
void Emitter::packTransposed(Value slot, Value lane, Value offset, Value kBegin,
                             Value kCount) {
  Value full = fullVectors(kCount, blocking.lanes);
  forLoop(constant(0), full, blocking.lanes, [&](Value k) {
    SmallVector<Value> rows;
    indices[c.k] = add(kBegin, k);
    for (int64_t i = 0; i < blocking.lanes; ++i) {
      indices[c.lane] = min(add(lane, i), constant(c.laneCount() - 1));
      rows.push_back(loadRun(c.rhs, c.rhsMap, blocking.lanes));
    }
    for (auto [i, run] : llvm::enumerate(transpose(rows)))
      vector::StoreOp::create(
          b, loc, run, rhsPack,
          ValueRange{slot, add(k, static_cast<int64_t>(i)), offset});
  });
  packScalars(slot, lane, offset, kBegin, full, kCount);
}

/// Packs one vector of lanes of an rhs in any other order.
void Emitter::packStraight(Value slot, Value lane, Value offset, Value kBegin,
                           Value kCount) {
  if (!isContiguousAlong(c.rhs, c.rhsMap, c.lane))
    return packScalars(slot, lane, offset, kBegin, constant(0), kCount);
  Value fits =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                            add(lane, blocking.lanes), constant(c.laneCount()));
  auto branch = scf::IfOp::create(b, loc, fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  forLoop(constant(0), kCount, 1, [&](Value k) {
    indices[c.k] = add(kBegin, k);
    indices[c.lane] = lane;
    vector::StoreOp::create(b, loc, loadRun(c.rhs, c.rhsMap, blocking.lanes),
                            rhsPack, ValueRange{slot, k, offset});
  });
  b.setInsertionPointToStart(branch.elseBlock());
  packScalars(slot, lane, offset, kBegin, constant(0), kCount);
}

void Emitter::packLhs(Range rowBlocks, Value kBegin, Value kCount) {
  Value first = mul(rowBlocks.begin, blocking.blockRows);
  Value last = mul(rowBlocks.end, blocking.blockRows);
  forLoop(first, last, 1, [&](Value row) {
    setLoops(c.rows, existing(row));
    Value slot = sub(row, first);
    Value full = constant(0);
    if (isContiguousAlong(c.lhs, c.lhsMap, c.k)) {
      full = fullVectors(kCount, lhsLanes);
      forLoop(constant(0), full, lhsLanes, [&](Value k) {
        indices[c.k] = add(kBegin, k);
        vector::StoreOp::create(b, loc, loadRun(c.lhs, c.lhsMap, lhsLanes),
                                lhsPack, ValueRange{slot, k});
      });
    }
    forLoop(full, kCount, 1, [&](Value k) {
      indices[c.k] = add(kBegin, k);
      memref::StoreOp::create(b, loc, loadScalar(c.lhs, c.lhsMap), lhsPack,
                              ValueRange{slot, k});
    });
  });
}

/// Lanes of `row` from `lane` on that exist, or null when all always do.
Value Emitter::outMask(Value row, Value lane) {
  bool oddLanes = c.laneCount() % blocking.panel() != 0;
  bool oddRows = c.hasDynamicRows() || c.rowCount() % blocking.blockRows != 0;
  if (!oddLanes && !oddRows) return {};
  Value left = constant(blocking.lanes);
  if (oddLanes) left = sub(constant(c.laneCount()), lane);
  if (oddRows) {
    Value exists = arith::CmpIOp::create(
        b, loc, arith::CmpIPredicate::ult, row,
        c.hasDynamicRows() ? rowCount : constant(c.rowCount()));
    left = arith::SelectOp::create(b, loc, exists, left, constant(0));
  }
  return vector::CreateMaskOp::create(
      b, loc, vectorOf(blocking.lanes, b.getI1Type()), left);
}

/// out block += lhs rows x rhs panel, over the packed k.
void Emitter::kernel(Value slotPanel, Value panel, Value slotBlock, Value block,
                     Value kCount) {
  VectorType type = vectorOf(blocking.lanes, c.acc);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value firstRow = mul(block, blocking.blockRows);
  Value firstLane = mul(panel, blocking.panel());
  SmallVector<Value> sums, masks;
  SmallVector<SmallVector<Value>> positions;
  for (int64_t i = 0; i < blocking.blockRows; ++i) {
    Value row = add(firstRow, i);
    setLoops(c.rows, existing(row));
    for (int64_t v = 0; v < blocking.blockVectors; ++v) {
      Value lane = add(firstLane, v * blocking.lanes);
      Value mask = outMask(row, lane);
      // Addresses stay inside the buffer even where the mask is empty.
      indices[c.lane] = min(lane, constant(c.laneCount() - 1));
      positions.push_back(operandIndices(c.outMap));
      masks.push_back(mask);
      sums.push_back(
          mask ? vector::MaskedLoadOp::create(b, loc, type, c.out,
                                              positions.back(), mask, zero)
                     .getResult()
               : vector::LoadOp::create(b, loc, type, c.out, positions.back())
                     .getResult());
    }
  }
  Value slotRow = mul(slotBlock, blocking.blockRows);
  sums = multiply(slotPanel, slotRow, kCount, sums);
  for (auto [sum, mask, position] : llvm::zip_equal(sums, masks, positions)) {
    if (mask)
      vector::MaskedStoreOp::create(b, loc, c.out, position, mask, sum);
    else
      vector::StoreOp::create(b, loc, sum, c.out, position);
  }
}

SmallVector<Value> Emitter::multiply(Value slotPanel, Value slotRow,
                                     Value kCount, ValueRange sums) {
  VectorType type = vectorOf(blocking.lanes, c.acc);
  auto loop =
      scf::ForOp::create(b, loc, constant(0), kCount, constant(1), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value k = loop.getInductionVar();
  SmallVector<Value> columns, next;
  for (int64_t v = 0; v < blocking.blockVectors; ++v)
    columns.push_back(vector::LoadOp::create(
        b, loc, type, rhsPack,
        ValueRange{slotPanel, k, constant(v * blocking.lanes)}));
  for (int64_t i = 0; i < blocking.blockRows; ++i) {
    Value scalar =
        memref::LoadOp::create(b, loc, lhsPack, ValueRange{add(slotRow, i), k});
    Value row = vector::BroadcastOp::create(b, loc, type, scalar);
    for (int64_t v = 0; v < blocking.blockVectors; ++v) {
      Value sum = loop.getRegionIterArgs()[i * blocking.blockVectors + v];
      next.push_back(vector::FMAOp::create(b, loc, row, columns[v], sum));
    }
  }
  scf::YieldOp::create(b, loc, next);
  return SmallVector<Value>(loop.getResults());
}

remark::RemarkOpts remarkOpts(StringRef name) {
  return remark::RemarkOpts::name(name).category("gsa.cpu");
}

struct TileContractions : impl::GsaCpuTileContractionsBase<TileContractions> {
  using GsaCpuTileContractionsBase::GsaCpuTileContractionsBase;

  void runOnOperation() override {
    if (tasks < 1 || vectorBits < 128 || !llvm::isPowerOf2_64(vectorBits)) {
      getOperation().emitError(
          "expected tasks >= 1 and vector-bits a power of two >= 128, got ")
          << tasks.getValue() << " and " << vectorBits.getValue();
      return signalPassFailure();
    }
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    for (linalg::LinalgOp op : ops)
      if (failed(checkSizes(op))) return signalPassFailure();
    for (linalg::LinalgOp op : ops) tile(op);
  }

  /// In a plan for bounds: left to plain loops, a product would round otherwise
  /// than in a plan for one set of shapes.
  LogicalResult checkSizes(linalg::LinalgOp op) {
    auto function = op->getParentOfType<func::FuncOp>();
    std::string reason;
    if (succeeded(matchContraction(op, reason))) return success();
    if (!function || !function->hasAttr(kBoundsAttr) ||
        op.getNumReductionLoops() == 0 ||
        llvm::none_of(op.getStaticLoopRanges(), ShapedType::isDynamic))
      return success();
    return op->emitError(
               "a plan for bounds sums over static sizes only: "
               "expected rows to be all that is dynamic, got ")
           << op->getOperand(0).getType();
  }

  void tile(linalg::LinalgOp op) {
    std::string reason;
    FailureOr<Contraction> c = matchContraction(op, reason);
    if (failed(c)) {
      if (!reason.empty())
        remark::missed(op.getLoc(), remarkOpts("NotTiled"))
            << "not tiled: " + reason;
      return;
    }
    bool nested = op->getParentOfType<scf::ParallelOp>() != nullptr;
    Blocking blocking = chooseBlocking(*c, vectorBits, nested ? 1 : tasks);
    bool parallel = blocking.split != Blocking::Split::None;
    remark::passed(op.getLoc(), remarkOpts("TiledContraction"))
        << "tiled" << remark::metric("rows", c->rowCount())
        << remark::metric("columns", c->laneCount())
        << remark::metric("depth", c->depth())
        << remark::metric("block-rows", blocking.blockRows)
        << remark::metric("block-columns", blocking.panel())
        << remark::metric("tasks", parallel ? int64_t(tasks) : int64_t(1));
    OpBuilder builder(op);
    Emitter(builder, op.getLoc(), *c, blocking, vectorBits, tasks).emit();
    op->erase();
  }
};

}  // namespace
}  // namespace mlir::gsa
