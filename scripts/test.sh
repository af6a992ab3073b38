#!/usr/bin/env bash
# Everything that must hold before a change is merged: lints, tests, the build without DuckDB, documentation.
# Ends with one line of totals; any failure ends it at once.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() { # title, command...
  local title=$1 start=$SECONDS
  shift
  echo "== $title"
  "$@" 2>&1 | tee -a "$log" || { echo "FAILED: $title"; totals; exit 1; }
  echo "== $title: $((SECONDS - start)) s"
}

totals() {
  awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
    END { printf "%d passed, %d failed, %d ignored (those run in make soak), %d s\n", passed, failed, ignored, '"$SECONDS"' }' "$log"
}

no_duckdb() { # the crate without its default feature names DuckDB nowhere, and its test binaries load no such library
  ! cargo tree --locked -p armillaria --no-default-features -e normal,build,dev | grep -i duckdb
  cargo test --locked -p armillaria --no-default-features --no-run --message-format=json 2>/dev/null |
    sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' >"$log.executables"
  [ -s "$log.executables" ]
  while read -r executable; do
    if grep -c libduckdb "$executable" >/dev/null; then echo "links DuckDB: $executable"; rm "$log.executables"; return 1; fi
  done <"$log.executables"
  rm "$log.executables"
}

step "lint" scripts/lint.sh
step "tests" cargo test --locked --workspace --no-fail-fast
step "tests without SQL" cargo test --locked -p armillaria --no-default-features --lib
step "nothing links DuckDB without SQL" no_duckdb
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked -p armillaria --no-deps
totals
