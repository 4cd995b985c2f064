// -----------------------------------------------------------------------------
// File: host_compiler.cc
// -----------------------------------------------------------------------------

#include "runtime/emu/host_compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "runtime/core/atomic_file.h"
#include "runtime/core/status_macros.h"
#include "runtime/emu/emu_headers.h"
#include "runtime/emu/subprocess.h"

namespace gsa {
namespace {

namespace fs = std::filesystem;

// FNV-1a from two starts: 128 bits, the same in every process.
std::string Hash(const std::vector<std::string>& parts) {
  uint64_t state[2] = {0xcbf29ce484222325u, 0x84222325cbf29ce4u};
  for (const std::string& part : parts)
    for (uint64_t& hash : state) {
      for (unsigned char byte : part) hash = (hash ^ byte) * 0x100000001b3u;
      hash = (hash ^ 0x1ff) * 0x100000001b3u;  // between the parts
    }
  return absl::StrFormat("%016x%016x", state[0], state[1]);
}

absl::Status FileError(const std::string& what, const std::error_code& error) {
  return absl::InternalError(absl::StrCat(what, ": ", error.message()));
}

bool Holds(const fs::path& path, absl::string_view text) {
  std::ifstream file(path, std::ios::binary);
  std::string held{std::istreambuf_iterator<char>(file), {}};
  return file.good() && held == text;
}

absl::StatusOr<TemporaryPath> MakeTemporaryDirectory(const std::string& root,
                                                     const char* prefix) {
  return TemporaryPath::Make([&]() -> absl::StatusOr<std::string> {
    std::string path = absl::StrCat(root, "/", prefix, "XXXXXX");
    if (mkdtemp(path.data()) == nullptr)
      return absl::InternalError(absl::StrCat("cannot make a directory in ",
                                              root, ": ", strerror(errno)));
    return path;
  });
}

bool IsClang(const std::string& compiler) {
  return fs::path(compiler).filename().string().find("clang") !=
         std::string::npos;
}

std::vector<std::string> Flags(const std::string& compiler,
                               const HostCompilerOptions& options) {
  std::vector<std::string> flags = {"-std=c++20", "-pthread", "-w"};
  const int most = options.thread_sanitizer ? 1 : 2;
  flags.push_back(absl::StrCat("-O", std::clamp(options.opt_level, 0, most)));
  if (options.thread_sanitizer) {
    flags.insert(flags.end(), {"-fno-omit-frame-pointer", "-fsanitize=thread"});
    flags.push_back(IsClang(compiler) ? "-gline-tables-only" : "-g1");
  }
  if (options.faults) flags.push_back("-DGSA_EMU_FAULT=1");
  return flags;
}

absl::Status CopyHeaders(const std::string& directory) {
  for (const EmbeddedFile& header : EmuHeaders()) {
    fs::path file = fs::path(directory) / header.name;
    std::error_code error;
    fs::create_directories(file.parent_path(), error);
    if (error)
      return FileError(
          absl::StrCat("cannot make ", file.parent_path().string()), error);
    GSA_RETURN_IF_ERROR(WriteFileAtomically(file.string(), header.text));
  }
  return absl::OkStatus();
}

absl::Status CheckHeaders(const std::string& directory) {
  for (const EmbeddedFile& header : EmuHeaders()) {
    fs::path file = fs::path(directory) / header.name;
    if (!Holds(file, header.text))
      return absl::FailedPreconditionError(absl::StrCat(
          file.string(), ": is not the header that was written there; remove ",
          directory));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<HostCompiler>> HostCompiler::Create(
    const HostPlaces& places) {
  TemporaryPath temporary;
  if (places.directory.empty()) {
    GSA_ASSIGN_OR_RETURN(
        temporary, MakeTemporaryDirectory(places.temporary_root, "gsa-emu-"));
  } else {
    std::error_code error;
    fs::create_directories(places.directory, error);
    if (error)
      return FileError(absl::StrCat("cannot make ", places.directory), error);
  }
  std::unique_ptr<HostCompiler> compiler(
      new HostCompiler(places, std::move(temporary)));
  GSA_RETURN_IF_ERROR(compiler->WriteHeaders());
  return compiler;
}

absl::StatusOr<HostCompiler*> HostCompiler::Shared(const HostPlaces& places) {
  static std::mutex mutex;
  // Destroyed at exit, which removes temporary directories.
  static std::vector<std::pair<HostPlaces, std::unique_ptr<HostCompiler>>>
      compilers;
  std::lock_guard<std::mutex> lock(mutex);
  for (const auto& [known, compiler] : compilers)
    if (known == places) return compiler.get();
  GSA_ASSIGN_OR_RETURN(std::unique_ptr<HostCompiler> compiler, Create(places));
  return compilers.emplace_back(places, std::move(compiler)).second.get();
}

int64_t HostCompiler::compilations() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return compilations_;
}

absl::Status HostCompiler::WriteHeaders() {
  std::vector<std::string> texts;
  for (const EmbeddedFile& header : EmuHeaders()) {
    texts.push_back(header.name);
    texts.push_back(header.text);
  }
  // The name tells the contents, so that versions share a directory.
  include_ = absl::StrCat(directory_, "/include-", Hash(texts));
  std::error_code ignored;
  if (!fs::exists(include_, ignored)) {
    GSA_ASSIGN_OR_RETURN(TemporaryPath temporary, MakeRunDirectory());
    std::string complete = absl::StrCat(temporary.path(), "/include");
    absl::Status written = CopyHeaders(complete);
    // Complete under its name or not there, and never written again: another
    // process may compile with it. Compilers tell files apart by their inode
    // numbers, and a replaced file's number goes to the next new one: a header
    // with the number of one already read would count as included.
    std::error_code error;
    if (written.ok()) fs::rename(complete, include_, error);
    temporary.Remove();
    GSA_RETURN_IF_ERROR(written);
    // Of several that rename, one succeeds.
    if (error && !fs::exists(include_, ignored))
      return FileError(absl::StrCat("cannot make ", include_), error);
  }
  return CheckHeaders(include_);
}

absl::StatusOr<TemporaryPath> HostCompiler::MakeRunDirectory() {
  return MakeTemporaryDirectory(directory_, "run-");
}

absl::StatusOr<std::string> HostCompiler::Compile(
    const std::string& source, const HostCompilerOptions& options) {
  std::vector<std::string> names = {options.compiler};
  if (options.compiler.empty()) names = {"clang++-22", "clang++", "g++", "c++"};
  std::string compiler = FindProgram(names, search_path_);
  if (compiler.empty())
    return absl::UnavailableError(
        absl::StrCat("the emulation needs a C++20 compiler: found none of ",
                     absl::StrJoin(names, ", "), " in ", search_path_));
  std::vector<std::string> parts = Flags(compiler, options);
  parts.insert(parts.end(), {compiler, include_, source});
  std::string key = Hash(parts);
  std::unique_lock<std::mutex> lock(mutex_);
  auto [it, inserted] = entries_.try_emplace(key);
  Entry& entry = it->second;  // stays where it is
  if (!inserted) {
    done_.wait(lock, [&] { return entry.ready; });
    return entry.program;
  }
  lock.unlock();
  absl::StatusOr<std::string> program =
      CompileNow(key, source, compiler, options);
  lock.lock();
  entry.program = program;
  entry.ready = true;
  done_.notify_all();
  return program;
}

absl::StatusOr<std::string> HostCompiler::CompileNow(
    const std::string& key, const std::string& source,
    const std::string& compiler, const HostCompilerOptions& options) {
  std::string program = absl::StrCat(directory_, "/", key);
  std::error_code ignored;
  if (fs::exists(program, ignored)) return program;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ++compilations_;
  }
  std::string file = absl::StrCat(program, ".cc");
  GSA_RETURN_IF_ERROR(WriteFileAtomically(file, source));
  // Complete under its name or not there: another process may look for it. The
  // compiler's own temporary files go to the same place, so that none of them
  // outlives a compiler that is ended.
  GSA_ASSIGN_OR_RETURN(TemporaryPath scratch, MakeRunDirectory());
  const std::string partial = absl::StrCat(scratch.path(), "/program");
  std::vector<std::string> command = {compiler};
  for (std::string& flag : Flags(compiler, options))
    command.push_back(std::move(flag));
  command.insert(command.end(),
                 {absl::StrCat("-I", include_), file, "-o", partial});
  GSA_ASSIGN_OR_RETURN(
      SubprocessResult result,
      RunSubprocess(command, {absl::StrCat("TMPDIR=", scratch.path())},
                    absl::Minutes(5)));
  if (result.exit_code != 0)
    return absl::InternalError(
        absl::StrCat(compiler, result.timed_out ? " takes too long" : " fails",
                     " on the emulation of the kernels:\n", result.output));
  std::error_code error;
  fs::rename(partial, program, error);
  if (error) return FileError(absl::StrCat("cannot make ", program), error);
  return program;
}

}  // namespace gsa
