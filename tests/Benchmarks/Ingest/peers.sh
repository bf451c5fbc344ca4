#!/usr/bin/env bash
# Unpacks the benchmark's peers from Debian's archive into a folder, without installing anything: Debian lets only one of rsyslog and syslog-ng be
# installed at a time, and neither is to run as this machine's own. The benchmark finds them in the same folder; what is missing there it reports as absent.
#   tests/Benchmarks/Ingest/peers.sh [folder, default $LEANPIPE_PEERS or /var/tmp/leanpipe-peers]
set -euo pipefail
folder=${1:-${LEANPIPE_PEERS:-/var/tmp/leanpipe-peers}}
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
mkdir -p "$folder"
cd "$packages"
apt-get download -qq rsyslog libestr0 libfastjson4 liblognorm5 \
    syslog-ng-core libivykis0 libnet1 libwrap0 libjson-c5 libglib2.0-0 \
    python3-pydantic python3-typing-extensions
for package in *.deb; do dpkg -x "$package" "$folder"; done
echo "$folder"
