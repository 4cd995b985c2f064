// -----------------------------------------------------------------------------
// File: program_bytes.h
// -----------------------------------------------------------------------------
//
// A device program as bytes, for a file: with the machine code of its kernels
// and without their texts, so that whoever reads it needs no compiler. Codes
// that several programs share are written once, beside the programs.

#ifndef GSA_RUNTIME_CORE_CUDA_PROGRAM_BYTES_H_
#define GSA_RUNTIME_CORE_CUDA_PROGRAM_BYTES_H_

#include <map>
#include <string>
#include <vector>

#include "runtime/core/byte_stream.h"
#include "runtime/core/cuda/device_program.h"

namespace gsa {

// Machine codes by their number.
class ImageTable {
 public:
  // The number of an image, a new one for a new image.
  int64_t Add(const std::string& image);
  const std::vector<std::string>& images() const { return images_; }

  void Write(ByteWriter* writer) const;
  static ImageTable Read(ByteReader* reader);

 private:
  std::vector<std::string> images_;
  std::map<std::string, int64_t> numbers_;
};

// Writes a program whose kernels all have machine code, which `images`
// receives. Texts, headers and line maps are left out.
void WriteProgram(const DeviceProgram& program, ImageTable* images,
                  ByteWriter* writer);

// Reads what WriteProgram wrote. With any bytes: a program, or a reader that is
// not ok(). A program that was read is as good as any other: Validate says
// whether it can run.
DeviceProgram ReadProgram(const ImageTable& images, ByteReader* reader);

}  // namespace gsa

#endif  // GSA_RUNTIME_CORE_CUDA_PROGRAM_BYTES_H_
