#!/usr/bin/env bash
# Usage: fuzz_test.sh [SECONDS]
#
# Lets libFuzzer go on from the corpus. What it finds wrong is kept beside the test's log, in outputs.zip.
set -euo pipefail

found=${TEST_TMPDIR:?}/found
mkdir -p "$found"
exec test/fuzz/fuzzer -max_total_time="${1:-30}" -max_len=4096 -timeout=60 -print_final_stats=1 \
    -artifact_prefix="${TEST_UNDECLARED_OUTPUTS_DIR:?}/" "$found" test/fuzz/corpus
