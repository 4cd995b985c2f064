// -----------------------------------------------------------------------------
// File: core_tensor_test.cc
// -----------------------------------------------------------------------------

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/tensor.h"

namespace gsa {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
HostTensor Make(std::vector<T> values) {
  return HostTensor::FromValues<T>("t", {static_cast<int64_t>(values.size())},
                                   values)
      .value();
}

std::string Message(const absl::Status& status) {
  return std::string(status.message());
}

TEST(TensorTest, CreatesAlignedZeroes) {
  HostTensor tensor = HostTensor::Create("x", DType::kBF16, {3, 5, 7}).value();
  EXPECT_EQ(tensor.num_elements(), 105);
  EXPECT_EQ(tensor.byte_size(), 210u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.raw_data()) % 64, 0u);
  for (BF16 value : tensor.values<BF16>()) EXPECT_EQ(value.bits, 0);
  EXPECT_EQ(tensor.type_string(), "bf16[3, 5, 7]");
}

TEST(TensorTest, ScalarsAndEmptyTensors) {
  HostTensor scalar = HostTensor::Create("s", DType::kF64, {}).value();
  EXPECT_EQ(scalar.num_elements(), 1);
  HostTensor empty = HostTensor::Create("e", DType::kF32, {4, 0}).value();
  EXPECT_EQ(empty.num_elements(), 0);
  EXPECT_NE(empty.raw_data(), nullptr);
  EXPECT_TRUE(empty.values<float>().empty());
  EXPECT_EQ(empty.ConvertTo(DType::kI64).value().shape(),
            (std::vector<int64_t>{4, 0}));
}

TEST(TensorTest, RefusesImpossibleShapes) {
  constexpr int64_t kBig = int64_t{1} << 62;
  struct Case {
    std::vector<int64_t> shape;
    const char* message;
  };
  const Case cases[] = {
      {{2, -1}, "negative dimension"},
      {{kBig, 2}, "more than 2^63-1 elements"},
      {{kBig, kBig, kBig}, "more than 2^63-1 elements"},
      {{0, kBig, kBig}, "more than 2^63-1 elements"},
      {{kBig}, "more than 2^63-1 bytes"},
      {{std::numeric_limits<int64_t>::max()}, "more than 2^63-1 bytes"},
      {std::vector<int64_t>(17, 1), "rank 17 exceeds the limit of 16"},
  };
  for (const Case& c : cases) {
    const absl::Status status =
        HostTensor::Create("w", DType::kF32, c.shape).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(Message(status),
                AllOf(HasSubstr("tensor 'w'"), HasSubstr(c.message)));
  }
}

TEST(TensorTest, RefusesMoreThanTheMachineHas) {
  const absl::Status status =
      HostTensor::Create("w", DType::kF32, {int64_t{1} << 60}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(Message(status), HasSubstr("tensor 'w': cannot allocate"));
}

TEST(TensorTest, FromBytesChecksTheSize) {
  const std::string bytes(11, '\1');
  const absl::Status status =
      HostTensor::FromBytes("w", DType::kF32, {3}, bytes).status();
  EXPECT_THAT(Message(status),
              HasSubstr("got 11 bytes, expected 12 for f32[3]"));
}

TEST(TensorTest, NamesAreEscapedInMessages) {
  const absl::Status status =
      HostTensor::Create("a\n\x1b[2J", DType::kF32, {-1}).status();
  EXPECT_THAT(Message(status), HasSubstr("tensor 'a\\n\\x1b[2J'"));
}

TEST(TensorTest, FloatsConvertWithOneRounding) {
  HostTensor tensor = Make<double>({1.0 + 0x1p-8 + 0x1p-40, -2.5, 1e39});
  HostTensor narrow = tensor.ConvertTo(DType::kBF16).value();
  EXPECT_EQ(ElementAsDouble(narrow.view(), 0), 1.0 + 0x1p-7);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 1), -2.5);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 2),
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(narrow.name(), "t");
}

TEST(TensorTest, IntegersConvertWithOneRounding) {
  // 2^54 + 2^46 is the midpoint of two bfloat16 values, and one more rounds up;
  // by way of a double that one would be lost and the tie go down to even.
  const int64_t midpoint = (int64_t{1} << 54) + (int64_t{1} << 46);
  HostTensor tensor =
      Make<int64_t>({midpoint, midpoint + 1, -midpoint - 1,
                     std::numeric_limits<int64_t>::min(), 0, -3});
  HostTensor narrow = tensor.ConvertTo(DType::kBF16).value();
  EXPECT_EQ(ElementAsDouble(narrow.view(), 0), 0x1p54);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 1), 0x1p54 + 0x1p47);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 2), -0x1p54 - 0x1p47);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 3), -0x1p63);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 4), 0.0);
  EXPECT_EQ(ElementAsDouble(narrow.view(), 5), -3.0);
}

TEST(TensorTest, ToIntegerOnlyWhereExact) {
  EXPECT_THAT(Make<float>({-3.0f, 0.0f, 7.0f})
                  .ConvertTo(DType::kI32)
                  .value()
                  .values<int32_t>(),
              ElementsAre(-3, 0, 7));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  struct Case {
    float value;
    DType dtype;
  };
  const Case cases[] = {{0.5f, DType::kI32},    {nan, DType::kI64},
                        {nan, DType::kBool},    {-1.0f, DType::kU8},
                        {256.f, DType::kU8},    {0x1p31f, DType::kI32},
                        {0x1p63f, DType::kI64}, {-INFINITY, DType::kI64}};
  for (const Case& c : cases) {
    const absl::Status status =
        Make<float>({1.0f, c.value}).ConvertTo(c.dtype).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.value;
    EXPECT_THAT(Message(status), HasSubstr("element 1 is")) << c.value;
  }
  EXPECT_FALSE(Make<int64_t>({int64_t{1} << 31}).ConvertTo(DType::kI32).ok());
  EXPECT_EQ(Make<float>({-0x1p63f})
                .ConvertTo(DType::kI64)
                .value()
                .values<int64_t>()[0],
            std::numeric_limits<int64_t>::min());
}

TEST(TensorTest, ToBoolMeansNotZero) {
  HostTensor tensor = Make<float>({-0.0f, 0.25f, -INFINITY});
  HostTensor result = tensor.ConvertTo(DType::kBool).value();
  EXPECT_THAT(result.values<bool>(), ElementsAre(false, true, true));
}

TEST(TensorTest, EveryPairOfTypesKeepsSmallIntegers) {
  for (DType from : AllDTypes()) {
    HostTensor source = Make<int64_t>({0, 1}).ConvertTo(from).value();
    for (DType to : AllDTypes()) {
      HostTensor result = source.ConvertTo(to).value();
      EXPECT_EQ(result.dtype(), to);
      EXPECT_EQ(ElementAsDouble(result.view(), 0), 0.0);
      EXPECT_EQ(ElementAsDouble(result.view(), 1), 1.0);
    }
  }
}

TEST(TensorTest, CloneIsIndependent) {
  HostTensor tensor = Make<int32_t>({1, 2});
  HostTensor clone = tensor.Clone().value();
  clone.values<int32_t>()[0] = 9;
  EXPECT_THAT(tensor.values<int32_t>(), ElementsAre(1, 2));
}

TEST(TensorTest, ReshapeKeepsTheElements) {
  HostTensor tensor = Make<int32_t>({1, 2, 3, 4, 5, 6});
  ASSERT_TRUE(tensor.Reshape({2, 3}).ok());
  EXPECT_EQ(tensor.type_string(), "i32[2, 3]");
  EXPECT_THAT(Message(tensor.Reshape({4})),
              HasSubstr("cannot reshape [2, 3] to [4]"));
  EXPECT_FALSE(tensor.Reshape({-2, -3}).ok());
  EXPECT_EQ(tensor.type_string(), "i32[2, 3]");
}

TEST(TensorDeathTest, WrongElementTypeAborts) {
  HostTensor tensor = Make<int32_t>({1});
  EXPECT_DEATH(tensor.values<float>(), "accessed as f32, but it is i32");
}

}  // namespace
}  // namespace gsa
