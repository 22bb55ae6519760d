#!/usr/bin/env bash
# Usage: compare_static_test.sh COMPARE_STATIC
# The static build needs no library and measures.
set -euo pipefail
program=$PWD/$1
cd "$TEST_TMPDIR"

fail() {
    printf 'FAILED: %s\n' "$*"
    exit 1
}

[[ $(readelf --program-headers "$program") != *INTERP* ]] || fail "it has a dynamic loader"
env -i "$program" --quick --shapes mixed --sizes 64 --benchmark_filter='lookup_alone/random/hit|erase_insert|memory' \
    --json out.json >out || { cat out; fail "it does not run"; }
grep -q 'left out.*ConcurrentSkipListMap: skip_list.jar is not beside' out || fail "no word about Java"
grep -q '"map": "maple"' out.json || fail "no maple tree"
