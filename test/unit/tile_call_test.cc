// -----------------------------------------------------------------------------
// File: tile_call_test.cc
// -----------------------------------------------------------------------------
//
// Every op of gsa_tile against the device headers: its call names only what the
// op has, and calls a function that both sets of headers declare. Beside it the
// small parts of the printer that no lit test reaches.

#include <algorithm>
#include <optional>
#include <regex>
#include <string>
#include <tuple>
#include <vector>

#include "codegen/cuda/LineMap.h"
#include "codegen/cuda/Literals.h"
#include "codegen/cuda/Names.h"
#include "codegen/device/DeviceHeaders.h"
#include "dialect/GsaTile/CudaNames.h"
#include "dialect/GsaTile/GsaTileOps.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mlir/IR/Builders.h"

namespace mlir::gsa_tile {
namespace {

using AllOps = std::tuple<
#define GET_OP_LIST
#include "dialect/GsaTile/GsaTileOps.cpp.inc"
    >;

struct CallRecord {
  std::string mnemonic;
  std::string call;  // empty: the op prints statements
  std::vector<std::string> names;
};

template <typename Op>
void AddRecord(std::vector<CallRecord>* records) {
  if constexpr (requires { Op::getDeviceCall(); }) {
    CallRecord record;
    record.mnemonic = Op::getOperationName().split('.').second.str();
    record.call = Op::getDeviceCall().str();
    for (StringRef name : Op::getArgumentNames())
      record.names.push_back(name.str());
    for (StringRef name : Op::getResultNames())
      record.names.push_back(name.str());
    records->push_back(std::move(record));
  }
}

std::vector<CallRecord> Records() {
  std::vector<CallRecord> records;
  [&]<typename... Ops>(std::tuple<Ops...>*) {
    (AddRecord<Ops>(&records), ...);
  }(static_cast<AllOps*>(nullptr));
  return records;
}

// A line that starts a declaration of the function in one of the headers.
bool IsDeclared(ArrayRef<DeviceHeader> headers, const std::string& function) {
  std::regex declaration("(^|\n)([A-Za-z_][^\n;={}]*[ &*])?" + function +
                         "\\(");
  return std::any_of(headers.begin(), headers.end(), [&](const auto& header) {
    return header.name.ends_with(".cuh") &&
           std::regex_search(header.text.str(), declaration);
  });
}

TEST(TileCallTest, EveryOpHasARecord) { EXPECT_GE(Records().size(), 40u); }

TEST(TileCallTest, FieldsAreOfTheOp) {
  static const std::regex kField(R"(\{([a-z_0-9]+)(\.\.\.)?(:type|:elem)?\})");
  for (const CallRecord& record : Records()) {
    SCOPED_TRACE(record.mnemonic + ": " + record.call);
    std::string rest = record.call;
    std::smatch match;
    while (std::regex_search(rest, match, kField)) {
      EXPECT_THAT(record.names, ::testing::Contains(match[1].str()));
      rest = match.prefix().str() + match.suffix().str();
    }
    EXPECT_EQ(rest.find_first_of("{}"), std::string::npos) << rest;
  }
}

TEST(TileCallTest, FunctionIsDeclaredInBothSetsOfHeaders) {
  for (const CallRecord& record : Records()) {
    if (record.call.empty()) continue;
    SCOPED_TRACE(record.mnemonic);
    std::string function =
        record.call.substr(0, record.call.find_first_of("<("));
    EXPECT_EQ(function, record.mnemonic);
    EXPECT_TRUE(IsDeclared(getDeviceHeaders(), function));
    EXPECT_TRUE(IsDeclared(getEmulationHeaders(), function));
  }
}

TEST(TileCallTest, FunctionsOfStatementsAreDeclared) {
  for (const char* function :
       {"in_team", "first_element", "next_element", "indices", "sizes",
        "to_float", "to_bf16", "to_f16", "convert_to", "bit_cast", "infinity",
        "quiet_nan", "ceil_div", "floor_div", "maximum", "minimum"}) {
    SCOPED_TRACE(function);
    EXPECT_TRUE(IsDeclared(getDeviceHeaders(), function));
    EXPECT_TRUE(IsDeclared(getEmulationHeaders(), function));
  }
  EXPECT_FALSE(IsDeclared(getDeviceHeaders(), "no_such_function"));
}

TEST(DeviceHeadersTest, SetsHaveTheEntryHeaderAndDiffer) {
  auto has_entry = [](ArrayRef<DeviceHeader> headers) {
    return llvm::any_of(headers, [](const DeviceHeader& header) {
      return header.name == "gsa/device/tile.cuh";
    });
  };
  EXPECT_TRUE(has_entry(getDeviceHeaders()));
  EXPECT_TRUE(has_entry(getEmulationHeaders()));
  EXPECT_EQ(getDeviceHeadersHash().size(), 64u);
  EXPECT_NE(getDeviceHeadersHash(), getEmulationHeadersHash());
}

class NamesTest : public ::testing::Test {
 protected:
  NamesTest() { context_.loadDialect<GsaTileDialect>(); }
  MLIRContext context_;
};

TEST_F(NamesTest, ReservesWordsFunctionsAndOps) {
  for (const char* name :
       {"", "1x", "a-b", "a.b", "_x", "a__b", "for", "asm", "bf16", "to_bf16",
        "expf", "exp", "min", "smem", "mma_nt", "ring_wait", "threadIdx"})
    EXPECT_FALSE(isLegalCudaName(&context_, name)) << name;
  for (const char* name : {"x", "keys", "n2", "scores_0", "Q"})
    EXPECT_TRUE(isLegalCudaName(&context_, name)) << name;
  // Fine for a variable, but not for a global function with C linkage.
  EXPECT_TRUE(isLegalCudaName(&context_, "select"));
  EXPECT_FALSE(isLegalKernelName(&context_, "select"));
  EXPECT_FALSE(isLegalKernelName(&context_, "fill"));
  EXPECT_TRUE(isLegalKernelName(&context_, "index_scores"));
}

TEST_F(NamesTest, SanitizesAnyHint) {
  EXPECT_EQ(sanitizeCudaName("layer.0/gate"), "layer_0_gate");
  EXPECT_EQ(sanitizeCudaName("%0"), "v0");
  EXPECT_EQ(sanitizeCudaName("--"), "v");
  EXPECT_EQ(sanitizeCudaName("a__b_"), "a_b");
}

TEST_F(NamesTest, GivesANameOnceUntilItsScopeEnds) {
  Names names(&context_);
  EXPECT_EQ(names.makeUnique("x"), "x");
  EXPECT_EQ(names.makeUnique("x"), "x_0");
  size_t scope = names.openScope();
  EXPECT_EQ(names.makeUnique("x"), "x_1");
  EXPECT_EQ(names.makeUnique("y"), "y");
  names.closeScope(scope);
  EXPECT_EQ(names.makeUnique("y"), "y");
  EXPECT_EQ(names.makeUnique("x"), "x_1");
  EXPECT_EQ(names.makeUnique("load"), "load_0");
}

TEST(LineMapTest, FindsTheOpOfALineOrTheOneAbove) {
  MLIRContext context;
  auto at = [&](unsigned line) {
    return FileLineColLoc::get(&context, "f.mlir", line, 1);
  };
  LineMap lines;
  lines.add(5, at(10), "a.b");
  lines.add(8, at(20), "c.d");
  EXPECT_EQ(lines.lookup(0), nullptr);
  EXPECT_EQ(lines.lookup(4), nullptr);
  EXPECT_EQ(lines.lookup(5)->op, "a.b");
  EXPECT_EQ(lines.lookup(7)->location, at(10));
  EXPECT_EQ(lines.lookup(100)->op, "c.d");
}

// Every float reads back from its text bit for bit.
TEST(LiteralsTest, FloatsAreExact) {
  MLIRContext context;
  Builder builder(&context);
  uint32_t bits = 1;
  for (int i = 0; i < 2000; ++i) {
    bits = bits * 1664525u + 1013904223u;
    APFloat value(APFloat::IEEEsingle(), APInt(32, bits));
    std::optional<Literal> literal =
        getLiteral(FloatAttr::get(builder.getF32Type(), value));
    ASSERT_TRUE(literal.has_value());
    if (!value.isFinite()) continue;
    EXPECT_EQ(literal->text.back(), 'f');
    EXPECT_THAT(literal->text.find_first_of(".e"),
                ::testing::Ne(std::string::npos));
    float back = std::strtof(literal->text.c_str(), nullptr);
    EXPECT_EQ(llvm::bit_cast<uint32_t>(back), bits) << literal->text;
  }
}

TEST(LiteralsTest, IntegersFitTheirTypes) {
  MLIRContext context;
  Builder builder(&context);
  auto text = [](TypedAttr value) -> std::string {
    std::optional<Literal> literal = getLiteral(value);
    return literal ? literal->text : "none";
  };
  EXPECT_EQ(text(builder.getI32IntegerAttr(-2147483647 - 1)),
            "(-2147483647 - 1)");
  EXPECT_EQ(text(builder.getI64IntegerAttr(INT64_MIN)),
            "(-9223372036854775807ll - 1)");
  EXPECT_EQ(text(builder.getIndexAttr(2147483647)), "2147483647");
  EXPECT_EQ(text(builder.getIndexAttr(2147483648)), "none");
  EXPECT_EQ(text(builder.getIntegerAttr(builder.getIntegerType(16), 1)),
            "none");
  EXPECT_EQ(text(builder.getBoolAttr(true)), "true");
}

}  // namespace
}  // namespace mlir::gsa_tile
