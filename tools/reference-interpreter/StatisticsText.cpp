//===- StatisticsText.cpp - statistics as text and as JSON ----------------===//

#include <cmath>

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"
#include "tools/reference-interpreter/Statistics.h"

using namespace mlir;
using namespace mlir::gsa;
using llvm::formatv;
using llvm::json::Array;
using llvm::json::Object;

/// The attention that reads a selection, or null.
static const AttentionEntry* findAttention(const Statistics& statistics,
                                           const SelectionEntry& selection) {
  for (const AttentionEntry& attention : statistics.attentions)
    if (!attention.isDense && attention.name == selection.name)
      return &attention;
  return nullptr;
}

/// Attention that no selection of the list belongs to.
static bool isAlone(const Statistics& statistics,
                    const AttentionEntry& attention) {
  return attention.isDense ||
         llvm::none_of(statistics.selections,
                       [&](const SelectionEntry& selection) {
                         return selection.name == attention.name;
                       });
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// The measured union of `tile` rows, or null.
static const reference::TileUnion* findUnion(
    const reference::SelectionStatistics& statistics, int64_t tile) {
  for (const reference::TileUnion& entry : statistics.unions)
    if (entry.tile == tile && entry.tiles > 0) return &entry;
  return nullptr;
}

static void printMass(llvm::raw_ostream& os, const AttentionEntry& attention) {
  const reference::AttentionMass& mass = attention.mass;
  if (attention.isDense) {
    os << "  mass on the first token: "
       << formatv("{0:f4}", mass.first_token_dense) << " (" << mass.rows
       << " rows)\n";
    return;
  }
  os << "  attention mass kept: " << formatv("{0:f3}", mass.kept_mean)
     << " of dense, smallest row " << formatv("{0:f3}", mass.kept_min) << " ("
     << mass.rows << " rows)\n"
     << "  mass on the first token: "
     << formatv("{0:f4}", mass.first_token_dense) << " dense, "
     << formatv("{0:f4}", mass.first_token_sparse) << " sparse\n";
}

static void printSelection(llvm::raw_ostream& os,
                           const SelectionEntry& selection) {
  const reference::SelectionStatistics& statistics = selection.statistics;
  os << "Selection " << selection.name << " ("
     << (selection.ofRun ? "of this run" : "of the reference") << ")\n"
     << "  k: mean " << formatv("{0:f1}", statistics.mean_k) << ", "
     << statistics.min_k << " to " << statistics.max_k << " over "
     << statistics.rows << " rows\n"
     << "  neighbouring queries: overlap J "
     << formatv("{0:f3}", statistics.jaccard);
  if (const auto* tiles = findUnion(statistics, 32))
    os << ", U(32)/k " << formatv("{0:f2}", tiles->union_over_k);
  if (selection.sharedRows < statistics.rows)
    os << " (" << selection.sharedRows << " rows)";
  os << "\n";
}

std::string Statistics::text() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const SelectionEntry& selection : selections) {
    printSelection(os, selection);
    if (const AttentionEntry* attention = findAttention(*this, selection))
      printMass(os, *attention);
  }
  for (const AttentionEntry& attention : attentions) {
    if (!isAlone(*this, attention)) continue;
    os << "Attention " << attention.name
       << (attention.isDense ? " (dense)\n" : "\n");
    printMass(os, attention);
  }
  for (const GateEntry& gate : gates)
    os << "Gate " << gate.name << ": mean "
       << formatv("{0:f3}", gate.statistics.mean) << ", "
       << formatv("{0:f1}", 100 * gate.statistics.share_closed)
       << " % below 0.1 (" << gate.tokens << " tokens)\n";
  for (const std::string& entry : missing)
    os << "Not measured: " << entry << "\n";
  return text;
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

/// JSON has no infinities and no NaN.
static llvm::json::Value finiteOrNull(double value) {
  if (!std::isfinite(value)) return nullptr;
  return value;
}

static Object massToJson(const AttentionEntry& attention) {
  const reference::AttentionMass& mass = attention.mass;
  Object json{{"rows", mass.rows},
              {"first_token_dense", finiteOrNull(mass.first_token_dense)}};
  if (attention.isDense) return json;
  json["kept_mean"] = finiteOrNull(mass.kept_mean);
  json["kept_min"] = finiteOrNull(mass.kept_min);
  json["first_token_sparse"] = finiteOrNull(mass.first_token_sparse);
  return json;
}

static Object selectionToJson(const SelectionEntry& selection) {
  const reference::SelectionStatistics& statistics = selection.statistics;
  Array unions;
  for (const reference::TileUnion& entry : statistics.unions) {
    if (entry.tiles == 0) continue;
    unions.push_back(Object{{"rows", entry.tile},
                            {"mean_union", entry.mean_union},
                            {"union_over_k", entry.union_over_k}});
  }
  return Object{{"kind", "selection"},
                {"name", selection.name},
                {"source", selection.ofRun ? "run" : "reference"},
                {"rows", statistics.rows},
                {"mean_k", statistics.mean_k},
                {"min_k", statistics.min_k},
                {"max_k", statistics.max_k},
                {"shared_rows", selection.sharedRows},
                {"jaccard", statistics.jaccard},
                {"unions", std::move(unions)}};
}

llvm::json::Value Statistics::json() const {
  Array array;
  for (const SelectionEntry& selection : selections) {
    Object json = selectionToJson(selection);
    if (const AttentionEntry* attention = findAttention(*this, selection))
      json["attention_mass"] = massToJson(*attention);
    array.push_back(std::move(json));
  }
  for (const AttentionEntry& attention : attentions) {
    if (!isAlone(*this, attention)) continue;
    array.push_back(
        Object{{"kind", attention.isDense ? "dense_attention" : "attention"},
               {"name", attention.name},
               {"attention_mass", massToJson(attention)}});
  }
  for (const GateEntry& gate : gates)
    array.push_back(Object{{"kind", "gate"},
                           {"name", gate.name},
                           {"tokens", gate.tokens},
                           {"mean", finiteOrNull(gate.statistics.mean)},
                           {"share_below_0.1", gate.statistics.share_closed}});
  for (const std::string& entry : missing)
    array.push_back(Object{{"kind", "missing"}, {"reason", entry}});
  return array;
}
