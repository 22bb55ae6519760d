#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What cannot work is refused by the compiler, in words. Each command is also run without what is wrong about it, so
# that it cannot fail for another reason.
set -euo pipefail
root=$PWD
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

accepts() {
    "$@" >out 2>&1 || { cat out >&2; fail "$*"; }
}

# refuses MESSAGE COMMAND...: fails, and the message is in the first error.
refuses() {
    if "${@:2}" >out 2>&1; then fail "${*:2}: succeeded"; fi
    [[ $(grep -m 1 'error:' out) == *"$1"* ]] || { head -20 out >&2; fail "${*:2}: first of all '$1'"; }
}

check=(-fsyntax-only -I"$root" -x c)
rangemap=("${check[@]}" "$root/rangemap/rangemap.h")
pagemap=("${check[@]}" "$root/pagemap/pagemap.h")
# Where there is no 32-bit libc, <stdint.h> fails before our message in what includes it first.
pagemap_types=("${check[@]}" "$root/pagemap/types.h")
source=("${check[@]}" "$root/rangemap/map/lookup.c")
one_file=("${check[@]}" "$root/packaging/amalgamation/rangemap.c")

for cc in gcc clang; do
    for what in "${rangemap[*]}" "${pagemap[*]}" "${source[*]}" "${one_file[*]}"; do
        read -ra command <<<"$what"
        accepts $cc "${command[@]}"
        refuses 'gcc or clang' $cc -U__GNUC__ "${command[@]}"
        refuses 'is for Linux' $cc -U__linux__ "${command[@]}"
    done
    refuses '64-bit targets only' $cc -m32 "${rangemap[@]}"
    refuses '64-bit targets only' $cc -mx32 "${rangemap[@]}"
    refuses '64-bit targets only' $cc -m32 "${one_file[@]}"
    refuses '64-bit little-endian' $cc -m32 "${pagemap_types[@]}"
    refuses 'C11' $cc -std=c99 "${source[@]}"
    refuses 'C11' $cc -std=c99 "${one_file[@]}"
done

refuses 'is for Linux' clang --target=x86_64-unknown-freebsd -ffreestanding "${rangemap[@]}"

for target in i686 armv7 mipsel riscv32; do
    refuses '64-bit targets only' clang --target=$target-linux-gnu "${rangemap[@]}"
done
for target in aarch64_be s390x powerpc64 mips64; do
    refuses 'little-endian targets only' clang --target=$target-linux-gnu "${rangemap[@]}"
    refuses '64-bit little-endian' clang --target=$target-linux-gnu "${pagemap_types[@]}"
done

# Concurrency Kit: this one, none, an older one, and one for another processor.
ck=("${check[@]}" "$root/rangemap/base/ck.h")
multiarch=$(gcc -print-multiarch)
# with_include FOLDER COMPILER: sees the system's headers, but those that are directly in /usr/include come from FOLDER.
with_include() {
    printf '%s\n' "$2" -nostdinc -isystem "$("$2" -print-file-name=include)" -isystem "$1" -isystem "/usr/include/$multiarch"
}
mkdir present
ln -s /usr/include/* present/
cp -r present missing && rm missing/ck_* && cp -r present old && rm old/ck_ec.h
for cc in gcc clang; do
    mapfile -t present < <(with_include present $cc)
    mapfile -t missing < <(with_include missing $cc)
    mapfile -t old < <(with_include old $cc)
    for what in "${ck[*]}" "${source[*]}" "${one_file[*]}"; do
        read -ra command <<<"$what"
        accepts "${present[@]}" "${command[@]}"
        refuses 'ck_epoch.h is not found' "${missing[@]}" "${command[@]}"
        refuses '0.7.0 or later' "${old[@]}" "${command[@]}"
    done
    accepts "${missing[@]}" "${rangemap[@]}" # which does not need it
done
if [[ $multiarch == x86_64-* ]]; then
    # Freestanding, since there may be no libc of the other processor: of it, only this is asked for.
    mkdir freestanding
    echo 'typedef struct file FILE;' >freestanding/stdio.h
    freestanding=(clang -ffreestanding -isystem freestanding)
    accepts "${freestanding[@]}" --target=x86_64-linux-gnu "${ck[@]}"
    refuses 'configured for another' "${freestanding[@]}" --target=aarch64-linux-gnu "${ck[@]}"
fi
echo PASSED
