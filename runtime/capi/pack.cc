// -----------------------------------------------------------------------------
// File: pack.cc
// -----------------------------------------------------------------------------
//
// Packs of the C API.

#include "runtime/pack.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "runtime/capi/internal.h"
#include "runtime/core/status_macros.h"
#include "runtime/load_plan.h"

namespace gsa {
namespace capi {
namespace {

absl::Status Take(absl::StatusOr<Pack> read, gsa_pack** pack) {
  GSA_RETURN_IF_ERROR(read.status());
  auto made = std::make_unique<gsa_pack>();
  made->pack = *std::move(read);
  for (const PackedPlan& plan : made->pack.plans)
    made->descriptions.push_back(plan.ToString());
  *pack = made.release();
  return absl::OkStatus();
}

absl::StatusOr<LoadOptions> ReadOptions(const gsa_load_options* options) {
  gsa_load_options read = {};
  if (options != nullptr) {
    GSA_ASSIGN_OR_RETURN(read, Read("options", options));
  }
  LoadOptions result;
  if (read.target != nullptr && read.target[0] != '\0')
    result.target = read.target;
  std::vector<absl::Status> errors;
  GSA_RETURN_IF_ERROR(ReadShapes("shape", read.shapes, read.num_shapes,
                                 &result.shapes, &errors));
  if (!errors.empty()) return errors.front();
  if (read.load_later != 0 && read.load_later != 1)
    return absl::InvalidArgumentError(absl::StrCat(
        "options: expected load_later = 0 or 1, got ", read.load_later));
  result.warm_up = read.load_later == 0;
  result.cpu = TheCpuLoader();
  return result;
}

absl::Status Load(const gsa_pack* pack, const gsa_load_options* options,
                  gsa_plan** plan) {
  if (plan == nullptr) return NullError("plan");
  *plan = nullptr;
  if (pack == nullptr) return NullError("pack");
  GSA_ASSIGN_OR_RETURN(const LoadOptions load, ReadOptions(options));
  GSA_ASSIGN_OR_RETURN(auto loaded, LoadPlan(pack->pack, load));
  auto made = std::make_unique<gsa_plan>();
  made->target = loaded->target_description();
  made->plan = std::move(loaded);
  *plan = made.release();
  return absl::OkStatus();
}

}  // namespace
}  // namespace capi
}  // namespace gsa

using gsa::capi::Guard;

gsa_status* gsa_pack_open(const char* path, gsa_pack** pack) {
  return Guard([&]() -> absl::Status {
    if (pack == nullptr) return gsa::capi::NullError("pack");
    *pack = nullptr;
    if (path == nullptr) return gsa::capi::NullError("path");
    return gsa::capi::Take(gsa::ReadPack(path), pack);
  });
}

gsa_status* gsa_pack_read(const void* bytes, size_t length, const char* name,
                          gsa_pack** pack) {
  return Guard([&]() -> absl::Status {
    if (pack == nullptr) return gsa::capi::NullError("pack");
    *pack = nullptr;
    if (bytes == nullptr) return gsa::capi::NullError("bytes");
    const absl::string_view view(static_cast<const char*>(bytes), length);
    return gsa::capi::Take(
        gsa::DecodePack(view, name == nullptr ? "<memory>" : name), pack);
  });
}

void gsa_pack_close(gsa_pack* pack) { delete pack; }

size_t gsa_pack_num_plans(const gsa_pack* pack) {
  return pack == nullptr ? 0 : pack->descriptions.size();
}

const char* gsa_pack_plan(const gsa_pack* pack, size_t index) {
  if (index >= gsa_pack_num_plans(pack)) return nullptr;
  return pack->descriptions[index].c_str();
}

gsa_status* gsa_pack_load(const gsa_pack* pack, const gsa_load_options* options,
                          gsa_plan** plan) {
  return Guard([&] { return gsa::capi::Load(pack, options, plan); });
}
