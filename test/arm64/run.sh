#!/usr/bin/env bash
# Usage: run.sh PROGRAM ARGUMENT...
#
# Runs a test of --config=arm64: programs under qemu, scripts as they are. The cross compiler's C library comes first: an
# arm64 one that the system may have, too, does not fit its loader.
set -euo pipefail

if [[ $(head -c4 -- "$1") != $'\x7fELF' ]]; then
    exec "$@"
fi
exec /usr/bin/qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib "$@"
