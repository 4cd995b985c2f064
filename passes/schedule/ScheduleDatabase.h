//===- ScheduleDatabase.h - schedules that were measured -------*- C++ -*-===//
//
// JSON lines, one measured schedule each:
//
//   {"op": "gsa.gather_attention", "arch": "sm_90a", "element": "bf16",
//    "causal": false, "batch": 1, "queries": 131072, "keys": 131072,
//    "heads": 32, "groups": 8, "depth": 128, "value_depth": 128, "slots": 2048,
//    "schedule": "#gsa.union_schedule<...>", "us": 31000, "default_us": 33000,
//    "device": "NVIDIA H200"}
//
// all on one line. What is before `schedule` is the class of shapes: batch,
// queries and keys stand for all sizes down to half of them, and are powers of
// two; the other sizes are exact. On a CPU "arch" says how wide its vectors
// are, "cpu512", and the number of tasks of a schedule is that of whoever uses
// it. Empty lines are skipped. Everything else is held to this: a file with one
// wrong line is an error that names the line.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_PASSES_SCHEDULE_SCHEDULEDATABASE_H
#define GSA_PASSES_SCHEDULE_SCHEDULEDATABASE_H

#include <string>

#include "dialect/Gsa/GsaSchedules.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::gsa {

/// The class of shapes of an op as the members of a record, in their order and
/// without braces: `"op": "gsa.topk", "arch": "sm_90a", "element": ...`. The
/// sizes of the op are static. `arch` is that of a CudaTarget or a CpuTarget.
std::string makeShapeClass(ScheduledOpInterface op, StringRef arch);

class ScheduleDatabase {
 public:
  struct Record {
    Attribute schedule;
    double us = 0, defaultUs = 0;  ///< With the schedule, and without a record.
    std::string device;
    int64_t line = 0;
  };

  /// Reads `text`; `name` is that of its file. Fails with
  /// "<name>:<line>: <what is wrong>" in `error`.
  static FailureOr<ScheduleDatabase> parse(StringRef text, StringRef name,
                                           MLIRContext* context,
                                           std::string& error);
  /// Reads a file, which has at most kMostBytes.
  static FailureOr<ScheduleDatabase> load(StringRef path, MLIRContext* context,
                                          std::string& error);
  static constexpr uint64_t kMostBytes = uint64_t{64} << 20;

  /// The record for an op, or null.
  const Record* find(ScheduledOpInterface op, StringRef arch) const;
  /// "<name>:<line>".
  std::string where(const Record& record) const;

  StringRef getName() const { return name; }
  size_t size() const { return records.size(); }

 private:
  std::string name;
  llvm::StringMap<Record> records;  ///< By makeShapeClass.
};

/// A database that is part of the program, bench/tuned/<arch>.jsonl.
struct ShippedDatabase {
  StringRef name;  ///< "bench/tuned/sm_90a.jsonl"
  StringRef text;
};

/// That of an architecture, or none.
std::optional<ShippedDatabase> findShippedDatabase(StringRef arch);

}  // namespace mlir::gsa

#endif  // GSA_PASSES_SCHEDULE_SCHEDULEDATABASE_H
