#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Budgets of instructions, which callgrind counts: what else the machine does plays no part. Usage: instructions_test.sh PROGRAM
set -euo pipefail
program=$PWD/$1
cd "$TEST_TMPDIR"
command -v valgrind >/dev/null || { echo "FAILED: no valgrind" >&2; exit 1; }

# count WHAT [NUMBER]: instructions of measured(), with what it calls.
count() {
    local counted
    counted=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null '--toggle-collect=measured*' "$program" "$@" 2>&1 >out |
        sed -n 's/.*Collected : \([0-9]*\)$/\1/p')
    if [[ -z $counted ]] || ((counted < 100)); then
        echo "FAILED: $*: nothing was counted" >&2
        exit 1
    fi
    echo "$counted"
}

# within WHAT COUNT BUDGET
within() {
    echo "$1: $2 (at most $3)"
    (($2 <= $3)) || { echo "FAILED: $1" >&2; exit 1; }
}

pin=$(count pin 512)
unpin=$(count unpin 512)
echo "512 pages of one run: $((pin / 512)) + $((unpin / 512)) a page"
within 'pin and unpin 512 pages of one run' $((pin + unpin)) $((512 * 60))
pin=$(count pin 1)
unpin=$(count unpin 1)
echo "512 pages, each a run: $((pin / 512)) + $((unpin / 512)) a page"
within 'pin and unpin 512 runs of a page' $((pin + unpin)) $((512 * 1200))
within 'get and put 1,000 times' "$(count get)" 360000

few=$(count truncate 512)
many=$(count truncate 8192)
echo "truncating 512 and 8,192 runs: $((few / 512)) and $((many / 8192)) a run"
within 'truncate 8,192 runs; sixteen times the runs, not the square' "$many" $((few * 16 * 3 / 2))

few=$(count revoke 100)
many=$(count revoke 1000)
echo "revoking a page in 100 and 1,000 views: $((few / 100)) and $((many / 1000)) a view"
within 'revoke in 1,000 views' "$many" $((few * 10 * 3 / 2))
cat out
echo PASSED
