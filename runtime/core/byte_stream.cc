// -----------------------------------------------------------------------------
// File: byte_stream.cc
// -----------------------------------------------------------------------------

#include "runtime/core/byte_stream.h"

#include "absl/strings/str_cat.h"

namespace gsa {
namespace {

constexpr size_t kNumberBytes = 8;

}  // namespace

void ByteWriter::Number(int64_t value) {
  const auto word = static_cast<uint64_t>(value);
  for (size_t i = 0; i < kNumberBytes; ++i)
    bytes_ += static_cast<char>(word >> (8 * i) & 0xff);
}

void ByteWriter::Text(absl::string_view text) {
  Number(static_cast<int64_t>(text.size()));
  absl::StrAppend(&bytes_, text);
}

int64_t ByteReader::Number() {
  const absl::string_view word = Take(kNumberBytes);
  uint64_t value = 0;
  for (size_t i = 0; i < word.size(); ++i)
    value |= uint64_t{static_cast<unsigned char>(word[i])} << (8 * i);
  return static_cast<int64_t>(value);
}

int64_t ByteReader::NumberIn(int64_t least, int64_t most) {
  const int64_t number = Number();
  if (number < least || number > most) ok_ = false;
  return ok_ ? number : least;
}

size_t ByteReader::Count() {
  return static_cast<size_t>(
      NumberIn(0, static_cast<int64_t>(bytes_.size() / kNumberBytes)));
}

absl::string_view ByteReader::Text() {
  const int64_t size = Number();
  if (size < 0) ok_ = false;
  return Take(static_cast<uint64_t>(size));
}

absl::string_view ByteReader::Take(uint64_t size) {
  if (size > bytes_.size()) ok_ = false;
  if (!ok_) return "";
  const absl::string_view taken = bytes_.substr(0, size);
  bytes_.remove_prefix(size);
  return taken;
}

}  // namespace gsa
