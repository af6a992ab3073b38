#!/usr/bin/env bash
# Formatting, lints, tests under the race detector, leaks, the conformance suite and the example of the Go SDK.
# Usage: scripts/test-go.sh [--no-build]   --no-build takes the libraries that target/ has
#   ARMILLARIA_GO_LEAK_ROUNDS    rounds of open, write, query, error and close (300)
#   ARMILLARIA_GO_THREAD_ROUNDS  rounds of the eight goroutines (6)
#   ARMILLARIA_GO_CGOCHECK       if set, the tests also run with Go's strictest check of pointers in C memory
set -euo pipefail
cd "$(dirname "$0")/.."
staticcheck_version=v0.8.1
root=$PWD
modules=(sdks/go examples/go)
export GOFLAGS=-mod=readonly GOTOOLCHAIN=local

command -v go >/dev/null || { echo "go is missing: install Go 1.25 or newer" >&2; exit 1; }

use() { # --debug or --testing: the library to build and run against
  eval "$(scripts/build-ffi.sh "$1" --print-env)"
  export CGO_CFLAGS="-g -O2 -I$ARMILLARIA_INCLUDE_DIR" CGO_LDFLAGS="-L$ARMILLARIA_LIB_DIR"
}

install_staticcheck() {
  local binary=$root/.deps/go-bin/staticcheck
  if [ -x "$binary" ] && "$binary" -version | grep -qF "${staticcheck_version#v}"; then return; fi
  echo "installing staticcheck $staticcheck_version into .deps/go-bin"
  (cd / && GOFLAGS='' GOBIN=$root/.deps/go-bin go install "honnef.co/go/tools/cmd/staticcheck@$staticcheck_version")
}

formatted() {
  local wrong
  wrong=$(gofmt -l "${modules[@]}")
  [ -z "$wrong" ] || { echo "not formatted by gofmt:" "$wrong" >&2; return 1; }
}

in_modules() { # command...
  local module
  for module in "${modules[@]}"; do (cd "$module" && "$@"); done
}

if [ "${1:-}" != --no-build ]; then
  scripts/build-ffi.sh --debug
  scripts/build-ffi.sh --testing
fi
formatted
install_staticcheck
use --testing
in_modules go vet -tags armillaria_testing ./...
in_modules "$root/.deps/go-bin/staticcheck" -tags armillaria_testing ./...
# -count=1: Go does not see that the library has changed.
(cd sdks/go && go test -race -count=1 -timeout 60m -tags armillaria_testing ./...)
(cd sdks/go && go test -count=1 -timeout 60m -tags armillaria_testing -v -run 'TestRoundsLeaveNothingBehind|Copied|LetsGo' .)
if [ -n "${ARMILLARIA_GO_CGOCHECK:-}" ]; then
  (cd sdks/go && GOEXPERIMENT=cgocheck2 go test -count=1 -timeout 60m -tags armillaria_testing ./...)
fi
use --debug
(cd examples/go && go test -race -count=1 ./...)
(cd sdks/go && go run ./conformance)
