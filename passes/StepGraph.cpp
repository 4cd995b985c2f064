//===- StepGraph.cpp - which steps of the host depend on which ------------===//

#include "passes/StepGraph.h"

#include <limits>

#include "dialect/GsaTile/GsaTileOps.h"
#include "dialect/GsaTile/PipelineAttrs.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

static constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

/// The scratch of the library that multiplies.
static const char kLibraryScratch = 0;

bool gsa::isHostStep(Operation* op) {
  return isa<LaunchOp, GemmOp, memref::CopyOp>(op) ||
         (isa<linalg::FillOp>(op) && op->getNumResults() == 0);
}

static int64_t elementBytes(MemRefType type) {
  Type element = type.getElementType();
  return element.isIndex()
             ? 8
             : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
}

/// Bytes from the first element to behind the last one; kEnd if not known.
static int64_t extentOf(MemRefType type) {
  SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() ||
      failed(type.getStridesAndOffset(strides, offset)))
    return kEnd;
  if (type.getNumElements() == 0) return 0;
  int64_t last = 0;
  for (auto [size, stride] : llvm::zip(type.getShape(), strides)) {
    if (size > 1 && ShapedType::isDynamic(stride)) return kEnd;
    if (size > 1) last += (size - 1) * stride;
  }
  return (last + 1) * elementBytes(type);
}

/// Elements from the source's first one to the view's; none if not known, or if
/// the view is not of elements of its source.
static std::optional<int64_t> offsetOf(memref::SubViewOp view) {
  SmallVector<int64_t> strides;
  int64_t ignored, elements = 0;
  if (failed(view.getSourceType().getStridesAndOffset(strides, ignored)))
    return std::nullopt;
  for (auto [offset, stride] : llvm::zip(view.getMixedOffsets(), strides)) {
    std::optional<int64_t> number = getConstantIntValue(offset);
    if (!number || ShapedType::isDynamic(stride)) return std::nullopt;
    elements += *number * stride;
  }
  return elements;
}

/// All of what `value` may reach.
static StepAccess reach(Value value) {
  StepAccess access;
  Operation* op = value.getDefiningOp();
  if (auto global = dyn_cast_or_null<memref::GetGlobalOp>(op)) {
    access.root = global.getNameAttr().getAsOpaquePointer();
    access.end = extentOf(global.getType());
    return access;
  }
  auto view = dyn_cast_or_null<ViewLikeOpInterface>(op);
  if (!view) {
    access.root = value.getAsOpaquePointer();
    access.end = extentOf(cast<MemRefType>(value.getType()));
    return access;
  }
  access = reach(view.getViewSource());
  int64_t extent = extentOf(cast<MemRefType>(value.getType()));
  auto narrow = [&](int64_t begin) {
    access.begin = begin;
    if (extent != kEnd) access.end = begin + extent;
  };
  if (auto bytes = dyn_cast<memref::ViewOp>(op)) {
    if (auto number = op->getAttrOfType<IntegerAttr>(kBufferAttr))
      access.buffer = number.getInt();
    if (auto shift = getConstantIntValue(bytes.getByteShift()))
      narrow(access.begin + *shift);
  } else if (auto part = dyn_cast<memref::SubViewOp>(op)) {
    if (auto elements = offsetOf(part))
      narrow(access.begin + *elements * elementBytes(part.getSourceType()));
  }
  // Casts and other shapes of all of it leave the range as it is.
  return access;
}

static void addAccess(SmallVectorImpl<StepAccess>& accesses,
                      StepAccess access) {
  if (access.begin >= access.end) return;
  for (StepAccess& other : accesses) {
    if (other.root != access.root || other.buffer != access.buffer ||
        other.begin != access.begin || other.end != access.end)
      continue;
    other.writes |= access.writes;
    return;
  }
  accesses.push_back(access);
}

static SmallVector<StepAccess> accessesOf(Operation* op) {
  SmallVector<StepAccess> accesses;
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(op).getEffects(effects);
  for (const MemoryEffects::EffectInstance& effect : effects) {
    Value value = effect.getValue();
    if (!value || !isa<MemRefType>(value.getType())) continue;
    StepAccess access = reach(value);
    access.writes = isa<MemoryEffects::Write>(effect.getEffect());
    addAccess(accesses, access);
  }
  if (isa<GemmOp>(op)) accesses.push_back({&kLibraryScratch, -1, 0, 1, true});
  return accesses;
}

SmallVector<HostStep> gsa::collectSteps(func::FuncOp entry) {
  SmallVector<HostStep> steps;
  for (Operation& op : entry.getBody().front()) {
    auto order = op.getAttrOfType<StepAttr>(kStepAttr);
    if (order) steps.push_back({&op, order, accessesOf(&op)});
  }
  return steps;
}

/// Whether the steps are of different iterations of one loop.
static bool areOfIterations(StepAttr a, StepAttr b) {
  ArrayRef<int64_t> x = a.getParts(), y = b.getParts();
  for (size_t i = 0; i + 1 < x.size(); i += 2)
    for (size_t j = 0; j + 1 < y.size(); j += 2)
      if (x[i] == y[j] && x[i + 1] != y[j + 1]) return true;
  return false;
}

const StepAccess* gsa::findConflict(const HostStep& earlier,
                                    const HostStep& later) {
  bool iterations = areOfIterations(earlier.order, later.order);
  for (const StepAccess& b : later.accesses)
    for (const StepAccess& a : earlier.accesses) {
      if (a.root != b.root || !(a.writes || b.writes)) continue;
      if (a.begin >= b.end || b.begin >= a.end) continue;
      bool shared = a.buffer == b.buffer && a.root != &kLibraryScratch;
      if (!iterations || !shared) return &b;
    }
  return nullptr;
}

StepOrder::StepOrder(ArrayRef<HostStep> steps) {
  int64_t count = steps.size();
  before.assign(count, llvm::BitVector(count));
  llvm::DenseMap<int64_t, int64_t> lastOfLane;
  for (int64_t i = 0; i < count; ++i) {
    auto add = [&](int64_t step) {
      if (step < 0 || step >= i) return;
      before[i] |= before[step];
      before[i].set(step);
    };
    auto [last, first] = lastOfLane.try_emplace(steps[i].order.getLane(), i);
    if (!first) add(std::exchange(last->second, i));
    for (int64_t wait : steps[i].order.getWaits()) add(wait);
  }
}
