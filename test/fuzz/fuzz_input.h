// -----------------------------------------------------------------------------
// File: fuzz_input.h
// -----------------------------------------------------------------------------
//
// What fuzz targets share: the bytes of an input read as numbers and texts, and
// contexts of MLIR that do not grow without end.

#ifndef GSA_TEST_FUZZ_FUZZ_INPUT_H_
#define GSA_TEST_FUZZ_FUZZ_INPUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace gsa::fuzz {

// Reads an input from front to back; behind its end everything is zero, so that
// each input means something.
class Input {
 public:
  Input(const uint8_t* data, size_t size) : at_(data), end_(data + size) {}

  bool empty() const { return at_ == end_; }
  uint8_t Byte() { return at_ == end_ ? 0 : *at_++; }
  // A number of `bytes` bytes, little-endian.
  uint64_t Word(int bytes) {
    uint64_t word = 0;
    for (int i = 0; i < bytes; ++i) word |= uint64_t{Byte()} << (8 * i);
    return word;
  }
  // Of 0 to `count` - 1.
  size_t Pick(size_t count) { return Byte() % count; }
  // A byte says how long it is.
  std::string Text() {
    const size_t size = std::min<size_t>(Byte(), end_ - at_);
    std::string text(reinterpret_cast<const char*>(at_), size);
    at_ += size;
    return text;
  }
  std::string Rest() {
    std::string text(reinterpret_cast<const char*>(at_), end_ - at_);
    at_ = end_;
    return text;
  }

 private:
  const uint8_t* at_;
  const uint8_t* end_;
};

// A context that serves `uses` inputs: its attributes are never freed, and
// without an end to them a target would run out of memory. `Made` holds the
// context and what is made in it once.
template <typename Made>
class Renewed {
 public:
  explicit Renewed(int uses) : uses_(uses) {}
  Made& Get() {
    if (made_ == nullptr || used_++ == uses_) {
      made_ = nullptr;
      made_ = std::make_unique<Made>();
      used_ = 1;
    }
    return *made_;
  }

 private:
  const int uses_;
  int used_ = 0;
  std::unique_ptr<Made> made_;
};

}  // namespace gsa::fuzz

#endif  // GSA_TEST_FUZZ_FUZZ_INPUT_H_
