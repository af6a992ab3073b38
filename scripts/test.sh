#!/usr/bin/env bash
# Everything that must hold before a change is merged: lints, tests, the C ABI, the build without DuckDB, documentation.
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
    /^C\+\+ [a-z_]+: [0-9]+ passed, [0-9]+ failed/ { passed += $3; failed += $5; ignored += $7 }
    END { printf "%d passed, %d failed, %d ignored, %d s\n", passed, failed, ignored, '"$SECONDS"' }' "$log"
}

no_duckdb() { # without its default feature the crate depends on DuckDB nowhere; the lints have compiled it so
  ! cargo tree --locked -p armillaria --no-default-features -e normal,build,dev | grep -i duckdb
}

step "lint" scripts/lint.sh
# Properties look at the same cases in every run; `make soak` looks at new ones.
export PROPTEST_RNG_SEED=20261122
step "tests" cargo test --locked --workspace --no-fail-fast
step "C ABI" scripts/test-c.sh
step "C++" scripts/test-cpp.sh
step "Go" scripts/test-go.sh
step "parity" scripts/parity.sh --check
step "nothing links DuckDB without SQL" no_duckdb
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --lib --no-deps
totals
