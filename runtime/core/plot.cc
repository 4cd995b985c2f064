// -----------------------------------------------------------------------------
// File: plot.cc
// -----------------------------------------------------------------------------

#include "runtime/core/plot.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"
#include "runtime/core/tensor.h"

namespace gsa {
namespace {

constexpr int64_t kMaxPixels = 1024;
constexpr int64_t kWantedPixels = 720;  // magnify short axes to about this
constexpr int64_t kLeastPixels = 48;
constexpr int64_t kMaxCell = 24;

constexpr int kLeft = 58, kTop = 14, kRight = 48, kBottom = 40;
constexpr int kTick = 5;

// Palette: background, ink, ..., then the ramp of densities.
constexpr uint8_t kPaper = 0, kInk = 1, kHidden = 2, kDiagonal = 3, kRamp = 4;
constexpr int kRampSize = 240;

std::vector<Rgb> MakePalette() {
  std::vector<Rgb> palette = {
      {255, 255, 255}, {40, 40, 40}, {228, 228, 228}, {240, 130, 20}};
  // White is left to "nothing selected": the ramp starts at a visible blue.
  const double stops[4][3] = {
      {214, 230, 244}, {107, 174, 214}, {33, 113, 181}, {8, 38, 90}};
  for (int i = 0; i < kRampSize; ++i) {
    const double position = 3.0 * i / (kRampSize - 1);
    const int stop = std::min(2, static_cast<int>(position));
    const double t = position - stop;
    uint8_t rgb[3];
    for (int c = 0; c < 3; ++c) {
      rgb[c] = static_cast<uint8_t>(
          std::lround(stops[stop][c] * (1 - t) + stops[stop + 1][c] * t));
    }
    palette.push_back({rgb[0], rgb[1], rgb[2]});
  }
  return palette;
}

uint8_t DensityColor(double density) {
  return static_cast<uint8_t>(
      kRamp + std::lround(std::sqrt(density) * (kRampSize - 1)));
}

// One axis: either `cell` pixels per element or many elements per pixel.
struct Axis {
  int64_t size;
  int64_t bins;
  int64_t cell;

  int pixels() const { return static_cast<int>(bins * cell); }
  int64_t Bin(int64_t element) const { return element * bins / size; }
  // The first element of a bin.
  int64_t Begin(int64_t bin) const { return (bin * size + bins - 1) / bins; }
};

absl::Status Check(const SelectionPattern& p, int64_t batch_index) {
  if (p.queries < 1 || p.keys < 1 || p.batch < 1 || p.slots < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "plot: got batch ", p.batch, ", ", p.queries, " queries, ", p.keys,
        " keys, ", p.slots, " slots, expected positive sizes"));
  }
  if (batch_index < 0 || batch_index >= p.batch) {
    return absl::InvalidArgumentError(
        absl::StrCat("plot: got batch element ", batch_index,
                     ", expected 0 to ", p.batch - 1));
  }
  GSA_ASSIGN_OR_RETURN(const int64_t rows,
                       CheckedNumElements({p.batch, p.queries}));
  GSA_ASSIGN_OR_RETURN(const int64_t entries,
                       CheckedNumElements({p.batch, p.queries, p.slots}));
  if (static_cast<int64_t>(p.indices.size()) != entries ||
      static_cast<int64_t>(p.counts.size()) != rows) {
    return absl::InvalidArgumentError(absl::StrCat(
        "plot: got ", p.indices.size(), " indices and ", p.counts.size(),
        " counts, expected ", entries, " and ", rows));
  }
  return absl::OkStatus();
}

// Selected and visible pairs per bin, [query bin, key bin].
struct Grid {
  std::vector<int64_t> selected;
  std::vector<int64_t> visible;
};

absl::StatusOr<Grid> CountPairs(const SelectionPattern& p, int64_t batch_index,
                                const Axis& rows, const Axis& columns) {
  Grid grid;
  grid.selected.resize(rows.bins * columns.bins);
  grid.visible.resize(rows.bins * columns.bins);
  for (int64_t t = 0; t < p.queries; ++t) {
    const int64_t row = batch_index * p.queries + t;
    const int64_t bin_row = rows.Bin(t) * columns.bins;
    const int32_t count = p.counts[row];
    if (count < 0 || count > p.slots) {
      return absl::InvalidArgumentError(
          absl::StrCat("plot: query ", t, ": got count ", count,
                       ", expected 0 to ", p.slots));
    }
    for (int32_t i = 0; i < count; ++i) {
      const int32_t key = p.indices[row * p.slots + i];
      if (key < 0 || key >= p.keys) {
        return absl::InvalidArgumentError(
            absl::StrCat("plot: query ", t, ", slot ", i, ": got key ", key,
                         ", expected 0 to ", p.keys - 1));
      }
      ++grid.selected[bin_row + columns.Bin(key)];
    }
    const int64_t limit = t + p.keys - p.queries + 1;  // first hidden key
    for (int64_t c = 0; c < columns.bins && columns.Begin(c) < limit; ++c) {
      grid.visible[bin_row + c] +=
          std::min(limit, columns.Begin(c + 1)) - columns.Begin(c);
    }
  }
  return grid;
}

void DrawGrid(const Grid& grid, const Axis& rows, const Axis& columns,
              PaletteImage* image) {
  const auto width = static_cast<int>(columns.cell);
  const auto height = static_cast<int>(rows.cell);
  // A line where cells are large, the first hidden cell where they are pixels.
  const int line = width < 6 ? width : 2;
  for (int64_t r = 0; r < rows.bins; ++r) {
    bool hidden_before = false;
    for (int64_t c = 0; c < columns.bins; ++c) {
      const int64_t selected = grid.selected[r * columns.bins + c];
      const int64_t visible = grid.visible[r * columns.bins + c];
      const int x = kLeft + static_cast<int>(c) * width;
      const int y = kTop + static_cast<int>(r) * height;
      // A selection that ignores causality is drawn where it is, full.
      const double density =
          visible == 0 ? 1 : static_cast<double>(selected) / visible;
      const uint8_t color = selected > 0 ? DensityColor(std::min(1.0, density))
                            : visible == 0 ? kHidden
                                           : kPaper;
      image->FillRect(x, y, width, height, color);
      if (visible == 0 && !hidden_before && selected == 0) {
        image->FillRect(x, y, line, height, kDiagonal);
      }
      hidden_before = hidden_before || visible == 0;
    }
  }
}

// The smallest power of two that gives at most `max_ticks` ticks: sequence
// lengths are powers of two more often than not.
int64_t TickStep(int64_t size, int64_t max_ticks) {
  int64_t step = 1;
  while (size / step > max_ticks) step *= 2;
  return step;
}

void DrawAxes(const Axis& rows, const Axis& columns, PaletteImage* image) {
  const int width = columns.pixels(), height = rows.pixels();
  const int bottom = kTop + height;
  image->FillRect(kLeft - 1, kTop - 1, width + 2, 1, kInk);
  image->FillRect(kLeft - 1, bottom, width + 2, 1, kInk);
  image->FillRect(kLeft - 1, kTop - 1, 1, height + 2, kInk);
  image->FillRect(kLeft + width, kTop - 1, 1, height + 2, kInk);

  // A label needs some 50 pixels across and 20 down.
  const int64_t x_step = TickStep(columns.size, std::max(1, width / 50));
  for (int64_t key = 0; key < columns.size; key += x_step) {
    const int x = kLeft + static_cast<int>(columns.Bin(key) * columns.cell +
                                           columns.cell / 2);
    const std::string label = absl::StrCat(key);
    image->FillRect(x, bottom + 1, 1, kTick, kInk);
    image->DrawText(x - PaletteImage::TextWidth(label) / 2, bottom + kTick + 4,
                    label, kInk);
  }
  image->DrawText(kLeft + (width - PaletteImage::TextWidth("key")) / 2,
                  bottom + kTick + 20, "key", kInk);
  const int64_t y_step = TickStep(rows.size, std::clamp(height / 20, 1, 16));
  for (int64_t query = 0; query < rows.size; query += y_step) {
    const int y =
        kTop + static_cast<int>(rows.Bin(query) * rows.cell + rows.cell / 2);
    const std::string label = absl::StrCat(query);
    image->FillRect(kLeft - 1 - kTick, y, kTick, 1, kInk);
    image->DrawText(kLeft - kTick - 4 - PaletteImage::TextWidth(label), y - 3,
                    label, kInk);
  }
  image->DrawText(2, 2, "query", kInk);
}

void DrawLegend(int left, int height, PaletteImage* image) {
  constexpr int kBarWidth = 12;
  const int bar_height = std::min(height, 160);
  image->FillRect(left - 1, kTop - 1, kBarWidth + 2, bar_height + 2, kInk);
  for (int y = 0; y < bar_height; ++y) {
    const double density =
        1 - static_cast<double>(y) / std::max(1, bar_height - 1);
    image->FillRect(left, kTop + y, kBarWidth, 1, DensityColor(density));
  }
  image->DrawText(left + kBarWidth + 5, kTop, "1", kInk);
  image->DrawText(left + kBarWidth + 5, kTop + bar_height - 7, "0", kInk);
}

}  // namespace

absl::StatusOr<PaletteImage> DrawSelection(const SelectionPattern& pattern,
                                           int64_t batch_index) {
  GSA_RETURN_IF_ERROR(Check(pattern, batch_index));
  // One scale for both axes, except that a very short one stays visible.
  const int64_t longest = std::max(pattern.queries, pattern.keys);
  const int64_t common =
      std::clamp<int64_t>(kWantedPixels / longest, 1, kMaxCell);
  auto axis = [common](int64_t size) {
    const int64_t least = std::min(kMaxCell, kLeastPixels / size);
    return Axis{size, std::min(size, kMaxPixels), std::max(common, least)};
  };
  const Axis rows = axis(pattern.queries);
  const Axis columns = axis(pattern.keys);
  GSA_ASSIGN_OR_RETURN(Grid grid,
                       CountPairs(pattern, batch_index, rows, columns));
  GSA_ASSIGN_OR_RETURN(
      PaletteImage image,
      PaletteImage::Create(kLeft + columns.pixels() + kRight,
                           kTop + rows.pixels() + kBottom, MakePalette()));
  DrawGrid(grid, rows, columns, &image);
  DrawAxes(rows, columns, &image);
  DrawLegend(kLeft + columns.pixels() + 14, rows.pixels(), &image);
  return image;
}

absl::Status PlotSelection(const SelectionPattern& pattern,
                           const std::string& path) {
  GSA_ASSIGN_OR_RETURN(PaletteImage image, DrawSelection(pattern, 0));
  return WriteFileAtomically(path, image.Encode());
}

}  // namespace gsa
