//===- RenderNone.cpp - a build without Cairo -----------------------------===//

#include "tools/plot/Render.h"

namespace gsa::plot {

static absl::Status notBuilt() {
  return absl::UnimplementedError("built without Cairo (GSA_WITH_CAIRO=OFF)");
}

absl::StatusOr<std::string> render(const Scene&, Format) { return notBuilt(); }

absl::StatusOr<std::vector<Box>> textBoxes(const Scene&) { return notBuilt(); }

}  // namespace gsa::plot
