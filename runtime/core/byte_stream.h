// -----------------------------------------------------------------------------
// File: byte_stream.h
// -----------------------------------------------------------------------------
//
// Numbers and texts one after the other, and back: what files of this project
// hold between a header and a digest. Numbers take 8 bytes, little-endian; a
// text is its length and its bytes.

#ifndef GSA_RUNTIME_CORE_BYTE_STREAM_H_
#define GSA_RUNTIME_CORE_BYTE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"

namespace gsa {

class ByteWriter {
 public:
  void Number(int64_t value);
  void Text(absl::string_view text);
  // What was written; empty from then on.
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what a ByteWriter wrote. With any bytes: after the first thing that is
// not there nothing is, every answer is 0 or "", and ok() is false.
class ByteReader {
 public:
  // `bytes` must outlive the reader.
  explicit ByteReader(absl::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  // Whether all of it was read, and nothing beyond.
  bool AtEnd() const { return ok_ && bytes_.empty(); }
  // What the caller found wrong.
  void Fail() { ok_ = false; }

  int64_t Number();
  // A number within [least, most], else `least` and a failure.
  int64_t NumberIn(int64_t least, int64_t most);
  // A number of things that take at least 8 bytes each: no more than there are
  // bytes for, so that a caller may make room for them.
  size_t Count();
  // A text; valid as long as the bytes.
  absl::string_view Text();

 private:
  absl::string_view Take(uint64_t size);

  absl::string_view bytes_;
  bool ok_ = true;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_BYTE_STREAM_H_
