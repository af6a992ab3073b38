#!/usr/bin/env bash
# Checks the format of C and C++ (.clang-format); --fix writes it.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=$(scripts/cpp-deps.sh)
eval "$deps"
mode=(--dry-run --Werror)
[ "${1:-}" != --fix ] || mode=(-i)
git ls-files -z 'include/*.hpp' 'sdks/cpp/*.?pp' 'sdks/cpp/*.c' 'examples/c*/*.c' 'examples/c*/*.cpp' |
  xargs -0 "$ARMILLARIA_CLANG_FORMAT" "${mode[@]}"
