// -----------------------------------------------------------------------------
// File: safetensors_header.cc
// -----------------------------------------------------------------------------

#include "runtime/core/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/tensor.h"

namespace gsa {
namespace {

constexpr SafetensorsDType kTypes[] = {
    {"BOOL", 8, DType::kBool},
    {"F4", 4, std::nullopt},
    {"F6_E2M3", 6, std::nullopt},
    {"F6_E3M2", 6, std::nullopt},
    {"U8", 8, DType::kU8},
    {"I8", 8, std::nullopt},
    {"F8_E5M2", 8, std::nullopt},
    {"F8_E4M3", 8, std::nullopt},
    {"F8_E8M0", 8, std::nullopt},
    {"F8_E4M3FNUZ", 8, std::nullopt},
    {"F8_E5M2FNUZ", 8, std::nullopt},
    {"I16", 16, std::nullopt},
    {"U16", 16, std::nullopt},
    {"F16", 16, DType::kF16},
    {"BF16", 16, DType::kBF16},
    {"I32", 32, DType::kI32},
    {"U32", 32, std::nullopt},
    {"F32", 32, DType::kF32},
    {"C64", 64, std::nullopt},
    {"F64", 64, DType::kF64},
    {"I64", 64, DType::kI64},
    {"U64", 64, std::nullopt},
};

absl::StatusOr<const SafetensorsDType*> ParseType(absl::string_view name) {
  std::string known;
  for (const SafetensorsDType& type : kTypes) {
    if (name == type.name) return &type;
    absl::StrAppend(&known, known.empty() ? "" : ", ", type.name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("unknown dtype '", absl::CHexEscape(name.substr(0, 64)),
                   "': expected one of ", known));
}

// Bytes of a tensor, whole ones: the elements of narrow types are packed.
absl::StatusOr<uint64_t> ByteSize(const SafetensorsDType& type,
                                  absl::Span<const int64_t> shape) {
  GSA_ASSIGN_OR_RETURN(const int64_t elements, CheckedNumElements(shape));
  const absl::uint128 bits = absl::uint128(static_cast<uint64_t>(elements)) *
                             static_cast<uint64_t>(type.bits);
  if (bits / 8 > static_cast<uint64_t>(INT64_MAX)) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeToString(shape),
                     " has more than 2^63-1 bytes of ", type.name));
  }
  if (bits % 8 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "shape ", ShapeToString(shape), ": got ", absl::Uint128Low64(bits),
        " bits of ", type.name, ", expected whole bytes"));
  }
  return absl::Uint128Low64(bits / 8);
}

// Receives the events of the JSON parser. A document object model would hold
// whatever nesting the file chooses (100 MB of '[' become gigabytes) and would
// keep one of two equal keys silently; this accepts only the five levels that
// the format has. Each handler returns false to stop the parser.
class HeaderHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderHandler(const std::string& file) : file_(file) {}

  bool null() override {
    // No metadata: the format's own reader takes it, so files have it.
    if (state_ == State::kTop && key_ == kSafetensorsMetadataKey) return true;
    return WrongValue("null");
  }
  bool boolean(bool) override { return WrongValue("a boolean"); }
  bool binary(binary_t&) override { return WrongValue("binary data"); }
  bool number_float(number_float_t, const string_t& text) override {
    return WrongValue(absl::StrCat("the number ", text.substr(0, 40)));
  }
  bool number_integer(number_integer_t value) override {
    return WrongValue(absl::StrCat("the number ", value));
  }

  bool number_unsigned(number_unsigned_t value) override {
    if (state_ == State::kShape) {
      if (value > static_cast<uint64_t>(INT64_MAX)) {
        return WrongValue(absl::StrCat("the number ", value));
      }
      if (entry_.shape.size() == kMaxRank) {
        return Fail(absl::StrCat("shape: got more than ", kMaxRank,
                                 " dimensions, expected at most ", kMaxRank));
      }
      entry_.shape.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (state_ == State::kOffsets) {
      if (num_offsets_ == 2) {
        return Fail("data_offsets: got more than 2 numbers, expected 2");
      }
      (num_offsets_++ == 0 ? entry_.begin : entry_.end) = value;
      return true;
    }
    return WrongValue(absl::StrCat("the number ", value));
  }

  bool string(string_t& value) override {
    if (state_ == State::kMetadata) {
      header_.metadata[key_] = value;
      return true;
    }
    if (state_ != State::kTensor || key_ != "dtype") {
      return WrongValue(absl::StrCat("the string ", QuoteName(value)));
    }
    absl::StatusOr<const SafetensorsDType*> type = ParseType(value);
    if (!type.ok()) return Fail(std::string(type.status().message()));
    entry_.type = *type;
    return true;
  }

  bool start_object(size_t) override {
    switch (state_) {
      case State::kStart:
        state_ = State::kTop;
        return true;
      case State::kTop:
        if (key_ == kSafetensorsMetadataKey) {
          state_ = State::kMetadata;
          return true;
        }
        state_ = State::kTensor;
        entry_ = SafetensorsEntry();
        entry_.name = key_;
        has_dtype_ = has_shape_ = has_offsets_ = false;
        return true;
      default:
        return WrongValue("an object");
    }
  }

  bool key(string_t& key) override {
    key_ = std::move(key);
    if (state_ == State::kTop) {
      if (names_.insert(key_).second) return true;
      return FailFile(absl::StrCat("the name ", QuoteName(key_),
                                   " occurs twice, expected unique names"));
    }
    if (state_ == State::kMetadata) {
      if (header_.metadata.count(key_) == 0) return true;
      return FailFile(absl::StrCat(kSafetensorsMetadataKey, ": the key ",
                                   QuoteName(key_),
                                   " occurs twice, expected unique keys"));
    }
    bool* seen = key_ == "dtype"          ? &has_dtype_
                 : key_ == "shape"        ? &has_shape_
                 : key_ == "data_offsets" ? &has_offsets_
                                          : nullptr;
    if (seen == nullptr) {
      return Fail(absl::StrCat("got the key ", QuoteName(key_),
                               ", expected dtype, shape or data_offsets"));
    }
    if (*seen) return Fail(absl::StrCat("the key ", key_, " occurs twice"));
    *seen = true;
    return true;
  }

  bool end_object() override {
    switch (state_) {
      case State::kTensor:
        for (auto [seen, name] :
             {std::pair(has_dtype_, "dtype"), std::pair(has_shape_, "shape"),
              std::pair(has_offsets_, "data_offsets")}) {
          if (!seen) return Fail(absl::StrCat("the key ", name, " is missing"));
        }
        header_.entries.push_back(std::move(entry_));
        state_ = State::kTop;
        return true;
      case State::kMetadata:
        state_ = State::kTop;
        return true;
      default:
        state_ = State::kDone;
        return true;
    }
  }

  bool start_array(size_t) override {
    if (state_ == State::kTensor && key_ == "shape") {
      state_ = State::kShape;
      return true;
    }
    if (state_ == State::kTensor && key_ == "data_offsets") {
      state_ = State::kOffsets;
      num_offsets_ = 0;
      return true;
    }
    return WrongValue("an array");
  }

  bool end_array() override {
    if (state_ == State::kOffsets && num_offsets_ != 2) {
      return Fail(absl::StrCat("data_offsets: got ", num_offsets_,
                               " numbers, expected 2"));
    }
    state_ = State::kTensor;
    return true;
  }

  bool parse_error(size_t position, const std::string&,
                   const nlohmann::json::exception& error) override {
    // The parser's text quotes the input, of which there may be much.
    return FailFile(absl::StrCat(
        "header is not valid JSON at byte ", position, ": ",
        absl::CHexEscape(std::string(error.what()).substr(0, 240))));
  }

  absl::StatusOr<SafetensorsHeader> Finish() && {
    if (!status_.ok()) return status_;
    if (state_ != State::kDone) {
      FailFile("header ends too early");
      return status_;
    }
    return std::move(header_);
  }

 private:
  enum class State {
    kStart,
    kTop,
    kMetadata,
    kTensor,
    kShape,
    kOffsets,
    kDone
  };

  bool FailFile(const std::string& message) {
    status_ = absl::InvalidArgumentError(absl::StrCat(file_, ": ", message));
    return false;
  }

  bool Fail(const std::string& message) {
    return FailFile(
        absl::StrCat("tensor ", QuoteName(entry_.name), ": ", message));
  }

  bool WrongValue(const std::string& got) {
    switch (state_) {
      case State::kStart:
      case State::kDone:
        return FailFile(
            absl::StrCat("header: got ", got, ", expected an object"));
      case State::kTop:
        return FailFile(absl::StrCat(QuoteName(key_), ": got ", got,
                                     ", expected an object"));
      case State::kMetadata:
        return FailFile(absl::StrCat(kSafetensorsMetadataKey, ": ",
                                     QuoteName(key_), ": got ", got,
                                     ", expected a string"));
      case State::kTensor:
        return Fail(absl::StrCat(
            key_, ": got ", got, ", expected ",
            key_ == "dtype" ? "a string" : "an array of integers"));
      case State::kShape:
      case State::kOffsets:
        return Fail(
            absl::StrCat(key_, ": got ", got,
                         ", expected integers from 0 to 9223372036854775807"));
    }
    return false;
  }

  const std::string& file_;
  absl::Status status_;
  State state_ = State::kStart;
  std::string key_;
  std::unordered_set<std::string> names_;
  SafetensorsHeader header_;
  // The tensor being read and which of its keys have been seen.
  SafetensorsEntry entry_;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  int num_offsets_ = 0;
};

std::string Range(const SafetensorsEntry& entry) {
  return absl::StrCat("[", entry.begin, ", ", entry.end, ")");
}

// Range within the data section, and as long as dtype and shape say.
absl::Status CheckEntry(const std::string& file, const SafetensorsEntry& entry,
                        uint64_t data_size) {
  const std::string where =
      absl::StrCat(file, ": tensor ", QuoteName(entry.name), ": ");
  absl::StatusOr<uint64_t> bytes = ByteSize(*entry.type, entry.shape);
  if (!bytes.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, bytes.status().message()));
  }
  if (entry.begin > entry.end) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, "data_offsets: got begin ", entry.begin,
                     " after end ", entry.end, ", expected begin <= end"));
  }
  if (entry.end > data_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, "data_offsets: got ", Range(entry),
        ", expected an end within the ", data_size, " bytes of data"));
  }
  if (entry.end - entry.begin != *bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, "data_offsets: got ", entry.end - entry.begin,
        " bytes, expected ", *bytes, " for ", entry.type_string()));
  }
  return absl::OkStatus();
}

// Entries sorted by offset must follow each other without overlap or hole.
absl::Status CheckTiling(const std::string& file,
                         const std::vector<SafetensorsEntry>& entries,
                         uint64_t data_size) {
  uint64_t covered = 0;
  const SafetensorsEntry* previous = nullptr;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin < covered) {
      return absl::InvalidArgumentError(absl::StrCat(
          file, ": tensor ", QuoteName(entry.name), ": data_offsets: got ",
          Range(entry), ", which overlaps ", Range(*previous), " of tensor ",
          QuoteName(previous->name)));
    }
    if (entry.begin > covered) {
      return absl::InvalidArgumentError(absl::StrCat(
          file, ": tensor ", QuoteName(entry.name),
          ": data_offsets: got begin ", entry.begin, ", expected ", covered,
          ", where the data before it ends: bytes in between belong to no "
          "tensor"));
    }
    covered = entry.end;
    previous = &entry;
  }
  if (covered != data_size) {
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": got ", data_size, " bytes of data, expected ", covered, ": ",
        data_size - covered, " trailing bytes belong to no tensor"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string QuoteName(absl::string_view name) {
  constexpr size_t kMax = 120;
  return absl::StrCat("'", absl::CHexEscape(name.substr(0, kMax)),
                      name.size() > kMax ? "..." : "", "'");
}

absl::Span<const SafetensorsDType> SafetensorsDTypes() { return kTypes; }

std::string SafetensorsEntry::type_string() const {
  return type->dtype ? TypeToString(*type->dtype, shape)
                     : absl::StrCat(type->name, ShapeToString(shape));
}

absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(
    const std::string& file, absl::string_view json, uint64_t data_size) {
  // The parser would skip a byte order mark or white space.
  if (json.empty() || json[0] != '{') {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ": header: got ",
                     json.empty() ? "no bytes" : QuoteName(json.substr(0, 1)),
                     ", expected '{'"));
  }
  // The parser takes a NUL byte for the end of its input.
  if (const size_t nul = json.find('\0'); nul != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(
        file, ": header is not valid JSON at byte ", nul, ": NUL"));
  }
  HeaderHandler handler(file);
  nlohmann::json::sax_parse(json.data(), json.data() + json.size(), &handler);
  GSA_ASSIGN_OR_RETURN(SafetensorsHeader header, std::move(handler).Finish());
  for (const SafetensorsEntry& entry : header.entries) {
    GSA_RETURN_IF_ERROR(CheckEntry(file, entry, data_size));
  }
  // Empty tensors come before the one that begins where they are.
  std::sort(header.entries.begin(), header.entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
              return std::tie(a.begin, a.end, a.name) <
                     std::tie(b.begin, b.end, b.name);
            });
  GSA_RETURN_IF_ERROR(CheckTiling(file, header.entries, data_size));
  return header;
}

}  // namespace gsa
