#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The HTML manual has a page for each document and header, every function of rangemap.h among them; and a link that leads
# nowhere would be noticed.
# Usage: html_test.sh HTML.tar
set -euo pipefail

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

tar -xf "$1" -C "$TEST_TMPDIR"
for page in index manual design proofs pagemap docs_results examples rangemap_h pagemap_memremap_h; do
    [[ -s $TEST_TMPDIR/rangemap/$page.html ]] || fail "no page $page"
done
grep -q 'quot;rangemap/rangemap.h&quot;' "$TEST_TMPDIR/rangemap/manual.html" || fail "manual.html lacks the examples"
functions=$(grep -oE '^RANGEMAP_API [^(]*\(' rangemap/rangemap.h | grep -oE 'rangemap_\w+')
for function in $functions; do
    grep -q "$function" "$TEST_TMPDIR/rangemap/rangemap_h.html" || fail "no word of $function"
done

# build TEXT: a manual of one document.
build() {
    printf '# Title\n\n%s\n\n## A heading\n' "$1" >README.md
    python3 docs/html/build.py 1 "$TEST_TMPDIR/one.tar" README.md docs/html/conf.py >"$TEST_TMPDIR/out" 2>&1
}
cd "$(mktemp -d "$TEST_TMPDIR/XXXX")"
mkdir docs packaging
cp -L "$OLDPWD"/docs/html/{build,conf}.py .
mkdir docs/html && mv build.py conf.py docs/html/
cp -L "$OLDPWD"/packaging/*.py packaging/
build '[fine](#a-heading)' || { cat "$TEST_TMPDIR/out" >&2; fail "a link to a heading"; }
if build '[wrong](#no-heading)'; then fail "nobody notices a link to a heading that is not there"; fi
grep -q 'index.*no-heading' "$TEST_TMPDIR/out" || { cat "$TEST_TMPDIR/out" >&2; fail "the place is not named"; }
if build '![wrong](no_picture.svg)'; then fail "nobody notices a picture that is not there"; fi
echo PASSED
