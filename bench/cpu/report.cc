// -----------------------------------------------------------------------------
// File: report.cc
// -----------------------------------------------------------------------------

#include "bench/cpu/report.h"

#include <algorithm>
#include <cassert>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gsa::bench {
namespace {

using Json = nlohmann::ordered_json;
using Row = std::vector<std::string>;

// A table; the first column is left aligned, the others right.
class Table {
 public:
  explicit Table(Row header) : rows_{std::move(header)} {}
  void Add(Row row) {
    assert(row.size() == rows_[0].size());
    rows_.push_back(std::move(row));
  }
  bool empty() const { return rows_.size() == 1; }

  std::string ToString(bool markdown) const {
    std::vector<size_t> widths(rows_[0].size());
    for (const Row& row : rows_) {
      for (size_t c = 0; c < row.size(); ++c) {
        widths[c] = std::max(widths[c], row[c].size());
      }
    }
    std::string text;
    for (size_t r = 0; r < rows_.size(); ++r) {
      text += Line(rows_[r], widths, markdown);
      if (r > 0) continue;
      Row rule;
      for (size_t c = 0; c < widths.size(); ++c) {
        rule.push_back(std::string(widths[c], '-'));
        if (markdown && c > 0) rule.back().back() = ':';
      }
      text += Line(rule, widths, markdown);
    }
    return text;
  }

 private:
  static std::string Line(const Row& row, const std::vector<size_t>& widths,
                          bool markdown) {
    std::string line = markdown ? "| " : "";
    for (size_t c = 0; c < row.size(); ++c) {
      std::string padding(widths[c] - row[c].size(), ' ');
      if (c > 0) line += markdown ? " | " : "  ";
      line += c == 0 ? row[c] + padding : padding + row[c];
    }
    if (markdown) line += " |";
    while (!line.empty() && line.back() == ' ') line.pop_back();
    return line + "\n";
  }

  std::vector<Row> rows_;
};

std::string Fixed(double x) {
  int digits = x >= 100 ? 0 : x >= 10 ? 1 : x >= 1 ? 2 : 3;
  return absl::StrFormat("%.*f", digits, x);
}

std::string Percent(double x) { return absl::StrFormat("%.1f %%", x); }

// "85.2 G/s", "1.4 G".
std::string Si(double x, const char* unit) {
  const char* prefix = "";
  for (const char* next : {"k", "M", "G", "T"}) {
    if (x < 1000) break;
    x /= 1000;
    prefix = next;
  }
  return absl::StrCat(Fixed(x), " ", prefix, unit);
}

std::string Title(const std::string& text, bool markdown) {
  return absl::StrCat("\n", markdown ? "### " : "", text, "\n\n");
}

std::string RatesTable(const MachineRates& r, bool markdown) {
  Table table({"rate", "per second", "how"});
  std::string threads = absl::StrCat(r.threads, " threads");
  std::string loop = absl::StrCat("vector loop, ", threads);
  std::string plan = absl::StrCat("compiled module, ", threads);
  table.Add({"f32 FMA", Si(r.fma, ""), loop});
  table.Add({"f32 FMA, one thread", Si(r.fma_one_thread, ""), "vector loop"});
  table.Add({"f32 exp", Si(r.exp_loop, ""), loop});
  table.Add({"f32 exp", Si(r.exp_compiled, ""), plan});
  table.Add({"f32 sigmoid", Si(r.sigmoid_loop, ""), loop});
  table.Add({"f32 sigmoid", Si(r.sigmoid_compiled, ""), plan});
  table.Add({"f64 sin and cos", Si(r.sincos, ""), "C library, " + threads});
  auto bandwidth = [&](const char* what, const Bandwidth& b) {
    table.Add({absl::StrCat(what, ", L2"), Si(b.l2, "B"), loop});
    table.Add({absl::StrCat(what, ", L3"), Si(b.l3, "B"), loop});
    table.Add({absl::StrCat(what, ", memory"), Si(b.memory, "B"), loop});
  };
  bandwidth("read", r.read);
  bandwidth("copy", r.copy);
  return table.ToString(markdown) +
         absl::StrFormat("\nL2 %d KiB per core, L3 %d KiB%s.\n",
                         r.l2_bytes >> 10, r.l3_bytes >> 10,
                         r.caches_known ? "" : " (assumed)");
}

std::string FormulaTable(bool markdown) {
  Table table({"stage", "FMA", "other", "bytes"});
  for (const CostFormula& f : CostFormulas()) {
    table.Add({f.stage, f.fma, f.other, f.bytes});
  }
  return "P = S (S + 1) / 2 visible pairs, N = selected keys of all queries, "
         "K = index slots,\nM = H D, b = bytes of an element.\n\n" +
         table.ToString(markdown);
}

std::string Cpu(const Sample& sample) {
  return sample.cpu > 0 ? Fixed(sample.cpu) : "";
}

std::string StageName(const Record& record) {
  if (record.bench == "select") {
    return absl::StrCat(record.bench, " ", record.policy);
  }
  return record.bench;
}

std::string StageTable(const std::vector<const Record*>& records,
                       bool markdown) {
  Table table({"stage", "n", "ms", "min", "CPU", "spread", "FMA",
               "exp, sigmoid", "bytes", "bound", "floor ms", "achieved",
               "% of bound", "by CPU time"});
  for (const Record* r : records) {
    const Floor& binding = r->bound.binding;
    double rate = binding.amount / (r->ours->median * 1e-3);
    table.Add(
        {StageName(*r), absl::StrCat(r->n), Fixed(r->ours->median),
         Fixed(r->ours->min), Cpu(*r->ours), Percent(100 * r->ours->spread()),
         Si(r->cost->fma, ""), Si(r->cost->exp + r->cost->sigmoid, ""),
         Si(r->cost->bytes() + r->cost->bytes_gathered, "B"), binding.resource,
         Fixed(binding.ms), Si(rate, "/s"),
         Percent(r->bound.PercentOf(r->ours->median)),
         r->ours->cpu > 0 ? Percent(r->bound.PercentOf(r->ours->cpu)) : ""});
  }
  return table.ToString(markdown);
}

double StageMs(const Record& record, const std::string& name) {
  for (const auto& [stage, ms] : record.stages_ms) {
    if (stage == name) return ms;
  }
  return 0;
}

std::string CoreTable(const std::vector<const Record*>& records,
                      bool markdown) {
  Table table({"workload", "n", "J", "U(32)/k", "select ms", "attention ms",
               "core ms", "min", "CPU", "spread", "dense ms", "dense / core",
               "% of bound"});
  for (const Record* r : records) {
    table.Add({r->workload, absl::StrCat(r->n),
               absl::StrFormat("%.3f", r->jaccard.value_or(0)),
               absl::StrFormat("%.2f", r->union32.value_or(0)),
               Fixed(StageMs(*r, "select")),
               Fixed(StageMs(*r, "sparse_attention")), Fixed(r->ours->median),
               Fixed(r->ours->min), Cpu(*r->ours),
               Percent(100 * r->ours->spread()), Fixed(r->dense->median),
               absl::StrFormat("%.2f", r->dense->median / r->ours->median),
               Percent(r->bound.PercentOf(r->ours->median))});
  }
  return table.ToString(markdown);
}

std::string PhaseTable(const Record& record, const std::string& total,
                       bool markdown) {
  Table table({"step", "ms"});
  for (const auto& [name, ms] : record.stages_ms) {
    table.Add({name, Fixed(ms)});
  }
  table.Add({total, Fixed(record.ours->median)});
  return table.ToString(markdown);
}

Json ToJson(const Sample& sample) {
  return {{"median", sample.median},
          {"min", sample.min},
          {"max", sample.max},
          {"cpu", sample.cpu},
          {"rounds", sample.rounds}};
}

Json ToJson(const Bandwidth& b) {
  return {{"l2", b.l2}, {"l3", b.l3}, {"memory", b.memory}};
}

Json ToJson(const MachineRates& r) {
  return {{"fma", r.fma},
          {"fma_one_thread", r.fma_one_thread},
          {"exp", r.exp()},
          {"exp_loop", r.exp_loop},
          {"exp_compiled", r.exp_compiled},
          {"sigmoid", r.sigmoid()},
          {"sigmoid_loop", r.sigmoid_loop},
          {"sigmoid_compiled", r.sigmoid_compiled},
          {"sincos", r.sincos},
          {"read_bytes", ToJson(r.read)},
          {"copy_bytes", ToJson(r.copy)},
          {"l2_bytes", r.l2_bytes},
          {"l3_bytes", r.l3_bytes},
          {"caches_known", r.caches_known}};
}

// What all lines of a file share.
Json Common(const Results& results) {
  const Device& device = results.device;
  return {{"schema_version", 1},
          {"bench", nullptr},
          {"device",
           {{"cpu", device.cpu},
            {"threads", device.threads},
            {"vector_bits", device.vector_bits},
            {"target", device.target}}},
          {"commit", results.commit},
          {"date", results.date},
          {"seed", results.seed}};
}

template <typename T>
Json OrNull(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

void AddCost(const Record& record, Json* line) {
  Json &counts = (*line)["counts"], &floors = (*line)["floors_ms"];
  if (!record.cost) {
    (*line)["bound"] = (*line)["percent_of_bound"] = nullptr;
    (*line)["percent_of_bound_cpu"] = nullptr;
    return;
  }
  const Cost& cost = *record.cost;
  counts = {{"fma", cost.fma},
            {"exp", cost.exp},
            {"sigmoid", cost.sigmoid},
            {"sincos", cost.sincos},
            {"bytes_read", cost.bytes_read},
            {"bytes_written", cost.bytes_written},
            {"bytes_gathered", cost.bytes_gathered}};
  floors = Json::object();
  for (const Floor& floor : record.bound.floors) {
    floors[floor.resource] = floor.ms;
  }
  (*line)["bound"] = record.bound.binding.resource;
  (*line)["percent_of_bound"] = record.bound.PercentOf(record.ours->median);
  (*line)["percent_of_bound_cpu"] = nullptr;
  if (record.ours->cpu > 0) {
    (*line)["percent_of_bound_cpu"] = record.bound.PercentOf(record.ours->cpu);
  }
}

Json ToLine(const Results& results, const Record& record) {
  Json line = Common(results);
  line["bench"] = record.bench;
  line["policy"] = TextOrNull(record.policy);
  line["n"] = record.n;
  line["shape"] = record.shape;
  line["workload"] = TextOrNull(record.workload);
  line["ours_ms"] = record.ours->median;
  line["ours"] = ToJson(*record.ours);
  line["stages_ms"] = Json::object();
  for (const auto& [name, ms] : record.stages_ms) line["stages_ms"][name] = ms;
  line["dense_ms"] = line["dense"] = line["ratio"] = nullptr;
  if (record.dense) {
    line["dense_ms"] = record.dense->median;
    line["dense"] = ToJson(*record.dense);
    line["ratio"] = record.dense->median / record.ours->median;
  }
  line["J"] = OrNull(record.jaccard);
  line["U32"] = OrNull(record.union32);
  line["mean_k"] = OrNull(record.mean_k);
  AddCost(record, &line);
  line["rates"] = nullptr;
  return line;
}

Json RatesLine(const Results& results) {
  Json line = Common(results);
  line["bench"] = "rates";
  for (const char* name :
       {"policy", "n", "shape", "workload", "ours_ms", "ours", "stages_ms",
        "dense_ms", "dense", "ratio", "J", "U32", "mean_k", "counts",
        "floors_ms", "bound", "percent_of_bound", "percent_of_bound_cpu"}) {
    line[name] = nullptr;
  }
  line["rates"] = ToJson(results.rates);
  return line;
}

}  // namespace

std::string ToTables(const Results& results, bool markdown) {
  std::vector<const Record*> stages, core, layer_stages;
  const Record *layer = nullptr, *compile = nullptr, *disk = nullptr;
  for (const Record& record : results.records) {
    if (record.bench == "core") {
      core.push_back(&record);
    } else if (record.bench == "compile") {
      compile = &record;
    } else if (record.bench == "compile_from_disk") {
      disk = &record;
    } else if (record.bench.rfind("layer", 0) == 0) {
      layer_stages.push_back(&record);
      if (record.bench == "layer") layer = &record;
    } else {
      stages.push_back(&record);
    }
  }
  const Device& device = results.device;
  std::string text = absl::StrFormat(
      "%s, %d threads%s; commit %s, %s, seed %d.\n", device.cpu, device.threads,
      device.target.empty() ? "" : absl::StrCat("; plans: ", device.target),
      results.commit, results.date, results.seed);
  text += Title("Rates of the machine", markdown) +
          RatesTable(results.rates, markdown);
  if (!stages.empty()) {
    text += Title(absl::StrCat("Stages, workload ", stages[0]->workload, ", ",
                               stages[0]->shape),
                  markdown) +
            StageTable(stages, markdown);
    text += Title("What is counted", markdown) + FormulaTable(markdown);
  }
  if (!core.empty()) {
    text += Title(absl::StrCat("Selection and sparse attention against dense "
                               "attention, ",
                               core[0]->shape),
                  markdown) +
            CoreTable(core, markdown);
  }
  if (layer != nullptr) {
    text += Title(absl::StrCat("The layer, ", layer->shape), markdown) +
            PhaseTable(*layer, "layer", markdown) + "\n" +
            StageTable(layer_stages, markdown);
  }
  if (compile != nullptr) {
    text += Title("Compiling the layer", markdown) +
            PhaseTable(*compile, "text to first result", markdown);
  }
  if (disk != nullptr) {
    text += Title("The layer's object from disk", markdown) +
            PhaseTable(*disk, "text to first result", markdown);
  }
  return text;
}

absl::StatusOr<std::string> ReplaceResults(const std::string& document,
                                           const std::string& tables) {
  size_t begin = document.find(kResultsBegin);
  size_t end = document.find(kResultsEnd);
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return absl::InvalidArgumentError(
        absl::StrCat("no place for results: expected the lines\n",
                     kResultsBegin, kResultsEnd));
  }
  begin += sizeof(kResultsBegin) - 1;
  return absl::StrCat(document.substr(0, begin), "\n", tables, "\n",
                      document.substr(end));
}

std::string ToJsonLines(const Results& results) {
  std::string text = RatesLine(results).dump() + "\n";
  for (const Record& record : results.records) {
    text += ToLine(results, record).dump() + "\n";
  }
  return text;
}

}  // namespace gsa::bench
