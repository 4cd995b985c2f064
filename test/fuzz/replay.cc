// -----------------------------------------------------------------------------
// File: replay.cc
// -----------------------------------------------------------------------------
//
// The main function of a fuzz target without libFuzzer: each file of the
// folders of its arguments once, whole and cut off in the middle.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

int main(int argc, char** argv) {
  int count = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string bytes{std::istreambuf_iterator<char>(file), {}};
      const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
      for (const size_t size : {bytes.size(), bytes.size() / 2})
        LLVMFuzzerTestOneInput(data, size);
      ++count;
    }
  }
  std::printf("%d files\n", count);
  return count > 0 ? 0 : 1;
}
