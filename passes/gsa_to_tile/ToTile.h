//===- ToTile.h - what lowerings to gsa_tile share -------------*- C++ -*-===//
//
// The host and kernel sides of a lowering from an op on tensors to kernels. A
// lowering reads its operands as buffers, makes the buffers of its results,
// builds kernels and launches them:
//
//   LogicalResult tile::lowerGate(GateOp op, ToTileContext& context) {
//     Value x = context.toBuffer(op.getInput());
//     Value result = context.makeBuffer(op.getOutput().getType());
//     KernelBuilder kernel(context, op.getLoc(), "gate", /*warps=*/8);
//     Value in = kernel.read(x, "x"), out = kernel.write(result, "out");
//     Value count = kernel.number(context.rewriter().getI64IntegerAttr(n),
//                                 "count");
//     OpBuilder& b = kernel.body();
//     ... the kernel's ops, from `in`, `out` and `count` ...
//     kernel.launch({blocks});
//     context.replace(op, {result});
//     return success();
//   }
//
// Shapes are static here, but a kernel takes sizes as arguments, so that one
// text serves many shapes; kernels of equal text become one. Values that mean
// something have names, `named(value, "first_query")`, for who reads the text;
// those of two equal kernels need not be the same, the first one's stay.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_GSATOTILE_TOTILE_H
#define GSA_PASSES_GSATOTILE_TOTILE_H

#include "dialect/Gsa/GsaAttrNames.h"
#include "dialect/Gsa/GsaSchedules.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/ValueNames.h"
#include "dialect/Target/CudaTarget.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/SaveAndRestore.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/PatternMatch.h"
#include "passes/tile/Transforms.h"

namespace mlir::gsa {

/// Some queries of one batch; host indices.
struct QueryChunk {
  Value batch, begin, count;
};

/// The host side: state of one run of gsa-to-tile on a module.
class ToTileContext {
 public:
  ToTileContext(ModuleOp module, const CudaTarget& target, IRRewriter& rewriter,
                Remarks remarks = Remarks::Emit);

  const CudaTarget& target() const { return device; }
  bool emitsRemarks() const { return remarks == Remarks::Emit; }
  /// Inserts before the op that is being lowered.
  IRRewriter& rewriter() { return hostRewriter; }
  /// Where new host ops come from; the location of the op that is lowered.
  Location loc() const { return location; }
  /// Starts the lowering of `op`: host ops go before it.
  void begin(Operation* op);

  /// The buffer of a tensor that kernels only read: dense, row-major (a slice
  /// with gaps is copied).
  Value toBuffer(Value tensor);
  /// The buffer of a tensor that the caller overwrites: the destination of an
  /// op that accumulates. Bufferization copies it first if the tensor has
  /// other uses.
  Value toWritableBuffer(Value tensor);
  /// A new buffer of a static shape, contents undefined: a result or scratch.
  Value makeBuffer(ShapedType type);
  Value makeBuffer(ArrayRef<int64_t> shape, Type elementType);
  /// The tensor whose contents `buffer` has from here on.
  Value toTensor(Value buffer);
  /// The launches that `body` makes are urgent: they have little to do, and
  /// much waits for them at the end.
  template <typename Body>
  auto urgently(Body body) {
    llvm::SaveAndRestore isUrgent(urgent, true);
    return body();
  }
  /// They are brief: as a rule they find that they have nothing to do.
  template <typename Body>
  auto briefly(Body body) {
    llvm::SaveAndRestore isBrief(brief, true);
    return body();
  }
  /// Replaces `op` by the tensors of `buffers`, one for each result. Null
  /// buffers are for results without uses.
  void replace(Operation* op, ArrayRef<Value> buffers);

  /// Host constants.
  Value index(int64_t value);
  Value constant(TypedAttr value);

  /// Host loops over all batches and, `size` queries at a time, their queries
  /// from `first` on. The iterations are independent (kIndependentAttr) unless
  /// said otherwise: `body` makes the buffers that they do not share.
  void forQueryChunks(int64_t batches, int64_t queries, int64_t size,
                      llvm::function_ref<void(const QueryChunk&)> body,
                      int64_t first = 0, bool areIndependent = true);

  /// An element's place in a buffer whose first `indices.size()` dimensions
  /// are fixed: a dense view of the remaining ones.
  Value slice(Value buffer, ArrayRef<OpFoldResult> indices);

 private:
  friend class KernelBuilder;

  /// Enters a finished kernel, or returns the name of an equal one and erases
  /// it. What it was made for is no part of being equal.
  FlatSymbolRefAttr enter(gsa_tile::KernelOp kernel);

  ModuleOp module;
  CudaTarget device;
  Remarks remarks;
  IRRewriter& hostRewriter;
  Location location;
  /// The op that is being lowered, as kOriginAttr says it.
  StringAttr origin;
  /// Whether its kernels take about as long as the time between two launches.
  bool brief = false;
  bool urgent = false;
  /// What its schedule is estimated to take, where the host's kernels have
  /// lanes.
  ScheduleCost cost;
  SymbolTable symbols;
  /// Kernels by the name that they were asked to have.
  llvm::MapVector<StringAttr, SmallVector<gsa_tile::KernelOp>> kernels;
};

/// The kernel side: a kernel under construction and the arguments that its
/// launch gives it. Arguments are passed in the order in which they are made.
class KernelBuilder {
 public:
  /// `name` is the wanted symbol; another kernel of the same name and a
  /// different text makes it unique. `warps` is the size of a block, those that
  /// fill rings included.
  KernelBuilder(ToTileContext& context, Location loc, StringRef name,
                int64_t warps);
  /// Erases the kernel if it was not launched.
  ~KernelBuilder();
  KernelBuilder(const KernelBuilder&) = delete;
  KernelBuilder& operator=(const KernelBuilder&) = delete;

  /// Pointer argument for a buffer that the kernel reads / may also write.
  Value read(Value buffer, StringRef name);
  Value write(Value buffer, StringRef name);
  /// The matrix of a buffer's last dimension and of all others, for the bulk
  /// copy engine.
  Value map(Value buffer, gsa_tile::TensorMapType type, StringRef name);
  /// Scalar argument: a host value of index, i32, i64, f32 or f64.
  Value scalar(Value hostValue, StringRef name);
  /// Scalar arguments of known value. `size` is an index (an int in C++).
  Value size(int64_t value, StringRef name);
  Value number(TypedAttr value, StringRef name);

  /// Inserts into the kernel's body.
  OpBuilder& body() { return bodyBuilder; }
  /// An index constant in the body, one op per value.
  Value index(int64_t value);
  gsa_tile::KernelOp kernel() { return op; }
  /// All warps of the block.
  gsa_tile::TeamAttr team();

  /// Keeps the schedule, for who reads the kernel.
  void setSchedule(Attribute schedule) { op->setAttr(kScheduleAttr, schedule); }

  /// Ends the kernel and launches it at the context's insertion point. A size
  /// is an attribute or a host value.
  gsa_tile::LaunchOp launch(ArrayRef<OpFoldResult> grid);
  gsa_tile::LaunchOp launch(ArrayRef<int64_t> grid);

 private:
  Value argument(Type type, Value hostValue, StringRef name);

  ToTileContext& context;
  Location location;
  gsa_tile::KernelOp op;
  OpBuilder bodyBuilder;
  SmallVector<Value> hostArguments;
  llvm::DenseMap<int64_t, Value> constants;
};

/// The warps of a kernel with an attention_schedule or a score_schedule: of all
/// that it has, some fill rings and the others compute, in `groups` groups.
struct KernelTeams {
  template <typename Schedule>
  explicit KernelTeams(
      Schedule schedule, int64_t groups = 1,
      gsa_tile::StreamOrder order = gsa_tile::StreamOrder::Free)
      : pipeline(gsa_tile::PipelineAttr::get(
            schedule.getContext(), schedule.getProducers(), groups, order)),
        block(gsa_tile::TeamAttr::get(
            schedule.getContext(), 0,
            schedule.getProducers() + schedule.getConsumers())),
        compute(gsa_tile::TeamAttr::get(schedule.getContext(),
                                        schedule.getProducers(),
                                        schedule.getConsumers())),
        load(schedule.getProducers() == 0
                 ? block
                 : gsa_tile::TeamAttr::get(schedule.getContext(), 0,
                                           schedule.getProducers())) {}

  gsa_tile::PipelineAttr pipeline;
  gsa_tile::TeamAttr block, compute, load;
  int64_t warps() const { return block.getCount(); }
  /// The hardware barrier of the warps that compute: 0 is the block's.
  int64_t computeBarrier() const { return compute == block ? 0 : 1; }
};

/// Fails, with an error, unless the schedule of `op` can run it on the target:
/// what ScheduleAttrInterface rules out without a look at kernels.
LogicalResult checkSchedule(Operation* op, const CudaTarget& target);

/// The schedule of `op`, which a lowering to one kernel obeys. Fails, with an
/// error, if it has none, one of another kind, or one that cannot run it.
template <typename Schedule>
FailureOr<Schedule> getSchedule(Operation* op, const CudaTarget& target) {
  if (failed(checkSchedule(op, target))) return failure();
  auto schedule = op->getAttrOfType<Schedule>(kScheduleAttr);
  if (!schedule)
    return op->emitOpError()
           << "has no lowering to kernels by " << op->getAttr(kScheduleAttr);
  return schedule;
}

/// What fills a tile in copies of that many bytes.
inline gsa_tile::CopyEngine getCopyEngine(int64_t vectorBytes) {
  return vectorBytes > 2 ? gsa_tile::CopyEngine::CpAsync
                         : gsa_tile::CopyEngine::Stores;
}

/// Largest vector, in bytes, that divides rows of `columns` elements and that a
/// copy moves: 16, 8, 4 or 2.
int64_t getVectorBytes(Type element, int64_t columns);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_GSATOTILE_TOTILE_H
