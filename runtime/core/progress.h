// -----------------------------------------------------------------------------
// File: progress.h
// -----------------------------------------------------------------------------
//
// Progress of long work: a bar that redraws itself on a terminal, or one line
// per so many percent where a bar would fill a log file with escape codes.
//
//   Progress::Options options;
//   options.label = "reference";
//   options.total = rows;
//   options.style = ProgressStyle::kLines;
//   Progress progress(options);
//   for (...) progress.Advance(1);

#ifndef GSA_RUNTIME_CORE_PROGRESS_H_
#define GSA_RUNTIME_CORE_PROGRESS_H_

#include <cstdint>
#include <cstdio>
#include <functional>
#include <mutex>
#include <string>

namespace gsa {

enum class ProgressStyle { kSilent, kLines, kBar };

// kSilent if quiet; kBar on a terminal unless `no_color` or `ci` says anything,
// the values of the environment variables NO_COLOR and CI; kLines otherwise.
ProgressStyle ChooseProgressStyle(bool is_terminal, bool quiet,
                                  const std::string& no_color,
                                  const std::string& ci);

// Thread safe. Advance() costs a lock: call it per row or tile, not per
// element.
class Progress {
 public:
  struct Options {
    FILE* stream = stderr;
    ProgressStyle style = ProgressStyle::kSilent;
    std::string label;
    int64_t total = 0;      // units of work; nothing is shown if not positive
    int line_percent = 10;  // kLines: a line each time this much is reached
    // Milliseconds on a clock that never goes back; null for the real one.
    std::function<int64_t()> now_ms;
  };

  explicit Progress(Options options);
  // Ends a bar's line, also where the work stopped early.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Reports `units` more as done. Units beyond the total do not show.
  void Advance(int64_t units);

 private:
  void DrawBar(int percent, int64_t now);
  void PrintLine(int percent, int64_t now);

  const Options options_;
  const int64_t start_ms_;
  std::mutex mutex_;
  int64_t done_ = 0;
  int shown_percent_ = -1;
  int64_t drawn_ms_ = 0;
};

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_PROGRESS_H_
