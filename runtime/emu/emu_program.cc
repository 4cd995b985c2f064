// -----------------------------------------------------------------------------
// File: emu_program.cc
// -----------------------------------------------------------------------------

#include "runtime/emu/emu_program.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace gsa {
namespace {

template <typename To, typename From>
To BitsAs(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// Writes the steps of one program.
class Describer {
 public:
  explicit Describer(const DeviceProgram& program) : program_(program) {}

  std::string Address(const BufferRef& ref) const {
    int64_t number = ref.index;
    if (ref.kind != BufferRef::Kind::kInput) number += program_.inputs.size();
    if (ref.kind == BufferRef::Kind::kConstant ||
        ref.kind == BufferRef::Kind::kWorkspace)
      number += program_.outputs.size();
    if (ref.kind == BufferRef::Kind::kWorkspace)
      number += program_.constants.size();
    return absl::StrCat(number, " ", ref.byte_offset);
  }

  std::string Buffers() const {
    std::string text;
    auto add = [&](const std::string& source, int64_t bytes, bool writable,
                   bool out, const std::string& name) {
      absl::StrAppend(&text, "buffer ", source, " ", bytes, " ", int{writable},
                      " ", int{out}, " ", name.substr(0, 255), "\n");
    };
    for (size_t i = 0; i < program_.inputs.size(); ++i)
      add(absl::StrCat("in", i), program_.inputs[i].bytes, false, false,
          absl::StrCat("input ", i, " ", program_.inputs[i].name));
    for (size_t i = 0; i < program_.outputs.size(); ++i)
      add("-", program_.outputs[i].bytes, true, true,
          absl::StrCat("output ", i, " ", program_.outputs[i].name));
    for (size_t i = 0; i < program_.constants.size(); ++i)
      add(absl::StrCat("const", i), program_.constants[i].bytes.size(), false,
          false, absl::StrCat("constant ", i, " ", program_.constants[i].name));
    add("-", program_.workspace_bytes, true, false, "workspace");
    return text;
  }

  std::string Step(const LaunchStep& step) const {
    const KernelSource& kernel = program_.kernels[step.kernel];
    std::string text =
        absl::StrCat(step.dependent ? "dependent\n" : "", "launch ",
                     step.kernel, " ", step.grid[0], " ", step.grid[1], " ",
                     step.grid[2], " ", kernel.threads_per_block / 32);
    absl::StrAppend(&text, " ", kernel.cluster, " ", kernel.dynamic_smem_bytes,
                    " ", step.args.size());
    for (const KernelArg& arg : step.args)
      absl::StrAppend(
          &text, " ",
          std::visit([&](const auto& value) { return this->Arg(value); }, arg));
    return absl::StrCat(text, "\n");
  }

  std::string Step(const GemmStep& step) const {
    auto matrix = [this](const BufferRef& ref, DType dtype, int64_t ld,
                         int64_t stride) {
      return absl::StrCat(Address(ref), " ", DTypeName(dtype), " ", ld, " ",
                          stride, " ");
    };
    return absl::StrCat(
        "gemm ", matrix(step.a, step.a_dtype, step.lda, step.stride_a),
        matrix(step.b, step.b_dtype, step.ldb, step.stride_b),
        matrix(step.c, step.c_dtype, step.ldc, step.stride_c),
        absl::StrFormat("%d %d %d %d %d %d %d\n", step.m, step.n, step.k,
                        int{step.trans_a}, int{step.trans_b}, step.batch,
                        step.beta));
  }

  std::string Step(const CopyStep& step) const {
    return absl::StrCat("copy ", Address(step.source), " ",
                        Address(step.destination), " ", step.bytes, "\n");
  }

  std::string Step(const FillStep& step) const {
    return absl::StrFormat("fill %s %u %d %d\n", Address(step.destination),
                           step.pattern, step.element_bytes, step.count);
  }

 private:
  std::string Arg(const BufferRef& ref) const {
    return absl::StrCat("p ", Address(ref));
  }
  std::string Arg(const TensorMapArg& map) const {
    const int64_t element = DTypeSize(map.dtype);
    return absl::StrCat("t ", Address(map.base), " ", map.rows, " ",
                        map.columns, " ", map.row_pitch / element, " ",
                        map.box_rows, " ", map.box_columns, " ", element);
  }
  static std::string Arg(int32_t value) { return absl::StrCat("i ", value); }
  static std::string Arg(int64_t value) { return absl::StrCat("l ", value); }
  static std::string Arg(float value) {
    return absl::StrFormat("f %x", BitsAs<uint32_t>(value));
  }
  static std::string Arg(double value) {
    return absl::StrFormat("d %x", BitsAs<uint64_t>(value));
  }

  const DeviceProgram& program_;
};

std::vector<int32_t> OrderOfRun(const DeviceProgram& program, uint64_t seed) {
  uint64_t state = seed;
  return OrderSteps(program, [&](size_t ready) -> size_t {
    if (seed == 0) return ready - 1;
    if (seed == 1) return 0;
    // An even spread is not needed, only another choice for another seed.
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % ready;
  });
}

}  // namespace

std::string EmuSource(
    const std::vector<std::pair<std::string, std::string>>& kernels) {
  std::string source =
      "// Host emulation: the texts of kernels, unchanged, and their table.\n"
      "#include \"gsa/emu/program.h\"\n\n";
  std::set<std::string> seen;
  for (const auto& [symbol, text] : kernels)
    if (seen.insert(text).second)
      absl::StrAppend(&source, "#line 1 \"", symbol, ".cu\"\n", text, "\n");
  absl::StrAppend(&source,
                  "\n#line 1 \"table\"\n"
                  "static const gsa::emu::Kernel kKernels[] = {\n");
  for (const auto& entry : kernels)
    absl::StrAppend(&source, "    GSA_EMU_KERNEL(", entry.first, "),\n");
  // A table has at least one entry.
  absl::StrAppend(&source,
                  "    {nullptr, nullptr}};\n\n"
                  "int main(int argc, char** argv) {\n"
                  "  return gsa::emu::runMain(argc, argv, kKernels, ",
                  kernels.size(), ");\n}\n");
  return source;
}

std::string EmuSource(const DeviceProgram& program) {
  std::vector<std::pair<std::string, std::string>> kernels;
  for (const KernelSource& kernel : program.kernels)
    kernels.emplace_back(kernel.symbol, kernel.text);
  return EmuSource(kernels);
}

std::string EmuDescription(const DeviceProgram& program,
                           const EmuRunOptions& options) {
  Describer describer(program);
  std::string text = absl::StrCat("run ", options.seed, " ",
                                  std::max(options.blocks_at_once, 1), "\n");
  if (!options.fault.empty())
    absl::StrAppend(&text, "fault ", options.fault, " ", options.fault_call,
                    " ", options.fault_warp, "\n");
  absl::StrAppend(&text, describer.Buffers());
  for (int32_t i : OrderOfRun(program, options.seed))
    absl::StrAppend(&text,
                    std::visit([&](const auto& s) { return describer.Step(s); },
                               program.steps[i]));
  return text;
}

}  // namespace gsa
