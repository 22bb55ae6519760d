#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every probe that rangemap/base/probe.h lists is noted in a program that links the library, and no other; gdb
# stops at each of them. Usage: probes_test.sh PROGRAM PROBE_H
set -eu
program=$1 header=$2

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

listed=$(sed -n 's/^ \*   \([a-z_]*\)  .*/\1/p' "$header" | sort -u)
[ "$(echo "$listed" | wc -l)" -ge 8 ] || fail "no list of probes in $header"
if ! [ -e /usr/include/sys/sdt.h ] && ! [ -e "/usr/include/$(uname -m)-linux-gnu/sys/sdt.h" ]; then
    echo "SKIPPED: sys/sdt.h is not installed, so there are no probes"
    exit 0
fi
noted=$(readelf -n "$program" | awk '/Provider: /{ours = $2 == "rangemap"} /Name: /{if (ours) print $2}' | sort -u)
[ "$noted" = "$listed" ] || fail "listed: $listed; noted: $noted"
plain=$(readelf -n "$program" | grep -A 2 'Provider: rangemap' | grep -c 'Semaphore: 0x0*$')
[ "$plain" -ge 8 ] || fail "no plain probes"
echo "$noted" | wc -l | sed 's/$/ probes are noted/'

if ! command -v gdb >/dev/null; then
    echo "SKIPPED: gdb is not installed, so nobody stops at the probes"
    exit 0
fi
commands=$TEST_TMPDIR/commands
{
    for probe in $noted; do
        echo "tbreak -probe-stap rangemap:$probe"
    done
    echo "run --seconds 3000 >/dev/null"
    echo "$noted" | sed '1d; s/.*/continue/'
    echo kill
} >"$commands"
# A temporary breakpoint is gone once it was hit, so each probe stops the program once.
timeout 600 gdb -nx -batch -iex 'set debuginfod enabled off' -x "$commands" "$program" >"$TEST_TMPDIR/out" 2>&1 ||
    fail "gdb: $(tail -n 3 "$TEST_TMPDIR/out")"
# "Temporary breakpoint 1 at" is one that is set, "Temporary breakpoint 1," or "1.2," one that was hit; the address
# after it is only there if the probe is not the first instruction of its line.
hits=$(grep -c 'Temporary breakpoint [0-9.]*, ' "$TEST_TMPDIR/out" || true)
[ "$hits" -eq "$(echo "$noted" | wc -l)" ] || fail "gdb stopped at $hits probes: $(cat "$TEST_TMPDIR/out")"
echo "gdb stopped at all of them"
