//===- Layer.cpp - the layers of --layer ----------------------------------===//

#include "tools/gsa-run/Layer.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "runtime/core/status_macros.h"
#include "runtime/layer_config.h"

namespace gsa {
namespace {

struct Setting {
  std::string key;  ///< Empty for text without "="
  std::vector<std::string> values;
};

std::vector<Setting> splitSettings(const std::string& text) {
  std::vector<Setting> settings;
  for (absl::string_view part : absl::StrSplit(text, ',')) {
    part = absl::StripAsciiWhitespace(part);
    size_t equals = part.find('=');
    bool isNew = equals != absl::string_view::npos;
    if (!isNew && !part.empty() && !settings.empty() &&
        !settings.back().key.empty()) {
      settings.back().values.emplace_back(part);
    } else if (isNew) {
      settings.push_back(
          {std::string(absl::StripAsciiWhitespace(part.substr(0, equals))),
           {std::string(absl::StripAsciiWhitespace(part.substr(equals + 1)))}});
    } else {
      settings.push_back({"", {std::string(part)}});
    }
  }
  return settings;
}

/// The text of one layer: setting `varied` with its value `which`.
std::string joinSettings(const std::vector<Setting>& settings,
                         const Setting* varied, size_t which) {
  std::vector<std::string> parts;
  for (const Setting& setting : settings) {
    const std::string& value = setting.values[&setting == varied ? which : 0];
    parts.push_back(
        setting.key.empty() ? value : absl::StrCat(setting.key, "=", value));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace

absl::StatusOr<LayerVariants> readLayerVariants(const std::string& text) {
  std::vector<Setting> settings = splitSettings(text);
  LayerVariants result;
  const Setting* varied = nullptr;
  for (const Setting& setting : settings) {
    if (setting.values.size() == 1) continue;
    if (varied)
      return absl::InvalidArgumentError(absl::StrCat(
          "layer: ", setting.key, ": one key may have several values, and ",
          varied->key, " has them already"));
    varied = &setting;
    result.key = setting.key;
  }
  size_t count = varied ? varied->values.size() : 1;
  for (size_t i = 0; i < count; ++i) {
    std::string layer = joinSettings(settings, varied, i);
    GSA_RETURN_IF_ERROR(ParseLayerConfig(layer).status());
    result.layers.emplace_back(varied ? varied->values[i] : "",
                               std::move(layer));
  }
  return result;
}

std::string withoutKey(const std::string& layer, const std::string& key) {
  std::vector<Setting> settings = splitSettings(layer);
  settings.erase(std::remove_if(settings.begin(), settings.end(),
                                [&](const Setting& setting) {
                                  return setting.key == key && !key.empty();
                                }),
                 settings.end());
  return joinSettings(settings, nullptr, 0);
}

std::string layerKeys() {
  std::vector<std::string> keys;
  for (const LayerField& field : LayerFields(LayerConfig()))
    keys.push_back(field.first);
  return absl::StrJoin(keys, ", ");
}

}  // namespace gsa
