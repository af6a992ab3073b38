#!/usr/bin/env bash
# Measures everything and writes docs/BENCHMARKS.md. Arguments go to the benchmark: --quick checks its code at a
# twentieth of the size, --only a,c runs some figures; neither touches the report.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.deps/bench
doltlite=0.51.3
b3sum=1.8.7

python=$tools/venv/bin/python
if ! "$python" -c "import importlib.metadata as m; assert m.version('doltlite') == '$doltlite'" 2>/dev/null; then
  command -v python3 >/dev/null || { echo "python3 is missing: install Python 3.9 or newer" >&2; exit 1; }
  echo "installing doltlite $doltlite (from PyPI) into .deps/bench/venv"
  python3 -m venv "$tools/venv"
  "$python" -m pip install --quiet --disable-pip-version-check "doltlite==$doltlite"
fi
if [ "$("$tools/bin/b3sum" --version 2>/dev/null || true)" != "b3sum $b3sum" ]; then
  echo "installing b3sum $b3sum (from crates.io) into .deps/bench"
  cargo install --quiet --locked --force --root "$tools" --target-dir "$tools/target" b3sum@$b3sum
  rm -rf "$tools/target"
fi

# The library with the functions for tests: one of them only moves rows in and out.
cargo build --release --locked --workspace --lib --bins --features armillaria-ffi/testing
built=${CARGO_TARGET_DIR:-target}/release
case $(uname -s) in Darwin) suffix=dylib name=libarmillaria.0.dylib ;; *) suffix=so name=libarmillaria.so.0 ;; esac
border=$PWD/target/bench/border
mkdir -p "$border"
cp "$built/libarmillaria_ffi.$suffix" "$border/$name"
ln -sf "$name" "$border/libarmillaria.$suffix"
ln -sf "$(cd "${DUCKDB_LIB_DIR:-.deps/duckdb}" && pwd)/libduckdb.$suffix" "$border/libduckdb.$suffix"
link=(-Iinclude -O2 "-L$border" -larmillaria "-Wl,-rpath,$border")
cc -std=c11 sdks/cpp/bench/border.c -o "$border/border-c" "${link[@]}"
c++ -std=c++17 sdks/cpp/bench/border.cpp -o "$border/border-cpp" "${link[@]}"
cp "$border/border-c" "$border/move-c"
if command -v go >/dev/null; then
  (cd sdks/go && CGO_CFLAGS="-I$OLDPWD/include" CGO_LDFLAGS="-L$border -Wl,-rpath,$border" go build -o "$border/border-go" ./bench/border)
else
  echo "go is missing: figure i will fail; install Go 1.25 or newer" >&2
fi
exec "$built/armillaria-benches" --border "$border" \
  --doltlite-python "$python" --b3sum "$tools/bin/b3sum" --output docs/BENCHMARKS.md "$@"
