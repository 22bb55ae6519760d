#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every C example of the documents compiles without a warning under gcc and clang, and runs; the manual's table of
# where calls may be used has each public function.
set -euo pipefail
root=$PWD
extract=$root/packaging/test/extract_examples.py
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# run_example COMPILER SOURCE
run_example() {
    "$1" -std=c11 -O1 -g -Wall -Wextra -Werror -I"$root" "$2" "$root/packaging/librangemap.a" -lck -pthread -o example &&
        timeout 60 ./example >output
}

# run_examples FOLDER DOCUMENT...: all of them, also behind one that fails. Sets `examples` to how many there are.
run_examples() {
    local source cc result=0
    mkdir "$1"
    python3 "$extract" "$@" || return 1
    examples=0
    for source in "$1"/*.c; do
        for cc in gcc clang; do
            run_example $cc "$source" || { echo "$source fails under $cc" >&2; result=1; }
        done
        examples=$((examples + 1))
    done
    return $result
}

# ---- that it would notice ----

# breaks NAME MARK LINE...: a document with one example, which must fail.
breaks() {
    printf '%s\n' "$2" '```c' "${@:3}" '```' >"$1.md"
    if run_examples "$1" "$1.md" >out 2>&1; then fail "nobody notices: $1"; fi
    grep -q "$1.md:[23]" out || { cat out >&2; fail "$1: the place is not named"; }
}

breaks no_mark '' 'int x;'
breaks no_such_mark '<!-- fragment: maps -->' 'int x;'
breaks does_not_compile '<!-- fragment: map -->' 'rangemap_no_such_function(map);'
breaks warns '<!-- fragment -->' 'int unused;'
breaks is_wrong '<!-- fragment: map -->' 'assert(rangemap_lookup(map, 1, NULL) == 0);'
printf '#include <stdio.h>\n' >empty.md
if run_examples empty empty.md 2>/dev/null; then fail "nobody notices a document without examples"; fi

# ---- the documents ----

cd "$root"
documents=(README.md docs/manual.md docs/porting-to-rangemap.md)
written=$(cat "${documents[@]}" | grep -c '^```c$')
cp --parents "${documents[@]}" "$TEST_TMPDIR"
cd "$TEST_TMPDIR"
run_examples all "${documents[@]}" || fail "examples of the documents"
((examples == written && examples >= 10)) || fail "$examples of $written examples have run"

# shellcheck disable=SC2016 # marks of the document
sed -n 's/^| \(`rangemap_[^|]*\)|.*/\1/p' docs/manual.md | grep -o 'rangemap_[a-z_]*()' | tr -d '()' | sort -u >in_table
sed -n 's/^        \([a-z].*\);$/\1/p' "$root/packaging/librangemap.map" | sort >exported
diff exported in_table >&2 || fail "docs/manual.md, section 13, has other functions than rangemap.h"
echo "PASSED: $examples examples"
