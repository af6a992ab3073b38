#!/usr/bin/env bash
# Builds libarmillaria and places it, with libduckdb beside it, in target/KIND/lib.
# Usage: scripts/build-ffi.sh [--debug | --release | --testing] [--print-env]
#   --debug      the library for tests (the default)
#   --release    what is shipped: the shared and the static library
#   --testing    the one for tests, with functions that break things on purpose (feature `testing`)
#   --print-env  builds nothing, prints the lines that let a shell build and run programs against that library:
#                eval "$(scripts/build-ffi.sh --debug --print-env)"
set -euo pipefail
cd "$(dirname "$0")/.."
kind=debug print_env=
for argument in "$@"; do
  case $argument in
    --debug | --release | --testing) kind=${argument#--} ;;
    --print-env) print_env=1 ;;
    *) echo "build-ffi: unknown argument $argument" >&2; exit 1 ;;
  esac
done
lib=$PWD/target/$kind/lib
case $(uname -s) in
  Darwin) suffix=dylib versioned=libarmillaria.0.dylib path_variable=DYLD_LIBRARY_PATH ;;
  *) suffix=so versioned=libarmillaria.so.0 path_variable=LD_LIBRARY_PATH ;;
esac

if [ -n "$print_env" ]; then
  echo "export ARMILLARIA_INCLUDE_DIR='$PWD/include'"
  echo "export ARMILLARIA_LIB_DIR='$lib'"
  echo "export $path_variable='$lib'\${$path_variable:+:\$$path_variable}"
  exit
fi

built=${CARGO_TARGET_DIR:-target}
case $kind in
  # The features of the whole workspace, so that nothing below is compiled twice.
  debug) cargo build --quiet --locked --workspace --lib ;;
  testing) cargo build --quiet --locked --workspace --lib --features armillaria-ffi/testing ;;
  release) cargo rustc --quiet --release --locked -p armillaria-ffi --lib --crate-type cdylib,staticlib ;;
esac
profile=debug
[ "$kind" != release ] || profile=release

place() { # file, destination: replaced by a rename, so a running program keeps its own copy
  cmp --silent "$1" "$2" || { cp "$1" "$2.new.$$" && mv "$2.new.$$" "$2"; }
}
mkdir -p "$lib"
place "$built/$profile/libarmillaria_ffi.$suffix" "$lib/$versioned"
ln -sf "$versioned" "$lib/libarmillaria.$suffix"
place "${DUCKDB_LIB_DIR:-.deps/duckdb}/libduckdb.$suffix" "$lib/libduckdb.$suffix"
[ "$kind" != release ] || place "$built/$profile/libarmillaria_ffi.a" "$lib/libarmillaria.a"
echo "built target/$kind/lib/libarmillaria.$suffix"
