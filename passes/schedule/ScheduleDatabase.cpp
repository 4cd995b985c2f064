//===- ScheduleDatabase.cpp - schedules that were measured ----------------===//

#include "passes/schedule/ScheduleDatabase.h"

#include <cmath>

#include "dialect/Gsa/GsaOps.h"
#include "dialect/Target/CpuTarget.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace mlir::gsa;

/// Far more than a record has; what is longer is no record.
static constexpr size_t kMostLineBytes = 8192;
static constexpr size_t kMostScheduleBytes = 2048;
/// Brackets of a schedule that are open at once.
static constexpr int kMostNesting = 8;

//===----------------------------------------------------------------------===//
// Classes of shapes
//===----------------------------------------------------------------------===//

namespace {

/// A size of a class; one that `isRounded` stands for those down to half of it.
struct Size {
  StringRef name;
  int64_t value;
  bool isRounded = false;
};

struct ShapeClass {
  std::string op, arch, element;
  bool causal = false;
  SmallVector<Size, 12> sizes;

  std::string toText() const {
    std::string text;
    llvm::raw_string_ostream out(text);
    out << "\"op\": \"" << op << "\", \"arch\": \"" << arch
        << "\", \"element\": \"" << element
        << "\", \"causal\": " << (causal ? "true" : "false");
    for (const Size& size : sizes)
      out << ", \"" << size.name << "\": " << size.value;
    return text;
  }
};

}  // namespace

static int64_t roundUp(int64_t size) {
  return size < 2 ? size
                  : static_cast<int64_t>(
                        llvm::PowerOf2Ceil(static_cast<uint64_t>(size)));
}

static std::string nameOf(Type element) {
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

static ShapeClass classOf(ScheduledOpInterface op, StringRef arch) {
  ShapeClass result;
  result.op = op->getName().getStringRef().str();
  result.arch = arch.str();
  result.causal = isCausal(op);
  auto add = [&](StringRef name, int64_t size, bool isRounded = false) {
    for (const Size& known : result.sizes)
      if (known.name == name) return;
    result.sizes.push_back({name, isRounded ? roundUp(size) : size, isRounded});
  };
  ScheduleProblem problem = op.getScheduleProblem();
  auto addRows = [&](auto& part) {
    if (result.element.empty()) result.element = nameOf(part.element);
    add("batch", part.batch, true);
    add("queries", part.queries, true);
    add("keys", part.keys, true);
  };
  if (problem.attention) {
    addRows(*problem.attention);
    add("heads", problem.attention->heads);
    add("groups", problem.attention->groups);
    add("depth", problem.attention->depth);
    add("value_depth", problem.attention->valueDepth);
    add("slots", problem.attention->slots);
  }
  if (problem.scores) {
    addRows(*problem.scores);
    add("heads", problem.scores->heads);
    add("depth", problem.scores->depth);
  }
  if (problem.rows) {
    addRows(*problem.rows);
    add("slots", problem.rows->slots);
  }
  return result;
}

std::string gsa::makeShapeClass(ScheduledOpInterface op, StringRef arch) {
  return classOf(op, arch).toText();
}

//===----------------------------------------------------------------------===//
// Records
//===----------------------------------------------------------------------===//

namespace {

/// One line on its way to a record. Methods fail with a sentence in `error`.
class LineReader {
 public:
  LineReader(MLIRContext* context, std::string& error)
      : context(context), error(error) {}

  LogicalResult read(StringRef line, std::string& key,
                     ScheduleDatabase::Record& record);

 private:
  LogicalResult fail(const Twine& message) {
    error = message.str();
    return failure();
  }
  LogicalResult checkText(StringRef line);
  LogicalResult readClass(const llvm::json::Object& object, std::string& key,
                          bool& isCpu);
  LogicalResult readSize(const llvm::json::Object& object, Size& size);
  LogicalResult readText(const llvm::json::Object& object, StringRef name,
                         std::string& text);
  LogicalResult readTime(const llvm::json::Object& object, StringRef name,
                         double& time);
  LogicalResult readSchedule(StringRef text, bool isCpu, Attribute& schedule);

  MLIRContext* context;
  std::string& error;
  size_t members = 0;  ///< That were read.
};

}  // namespace

/// Sizes of the class of an op by its name, or none if it has no schedules.
static SmallVector<Size> sizesOf(StringRef op) {
  SmallVector<Size> rows = {
      {"batch", 0, true}, {"queries", 0, true}, {"keys", 0, true}};
  auto with = [&](std::initializer_list<StringRef> more) {
    for (StringRef name : more) rows.push_back({name, 0, false});
    return rows;
  };
  if (op == GatherAttentionOp::getOperationName() ||
      op == DenseAttentionOp::getOperationName() ||
      op == PartialAttentionOp::getOperationName())
    return with({"heads", "groups", "depth", "value_depth", "slots"});
  if (op == SelectOp::getOperationName())
    return with({"heads", "depth", "slots"});
  if (op == IndexScoresOp::getOperationName()) return with({"heads", "depth"});
  if (op == TopKOp::getOperationName() ||
      op == RowStatisticsOp::getOperationName())
    return with({"slots"});
  return {};
}

/// The parser of JSON recurses once for each bracket and takes the last of
/// members of one name: only flat objects with different names reach it.
LogicalResult LineReader::checkText(StringRef line) {
  if (line.size() > kMostLineBytes)
    return fail("line of " + Twine(line.size()) + " bytes, expected at most " +
                Twine(kMostLineBytes));
  bool inText = false;
  int open = 0;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (static_cast<unsigned char>(c) < 0x20 && c != '\t')
      return fail("control character in column " + Twine(i + 1));
    if (inText && c == '\\')
      return fail("expected no escapes, got one in column " + Twine(i + 1));
    if (c == '"') inText = !inText;
    if (inText) continue;
    if (c == '[' || (c == '{' && ++open > 1))
      return fail("expected texts, numbers and booleans in one object, got '" +
                  Twine(c) + "' in column " + Twine(i + 1));
  }
  return success();
}

LogicalResult LineReader::readText(const llvm::json::Object& object,
                                   StringRef name, std::string& text) {
  std::optional<StringRef> value = object.getString(name);
  if (!value || value->empty())
    return fail("\"" + name + "\": expected a text");
  ++members;
  text = value->str();
  return success();
}

LogicalResult LineReader::readTime(const llvm::json::Object& object,
                                   StringRef name, double& time) {
  std::optional<double> value = object.getNumber(name);
  if (!value || !std::isfinite(*value) || *value <= 0)
    return fail("\"" + name + "\": expected microseconds above 0");
  ++members;
  time = *value;
  return success();
}

LogicalResult LineReader::readSize(const llvm::json::Object& object,
                                   Size& size) {
  std::optional<int64_t> value = object.getInteger(size.name);
  if (!value || *value < 0)
    return fail("\"" + size.name + "\": expected a size");
  if (size.isRounded && roundUp(*value) != *value)
    return fail("\"" + size.name + "\": expected a power of two, got " +
                Twine(*value) + "; nearest: " + Twine(roundUp(*value)));
  ++members;
  size.value = *value;
  return success();
}

LogicalResult LineReader::readClass(const llvm::json::Object& object,
                                    std::string& key, bool& isCpu) {
  ShapeClass shape;
  if (failed(readText(object, "op", shape.op)) ||
      failed(readText(object, "arch", shape.arch)) ||
      failed(readText(object, "element", shape.element)))
    return failure();
  SmallVector<Size> sizes = sizesOf(shape.op);
  if (sizes.empty()) return fail("\"op\": '" + shape.op + "' has no schedules");
  shape.sizes.append(sizes.begin(), sizes.end());
  isCpu = findCpuTarget(shape.arch).has_value();
  if (!isCpu && !findCudaTarget(shape.arch))
    return fail("\"arch\": " + explainUnknownTarget(shape.arch) +
                "; of a CPU cpu128, cpu256 or cpu512");
  bool isKnown = llvm::is_contained({"f16", "bf16", "f32"}, shape.element) ||
                 (isCpu && shape.element == "f64");
  if (!isKnown)
    return fail("\"element\": expected f16, bf16 or f32" +
                Twine(isCpu ? ", or f64" : "") + ", got '" + shape.element +
                "'");
  std::optional<bool> causal = object.getBoolean("causal");
  if (!causal) return fail("\"causal\": expected true or false");
  ++members;
  shape.causal = *causal;
  for (Size& size : shape.sizes)
    if (failed(readSize(object, size))) return failure();
  key = shape.toText();
  return success();
}

/// The parser of attributes sees the characters of schedules alone.
LogicalResult LineReader::readSchedule(StringRef text, bool isCpu,
                                       Attribute& schedule) {
  if (text.size() > kMostScheduleBytes || !text.starts_with("#gsa."))
    return fail("\"schedule\": expected an attribute #gsa....");
  int open = 0;
  for (char c : text) {
    if (!llvm::isAlnum(c) && !StringRef("#._<>=, ").contains(c))
      return fail("\"schedule\": unexpected character '" + Twine(c) + "'");
    open += c == '<' ? 1 : c == '>' ? -1 : 0;
    if (open > kMostNesting) return fail("\"schedule\": nested too deep");
  }
  std::string reason;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic& diagnostic) {
    if (reason.empty()) reason = diagnostic.str();
    return success();
  });
  schedule = parseAttribute(text, context);
  if (!schedule) return fail("\"schedule\": " + reason);
  bool fits = isCpu ? isa<CpuScheduleAttr>(schedule)
                    : isa<ScheduleAttrInterface>(schedule);
  if (!fits)
    return fail("\"schedule\": '" + text + "' is no schedule of a " +
                (isCpu ? "CPU" : "GPU"));
  return success();
}

LogicalResult LineReader::read(StringRef line, std::string& key,
                               ScheduleDatabase::Record& record) {
  if (failed(checkText(line))) return failure();
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(line);
  if (!value) return fail(llvm::toString(value.takeError()));
  const llvm::json::Object* object = value->getAsObject();
  if (!object) return fail("expected an object");
  std::string schedule;
  bool isCpu = false;
  if (failed(readClass(*object, key, isCpu)) ||
      failed(readText(*object, "schedule", schedule)) ||
      failed(readTime(*object, "us", record.us)) ||
      failed(readTime(*object, "default_us", record.defaultUs)) ||
      failed(readText(*object, "device", record.device)))
    return failure();
  // Whatever was not asked for, and a name that is there twice.
  size_t written = 0;
  bool inText = false;
  for (char c : line) {
    if (c == '"') inText = !inText;
    written += !inText && c == ':';
  }
  if (written != members || object->size() != members)
    return fail("expected " + Twine(members) + " members, got " +
                Twine(written) + " of " + Twine(object->size()) + " names");
  return readSchedule(schedule, isCpu, record.schedule);
}

//===----------------------------------------------------------------------===//
// The database
//===----------------------------------------------------------------------===//

FailureOr<ScheduleDatabase> ScheduleDatabase::parse(StringRef text,
                                                    StringRef name,
                                                    MLIRContext* context,
                                                    std::string& error) {
  ScheduleDatabase database;
  database.name = name.str();
  int64_t number = 0;
  while (!text.empty()) {
    ++number;
    auto [line, rest] = text.split('\n');
    text = rest;
    line.consume_back("\r");
    if (line.trim(" \t").empty()) continue;
    std::string key, reason;
    Record record;
    record.line = number;
    if (succeeded(LineReader(context, reason).read(line, key, record))) {
      auto [known, isNew] = database.records.try_emplace(key, record);
      if (isNew) continue;
      reason = "the class of line " + std::to_string(known->second.line) +
               " once more";
    }
    error = database.name + ":" + std::to_string(number) + ": " + reason;
    return failure();
  }
  return database;
}

FailureOr<ScheduleDatabase> ScheduleDatabase::load(StringRef path,
                                                   MLIRContext* context,
                                                   std::string& error) {
  llvm::ErrorOr<std::unique_ptr<llvm::MemoryBuffer>> file =
      llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                  /*RequiresNullTerminator=*/false);
  if (!file) {
    error = path.str() + ": " + file.getError().message();
    return failure();
  }
  if ((*file)->getBufferSize() > kMostBytes) {
    error = path.str() + ": expected at most " + std::to_string(kMostBytes) +
            " bytes, got " + std::to_string((*file)->getBufferSize());
    return failure();
  }
  return parse((*file)->getBuffer(), path, context, error);
}

const ScheduleDatabase::Record* ScheduleDatabase::find(ScheduledOpInterface op,
                                                       StringRef arch) const {
  if (records.empty()) return nullptr;
  auto it = records.find(makeShapeClass(op, arch));
  return it == records.end() ? nullptr : &it->second;
}

std::string ScheduleDatabase::where(const Record& record) const {
  return name + ":" + std::to_string(record.line);
}

//===----------------------------------------------------------------------===//
// What the program brings along
//===----------------------------------------------------------------------===//

namespace {

struct EmbeddedFile {
  const char* path;  ///< Below bench/tuned.
  const char* text;
};

constexpr EmbeddedFile kShipped[] = {
#include "passes/schedule/tuned.inc"
};

}  // namespace

std::optional<ShippedDatabase> gsa::findShippedDatabase(StringRef arch) {
  for (const EmbeddedFile& file : kShipped) {
    StringRef path(file.path);
    if (path.consume_front("bench/tuned/") && path.consume_back(".jsonl") &&
        path == arch)
      return ShippedDatabase{file.path, file.text};
  }
  return std::nullopt;
}
