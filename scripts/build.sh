#!/usr/bin/env bash
# Builds the command line for release and leaves it as target/release/armillaria with libduckdb beside it, wherever
# cargo's own target folder is. The two files run from any folder, without any environment variable.
# Usage: scripts/build.sh [--example NAME]
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked -p armillaria-cli --bins "$@"
built=${CARGO_TARGET_DIR:-target}/release
mkdir -p target/release/examples
case $(uname -s) in Darwin) library=libduckdb.dylib ;; *) library=libduckdb.so ;; esac

place() { # file, destination: replaced by a rename, so a running program keeps its own copy
  [ "$1" -ef "$2" ] || { cp "$1" "$2.new" && mv "$2.new" "$2"; }
}
place "$built/armillaria" target/release/armillaria
[ "${1:-}" != --example ] || place "$built/examples/$2" "target/release/examples/$2"
place "${DUCKDB_LIB_DIR:-.deps/duckdb}/$library" "target/release/$library"
echo "built target/release/armillaria"
