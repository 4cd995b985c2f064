#!/usr/bin/env bash
# Fails if clang-format 22 would change a tracked C or C++ file.
# `./dev format` makes the changes. Usage: format.sh [repository]
set -euo pipefail
cd "${1:-.}"
tool=$(command -v clang-format-22 || command -v clang-format || true)
if [ -z "$tool" ] || ! "$tool" --version | grep -q 'version 22\.'; then
  echo "format: clang-format 22 is needed, got '${tool:-none}'" >&2
  exit 1
fi
mapfile -d '' files < <(git ls-files -z '*.h' '*.hpp' '*.cpp' '*.cc' '*.c' '*.cuh')
if [ ${#files[@]} -eq 0 ]; then
  echo "format: git lists no C or C++ files" >&2
  exit 1
fi
printf '%s\0' "${files[@]}" | xargs -0 -P2 -n16 "$tool" --dry-run -Werror
echo "format: ${#files[@]} files are formatted"
