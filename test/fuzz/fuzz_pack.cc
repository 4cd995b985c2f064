// -----------------------------------------------------------------------------
// File: fuzz_pack.cc
// -----------------------------------------------------------------------------
//
// Packs. The input is what stands between the version and the digest, which are
// made here: a file with the right ones may hold anything.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/core/sha256.h"
#include "runtime/load_plan.h"
#include "runtime/pack.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  gsa::DecodePack(input, "raw").status().IgnoreError();
  std::string bytes("GSAPACKS");
  bytes += static_cast<char>(gsa::kPackVersion);
  bytes.append(7, '\0');
  bytes.append(input.data(), input.size());
  gsa::Sha256 hash;
  hash.Update(bytes);
  bytes += hash.HexDigest();
  const auto pack = gsa::DecodePack(bytes, "p");
  if (!pack.ok()) return 0;
  for (const gsa::PackedPlan& plan : pack->plans) {
    plan.ToString();
    if (plan.kind == gsa::TargetKind::kCuda)
      gsa::Validate(plan.program, {}).IgnoreError();
  }
  gsa::FindPlan(*pack, gsa::TargetKind::kCuda, "sm_90a", {})
      .status()
      .IgnoreError();
  // What was taken is a pack like any other.
  if (!gsa::DecodePack(gsa::EncodePack(*pack), "again").ok()) std::abort();
  return 0;
}
