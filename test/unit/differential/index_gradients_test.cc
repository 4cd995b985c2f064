//===- index_gradients_test.cc - compiled training of the indexer ---------===//
//
// Gradients of scores, the loss and its gradient against the reference, over
// lists that no selection makes and over all keys that a mask shows.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "test/unit/differential/index_gradients_testing.h"

namespace gsa::differential {
namespace {

std::shared_ptr<const Plan> Compile(const IndexInputs& inputs, int threads,
                                    Form form = Form::kLoops) {
  return CompileGradients(IndexModuleText(inputs.heads), inputs, threads, form);
}

// Gradients of scores add up to 0 over a row, and so does what depends on them
// alike: there a tolerance is one of the terms, whose size is about 1.

TEST(IndexGradients, OverHostileListsAreThoseOfTheReference) {
  IndexInputs inputs({DType::kF64}, 2, 11, 8, /*seed=*/1);
  // A NaN concerns the rows that list its key, one in lse its row; 0 keys, a
  // batch.
  static_cast<double*>(inputs.tensors["ik"].raw_data())[3] = std::nan("");
  static_cast<double*>(inputs.tensors["lse"].raw_data())[5] = std::nan("");
  auto* lengths = static_cast<int32_t*>(inputs.tensors["lengths"].raw_data());
  lengths[0] = 8;
  lengths[1] = 0;
  // A count above the slots, where the list of the next row begins with a key
  // that is not in this one.
  auto* indices = static_cast<int32_t*>(inputs.tensors["indices"].raw_data());
  auto* counts = static_cast<int32_t*>(inputs.tensors["counts"].raw_data());
  const int64_t slots = inputs.heads.slots;
  std::fill_n(indices + 2 * slots, slots, 1);
  indices[3 * slots] = 2;
  counts[2] = static_cast<int32_t>(slots) + 1;
  counts[3] = 1;
  for (Form form : {Form::kLoops, Form::kDefinition}) {
    SCOPED_TRACE(form == Form::kLoops ? "loops" : "definition");
    ExpectClose(RunPlan(Compile(inputs, 1, form), inputs.tensors),
                IndexReference(inputs), 1e-12, 1.0);
  }
}

TEST(IndexGradients, OfAnyHeadsAreThoseOfTheReference) {
  // One element; whole vectors and a rest; more vectors than are unrolled; no
  // slot; one key head for all.
  const IndexHeads cases[] = {{DType::kF32, 1, 1, 1, 1, 1, 1},
                              {DType::kF32, 4, 33, 0, 4, 4, 64},
                              {DType::kF16, 2, 16, 3, 6, 1, 31},
                              {DType::kF64, 2, 300, 4, 2, 1, 257},
                              {DType::kBF16, 4, 64, 5, 8, 2, 32}};
  uint32_t seed = 10;
  for (const IndexHeads& heads : cases) {
    for (Form form : {Form::kLoops, Form::kDefinition}) {
      SCOPED_TRACE(testing::Message()
                   << DTypeName(heads.type) << " Hi" << heads.heads << " Di"
                   << heads.depth << " K" << heads.slots << " H"
                   << heads.attention_heads << " D" << heads.attention_depth
                   << (form == Form::kLoops ? " loops" : " definition"));
      IndexInputs inputs(heads, 1, 5, 6, ++seed);
      double tolerance = heads.type == DType::kF64    ? 1e-11
                         : heads.type == DType::kF32  ? 1e-5
                         : heads.type == DType::kBF16 ? 0x1p-8
                                                      : 0x1p-10;
      ExpectClose(RunPlan(Compile(inputs, 2, form), inputs.tensors, 2),
                  IndexReference(inputs), tolerance, 1.0);
    }
  }
}

TEST(IndexGradients, OfNothingAreZeroOrNothing) {
  const std::array<int64_t, 3> cases[] = {{2, 5, 0}, {2, 0, 5}, {0, 3, 4}};
  for (auto [batch, queries, keys] : cases) {
    for (Form form : {Form::kLoops, Form::kDefinition}) {
      SCOPED_TRACE(testing::Message()
                   << "B" << batch << " Sq" << queries << " Sk" << keys
                   << (form == Form::kLoops ? " loops" : " definition"));
      IndexInputs inputs({}, batch, queries, keys, /*seed=*/20);
      ExpectClose(RunPlan(Compile(inputs, 2, form), inputs.tensors, 2),
                  IndexReference(inputs), 0.0);
    }
  }
}

TEST(IndexGradients, HaveTheSameBitsOnAnyNumberOfThreads) {
  for (DType type : {DType::kF32, DType::kBF16}) {
    SCOPED_TRACE(DTypeName(type));
    IndexInputs inputs({type}, 2, 37, 19, /*seed=*/2);
    Tensors one = RunPlan(Compile(inputs, 1), inputs.tensors);
    ExpectClose(one, IndexReference(inputs),
                type == DType::kF32 ? 1e-5 : 0x1p-8, 1.0);
    ExpectSameOnThreads(one, Compile(inputs, 5), inputs.tensors);
  }
}

TEST(IndexGradients, OfAPlanForBoundsAreThoseOfAPlanForSizes) {
  IndexInputs largest({}, 2, 13, 17, /*seed=*/3);
  IndexInputs inputs({}, 2, 5, 9, /*seed=*/4);
  ExpectSameOfBounds(Compile(largest, 2, Form::kBounds), Compile(inputs, 2),
                     inputs.tensors);
}

}  // namespace
}  // namespace gsa::differential
