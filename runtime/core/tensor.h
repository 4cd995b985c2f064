// -----------------------------------------------------------------------------
// File: tensor.h
// -----------------------------------------------------------------------------
//
// Dense row-major tensors in host memory: HostTensor owns its bytes,
// TensorView borrows them. Sizes are computed with checked 64-bit arithmetic
// before anything is allocated, since shapes come from files and users.

#ifndef GSA_RUNTIME_CORE_TENSOR_H_
#define GSA_RUNTIME_CORE_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "runtime/core/dtype.h"

namespace gsa {

// Alignment of owned tensor data: a cache line and the widest vector register.
inline constexpr size_t kTensorAlignment = 64;

// Larger ranks are refused; they mean nothing here and cost memory.
inline constexpr size_t kMaxRank = 16;

// Number of elements and of bytes of a tensor. InvalidArgument if a dimension
// is negative, the rank exceeds kMaxRank, or a product does not fit int64. Zero
// dimensions count as one for the overflow check, so that the strides of an
// accepted shape never overflow either.
absl::StatusOr<int64_t> CheckedNumElements(absl::Span<const int64_t> shape);
absl::StatusOr<int64_t> CheckedByteSize(DType dtype,
                                        absl::Span<const int64_t> shape);

// "[2, 3, 4]".
std::string ShapeToString(absl::Span<const int64_t> shape);
// "bf16[2, 3, 4]".
std::string TypeToString(DType dtype, absl::Span<const int64_t> shape);

// A borrowed, read-only tensor. `shape` and `data` must outlive it; `data` is
// aligned for its dtype.
struct TensorView {
  DType dtype = DType::kF32;
  absl::Span<const int64_t> shape;
  const void* data = nullptr;

  // Valid for shapes that passed CheckedByteSize.
  int64_t num_elements() const;
  size_t byte_size() const { return num_elements() * DTypeSize(dtype); }
};

// Element `index` (row-major) as a double: exact, except for i64 beyond 2^53.
double ElementAsDouble(const TensorView& view, int64_t index);

// A named tensor that owns its zero-initialised, 64-byte aligned bytes.
// Movable; copied only by Clone().
class HostTensor {
 public:
  // An empty f32 tensor of shape [0] without a name.
  HostTensor() = default;
  HostTensor(HostTensor&&) = default;
  HostTensor& operator=(HostTensor&&) = default;

  // InvalidArgument for a bad shape, ResourceExhausted when the bytes cannot
  // be allocated; both messages start with the tensor's name.
  static absl::StatusOr<HostTensor> Create(std::string name, DType dtype,
                                           std::vector<int64_t> shape);

  // Create() and copy: `values` must hold exactly the elements of `shape`.
  template <typename T>
  static absl::StatusOr<HostTensor> FromValues(std::string name,
                                               std::vector<int64_t> shape,
                                               absl::Span<const T> values) {
    return FromBytes(
        std::move(name), DTypeOf<T>(), std::move(shape),
        absl::MakeConstSpan(reinterpret_cast<const char*>(values.data()),
                            values.size() * sizeof(T)));
  }
  static absl::StatusOr<HostTensor> FromBytes(std::string name, DType dtype,
                                              std::vector<int64_t> shape,
                                              absl::Span<const char> bytes);

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }
  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& shape() const { return shape_; }
  size_t rank() const { return shape_.size(); }
  int64_t num_elements() const { return num_elements_; }
  size_t byte_size() const { return num_elements_ * DTypeSize(dtype_); }

  // Never null, also for tensors without elements.
  void* raw_data() { return data_ ? data_.get() : EmptyData(); }
  const void* raw_data() const { return data_ ? data_.get() : EmptyData(); }

  // All elements as T. A T that is not the tensor's dtype aborts: check
  // dtype() first where the dtype comes from outside.
  template <typename T>
  absl::Span<T> values() {
    CheckDType(DTypeOf<T>());
    return absl::MakeSpan(static_cast<T*>(raw_data()), num_elements_);
  }
  template <typename T>
  absl::Span<const T> values() const {
    CheckDType(DTypeOf<T>());
    return absl::MakeConstSpan(static_cast<const T*>(raw_data()),
                               num_elements_);
  }

  TensorView view() const { return {dtype_, shape_, raw_data()}; }
  std::string type_string() const { return TypeToString(dtype_, shape_); }

  absl::StatusOr<HostTensor> Clone() const;

  // The same values as `dtype`. To a float type: rounded once to nearest even.
  // To an integer type: each value must be integral and in range, anything
  // else (NaN included) is InvalidArgument naming the element. To bool: true
  // iff not zero; NaN is InvalidArgument.
  absl::StatusOr<HostTensor> ConvertTo(DType dtype) const;

  // The same bytes under another shape with as many elements.
  absl::Status Reshape(std::vector<int64_t> shape);

 private:
  struct Free {
    void operator()(void* data) const;
  };
  static void* EmptyData();
  void CheckDType(DType wanted) const;

  std::string name_;
  DType dtype_ = DType::kF32;
  std::vector<int64_t> shape_ = {0};
  int64_t num_elements_ = 0;
  std::unique_ptr<void, Free> data_;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_TENSOR_H_
