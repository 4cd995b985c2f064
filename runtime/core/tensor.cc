// -----------------------------------------------------------------------------
// File: tensor.cc
// -----------------------------------------------------------------------------

#include "runtime/core/tensor.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/status_macros.h"

namespace gsa {
namespace {

// Names come from files: bounded and escaped before they reach a message.
std::string Quote(const std::string& name) {
  return absl::StrCat("tensor '", absl::CHexEscape(name.substr(0, 200)), "'");
}

absl::Status WithName(const std::string& name, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat(Quote(name), ": ", status.message()));
}

// Conversion goes through one of two exact carriers: double for the floating
// types, int64 for the integral ones.
double Load(F16 value) { return F16ToFloat(value); }
double Load(BF16 value) { return BF16ToFloat(value); }
double Load(float value) { return value; }
double Load(double value) { return value; }
int64_t Load(bool value) { return value; }
int64_t Load(uint8_t value) { return value; }
int64_t Load(int32_t value) { return value; }
int64_t Load(int64_t value) { return value; }

// A double that rounds to any narrow format like `value` itself does: 53 bits
// with the bits cut off folded into the last one (rounding to odd).
double ToOddDouble(int64_t value) {
  const uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value)
                                       : static_cast<uint64_t>(value);
  const int excess = std::max(0, 11 - std::countl_zero(magnitude));
  uint64_t kept = magnitude >> excess;
  if ((kept << excess) != magnitude) kept |= 1;
  const double result = std::ldexp(static_cast<double>(kept), excess);
  return value < 0 ? -result : result;
}

// Each returns false if `value` has no counterpart in the target type.
bool Store(double value, F16* out) {
  *out = F16FromDouble(value);
  return true;
}
bool Store(double value, BF16* out) {
  *out = BF16FromDouble(value);
  return true;
}
bool Store(double value, float* out) {
  *out = static_cast<float>(value);
  return true;
}
bool Store(double value, double* out) {
  *out = value;
  return true;
}
bool Store(int64_t value, F16* out) { return Store(ToOddDouble(value), out); }
bool Store(int64_t value, BF16* out) { return Store(ToOddDouble(value), out); }
bool Store(int64_t value, float* out) {
  *out = static_cast<float>(value);
  return true;
}
bool Store(int64_t value, double* out) {
  *out = static_cast<double>(value);
  return true;
}
bool Store(int64_t value, bool* out) {
  *out = value != 0;
  return true;
}
bool Store(double value, bool* out) {
  if (std::isnan(value)) return false;
  *out = value != 0;
  return true;
}
template <typename Int>
bool Store(int64_t value, Int* out) {
  if (value < std::numeric_limits<Int>::min() ||
      value > std::numeric_limits<Int>::max()) {
    return false;
  }
  *out = static_cast<Int>(value);
  return true;
}
template <typename Int>
  requires std::is_integral_v<Int>
bool Store(double value, Int* out) {
  // Both bounds are powers of two, hence exact; NaN fails the comparison.
  if (!(value >= -0x1p63 && value < 0x1p63)) return false;
  if (value != std::trunc(value)) return false;
  return Store(static_cast<int64_t>(value), out);
}

// Calls `fn` with a null pointer of the C++ type that stores `dtype`.
template <typename Fn>
auto Dispatch(DType dtype, Fn&& fn) {
  switch (dtype) {
    case DType::kBool:
      return fn(static_cast<bool*>(nullptr));
    case DType::kU8:
      return fn(static_cast<uint8_t*>(nullptr));
    case DType::kI32:
      return fn(static_cast<int32_t*>(nullptr));
    case DType::kI64:
      return fn(static_cast<int64_t*>(nullptr));
    case DType::kF16:
      return fn(static_cast<F16*>(nullptr));
    case DType::kBF16:
      return fn(static_cast<BF16*>(nullptr));
    case DType::kF32:
      return fn(static_cast<float*>(nullptr));
    case DType::kF64:
      return fn(static_cast<double*>(nullptr));
  }
  std::abort();
}

// Returns the index of the first element that cannot be converted, or -1.
template <typename From, typename To>
int64_t ConvertAll(const From* from, To* to, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    if (!Store(Load(from[i]), &to[i])) return i;
  }
  return -1;
}

}  // namespace

absl::StatusOr<int64_t> CheckedNumElements(absl::Span<const int64_t> shape) {
  if (shape.size() > kMaxRank) {
    return absl::InvalidArgumentError(absl::StrCat(
        "rank ", shape.size(), " exceeds the limit of ", kMaxRank));
  }
  int64_t padded = 1;
  bool empty = false;
  for (int64_t dim : shape) {
    if (dim < 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "shape ", ShapeToString(shape), " has a negative dimension"));
    }
    if (dim == 0) empty = true;
    if (__builtin_mul_overflow(padded, std::max<int64_t>(dim, 1), &padded)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "shape ", ShapeToString(shape), " has more than 2^63-1 elements"));
    }
  }
  return empty ? 0 : padded;
}

absl::StatusOr<int64_t> CheckedByteSize(DType dtype,
                                        absl::Span<const int64_t> shape) {
  GSA_ASSIGN_OR_RETURN(int64_t bytes, CheckedNumElements(shape));
  if (__builtin_mul_overflow(bytes, static_cast<int64_t>(DTypeSize(dtype)),
                             &bytes)) {
    return absl::InvalidArgumentError(absl::StrCat(
        TypeToString(dtype, shape), " has more than 2^63-1 bytes"));
  }
  return bytes;
}

std::string ShapeToString(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::string TypeToString(DType dtype, absl::Span<const int64_t> shape) {
  return absl::StrCat(DTypeName(dtype), ShapeToString(shape));
}

int64_t TensorView::num_elements() const {
  int64_t count = 1;
  for (int64_t dim : shape) count *= dim;
  return count;
}

double ElementAsDouble(const TensorView& view, int64_t index) {
  return Dispatch(view.dtype, [&](auto* type) {
    using T = std::remove_pointer_t<decltype(type)>;
    return static_cast<double>(Load(static_cast<const T*>(view.data)[index]));
  });
}

void HostTensor::Free::operator()(void* data) const { std::free(data); }

void* HostTensor::EmptyData() {
  alignas(kTensorAlignment) static char empty[kTensorAlignment];
  return empty;
}

void HostTensor::CheckDType(DType wanted) const {
  if (dtype_ == wanted) return;
  std::fprintf(stderr, "gsa: %s accessed as %s, but it is %s\n",
               Quote(name_).c_str(), DTypeName(wanted), DTypeName(dtype_));
  std::abort();
}

absl::StatusOr<HostTensor> HostTensor::Create(std::string name, DType dtype,
                                              std::vector<int64_t> shape) {
  absl::StatusOr<int64_t> bytes = CheckedByteSize(dtype, shape);
  if (!bytes.ok()) return WithName(name, bytes.status());
  HostTensor tensor;
  if (*bytes > 0) {
    const auto size = static_cast<size_t>(*bytes);
    // aligned_alloc wants a multiple of the alignment. The sum cannot wrap:
    // size is below 2^63.
    const size_t padded =
        (size + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
    // An absurd size is refused here and not by the allocator, whose answer
    // depends on overcommit (and which aborts under a sanitizer).
    void* data = padded > (size_t{1} << 47)
                     ? nullptr
                     : std::aligned_alloc(kTensorAlignment, padded);
    if (data == nullptr) {
      return absl::ResourceExhaustedError(
          absl::StrCat(Quote(name), ": cannot allocate ", size, " bytes for ",
                       TypeToString(dtype, shape)));
    }
    std::memset(data, 0, padded);
    tensor.data_.reset(data);
  }
  tensor.name_ = std::move(name);
  tensor.dtype_ = dtype;
  tensor.num_elements_ = *bytes / static_cast<int64_t>(DTypeSize(dtype));
  tensor.shape_ = std::move(shape);
  return tensor;
}

absl::StatusOr<HostTensor> HostTensor::FromBytes(std::string name, DType dtype,
                                                 std::vector<int64_t> shape,
                                                 absl::Span<const char> bytes) {
  GSA_ASSIGN_OR_RETURN(HostTensor tensor,
                       Create(std::move(name), dtype, std::move(shape)));
  if (bytes.size() != tensor.byte_size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quote(tensor.name_), ": got ", bytes.size(), " bytes, expected ",
        tensor.byte_size(), " for ", tensor.type_string()));
  }
  if (!bytes.empty()) {
    std::memcpy(tensor.raw_data(), bytes.data(), bytes.size());
  }
  return tensor;
}

absl::StatusOr<HostTensor> HostTensor::Clone() const {
  return FromBytes(
      name_, dtype_, shape_,
      absl::MakeConstSpan(static_cast<const char*>(raw_data()), byte_size()));
}

absl::StatusOr<HostTensor> HostTensor::ConvertTo(DType dtype) const {
  if (dtype == dtype_) return Clone();
  GSA_ASSIGN_OR_RETURN(HostTensor result, Create(name_, dtype, shape_));
  const int64_t bad = Dispatch(dtype_, [&](auto* from_type) {
    using From = std::remove_pointer_t<decltype(from_type)>;
    return Dispatch(dtype, [&](auto* to_type) {
      using To = std::remove_pointer_t<decltype(to_type)>;
      return ConvertAll(static_cast<const From*>(raw_data()),
                        static_cast<To*>(result.raw_data()), num_elements_);
    });
  });
  if (bad >= 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quote(name_), ": element ", bad, " is ", ElementAsDouble(view(), bad),
        ", which has no exact value in ", DTypeName(dtype)));
  }
  return result;
}

absl::Status HostTensor::Reshape(std::vector<int64_t> shape) {
  absl::StatusOr<int64_t> count = CheckedNumElements(shape);
  if (!count.ok()) return WithName(name_, count.status());
  if (*count != num_elements_) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(name_), ": cannot reshape ", ShapeToString(shape_),
                     " to ", ShapeToString(shape), ": got ", *count,
                     " elements, expected ", num_elements_));
  }
  shape_ = std::move(shape);
  return absl::OkStatus();
}

}  // namespace gsa
