//===- Render.h - scenes as files ------------------------------*- C++ -*-===//
//
// Cairo draws; without it (GSA_WITH_CAIRO off) every function here says so and
// nothing else changes.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TOOLS_PLOT_RENDER_H
#define GSA_TOOLS_PLOT_RENDER_H

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tools/plot/Scene.h"

namespace gsa::plot {

enum class Format { Png, Svg };

/// The extensions of the formats, "png" and "svg".
const std::vector<std::string>& knownExtensions();

/// The format that a file's extension names, in any case of letters.
/// InvalidArgument for another extension or none; Unimplemented if this program
/// draws no pictures. To be asked before anything is computed.
absl::StatusOr<Format> formatOf(const std::string& path);

/// The bytes of a file. PNG: two pixels per unit of the scene, 8 bits per
/// channel, compressed. SVG: text is drawn as outlines, so that the picture
/// looks the same where the font is missing; title and description are elements
/// of their own. Equal scenes give equal PNG files with one version of Cairo
/// and of the font. InvalidArgument if the scene has no size.
absl::StatusOr<std::string> render(const Scene& scene, Format format);

/// render() in the format of `path`, written atomically.
absl::Status write(const Scene& scene, const std::string& path);

/// The boxes that the texts of a scene cover, in the order of `shapes`.
absl::StatusOr<std::vector<Box>> textBoxes(const Scene& scene);

}  // namespace gsa::plot

#endif  // GSA_TOOLS_PLOT_RENDER_H
