#!/usr/bin/env bash
# Everything of the C++ SDK and the C and C++ examples: format, headers alone, tests, conformance, examples, packages,
# and the tests again under AddressSanitizer and ThreadSanitizer.
# Usage: scripts/test-cpp.sh [--soak: only the threads, for minutes]
set -euo pipefail
cd "$(dirname "$0")/.."

need() {
  command -v "$1" >/dev/null || { echo "$1 is missing: install $2" >&2; exit 1; }
}
need c++ "a C++17 compiler"
need cmake "CMake 3.16 or newer"
need pkg-config pkg-config

scripts/lint-cpp.sh
deps=$(scripts/cpp-deps.sh)
eval "$deps"
scripts/build-ffi.sh --debug
scripts/build-ffi.sh --testing
eval "$(scripts/build-ffi.sh --debug --print-env)"
unset LD_LIBRARY_PATH DYLD_LIBRARY_PATH # what is built below finds its libraries by itself
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

build() { # folder, compiler flags, target
  local folder=$1 flags=$2 target=$3
  cmake -S sdks/cpp -B "$folder" -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
    -DARMILLARIA_TESTS=ON -DARMILLARIA_TESTING_LIB_DIR="$PWD/target/testing/lib" \
    -DARMILLARIA_ARROW_DIR="$ARMILLARIA_ARROW_DIR" -DARMILLARIA_JSON_INCLUDE_DIR="$ARMILLARIA_JSON_INCLUDE_DIR" \
    -DARMILLARIA_DUCKDB_INCLUDE_DIR="$ARMILLARIA_DUCKDB_INCLUDE_DIR" >"$scratch/configure.log" || { cat "$scratch/configure.log"; exit 1; }
  cmake --build "$folder" --parallel 2 --target "$target" >"$scratch/build.log" || { cat "$scratch/build.log"; exit 1; }
}

run() { # name, command...
  echo "-- $1"
  shift
  "$@"
}

threads() { # rounds: data races in the C++ half; Rust and DuckDB are not instrumented, so what they do among themselves is left out
  local tsan=target/cpp/tsan test
  build "$tsan" "-fsanitize=thread -g1" sanitized_threads
  for test in sdk_test threads_test; do
    run "$test, ThreadSanitizer" env TSAN_OPTIONS="ignore_noninstrumented_modules=1 halt_on_error=1" \
      ARMILLARIA_THREAD_ROUNDS="$1" "$tsan/tests/$test"
  done
}

if [ "${1:-}" = --soak ]; then
  threads 1000
  exit
fi

echo "-- every header alone, in C++17 and C++20"
printf '%s\n' include/armillaria.hpp include/armillaria/*.hpp |
  xargs -P 2 -I{} c++ -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude -fsyntax-only -x c++ -include {} /dev/null
c++ -std=c++20 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -x c++ -include include/armillaria.hpp /dev/null

echo "-- armillaria.hpp knows every code of armillaria.h"
diff <(grep -oE '\bARMILLARIA_STATUS_[A-Z_]+ = [0-9]+' include/armillaria.h | sed -E 's/ARMILLARIA_STATUS_([A-Z_]+) = .*/\1/' | grep -v '^OK$' | sort) \
  <(grep -oE 'return "[A-Z_]+"' include/armillaria/error.hpp | cut -d'"' -f2 | grep -v '^UNKNOWN$' | sort)

echo "-- building tests, conformance runner and examples"
plain=target/cpp/plain
build "$plain" "" all
for test in sdk_test cancel_test misuse_test threads_test zero_copy_test arrow_test duckdb_test; do
  run "$test" "$plain/tests/$test"
done
run "conformance" "$plain/tests/conformance" conformance-tests sdks/cpp/conformance-skips.json
echo "-- conformance cases that must fail"
wrong=$(find sdks/cpp/tests/must-fail/cases -name '*.json' | wc -l)
if ARMILLARIA_CONFORMANCE_REPORT="$scratch/report.json" "$plain/tests/conformance" sdks/cpp/tests/must-fail \
  sdks/cpp/tests/must-fail/skips.json >"$scratch/failures.log"; then
  echo "FAILED: the runner is content with cases that are wrong" >&2
  exit 1
fi
grep -q " 0 passed, $((wrong + 1)) failed, 0 skipped" "$scratch/failures.log" || { cat "$scratch/failures.log"; exit 1; }
run "examples" scripts/test-examples-cpp.sh "$plain/tests"
run "packages" scripts/test-package-cpp.sh "$plain"
run "border" "$plain/tests/border_c" 20
run "border" "$plain/tests/border_cpp" 20
run "border" "$plain/tests/border_c_testing" move 100000 1000

echo "-- under AddressSanitizer and UndefinedBehaviorSanitizer"
asan=target/cpp/asan
build "$asan" "-fsanitize=address,undefined -fno-sanitize-recover=all -g1" sanitized
for test in sdk_test cancel_test misuse_test threads_test zero_copy_test; do
  run "$test, sanitized" env ARMILLARIA_THREAD_ROUNDS=3 "$asan/tests/$test"
done
run "examples, sanitized" scripts/test-examples-cpp.sh "$asan/tests"

threads 3
