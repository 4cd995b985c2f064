//===- DeviceHeaders.h - headers that kernels include ----------*- C++ -*-===//
//
// The text of codegen/device/include and codegen/device/emu within the binary.
//
//===----------------------------------------------------------------------===//

#ifndef GSA_CODEGEN_DEVICE_DEVICEHEADERS_H
#define GSA_CODEGEN_DEVICE_DEVICEHEADERS_H

#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "mlir/Support/LLVM.h"

namespace mlir::gsa_tile {

struct DeviceHeader {
  StringRef name;  // as kernels include it, "gsa/device/tile.cuh"
  StringRef text;
};

/// Headers that NVRTC compiles kernels with, sorted by name.
ArrayRef<DeviceHeader> getDeviceHeaders();

/// Headers of the same names with which the same kernels compile for the host,
/// and what those include beside them (gsa/emu/...). Sorted by name.
ArrayRef<DeviceHeader> getEmulationHeaders();

/// SHA-256 of names and texts in hexadecimal: kernels of equal text, options
/// and hash are equal.
StringRef getDeviceHeadersHash();
StringRef getEmulationHeadersHash();

}  // namespace mlir::gsa_tile

#endif  // GSA_CODEGEN_DEVICE_DEVICEHEADERS_H
