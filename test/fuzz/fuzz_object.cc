// -----------------------------------------------------------------------------
// File: fuzz_object.cc
// -----------------------------------------------------------------------------
//
// Programs for the CPU as an entry of a cache, or a plan of a pack, holds them.
// The machine code in them is not run: who can write an entry's digest can
// write any code, which is why directories of others are refused.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/cpu_objects.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  gsa::CpuProgram program;
  if (!gsa::DecodeCpuProgram(input, &program)) return 0;
  // What was taken is a program like any other.
  const std::string bytes = gsa::EncodeCpuProgram(program);
  gsa::CpuProgram again;
  if (!gsa::DecodeCpuProgram(bytes, &again) ||
      gsa::EncodeCpuProgram(again) != bytes)
    std::abort();
  return 0;
}
