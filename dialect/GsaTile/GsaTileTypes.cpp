//===- GsaTileTypes.cpp - storage types -----------------------------------===//

#include "dialect/GsaTile/GsaTileDialect.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mlir::gsa_tile;

// "64x128xbf16": the lexer would eat "x128xbf16" as a word, so the list is
// parsed as that of a memref.
static ParseResult parseShapeAndElement(AsmParser& parser,
                                        SmallVector<int64_t>& shape,
                                        Type& elementType) {
  if (parser.parseDimensionList(shape, /*allowDynamic=*/false,
                                /*withTrailingX=*/true))
    return failure();
  return parser.parseType(elementType);
}

static void printShapeAndElement(AsmPrinter& printer, ArrayRef<int64_t> shape,
                                 Type elementType) {
  for (int64_t size : shape) printer << size << 'x';
  printer << elementType;
}

#define GET_TYPEDEF_CLASSES
#include "dialect/GsaTile/GsaTileTypes.cpp.inc"

void GsaTileDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/GsaTile/GsaTileTypes.cpp.inc"
      >();
}

static bool isElementType(Type type) {
  return type.isF16() || type.isBF16() || type.isF32() || type.isF64() ||
         type.isInteger(8) || type.isInteger(32) || type.isInteger(64);
}

static LogicalResult verifyElement(function_ref<InFlightDiagnostic()> emitError,
                                   Type type) {
  if (isElementType(type)) return success();
  return emitError() << "expected an element type of f16, bf16, f32, f64, i8, "
                        "i32 or i64, got "
                     << type;
}

int64_t gsa_tile::getElementBytes(Type elementType) {
  return elementType.getIntOrFloatBitWidth() / 8;
}

Type gsa_tile::getStageType(Type stagedSmemType) {
  auto type = dyn_cast<SmemType>(stagedSmemType);
  if (!type || !type.isStaged()) return Type();
  return SmemType::get(type.getContext(), type.getShape().drop_front(),
                       type.getElementType(), type.getLayout());
}

LogicalResult GlobalType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 Type elementType, Access) {
  return verifyElement(emitError, elementType);
}

LogicalResult RowsType::verify(function_ref<InFlightDiagnostic()> emitError,
                               Type elementType, RowKind, RowAccess access) {
  if (failed(verifyElement(emitError, elementType))) return failure();
  if (access == RowAccess::Accumulate && !elementType.isF32())  // rows_c1
    return emitError() << "expected rows of f32 to accumulate, got "
                       << elementType;
  return success();
}

LogicalResult FoundRowsType::verify(
    function_ref<InFlightDiagnostic()> emitError, int64_t rows, int64_t units,
    TeamAttr team) {
  if (rows < 1 || units < 1)
    return emitError() << "expected at least one row and unit";
  int64_t threads = 32 * team.getCount();
  if (rows * units > kMostFoundRows * threads)  // found_rows_c1
    return emitError() << "expected at most " << kMostFoundRows
                       << " vectors for each of " << threads << " threads, got "
                       << rows << " x " << units;
  return success();
}

LogicalResult SmemType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type elementType,
                               SmemLayout layout) {
  if (failed(verifyElement(emitError, elementType))) return failure();
  if (shape.size() != 2 && shape.size() != 3)  // smem_c1
    return emitError() << "expected [rows, columns] or [stages, rows, columns]"
                       << ", got rank " << shape.size();
  for (int64_t size : shape)
    if (size < 1) return emitError() << "expected sizes of at least 1";
  int64_t unit = layout == SmemLayout::Linear    ? 1
                 : layout == SmemLayout::Swizzle ? 16
                                                 : 128;
  int64_t rowBytes = shape.back() * getElementBytes(elementType);
  if (rowBytes % unit != 0)  // smem_c2
    return emitError() << "layout " << stringifySmemLayout(layout)
                       << " needs rows of a multiple of " << unit
                       << " bytes, got " << rowBytes;
  return success();
}

int64_t SmemType::getStageBytes() const {
  return getRows() * getColumns() * getElementBytes(getElementType());
}

int64_t SmemType::getBytes() const {
  return getStageBytes() * (isStaged() ? getShape()[0] : 1);
}

LogicalResult FragType::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<int64_t> shape, Type elementType,
                               FragLayout layout) {
  if (failed(verifyElement(emitError, elementType))) return failure();
  if (shape.size() != 2)
    return emitError() << "expected [rows, columns], got rank " << shape.size();
  int64_t unit = layout == FragLayout::Lhs ? 16 : 8;
  bool isHalf = shape[0] == 8 && layout == FragLayout::Acc;
  if (shape[0] != 16 && !isHalf)  // frag_c1
    return emitError() << "layout " << stringifyFragLayout(layout) << " has 16"
                       << (layout == FragLayout::Acc ? " or 8" : "")
                       << " rows, got " << shape[0];
  if (shape[1] < unit || shape[1] % unit != 0)  // frag_c2
    return emitError() << "layout " << stringifyFragLayout(layout)
                       << " needs a multiple of " << unit << " columns, got "
                       << shape[1];
  return success();
}

int64_t FragType::getRegisters() const {
  return getRows() * getColumns() * getElementBytes(getElementType()) /
         (32 * 4);
}

LogicalResult RowVecType::verify(function_ref<InFlightDiagnostic()> emitError,
                                 ArrayRef<int64_t> shape, Type elementType) {
  if (failed(verifyElement(emitError, elementType))) return failure();
  if (shape.size() != 1 || (shape[0] != 16 && shape[0] != 8))
    return emitError() << "expected one size, 16 or 8";
  return success();
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t stages) {
  if (stages < 1 || stages > 64)
    return emitError() << "expected 1 to 64 stages, got " << stages;
  return success();
}

LogicalResult TileRingType::verify(function_ref<InFlightDiagnostic()> emitError,
                                   int64_t stages, CopyEngine,
                                   ArrayRef<Type> tiles) {
  if (stages < 1 || stages > 64)  // tile_ring_c1
    return emitError() << "expected 1 to 64 stages, got " << stages;
  if (tiles.empty())  // tile_ring_c2
    return emitError() << "expected at least one tile";
  for (Type tile : tiles)
    if (auto type = dyn_cast<SmemType>(tile); !type || type.isStaged())
      return emitError() << "expected tiles of a single stage, got " << tile;
  return success();
}

LogicalResult TensorMapType::verify(
    function_ref<InFlightDiagnostic()> emitError, ArrayRef<int64_t> shape,
    Type elementType, SmemLayout layout) {
  if (failed(verifyElement(emitError, elementType))) return failure();
  // Limits of cuTensorMapEncodeTiled.
  if (shape.size() != 2 || shape[0] < 1 || shape[0] > 256 || shape[1] < 1 ||
      shape[1] > 256)
    return emitError() << "expected a box [rows, columns] with sizes in "
                          "[1, 256]";
  int64_t rowBytes = shape[1] * getElementBytes(elementType);
  if (layout == SmemLayout::Swizzle)
    return emitError()
           << "expected layout linear or swizzle_128b: the copy engine "
              "does not know the layout swizzle";
  if (layout == SmemLayout::Swizzle128B && rowBytes != 128)
    return emitError() << "expected a box of one panel of 128 bytes, got rows "
                          "of "
                       << rowBytes << " bytes";
  if (rowBytes % 16 != 0)
    return emitError() << "expected rows of a multiple of 16 bytes, got "
                       << rowBytes;
  return success();
}
