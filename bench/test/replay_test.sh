#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs replay on all its sets, on a user's file with malformed lines, and with wrong arguments.
set -eu
program=$PWD/$1
# shellcheck source=bench/test/expect.sh
. bench/test/expect.sh
cd "$TEST_TMPDIR"

# All sets; the trace that the project ships is found from anywhere.
expect 0 --quick --json all.json
python3 -m json.tool all.json >/dev/null || fail "all.json is no JSON"
for set in iomem maps elf mmap mmap_java mmap_node synthetic-16; do
    grep -q "^set $set " out || fail "no set $set"
done
for set in mmap mmap_java mmap_node; do
    grep -q "^set $set .*: [1-9][0-9]* ranges" out || fail "the shipped trace $set was not replayed"
done
grep -q ' 0 wrong; ' out || fail "no count of answers"
grep -q '"row": "replay"' all.json || fail "the trace was not timed"
for target in 'lookups alone, 1 thread, against std::map' 'updates, 1 thread, against absl::btree_map' 'one lookup section'; do
    grep -q "$target" out || fail "no target '$target'"
done
expect 0 --quick --sets synthetic --list
grep -q '^synthetic-16/erase_insert/threads:1/std_map$' out || fail "--list lacks a row"

# A file of the user's replaces the sets; malformed lines are reported by number and skipped.
printf '1,5,first\nbroken\n10,20,second\n\n# comment\n30,25,reversed\n0x40,0xffffffffffffffff,hex\n7,7\n' >user.csv
expect 0 --quick --json user.json user.csv
for line in 2 6 8; do
    grep -q "user.csv:$line: " err || fail "line $line was not reported"
done
grep -q '^set file (user.csv): 3 ranges' out || fail "the file was not loaded"
grep -q '3 malformed lines skipped' out || fail "malformed lines were not counted"
grep -q '^set mmap' out && fail "the file did not replace the other sets"
python3 - <<EOF || fail "user.json lacks something"
import json
result = json.load(open("user.json"))
(file,) = result["sets"]
assert file["ranges"] == 3 and file["malformed_lines"] == 3 and file["wrong_answers"] == 0
assert file["answers_checked"] > 100 and result["machine"]["compiler"]
cells = result["results"]
assert {cell["map"] for cell in cells} == {"rangemap", "std_map", "btree_map"}
rows = {cell["row"] for cell in cells}
for row in ("build_ordered", "build_random", "lookup_alone/random/hit/threads:1", "lookup_batch16/random/hit/threads:1",
            "mix_10/threads:1", "mix_10_batch16/threads:1", "latency_mix_0/threads:1"):
    assert row in rows, (row, rows)
for values in (cell["values"] for cell in cells):
    assert all(spread["median"] > 0 for what, spread in values.items() if what.startswith("operations")), values
    if "p50_ns" in values:
        p = [values[what]["median"] for what in ("p50_ns", "p99_ns", "p99.9_ns", "worst_ns")]
        assert p == sorted(p), p
EOF

# A file without a single range, and a directory: said in words.
echo nonsense >bad.csv
expect 2 bad.csv
grep -q 'bad.csv: holds no range' err || fail "no word about a file without ranges"
expect 2 "$TEST_TMPDIR"
expect 2 /nonexistent/file
grep -q 'No such file' err || fail "no word about a missing file"
expect 2 --sets mmap --trace /nonexistent/file
expect 2 --quick --json /nonexistent/folder/file user.csv

# Wrong arguments.
expect 0 --help
grep -q -- '--seconds-per-cell' out || fail "--help is no help"
for arguments in "--threads 0" "--threads 1,," "--threads x" "--sets nonsense" "--updates 100" "--sizes 0" \
    "--seconds-per-cell 0" "--seconds-per-cell 1s" "--repetitions 0" "--nonsense" "--benchmark_nonsense=1" "one two" "--json"; do
    # shellcheck disable=SC2086 # several arguments
    expect 2 $arguments
    grep -q '^replay: ' err || grep -q 'option' err || fail "$arguments: no message"
done
echo PASSED
