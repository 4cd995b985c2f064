// -----------------------------------------------------------------------------
// File: capi_hpp_test.cc
// -----------------------------------------------------------------------------
//
// gsa.hpp where it says more than a call of gsa.h: strides and offsets of
// tensors, times of stages.

#include <gsa/gsa.hpp>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using testing::HasSubstr;

constexpr char kGate[] = R"mlir(
func.func @main(%x: tensor<1x3x2x4xf32> {gsa.name = "x"},
                %logits: tensor<1x3x2x4xf32> {gsa.name = "logits"})
    -> (tensor<1x3x2x4xf32> {gsa.name = "y"}) {
  %y = gsa.gate %x, %logits
      : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %y : tensor<1x3x2x4xf32>
}
)mlir";
constexpr size_t kCount = 24;

class HppTest : public testing::Test {
 protected:
  void SetUp() override {
    gsa::CompileOptions options;
    options.num_threads = 1;
    gsa::Result<gsa::Plan> compiled = gsa::Compile(kGate, options);
    ASSERT_TRUE(compiled.ok()) << compiled.status().message();
    plan_ = std::make_unique<gsa::Plan>(*compiled);
    for (const gsa::TensorInfo& info : plan_->inputs()) Add(info, &inputs_);
    for (const gsa::TensorInfo& info : plan_->outputs()) Add(info, &outputs_);
    gsa::Result<gsa::Buffer> workspace = plan_->MakeWorkspace();
    ASSERT_TRUE(workspace.ok());
    workspace_ = std::make_unique<gsa::Buffer>(std::move(*workspace));
    run_.workspace = workspace_.get();
  }

  // A tensor that begins GSA_ALIGNMENT bytes into its memory.
  void Add(const gsa::TensorInfo& info, std::vector<gsa::TensorView>* views) {
    gsa::Result<gsa::Buffer> buffer =
        gsa::Buffer::Allocate(info.bytes + GSA_ALIGNMENT);
    ASSERT_TRUE(buffer.ok());
    gsa::TensorView view = gsa::HostTensor(info, buffer->data());
    view.byte_offset = GSA_ALIGNMENT;
    buffers_.push_back(std::move(*buffer));
    views->push_back(view);
  }

  static float* Values(const gsa::TensorView& view) {
    return reinterpret_cast<float*>(static_cast<char*>(view.data) +
                                    view.byte_offset);
  }

  std::unique_ptr<gsa::Plan> plan_;
  std::vector<gsa::Buffer> buffers_;
  std::vector<gsa::TensorView> inputs_, outputs_;
  std::unique_ptr<gsa::Buffer> workspace_;
  gsa::RunOptions run_;
};

TEST_F(HppTest, OffsetsAndDenseStrides) {
  for (size_t i = 0; i < kCount; ++i)
    Values(inputs_[0])[i] = static_cast<float>(i);
  inputs_[0].strides = {24, 8, 4, 1};
  const gsa::Status status = plan_->Run(inputs_, outputs_, run_);
  ASSERT_TRUE(status.ok()) << status.message();
  // Logits of 0 halve.
  for (size_t i = 0; i < kCount; ++i)
    EXPECT_EQ(Values(outputs_[0])[i], 0.5f * static_cast<float>(i));
}

TEST_F(HppTest, OtherStridesAreRefused) {
  inputs_[0].strides = {24, 8, 1, 2};
  gsa::Status status = plan_->Run(inputs_, outputs_, run_);
  EXPECT_EQ(status.code(), GSA_INVALID_ARGUMENT);
  EXPECT_THAT(status.message(), HasSubstr("expected dense row-major strides"));
  inputs_[0].strides = {4, 1};
  status = plan_->Run(inputs_, outputs_, run_);
  EXPECT_EQ(status.code(), GSA_INVALID_ARGUMENT);
  EXPECT_THAT(status.message(),
              HasSubstr("strides: expected 4, one per dimension, or none, got "
                        "2"));
}

TEST_F(HppTest, StagesHaveNamesAndTimes) {
  std::vector<double> milliseconds = {-1, -1, -1, -1, -1};
  run_.stage_milliseconds = &milliseconds;
  const gsa::Status status = plan_->Run(inputs_, outputs_, run_);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(milliseconds.size(), plan_->stage_names().size());
  EXPECT_THAT(milliseconds, testing::Each(testing::Ge(0.0)));
  EXPECT_EQ(plan_->stage_names().size(), gsa_plan_num_stages(plan_->get()));
}

}  // namespace
