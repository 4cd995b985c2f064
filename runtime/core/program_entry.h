// -----------------------------------------------------------------------------
// File: program_entry.h
// -----------------------------------------------------------------------------
//
// The bytes of one entry of a program cache (runtime/core/program_cache.h):
//
//   8 bytes    "GSAENTRY"
//   4 bytes    version of this format, little-endian
//   4 bytes    bytes of the header, little-endian
//   header     JSON: {"bytes":N,"fields":{"arch":"sm_90a",...},"key":"...",
//              "kind":"cubin"}; N is the size of the payload
//   payload    N bytes
//   64 bytes   SHA-256 of everything before it, in hexadecimal digits
//
// A change of what an entry holds gets a new version: entries of another one
// are refused, never converted.

#ifndef GSA_RUNTIME_CORE_PROGRAM_ENTRY_H_
#define GSA_RUNTIME_CORE_PROGRAM_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"

namespace gsa {

inline constexpr uint32_t kProgramEntryVersion = 1;

// Compiled code is far below; what is above is no entry of ours, and is not
// read into memory.
inline constexpr size_t kMaxProgramEntryBytes = size_t{256} << 20;

struct ProgramEntry {
  std::string key;   // 64 hexadecimal digits, see IsProgramKey
  std::string kind;  // "cubin", "ptx", "nvrtc": of the payload
  // What people and the reader of the kind want to know beside the payload.
  std::map<std::string, std::string> fields;
  std::string payload;

  // The field, or "".
  std::string Field(const std::string& name) const;
};

// Why a file was not taken for an entry.
enum class EntryRefusal : uint8_t {
  kNone,
  kAbsent,      // not there
  kUnreadable,  // the system did not open or read it
  kNotAFile,    // a link, a directory, a device
  kForeign,     // of another user
  kWritable,    // others may write to it
  kTooLarge,    // beyond kMaxProgramEntryBytes
  kFormat,      // no entry, or of another version of the format
  kTruncated,   // shorter than any entry
  kChanged,     // the digest is another one
  kHeader,      // the digest is right and the header is not: not written by us
  kKey,         // an entry of another key
};
inline constexpr int kNumEntryRefusals = 12;

// "is a link or no file"; a sentence without its subject.
const char* Describe(EntryRefusal refusal);

// Whether `text` is a key: 64 digits of SHA-256.
bool IsProgramKey(absl::string_view text);

// The bytes of an entry. The key must be one.
std::string EncodeProgramEntry(const ProgramEntry& entry);

// Reads what EncodeProgramEntry wrote into `*entry`. With any bytes: kNone, or
// the reason and `*entry` in no particular state. Where `key` is not empty the
// entry must have that one.
EntryRefusal DecodeProgramEntry(absl::string_view bytes, absl::string_view key,
                                ProgramEntry* entry);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_PROGRAM_ENTRY_H_
