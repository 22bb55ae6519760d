#!/usr/bin/env bash
# Usage: failing_test.sh PROGRAM SOURCE
# Runs tests that are built to fail and expects what GoogleTest promises: exit status, places, XML, filter.
set -euo pipefail

program=$1 source=$2
unset XML_OUTPUT_FILE TEST_PREMATURE_EXIT_FILE TEST_SHARD_INDEX TEST_TOTAL_SHARDS TESTBRIDGE_TEST_ONLY
log=$TEST_TMPDIR/log xml=$TEST_TMPDIR/result.xml

die() {
    printf 'failing_test: %s\n' "$1"
    cat "$log"
    exit 1
}

expect() {
    grep -qF -- "$2" "$1" || die "missing in $1: $2"
}

status=0
"$program" --seed=7 --gtest_output="xml:$xml" >"$log" 2>&1 || status=$?
((status == 1)) || die "exit status $status instead of 1"

expected=$(grep -n '/\* fails \*/' "$source" | cut -d: -f1)
reported=$(grep -oP '^test/shim/failing\.c:\K[0-9]+(?=: Failure)' "$log")
[[ $reported == "$expected" ]] || die "failures at lines ${reported//$'\n'/ }, not ${expected//$'\n'/ }"

expect "$log" 'Not so: 2 + 2 == -5'
expect "$log" '  right: -5'
expect "$log" ' with a note'
expect "$log" 'rerun with --seed=7 --scale=1 --gtest_filter=failing.require_leaves'
expect "$xml" '<testsuites tests="4" failures="3"'
expect "$xml" 'name="follows_failures"'

"$program" --gtest_filter='passing.*' >"$log" 2>&1 || die 'the filter did not select the passing test'
! "$program" --unknown >"$log" 2>&1 || die 'an unknown argument was accepted'
