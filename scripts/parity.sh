#!/usr/bin/env bash
# Turns the conformance reports of all SDKs (target/conformance, written by their tests) into docs/PARITY.md, and fails on
# a gap that nothing explains.
# Usage: scripts/parity.sh [--check: compares with the committed page instead of writing it]
set -euo pipefail
cd "$(dirname "$0")/.."
# The features of the whole workspace, so that nothing below is compiled twice.
cargo build --quiet --locked --workspace --bin armillaria-parity
export ARMILLARIA_CONFORMANCE_DIR=$PWD/conformance-tests
exec "${CARGO_TARGET_DIR:-target}/debug/armillaria-parity" "$@"
