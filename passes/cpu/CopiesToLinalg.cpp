//===- CopiesToLinalg.cpp - memref.copy becomes linalg.copy ---------------===//

#include "passes/cpu/CpuPasses.h"

namespace mlir::gsa {

#define GEN_PASS_DEF_GSACPUCOPIESTOLINALG
#include "passes/cpu/CpuPasses.h.inc"

namespace {

struct CopiesToLinalg : impl::GsaCpuCopiesToLinalgBase<CopiesToLinalg> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies) {
      OpBuilder builder(op);
      if (op.getSource() != op.getTarget())
        linalg::CopyOp::create(builder, op.getLoc(), op.getSource(),
                               op.getTarget());
      op.erase();
    }
  }
};

}  // namespace
}  // namespace mlir::gsa
