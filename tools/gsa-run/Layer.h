//===- Layer.h - the layers of --layer -------------------------*- C++ -*-===//

#ifndef GSA_TOOLS_GSA_RUN_LAYER_H
#define GSA_TOOLS_GSA_RUN_LAYER_H

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace gsa {

/// What --layer says: one layer, or several that differ in one key.
struct LayerVariants {
  std::string key = "--layer";  ///< The key with several values
  /// The value of that key, and the configuration, for ParseLayerConfig.
  std::vector<std::pair<std::string, std::string>> layers;
};

/// Reads "d_model=512, k_base=128,256, n_heads=8": an element without "=" is
/// another value of the key before it. Every layer is checked. InvalidArgument
/// as for ParseLayerConfig, and if two keys have several values.
absl::StatusOr<LayerVariants> readLayerVariants(const std::string& text);

/// One layer's text without the key `key`, which it need not have.
std::string withoutKey(const std::string& layer, const std::string& key);

/// The keys, with commas.
std::string layerKeys();

}  // namespace gsa

#endif  // GSA_TOOLS_GSA_RUN_LAYER_H
