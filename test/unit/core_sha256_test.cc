// -----------------------------------------------------------------------------
// File: core_sha256_test.cc
// -----------------------------------------------------------------------------
//
// SHA-256 against the published examples, and that splits do not matter.

#include <string>

#include "gtest/gtest.h"
#include "runtime/core/sha256.h"

namespace gsa {
namespace {

std::string Digest(const std::string& text) {
  Sha256 hash;
  hash.Update(text);
  return hash.HexDigest();
}

TEST(Sha256, PublishedExamples) {
  EXPECT_EQ(Digest(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Digest("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Digest(std::string(1000000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, SplitsDoNotMatterAndFieldsDo) {
  const std::string text(200, 'x');
  for (size_t split : {1, 55, 56, 63, 64, 65, 128, 199}) {
    Sha256 hash;
    hash.Update(text.substr(0, split));
    hash.Update(text.substr(split));
    EXPECT_EQ(hash.HexDigest(), Digest(text)) << split;
  }
  Sha256 one, other;
  one.UpdateField("ab");
  one.UpdateField("c");
  other.UpdateField("a");
  other.UpdateField("bc");
  EXPECT_NE(one.HexDigest(), other.HexDigest());
}

}  // namespace
}  // namespace gsa
