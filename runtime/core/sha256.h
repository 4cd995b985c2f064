// -----------------------------------------------------------------------------
// File: sha256.h
// -----------------------------------------------------------------------------
//
// SHA-256 (FIPS 180-4), for keys of caches: the same content has the same key
// in every process and on every machine, and no two contents are known to share
// one.

#ifndef GSA_RUNTIME_CORE_SHA256_H_
#define GSA_RUNTIME_CORE_SHA256_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace gsa {

class Sha256 {
 public:
  void Update(absl::string_view bytes);

  // Update with the length first, so that fields cannot run into each other.
  void UpdateField(absl::string_view field);

  // The digest of everything so far, as 64 hexadecimal digits. Ends the use of
  // the object.
  std::string HexDigest();

 private:
  void Block(const uint8_t* bytes);

  std::array<uint32_t, 8> state_ = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                    0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending_ = {};
  size_t pending_size_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_SHA256_H_
