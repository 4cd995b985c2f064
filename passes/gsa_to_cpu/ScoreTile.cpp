//===- ScoreTile.cpp - index scores of a block of queries -----------------===//

#include "passes/gsa_to_cpu/ScoreTile.h"

#include "dialect/Gsa/GsaSlopes.h"

using namespace mlir;
using namespace mlir::gsa;
using arith::CmpIPredicate;

static Size sizeOf(LoopEmitter& e, Value tensor, int64_t dim) {
  return getSize(e.builder(), e.location(), tensor, dim);
}

ScoreTile::ScoreTile(LoopEmitter& emitter, const IndexerSpec& indexer)
    : e(emitter),
      spec(indexer),
      numBatches(sizeOf(e, spec.query, 0)),
      numQueries(sizeOf(e, spec.query, 1)),
      numKeys(sizeOf(e, spec.key, 1)),
      panelKeys(e.lanes() * e.schedule().getVectors()),
      panels(ceilDivSize(e, maxSize(e, numKeys, 1), panelKeys)),
      blocksPerBatch(ceilDivSize(e, numQueries, rows())) {
  auto shape = cast<RankedTensorType>(spec.query.getType()).getShape();
  numHeads = shape[2];
  headSize = shape[3];
  sharesKeys = blocksPerBatch.bound == 1;
  query = e.input(spec.query);
  key = e.input(spec.key);
  weights = e.input(spec.weights);
  bias = e.input(spec.bias);
  lengths = e.input(spec.lengths);
}

void ScoreTile::allocateQueries(int64_t slots) {
  packedQueries = e.scratch({slots, numHeads, headSize, rows()}, e.acc());
  if (weights) packedWeights = e.scratch({slots, numHeads, rows()}, e.acc());
  strip = e.scratch({slots * rows(), stripSize()}, e.acc());
}

ScoreTile::Block ScoreTile::locate(Value block) {
  Value perBatch = e.value(maxSize(e, blocksPerBatch, 1));
  Value batch = e.divIndex(block, perBatch);
  Value zero = e.index(0);
  Value firstQuery = e.mul(e.remIndex(block, perBatch), e.index(rows()));
  Value rest = e.sub(e.value(numQueries), firstQuery);
  Value numRows = e.min(rest, e.index(rows()));
  if (!sharesKeys) return {batch, firstQuery, numRows, zero, zero};
  return {batch, firstQuery, numRows, e.mul(batch, e.index(rows())), batch};
}

Value ScoreTile::visibleKeys(Value batch, Value position) {
  Value all = e.value(numKeys), none = e.index(0);
  if (lengths) all = e.min(e.max(e.toIndex(e.load(lengths, batch)), none), all);
  if (spec.mask == Mask::None) return all;
  // Query t sees the first t + 1 + Sk - Sq keys, where these exist.
  Value end =
      lengths ? e.add(e.add(position, all), differenceOf(e, 1, numQueries, 0))
              : e.add(position, differenceOf(e, numKeys, numQueries, 1));
  return e.min(e.max(end, none), all);
}

//===----------------------------------------------------------------------===//
// Packing
//===----------------------------------------------------------------------===//

void ScoreTile::prepare() {
  if (sharesKeys) {
    allocateQueries(numBatches.bound);
    e.forTasks(
        mulSizes(e, numBatches, minSize(e, numQueries, 1)), [] {},
        [&](Value i) { packQueries(locate(i)); });
    return;
  }
  packedKeys =
      e.scratch({numBatches.bound, panels.bound, headSize, panelKeys}, e.acc());
  Value perBatch = e.value(panels);
  e.forTasks(
      mulSizes(e, numBatches, panels), [] {},
      [&](Value i) {
        Value batch = e.divIndex(i, perBatch);
        packPanel(batch, e.remIndex(i, perBatch));
      });
}

SmallVector<Value> ScoreTile::packedIndex(Value batch, Value panel, Value d,
                                          Value j) {
  if (!sharesKeys) return {batch, panel, d, j};
  Value zero = e.index(0);
  return {zero, zero, d, j};
}

/// Transposes one panel; keys beyond the last are zeros, so that tiles need no
/// tail.
void ScoreTile::packPanel(Value batch, Value panel) {
  Value first = e.mul(panel, e.index(panelKeys));
  Value present = e.min(e.sub(e.value(numKeys), first), e.index(panelKeys));
  Value zero = e.index(0), depth = e.index(headSize);
  e.forLoop(zero, present, 1, [&](Value j) {
    Value s = e.add(first, j);
    e.forLoop(zero, depth, 1, [&](Value d) {
      e.store(e.load(key, {batch, s, d}), packedKeys,
              packedIndex(batch, panel, d, j));
    });
  });
  e.forLoop(present, e.index(panelKeys), 1, [&](Value j) {
    e.forLoop(zero, depth, 1, [&](Value d) {
      e.store(e.constant(e.acc(), 0.0), packedKeys,
              packedIndex(batch, panel, d, j));
    });
  });
}

/// Queries in the order in which tiles read them, and activated weights. Rows
/// that do not exist repeat the last one that does; nobody reads their scores.
void ScoreTile::packQueries(const Block& block) {
  Value zero = e.index(0), last = e.sub(block.numRows, e.index(1));
  e.forLoop(zero, e.index(rows()), 1, [&](Value r) {
    Value t = e.add(block.firstQuery, e.min(r, last));
    e.forLoop(zero, e.index(numHeads), 1, [&](Value head) {
      e.forLoop(zero, e.index(headSize), 1, [&](Value d) {
        Value q = e.load(query, {block.batch, t, head, d});
        e.store(q, packedQueries, {block.slot, head, d, r});
      });
      if (!weights) return;
      Value w = e.load(weights, {block.batch, t, head});
      w = detail::applyWeightActivation(e, spec.weightActivation, w);
      e.store(w, packedWeights, {block.slot, head, r});
    });
  });
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

void ScoreTile::forEachRow(llvm::function_ref<void()> allocate,
                           llvm::function_ref<void(const Row&)> body) {
  if (!sharesKeys) return forEachRowOfBlocks(allocate, body);
  computeByPanels();
  Value perBatch = e.value(maxSize(e, numQueries, 1));
  e.forTasks(mulSizes(e, numBatches, numQueries), allocate, [&](Value i) {
    Value batch = e.divIndex(i, perBatch), t = e.remIndex(i, perBatch);
    Value first = e.mul(batch, e.index(rows()));
    body({e.add(first, t), batch, t, visibleKeys(batch, t)});
  });
}

void ScoreTile::forEachRowOfBlocks(llvm::function_ref<void()> allocate,
                                   llvm::function_ref<void(const Row&)> body) {
  auto allocateAll = [&] {
    allocateQueries(1);
    allocate();
  };
  e.forTasks(mulSizes(e, numBatches, blocksPerBatch), allocateAll,
             [&](Value i) {
               Block block = locate(i);
               packQueries(block);
               computeBlock(block);
               e.forLoop(e.index(0), block.numRows, 1, [&](Value r) {
                 Value t = e.add(block.firstQuery, r);
                 body({r, block.batch, t, visibleKeys(block.batch, t)});
               });
             });
}

/// The order for few queries: one task per panel.
void ScoreTile::computeByPanels() {
  auto allocate = [&] {
    packedKeys = e.scratch({1, 1, headSize, panelKeys}, e.acc());
  };
  Value perBatch = e.value(panels);
  Value last = differenceOf(e, numQueries, 1, 0);
  // The same for all batches, and so outside of the tasks, if it can be.
  Value common = lengths ? Value() : visibleKeys(Value(), last);
  Size withQueries = mulSizes(e, numBatches, minSize(e, numQueries, 1));
  e.forTasks(mulSizes(e, withQueries, panels), allocate, [&](Value i) {
    Value panel = e.remIndex(i, perBatch);
    Value first = e.mul(panel, e.index(panelKeys));
    Value batch = e.divIndex(i, perBatch);
    Value seen = common ? common : visibleKeys(batch, last);
    e.ifThen(e.cmpi(CmpIPredicate::slt, first, seen), [&] {
      Block block = locate(batch);
      packPanel(block.batch, panel);
      computePanel(block, panel);
    });
  });
}

/// Scores of the block's rows and all keys that one of them may see.
void ScoreTile::computeBlock(const Block& block) {
  Value lastQuery = e.add(block.firstQuery, e.sub(block.numRows, e.index(1)));
  Value end =
      e.add(visibleKeys(block.batch, lastQuery), e.index(panelKeys - 1));
  Value needed = e.divIndex(end, e.index(panelKeys));
  e.forLoop(e.index(0), needed, 1,
            [&](Value panel) { computePanel(block, panel); });
}

void ScoreTile::computePanel(const Block& block, Value panel) {
  Value first = e.mul(panel, e.index(panelKeys));
  Value zero = e.splatConstant(e.acc(), 0.0);
  for (int64_t r = 0; r < rows(); ++r)
    for (int64_t v = 0; v < panelKeys; v += e.lanes())
      e.storeVector(zero, strip,
                    {e.add(block.strip, e.index(r)), e.add(first, e.index(v))});
  e.forLoop(e.index(0), e.index(numHeads), 1, [&](Value head) {
    addHead(block, first, head, dotProducts(block, panel, head));
  });
}

/// The tile: rows x vectors accumulators, one multiply-add each per element of
/// a head.
SmallVector<Value> ScoreTile::dotProducts(const Block& block, Value panel,
                                          Value head) {
  int64_t vectors = e.schedule().getVectors();
  SmallVector<Value> init(rows() * vectors, e.splatConstant(e.acc(), 0.0));
  return e.forLoop(
      e.index(0), e.index(headSize), 1, init,
      [&](Value d, ValueRange sums) -> SmallVector<Value> {
        SmallVector<Value> k, next;
        for (int64_t v = 0; v < vectors; ++v)
          k.push_back(e.loadVector(
              packedKeys,
              packedIndex(block.batch, panel, d, e.index(v * e.lanes()))));
        for (int64_t r = 0; r < rows(); ++r) {
          Value q =
              e.splat(e.load(packedQueries, {block.slot, head, d, e.index(r)}));
          for (int64_t v = 0; v < vectors; ++v)
            next.push_back(e.fma(q, k[v], sums[r * vectors + v]));
        }
        return next;
      });
}

/// strip += w * act(scale * dot + bias) for one head.
void ScoreTile::addHead(const Block& block, Value first, Value head,
                        ArrayRef<Value> dots) {
  int64_t vectors = e.schedule().getVectors();
  Value scale = e.splatConstant(e.acc(), spec.scale);
  Value offset = bias ? e.splat(e.load(bias, {head})) : Value();
  for (int64_t r = 0; r < rows(); ++r) {
    Value w;
    if (weights)
      w = e.splat(e.load(packedWeights, {block.slot, head, e.index(r)}));
    for (int64_t v = 0; v < vectors; ++v) {
      Value dot = dots[r * vectors + v];
      Value z = bias ? e.fma(dot, scale, offset) : e.mul(dot, scale);
      Value term = detail::applyScoreActivation(e, spec.scoreActivation, z);
      SmallVector<Value> cell = {e.add(block.strip, e.index(r)),
                                 e.add(first, e.index(v * e.lanes()))};
      Value sum = e.loadVector(strip, cell);
      sum = w ? e.fma(w, term, sum) : e.add(sum, term);
      e.storeVector(sum, strip, cell);
    }
  }
}
