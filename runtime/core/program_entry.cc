// -----------------------------------------------------------------------------
// File: program_entry.cc
// -----------------------------------------------------------------------------

#include "runtime/core/program_entry.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/sha256.h"

namespace gsa {
namespace {

using nlohmann::json;

constexpr absl::string_view kMagic = "GSAENTRY";
constexpr size_t kDigestBytes = 64;
// Magic, version and size of the header.
constexpr size_t kFixedBytes = 16;

void AppendWord(uint32_t word, std::string* bytes) {
  for (int shift = 0; shift < 32; shift += 8)
    *bytes += static_cast<char>(word >> shift);
}

uint32_t WordAt(absl::string_view bytes, size_t offset) {
  uint32_t word = 0;
  for (size_t i = 0; i < 4; ++i)
    word |= uint32_t{static_cast<unsigned char>(bytes[offset + i])} << (8 * i);
  return word;
}

std::string DigestOf(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

// The string under `name` of an object.
bool ReadString(const json& object, const char* name, std::string* text) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return false;
  *text = found->get<std::string>();
  return true;
}

bool ReadHeader(const json& header, size_t payload_bytes, ProgramEntry* entry) {
  if (!header.is_object()) return false;
  if (!ReadString(header, "key", &entry->key) || !IsProgramKey(entry->key) ||
      !ReadString(header, "kind", &entry->kind))
    return false;
  const auto bytes = header.find("bytes");
  if (bytes == header.end() || !bytes->is_number_unsigned() ||
      bytes->get<uint64_t>() != payload_bytes)
    return false;
  const auto fields = header.find("fields");
  if (fields == header.end() || !fields->is_object()) return false;
  entry->fields.clear();
  for (auto it = fields->begin(); it != fields->end(); ++it) {
    if (!it->is_string()) return false;
    entry->fields[it.key()] = it->get<std::string>();
  }
  return true;
}

}  // namespace

std::string ProgramEntry::Field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? "" : found->second;
}

const char* Describe(EntryRefusal refusal) {
  switch (refusal) {
    case EntryRefusal::kNone:
      return "is an entry";
    case EntryRefusal::kAbsent:
      return "is not there";
    case EntryRefusal::kUnreadable:
      return "cannot be read";
    case EntryRefusal::kNotAFile:
      return "is a link or no file";
    case EntryRefusal::kForeign:
      return "belongs to another user";
    case EntryRefusal::kWritable:
      return "can be written by others";
    case EntryRefusal::kTooLarge:
      return "is too large for an entry";
    case EntryRefusal::kFormat:
      return "is no entry of this version";
    case EntryRefusal::kTruncated:
      return "is cut off";
    case EntryRefusal::kChanged:
      return "has been changed or cut off";
    case EntryRefusal::kHeader:
      return "has a header that this library does not write";
    case EntryRefusal::kKey:
      return "is the entry of another key";
  }
  return "";
}

bool IsProgramKey(absl::string_view text) {
  return text.size() == kDigestBytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string EncodeProgramEntry(const ProgramEntry& entry) {
  json header = {{"key", entry.key},
                 {"kind", entry.kind},
                 {"bytes", entry.payload.size()},
                 {"fields", json::object()}};
  for (const auto& [name, text] : entry.fields) header["fields"][name] = text;
  // A log may quote bytes that are no UTF-8.
  const std::string text =
      header.dump(-1, ' ', false, json::error_handler_t::replace);
  std::string bytes(kMagic);
  AppendWord(kProgramEntryVersion, &bytes);
  AppendWord(static_cast<uint32_t>(text.size()), &bytes);
  absl::StrAppend(&bytes, text, entry.payload);
  const std::string digest = DigestOf(bytes);
  bytes += digest;
  return bytes;
}

EntryRefusal DecodeProgramEntry(absl::string_view bytes, absl::string_view key,
                                ProgramEntry* entry) {
  if (bytes.size() > kMaxProgramEntryBytes) return EntryRefusal::kTooLarge;
  if (bytes.size() < kFixedBytes + kDigestBytes)
    return EntryRefusal::kTruncated;
  if (!absl::StartsWith(bytes, kMagic) ||
      WordAt(bytes, kMagic.size()) != kProgramEntryVersion)
    return EntryRefusal::kFormat;
  // Before anything else is believed.
  const size_t end = bytes.size() - kDigestBytes;
  if (DigestOf(bytes.substr(0, end)) != bytes.substr(end))
    return EntryRefusal::kChanged;
  const size_t header_bytes = WordAt(bytes, kMagic.size() + 4);
  if (header_bytes > end - kFixedBytes) return EntryRefusal::kHeader;
  const absl::string_view text = bytes.substr(kFixedBytes, header_bytes);
  const json header = json::parse(text.begin(), text.end(), nullptr,
                                  /*allow_exceptions=*/false);
  const absl::string_view payload = bytes.substr(
      kFixedBytes + header_bytes, end - kFixedBytes - header_bytes);
  if (header.is_discarded() || !ReadHeader(header, payload.size(), entry))
    return EntryRefusal::kHeader;
  if (!key.empty() && entry->key != key) return EntryRefusal::kKey;
  entry->payload = std::string(payload);
  return EntryRefusal::kNone;
}

}  // namespace gsa
