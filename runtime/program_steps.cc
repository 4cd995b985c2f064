// -----------------------------------------------------------------------------
// File: program_steps.cc
// -----------------------------------------------------------------------------

#include "runtime/program_steps.h"

#include <algorithm>

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

namespace gsa {

using mlir::dyn_cast;
using mlir::FailureOr;

BufferRef DeviceBufferView::Ref(mlir::MemRefType type) const {
  BufferRef ref = base;
  ref.byte_offset += offset * ElementBytes(type);
  return ref;
}

int64_t ElementBytes(mlir::MemRefType type) {
  mlir::Type element = type.getElementType();
  if (element.isIndex()) return 8;
  return (element.getIntOrFloatBitWidth() + 7) / 8;
}

int64_t ByteSize(mlir::MemRefType type) {
  return type.getNumElements() * ElementBytes(type);
}

bool IsDense(mlir::MemRefType type) {
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  if (!type.hasStaticShape() ||
      mlir::failed(type.getStridesAndOffset(strides, offset))) {
    return false;
  }
  // Without elements there are no gaps, whatever the strides.
  if (type.getNumElements() == 0) return true;
  int64_t expected = 1;
  for (int64_t d = type.getRank() - 1; d >= 0; --d) {
    if (type.getDimSize(d) != 1 && strides[d] != expected) return false;
    expected *= type.getDimSize(d);
  }
  return true;
}

std::string PlaceOf(mlir::Location location) {
  mlir::FileLineColLoc found;
  location->walk([&](mlir::Location part) {
    found = dyn_cast<mlir::FileLineColLoc>(part);
    return found ? mlir::WalkResult::interrupt() : mlir::WalkResult::advance();
  });
  if (!found) return "";
  return found.getFilename().str() + ":" + std::to_string(found.getLine()) +
         ":" + std::to_string(found.getColumn());
}

namespace {

DType ToDType(mlir::Type type) {
  if (type.isF16()) return DType::kF16;
  if (type.isBF16()) return DType::kBF16;
  if (type.isF64()) return DType::kF64;
  if (type.isInteger(8)) return DType::kU8;  // the bits are what is copied
  if (type.isInteger(32)) return DType::kI32;
  return type.isInteger(64) ? DType::kI64 : DType::kF32;
}

// A matrix operand: strides of the rows and of the batch.
struct Matrix {
  int64_t rows = 0, columns = 0;
  int64_t row_stride = 0, batch_stride = 0;
};

FailureOr<Matrix> ToMatrix(mlir::Operation* op, mlir::MemRefType type) {
  llvm::SmallVector<int64_t> strides;
  int64_t offset;
  const int64_t rank = type.getRank();
  if (!type.hasStaticShape() ||
      mlir::failed(type.getStridesAndOffset(strides, offset)) ||
      (strides[rank - 1] != 1 && type.getDimSize(rank - 1) != 1)) {
    return op->emitError("expected matrices whose rows are contiguous, got ")
           << type;
  }
  Matrix matrix;
  matrix.rows = type.getDimSize(rank - 2);
  matrix.columns = type.getDimSize(rank - 1);
  // The stride of a dimension of size 1 means nothing.
  matrix.row_stride = matrix.rows == 1
                          ? std::max(strides[rank - 2], matrix.columns)
                          : strides[rank - 2];
  matrix.batch_stride = rank == 3 ? strides[0] : 0;
  return matrix;
}

}  // namespace

FailureOr<GemmStep> MakeGemmStep(mlir::gsa_tile::GemmOp op) {
  auto a_type = mlir::cast<mlir::MemRefType>(op.getA().getType());
  auto b_type = mlir::cast<mlir::MemRefType>(op.getB().getType());
  auto c_type = mlir::cast<mlir::MemRefType>(op.getC().getType());
  FailureOr<Matrix> a = ToMatrix(op, a_type);
  FailureOr<Matrix> b = ToMatrix(op, b_type);
  FailureOr<Matrix> c = ToMatrix(op, c_type);
  if (mlir::failed(a) || mlir::failed(b) || mlir::failed(c)) {
    return mlir::failure();
  }
  GemmStep step;
  step.a_dtype = ToDType(a_type.getElementType());
  step.b_dtype = ToDType(b_type.getElementType());
  step.c_dtype = ToDType(c_type.getElementType());
  step.m = c->rows;
  step.n = c->columns;
  step.k = op.getTransposeA() ? a->rows : a->columns;
  step.lda = a->row_stride;
  step.ldb = b->row_stride;
  step.ldc = c->row_stride;
  step.trans_a = op.getTransposeA();
  step.trans_b = op.getTransposeB();
  if (c_type.getRank() == 3) step.batch = c_type.getDimSize(0);
  step.stride_a = a->batch_stride;
  step.stride_b = b->batch_stride;
  step.stride_c = c->batch_stride;
  step.beta = op.getAccumulate() ? 1 : 0;
  return step;
}

FailureOr<TensorMapArg> MakeTensorMap(mlir::Operation* op, size_t index,
                                      mlir::gsa_tile::TensorMapType map,
                                      mlir::MemRefType type, BufferRef base) {
  TensorMapArg argument;
  argument.base = base;
  argument.dtype = ToDType(type.getElementType());
  argument.columns = type.getShape().back();
  argument.rows = 1;
  for (int64_t size : type.getShape().drop_back()) {
    if (llvm::MulOverflow(argument.rows, size, argument.rows)) {
      return op->emitError("argument #")
             << index << " of type " << type << ": expected fewer rows";
    }
  }
  argument.row_pitch = argument.columns * ElementBytes(type);
  argument.box_rows = static_cast<int32_t>(map.getShape()[0]);
  argument.box_columns = static_cast<int32_t>(map.getShape()[1]);
  if (map.getLayout() == mlir::gsa_tile::SmemLayout::Swizzle128B)
    argument.swizzle_bytes = 128;
  const absl::Status status = CheckTensorMap(argument);
  if (status.ok()) return argument;
  return op->emitError("argument #")
         << index << " of type " << type << ": "
         << llvm::StringRef(status.message().data(), status.message().size());
}

FailureOr<FillStep> MakeFillStep(mlir::Operation* op, mlir::Attribute value,
                                 mlir::MemRefType type) {
  llvm::APInt bits;
  if (auto number = llvm::dyn_cast_or_null<mlir::FloatAttr>(value)) {
    bits = number.getValue().bitcastToAPInt();
  } else if (auto number = llvm::dyn_cast_or_null<mlir::IntegerAttr>(value)) {
    bits = number.getValue();
  } else {
    return op->emitError("expected a fill with a number that is known here");
  }
  const int64_t bytes = ElementBytes(type);
  FillStep step;
  step.count = type.getNumElements();
  step.element_bytes = static_cast<int32_t>(bytes);
  if (bytes == 8) {
    // Two equal halves are a fill of twice as many.
    const llvm::APInt low = bits.trunc(32), high = bits.lshr(32).trunc(32);
    if (low != high) {
      return op->emitError("cannot fill elements of type ")
             << type.getElementType() << " with " << value;
    }
    bits = low;
    step.element_bytes = 4;
    step.count *= 2;
  }
  step.pattern = static_cast<uint32_t>(bits.getZExtValue());
  return step;
}

FailureOr<ConstantData> ReadConstant(mlir::memref::GlobalOp global) {
  auto elements = llvm::dyn_cast_or_null<mlir::DenseElementsAttr>(
      global.getInitialValueAttr());
  mlir::MemRefType type = global.getType();
  mlir::Type element = type.getElementType();
  if (!elements || !IsDense(type) || element.getIntOrFloatBitWidth() % 8 != 0) {
    return global.emitError(
        "expected a dense constant of elements of whole bytes");
  }
  ConstantData data;
  data.name = global.getSymName().str();
  llvm::ArrayRef<char> raw = elements.getRawData();
  if (!elements.isSplat()) {
    data.bytes.assign(raw.begin(), raw.end());
    return data;
  }
  const int64_t count = type.getNumElements();
  data.bytes.reserve(count * raw.size());
  for (int64_t i = 0; i < count; ++i) {
    data.bytes.insert(data.bytes.end(), raw.begin(), raw.end());
  }
  return data;
}

}  // namespace gsa
