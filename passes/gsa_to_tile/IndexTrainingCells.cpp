//===- IndexTrainingCells.cpp - distributions over the keys of a row ------===//
//
// From two numbers for each key of a row, log a and the score, to the terms of
// the loss or to the gradients of scores: sums over rows by blocks that have
// one each, and in between what each cell becomes by itself.
//
//===----------------------------------------------------------------------===//

#include <limits>

#include "llvm/Support/MathExtras.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "passes/gsa_to_tile/Elementwise.h"
#include "passes/gsa_to_tile/IndexTraining.h"
#include "passes/gsa_to_tile/RowEmitter.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;
using arith::CmpFPredicate;

static constexpr double kInfinity = std::numeric_limits<double>::infinity();

void gsa::emitForEach(KernelBuilder& kernel, Location loc, Value count,
                      llvm::function_ref<void(KernelScalars&, Value)> body) {
  auto forEach = ForEachOp::create(kernel.body(), loc, count);
  OpBuilder b(forEach.getContext());
  b.setInsertionPoint(forEach.getBody().front().getTerminator());
  KernelScalars s(b, loc);
  body(s, forEach.getInductionVar());
}

CellKernels::CellKernels(const TrainingOperands& operands,
                         const IndexTarget& target)
    : operands(operands), target(target) {}

//===----------------------------------------------------------------------===//
// Each cell by itself
//===----------------------------------------------------------------------===//

/// A cell of a chunk and what its row has.
struct CellKernels::Cell {
  const TrainingRows& rows;
  TrainingRows::Row row;
  Value position, slot;  ///< i64, index.
  Value shares, scores;  ///< Arrays.
  Value lseOfShares, lseOfScores;

  Value loadShare(KernelScalars& s) const {
    return LoadOp::create(s.b, s.loc, s.b.getF32Type(), shares, position);
  }
  Value loadScore(KernelScalars& s) const {
    return LoadOp::create(s.b, s.loc, s.b.getF32Type(), scores, position);
  }
  Value ofRow(KernelScalars& s, Value array) const {
    return LoadOp::create(s.b, s.loc, s.b.getF32Type(), array, row.inChunk);
  }
  /// Whether the row has no weight at all: its p are 0.
  Value hasNone(KernelScalars& s) const {
    return s.cmpf(CmpFPredicate::OEQ, ofRow(s, lseOfShares), s.f32(-kInfinity));
  }
  Value logP(KernelScalars& s) const {
    return s.sub(loadShare(s), ofRow(s, lseOfShares));
  }
  Value p(KernelScalars& s) const {
    return s.select(hasNone(s), s.f32(0.0), s.exp(logP(s)));
  }
  Value logQ(KernelScalars& s) const {
    return s.sub(loadScore(s), ofRow(s, lseOfScores));
  }
};

void CellKernels::forCells(
    const QueryChunk& chunk, const Distributions& cells, StringRef name,
    llvm::function_ref<void(KernelBuilder&)> addArguments,
    llvm::function_ref<void(KernelScalars&, const Cell&)> body) {
  if (operands.cells == 0) return;
  ToTileContext& context = operands.context;
  KernelBuilder kernel(context, operands.loc(), name, tile::kMapWarps);
  TrainingRows rows(kernel, operands, chunk);
  Value count = kernel.scalar(chunk.count, "count");
  Cell cell{rows, {}, {}, {}, {}, {}, {}, {}};
  cell.shares = kernel.write(cells.shares, "shares");
  cell.scores = kernel.write(cells.scores, "scores");
  if (cells.lseOfShares) {
    cell.lseOfShares = kernel.read(cells.lseOfShares, "lse_of_shares");
    cell.lseOfScores = kernel.read(cells.lseOfScores, "lse_of_scores");
  }
  addArguments(kernel);
  KernelScalars outside(kernel.body(), operands.loc());
  Value all = outside.mul(outside.toI64(count), outside.toI64(rows.cells));
  emitForEach(kernel, operands.loc(), all, [&](KernelScalars& s, Value i) {
    Value width = s.toI64(rows.cells);
    Value row = arith::DivUIOp::create(s.b, s.loc, i, width);
    Value slot = arith::RemUIOp::create(s.b, s.loc, i, width);
    cell.row = rows.locate(s, named(s.toIndex(row), "row"));
    cell.position = i;
    cell.slot = named(s.toIndex(slot), "slot");
    body(s, cell);
  });
  int64_t most =
      std::min(operands.schedule.getChunk(), operands.source.queries()) *
      operands.cells;
  kernel.launch(ArrayRef<int64_t>{tile::getMapBlocks(context.target(), most)});
}

void CellKernels::mask(const QueryChunk& chunk, Value shares,
                       ValueRange scores) {
  SmallVector<Value> parts;
  forCells(
      chunk, {shares, scores.front(), {}, {}}, "index_kl_cells",
      [&](KernelBuilder& kernel) {
        for (Value part : scores.drop_front())
          parts.push_back(kernel.read(part, "scores_of_part"));
      },
      [&](KernelScalars& s, const Cell& cell) {
        Value isKey = cell.rows.holdsKey(s, cell.row, cell.slot);
        Value none = s.f32(-kInfinity), score = cell.loadScore(s);
        for (Value part : parts)
          score = s.add(score, LoadOp::create(s.b, s.loc, s.b.getF32Type(),
                                              part, cell.position));
        if (target.temperature != 1.0)
          score = s.div(score, s.f32(target.temperature));
        StoreOp::create(s.b, s.loc, cell.shares, cell.position,
                        s.select(isKey, cell.loadShare(s), none));
        StoreOp::create(s.b, s.loc, cell.scores, cell.position,
                        s.select(isKey, score, none));
      });
}

/// Whether `clip` cuts a term: not so if it is NaN.
static Value isCut(KernelScalars& s, Value ratio, double clip) {
  return s.cmpf(CmpFPredicate::OGT, ratio, s.f32(clip));
}

void CellKernels::makeTerms(const QueryChunk& chunk,
                            const Distributions& cells) {
  forCells(
      chunk, cells, "index_kl_terms", [](KernelBuilder&) {},
      [&](KernelScalars& s, const Cell& cell) {
        Value p = cell.p(s), ratio = s.sub(cell.logP(s), cell.logQ(s));
        if (target.clip)
          ratio = s.select(isCut(s, ratio, *target.clip), s.f32(*target.clip),
                           ratio);
        Value isNone = s.cmpf(CmpFPredicate::OEQ, p, s.f32(0.0));
        StoreOp::create(s.b, s.loc, cell.shares, cell.position,
                        s.select(isNone, s.f32(0.0), s.mul(p, ratio)));
      });
}

void CellKernels::makeUncut(const QueryChunk& chunk,
                            const Distributions& cells) {
  forCells(
      chunk, cells, "index_kl_uncut", [](KernelBuilder&) {},
      [&](KernelScalars& s, const Cell& cell) {
        Value ratio = s.sub(cell.logP(s), cell.logQ(s));
        StoreOp::create(
            s.b, s.loc, cell.shares, cell.position,
            s.select(isCut(s, ratio, *target.clip), s.f32(0.0), cell.p(s)));
      });
}

void CellKernels::makeGradients(const QueryChunk& chunk,
                                const Distributions& cells, Value lossGrad,
                                Value covered) {
  Value upstream, sums;
  forCells(
      chunk, cells, "index_kl_scores_grad",
      [&](KernelBuilder& kernel) {
        upstream = kernel.read(lossGrad, "loss_grad");
        if (covered) sums = kernel.read(covered, "covered");
      },
      [&](KernelScalars& s, const Cell& cell) {
        // With a sum shares are what is not cut; without, all of it is 1.
        Value all = sums ? cell.ofRow(s, sums)
                         : s.select(cell.hasNone(s), s.f32(0.0), s.f32(1.0));
        Value own = sums ? cell.loadShare(s) : cell.p(s);
        Value factor = LoadOp::create(s.b, s.loc, s.b.getF32Type(), upstream,
                                      cell.rows.number(s, cell.row));
        if (target.temperature != 1.0)
          factor = s.div(factor, s.f32(target.temperature));
        Value pull = s.mul(all, s.exp(cell.logQ(s)));
        StoreOp::create(s.b, s.loc, cell.scores, cell.position,
                        s.mul(factor, s.sub(pull, own)));
      });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Value CellKernels::sumOfExp(const QueryChunk& chunk, Value cells) {
  ToTileContext& context = operands.context;
  TopKScheduleAttr schedule = operands.rowSchedule();
  Value result =
      context.makeBuffer({cast<MemRefType>(cells.getType()).getDimSize(0)},
                         context.rewriter().getF32Type());
  KernelBuilder kernel(context, operands.loc(), "log_sum_exp",
                       schedule.getWarps());
  KernelScalars s(kernel.body(), operands.loc());
  Value array = kernel.read(cells, "cells");
  Value out = kernel.write(result, "out");
  Value width = kernel.size(operands.cells, "width");
  Value row = named(s.blockId(0), "row");
  RowEmitter e(kernel, operands.loc(), schedule,
               s.at(array, {row, s.index(0)}, {width}), width);
  Value sum = e.logSumExp(e.scan());
  e.byFirstWarp([&] { StoreOp::create(s.b, s.loc, out, row, sum); });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
  return result;
}

void CellKernels::sum(const QueryChunk& chunk, Value cells, Value target,
                      bool ofAll) {
  ToTileContext& context = operands.context;
  TopKScheduleAttr schedule = operands.rowSchedule();
  KernelBuilder kernel(context, operands.loc(), "sum_of_cells",
                       schedule.getWarps());
  KernelScalars s(kernel.body(), operands.loc());
  Value array = kernel.read(cells, "cells");
  Value out = kernel.write(target, "out");
  Value width = kernel.size(operands.cells, "width");
  Value queries = kernel.size(operands.source.queries(), "queries");
  Value zero = context.index(0);
  Value batch = kernel.scalar(ofAll ? chunk.batch : zero, "batch");
  Value begin = kernel.scalar(ofAll ? chunk.begin : zero, "begin");
  Value row = named(s.blockId(0), "row");
  RowEmitter e(kernel, operands.loc(), schedule,
               s.at(array, {row, s.index(0)}, {width}), width);
  Value sum = e.sum(e.scan(), width);
  e.byFirstWarp([&] {
    StoreOp::create(s.b, s.loc,
                    s.at(out, {batch, s.add(begin, row)}, {queries}),
                    s.index(0), sum);
  });
  kernel.launch(ArrayRef<OpFoldResult>{chunk.count});
}
