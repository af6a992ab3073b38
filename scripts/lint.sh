#!/usr/bin/env bash
# Formatting and lints, with and without SQL; every warning is an error.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
scripts/lint-cpp.sh
cargo clippy --locked --workspace --all-targets -- -D warnings
cargo clippy --locked --workspace --lib --features armillaria-ffi/testing -- -D warnings
cargo clippy --locked -p armillaria --no-default-features --all-targets -- -D warnings
