//===- EmptyGroups.cpp - commits without products -------------------------===//
//
// What a stream has one tile behind commits its products behind the last tile,
// and nothing where another commit came between.
//
//===----------------------------------------------------------------------===//

#include "dialect/GsaTile/EmptyGroups.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static bool isProduct(Operation* op) {
  auto async = dyn_cast<AsyncOpInterface>(op);
  return async && async.getAsyncKind() == AsyncKind::Product;
}

/// Whether an op is or holds one that issues, commits or waits for products.
static bool touchesProducts(Operation* op) {
  return op
      ->walk([](Operation* inner) {
        return isProduct(inner) ? WalkResult::interrupt()
                                : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether a commit comes before `commit` without products in between, on every
/// path: in its block, or before the branch that it stands in.
static bool followsCommit(Operation* commit) {
  for (Operation* at = commit; at;) {
    Operation* before = at->getPrevNode();
    if (!before) {
      at = at->getParentOp();
      if (!isa_and_nonnull<scf::IfOp>(at)) return false;
      continue;
    }
    // A wait says nothing of what was not committed.
    if (isa<WgmmaCommitOp>(before)) return true;
    if (touchesProducts(before) && !isa<WgmmaWaitOp>(before)) return false;
    at = before;
  }
  return false;
}

/// The next op of products behind `commit`, in its block, if it is a wait for
/// all groups or for all but that of the commit; null if it is something else.
static WgmmaWaitOp findWait(Operation* commit) {
  for (Operation* op = commit->getNextNode(); op; op = op->getNextNode()) {
    if (auto wait = dyn_cast<WgmmaWaitOp>(op))
      return wait.getPending() <= 1 ? wait : WgmmaWaitOp();
    if (touchesProducts(op)) return {};
  }
  return {};
}

void gsa_tile::dropEmptyGroups(KernelOp kernel) {
  SmallVector<std::pair<Operation*, WgmmaWaitOp>> empty;
  kernel.walk([&](WgmmaCommitOp commit) {
    if (!followsCommit(commit)) return;
    if (WgmmaWaitOp wait = findWait(commit)) empty.emplace_back(commit, wait);
  });
  for (auto [commit, wait] : empty) {
    wait.setPending(0);
    commit->erase();
  }
}
