//===- DeviceHeaders.cpp - headers that kernels include -------------------===//

#include "codegen/device/DeviceHeaders.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace mlir::gsa_tile;

static constexpr DeviceHeader kDeviceHeaders[] = {
#include "codegen/device/include.inc"
};

static constexpr DeviceHeader kEmulationHeaders[] = {
#include "codegen/device/emu.inc"
};

static std::string hashHeaders(ArrayRef<DeviceHeader> headers) {
  llvm::SHA256 hash;
  for (const DeviceHeader& header : headers)
    for (StringRef part : {header.name, header.text}) {
      // The length keeps "ab" + "c" and "a" + "bc" apart.
      hash.update(std::to_string(part.size()) + ":");
      hash.update(part);
    }
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

ArrayRef<DeviceHeader> gsa_tile::getDeviceHeaders() {
  return ArrayRef(kDeviceHeaders);
}

ArrayRef<DeviceHeader> gsa_tile::getEmulationHeaders() {
  return ArrayRef(kEmulationHeaders);
}

StringRef gsa_tile::getDeviceHeadersHash() {
  static const std::string hash = hashHeaders(kDeviceHeaders);
  return hash;
}

StringRef gsa_tile::getEmulationHeadersHash() {
  static const std::string hash = hashHeaders(kEmulationHeaders);
  return hash;
}
