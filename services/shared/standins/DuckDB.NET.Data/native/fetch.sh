#!/bin/sh
# fetch.sh ARCH FOLDER : puts DuckDB's native library for linux-ARCH into FOLDER as libduckdb.so.
#
# The order is the guarantee: unpack beside, verify the checksum, rename. So a file with the final name is always whole and the
# right one, and builds that run at the same time wait for one another instead of unpacking over each other.
set -eu
arch=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
package=@duckdb/node-bindings-linux-$arch
library=$folder/libduckdb.so

fail() {
  echo "DuckDB's native library: $1" >&2
  exit 1
}

expected=$(sed -n "s/^\([0-9a-f]\{64\}\)  linux-$arch\$/\1/p" "$here/SHA256SUMS")
[ -n "$expected" ] || fail "there is none for linux-$arch. Build on, or for, linux-x64 or linux-arm64."

verified() {
  [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$expected" ]
}

exec 9>"$folder/.lock"
flock 9

if ! verified "$library"; then
  command -v npm >/dev/null 2>&1 || fail "npm was not found. It comes as the npm package $package: install Node.js 18 or newer with npm (Debian: apt-get install nodejs npm) and build again."
  rm -rf "$folder/unpack"
  mkdir "$folder/unpack"
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$folder/unpack/"
  (cd "$folder/unpack" && npm ci --ignore-scripts --no-audit --no-fund --os=linux --cpu="$arch" --libc=glibc) >"$folder/npm.log" 2>&1 \
    || fail "npm could not install $package; its output follows. $(tr '\n' ' ' <"$folder/npm.log")"
  unpacked=$folder/unpack/node_modules/$package/libduckdb.so
  [ -f "$unpacked" ] || fail "npm finished, but $package brought no libduckdb.so. npm must be 10 or newer to install for another processor."
  verified "$unpacked" || fail "$package holds a libduckdb.so with another checksum than native/SHA256SUMS names for linux-$arch."
  mv -f "$unpacked" "$library"
  rm -rf "$folder/unpack"
fi

# The build compares this time with the lock file's.
touch "$library"
