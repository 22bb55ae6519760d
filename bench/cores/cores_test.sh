#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Small simulations: right answers, the same figures each time, and figures that make sense.
set -eu
program=$PWD/$1
report=$PWD/$2
# shellcheck source=bench/test/expect.sh
. bench/test/expect.sh
cd "$TEST_TMPDIR"

set -- --machine xeon,epyc --ranges 4096 --threads 1,8,64 --warm-up 20 --measured 50 --lines
expect 0 "$@" --json first.json
cat out
expect 0 "$@" --json second.json
cmp first.json second.json || fail "the same arguments gave other figures"
expect 0 "$@" --seed 2 --json third.json
! cmp -s first.json third.json || fail "another seed gave the same figures"

python3 - <<END || fail "first.json is not as expected"
import json
results = json.load(open("first.json"))["results"]
assert len(results) == 2 * 9 * 3, len(results)
rate = {(r["machine"], r["mix"], r["threads"]): r["operations_per_second"] for r in results}
for (machine, mix, threads), value in rate.items():
    assert 1e5 < value < 1e12, (machine, mix, threads, value)
for r in results:
    transfers = {name: line["transfers_per_operation"] for name, line in r["lines"].items()}
    if r["threads"] == 1:
        assert not any(transfers.values()), r
    elif r["mix"] == "mix_50":
        assert r["updates"] > 100, "too few to tell"
        assert transfers["slot"] > 0 and transfers["leaf"] > 0, r
for r in results:
    shares = [line["share_of_time"] for line in r["lines"].values()]
    assert all(0 <= share <= 1 for share in shares) and sum(shares) <= 1.001, r
    assert (r["updates"] == 0) == r["mix"].startswith("read_only"), r
END

# Readers do not disturb each other, once all have begun.
expect 0 --machine xeon --mix read_only --ranges 4096 --threads 1,16 --warm-up 200 --measured 50 --json readers.json
python3 - <<END || fail "readers.json is not as expected"
import json
one, many = (r["operations_per_second"] for r in json.load(open("readers.json"))["results"])
assert 14 < many / one < 18, many / one
END

expect 0 --threads 256 --mix mix_10 --ranges 1024 --warm-up 1 --measured 1
expect 0 --help
expect 0 --help --ranges 16
expect 2 --mix nonsense
expect 2 --threads 257
expect 2 --machine nonsense
expect 2 --nonsense
expect 2 --ranges 16 --threads 64 --mix mix_50 --warm-up 1 --measured 1
expect 2 more
expect 2 --mix read_only --threads 1 --ranges 16 --warm-up 1 --measured 1 --json /nonexistent/out.json

"$report" first.json page.html || fail "no page of first.json"
[ "$(grep -o '<svg' page.html | wc -l)" -eq 9 ] || fail "not one plot for each load"
