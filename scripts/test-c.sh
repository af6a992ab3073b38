#!/usr/bin/env bash
# The gates of the C ABI: the committed header is what the sources say, the library exports what the header declares, the
# layout of structs has not moved, and the C tests pass under the sanitizers of gcc.
#   ARMILLARIA_C_ROUNDS          rounds of open, write, query, error and close (2000)
#   ARMILLARIA_C_THREAD_ROUNDS   rounds of the eight threads (10)
#   ARMILLARIA_C_CANCEL_MS       how soon cancelled work must end (1000)
set -euo pipefail
cd "$(dirname "$0")/.."
tests=$PWD/ffi/tests/c
out=$PWD/target/c
library=$PWD/target/debug/lib
testing=$PWD/target/testing/lib
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$out"
rounds=${ARMILLARIA_C_ROUNDS:-2000}
common=(-D_POSIX_C_SOURCE=200809L -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Wpedantic -Werror -Iinclude)

step() { echo "-- $1"; }

sanitizes() { # kind: whether the compiler can
  echo 'int main(void) { return 0; }' >"$scratch/probe.c"
  "${CC:-cc}" "-fsanitize=$1" "$scratch/probe.c" -o "$scratch/probe" 2>/dev/null && "$scratch/probe"
}

compile() { # test, library, output, flags...
  local test=$1 from=$2 to=$3
  shift 3
  "${CC:-cc}" -std=c11 "${common[@]}" "$@" "$tests/$test.c" -L"$from" -larmillaria -lpthread -Wl,-rpath,"$from" -o "$out/$to"
}

step "the header is what the sources say"
cargo test --quiet --locked --workspace --bin armillaria-header committed

step "build the library, as it is and with the functions for tests"
scripts/build-ffi.sh --testing
scripts/build-ffi.sh --debug

step "symbols of the library, functions of the header and ffi/symbols.txt are the same"
header_functions() { grep -oE '\barmillaria_[a-z_]+\(' include/armillaria.h | tr -d '(' | grep -vx armillaria_string | sort -u; }
case $(uname -s) in
  Darwin) nm -gU "$library/libarmillaria.dylib" | awk '{ sub(/^_/, "", $3); print $3 }' | sort -u >"$scratch/symbols" ;;
  *) nm -D --defined-only "$library/libarmillaria.so" | awk '{ print $3 }' | sort -u >"$scratch/symbols" ;;
esac
diff <(header_functions) "$scratch/symbols" || { echo "the library and the header differ" >&2; exit 1; }
diff <(grep -v '^#' ffi/symbols.txt) "$scratch/symbols" || { echo "the library and ffi/symbols.txt differ: see there" >&2; exit 1; }
if grep -q armillaria_testing include/armillaria.h "$scratch/symbols"; then
  echo "functions for tests are in the library that is shipped" >&2
  exit 1
fi

step "layout of every struct, in C11 and C++17"
diff <(awk -f "$tests/fields.awk" include/armillaria.h | sort) \
  <(awk -F'[(), ]+' '/^FIELD/ { print $2, $3 }' "$tests/layout.h" | sort) || { echo "layout.h does not know all fields" >&2; exit 1; }
compile layout "$library" layout
"${CXX:-c++}" -std=c++17 "${common[@]}" "$tests/layout.cpp" -L"$library" -larmillaria -Wl,-rpath,"$library" -o "$out/layout-cpp"
"$out/layout" && "$out/layout-cpp"

finds_leaks() { # whether a leak fails the program: not on every system, nor under a debugger
  printf '#include <stdlib.h>\nint main(void) { void *volatile lost = malloc(8); lost = NULL; return lost != NULL; }' \
    >"$scratch/leak.c"
  "${CC:-cc}" -fsanitize=address "$scratch/leak.c" -o "$scratch/leak" && ! "$scratch/leak" 2>/dev/null
}

address=()
if sanitizes address; then
  address=(-fsanitize=address)
  finds_leaks || echo "LeakSanitizer does not work here: leaks show only in the memory of the process"
else
  echo "this compiler has no AddressSanitizer: the tests run without it"
fi
for test in operations misuse threads cancel rounds; do compile "$test" "$library" "$test" "${address[@]}"; done
compile border "$testing" border "${address[@]}"
# The rounds look for leaks; what costs most and finds other things, as the tests before them do, is left out.
quick=malloc_context_size=1:quarantine_size_mb=1:max_malloc_fill_size=0:replace_intrin=0

step "every operation"
mkdir "$scratch/operations" && "$out/operations" "$scratch/operations"
step "misuse"
"$out/misuse"
step "what crosses the border"
mkdir "$scratch/border" && RUST_BACKTRACE=0 "$out/border" "$scratch/border/repository" 2>"$scratch/panics" || { cat "$scratch/panics"; exit 1; }
step "cancelling"
"$out/cancel"
step "eight threads"
"$out/threads"
if sanitizes thread; then
  step "eight threads under ThreadSanitizer"
  compile threads "$library" threads-tsan -fsanitize=thread
  # The library is not instrumented: its locks are invisible, so what it does by itself must not be judged.
  TSAN_OPTIONS=ignore_noninstrumented_modules=1:exitcode=66 "$out/threads-tsan"
fi
step "$rounds rounds in two processes"
half() { ASAN_OPTIONS=$quick ARMILLARIA_C_ROUNDS=$((rounds / 2)) "$out/rounds"; }
half & first=$!
half
wait "$first"
echo "the C ABI holds"
