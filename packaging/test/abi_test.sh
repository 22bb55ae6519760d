#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The public ABI of LIBRARY is that of its baseline, by both compilers; and changes of every kind would be noticed.
# Usage: abi_test.sh LIBRARY ABI HEADER...
set -euo pipefail
library=$1 abi=$2 headers=("${@:3}")
root=$PWD

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

for COMPILER in gcc clang; do
    COMPILER=$COMPILER packaging/abi.sh check "$@" || fail "the ABI, by $COMPILER"
done

# notices NAME SED-SCRIPT HEADER: changed so, the header is refused with words of what to do.
notices() {
    local here=$TEST_TMPDIR/$1
    mkdir "$here"
    cp -rL --parents packaging/abi.sh packaging/abi_stub.py packaging/header.py packaging/abi "${headers[@]}" "$here"
    [[ $library == rangemap ]] || cp -rL --parents rangemap/rangemap.h "$here"
    chmod -R u+w "$here"
    cd "$here"
    sed -i "$2" "$3"
    if cmp -s "$3" "$root/$3"; then fail "$1: nothing is changed"; fi
    if packaging/abi.sh check "$library" "$abi" "${headers[@]}" >out 2>&1; then fail "nobody notices: $1"; fi
    grep -q 'CHANGELOG' out || { cat out >&2; fail "$1: no word of what to do"; }
    cd "$root"
}

if [[ $library == rangemap ]]; then
    header=rangemap/rangemap.h
    notices removed_function '/^RANGEMAP_API int rangemap_domain_poll/d' $header
    notices added_function 's/^RANGEMAP_API int rangemap_domain_poll/RANGEMAP_API int rangemap_more(void);\n&/' $header
    notices parameter 's/rangemap_reserve(struct rangemap \*map, unsigned/rangemap_reserve(struct rangemap *map, uint64_t/' $header
    notices result 's/^RANGEMAP_API RANGEMAP_MUST_CHECK int rangemap_lookup_held/RANGEMAP_API bool rangemap_lookup_held/' $header
    notices added_member 's/^    void \*context; *\/\* passed to all three.*/&\n    unsigned flags;/' $header
    notices swapped_members 's/^    uint64_t low, high; /    uint64_t high, low; /' $header
    notices array_length 's/\(RANGEMAP_CURSOR_ENTRIES\) 15/\1 16/' $header
    notices enumerator 's/RANGEMAP_DUMP_TEXT,/RANGEMAP_DUMP_TEXT = 7,/' $header
    notices callback 's/^typedef void rangemap_deferred_fn(/typedef int rangemap_deferred_fn(/' $header
else
    notices removed_function '/^void \*memremap_pages(/d' pagemap/memremap.h
    notices parameter 's/^void \*memremap_pages(struct dev_pagemap \*pgmap, int/&64_t/' pagemap/memremap.h
    notices variable 's/^extern .*;/extern int pagemap_another;\n&/' pagemap/memremap.h
fi
echo PASSED
