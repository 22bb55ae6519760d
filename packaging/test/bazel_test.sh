#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A workspace outside of this one, with the lines that README has for WORKSPACE and nothing else, builds its own programs
# with the library, by a Bazel of its own, whose server and outputs go with the test.
set -euo pipefail
# What a user has: the folder itself, not the links that Bazel makes for tests.
source=$(dirname -- "$(readlink -f -- "$1")")
consumer=$PWD/packaging/test
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

bazel_here() {
    # Its actions run in the sandbox of this test already.
    bazel --nohome_rc --local_startup_timeout_secs=1000 --output_user_root="$TEST_TMPDIR/bazel" "$1" --spawn_strategy=local --color=no --curses=no "${@:2}"
}

mkdir workspace && cd workspace
# The lines that are indented behind the mark, to the letter but for the path.
sed -n '/^<!-- WORKSPACE -->$/,/^[^ ]\+ .*[a-z]/{/^    /s/^    //p}' "$source/README.md" >recipe
sed "s|path = \"[^\"]*\"|path = \"$source\"|" recipe >WORKSPACE
grep -q "path = \"$source\"" WORKSPACE || fail "README has no recipe"
cp "$consumer/bazel_consumer/BUILD.in" BUILD
for library in rangemap pagemap; do
    cp "$consumer/consumer/${library}_smoke.c" ${library}_smoke.c
    cp ${library}_smoke.c ${library}_smoke.cc
done
cp "$consumer"/driver/*.c .
trap 'bazel --output_user_root="$TEST_TMPDIR/bazel" shutdown' EXIT
bazel_here build //... >out 2>&1 || { cat out >&2; fail "the consumer does not build"; }
for program in {rangemap,pagemap}_{c,cc}; do
    "bazel-bin/$program" || fail "$program"
done
bazel-bin/load || fail "a driver of the kernel"

# In checked mode, built in.
cat >rangemap_smoke.c <<'END'
#include "rangemap/rangemap.h"
int main(void)
{
    struct rangemap *map;

    if (rangemap_create(NULL, &map) == 0) {
        rangemap_read_end(map);
    }
    return 0;
}
END
bazel_here build --define=rangemap_checked=1 //:rangemap_c >out 2>&1 || { cat out >&2; fail "checked mode does not build"; }
{ bazel-bin/rangemap_c 2>out && fail "nobody stops a mistake"; } 2>/dev/null
grep -q '^rangemap: MISTAKE: rangemap_read_end() without a begin$' out || { cat out >&2; fail "no message"; }

# Without its dependencies: the missing repository is named.
sed -i '/^rangemap_dependencies()/d' WORKSPACE
if bazel_here build //:rangemap_c >out 2>&1; then fail "built without Concurrency Kit"; fi
grep -q "'@ck//" out || { cat out >&2; fail "no word of the missing repository"; }
echo PASSED
