//===- Commands.cpp - what gsa-cache does with a cache --------------------===//

#include "tools/gsa-cache/Commands.h"

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "runtime/core/status_macros.h"
#include "tools/common/StandardStreams.h"
#include "tools/gsa-cache/Exchange.h"

namespace gsa {
namespace {

using nlohmann::json;

/// A file and what is in it.
struct Checked {
  ProgramCache::File file;
  EntryRefusal refusal = EntryRefusal::kNone;
  ProgramEntry entry;  ///< Without its payload.
};

std::string bytesText(int64_t bytes) {
  if (bytes < 10 * 1024) return absl::StrCat(bytes, " B");
  if (bytes < 10 * 1024 * 1024)
    return absl::StrFormat("%.1f KiB", bytes / 1024.0);
  return absl::StrFormat("%.1f MiB", bytes / 1048576.0);
}

/// "35 s", "12 min", "7 h", "3 d".
std::string ageText(int64_t seconds) {
  if (seconds < 120) return absl::StrCat(std::max<int64_t>(seconds, 0), " s");
  if (seconds < 2 * 3600) return absl::StrCat(seconds / 60, " min");
  if (seconds < 2 * 86400) return absl::StrCat(seconds / 3600, " h");
  return absl::StrCat(seconds / 86400, " d");
}

/// The files of a directory, an empty list where there is none.
absl::StatusOr<ProgramCache::Listing> listOf(const ProgramCache& cache) {
  absl::StatusOr<ProgramCache::Listing> listing = cache.List();
  if (absl::IsNotFound(listing.status())) return ProgramCache::Listing();
  if (listing.ok() && !listing->complete)
    return absl::FailedPreconditionError(
        absl::StrCat("the cache ", cache.options().directory,
                     " has too many files to look through"));
  return listing;
}

std::vector<Checked> checkAll(const ProgramCache& cache,
                              const ProgramCache::Listing& listing) {
  std::vector<Checked> result;
  for (const ProgramCache::File& file : listing.files) {
    Checked checked;
    checked.file = file;
    checked.refusal = cache.Check(file.key, &checked.entry);
    checked.entry.payload.clear();
    // Another process has removed it since.
    if (checked.refusal == EntryRefusal::kAbsent) continue;
    result.push_back(std::move(checked));
  }
  return result;
}

json toJson(const Checked& checked) {
  json result = {{"key", checked.file.key},
                 {"bytes", checked.file.bytes},
                 {"used", checked.file.used}};
  if (checked.refusal != EntryRefusal::kNone) {
    result["refused"] = Describe(checked.refusal);
    return result;
  }
  result["kind"] = checked.entry.kind;
  for (const char* name : {"name", "arch", "compiler", "options"})
    if (std::string text = checked.entry.Field(name); !text.empty())
      result[name] = text;
  return result;
}

absl::Status print(const CacheCommand& command, json object,
                   const std::string& text) {
  if (!command.json) return writeToStandardOutput(text);
  object["schema_version"] = 1;
  object["tool"] = "gsa-cache";
  object["command"] = command.name;
  object["directory"] = command.cache.directory;
  return writeToStandardOutput(
      object.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

absl::Status list(const CacheCommand& command) {
  const ProgramCache cache(command.cache);
  GSA_ASSIGN_OR_RETURN(const ProgramCache::Listing listing, listOf(cache));
  const int64_t now = time(nullptr);
  std::string text;
  json entries = json::array();
  for (const Checked& checked : checkAll(cache, listing)) {
    entries.push_back(toJson(checked));
    const bool whole = checked.refusal == EntryRefusal::kNone;
    absl::StrAppendFormat(
        &text, "%.12s  %-6s %-8s %11s  used %8s ago  %s\n", checked.file.key,
        whole ? checked.entry.kind : "bad", checked.entry.Field("arch"),
        bytesText(checked.file.bytes), ageText(now - checked.file.used),
        whole ? checked.entry.Field("name") : Describe(checked.refusal));
  }
  absl::StrAppend(&text, listing.files.size(), " entries, ",
                  bytesText(listing.bytes), " in ", command.cache.directory,
                  "\n");
  return print(command, {{"entries", entries}, {"bytes", listing.bytes}}, text);
}

absl::Status verify(const CacheCommand& command, bool* passed) {
  const ProgramCache cache(command.cache);
  GSA_ASSIGN_OR_RETURN(const ProgramCache::Listing listing, listOf(cache));
  std::string text;
  json bad = json::array();
  size_t whole = 0;
  for (const Checked& checked : checkAll(cache, listing)) {
    if (checked.refusal == EntryRefusal::kNone) {
      ++whole;
      continue;
    }
    bad.push_back(toJson(checked));
    absl::StrAppend(&text, command.cache.directory, "/", checked.file.key,
                    ".gsa ", Describe(checked.refusal), "\n");
  }
  *passed = bad.empty();
  absl::StrAppend(&text, whole, " entries are whole, ", bad.size(),
                  " are not\n");
  return print(command, {{"whole", whole}, {"bad", bad}}, text);
}

/// Removes bad entries, or all.
absl::StatusOr<ProgramCache::Collected> removeFrom(ProgramCache& cache,
                                                   bool all) {
  ProgramCache::Collected removed;
  GSA_ASSIGN_OR_RETURN(const ProgramCache::Listing listing, listOf(cache));
  for (const Checked& checked : checkAll(cache, listing)) {
    if (!all && checked.refusal == EntryRefusal::kNone) continue;
    GSA_ASSIGN_OR_RETURN(const bool gone, cache.Remove(checked.file.key));
    if (!gone) continue;
    ++removed.files;
    removed.bytes += checked.file.bytes;
  }
  return removed;
}

absl::Status collect(const CacheCommand& command) {
  ProgramCache cache(command.cache);
  const bool all = command.name == "clear";
  GSA_ASSIGN_OR_RETURN(ProgramCache::Collected removed, removeFrom(cache, all));
  absl::StatusOr<ProgramCache::Collected> old =
      cache.Collect(all ? 0 : command.maxBytes);
  if (absl::IsNotFound(old.status())) old = ProgramCache::Collected();
  GSA_RETURN_IF_ERROR(old.status());
  removed.files += old->files;
  removed.bytes += old->bytes;
  GSA_ASSIGN_OR_RETURN(const ProgramCache::Listing listing, listOf(cache));
  return print(
      command,
      {{"removed", removed.files},
       {"removed_bytes", removed.bytes},
       {"entries", listing.files.size()},
       {"bytes", listing.bytes}},
      absl::StrCat(removed.files, " entries removed, ",
                   bytesText(removed.bytes), "; ", listing.files.size(),
                   " stay, ", bytesText(listing.bytes), "\n"));
}

absl::Status exchange(const CacheCommand& command) {
  const bool isImport = command.name == "import";
  ProgramCacheOptions options = command.cache;
  if (isImport) options.mode = CacheMode::kReadWrite;
  ProgramCache cache(options);
  absl::StatusOr<ProgramCache::Collected> moved =
      isImport ? importEntries(cache, command.file)
               : exportEntries(cache, command.file);
  GSA_RETURN_IF_ERROR(moved.status());
  return print(command,
               {{"file", command.file},
                {"entries", moved->files},
                {"bytes", moved->bytes}},
               absl::StrCat(moved->files, " entries ", command.name, "ed, ",
                            bytesText(moved->bytes), "\n"));
}

}  // namespace

std::vector<std::string> commandNames() {
  return {"ls", "verify", "gc", "clear", "export", "import"};
}

absl::Status runCommand(const CacheCommand& command, bool* passed) {
  *passed = true;
  if (command.name == "ls") return list(command);
  if (command.name == "verify") return verify(command, passed);
  if (command.name == "export" || command.name == "import")
    return exchange(command);
  return collect(command);
}

}  // namespace gsa
