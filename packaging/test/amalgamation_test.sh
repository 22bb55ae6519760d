#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The amalgamation as a user compiles it: gcc and clang, strict and lax, C and C++ beside it; that it answers,
# and that all search kernels are in it.
set -euo pipefail
amalgamation=$PWD/$1 smoke=$PWD/$2
cd "$TEST_TMPDIR"
cp "$amalgamation/rangemap.c" "$amalgamation/rangemap.h" .
{ echo "#define SMOKE_AMALGAMATED"; cat "$smoke"; } >smoke.c

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# silent COMMAND...: must succeed and say nothing.
silent() {
    "$@" >out 2>&1 || { cat out >&2; fail "$*"; }
    [[ ! -s out ]] || { cat out >&2; fail "$*: warnings"; }
}

declare -A cxx=([gcc]=g++ [clang]=clang++)
for cc in gcc clang; do
    # As README says, in the compiler's default dialect; then in the strict one.
    silent $cc -O2 -Wall -Wextra -Wpedantic rangemap.c smoke.c -lck -o plain
    silent $cc -std=c11 -O2 -Wall -Wextra -Wpedantic -c rangemap.c -o rangemap.o
    silent $cc -O0 -c rangemap.c -o unoptimised.o
    silent $cc -std=c11 -Wall -Wextra -Wpedantic -c smoke.c -o smoke.o
    silent $cc rangemap.o smoke.o -lck -o strict
    silent $cc unoptimised.o smoke.o -lck -o unoptimised
    silent $cc -shared -fPIC -O0 rangemap.c -lck -o "librangemap-$cc.so"
    cp smoke.c smoke.cc
    for standard in c++98 c++20; do
        silent "${cxx[$cc]}" -std=$standard -Wall -Wextra -c smoke.cc -o smoke_cc.o
        silent "${cxx[$cc]}" rangemap.o smoke_cc.o -lck -o $standard
    done
    for program in plain strict unoptimised c++98 c++20; do
        silent "./$program"
    done
    # What is private stays so.
    nm -D --defined-only "librangemap-$cc.so" | awk '{ print $3 }' | grep -v '^rangemap_' >private || true
    [[ ! -s private ]] || { cat private >&2; fail "symbols that are not public are exported"; }
    if $cc -x c++ -c rangemap.c -o as_cplusplus.o 2>out || ! grep -q 'compile it as C' out; then
        fail "rangemap.c compiled as C++ does not say what to do"
    fi
done
echo PASSED
