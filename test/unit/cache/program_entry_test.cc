// -----------------------------------------------------------------------------
// File: program_entry_test.cc
// -----------------------------------------------------------------------------
//
// Bytes of entries: what is written is read, and nothing else is.

#include "runtime/core/program_entry.h"

#include <random>
#include <string>

#include "cache_testing.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace gsa {
namespace {

EntryRefusal Decode(const std::string& bytes, const std::string& key = "") {
  ProgramEntry entry;
  return DecodeProgramEntry(bytes, key, &entry);
}

// Bytes of the right digest over anything.
std::string Sealed(std::string bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return bytes + hash.HexDigest();
}

std::string WithHeader(const std::string& header, const std::string& payload) {
  std::string bytes = "GSAENTRY";
  for (uint32_t word :
       {kProgramEntryVersion, static_cast<uint32_t>(header.size())})
    for (int shift = 0; shift < 32; shift += 8)
      bytes += static_cast<char>(word >> shift);
  return Sealed(bytes + header + payload);
}

TEST(ProgramEntryTest, RoundTrip) {
  const ProgramEntry entry = EntryFor("a");
  const std::string bytes = EncodeProgramEntry(entry);
  EXPECT_EQ(bytes, EncodeProgramEntry(entry));
  ProgramEntry read;
  ASSERT_EQ(DecodeProgramEntry(bytes, entry.key, &read), EntryRefusal::kNone);
  EXPECT_EQ(read.key, entry.key);
  EXPECT_EQ(read.kind, entry.kind);
  EXPECT_EQ(read.fields, entry.fields);
  EXPECT_EQ(read.payload, entry.payload);
  EXPECT_EQ(read.Field("name"), "a.cu");
  EXPECT_EQ(read.Field("none"), "");
  EXPECT_EQ(Decode(bytes), EntryRefusal::kNone);
  EXPECT_EQ(Decode(bytes, KeyFor("b")), EntryRefusal::kKey);
}

// Messages of compilers may quote any bytes.
TEST(ProgramEntryTest, FieldsOfAnyBytes) {
  ProgramEntry entry = EntryFor("a");
  entry.fields["log"] = std::string("x\xff\0y", 4);
  EXPECT_EQ(Decode(EncodeProgramEntry(entry), entry.key), EntryRefusal::kNone);
}

TEST(ProgramEntryTest, EveryByteFlippedIsRefused) {
  const ProgramEntry entry = EntryFor("a");
  const std::string bytes = EncodeProgramEntry(entry);
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      ASSERT_NE(Decode(changed, entry.key), EntryRefusal::kNone)
          << "byte " << i << ", bit " << bit;
    }
  }
}

TEST(ProgramEntryTest, EveryLengthButTheWholeIsRefused) {
  const std::string bytes = EncodeProgramEntry(EntryFor("a"));
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_NE(Decode(bytes.substr(0, size)), EntryRefusal::kNone) << size;
  EXPECT_NE(Decode(bytes + "x"), EntryRefusal::kNone);
  EXPECT_NE(Decode(bytes + bytes), EntryRefusal::kNone);
}

// The digest shields the header from accidents; these are none.
TEST(ProgramEntryTest, HeadersOfOthersAreRefused) {
  const std::string key = KeyFor("a");
  const auto header = [&](const std::string& rest) {
    return absl::StrCat("{\"key\":\"", key, "\",\"kind\":\"cubin\",", rest,
                        "}");
  };
  ASSERT_EQ(Decode(WithHeader(header("\"bytes\":3,\"fields\":{}"), "abc")),
            EntryRefusal::kNone);
  for (const std::string& rest :
       {"\"bytes\":4,\"fields\":{}", "\"bytes\":-3,\"fields\":{}",
        "\"bytes\":3.0,\"fields\":{}", "\"bytes\":\"3\",\"fields\":{}",
        "\"bytes\":18446744073709551619,\"fields\":{}", "\"fields\":{}",
        "\"bytes\":3", "\"bytes\":3,\"fields\":[]",
        "\"bytes\":3,\"fields\":{\"a\":1}", "\"bytes\":3,\"fields\":{\"a\":{}}",
        "\"bytes\":3,\"fields\":{},\"kind\":1"})
    EXPECT_EQ(Decode(WithHeader(header(rest), "abc")), EntryRefusal::kHeader)
        << rest;
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("3"),
        std::string("\xff"), std::string(100000, '['),
        std::string("{\"key\":\"../../x\",\"kind\":\"cubin\",\"bytes\":3,"
                    "\"fields\":{}}")})
    EXPECT_EQ(Decode(WithHeader(text, "abc")), EntryRefusal::kHeader);
  // A header that is longer than the file.
  std::string bytes = WithHeader(header("\"bytes\":0,\"fields\":{}"), "");
  bytes.resize(bytes.size() - 64);
  for (int i = 12; i < 16; ++i) bytes[i] = '\xff';
  EXPECT_EQ(Decode(Sealed(bytes)), EntryRefusal::kHeader);
  // Another version of the format.
  bytes = EncodeProgramEntry(EntryFor("a"));
  bytes.resize(bytes.size() - 64);
  ++bytes[8];
  EXPECT_EQ(Decode(Sealed(bytes)), EntryRefusal::kFormat);
}

// Random changes, with and without a digest that fits. The seed is fixed: a
// failure is one for everybody.
TEST(ProgramEntryTest, MutationsNeverCrash) {
  std::mt19937_64 random(20240611);
  const std::string whole = EncodeProgramEntry(EntryFor("a"));
  const std::string body = whole.substr(0, whole.size() - 64);
  const std::string alphabet = "{}[]\",:0123456789abcdefnul\\ \xff\x80-.eE";
  int taken = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = body;
    for (int change = 1 + static_cast<int>(random() % 6); change > 0;
         --change) {
      const size_t at = random() % bytes.size();
      switch (random() % 4) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes[at] = alphabet[random() % alphabet.size()];
          break;
        case 2:
          bytes.erase(at, random() % 8);
          break;
        default:
          bytes.insert(at, bytes.substr(random() % bytes.size(), 8));
      }
      if (bytes.empty()) bytes = "x";
    }
    ProgramEntry entry;
    const EntryRefusal sealed = DecodeProgramEntry(
        round % 2 ? Sealed(bytes) : bytes + whole.substr(body.size()), "",
        &entry);
    if (sealed == EntryRefusal::kNone) {
      ++taken;
      EXPECT_TRUE(IsProgramKey(entry.key));
    } else if (round % 2 == 0) {
      EXPECT_NE(sealed, EntryRefusal::kHeader);
    }
  }
  // A change of the payload's text alone is an entry, with its own digest.
  EXPECT_GT(taken, 0);
}

TEST(ProgramEntryTest, Keys) {
  EXPECT_TRUE(IsProgramKey(KeyFor("a")));
  EXPECT_FALSE(IsProgramKey(""));
  EXPECT_FALSE(IsProgramKey(KeyFor("a") + "0"));
  EXPECT_FALSE(IsProgramKey(std::string(64, 'A')));
  EXPECT_FALSE(IsProgramKey(std::string(64, '/')));
}

}  // namespace
}  // namespace gsa
