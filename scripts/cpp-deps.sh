#!/usr/bin/env bash
# Installs what the C++ tests need into .deps/cpp (or $ARMILLARIA_CPP_DEPS), nothing system-wide, and prints lines that
# name it. Does nothing if it is there.
#   from PyPI: Arrow C++ (headers and library of pyarrow), nlohmann/json, clang-format
#   from crates.io: duckdb.h, of the crate that the workspace links DuckDB by anyway
# Usage: deps=$(scripts/cpp-deps.sh) && eval "$deps"
set -euo pipefail
cd "$(dirname "$0")/.."
dir=${ARMILLARIA_CPP_DEPS:-$PWD/.deps/cpp}
packages=(pyarrow==26.0.1 nlohmann-json==3.12.0 clang-format==23.1.5)
python=$dir/venv/bin/python

if [ "$(cat "$dir/.installed" 2>/dev/null || true)" != "${packages[*]}" ] || ! [ -x "$python" ]; then
  command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.11 or newer, with venv" >&2; exit 1; }
  echo "installing ${packages[*]} (from PyPI) into $dir/venv" >&2
  rm -rf "$dir/venv"
  python3 -m venv "$dir/venv"
  "$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: "${packages[@]}"
  echo "${packages[*]}" >"$dir/.installed"
fi

crate=$(cargo metadata --locked --format-version 1 | "$python" -c '
import json, os, sys
[crate] = [p for p in json.load(sys.stdin)["packages"] if p["name"] == "libduckdb-sys"]
print(os.path.dirname(crate["manifest_path"]))')
header=$dir/$(basename "$crate")/duckdb.h
if [ ! -f "$header" ]; then
  echo "taking duckdb.h out of the crate $(basename "$crate") (from crates.io)" >&2
  mkdir -p "$(dirname "$header")"
  tar -xzOf "$crate/duckdb.tar.gz" duckdb/src/include/duckdb.h >"$header.new.$$"
  mv "$header.new.$$" "$header"
fi

packages_dir=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
echo "export ARMILLARIA_CLANG_FORMAT='$dir/venv/bin/clang-format'"
echo "export ARMILLARIA_ARROW_DIR='$packages_dir/pyarrow'"
echo "export ARMILLARIA_JSON_INCLUDE_DIR='$packages_dir/nlohmann_json/include'"
echo "export ARMILLARIA_DUCKDB_INCLUDE_DIR='$(dirname "$header")'"
