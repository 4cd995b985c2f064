//===- Format.cpp - which files a picture can be --------------------------===//

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"
#include "tools/plot/Render.h"

namespace gsa::plot {

const std::vector<std::string>& knownExtensions() {
  static const auto& extensions = *new std::vector<std::string>{"png", "svg"};
  return extensions;
}

absl::StatusOr<Format> formatOf(const std::string& path) {
#ifndef GSA_WITH_CAIRO
  return absl::UnimplementedError(
      absl::StrCat("'", path,
                   "': this program was built without Cairo and "
                   "draws no pictures; build it with -DGSA_WITH_CAIRO=ON"));
#endif
  size_t slash = path.rfind('/');
  std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
  size_t dot = name.rfind('.');
  std::string extension =
      dot == std::string::npos
          ? ""
          : absl::AsciiStrToLower(absl::string_view(name).substr(dot + 1));
  if (extension == "png") return Format::Png;
  if (extension == "svg") return Format::Svg;
  return absl::InvalidArgumentError(absl::StrCat(
      "'", path, "': got ",
      dot == std::string::npos ? "no extension"
                               : absl::StrCat("extension '", extension, "'"),
      ", expected .", absl::StrJoin(knownExtensions(), " or .")));
}

absl::Status write(const Scene& scene, const std::string& path) {
  GSA_ASSIGN_OR_RETURN(Format format, formatOf(path));
  GSA_ASSIGN_OR_RETURN(std::string bytes, render(scene, format));
  return WriteFileAtomically(path, bytes);
}

}  // namespace gsa::plot
