// -----------------------------------------------------------------------------
// File: program_bytes.cc
// -----------------------------------------------------------------------------
//
// Each thing is written and read by one function pair, field by field in the
// order of device_program.h. Variants begin with the number of their kind.

#include "runtime/core/cuda/program_bytes.h"

#include <cstring>
#include <limits>
#include <utility>
#include <variant>

namespace gsa {
namespace {

constexpr int64_t kMost32 = std::numeric_limits<int32_t>::max();
constexpr int64_t kLeast32 = std::numeric_limits<int32_t>::min();

// ---- Writing ----------------------------------------------------------------

class Writer {
 public:
  Writer(ImageTable* images, ByteWriter* out) : images_(images), out_(out) {}

  void Write(const DeviceProgram& program) {
    out_->Text(program.arch);
    out_->Number(static_cast<int64_t>(program.kernels.size()));
    for (const KernelSource& kernel : program.kernels) {
      out_->Text(kernel.symbol);
      out_->Number(images_->Add(kernel.image));
      out_->Number(kernel.threads_per_block);
      out_->Number(kernel.cluster);
      out_->Number(kernel.dynamic_smem_bytes);
    }
    for (const auto* buffers : {&program.inputs, &program.outputs}) {
      out_->Number(static_cast<int64_t>(buffers->size()));
      for (const BufferInfo& buffer : *buffers) {
        out_->Text(buffer.name);
        out_->Number(buffer.bytes);
      }
    }
    out_->Number(static_cast<int64_t>(program.constants.size()));
    for (const ConstantData& constant : program.constants) {
      out_->Text(constant.name);
      out_->Text({reinterpret_cast<const char*>(constant.bytes.data()),
                  constant.bytes.size()});
    }
    out_->Number(program.workspace_bytes);
    out_->Number(program.lanes);
    out_->Number(static_cast<int64_t>(program.zone_names.size()));
    for (const std::string& name : program.zone_names) out_->Text(name);
    out_->Number(static_cast<int64_t>(program.steps.size()));
    for (const ProgramStep& step : program.steps) {
      out_->Number(static_cast<int64_t>(step.index()));
      std::visit([&](const auto& value) { Write(value); }, step);
    }
  }

 private:
  void Write(const BufferRef& ref) {
    out_->Number(static_cast<int64_t>(ref.kind));
    out_->Number(ref.index);
    out_->Number(ref.byte_offset);
  }
  void Write(int32_t value) { out_->Number(value); }
  void Write(int64_t value) { out_->Number(value); }
  void Write(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    out_->Number(bits);
  }
  void Write(double value) {
    int64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    out_->Number(bits);
  }
  void Write(DType dtype) { out_->Text(DTypeName(dtype)); }
  void Write(const TensorMapArg& map) {
    Write(map.base);
    Write(map.dtype);
    for (int64_t number :
         {map.rows, map.columns, map.row_pitch, int64_t{map.box_rows},
          int64_t{map.box_columns}, int64_t{map.swizzle_bytes}})
      out_->Number(number);
  }
  void Write(const StepOrder& order) {
    out_->Number(order.lane);
    out_->Number(static_cast<int64_t>(order.waits.size()));
    for (int32_t wait : order.waits) out_->Number(wait);
  }
  void Write(const LaunchStep& step) {
    out_->Number(step.kernel);
    for (int64_t blocks : step.grid) out_->Number(blocks);
    out_->Number(static_cast<int64_t>(step.args.size()));
    for (const KernelArg& arg : step.args) {
      out_->Number(static_cast<int64_t>(arg.index()));
      std::visit([&](const auto& value) { Write(value); }, arg);
    }
    out_->Number(int64_t{step.dependent});
    out_->Number(step.zone);
    Write(step.order);
  }
  void Write(const GemmStep& step) {
    for (const BufferRef* ref : {&step.a, &step.b, &step.c}) Write(*ref);
    for (DType dtype :
         {step.a_dtype, step.b_dtype, step.c_dtype, step.compute_dtype})
      Write(dtype);
    for (int64_t number :
         {step.m, step.n, step.k, step.lda, step.ldb, step.ldc,
          int64_t{step.trans_a}, int64_t{step.trans_b}, step.batch,
          step.stride_a, step.stride_b, step.stride_c, int64_t{step.beta},
          int64_t{step.zone}})
      out_->Number(number);
    Write(step.order);
  }
  void Write(const CopyStep& step) {
    Write(step.source);
    Write(step.destination);
    out_->Number(step.bytes);
    out_->Number(step.zone);
    Write(step.order);
  }
  void Write(const FillStep& step) {
    Write(step.destination);
    out_->Number(step.pattern);
    out_->Number(step.element_bytes);
    out_->Number(step.count);
    out_->Number(step.zone);
    Write(step.order);
  }

  ImageTable* images_;
  ByteWriter* out_;
};

// ---- Reading ----------------------------------------------------------------

class Reader {
 public:
  Reader(const ImageTable& images, ByteReader* in) : images_(images), in_(in) {}

  DeviceProgram Read() {
    DeviceProgram program;
    program.arch = std::string(in_->Text());
    Each(&program.kernels, [&](KernelSource* kernel) {
      kernel->symbol = std::string(in_->Text());
      const auto count = static_cast<int64_t>(images_.images().size());
      const int64_t image = in_->NumberIn(0, count - 1);
      if (!in_->ok()) return;
      kernel->image = images_.images()[static_cast<size_t>(image)];
      kernel->threads_per_block = Small();
      kernel->cluster = Small();
      kernel->dynamic_smem_bytes = in_->Number();
    });
    for (auto* buffers : {&program.inputs, &program.outputs})
      Each(buffers, [&](BufferInfo* buffer) {
        buffer->name = std::string(in_->Text());
        buffer->bytes = in_->Number();
      });
    Each(&program.constants, [&](ConstantData* constant) {
      constant->name = std::string(in_->Text());
      const absl::string_view bytes = in_->Text();
      constant->bytes.assign(bytes.begin(), bytes.end());
    });
    program.workspace_bytes = in_->Number();
    program.lanes = Small();
    Each(&program.zone_names,
         [&](std::string* name) { *name = std::string(in_->Text()); });
    Each(&program.steps,
         [&](ProgramStep* step) { ReadVariant(in_->Number(), step); });
    return program;
  }

 private:
  // A list, which grows with what is there: a number alone takes no memory.
  template <typename T, typename ReadOne>
  void Each(std::vector<T>* list, const ReadOne& read_one) {
    const size_t count = in_->Count();
    for (size_t i = 0; i < count && in_->ok(); ++i) {
      list->emplace_back();
      read_one(&list->back());
    }
  }
  int32_t Small() {
    return static_cast<int32_t>(in_->NumberIn(kLeast32, kMost32));
  }
  bool Flag() { return in_->NumberIn(0, 1) != 0; }
  // An alternative of a variant, the one of that number.
  template <typename Variant, size_t kIndex = 0>
  void ReadVariant(int64_t index, Variant* variant) {
    if constexpr (kIndex == std::variant_size_v<Variant>) {
      in_->Fail();
    } else if (index == static_cast<int64_t>(kIndex)) {
      std::variant_alternative_t<kIndex, Variant> value{};
      Read(&value);
      *variant = std::move(value);
    } else {
      ReadVariant<Variant, kIndex + 1>(index, variant);
    }
  }

  void Read(BufferRef* ref) {
    ref->kind = static_cast<BufferRef::Kind>(
        in_->NumberIn(0, static_cast<int64_t>(BufferRef::Kind::kConstant)));
    ref->index = Small();
    ref->byte_offset = in_->Number();
  }
  void Read(int32_t* value) { *value = Small(); }
  void Read(int64_t* value) { *value = in_->Number(); }
  void Read(float* value) {
    const auto bits = static_cast<uint32_t>(
        in_->NumberIn(0, std::numeric_limits<uint32_t>::max()));
    std::memcpy(value, &bits, sizeof(bits));
  }
  void Read(double* value) {
    const int64_t bits = in_->Number();
    std::memcpy(value, &bits, sizeof(bits));
  }
  void Read(DType* dtype) {
    const absl::StatusOr<DType> known = ParseDType(std::string(in_->Text()));
    if (known.ok())
      *dtype = *known;
    else
      in_->Fail();
  }
  void Read(TensorMapArg* map) {
    Read(&map->base);
    Read(&map->dtype);
    for (int64_t* number : {&map->rows, &map->columns, &map->row_pitch})
      Read(number);
    for (int32_t* number :
         {&map->box_rows, &map->box_columns, &map->swizzle_bytes})
      Read(number);
  }
  void Read(StepOrder* order) {
    order->lane = Small();
    Each(&order->waits, [&](int32_t* wait) { *wait = Small(); });
  }
  void Read(LaunchStep* step) {
    step->kernel = Small();
    for (int64_t& blocks : step->grid) blocks = in_->Number();
    Each(&step->args,
         [&](KernelArg* arg) { ReadVariant(in_->Number(), arg); });
    step->dependent = Flag();
    step->zone = Small();
    Read(&step->order);
  }
  void Read(GemmStep* step) {
    for (BufferRef* ref : {&step->a, &step->b, &step->c}) Read(ref);
    for (DType* dtype : {&step->a_dtype, &step->b_dtype, &step->c_dtype,
                         &step->compute_dtype})
      Read(dtype);
    for (int64_t* number : {&step->m, &step->n, &step->k, &step->lda,
                            &step->ldb, &step->ldc})
      Read(number);
    step->trans_a = Flag();
    step->trans_b = Flag();
    for (int64_t* number : {&step->batch, &step->stride_a, &step->stride_b,
                            &step->stride_c})
      Read(number);
    step->beta = Small();
    step->zone = Small();
    Read(&step->order);
  }
  void Read(CopyStep* step) {
    Read(&step->source);
    Read(&step->destination);
    step->bytes = in_->Number();
    step->zone = Small();
    Read(&step->order);
  }
  void Read(FillStep* step) {
    Read(&step->destination);
    step->pattern = static_cast<uint32_t>(
        in_->NumberIn(0, std::numeric_limits<uint32_t>::max()));
    step->element_bytes = Small();
    step->count = in_->Number();
    step->zone = Small();
    Read(&step->order);
  }

  const ImageTable& images_;
  ByteReader* in_;
};

}  // namespace

int64_t ImageTable::Add(const std::string& image) {
  const auto [known, is_new] =
      numbers_.emplace(image, static_cast<int64_t>(images_.size()));
  if (is_new) images_.push_back(image);
  return known->second;
}

void ImageTable::Write(ByteWriter* writer) const {
  writer->Number(static_cast<int64_t>(images_.size()));
  for (const std::string& image : images_) writer->Text(image);
}

ImageTable ImageTable::Read(ByteReader* reader) {
  ImageTable table;
  const size_t count = reader->Count();
  for (size_t i = 0; i < count && reader->ok(); ++i)
    table.images_.emplace_back(reader->Text());
  return table;
}

void WriteProgram(const DeviceProgram& program, ImageTable* images,
                  ByteWriter* writer) {
  Writer(images, writer).Write(program);
}

DeviceProgram ReadProgram(const ImageTable& images, ByteReader* reader) {
  return Reader(images, reader).Read();
}

}  // namespace gsa
