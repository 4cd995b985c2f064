// -----------------------------------------------------------------------------
// File: kernels.cc
// -----------------------------------------------------------------------------

#include "test/unit/emu/kernels.h"

#include <cmath>
#include <random>

#include "runtime/core/dtype.h"
#include "runtime/core/status_macros.h"

namespace gsa::testing {

const char kKernelTexts[] = R"cuda(#include <gsa/device/tile.cuh>

using namespace gsa::dev;
GSA_WGMMA(64, bf16);

// A ring of two stages between one warp that gathers and four that multiply.
extern "C" __global__ __launch_bounds__(160, 1)
void attend(const bf16* __restrict__ q, const bf16* __restrict__ k, const int* __restrict__ list, bf16* __restrict__ out, float* __restrict__ lse, int entries, int keys) {
  const int t = block_id<0>();
  auto indices_0 = smem_alloc<smem<int, 1, 512, smem_layout::linear>>(0);
  auto queries = smem_alloc<smem<bf16, 64, 64, smem_layout::swizzle>>(2048);
  auto buffer = smem_alloc<smem_stages<bf16, 2, 64, 64, smem_layout::swizzle>>(10240);
  auto ring_0 = ring_alloc<ring<2>, 1, 4>(26624);
  auto from = at(list, indices(t, 0), sizes(entries));
  auto from_rows = strided_rows(from, 0ll, 1);
  copy_rows<team<0, 5>, 4>(indices_0, from_rows, 0, entries);
  auto q_at = at(q, indices(t, 0, 0), sizes(64, 64));
  auto q_rows = strided_rows(q_at, 64ll, 64);
  copy_rows<team<0, 5>, 16>(queries, q_rows, 0, 64);
  copy_wait<team<0, 5>, 0>();
  const int steps = (entries + 63) / 64;
  auto k_rows = listed_rows(k, 64ll, indices_0, entries, keys);
  if (in_team<team<0, 1>>()) {
    for (int i = 0; i < steps; i += 1) {
      const int slot = ring_acquire(ring_0, i);
      auto tile = stage(buffer, slot);
      copy_rows<team<0, 1>, 16>(tile, k_rows, i * 64, 64);
      ring_commit<true>(ring_0, i);
    }
  } else if (in_team<team<1, 4>>()) {
    const int rank = warp_rank<team<1, 4>>();
    auto s = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    auto o = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    auto a = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
    auto p = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
    auto m = rowvec_alloc<rowvec<float, 16>>();
    auto l = rowvec_alloc<rowvec<float, 16>>();
    auto e = rowvec_alloc<rowvec<float, 16>>();
    fill(o, 0.0f);
    fill_rows(m, -infinity<float>());
    fill_rows(l, 0.0f);
    load_lhs(a, queries, 16 * rank);
    for (int i = 0; i < steps; i += 1) {
      const int slot = ring_wait(ring_0, i);
      auto tile = stage(buffer, slot);
      fill(s, 0.0f);
      mma_nt(s, a, tile, 0);
      mask_rows(s, k_rows, i * 64);
      softmax_update<false>(s, o, m, l, 0.125f);
      convert(p, s);
      mma_nn(o, p, tile, 0);
      ring_release(ring_0, i);
    }
    softmax_finish<false>(o, e, m, l, 0.125f);
    auto out_at = at(out, indices(t, 0, 0), sizes(64, 64));
    store_rows(strided_rows(out_at, 64ll, 64), 16 * rank, o, 64);
    auto lse_at = at(lse, indices(t, 0), sizes(64));
    store_rowvec(strided_rows(lse_at, 1ll, 64), 16 * rank, e);
  }
}

// Each warp writes a row of a tile and reads that of its neighbour.
extern "C" __global__ __launch_bounds__(128, 1)
void rotate(const float* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<float, 4, 32, smem_layout::linear>>(0);
  const int warp_0 = warp_rank<team<0, 4>>();
  for (int c = 0; c < 32; c += 1)
    store_shared(tile, warp_0, c, load(x, warp_0 * 32 + c));
  sync<team<0, 4>, 0>();
  for (int c = 0; c < 32; c += 1)
    store(y, warp_0 * 32 + c, load_shared(tile, (warp_0 + 1) % 4, c));
}

extern "C" __global__ __launch_bounds__(96, 1)
void scale(const float* __restrict__ x, float* __restrict__ y, float factor, double offset, long long n) {
  for (long long i = first_element(); i < n; i += element_step()) {
    store(y, i, to_float((double)(load(x, i) * factor) + offset));
  }
}

extern "C" __global__ __launch_bounds__(32, 1)
void misaligned(const bf16* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<bf16, 8, 64, smem_layout::swizzle>>(0);
  copy_rows<team<0, 1>, 16>(tile, strided_rows(x, 65ll, 8), 0, 64);
}

extern "C" __global__ __launch_bounds__(64, 1)
void lonely_barrier(const float* __restrict__ x, float* __restrict__ y) {
  if (in_team<team<1, 1>>()) {
    sync<team<0, 2>, 3>();
  }
}

extern "C" __global__ __launch_bounds__(64, 1)
void outsider(const float* __restrict__ x, float* __restrict__ y) {
  sync<team<1, 1>, 1>();
}

extern "C" __global__ __launch_bounds__(32, 1)
void beyond_tile(const float* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<float, 4, 32, smem_layout::linear>>(0);
  store(y, 0, load_shared(tile, 4, 0));
}

extern "C" __global__ __launch_bounds__(32, 1)
void beyond_plan(const float* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<float, 4, 32, smem_layout::linear>>(64);
  store(y, 0, load_shared(tile, 0, 0));
}

extern "C" __global__ __launch_bounds__(64, 1)
void same_place(const float* __restrict__ x, float* __restrict__ y) {
  store(y, block_id<0>() / 2, load(x, 0));
}

extern "C" __global__ __launch_bounds__(32, 1)
void unwritten(const float* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<float, 4, 32, smem_layout::linear>>(0);
  auto f = frag_alloc<frag<float, 16, 8, frag_layout::acc>>();
  store(y, 0, load_shared(tile, 3, 31));
  store_rows(strided_rows(y, 8ll, 2), 1, f, 8);
}

extern "C" __global__ __launch_bounds__(32, 1)
void endless(const float* __restrict__ x, float* __restrict__ y) {
  while (load(x, 0) == 0.0f) {
    sync<team<0, 1>, 0>();
  }
}

extern "C" __global__ __launch_bounds__(32, 1)
void plain_commit(const bf16* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<bf16, 8, 64, smem_layout::swizzle>>(0);
  auto ring_0 = ring_alloc<ring<1>, 1, 1>(1024);
  sync<team<0, 1>, 0>();
  const int slot = ring_acquire(ring_0, 0);
  copy_rows<team<0, 1>, 2>(tile, strided_rows(x, 65ll, 8), 0, 64);
  ring_commit<true>(ring_0, slot);
}

// x is the left operand, 64 x 64, and the right one; y gets the product after
// one wait, and after two.
extern "C" __global__ __launch_bounds__(128, 1)
void warpgroup(const bf16* __restrict__ x, float* __restrict__ y) {
  auto tile = smem_alloc<smem<bf16, 64, 64, smem_layout::swizzle_128b>>(0);
  copy_rows<team<0, 4>, 16>(tile, strided_rows(x, 64ll, 64), 0, 64);
  copy_wait<team<0, 4>, 0>();
  const int row = 16 * warp_rank<team<0, 4>>();
  auto s = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  auto o = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
  auto a = frag_alloc<frag<bf16, 16, 64, frag_layout::lhs>>();
  fill(s, 0.0f);
  fill(o, 1.0f);
  load_lhs(a, tile, row);
  fence_async();
  wgmma_fence(a);
  wgmma_fence(s);
  wgmma_fence(o);
  wgmma_nt(s, tile, 0, tile, 0);
  wgmma_commit();
  wgmma_nn(o, a, tile, 0);
  wgmma_nt(s, tile, 0, tile, 0);
  wgmma_commit();
  wgmma_wait<1>();
  auto y_rows = strided_rows(y, 64ll, 192);
  store_rows(y_rows, row, s, 64);
  wgmma_wait<0>();
  store_rows(y_rows, 64 + row, s, 64);
  store_rows(y_rows, 128 + row, o, 64);
}
)cuda";

HostCompiler* TestCompiler() {
  static const auto kCompiler =
      HostCompiler::Create({.directory = GSA_TEST_DIRECTORY "/emu-cache"})
          .value();
  return kCompiler.get();
}

DeviceProgram MakeProgram(const OneLaunch& launch) {
  DeviceProgram program;
  program.arch = "sm_80";
  program.zone_names = {"test"};
  for (const char* symbol :
       {"attend", "rotate", "scale", "misaligned", "lonely_barrier", "outsider",
        "beyond_tile", "beyond_plan", "same_place", "unwritten", "endless",
        "plain_commit", "warpgroup"}) {
    KernelSource kernel;
    kernel.symbol = symbol;
    kernel.text = kKernelTexts;
    kernel.threads_per_block = 32;
    if (symbol == launch.symbol) {
      kernel.threads_per_block = 32 * launch.warps;
      kernel.dynamic_smem_bytes = launch.smem;
    }
    program.kernels.push_back(kernel);
  }
  LaunchStep step;
  for (size_t i = 0; i < program.kernels.size(); ++i)
    if (program.kernels[i].symbol == launch.symbol)
      step.kernel = static_cast<int32_t>(i);
  step.grid = launch.grid;
  step.args = launch.args;
  program.steps.push_back(step);
  for (int64_t bytes : launch.input_bytes)
    program.inputs.push_back({"in", bytes});
  for (int64_t bytes : launch.output_bytes)
    program.outputs.push_back({"out", bytes});
  return program;
}

absl::Status RunProgram(const DeviceProgram& program, EmuOptions options,
                        const std::vector<const void*>& inputs,
                        const std::vector<void*>& outputs) {
  options.host_compiler = TestCompiler();
  GSA_ASSIGN_OR_RETURN(auto executor, EmuExecutor::Create(program, options));
  return executor->Run(inputs, outputs);
}

AttendCase::AttendCase(int blocks, int keys, int entries)
    : blocks_(blocks), keys_(keys), entries_(entries) {
  std::mt19937 random(blocks * 131 + keys * 7 + entries);
  std::normal_distribution<float> normal;
  auto draw = [&](std::vector<uint16_t>& values, int count) {
    for (int i = 0; i < count; ++i)
      values.push_back(BF16FromFloat(normal(random)).bits);
  };
  draw(q_, blocks * 64 * 64);
  draw(k_, keys * 64);
  // Some entries say "no key", as -1 and as the number of keys.
  for (int i = 0; i < blocks * entries; ++i)
    list_.push_back(static_cast<int>(random() % (keys + 2)) - 1);
  out_.resize(q_.size());
  lse_.resize(size_t(blocks) * 64);
}

absl::Status AttendCase::Run(EmuOptions options) {
  OneLaunch launch;
  launch.symbol = "attend";
  launch.warps = 5;
  launch.smem = 26624 + 32;
  launch.grid = {blocks_, 1, 1};
  launch.args = {In(0), In(1), In(2), Out(0), Out(1), entries_, keys_};
  launch.input_bytes = {int64_t(q_.size()) * 2, int64_t(k_.size()) * 2,
                        int64_t(list_.size()) * 4};
  launch.output_bytes = {int64_t(out_.size()) * 2, int64_t(lse_.size()) * 4};
  return RunProgram(MakeProgram(launch), std::move(options),
                    {q_.data(), k_.data(), list_.data()},
                    {out_.data(), lse_.data()});
}

double AttendCase::ErrorOfRow(int row) const {
  auto value = [](uint16_t bits) { return double{BF16ToFloat({bits})}; };
  double sum = 0;
  std::vector<double> result(64);
  for (int i = 0; i < entries_; ++i) {
    int key = list_[row / 64 * entries_ + i];
    if (key < 0 || key >= keys_) continue;
    double logit = 0;
    for (int c = 0; c < 64; ++c)
      logit += value(q_[row * 64 + c]) * value(k_[key * 64 + c]);
    double weight = std::exp(0.125 * logit);
    sum += weight;
    for (int c = 0; c < 64; ++c) result[c] += weight * value(k_[key * 64 + c]);
  }
  double error = sum == 0
                     ? (lse_[row] == -INFINITY ? 0 : 1e9)
                     : std::abs(std::log(sum) - lse_[row]) / std::log(sum + 2);
  for (int c = 0; c < 64; ++c) {
    double expected = sum == 0 ? 0 : result[c] / sum;
    double difference = std::abs(expected - value(out_[row * 64 + c]));
    if (!(difference <= error)) error = difference;
  }
  return error;
}

double AttendCase::MaxError() const {
  double largest = 0;
  for (int row = 0; row < blocks_ * 64; ++row) {
    double error = ErrorOfRow(row);
    if (!(error <= largest)) largest = error;
    if (std::isnan(largest)) break;
  }
  return largest;
}

}  // namespace gsa::testing
