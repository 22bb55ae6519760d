#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Runs replay on all its sets, on a user's file with malformed lines, and with wrong arguments.
set -eu
replay=$PWD/$1
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect STATUS ARGUMENT...: runs replay; output to the file out, messages to err.
expect() {
    wanted=$1
    shift
    status=0
    "$replay" "$@" >out 2>err || status=$?
    if [ "$status" -ne "$wanted" ]; then
        tail -n 20 out err >&2
        fail "replay $*: status $status instead of $wanted"
    fi
}

# All sets; the trace that the project ships is found from anywhere.
expect 0 --quick --json all.json
python3 -m json.tool all.json >/dev/null || fail "all.json is no JSON"
for set in iomem maps elf mmap synthetic-16; do
    grep -q "^set $set " out || fail "no set $set"
done
grep -q '^set mmap .*: [1-9][0-9]* ranges' out || fail "the shipped trace was not replayed"
grep -q ' 0 wrong; ' out || fail "no count of answers"

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
subjects = {cell["subject"] for cell in file["rates"]}
assert subjects == {"rangemap", "std::map", "absl::btree_map"}
assert {cell["mode"] for cell in file["rates"]} == {"alone", "batch"}
assert all(cell["operations_per_second"]["median"] > 0 for cell in file["rates"])
assert all(cell["p50_ns"] <= cell["p99_ns"] <= cell["p99.9_ns"] for cell in file["latencies"])
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
    "--seconds-per-cell 0" "--seconds-per-cell 1s" "--repetitions 0" "--nonsense" "one two" "--json"; do
    # shellcheck disable=SC2086 # several arguments
    expect 2 $arguments
    grep -q '^replay: ' err || grep -q 'option' err || fail "$arguments: no message"
done
echo PASSED
