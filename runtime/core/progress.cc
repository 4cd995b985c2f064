// -----------------------------------------------------------------------------
// File: progress.cc
// -----------------------------------------------------------------------------

#include "runtime/core/progress.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gsa {
namespace {

constexpr int kBarWidth = 30;
// Redrawing more often than this shows nothing new to the eye.
constexpr int64_t kRedrawMs = 100;

int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

Progress::Options WithDefaults(Progress::Options options) {
  if (!options.now_ms) options.now_ms = SteadyMs;
  options.line_percent = std::clamp(options.line_percent, 1, 100);
  if (options.total <= 0) options.style = ProgressStyle::kSilent;
  return options;
}

}  // namespace

ProgressStyle ChooseProgressStyle(bool is_terminal, bool quiet,
                                  const std::string& no_color,
                                  const std::string& ci) {
  if (quiet) return ProgressStyle::kSilent;
  if (is_terminal && no_color.empty() && ci.empty()) return ProgressStyle::kBar;
  return ProgressStyle::kLines;
}

Progress::Progress(Options options)
    : options_(WithDefaults(std::move(options))), start_ms_(options_.now_ms()) {
  if (options_.style == ProgressStyle::kBar) DrawBar(0, start_ms_);
}

Progress::~Progress() {
  if (options_.style != ProgressStyle::kBar) return;
  std::fputc('\n', options_.stream);
  std::fflush(options_.stream);
}

void Progress::Advance(int64_t units) {
  if (options_.style == ProgressStyle::kSilent || units <= 0) return;
  std::lock_guard<std::mutex> lock(mutex_);
  done_ += std::min(units, options_.total - done_);
  // In long double, where 100 * done_ cannot overflow and 64-bit counts are
  // exact.
  const int percent =
      static_cast<int>(static_cast<long double>(done_) * 100 / options_.total);
  const int64_t now = options_.now_ms();
  if (options_.style == ProgressStyle::kLines) {
    PrintLine(percent, now);
    return;
  }
  const bool last = percent == 100 && shown_percent_ < 100;
  if (last || (percent != shown_percent_ && now - drawn_ms_ >= kRedrawMs)) {
    DrawBar(percent, now);
  }
}

void Progress::DrawBar(int percent, int64_t now) {
  const int filled = percent * kBarWidth / 100;
  const std::string bar =
      std::string(filled, '#') + std::string(kBarWidth - filled, '.');
  // The label is last and the line is cleared, so that a shorter text leaves
  // nothing of a longer one behind.
  std::fprintf(options_.stream, "\r\x1b[K[%s] %3d %% %6.1f s  %s", bar.c_str(),
               percent, static_cast<double>(now - start_ms_) / 1000,
               options_.label.c_str());
  std::fflush(options_.stream);
  shown_percent_ = percent;
  drawn_ms_ = now;
}

void Progress::PrintLine(int percent, int64_t now) {
  const int step = percent / options_.line_percent;
  if (step == 0 || step <= shown_percent_ / options_.line_percent) return;
  shown_percent_ = percent;
  std::fprintf(options_.stream, "%s: %d %% (%.1f s)\n", options_.label.c_str(),
               percent, static_cast<double>(now - start_ms_) / 1000);
  std::fflush(options_.stream);
}

}  // namespace gsa
