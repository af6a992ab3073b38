#!/usr/bin/env bash
# The demonstration: real flights through everything. Works in a temporary folder and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh --example demo
exec target/release/examples/demo target/release/armillaria examples/data
