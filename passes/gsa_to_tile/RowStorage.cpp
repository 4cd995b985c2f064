//===- RowStorage.cpp - where rows of keys and values lie -----------------===//

#include "passes/gsa_to_tile/RowStorage.h"

#include <numeric>

#include "dialect/Gsa/GsaOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "passes/gsa_to_tile/TensorAccess.h"

using namespace mlir;
using namespace mlir::gsa;
using namespace mlir::gsa_tile;

//===----------------------------------------------------------------------===//
// Host side
//===----------------------------------------------------------------------===//

bool RowStorage::sharesNumbers(const RowStorage& other) const {
  return isPaged() == other.isPaged() && tableTensor == other.tableTensor &&
         page == other.page && apart == other.apart && pages == other.pages;
}

namespace {
/// How the pages of a pool lie in its array.
struct PoolAccess {
  TensorAccess pool;
  int64_t pages, page, pagePitch, rowPitch, groupPitch;

  explicit PoolAccess(gsa::PagedRowsOp op)
      : pool(getTensorAccess(op.getPool())),
        pages(op.getPool().getType().getDimSize(0)),
        page(op.getPage()),
        pagePitch(pool.strides.front()),
        rowPitch(pool.strides[op.getRowDim()]),
        groupPitch(pool.strides.size() == 4
                       ? pool.strides[op.getHeadsFirst() ? 1 : 2]
                       : 0) {}

  /// Pages are a whole number of rows apart, and elements next to each other.
  bool isEven() const {
    return pool.strides.back() == 1 && rowPitch > 0 &&
           (pages <= 1 || pagePitch % rowPitch == 0);
  }
  int64_t apart() const {
    return std::max<int64_t>(pages <= 1 ? page : pagePitch / rowPitch, 1);
  }
};
}  // namespace

/// The buffer of a pool from its first element on.
static Value takePool(const TensorAccess& pool, ToTileContext& context) {
  IRRewriter& b = context.rewriter();
  Value buffer = context.toBuffer(pool.base);
  if (pool.offset == 0) return buffer;
  auto type = cast<MemRefType>(buffer.getType());
  ReassociationIndices all(llvm::to_vector(llvm::seq<int64_t>(type.getRank())));
  if (type.getRank() > 1)
    buffer = memref::CollapseShapeOp::create(
        b, context.loc(), buffer, ArrayRef<ReassociationIndices>(all));
  return memref::SubViewOp::create(
      b, context.loc(), buffer, {b.getIndexAttr(pool.offset)},
      {b.getIndexAttr(type.getNumElements() - pool.offset)},
      {b.getIndexAttr(1)});
}

RowStorage gsa::getRowStorage(Value tensor, ToTileContext& context) {
  auto type = cast<RankedTensorType>(tensor.getType());
  RowStorage storage;
  storage.rows = type.getDimSize(1);
  storage.groups = type.getRank() == 4 ? type.getDimSize(2) : 1;
  storage.depth = type.getShape().back();
  auto op = gsa::PagedRowsOp::of(tensor);
  if (!op) {
    storage.buffer = context.toBuffer(tensor);
    return storage;
  }
  PoolAccess access(op);
  storage.buffer = takePool(access.pool, context);
  storage.tableTensor = op.getTable();
  storage.table = context.toBuffer(op.getTable());
  storage.pagesOfTable = op.getTable().getType().getDimSize(1);
  storage.pages = access.pages;
  storage.page = access.page;
  storage.pitch = access.rowPitch;
  storage.groupPitch = access.groupPitch;
  storage.apart = access.apart();
  storage.unit =
      std::gcd(std::gcd(storage.pitch, storage.depth), access.pool.offset);
  if (storage.groups > 1)
    storage.unit = std::gcd(storage.unit, storage.groupPitch);
  return storage;
}

LogicalResult gsa::checkPages(gsa::PagedRowsOp op) {
  if (PoolAccess access(op); !access.isEven())
    return op.emitOpError()
           << "has no kernel for a pool whose elements are "
           << access.pool.strides.back() << ", rows " << access.rowPitch
           << " and pages " << access.pagePitch
           << " elements apart; expected elements that are 1 and pages that "
              "are a multiple of rows apart";
  for (OpOperand& use : op.getRows().getUses()) {
    if (auto partial = dyn_cast<PartialAttentionOp>(use.getOwner());
        partial && !partial.getIndices())
      return partial.emitOpError()
             << "has no kernel for a range of keys in pages";
    PagedInputs pages = PagedInputs::of(use.getOwner());
    bool isKey = pages.key == op && use.getOperandNumber() == 1;
    bool isValue = pages.value == op && use.getOperandNumber() == 2;
    if (isKey || isValue) continue;
    return op.emitOpError()
           << "has no kernel where '" << use.getOwner()->getName()
           << "' reads its rows as operand " << use.getOperandNumber()
           << "; expected 'gsa.select', 'gsa.index_scores' or an attention op "
              "at its 'key' or 'value'";
  }
  return success();
}

Attribute gsa::describePages(Value tensor) {
  auto op = gsa::PagedRowsOp::of(tensor);
  if (!op) return {};
  PoolAccess access(op);
  Builder b(op.getContext());
  SmallVector<int64_t> numbers = {access.pool.offset, access.pages,
                                  access.page,        access.pagePitch,
                                  access.rowPitch,    access.groupPitch};
  return b.getDenseI64ArrayAttr(numbers);
}

//===----------------------------------------------------------------------===//
// Kernel side
//===----------------------------------------------------------------------===//

KernelRows::KernelRows(KernelBuilder& kernel, const RowStorage& storage,
                       StringRef name, const KernelRows* other)
    : array(kernel.read(storage.buffer, name)), storage(storage) {
  if (!storage.isPaged()) return;
  if (other && other->storage.tableTensor == storage.tableTensor &&
      other->storage.pages == storage.pages) {
    table = other->table;
    pagesOfTable = other->pagesOfTable;
    pages = other->pages;
    return;
  }
  table = kernel.read(storage.table, (name + "_table").str());
  pagesOfTable =
      kernel.size(storage.pagesOfTable, (name + "_table_pages").str());
  pages = kernel.size(storage.pages, (name + "_pages").str());
}

Value KernelRows::base(KernelScalars& s, Value batch, Value group,
                       int64_t column, Value keys, Value first) const {
  if (!isPaged()) {
    SmallVector<Value> indices = {batch, first ? first : s.index(0)};
    SmallVector<Value> sizes = {keys};
    if (group) {
      indices.push_back(group);
      sizes.push_back(s.index(storage.groups));
    }
    indices.push_back(s.index(column));
    sizes.push_back(s.index(storage.depth));
    return s.at(array, indices, sizes);
  }
  assert(!first && "rows of pages are counted from the first one");
  Value element = s.index(column);
  if (group) element = s.add(s.mul(group, storage.groupPitch), element);
  return s.at(array, {element}, {});
}

Value KernelRows::tableRow(KernelScalars& s, Value batch) const {
  return s.at(table, {batch, s.index(0)}, {pagesOfTable});
}

static RowsType rowsOf(Value base, RowKind kind) {
  return RowsType::get(base.getContext(),
                       cast<GlobalType>(base.getType()).getElementType(), kind,
                       RowAccess::Read);
}

Value KernelRows::maskView(KernelScalars& s, Value base, Value limit) const {
  return s.stridedRows(base, s.i64(storage.groups * storage.depth), limit);
}

Value KernelRows::maskListed(KernelScalars& s, Value base, Value list,
                             Value end, Value limit) const {
  return ListedRowsOp::create(s.b, s.loc, rowsOf(base, RowKind::Listed), base,
                              s.i64(storage.groups * storage.depth), list, end,
                              limit);
}

Value KernelRows::view(KernelScalars& s, Value base, Value batch, int64_t step,
                       Value limit) const {
  if (!isPaged())
    return s.stridedRows(base, s.i64(step * storage.groups * storage.depth),
                         limit);
  return gsa_tile::PagedRowsOp::create(
      s.b, s.loc, rowsOf(base, RowKind::Paged), base, s.i64(storage.pitch),
      tableRow(s, batch), pages, storage.page, storage.apart, step, limit);
}

Value KernelRows::listed(KernelScalars& s, Value base, Value batch, Value list,
                         Value end, Value limit) const {
  if (!isPaged()) return maskListed(s, base, list, end, limit);
  return ListedPagedRowsOp::create(
      s.b, s.loc, rowsOf(base, RowKind::Paged), base, s.i64(storage.pitch),
      tableRow(s, batch), pages, storage.page, storage.apart, list, end, limit);
}
