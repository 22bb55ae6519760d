#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The amalgamations as a user compiles them: gcc and clang, strict and lax, C and C++ beside them, glibc and musl; that
# they answer, that nothing private is exported, and that all search kernels are in them.
# Usage: amalgamation_test.sh FOLDER FOLDER-OF-SMOKE-TESTS FOLDER-OF-VERSION-SCRIPTS
set -euo pipefail
amalgamation=$PWD/$1 smoke=$PWD/$2 scripts=$PWD/$3
cd "$TEST_TMPDIR"
cp "$amalgamation"/{rangemap,pagemap}.[ch] .
for library in rangemap pagemap; do
    { echo "#define SMOKE_AMALGAMATED"; cat "$smoke/${library}_smoke.c"; } >${library}_smoke.c
    cp ${library}_smoke.c ${library}_smoke.cc
done

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# silent COMMAND...: must succeed and say nothing.
silent() {
    "$@" >out 2>&1 || { cat out >&2; fail "$*"; }
    [[ ! -s out ]] || { cat out >&2; fail "$*: warnings"; }
}

# exports_public SHARED-LIBRARY NAME: and nothing else.
exports_public() {
    nm -D --defined-only "$1" | awk '$2 != "A" && $2 != "a" { print $3 }' | sort -u >exported
    sed -n 's/^        \([A-Za-z_].*\);$/\1/p' "$scripts/lib$2.map" | sort >public
    diff public exported >&2 || fail "$1 exports other than $2.h declares"
}

declare -A cxx=([gcc]=g++ [clang]=clang++)
for cc in gcc clang; do
    # As README says, in the compiler's default dialect; then in the strict one, not optimised, for programs and shared objects.
    silent $cc -O2 -Wall -Wextra -Wpedantic rangemap.c rangemap_smoke.c -lck -o plain
    silent $cc -std=c11 -O0 -fPIC -Wall -Wextra -Wpedantic -c rangemap.c -o rangemap.o
    silent $cc -std=c11 -Wall -Wextra -Wpedantic -c rangemap_smoke.c -o smoke.o
    silent $cc rangemap.o smoke.o -lck -o strict
    silent $cc -shared rangemap.o -lck -o rangemap.so
    for standard in c++98 c++20; do
        silent "${cxx[$cc]}" -std=$standard -Wall -Wextra -c rangemap_smoke.cc -o smoke_cc.o
        silent "${cxx[$cc]}" rangemap.o smoke_cc.o -lck -o $standard
    done

    silent $cc -std=c11 -O1 -fPIC -Wall -Wextra -Wpedantic -c pagemap.c -o pagemap.o
    ! nm pagemap.o | grep pm_fault >&2 || fail "pagemap.c has what tests make it fail with"
    silent $cc -Wall -Wextra pagemap_smoke.c pagemap.o rangemap.o -lck -o pages
    silent "${cxx[$cc]}" -Wall -Wextra pagemap_smoke.cc pagemap.o rangemap.o -lck -o pages_cc
    silent $cc -shared pagemap.o ./rangemap.so -o pagemap.so
    for program in plain strict c++98 c++20 pages pages_cc; do
        silent "./$program"
    done
    for library in rangemap pagemap; do
        exports_public ./$library.so $library
        if $cc -x c++ -c $library.c -o as_cplusplus.o 2>out || ! grep -q 'compile it as C' out; then
            fail "$library.c compiled as C++ does not say what to do"
        fi
    done
done

# musl has no headers of the kernel: rangemap does without, pagemap takes them. Concurrency Kit's serve any C library.
mkdir ck kernel
ln -s /usr/include/ck_*.h /usr/include/gcc ck/
ln -s /usr/include/{linux,asm-generic} "/usr/include/$(gcc -print-multiarch)/asm" kernel/
ck=$(gcc -print-file-name=libck.a)
silent musl-gcc -std=c11 -O2 -Wall -Wextra -isystem ck -c rangemap.c -o musl.o
for static in '' -static; do
    silent musl-gcc $static -std=c11 -O2 -Wall -Wextra -isystem ck musl.o rangemap_smoke.c "$ck" -o musl
    silent ./musl
done
silent musl-gcc -O1 -isystem ck -isystem kernel -Wall -Wextra musl.o pagemap.c pagemap_smoke.c "$ck" -o musl_pages
silent ./musl_pages
echo PASSED
