//===- DeviceCase.h - random modules for GPUs -------------------*- C++ -*-===//
//
// To compile a kernel costs far more than to run it on a small problem, so the
// modules for GPUs come in recipes: what the text of a kernel depends on (op,
// element type, head sizes, attributes, schedule) is a function of the recipe,
// and one recipe gives several shapes.
//
// Shapes and schedules are made to end at and one past what is full at once: a
// tile of keys or queries, a span of tiles, a chunk of rows, a step of a scan,
// the threshold bin, the list that attention keeps in shared memory.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_TEST_UNIT_DIFFERENTIAL_DEVICECASE_H_
#define GSA_TEST_UNIT_DIFFERENTIAL_DEVICECASE_H_

#include <cstdint>
#include <string>

#include "test/unit/differential/Case.h"
#include "test/unit/differential/Data.h"

namespace gsa::differential {

/// Shapes of a recipe; module `seed` is shape seed % kShapes of recipe
/// seed / kShapes.
inline constexpr int kShapes = 5;
/// Recipes that run on a GPU.
inline constexpr int kCudaRecipes = 8 * kNumFamilies;

/// What the work of one case is limited to.
struct DeviceScale {
  std::string target;
  std::string arch;       ///< Of the emulation; empty on a GPU.
  int64_t work;           ///< Multiplications of the reference.
  int64_t longest;        ///< Keys.
  bool all_sizes = true;  ///< Heads of any size; otherwise small ones.
};
DeviceScale EmulationScale();
DeviceScale CudaScale();

/// Module `seed`. Every kNumFamilies recipes hold each family once; the element
/// type of a family changes with every round.
Spec DeviceSpec(uint64_t seed, const DeviceScale& scale);

/// The module with 1 to 8 queries, lengths and gates, its keys and lists split
/// among blocks. For families kSelect, kSelectGather and kGather.
Spec WithFewQueries(Spec spec);

/// A workload that makes sense for the module.
Workload DeviceWorkload(const Spec& spec, Rng& rng);

}  // namespace gsa::differential

#endif  // GSA_TEST_UNIT_DIFFERENTIAL_DEVICECASE_H_
