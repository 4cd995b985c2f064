// -----------------------------------------------------------------------------
// File: plan_bytes.cc
// -----------------------------------------------------------------------------

#include "runtime/plan_bytes.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace gsa {
namespace {

constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

void WriteSpecs(const std::vector<TensorSpec>& specs, ByteWriter* writer) {
  writer->Number(static_cast<int64_t>(specs.size()));
  for (const TensorSpec& spec : specs) {
    writer->Text(spec.name);
    writer->Text(DTypeName(spec.dtype));
    writer->Number(static_cast<int64_t>(spec.shape.size()));
    for (int64_t size : spec.shape) writer->Number(size);
    writer->Text(spec.updates);
  }
}

void WriteClasses(const std::vector<std::vector<int>>& classes,
                  ByteWriter* writer) {
  writer->Number(static_cast<int64_t>(classes.size()));
  for (const std::vector<int>& of_tensor : classes) {
    writer->Number(static_cast<int64_t>(of_tensor.size()));
    for (int size_class : of_tensor) writer->Number(size_class);
  }
}

std::vector<TensorSpec> ReadSpecs(ByteReader* reader) {
  std::vector<TensorSpec> specs;
  const size_t count = reader->Count();
  for (size_t i = 0; i < count && reader->ok(); ++i) {
    TensorSpec spec;
    spec.name = std::string(reader->Text());
    const absl::StatusOr<DType> dtype = ParseDType(reader->Text());
    if (!dtype.ok()) {
      reader->Fail();
      break;
    }
    spec.dtype = *dtype;
    spec.shape.resize(static_cast<size_t>(
        reader->NumberIn(0, static_cast<int64_t>(kMaxRank))));
    for (int64_t& size : spec.shape) size = reader->NumberIn(0, kMost);
    spec.updates = std::string(reader->Text());
    // Callers rely on the bytes of a tensor being a number.
    if (!CheckedByteSize(spec.dtype, spec.shape).ok()) reader->Fail();
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::vector<SizeClassSpec> ReadSizeClasses(ByteReader* reader) {
  std::vector<SizeClassSpec> classes;
  const size_t count = reader->Count();
  for (size_t i = 0; i < count && reader->ok(); ++i) {
    SizeClassSpec size;
    size.bound = reader->NumberIn(0, kMost);
    size.is_static = reader->Number() != 0;
    size.place = std::string(reader->Text());
    classes.push_back(std::move(size));
  }
  return classes;
}

// The classes, each below `num_classes`, of the sizes of `specs`; none without
// classes.
std::vector<std::vector<int>> ReadClasses(const std::vector<TensorSpec>& specs,
                                          size_t num_classes,
                                          ByteReader* reader) {
  std::vector<std::vector<int>> classes;
  const size_t count = reader->Count();
  if (count != (num_classes == 0 ? 0 : specs.size())) reader->Fail();
  for (size_t i = 0; i < count && reader->ok(); ++i) {
    const size_t rank = reader->Count();
    if (rank != specs[i].shape.size()) reader->Fail();
    std::vector<int>& of_tensor = classes.emplace_back();
    for (size_t d = 0; d < rank && reader->ok(); ++d)
      of_tensor.push_back(static_cast<int>(
          reader->NumberIn(0, static_cast<int64_t>(num_classes) - 1)));
  }
  return classes;
}

}  // namespace

void WriteInterface(const PlanInterface& interface, ByteWriter* writer) {
  WriteSpecs(interface.inputs, writer);
  WriteSpecs(interface.outputs, writer);
  writer->Number(static_cast<int64_t>(interface.size_classes.size()));
  for (const SizeClassSpec& size : interface.size_classes) {
    writer->Number(size.bound);
    writer->Number(size.is_static ? 1 : 0);
    writer->Text(size.place);
  }
  WriteClasses(interface.input_classes, writer);
  WriteClasses(interface.output_classes, writer);
  writer->Number(static_cast<int64_t>(interface.zone_names.size()));
  for (const std::string& name : interface.zone_names) writer->Text(name);
}

void ReadInterface(ByteReader* reader, PlanInterface* interface) {
  interface->inputs = ReadSpecs(reader);
  interface->outputs = ReadSpecs(reader);
  interface->size_classes = ReadSizeClasses(reader);
  const size_t num_classes = interface->size_classes.size();
  interface->input_classes =
      ReadClasses(interface->inputs, num_classes, reader);
  interface->output_classes =
      ReadClasses(interface->outputs, num_classes, reader);
  interface->zone_names.clear();
  const size_t count = reader->Count();
  for (size_t i = 0; i < count && reader->ok(); ++i)
    interface->zone_names.emplace_back(reader->Text());
}

}  // namespace gsa
