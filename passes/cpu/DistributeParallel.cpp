//===- DistributeParallel.cpp - parallel loops onto a fixed task count ----===//
//
// gsa-cpu-distribute-parallel. The iteration space (or its leading dimensions,
// when they alone have enough iterations) is flattened and cut into `tasks`
// contiguous shares: share w is [w*total/tasks, (w+1)*total/tasks).
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/Remarks.h"
#include "passes/Sizes.h"
#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUDISTRIBUTEPARALLEL
#include "passes/cpu/CpuPasses.h.inc"

namespace {

remark::RemarkOpts remarkOpts(StringRef name) {
  return remark::RemarkOpts::name(name).category("gsa.cpu");
}

/// Trip counts per dimension, or nothing when a bound is not constant. With
/// `dynamic`, a count from 0 in steps of 1 may be kDynamic.
std::optional<SmallVector<int64_t>> staticTrips(scf::ParallelOp op,
                                                bool dynamic = false) {
  SmallVector<int64_t> trips;
  for (auto [lower, upper, step] :
       llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep())) {
    auto lo = getConstantIntValue(lower), hi = getConstantIntValue(upper),
         by = getConstantIntValue(step);
    if (dynamic && !hi && lo == 0 && by == 1) {
      trips.push_back(ShapedType::kDynamic);
      continue;
    }
    if (!lo || !hi || !by || *by <= 0) return std::nullopt;
    trips.push_back(*hi <= *lo ? 0 : llvm::divideCeil(*hi - *lo, *by));
  }
  return trips;
}

int64_t saturatingMul(int64_t a, int64_t b) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result))
    return std::numeric_limits<int64_t>::max();
  return result;
}

/// Operations executed by one run of the region, vector elements counted one
/// by one; loops of unknown length count as 64 iterations.
int64_t estimateWork(Region& region) {
  int64_t work = 0;
  for (Operation& op : region.getOps()) {
    int64_t own = 1;
    if (op.getNumResults() == 1)
      if (auto vector = dyn_cast<VectorType>(op.getResult(0).getType()))
        own = vector.getNumElements();
    int64_t trips = 1;
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      auto lo = getConstantIntValue(loop.getLowerBound());
      auto hi = getConstantIntValue(loop.getUpperBound());
      auto by = getConstantIntValue(loop.getStep());
      trips =
          lo && hi && by && *by > 0
              ? std::max<int64_t>(
                    0, llvm::divideCeil(std::max<int64_t>(*hi - *lo, 0), *by))
              : 64;
    } else if (auto loop = dyn_cast<scf::ParallelOp>(op)) {
      auto counts = staticTrips(loop);
      trips = 64;
      if (counts) {
        trips = 1;
        for (int64_t count : *counts) trips = saturatingMul(trips, count);
      }
    }
    for (Region& nested : op.getRegions())
      own += saturatingMul(trips, estimateWork(nested));
    if (__builtin_add_overflow(work, own, &work))
      return std::numeric_limits<int64_t>::max();
  }
  return work;
}

/// Rewrites `op` as tasks over shares of its `split` leading dimensions.
void distribute(RewriterBase& rewriter, scf::ParallelOp op,
                ArrayRef<int64_t> trips, unsigned split, int64_t tasks) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPoint(op);
  Location loc = op.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  int64_t total = 1;
  Value size;
  auto tripOf = [&](unsigned dim) {
    return ShapedType::isDynamic(trips[dim]) ? op.getUpperBound()[dim]
                                             : constant(trips[dim]);
  };
  for (auto [dim, trip] : llvm::enumerate(trips.take_front(split))) {
    if (!ShapedType::isDynamic(trip)) {
      total *= trip;
      continue;
    }
    size = size ? arith::MulIOp::create(rewriter, loc, size, tripOf(dim))
                : tripOf(dim);
  }
  Value zero = constant(0), one = constant(1), count = constant(tasks);
  if (!size)
    size = constant(total);
  else if (total != 1)
    size = arith::MulIOp::create(rewriter, loc, size, constant(total));
  auto outer = scf::ParallelOp::create(rewriter, loc, ValueRange{zero},
                                       ValueRange{count}, ValueRange{one});
  outer->setAttr(kTasksAttr, rewriter.getUnitAttr());
  rewriter.setInsertionPointToStart(outer.getBody());
  Value task = outer.getInductionVars()[0];
  Value next = arith::AddIOp::create(rewriter, loc, task, one);
  auto bound = [&](Value index) -> Value {
    Value scaled = arith::MulIOp::create(rewriter, loc, index, size);
    return arith::DivUIOp::create(rewriter, loc, scaled, count);
  };
  Value begin = bound(task), end = bound(next);
  auto loop = scf::ForOp::create(rewriter, loc, begin, end, one);
  rewriter.setInsertionPointToStart(loop.getBody());

  SmallVector<Value> ivs(op.getNumLoops());
  Value rest = loop.getInductionVar();
  for (unsigned dim = split; dim-- > 0;) {
    Value index = rest;
    if (dim > 0) {
      Value trip = tripOf(dim);
      index = arith::RemUIOp::create(rewriter, loc, rest, trip);
      rest = arith::DivUIOp::create(rewriter, loc, rest, trip);
    }
    Value scaled =
        arith::MulIOp::create(rewriter, loc, index, op.getStep()[dim]);
    ivs[dim] =
        arith::AddIOp::create(rewriter, loc, scaled, op.getLowerBound()[dim]);
  }
  for (unsigned dim = split; dim < op.getNumLoops(); ++dim) {
    auto inner = scf::ForOp::create(rewriter, loc, op.getLowerBound()[dim],
                                    op.getUpperBound()[dim], op.getStep()[dim]);
    ivs[dim] = inner.getInductionVar();
    rewriter.setInsertionPointToStart(inner.getBody());
  }
  rewriter.eraseOp(op.getBody()->getTerminator());
  Block* target = rewriter.getInsertionBlock();
  rewriter.inlineBlockBefore(op.getBody(), target, std::prev(target->end()),
                             ivs);
  rewriter.eraseOp(op);
}

struct DistributeParallel
    : impl::GsaCpuDistributeParallelBase<DistributeParallel> {
  using GsaCpuDistributeParallelBase::GsaCpuDistributeParallelBase;

  void runOnOperation() override {
    if (tasks < 1) {
      getOperation().emitError("expected tasks >= 1, got ") << tasks.getValue();
      return signalPassFailure();
    }
    IRRewriter rewriter(&getContext());
    SmallVector<scf::ParallelOp> outermost;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ParallelOp op) {
      if (!op->getParentOfType<scf::ParallelOp>()) outermost.push_back(op);
    });
    for (scf::ParallelOp op : outermost) tryDistribute(rewriter, op);

    SmallVector<scf::ParallelOp> sequential;
    getOperation().walk([&](scf::ParallelOp op) {
      if (!op->hasAttr(kTasksAttr) && op.getNumReductions() == 0)
        sequential.push_back(op);
    });
    for (scf::ParallelOp op : sequential) {
      rewriter.setInsertionPoint(op);
      if (failed(scf::parallelForToNestedFors(rewriter, op))) {
        op.emitError("could not be turned into sequential loops");
        return signalPassFailure();
      }
    }
  }

  void tryDistribute(RewriterBase& rewriter, scf::ParallelOp op) {
    if (op->hasAttr(kTasksAttr) || tasks == 1) return;
    auto keep = [&](StringRef reason) {
      remark::missed(op.getLoc(), remarkOpts("NotDistributed"))
          << ("kept sequential: " + reason).str();
    };
    if (op.getNumReductions() != 0) return keep("it has reductions");
    auto trips = staticTrips(op, /*dynamic=*/true);
    if (!trips) return keep("its bounds are not constant");
    // Choices go by what a size is at most, or else by many.
    constexpr int64_t kMany = 4096;
    SmallVector<int64_t> counts(*trips);
    for (auto [dim, trip] : llvm::enumerate(counts)) {
      if (!ShapedType::isDynamic(trip)) continue;
      FailureOr<int64_t> bound = findUpperBound(op.getUpperBound()[dim]);
      trip = succeeded(bound) ? *bound : kMany;
    }
    int64_t total = 1;
    for (int64_t trip : counts) total = saturatingMul(total, trip);
    if (total < tasks) return keep("it has fewer iterations than tasks");
    int64_t work = saturatingMul(total, estimateWork(op.getRegion()));
    if (work < minWork) return keep("it has too little work");
    // Four shares per task keep the shares balanced; more dimensions than
    // needed would put a division into inner loops.
    unsigned split = 0;
    int64_t covered = 1;
    while (split < counts.size() && covered < 4 * tasks)
      covered = saturatingMul(covered, counts[split++]);
    remark::passed(op.getLoc(), remarkOpts("Distributed"))
        << "distributed over tasks" << remark::metric("tasks", int64_t(tasks))
        << remark::metric("iterations", covered);
    distribute(rewriter, op, *trips, split, tasks);
  }
};

}  // namespace
}  // namespace mlir::gsa
