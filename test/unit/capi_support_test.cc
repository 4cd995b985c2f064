// -----------------------------------------------------------------------------
// File: capi_support_test.cc
// -----------------------------------------------------------------------------
//
// What gsa_check_support says of kernels.

#include <gsa/gsa.h>

#include <cstring>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

// The messages of the reasons, each of which is of code GSA_UNIMPLEMENTED.
std::vector<std::string> Reasons(const char* text, const char* target) {
  gsa_compile_options options = {};
  options.struct_size = sizeof(options);
  options.num_threads = 1;
  options.target = target;
  gsa_support* support = nullptr;
  gsa_status* status =
      gsa_check_support(text, std::strlen(text), nullptr, &options, &support);
  EXPECT_EQ(status, nullptr) << gsa_status_message(status);
  gsa_status_destroy(status);
  std::vector<std::string> reasons;
  for (size_t i = 0; i < gsa_support_num_reasons(support); ++i) {
    EXPECT_EQ(gsa_support_code(support, i), GSA_UNIMPLEMENTED);
    reasons.push_back(gsa_support_reason(support, i));
  }
  gsa_support_destroy(support);
  return reasons;
}

// 64 heads of 128 do not fit the shared memory of any GPU; the CPU has room.
TEST(CapiSupportKernels, SaysWhatAKernelHasNoRoomFor) {
  const char text[] =
      "func.func @main(%q: tensor<1x64x64x128xbf16>,\n"
      "    %k: tensor<1x64x128xbf16>, %w: tensor<1x64x64xbf16>)\n"
      "    -> tensor<1x64x16xi32> {\n"
      "  %i, %c, %s = gsa.select %q, %k weights %w policy <fixed, base = 16>\n"
      "      : (tensor<1x64x64x128xbf16>, tensor<1x64x128xbf16>,\n"
      "         tensor<1x64x64xbf16>) -> (tensor<1x64x16xi32>,\n"
      "         tensor<1x64xi32>, tensor<1x64xi32>)\n"
      "  return %i : tensor<1x64x16xi32>\n}";
  EXPECT_THAT(Reasons(text, "cpu"), testing::IsEmpty());
  EXPECT_THAT(
      Reasons(text, "emu"),
      testing::ElementsAre(testing::HasSubstr(
          "64 indexer heads of 128 need 266240 bytes of shared memory for "
          "their queries, more than 101376; legal are up to 23 heads of 128, "
          "or 64 heads of up to 48")));
}

}  // namespace
