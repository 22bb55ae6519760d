#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Every exported function has a manual page; man finds nothing wrong with any, and whatis can index all.
set -euo pipefail
packaging=$PWD/packaging
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

for name in rangemap pagemap; do
    mkdir $name
    tar -xf "$packaging/${name}_manual.tar" -C $name
    sed -n 's/^        \([a-z].*\);$/\1/p' "$packaging/lib$name.map" >exported
    (($(wc -l <exported) > 50)) || fail "too few functions are exported"
    while read -r function; do
        compgen -G "$name/man3/$function.3*" >/dev/null || fail "$function has no page"
    done <exported
    cd $name
    groff -ww -man -Tutf8 -z man3/* man7/* >../warnings 2>&1 || fail "groff"
    [[ ! -s ../warnings ]] || { cat ../warnings >&2; fail "warnings of groff"; }
    lexgrog man3/* man7/* >../index || { grep -v ': "' ../index >&2; fail "pages that whatis cannot index"; }
    cd ..
done

# Each function's page says all of it, in 80 columns.
for name in rangemap pagemap; do
    while read -r function; do
        page=$(compgen -G "$name/man3/$function.3*")
        ! grep -q '^\.so ' "$page" || continue
        grep -q '(' <(sed -n '/^\.SH SYNOPSIS/,/^\.fi/p' "$page") || continue # a variable
        for section in NAME SYNOPSIS DESCRIPTION 'RETURN VALUE' CONTEXT 'SEE ALSO'; do
            grep -q "^\.SH $section$" "$page" || fail "$function: no $section"
        done
    done < <(sed -n 's/^        \([a-z].*\);$/\1/p' "$packaging/lib$name.map")
done
(($(grep -l '^\.SH ERRORS' rangemap/man3/* | wc -l) > 40)) || fail "few pages have errors"
(($(grep -l '^\.SH EXAMPLES' rangemap/man3/* | wc -l) > 20)) || fail "few pages have examples"
export LC_ALL=C.UTF-8
groff -man -Tutf8 -rLL=80n -P-cbou {rangemap,pagemap}/man[37]/* >text
! grep -nE '^.{81}' text >&2 || fail "more than 80 columns"

man -l rangemap/man3/rangemap_store.3 >text
for words in 'rangemap_store - Makes \[start, last\] hold value' 'int rangemap_store(struct rangemap \*map' \
    'whatever was there' 'rangemap_displaced_fn(const struct rangemap_entry' 'rangemap_carve(3)'; do
    grep -q "$words" <<<"$(tr -s ' \n' ' ' <text)" || fail "rangemap_store(3) lacks: $words"
done
man -M "$PWD/rangemap" rangemap_find_held >text
grep -q 'rangemap_lookup_held' text || fail "a link leads nowhere"
echo PASSED
