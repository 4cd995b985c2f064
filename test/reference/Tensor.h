//===- Tensor.h - dense row-major tensors of the reference ------*- C++ -*-===//
//
// The only data structure of the reference: a shape and a flat row-major
// vector. There are no views and no strides, so that what an operator reads is
// visible in its index arithmetic.
//
// Every violated expectation throws std::invalid_argument with the name of the
// operand, what it is and what was expected.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_REFERENCE_TENSOR_H_
#define GSA_TEST_REFERENCE_TENSOR_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gsa::reference {

using Shape = std::vector<int64_t>;

/// "[2, 3, 5]".
inline std::string ShapeToString(const Shape& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(shape[i]);
  }
  return text + "]";
}

/// Throws std::invalid_argument unless `condition` holds.
inline void Require(bool condition, const std::string& message) {
  if (!condition) throw std::invalid_argument(message);
}

/// Product of the dimensions. Throws if a dimension is negative or if the
/// product does not fit into 63 bits.
inline int64_t ElementCount(const Shape& shape) {
  int64_t count = 1;
  for (int64_t dim : shape) {
    Require(dim >= 0, "negative dimension in shape " + ShapeToString(shape));
    if (dim != 0 && count > std::numeric_limits<int64_t>::max() / dim) {
      throw std::invalid_argument("shape " + ShapeToString(shape) +
                                  " has more than 2^63 - 1 elements");
    }
    count *= dim;
  }
  return count;
}

/// A dense row-major tensor; rank 0 is a scalar with one element.
template <typename T>
class Tensor {
 public:
  /// No dimensions known, no elements; differs from the scalar `Tensor({})`.
  Tensor() = default;
  explicit Tensor(Shape shape, T fill = T())
      : shape_(std::move(shape)), data_(ElementCount(shape_), fill) {}
  Tensor(Shape shape, std::vector<T> data)
      : shape_(std::move(shape)), data_(std::move(data)) {
    Require(ElementCount(shape_) == size(),
            "a tensor of shape " + ShapeToString(shape_) + " was given " +
                std::to_string(data_.size()) + " elements, expected " +
                std::to_string(ElementCount(shape_)));
  }

  const Shape& shape() const { return shape_; }
  int64_t rank() const { return static_cast<int64_t>(shape_.size()); }
  int64_t dim(int64_t i) const { return shape_.at(i); }
  int64_t size() const { return static_cast<int64_t>(data_.size()); }
  T* data() { return data_.data(); }
  const T* data() const { return data_.data(); }
  std::vector<T>& values() { return data_; }
  const std::vector<T>& values() const { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }

  /// The element at a full index; throws if out of range.
  template <typename... Index>
  T& At(Index... index) {
    return data_[CheckedOffset({static_cast<int64_t>(index)...})];
  }
  template <typename... Index>
  const T& At(Index... index) const {
    return data_[CheckedOffset({static_cast<int64_t>(index)...})];
  }

  /// The first element of the slice at the leading indices `index`; the slice
  /// is contiguous. Unchecked, for inner loops.
  template <typename... Index>
  T* Slice(Index... index) {
    return data_.data() + PrefixOffset({static_cast<int64_t>(index)...});
  }
  template <typename... Index>
  const T* Slice(Index... index) const {
    return data_.data() + PrefixOffset({static_cast<int64_t>(index)...});
  }

  friend bool operator==(const Tensor& a, const Tensor& b) {
    return a.shape_ == b.shape_ && a.data_ == b.data_;
  }

 private:
  int64_t PrefixOffset(std::initializer_list<int64_t> index) const {
    int64_t offset = 0;
    size_t axis = 0;
    for (int64_t i : index) offset = offset * shape_[axis++] + i;
    for (; axis < shape_.size(); ++axis) offset *= shape_[axis];
    return offset;
  }
  int64_t CheckedOffset(std::initializer_list<int64_t> index) const {
    Require(index.size() == shape_.size(),
            std::to_string(index.size()) + " indices for a tensor of shape " +
                ShapeToString(shape_));
    size_t axis = 0;
    for (int64_t i : index) {
      Require(i >= 0 && i < shape_[axis],
              "index " + std::to_string(i) + " of axis " +
                  std::to_string(axis) + " outside shape " +
                  ShapeToString(shape_));
      ++axis;
    }
    return PrefixOffset(index);
  }

  Shape shape_;
  std::vector<T> data_;
};

/// The given rows of axis 1: [B, R, ...] of a tensor [B, S, ...]. Throws unless
/// they exist.
template <typename T>
Tensor<T> TakeRows(const Tensor<T>& tensor, const std::vector<int64_t>& rows) {
  Require(
      tensor.rank() >= 2,
      "a tensor of shape " + ShapeToString(tensor.shape()) + " has no axis 1");
  Shape shape = tensor.shape();
  int64_t size = shape[1];
  shape[1] = static_cast<int64_t>(rows.size());
  Tensor<T> taken(shape);
  T* to = taken.data();
  for (int64_t b = 0; b < shape[0]; ++b) {
    for (int64_t row : rows) {
      Require(0 <= row && row < size, "row " + std::to_string(row) +
                                          " outside shape " +
                                          ShapeToString(tensor.shape()));
      const T* from = tensor.Slice(b, row);
      to = std::copy(from, from + taken.size() / (shape[0] * shape[1]), to);
    }
  }
  return taken;
}

/// Throws unless `tensor` has exactly the shape `expected`.
template <typename T>
void RequireShape(const char* name, const Tensor<T>& tensor,
                  const Shape& expected) {
  Require(tensor.shape() == expected,
          std::string(name) + " has shape " + ShapeToString(tensor.shape()) +
              ", expected " + ShapeToString(expected));
}

/// Throws unless `tensor` has `rank` dimensions.
template <typename T>
void RequireRank(const char* name, const Tensor<T>& tensor, int64_t rank) {
  Require(tensor.rank() == rank, std::string(name) + " has shape " +
                                     ShapeToString(tensor.shape()) +
                                     ", expected rank " + std::to_string(rank));
}

}  // namespace gsa::reference

#endif  // GSA_TEST_REFERENCE_TENSOR_H_
