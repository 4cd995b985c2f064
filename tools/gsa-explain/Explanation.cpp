//===- Explanation.cpp - an explanation as text and as JSON ---------------===//

#include "tools/gsa-explain/Explanation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace gsa {
namespace {

using Json = nlohmann::ordered_json;

std::string percent(double part, double whole) {
  return absl::StrFormat("%.0f %%", 100 * part / whole);
}

/// "fill 100 %, latency 67 %": every part over the longest.
std::string termsText(const StageExplanation& stage) {
  double longest = 0;
  for (const auto& [name, us] : stage.terms)
    if (name != "launch") longest = std::max(longest, us);
  std::vector<std::pair<std::string, double>> terms = stage.terms;
  std::stable_sort(
      terms.begin(), terms.end(),
      [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [name, us] : terms) {
    if (name != "launch" && us < 0.05 * longest) continue;
    absl::StrAppend(&text, text.empty() ? "" : ", ", name,
                    absl::StrFormat(" %.1f", us));
  }
  return text;
}

std::string sourceText(const OpExplanation& op) {
  if (op.measured_microseconds == 0) return op.source;
  return absl::StrFormat("%s, measured %.1f us, %.1f without it", op.source,
                         op.measured_microseconds,
                         op.measured_default_microseconds);
}

std::vector<Alternative> nearest(const OpExplanation& op, size_t most) {
  std::vector<Alternative> list = op.rejected;
  std::stable_sort(
      list.begin(), list.end(), [](const Alternative& a, const Alternative& b) {
        const bool legalA = a.why == "Costlier", legalB = b.why == "Costlier";
        if (legalA != legalB) return legalA;
        return legalA && a.microseconds < b.microseconds;
      });
  if (list.size() > most) list.resize(most);
  return list;
}

std::string alternativeText(const Alternative& alternative,
                            const OpExplanation& op) {
  if (alternative.why != "Costlier")
    return absl::StrCat(alternative.why, " ", alternative.what, ": ",
                        alternative.reason);
  return absl::StrFormat("%s %s: %.1f us, %.2f times as long", alternative.why,
                         alternative.what, alternative.microseconds,
                         alternative.microseconds / op.microseconds);
}

void appendOp(const OpExplanation& op, size_t most, std::string* text) {
  absl::StrAppend(text, "\n", op.op,
                  op.location.empty() ? "" : absl::StrCat(" at ", op.location),
                  "\n");
  auto line = [&](const char* name, const std::string& value) {
    absl::StrAppendFormat(text, "  %-10s%s\n", name, value);
  };
  line("class", absl::StrReplaceAll(op.shape, {{"\"", ""}}));
  line("schedule", op.schedule);
  line("source", sourceText(op));
  // An op that is computed by its definition has no estimate.
  if (op.microseconds > 0)
    line("predicted",
         absl::StrFormat("%.1f us, %s of the roofline (%.1f us, %s)",
                         op.microseconds,
                         percent(op.floor_microseconds, op.microseconds),
                         op.floor_microseconds, op.floor_bound));
  for (const StageExplanation& stage : op.stages)
    absl::StrAppendFormat(text, "    %-18s%10.1f us  %s bound (%s)\n",
                          stage.kernel, stage.microseconds, stage.bound,
                          termsText(stage));
  const std::vector<Alternative> shown = nearest(op, most);
  for (const Alternative& alternative : shown)
    line("rejected", alternativeText(alternative, op));
  for (const auto& [schedule, us] : op.legal)
    line("legal", absl::StrFormat("%s: %.1f us", schedule, us));
  if (shown.size() < op.rejected.size())
    line("", absl::StrCat("and ", op.rejected.size() - shown.size(), " more"));
}

Json toJson(const OpExplanation& op) {
  Json stages = Json::array(), rejected = Json::array();
  for (const StageExplanation& stage : op.stages) {
    Json terms = Json::object();
    for (const auto& [name, us] : stage.terms) terms[name] = us;
    stages.push_back({{"kernel", stage.kernel},
                      {"us", stage.microseconds},
                      {"bound", stage.bound},
                      {"terms_us", terms}});
  }
  for (const Alternative& alternative : op.rejected) {
    Json entry = {{"why", alternative.why}, {"what", alternative.what}};
    if (alternative.why == "Costlier")
      entry["us"] = alternative.microseconds;
    else
      entry["reason"] = alternative.reason;
    rejected.push_back(entry);
  }
  Json result = {{"op", op.op},
                 {"location", op.location},
                 {"class", Json::parse("{" + op.shape + "}")},
                 {"schedule", op.schedule},
                 {"source", op.source},
                 {"predicted_us", op.microseconds},
                 {"roofline_us", op.floor_microseconds},
                 {"roofline_bound", op.floor_bound},
                 {"stages", stages},
                 {"rejected", rejected}};
  for (const auto& [schedule, us] : op.legal)
    result["legal"].push_back({{"schedule", schedule}, {"us", us}});
  if (op.measured_microseconds > 0) {
    result["measured_us"] = op.measured_microseconds;
    result["measured_default_us"] = op.measured_default_microseconds;
  }
  return result;
}

}  // namespace

std::string explanationText(const Explanation& explanation,
                            const std::string& title, size_t most) {
  std::string text = absl::StrFormat(
      "%s for %s; times are estimates with rates of the %s, %s\n", title,
      explanation.arch, explanation.product,
      explanation.is_measured ? "measured" : "from its data sheet");
  double sum = 0;
  for (const OpExplanation& op : explanation.ops) {
    appendOp(op, most, &text);
    sum += op.microseconds;
  }
  if (explanation.ops.empty())
    return text + "\nno op of the module has a schedule\n";
  absl::StrAppendFormat(&text, "\n%d ops with a schedule, %.1f us in all\n",
                        explanation.ops.size(), sum);
  return text;
}

std::string explanationJson(const Explanation& explanation,
                            const std::string& title) {
  Json ops = Json::array();
  for (const OpExplanation& op : explanation.ops) ops.push_back(toJson(op));
  return Json({{"module", title},
               {"arch", explanation.arch},
               {"product", explanation.product},
               {"rates", explanation.is_measured ? "measured" : "data sheet"},
               {"ops", ops}})
             .dump(2) +
         "\n";
}

}  // namespace gsa
