#!/usr/bin/env bash
# Usage: page_size_test.sh PROGRAM...: test programs for arm64, under qemu with pages of each size that Linux has there.
set -euo pipefail

qemu=(/usr/bin/qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib)
for bytes in 4096 16384 65536; do
    for program; do
        printf '== %s, pages of %d\n' "$program" "$bytes"
        WANTED_PAGE_BYTES=$bytes "${qemu[@]}" -p "$bytes" "$program"
    done
done
