// -----------------------------------------------------------------------------
// File: fuzz_entry.cc
// -----------------------------------------------------------------------------
//
// Entries of the program cache. The input is one without its digest, which is
// made here: a file with the right one may hold anything.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/core/program_entry.h"
#include "runtime/core/sha256.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view input(reinterpret_cast<const char*>(data), size);
  gsa::ProgramEntry entry;
  gsa::DecodeProgramEntry(input, "", &entry);
  gsa::Sha256 hash;
  hash.Update(input);
  const std::string bytes = std::string(input) + hash.HexDigest();
  if (gsa::DecodeProgramEntry(bytes, "", &entry) != gsa::EntryRefusal::kNone)
    return 0;
  // What was taken is an entry like any other.
  gsa::ProgramEntry again;
  if (gsa::DecodeProgramEntry(gsa::EncodeProgramEntry(entry), entry.key,
                              &again) != gsa::EntryRefusal::kNone ||
      again.payload != entry.payload)
    std::abort();
  return 0;
}
