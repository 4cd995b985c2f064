// -----------------------------------------------------------------------------
// File: launches.cc
// -----------------------------------------------------------------------------

#include "test/unit/emu/launches.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "runtime/core/dtype.h"
#include "test/unit/emu/kernels.h"

namespace gsa::testing {
namespace {

// Never empty, so that it has an address.
template <typename T>
std::vector<uint8_t> BytesOf(const std::vector<T>& values) {
  std::vector<uint8_t> bytes(std::max<size_t>(values.size() * sizeof(T), 1));
  if (!values.empty())
    std::memcpy(bytes.data(), values.data(), values.size() * sizeof(T));
  return bytes;
}

template <typename T>
T Element(const std::vector<uint8_t>& bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
  return value;
}

double Unpack(DType dtype, const std::vector<uint8_t>& bytes, size_t i) {
  switch (dtype) {
    case DType::kU8:
      return Element<int8_t>(bytes, i);
    case DType::kI32:
      return Element<int32_t>(bytes, i);
    case DType::kF16:
      return F16ToFloat(Element<F16>(bytes, i));
    case DType::kBF16:
      return BF16ToFloat(Element<BF16>(bytes, i));
    default:
      return Element<float>(bytes, i);
  }
}

}  // namespace

std::vector<uint8_t> Pack(DType dtype, const std::vector<double>& values) {
  auto pack = [&](auto convert) {
    std::vector<decltype(convert(0.0))> packed;
    for (double value : values) packed.push_back(convert(value));
    return BytesOf(packed);
  };
  switch (dtype) {
    case DType::kU8:
      return pack([](double x) { return static_cast<int8_t>(x); });
    case DType::kI32:
      return pack([](double x) { return static_cast<int32_t>(x); });
    case DType::kF16:
      return pack(F16FromDouble);
    case DType::kBF16:
      return pack(BF16FromDouble);
    default:
      return pack([](double x) { return static_cast<float>(x); });
  }
}

std::vector<uint8_t> Pack(const std::vector<int>& values) {
  return BytesOf(values);
}

Launches::Launches(const std::string& file,
                   const std::vector<KernelShape>& kernels) {
  std::ifstream stream(GSA_SOURCE_DIR "/test/gpu/selftest/" + file);
  std::string text = "#define GSA_SELFTEST_SM90A\n" +
                     std::string(std::istreambuf_iterator<char>(stream), {});
  program_.arch = "sm_90a";
  program_.zone_names = {"test"};
  for (const KernelShape& shape : kernels) {
    KernelSource source;
    source.symbol = shape.symbol;
    source.text = text;
    source.threads_per_block = 32 * shape.warps;
    source.dynamic_smem_bytes = shape.smem;
    program_.kernels.push_back(source);
  }
}

BufferRef Launches::Input(std::vector<uint8_t> bytes) {
  program_.inputs.push_back({"in", static_cast<int64_t>(bytes.size())});
  inputs_.push_back(std::move(bytes));
  return In(static_cast<int32_t>(inputs_.size()) - 1);
}

BufferRef Launches::Output(DType dtype, std::vector<double> want,
                           std::string what) {
  std::vector<uint8_t> bytes(
      std::max<size_t>(want.size() * DTypeSize(dtype), 1));
  program_.outputs.push_back({"out", static_cast<int64_t>(bytes.size())});
  outputs_.push_back({dtype, std::move(want), std::move(what), bytes});
  return Out(static_cast<int32_t>(outputs_.size()) - 1);
}

BufferRef Launches::FilledOutput(float fill, std::vector<double> want,
                                 std::string what) {
  auto count = static_cast<int64_t>(want.size());
  BufferRef output = Output(DType::kF32, std::move(want), std::move(what));
  program_.steps.push_back(
      FillStep{output, std::bit_cast<uint32_t>(fill), 4, count, 0});
  return output;
}

void Launches::Add(const std::string& symbol, std::vector<KernelArg> args,
                   int64_t blocks) {
  LaunchStep step;
  while (program_.kernels[step.kernel].symbol != symbol) ++step.kernel;
  step.grid = {blocks, 1, 1};
  step.args = std::move(args);
  program_.steps.push_back(step);
}

absl::Status Launches::Run(const EmuRunOptions& run, std::string* wrong) {
  EmuOptions options;
  options.thread_sanitizer = true;
  options.opt_level = 0;
  options.run = run;
  std::vector<const void*> inputs;
  std::vector<void*> outputs;
  for (const auto& input : inputs_) inputs.push_back(input.data());
  for (Expected& output : outputs_) outputs.push_back(output.got.data());
  absl::Status status = RunProgram(program_, options, inputs, outputs);
  wrong->clear();
  for (const Expected& output : outputs_)
    for (size_t i = 0; wrong->empty() && i < output.want.size(); ++i) {
      double got = Unpack(output.dtype, output.got, i), want = output.want[i];
      if (got != want && !(std::isnan(got) && std::isnan(want)))
        *wrong = absl::StrCat(output.what, ": element ", i, " is ", got,
                              ", expected ", want);
    }
  return status;
}

std::string FaultName(const LaunchFault& fault) {
  return absl::StrCat(fault.function, "_", fault.call, "_warp_",
                      fault.warp < 0 ? "any" : std::to_string(fault.warp));
}

void ExpectCaught(Launches* launches, const LaunchFault& fault) {
  std::string wrong;
  absl::Status status = launches->Run({}, &wrong);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(wrong, "");
  EmuRunOptions run;
  run.fault = fault.function;
  run.fault_call = fault.call;
  run.fault_warp = fault.warp;
  status = launches->Run(run, &wrong);
  if (status.ok()) {
    EXPECT_NE(wrong, "") << FaultName(fault) << " was not caught";
    return;
  }
  // A program that does not compile or start is no catch.
  EXPECT_TRUE(absl::IsAborted(status) || absl::IsDeadlineExceeded(status) ||
              absl::StrContains(status.message(), "gsa-emu: "))
      << status;
}

}  // namespace gsa::testing
