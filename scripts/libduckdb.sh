#!/usr/bin/env bash
# Puts libduckdb into DIR (default: .deps/duckdb), from DuckDB's own npm package, version and checksum pinned for each
# platform in libduckdb.sha256. Does nothing if it is there. Usage: scripts/libduckdb.sh [DIR]
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
dir=${1:-$here/../.deps/duckdb}

fail() {
  echo "libduckdb: $*" >&2
  exit 1
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d' ' -f1
}

case $(uname -s) in
  Linux) os=linux library=libduckdb.so ;;
  Darwin) os=darwin library=libduckdb.dylib ;;
  *) fail "no prebuilt library for $(uname -s); build with: cargo build --features armillaria/bundled" ;;
esac
case $(uname -m) in
  x86_64 | amd64) cpu=x64 ;;
  aarch64 | arm64) cpu=arm64 ;;
  *) fail "no prebuilt library for $(uname -m); build with: cargo build --features armillaria/bundled" ;;
esac

read -r pinned _ version < <(awk -v platform="$os-$cpu" '$2 == platform' "$here/libduckdb.sha256") ||
  fail "no version is pinned for $os-$cpu in libduckdb.sha256"
package=@duckdb/node-bindings-$os-$cpu@$version
stamp="$package $pinned"
[ "$(cat "$dir/.installed" 2>/dev/null || true)" = "$stamp" ] && [ -f "$dir/$library" ] && exit 0

command -v npm >/dev/null || fail "npm is needed to fetch $package: install Node.js"
echo "installing $library ($package, from npm) into $dir"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
(cd "$scratch" && npm pack --silent "$package" >npm.out 2>npm.err) || fail "npm pack $package failed: $(cat "$scratch/npm.err" "$scratch/npm.out")"
tar -xzf "$scratch"/*.tgz -C "$scratch" "package/$library" package/LICENSE

actual=$(sha256 "$scratch/package/$library")
[ "$actual" = "$pinned" ] || fail "checksum of $library differs: expected=$pinned actual=$actual"

# Renames are atomic, so a build that runs at the same time sees the old library or the new one.
mkdir -p "$dir"
for file in "$library" LICENSE; do
  cp "$scratch/package/$file" "$dir/.$file.$$"
  mv "$dir/.$file.$$" "$dir/$file"
done
echo "$stamp" >"$dir/.installed"
