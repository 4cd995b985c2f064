// -----------------------------------------------------------------------------
// File: capi_run_test.cc
// -----------------------------------------------------------------------------
//
// Runs that gsa_run and gsa_run_named refuse, and what they say.

#include <gsa/gsa.h>

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "test/unit/capi_testing.h"

namespace {

using capi_testing::CapiRun;
using capi_testing::ExpectInvalid;
using testing::AllOf;
using testing::HasSubstr;

// ---- Counts and names -------------------------------------------------------

class CapiRunNames : public CapiRun {};

TEST_F(CapiRunNames, WrongCountsSayWhatIsExpected) {
  // Nothing beyond what the plan has is read.
  for (size_t count : {size_t{0}, size_t{3}, SIZE_MAX}) {
    ExpectInvalid(gsa_run(plan.get(), buffers->inputs.data(), count,
                          buffers->outputs.data(), 1, buffers->workspace,
                          buffers->workspace_bytes, nullptr),
                  HasSubstr("expected 2 inputs ('x', 'arg1'), got " +
                            std::to_string(count)));
  }
  ExpectInvalid(gsa_run(plan.get(), buffers->inputs.data(), 2, nullptr, 0,
                        buffers->workspace, buffers->workspace_bytes, nullptr),
                HasSubstr("expected 1 output ('y'), got 0"));
}

TEST_F(CapiRunNames, UnknownNamesComeWithTheKnownOnes) {
  buffers->input_names[1] = "arg2";
  ExpectInvalid(buffers->RunNamed(plan.get()),
                HasSubstr("input 'arg2': the plan has no such input, expected "
                          "2 inputs ('x', 'arg1'); did you mean 'arg1'?"));
  buffers->input_names[1] = "arg1";
  buffers->output_names[0] = "result0";
  ExpectInvalid(buffers->RunNamed(plan.get()),
                HasSubstr("output 'result0': the plan has no such output, "
                          "expected 1 output ('y')"));
}

TEST_F(CapiRunNames, MissingNamesAreNamed) {
  ExpectInvalid(
      gsa_run_named(plan.get(), buffers->input_names.data(),
                    buffers->inputs.data(), 1, buffers->output_names.data(),
                    buffers->outputs.data(), 1, buffers->workspace,
                    buffers->workspace_bytes, nullptr),
      HasSubstr("input 'arg1': expected a tensor for each of 2 inputs ('x', "
                "'arg1'), got none for this one"));
}

// ---- Sums of addresses and sizes --------------------------------------------

class CapiRunMemory : public CapiRun {};

TEST_F(CapiRunMemory, ByteOffsetsThatWrapAreRefused) {
  // The address that wraps is aligned, and in memory that can be read.
  buffers->inputs[0].byte_offset = UINT64_MAX - 63;
  ExpectRefused(
      AllOf(HasSubstr("input 'x': expected byte_offset to be at most"),
            HasSubstr("got 18446744073709551552")));
  buffers->inputs[0].byte_offset = 0;
  buffers->outputs[0].byte_offset = UINT64_MAX - 63;
  ExpectRefused(HasSubstr("output 'y': expected byte_offset"));
}

TEST_F(CapiRunMemory, TensorsThatWouldEndBeyondTheLastAddressAreRefused) {
  const gsa_tensor good = buffers->inputs[0];
  const uint64_t last = UINT64_MAX - 63;
  buffers->inputs[0].data = reinterpret_cast<void*>(uintptr_t{64});
  buffers->inputs[0].byte_offset = last - 64;
  ExpectRefused(
      HasSubstr("input 'x': expected 120 bytes of memory, got the 63 "
                "before the last address"));
  buffers->inputs[0] = good;
  buffers->outputs[0].data = reinterpret_cast<void*>(uintptr_t{last});
  ExpectInvalid(buffers->Run(plan.get()),
                HasSubstr("output 'y': expected 120 bytes"));
}

TEST_F(CapiRunMemory, AnyLargeEnoughStatedWorkspaceWillDo) {
  for (size_t stated : {size_t{1} << 40, SIZE_MAX}) {
    buffers->workspace_bytes = stated;
    EXPECT_OK(buffers->Run(plan.get()));
    capi_testing::ExpectGate(*buffers);
  }
}

}  // namespace
