#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs regcache for a moment, and with wrong arguments.
set -eu
program=$PWD/$1
# shellcheck source=bench/test/expect.sh
. bench/test/expect.sh
cd "$TEST_TMPDIR"

# Few buffers and many invalidations: threads meet.
expect 0 --buffers 4,64 --invalidations 0,200 --threads 1,2,4 --seconds 0.01 --repetitions 3 --json out.json
cat out
python3 - <<END || fail "out.json is not as expected"
import json
rates = json.load(open("out.json"))["rates"]
assert len(rates) == 2 * 2 * 3 * 5, len(rates)
assert len({rate["cache"] for rate in rates}) == 5
for spread in (rate["pins_per_second"] for rate in rates):
    assert 0 <= spread["min"] <= spread["median"] <= spread["max"], spread
for name in {rate["cache"] for rate in rates}:
    assert sum(rate["pins_per_second"]["max"] for rate in rates if rate["cache"] == name) > 0, name
END
expect 0 --help
expect 2 --buffers none
expect 2 --nonsense
expect 2 more
expect 2 --buffers 1 --threads 1 --invalidations 0 --seconds 0.001 --json /nonexistent/out.json
