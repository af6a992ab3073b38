#!/usr/bin/env bash
# Installs the C++ SDK into a temporary prefix, moves that elsewhere, and builds a project with find_package and one with
# pkg-config. Usage: scripts/test-package-cpp.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
consumer=sdks/cpp/tests/consumer
export CMAKE_PREFIX_PATH=$scratch/prefix

quietly() { # command...
  "$@" >"$scratch/log" 2>&1 || { cat "$scratch/log"; echo "FAILED: $*" >&2; exit 1; }
}

answers() { # program
  local printed
  printed=$(env -u LD_LIBRARY_PATH "$@")
  [[ $printed == "armillaria "*" answers 42" ]] || { echo "FAILED: $* prints $printed" >&2; exit 1; }
}

quietly cmake --install "$build" --prefix "$scratch/first"
mv "$scratch/first" "$scratch/prefix" # a prefix can be moved
(cd "$scratch/prefix" && find . -type f -o -type l | sort | sed 's/^/  /')

quietly cmake -S "$consumer" -B "$scratch/cmake"
quietly cmake --build "$scratch/cmake"
answers "$scratch/cmake/consumer"
echo "ok      find_package"

sed 's/armillaria 0.1 REQUIRED/armillaria 99 REQUIRED/' "$consumer/CMakeLists.txt" >"$scratch/CMakeLists.txt"
if cmake -S "$scratch" -B "$scratch/other" >"$scratch/log" 2>&1; then
  echo "FAILED: find_package(armillaria 99) finds version 0.1" >&2
  exit 1
fi
grep -q 'compatible with requested version "99"' "$scratch/log" || { cat "$scratch/log"; exit 1; }
echo "ok      find_package of another version fails"

PKG_CONFIG_PATH=$(dirname "$(find "$scratch/prefix" -name armillaria.pc)")
export PKG_CONFIG_PATH
version=$(sed -nE 's/^version = "([0-9.]+)"$/\1/p' Cargo.toml | head -1)
[ "$(pkg-config --modversion armillaria)" = "$version" ] || { echo "FAILED: pkg-config has another version" >&2; exit 1; }
read -ra flags <<<"$(pkg-config --cflags --libs armillaria)"
quietly c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -o "$scratch/consumer" "$consumer/main.cpp" "${flags[@]}" \
  "-Wl,-rpath,$(pkg-config --variable=libdir armillaria)"
answers "$scratch/consumer"
echo "ok      pkg-config"
