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

cargo build --release --locked -p armillaria-benches
exec "${CARGO_TARGET_DIR:-target}/release/armillaria-benches" \
  --doltlite-python "$python" --b3sum "$tools/bin/b3sum" --output docs/BENCHMARKS.md "$@"
