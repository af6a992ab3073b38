#!/usr/bin/env bash
# Checks the tools that every target needs and installs libduckdb unless DUCKDB_LIB_DIR names one already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

need() {
  command -v "$1" >/dev/null || { echo "$1 is missing: install $2" >&2; exit 1; }
}
need cargo "Rust 1.95 or newer with rustup"
need cc "a C compiler (zstd and BLAKE3 have C parts)"
need tar tar

[ -n "${DUCKDB_LIB_DIR:-}" ] || "$here/libduckdb.sh"
