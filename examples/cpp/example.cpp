// -----------------------------------------------------------------------------
// File: example.cpp
// -----------------------------------------------------------------------------
//
// A host of the compiler in C++17: compiles a module once, then runs it several
// times on the same buffers.
//
//   example-cpp MODULE [NAME=SIZExSIZE...]...
//   example-cpp examples/gsa_layer.mlir hidden_states=1x256x512
//   example-cpp layer:d_model=256,n_heads=4,n_kv_heads=2 hidden_states=1x64x256
//
// A module is a file, or "layer:" and what differs from the published layer.
// Each input with dynamic sizes needs its shape. Inputs get generated numbers:
// f32, and i32 as positions are. Prints the range of each output.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <gsa/gsa.hpp>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr int kRuns = 3;

// Prints an error and returns the exit code of failure.
int Fail(const std::string& message) {
  std::cerr << "error: " << message << "\n";
  return EXIT_FAILURE;
}

// "1x256x8" as sizes; empty if it is no such list.
std::vector<int64_t> ParseShape(const std::string& text) {
  std::vector<int64_t> sizes;
  const char* cursor = text.c_str();
  while (*cursor != '\0') {
    char* end = nullptr;
    sizes.push_back(std::strtoll(cursor, &end, 10));
    if (end == cursor || (*end != 'x' && *end != '\0')) return {};
    cursor = *end == 'x' ? end + 1 : end;
  }
  return sizes;
}

// Numbers in [-0.125, 0.125) of a fixed sequence, small enough for sums over a
// model's width; positions 0, 1, 2, ... along the last dimension.
bool Fill(const gsa::TensorInfo& info, uint32_t seed, void* data) {
  if (info.dtype == GSA_F32) {
    auto* values = static_cast<float*>(data);
    for (uint64_t i = 0; i < info.bytes / sizeof(float); ++i) {
      seed = seed * 1664525u + 1013904223u;
      values[i] = static_cast<float>(static_cast<int32_t>(seed)) / 0x1p34f;
    }
    return true;
  }
  if (info.dtype != GSA_I32) return false;
  auto* values = static_cast<int32_t*>(data);
  const int64_t last = info.shape.empty() ? 1 : info.shape.back();
  for (uint64_t i = 0; i < info.bytes / sizeof(int32_t); ++i)
    values[i] = static_cast<int32_t>(static_cast<int64_t>(i) % last);
  return true;
}

template <typename T>
void PrintRange(const gsa::TensorInfo& info, const void* data) {
  const auto* values = static_cast<const T*>(data);
  const uint64_t count = info.bytes / sizeof(T);
  if (count == 0) return;
  const auto [low, high] = std::minmax_element(values, values + count);
  std::cout << ", from " << *low << " to " << *high;
}

// Memory of all tensors of one side of a plan.
struct Tensors {
  std::vector<gsa::TensorInfo> infos;
  std::vector<gsa::Buffer> buffers;
  std::vector<gsa::TensorView> views;
};

gsa::Result<Tensors> Allocate(std::vector<gsa::TensorInfo> infos) {
  Tensors tensors;
  tensors.infos = std::move(infos);
  for (const gsa::TensorInfo& info : tensors.infos) {
    gsa::Result<gsa::Buffer> buffer = gsa::Buffer::Allocate(info.bytes);
    if (!buffer.ok()) return buffer.status();
    tensors.views.push_back(gsa::HostTensor(info, buffer->data()));
    tensors.buffers.push_back(std::move(*buffer));
  }
  return tensors;
}

int Run(const gsa::Plan& plan) {
  gsa::Result<Tensors> inputs = Allocate(plan.inputs());
  if (!inputs.ok()) return Fail(inputs.status().message());
  gsa::Result<Tensors> outputs = Allocate(plan.outputs());
  if (!outputs.ok()) return Fail(outputs.status().message());
  for (size_t i = 0; i < inputs->infos.size(); ++i) {
    const gsa::TensorInfo& info = inputs->infos[i];
    if (!Fill(info, static_cast<uint32_t>(i), inputs->buffers[i].data()))
      return Fail("input '" + info.name + "' is " + gsa_dtype_name(info.dtype) +
                  ", expected f32 or i32");
  }
  gsa::Result<gsa::Buffer> workspace = plan.MakeWorkspace();
  if (!workspace.ok()) return Fail(workspace.status().message());
  gsa::Result<gsa::ThreadPool> pool = gsa::ThreadPool::Create();
  if (!pool.ok()) return Fail(pool.status().message());

  gsa::RunOptions options;
  options.workspace = &*workspace;
  options.thread_pool = &*pool;
  std::vector<double> milliseconds;
  options.stage_milliseconds = &milliseconds;
  for (int run = 0; run < kRuns; ++run) {
    const auto start = std::chrono::steady_clock::now();
    const gsa::Status status = plan.Run(inputs->views, outputs->views, options);
    if (!status.ok()) return Fail(status.message());
    const std::chrono::duration<double, std::milli> time =
        std::chrono::steady_clock::now() - start;
    std::cout << "run " << run << ": " << time.count() << " ms\n";
  }
  const std::vector<std::string> stages = plan.stage_names();
  for (size_t i = 0; i < stages.size(); ++i)
    std::cout << "stage " << stages[i] << ": " << milliseconds[i] << " ms\n";
  for (size_t i = 0; i < outputs->infos.size(); ++i) {
    const gsa::TensorInfo& info = outputs->infos[i];
    std::cout << "output " << info.name << ": " << gsa_dtype_name(info.dtype);
    if (info.dtype == GSA_F32) PrintRange<float>(info, outputs->views[i].data);
    if (info.dtype == GSA_I32)
      PrintRange<int32_t>(info, outputs->views[i].data);
    std::cout << "\n";
  }
  return EXIT_SUCCESS;
}

// The text of a module: of a file, or of "layer:CONFIGURATION".
gsa::Result<std::string> ReadModule(const std::string& name) {
  constexpr char kLayer[] = "layer:";
  if (name.rfind(kLayer, 0) == 0) {
    gsa_layer_config config = gsa::DefaultLayer();
    gsa::Status status =
        gsa::SetLayer(name.substr(sizeof(kLayer) - 1), &config);
    if (!status.ok()) return status;
    return gsa::LayerModule(config);
  }
  std::ifstream file(name, std::ios::binary);
  if (!file)
    return gsa::Status(GSA_INVALID_ARGUMENT, "cannot open '" + name + "'");
  return std::string((std::istreambuf_iterator<char>(file)), {});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return Fail("usage: example-cpp MODULE [NAME=SIZExSIZE...]...");
  gsa::Result<std::string> text = ReadModule(argv[1]);
  if (!text.ok()) return Fail(text.status().message());
  gsa::CompileOptions options;
  for (int i = 2; i < argc; ++i) {
    const std::string argument = argv[i];
    const size_t equals = argument.find('=');
    if (equals == std::string::npos)
      return Fail("expected NAME=SIZExSIZE..., got '" + argument + "'");
    options.shapes[argument.substr(0, equals)] =
        ParseShape(argument.substr(equals + 1));
  }

  gsa::Result<std::vector<gsa::Status>> reasons =
      gsa::CheckSupport(*text, options, argv[1]);
  if (!reasons.ok()) return Fail(reasons.status().message());
  for (const gsa::Status& reason : *reasons) Fail(reason.message());
  if (!reasons->empty()) return EXIT_FAILURE;
  gsa::Result<gsa::Plan> plan = gsa::Compile(*text, options, argv[1]);
  if (!plan.ok()) return Fail(plan.status().message());
  std::cout << "gsa " << gsa_version_string() << ", " << plan->target() << "\n";
  return Run(*plan);
}
