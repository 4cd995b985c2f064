//===- Statistics.h - what selections, attention and gates did ------------===//
//
// Collects the tensors of selections, attention and gates, from wherever they
// come (the interpreter, or a run that returns them), and measures a sample of
// their rows: how many keys queries keep and share, how much attention they
// keep of dense attention, how open gates are.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_REFERENCE_INTERPRETER_STATISTICS_H
#define GSA_TOOLS_REFERENCE_INTERPRETER_STATISTICS_H

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "dialect/Gsa/GsaOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/JSON.h"
#include "mlir/IR/Operation.h"
#include "test/reference/Metrics.h"
#include "tools/reference-interpreter/RuntimeValue.h"

namespace mlir::gsa {

struct StatisticsOptions {
  int numThreads = 1;
  /// Queries of each sequence whose attention mass is measured, evenly spaced;
  /// 0 measures none.
  int64_t massRows = 64;
  /// Tokens of each sequence whose gates are measured, evenly spaced.
  int64_t gateTokens = 1024;
  /// Indices that are read for what neighbouring queries share; of a larger
  /// selection blocks of 64 queries, evenly spaced.
  int64_t indexLimit = int64_t{1} << 25;
};

struct SelectionEntry {
  std::string name;
  bool ofRun = false;  ///< The tested run's, not the reference's
  reference::SelectionStatistics statistics;
  int64_t sharedRows = 0;  ///< Rows that overlaps and unions are of
};

struct AttentionEntry {
  std::string name;  ///< Of its selection, or of its result
  bool isDense = false;
  reference::AttentionMass mass;
};

struct GateEntry {
  std::string name;
  int64_t tokens = 0;
  reference::GateStatistics statistics;
};

/// Everything that was measured.
struct Statistics {
  std::vector<SelectionEntry> selections;
  std::vector<AttentionEntry> attentions;
  std::vector<GateEntry> gates;
  /// What was not measured, and why: "attention mass of indices: ...".
  std::vector<std::string> missing;

  bool empty() const {
    return selections.empty() && attentions.empty() && gates.empty() &&
           missing.empty();
  }
  /// A few lines for people.
  std::string text() const;
  /// An array of objects; "kind" is "selection" (with the "attention_mass" of
  /// the attention that reads it), "dense_attention", "gate" or "missing".
  llvm::json::Value json() const;
};

/// A tensor [B, S, ...] of which rows are read when they are needed.
template <typename T>
struct TensorRows {
  reference::Shape shape;
  std::function<reference::Tensor<T>(const std::vector<int64_t>& rows)> read;

  /// Rows of `tensor`, which must live as long as the source is used.
  static TensorRows of(const reference::Tensor<T>& tensor) {
    return {tensor.shape(), [&tensor](const std::vector<int64_t>& rows) {
              return reference::TakeRows(tensor, rows);
            }};
  }
  reference::Tensor<T> readAll() const;
};

/// Attention over selected or over all visible keys.
struct AttentionSource {
  Operation* op = nullptr;
  Value indices;  ///< The selection; null for dense attention
  TensorRows<double> query, key;
  TensorRows<int32_t> lists, counts;  ///< Without elements for dense attention
  std::optional<double> scale;
  reference::Mask mask = reference::Mask::kCausal;
};

/// The logits of a gate.
struct GateLogits {
  Operation* op = nullptr;  ///< gsa.gate, or the op that has it
  enum class Role { Value, Output, Other } role = Role::Other;
  /// The attention whose values or output it scales; null for others.
  Operation* attention = nullptr;
  Value logitsValue;
  TensorRows<double> logits;
  reference::GateActivation activation = reference::GateActivation::kSigmoid;
};

/// The role of a gsa.gate, and its attention, by who reads and who made what.
void findGateRole(Operation* gate, GateLogits* source);

/// The same activation in the reference.
reference::GateActivation toReference(GateActivation activation);

/// The mask under which a selection or attention was made; what it cannot know
/// is causal, which shows no key that the selection has not seen.
reference::Mask maskOf(Operation* op);

/// `value` before its casts of static to dynamic sizes and back.
Value skipCasts(Value value);

/// Reads what it needs at once; nothing has to live longer than the call. What
/// cannot be measured becomes an entry of Statistics::missing.
class StatisticsCollector {
 public:
  explicit StatisticsCollector(const StatisticsOptions& options)
      : options(options) {}

  void addSelection(std::string name, Value indices, bool ofRun,
                    const TensorRows<int32_t>& lists,
                    const TensorRows<int32_t>& counts);
  void addAttention(const AttentionSource& source);
  void addGate(const GateLogits& source);
  void addMissing(std::string what, std::string why);
  Statistics finish();

 private:
  /// What is kept of an attention until its output gate is known.
  struct Pending {
    std::string name;
    Operation* op;
    bool isDense;
    int64_t queries;
    std::vector<int64_t> rows;
    reference::Tensor<double> query, key;
    reference::Tensor<int32_t> lists, counts;
    reference::AttentionMassOptions options;
  };
  void measure(const Pending& pending);

  const StatisticsOptions options;
  Statistics statistics;
  DenseMap<Value, std::string> nameOfSelection;
  std::vector<Pending> attentions;
  DenseMap<Operation*, reference::Tensor<double>> valueGates, outputGates;
};

}  // namespace mlir::gsa

#endif  // GSA_TOOLS_REFERENCE_INTERPRETER_STATISTICS_H
