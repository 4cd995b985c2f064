// -----------------------------------------------------------------------------
// File: core_safetensors_test.cc
// -----------------------------------------------------------------------------
//
// Round trips, and hostile files: each malformed header must give a status that
// names the file and what is wrong, and no byte sequence may crash.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/safetensors.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// The bytes of a file with the given header and `data_size` bytes of data.
std::string FileBytes(const std::string& json, size_t data_size) {
  const uint64_t length = json.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + json + std::string(data_size, '\1');
}

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

absl::Status ParseStatus(const std::string& bytes) {
  return SafetensorsFile::FromBytes("weights.safetensors", bytes).status();
}

// A fresh directory per test.
class SafetensorsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern =
        (fs::temp_directory_path() / "gsa_core_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { fs::remove_all(directory_); }

  std::string Path(const std::string& name) const {
    return (directory_ / name).string();
  }
  size_t NumFiles() const {
    return std::distance(fs::directory_iterator(directory_), {});
  }

  fs::path directory_;
};

HostTensor Floats(std::string name, std::vector<int64_t> shape, float first) {
  HostTensor tensor =
      HostTensor::Create(std::move(name), DType::kF32, std::move(shape))
          .value();
  for (float& value : tensor.values<float>()) value = first++;
  return tensor;
}

std::vector<HostTensor> Sample() {
  std::vector<HostTensor> tensors;
  tensors.push_back(Floats("b", {2, 3}, 10));
  tensors.push_back(HostTensor::FromValues<BF16>(
                        "a", {3}, {BF16{0x3f80}, BF16{0x4000}, BF16{0x7fc0}})
                        .value());
  tensors.push_back(
      HostTensor::FromValues<int64_t>("ids", {2}, {-7, int64_t{1} << 40})
          .value());
  tensors.push_back(Floats("scalar", {}, 42));
  tensors.push_back(Floats("empty", {4, 0, 2}, 0));
  tensors.push_back(
      HostTensor::Create("flags \"quoted\" \xc3\xa9", DType::kBool, {5})
          .value());
  return tensors;
}

TEST_F(SafetensorsTest, RoundTrip) {
  const std::vector<HostTensor> tensors = Sample();
  const std::map<std::string, std::string> metadata = {{"format", "pt"},
                                                       {"k", "1024"}};
  ASSERT_EQ(WriteSafetensors(Path("w"), tensors, metadata), absl::OkStatus());
  SafetensorsFile file = SafetensorsFile::Open(Path("w")).value();
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.entries().size(), tensors.size());
  for (const HostTensor& tensor : tensors) {
    ASSERT_TRUE(file.Contains(tensor.name()));
    HostTensor read = file.Get(tensor.name()).value();
    EXPECT_EQ(read.name(), tensor.name());
    EXPECT_EQ(read.type_string(), tensor.type_string());
    EXPECT_EQ(
        std::memcmp(read.raw_data(), tensor.raw_data(), tensor.byte_size()), 0);
  }
  for (const SafetensorsEntry& entry : file.entries()) {
    EXPECT_EQ(entry.begin * 8 % entry.type->bits, 0u) << entry.name;
  }
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(SafetensorsTest, NoTensorsAtAll) {
  ASSERT_TRUE(WriteSafetensors(Path("w"), absl::Span<const HostTensor>()).ok());
  EXPECT_TRUE(SafetensorsFile::Open(Path("w")).value().entries().empty());
}

TEST_F(SafetensorsTest, EqualInputGivesEqualBytesInAnyOrder) {
  std::vector<HostTensor> tensors = Sample();
  ASSERT_TRUE(WriteSafetensors(Path("1"), tensors).ok());
  std::reverse(tensors.begin(), tensors.end());
  ASSERT_TRUE(WriteSafetensors(Path("2"), tensors).ok());
  EXPECT_EQ(ReadAll(Path("1")), ReadAll(Path("2")));
}

// Written by hand from the format's description, byte for byte.
TEST_F(SafetensorsTest, GoldenBytes) {
  std::vector<HostTensor> tensors;
  tensors.push_back(Floats("x", {2}, 1));
  ASSERT_TRUE(WriteSafetensors(Path("w"), tensors).ok());
  const std::string json =
      R"({"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})"
      "  ";
  ASSERT_EQ(json.size() % 8, 0u);
  EXPECT_EQ(ReadAll(Path("w")),
            FileBytes(json, 0) + std::string("\0\0\x80\x3f\0\0\0\x40", 8));
}

TEST_F(SafetensorsTest, MissingNameListsTheNearest) {
  std::vector<HostTensor> tensors;
  for (const char* name :
       {"q_proj.weight", "k_proj.weight", "v_proj.weight", "indexer.bias"}) {
    tensors.push_back(Floats(name, {1}, 0));
  }
  ASSERT_TRUE(WriteSafetensors(Path("w"), tensors).ok());
  SafetensorsFile file = SafetensorsFile::Open(Path("w")).value();
  const absl::Status near = file.Get("q_proj.weigth").status();
  EXPECT_EQ(near.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(near.message()),
              AllOf(HasSubstr(Path("w")), HasSubstr("'q_proj.weigth'"),
                    HasSubstr("nearest: 'q_proj.weight', 'k_proj.weight'"),
                    Not(HasSubstr("indexer"))));
  EXPECT_THAT(std::string(file.Get("zzz").status().message()),
              HasSubstr("it has 4 tensors"));
  EXPECT_FALSE(file.Get(std::string(100000, 'q')).ok());
}

TEST_F(SafetensorsTest, GetChecksTypeAndShape) {
  std::vector<HostTensor> tensors;
  tensors.push_back(Floats("x", {2, 3}, 0));
  ASSERT_TRUE(WriteSafetensors(Path("w"), tensors).ok());
  SafetensorsFile file = SafetensorsFile::Open(Path("w")).value();
  EXPECT_TRUE(file.Get("x", DType::kF32, {2, 3}).ok());
  EXPECT_THAT(
      std::string(file.Get("x", DType::kBF16, {2, 3}).status().message()),
      HasSubstr("tensor 'x': got f32[2, 3], expected bf16[2, 3]"));
  EXPECT_FALSE(file.Get("x", DType::kF32, {3, 2}).ok());
  EXPECT_FALSE(file.Get("x", DType::kF32, {6}).ok());
}

TEST_F(SafetensorsTest, UnreadableFiles) {
  EXPECT_EQ(SafetensorsFile::Open(Path("none")).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(SafetensorsFile::Open(directory_).status().message()),
              HasSubstr("expected a regular file"));
  EXPECT_FALSE(SafetensorsFile::Open("/dev/zero").ok());
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(SafetensorsFile::Open(Path("pipe")).ok());  // and does not hang
}

TEST_F(SafetensorsTest, FileThatShrinksWhileOpen) {
  std::vector<HostTensor> tensors;
  tensors.push_back(Floats("x", {1000}, 0));
  ASSERT_TRUE(WriteSafetensors(Path("w"), tensors).ok());
  SafetensorsFile file = SafetensorsFile::Open(Path("w")).value();
  fs::resize_file(Path("w"), 2000);
  const absl::Status status = file.Get("x").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ends at byte 2000"));
}

TEST_F(SafetensorsTest, BoolBytesMustBeZeroOrOne) {
  std::string bytes = FileBytes(
      R"({"m":{"dtype":"BOOL","shape":[3],"data_offsets":[0,3]}})", 3);
  EXPECT_TRUE(SafetensorsFile::FromBytes("f", bytes).value().Get("m").ok());
  bytes.back() = 2;
  EXPECT_THAT(std::string(SafetensorsFile::FromBytes("f", bytes)
                              .value()
                              .Get("m")
                              .status()
                              .message()),
              HasSubstr("element 2: got byte 2, expected 0 or 1"));
}

// --- Writing -----------------------------------------------------------------

TEST_F(SafetensorsTest, WriterRefusesBadNames) {
  auto write = [&](std::vector<const char*> names) {
    std::vector<HostTensor> tensors;
    for (const char* name : names) tensors.push_back(Floats(name, {1}, 0));
    return WriteSafetensors(Path("w"), tensors);
  };
  EXPECT_THAT(std::string(write({"a", "b", "a"}).message()),
              HasSubstr("tensor 'a': the name occurs twice"));
  EXPECT_THAT(std::string(write({"__metadata__"}).message()),
              HasSubstr("reserved"));
  EXPECT_THAT(std::string(write({"\xff"}).message()), HasSubstr("not UTF-8"));
  EXPECT_EQ(NumFiles(), 0u) << "a refused write must leave nothing behind";
}

TEST_F(SafetensorsTest, WriterNeedsADirectoryAndAFileName) {
  const std::vector<HostTensor> tensors = Sample();
  EXPECT_EQ(WriteSafetensors(Path("no/such/w"), tensors).code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(WriteSafetensors(directory_, tensors).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(WriteSafetensors("/dev/null", tensors).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(WriteSafetensors("", tensors).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(NumFiles(), 0u);
}

TEST_F(SafetensorsTest, WriterKeepsLinks) {
  ASSERT_TRUE(WriteFileAtomically(Path("target"), "old").ok());
  fs::create_symlink(Path("target"), Path("link"));
  ASSERT_TRUE(WriteFileAtomically(Path("link"), "new").ok());
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(ReadAll(Path("target")), "new");
}

// A file size limit stands for a full disk: the write fails half way.
TEST_F(SafetensorsTest, FailedWriteLeavesTheOldFileAndNoOther) {
  ASSERT_TRUE(WriteFileAtomically(Path("w"), "precious").ok());
  std::vector<HostTensor> tensors;
  tensors.push_back(Floats("x", {100000}, 0));
  rlimit saved;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &saved), 0);
  rlimit small = saved;
  small.rlim_cur = 4096;
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = WriteSafetensors(Path("w"), tensors);
  setrlimit(RLIMIT_FSIZE, &saved);
  signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(Path("w")), HasSubstr("cannot write")));
  EXPECT_EQ(ReadAll(Path("w")), "precious");
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(SafetensorsTest, UncommittedFileDisappears) {
  {
    AtomicFileWriter writer = AtomicFileWriter::Create(Path("w")).value();
    ASSERT_TRUE(writer.Append(std::string("abc")).ok());
    EXPECT_EQ(NumFiles(), 1u);
    EXPECT_FALSE(fs::exists(Path("w")));
    AtomicFileWriter moved = std::move(writer);
  }
  EXPECT_EQ(NumFiles(), 0u);
}

// --- Hostile files -----------------------------------------------------------

struct HostileCase {
  const char* label;
  std::string json;
  size_t data_size;
  const char* message;  // part of the expected one
};

void PrintTo(const HostileCase& c, std::ostream* os) { *os << c.label; }

// A tensor of the header, e.g. Tensor("a", "F32", "[2]", "[0,8]").
std::string Tensor(const char* name, const char* dtype, const char* shape,
                   const std::string& offsets) {
  return absl::StrCat("\"", name, "\":{\"dtype\":\"", dtype,
                      "\",\"shape\":", shape, ",\"data_offsets\":", offsets,
                      "}");
}
std::string One(const char* dtype, const char* shape, const char* offsets) {
  return absl::StrCat("{", Tensor("a", dtype, shape, offsets), "}");
}
std::string Two(const char* offsets_a, const char* offsets_b) {
  return absl::StrCat("{", Tensor("a", "F32", "[2]", offsets_a), ",",
                      Tensor("b", "F32", "[2]", offsets_b), "}");
}

// Headers that are not JSON, and what describes no tensor.
std::vector<HostileCase> HostileEntries() {
  const std::string half = R"("dtype":"F32","shape":[2])";
  return {
      {"EmptyHeader", "", 0, "header: got no bytes, expected '{'"},
      {"LeadingBlank", " {}", 0, "header: got ' ', expected '{'"},
      {"ByteOrderMark", "\xef\xbb\xbf{}", 0, "expected '{'"},
      {"Array", "[]", 0, "expected '{'"},
      {"Unclosed", "{", 0, "not valid JSON"},
      {"TrailingText", "{} x", 0, "not valid JSON"},
      {"TrailingNul", std::string("{}\0", 3), 0, "not valid JSON"},
      {"TwoObjects", "{}{}", 0, "not valid JSON"},
      {"Comment", "{/**/}", 0, "not valid JSON"},
      {"BadUtf8", "{\"\xff\":1}", 0, "not valid JSON"},
      {"LoneSurrogate", R"({"\ud800":1})", 0, "not valid JSON"},
      {"NumberOutOfRange", One("F32", "[1e999]", "[0,8]"), 8, "not valid JSON"},
      {"TensorIsNumber", R"({"a":1})", 0, "'a': got the number 1"},
      {"TensorIsNull", R"({"a":null})", 0, "'a': got null"},
      {"TensorIsArray", R"({"a":[]})", 0, "'a': got an array"},
      {"TensorIsString", R"({"a":"F32"})", 0, "'a': got the string 'F32'"},
      {"DuplicateName",
       absl::StrCat("{", Tensor("a", "F32", "[2]", "[0,8]"), ",",
                    Tensor("a", "F32", "[2]", "[8,16]"), "}"),
       16, "the name 'a' occurs twice"},
      {"DuplicateKey", "{\"a\":{\"dtype\":\"F32\"," + half + "}}", 8,
       "tensor 'a': the key dtype occurs twice"},
      {"UnknownKey", R"({"a":{"strides":[1]}})", 0, "got the key 'strides'"},
      {"MissingDtype", R"({"a":{"shape":[0],"data_offsets":[0,0]}})", 0,
       "tensor 'a': the key dtype is missing"},
      {"MissingShape", R"({"a":{"dtype":"F32","data_offsets":[0,0]}})", 0,
       "tensor 'a': the key shape is missing"},
      {"MissingOffsets", "{\"a\":{" + half + "}}", 0,
       "tensor 'a': the key data_offsets is missing"},
      {"UnknownDtype", One("F8_E9M9", "[8]", "[0,8]"), 8,
       "tensor 'a': unknown dtype 'F8_E9M9': expected one of BOOL, F4, "},
      {"PackedHalfByte", One("F4", "[3]", "[0,2]"), 2,
       "tensor 'a': shape [3]: got 12 bits of F4, expected whole bytes"},
      {"UnreadableTooShort", One("C64", "[2]", "[0,8]"), 8,
       "got 8 bytes, expected 16 for C64[2]"},
      {"UnreadableBytesBeyondInt64",
       One("U64", "[1152921504606846976]", "[0,0]"), 0,
       "more than 2^63-1 bytes"},
      {"LowerCaseDtype", One("f32", "[2]", "[0,8]"), 8,
       "tensor 'a': unknown dtype 'f32'"},
      {"DtypeIsNumber", R"({"a":{"dtype":4}})", 0,
       "dtype: got the number 4, expected a string"},
  };
}

std::vector<HostileCase> HostileShapes() {
  return {
      {"NegativeDimension", One("F32", "[-2]", "[0,8]"), 8,
       "shape: got the number -2"},
      {"FractionalDimension", One("F32", "[2.0]", "[0,8]"), 8,
       "shape: got the number 2.0"},
      {"DimensionBeyondInt64", One("F32", "[9223372036854775808]", "[0,8]"), 8,
       "shape: got the number 9223372036854775808"},
      {"DimensionBeyondUint64", One("F32", "[18446744073709551618]", "[0,8]"),
       8, "shape: got the number 18446744073709551618"},
      {"ProductBeyondInt64", One("F32", "[4294967296,4294967296]", "[0,0]"), 0,
       "tensor 'a': shape [4294967296, 4294967296] has more than 2^63-1"},
      {"ProductWrapsToTwo", One("U8", "[6148914691236517206,3]", "[0,2]"), 2,
       "more than 2^63-1"},
      {"BytesBeyondInt64", One("F64", "[1152921504606846976]", "[0,0]"), 0,
       "more than 2^63-1 bytes"},
      {"ZeroTimesHuge", One("F32", "[0,4294967296,4294967296]", "[0,0]"), 0,
       "more than 2^63-1"},
      {"TooManyDimensions",
       One("U8", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,1]"), 1,
       "more than 16 dimensions"},
      {"NestedShape", One("F32", "[[2]]", "[0,8]"), 8, "shape: got an array"},
      {"ShapeIsNumber", One("F32", "2", "[0,8]"), 8,
       "shape: got the number 2, expected an array"},
      {"ShapeIsObject", One("F32", "{}", "[0,8]"), 8, "shape: got an object"},
      {"ShapeOfStrings", One("F32", "[\"2\"]", "[0,8]"), 8,
       "shape: got the string '2'"},
      {"ShapeOfBooleans", One("F32", "[true]", "[0,8]"), 8,
       "shape: got a boolean"},
  };
}

std::vector<HostileCase> HostileOffsets() {
  return {
      {"OneOffset", One("F32", "[2]", "[8]"), 8, "got 1 numbers, expected 2"},
      {"NoOffsets", One("F32", "[2]", "[]"), 8, "got 0 numbers, expected 2"},
      {"ThreeOffsets", One("F32", "[2]", "[0,8,8]"), 8, "more than 2 numbers"},
      {"NegativeOffset", One("F32", "[2]", "[-8,0]"), 8,
       "data_offsets: got the number -8"},
      {"OffsetsReversed", One("F32", "[2]", "[8,0]"), 8,
       "got begin 8 after end 0"},
      {"EndPastTheFile", One("F32", "[2]", "[0,8]"), 7,
       "got [0, 8), expected an end within the 7 bytes of data"},
      {"EndNearUint64Max",
       One("F32", "[2]", "[18446744073709551607,18446744073709551615]"), 8,
       "expected an end within the 8 bytes of data"},
      {"RangeTooShort", One("F32", "[2]", "[0,4]"), 4,
       "got 4 bytes, expected 8 for f32[2]"},
      {"RangeTooLong", One("F32", "[2]", "[0,12]"), 12,
       "got 12 bytes, expected 8 for f32[2]"},
      {"EmptyTensorWithBytes", One("F32", "[0]", "[0,4]"), 4,
       "got 4 bytes, expected 0"},
      {"SameRange", Two("[0,8]", "[0,8]"), 8,
       "tensor 'b': data_offsets: got [0, 8), which overlaps [0, 8) of tensor "
       "'a'"},
      {"Overlap", Two("[0,8]", "[4,12]"), 12, "got [4, 12), which overlaps"},
      {"Hole", Two("[0,8]", "[12,20]"), 20,
       "tensor 'b': data_offsets: got begin 12, expected 8"},
      {"HoleAtTheStart", One("F32", "[2]", "[8,16]"), 16,
       "got begin 8, expected 0"},
      {"TrailingBytes", One("F32", "[2]", "[0,8]"), 9,
       "got 9 bytes of data, expected 8: 1 trailing bytes"},
      {"DataWithoutTensors", "{}", 3, "3 trailing bytes"},
      {"EmptyTensorInsideAnother",
       absl::StrCat("{", Tensor("a", "F32", "[2]", "[0,8]"), ",",
                    Tensor("e", "F32", "[0]", "[4,4]"), "}"),
       8, "tensor 'e': data_offsets: got [4, 4), which overlaps"},
  };
}

std::vector<HostileCase> HostileMetadata() {
  return {
      {"MetadataNullTwice", R"({"__metadata__":null,"__metadata__":null})", 0,
       "the name '__metadata__' occurs twice"},
      {"MetadataOfNulls", R"({"__metadata__":{"k":null}})", 0,
       "__metadata__: 'k': got null, expected a string"},
      {"MetadataIsNumber", R"({"__metadata__":3})", 0, "got the number 3"},
      {"MetadataOfNumbers", R"({"__metadata__":{"k":3}})", 0,
       "__metadata__: 'k': got the number 3, expected a string"},
      {"MetadataNested", R"({"__metadata__":{"k":{}}})", 0,
       "got an object, expected a string"},
      {"MetadataTwice", R"({"__metadata__":{},"__metadata__":{}})", 0,
       "the name '__metadata__' occurs twice"},
      {"MetadataDuplicateKey", R"({"__metadata__":{"k":"1","k":"2"}})", 0,
       "the key 'k' occurs twice"},
      {"ControlCharactersInName", R"({"\u001b[2J\n":1})", 0, "'\\x1b[2J\\n'"},
  };
}

class HostileHeaderTest : public testing::TestWithParam<HostileCase> {};

TEST_P(HostileHeaderTest, IsRefusedWithAReason) {
  const HostileCase& c = GetParam();
  const absl::Status status = ParseStatus(FileBytes(c.json, c.data_size));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("weights.safetensors: "), HasSubstr(c.message)));
}

std::string Label(const testing::TestParamInfo<HostileCase>& param) {
  return param.param.label;
}
INSTANTIATE_TEST_SUITE_P(Entries, HostileHeaderTest,
                         testing::ValuesIn(HostileEntries()), Label);
INSTANTIATE_TEST_SUITE_P(Shapes, HostileHeaderTest,
                         testing::ValuesIn(HostileShapes()), Label);
INSTANTIATE_TEST_SUITE_P(Offsets, HostileHeaderTest,
                         testing::ValuesIn(HostileOffsets()), Label);
INSTANTIATE_TEST_SUITE_P(Metadata, HostileHeaderTest,
                         testing::ValuesIn(HostileMetadata()), Label);

// The same header is fine where nothing is wrong with it: the matrix above
// fails for the reasons it names and not because of its helpers.
TEST(SafetensorsHeaderTest, AcceptsTheValidCounterparts) {
  EXPECT_EQ(ParseStatus(FileBytes(One("F32", "[2]", "[0,8]"), 8)),
            absl::OkStatus());
  EXPECT_EQ(ParseStatus(FileBytes(One("F32", "[2]", "[0,8]") + "   ", 8)),
            absl::OkStatus());
  EXPECT_EQ(ParseStatus(FileBytes(Two("[8,16]", "[0,8]"), 16)),
            absl::OkStatus());
  EXPECT_EQ(ParseStatus(FileBytes("{}", 0)), absl::OkStatus());
  EXPECT_EQ(ParseStatus(FileBytes(R"({"__metadata__":{"a":""}})", 0)),
            absl::OkStatus());
  EXPECT_EQ(ParseStatus(FileBytes(R"({"__metadata__":null})", 0)),
            absl::OkStatus());
}

// A checkpoint has tensors that nobody asks for, of types that nothing here
// computes with. They must not make the others unreadable.
TEST(SafetensorsHeaderTest, EveryTypeOfTheFormatStandsBesideOthers) {
  EXPECT_EQ(SafetensorsDTypes().size(), 22u);
  for (const SafetensorsDType& type : SafetensorsDTypes()) {
    const int bytes = type.bits;  // of eight elements
    const std::string json = absl::StrCat(
        "{", Tensor("x", type.name, "[2,4]", absl::StrCat("[0,", bytes, "]")),
        ",",
        Tensor("y", "F32", "[1]",
               absl::StrCat("[", bytes, ",", bytes + 4, "]")),
        "}");
    auto file = SafetensorsFile::FromBytes("f", FileBytes(json, bytes + 4));
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_TRUE(file->Get("y").ok()) << type.name;
    const SafetensorsEntry& entry = *file->Find("x").value();
    if (type.dtype.has_value()) {
      EXPECT_EQ(file->Get("x").value().type_string(), entry.type_string());
      EXPECT_EQ(size_t(type.bits), 8 * DTypeSize(*type.dtype)) << type.name;
      EXPECT_STREQ(DTypeSafetensorsName(*type.dtype), type.name);
      continue;
    }
    const absl::Status status = file->Get("x").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("f: tensor 'x': got ", type.name,
                                       "[2, 4], expected an element type")));
    EXPECT_THAT(
        std::string(file->Get("x", DType::kF32, {2, 4}).status().message()),
        HasSubstr(absl::StrCat("got ", type.name, "[2, 4], expected f32")));
  }
}

TEST(SafetensorsHeaderTest, RefusesBadHeaderLengths) {
  const std::string valid = FileBytes(One("F32", "[2]", "[0,8]"), 8);
  struct Case {
    uint64_t length;
    const char* message;
  };
  const Case cases[] = {
      {valid.size() - 8 + 1, "which is what the file has left"},
      {100'000'000, "which is what the file has left"},
      {100'000'001, "expected at most 100000000"},
      {uint64_t{1} << 63, "expected at most 100000000"},
      {UINT64_MAX, "expected at most 100000000"},
      {UINT64_MAX - 7, "expected at most 100000000"},
      {valid.size() - 8, "not valid JSON"},
  };
  for (const Case& c : cases) {
    std::string bytes = valid;
    std::memcpy(bytes.data(), &c.length, 8);
    EXPECT_THAT(std::string(ParseStatus(bytes).message()), HasSubstr(c.message))
        << c.length;
  }
}

TEST(SafetensorsHeaderTest, DeepNestingCostsNoMemory) {
  const std::string nested(20'000'000, '[');
  EXPECT_THAT(
      std::string(ParseStatus(FileBytes("{\"a\":" + nested, 0)).message()),
      HasSubstr("'a': got an array"));
}

TEST(SafetensorsHeaderTest, MessagesStayShort) {
  const std::string name(1'000'000, 'n');
  const absl::Status status = ParseStatus(FileBytes("{\"" + name + "\":1}", 0));
  EXPECT_LT(status.message().size(), 400u);
  const absl::Status text = ParseStatus(FileBytes("{\"" + name, 0));
  EXPECT_LT(text.message().size(), 1500u);
}

std::string ValidBytes() {
  return FileBytes(
      absl::StrCat("{\"__metadata__\":{\"format\":\"pt\"},",
                   Tensor("w.bias", "BF16", "[3]", "[0,6]"), ",",
                   Tensor("w.weight", "F32", "[2,3]", "[6,30]"), "}"),
      30);
}

TEST(SafetensorsHeaderTest, EveryProperPrefixIsRefused) {
  const std::string valid = ValidBytes();
  ASSERT_TRUE(ParseStatus(valid).ok());
  for (size_t n = 0; n < valid.size(); ++n) {
    const absl::Status status = ParseStatus(valid.substr(0, n));
    ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << n;
    ASSERT_TRUE(absl::StartsWith(status.message(), "weights.safetensors: "));
  }
}

// Flipping bits may leave a valid file (in a name, say); what is accepted must
// then be readable in full.
TEST(SafetensorsHeaderTest, NoFlippedByteCrashes) {
  const std::string valid = ValidBytes();
  const size_t header_end = valid.size() - 30;
  int refused = 0;
  for (size_t i = 0; i < header_end; ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string bytes = valid;
      bytes[i] = static_cast<char>(value);
      absl::StatusOr<SafetensorsFile> file =
          SafetensorsFile::FromBytes("weights.safetensors", bytes);
      if (!file.ok()) {
        ++refused;
        continue;
      }
      for (const SafetensorsEntry& entry : file->entries()) {
        ASSERT_EQ(file->Get(entry.name).ok(), entry.type->dtype.has_value())
            << i << " " << value;
      }
    }
  }
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace gsa
