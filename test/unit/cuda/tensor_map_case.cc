// -----------------------------------------------------------------------------
// File: tensor_map_case.cc
// -----------------------------------------------------------------------------

#include "tensor_map_case.h"

#include <random>

#include "runtime/core/dtype.h"

namespace gsa {
namespace {

constexpr int kQueries = 100, kKeys = 150, kColumns = 64, kTiles = 3;

// As the compiler prints it.
constexpr char kText[] = R"cuda(#include <gsa/device/tile.cuh>

using namespace gsa::dev;
GSA_WGMMA(64, bf16);

extern "C" __global__ __launch_bounds__(160, 1)
void tile_scores(
    const __grid_constant__ tensor_map queries,
    const __grid_constant__ tensor_map keys,
    float* __restrict__ out,
    int rows,
    int tiles) {
  const int block_x = block_id<0>();
  const int first = block_x * 64;
  auto q_tiles = smem_alloc<smem_stages<bf16, 1, 64, 64, smem_layout::swizzle_128b>>(16384);
  auto k_tiles = smem_alloc<smem_stages<bf16, 2, 64, 64, smem_layout::swizzle_128b>>(0);
  auto q_full = ring_alloc<ring<1>, 1, 4>(24608);
  auto k_full = ring_alloc<ring<2>, 1, 4>(24576);
  sync<team<0, 5>, 0>();
  if (in_team<team<4, 1>>()) {
    const int slot = ring_acquire(q_full, 0);
    auto q_tiles_stage = stage(q_tiles, slot);
    tma_load<team<4, 1>>(q_tiles_stage, queries, 0, first, q_full, 0);
    ring_commit<false>(q_full, 0);
    for (int i = 0; i < tiles; ++i) {
      const int slot_0 = ring_acquire(k_full, i);
      auto k_tiles_stage = stage(k_tiles, slot_0);
      tma_load<team<4, 1>>(k_tiles_stage, keys, 0, i * 64, k_full, i);
      ring_commit<false>(k_full, i);
    }
  } else if (in_team<team<0, 4>>()) {
    const int warp = warp_rank<team<0, 4>>();
    const int row = first + warp * 16;
    const int left = rows - row;
    const int width = tiles * 64;
    const long long width_0 = (long long)width;
    auto scores = frag_alloc<frag<float, 16, 64, frag_layout::acc>>();
    const int slot = ring_wait(q_full, 0);
    auto q_tiles_stage = stage(q_tiles, slot);
    for (int i = 0; i < tiles; ++i) {
      const int slot_0 = ring_wait(k_full, i);
      auto k_tiles_stage = stage(k_tiles, slot_0);
      fill(scores, 0.0f);
      wgmma_fence(scores);
      wgmma_nt(scores, q_tiles_stage, 0, k_tiles_stage, 0);
      wgmma_commit();
      wgmma_wait<0>();
      ring_release(k_full, i);
      auto out_at = at(out, indices(row, i * 64), sizes(width));
      auto out_rows = strided_rows(out_at, width_0, left);
      store_rows(out_rows, 0, scores, 64);
    }
    ring_release(q_full, 0);
  }
}
)cuda";

TensorMapArg MapOf(int input, int rows) {
  TensorMapArg map;
  map.base = {BufferRef::Kind::kInput, input, 0};
  map.dtype = DType::kBF16;
  map.rows = rows;
  map.columns = kColumns;
  map.row_pitch = 2 * kColumns;
  map.box_rows = map.box_columns = 64;
  map.swizzle_bytes = 128;
  return map;
}

}  // namespace

DeviceProgram TileScoresProgram(const std::string& arch) {
  DeviceProgram program;
  program.arch = arch;
  program.kernels.resize(1);
  program.kernels[0].symbol = "tile_scores";
  program.kernels[0].text = kText;
  program.kernels[0].threads_per_block = 160;
  program.kernels[0].dynamic_smem_bytes = 24624;
  program.inputs = {{"queries", kQueries * kColumns * 2},
                    {"keys", kKeys * kColumns * 2}};
  program.outputs = {{"scores", kQueries * kTiles * 64 * 4}};
  program.zone_names = {"other"};
  LaunchStep launch;
  launch.grid = {(kQueries + 63) / 64, 1, 1};
  launch.args = {MapOf(0, kQueries), MapOf(1, kKeys),
                 BufferRef{BufferRef::Kind::kOutput, 0, 0}, int32_t{kQueries},
                 int32_t{kTiles}};
  program.steps = {launch};
  return program;
}

TileScoresCase::TileScoresCase() {
  std::mt19937 random(17);
  std::vector<int> q(kQueries * kColumns), k(kKeys * kColumns);
  for (auto* values : {&q, &k})
    for (int& value : *values) value = static_cast<int>(random() % 17) - 8;
  for (int value : q) queries.push_back(BF16FromFloat(value).bits);
  for (int value : k) keys.push_back(BF16FromFloat(value).bits);
  scores.assign(kQueries * kTiles * 64, 0.0f);
  for (int m = 0; m < kQueries; ++m)
    for (int n = 0; n < kKeys; ++n) {
      int sum = 0;
      for (int c = 0; c < kColumns; ++c)
        sum += q[m * kColumns + c] * k[n * kColumns + c];
      scores[m * kTiles * 64 + n] = static_cast<float>(sum);
    }
}

}  // namespace gsa
