#!/usr/bin/env bash
# Runs the examples in C and C++, compares what they print with what is expected, and the README with its programs.
# Usage: scripts/test-examples-cpp.sh FOLDER_OF_PROGRAMS
set -euo pipefail
cd "$(dirname "$0")/.."
programs=$1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

prints() { # file of what is expected, program, arguments...
  local expected=$1
  shift
  "$@" >"$scratch/printed" || { cat "$scratch/printed"; echo "FAILED: $*" >&2; exit 1; }
  diff "$expected" "$scratch/printed" || { echo "FAILED: $* prints something else than $expected" >&2; exit 1; }
  echo "ok      $(basename "$1")"
}

quotes() { # language of the block, file
  awk -v fence="\`\`\`$1" '$0 == fence { inside = 1; next } inside && $0 == "```" { exit } inside' README.md |
    diff - "$2" || { echo "FAILED: the $1 block of README.md is not $2" >&2; exit 1; }
}

quotes c examples/c/readme.c
quotes cpp examples/cpp/readme.cpp
lines=$(wc -l <examples/c/readme.c)
[ "$lines" -lt 60 ] || { echo "FAILED: examples/c/readme.c has $lines lines" >&2; exit 1; }
prints <(echo "the branch has 3 rows more") "$programs/c_readme"
prints <(echo "main still has 3 users") "$programs/cpp_readme"
prints examples/c/alliances.expected "$programs/c_alliances" examples/data "$scratch/c"
prints examples/cpp/flights.expected "$programs/cpp_flights" examples/data "$scratch/cpp"
