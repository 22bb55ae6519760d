#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The map of real programs is the kernel's when they end, and a difference does not go unnoticed.
# Usage: vmwatch_test.sh VMWATCH CHURN LIBRARY
set -euo pipefail
vmwatch=$PWD/$1 churn=$PWD/$2 library=$PWD/$3
export TMPDIR=$TEST_TMPDIR HOME=$TEST_TMPDIR
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

if nm -D "$library" | grep -E '__(asan|ubsan|tsan)_' >/dev/null; then
    echo "SKIPPED: a sanitizer's runtime cannot be preloaded into other programs"
    exit 0
fi

# expect STATUS MESSAGE ARGUMENT...: runs vmwatch, which must end so and say MESSAGE.
expect() {
    local status=0
    "$vmwatch" --library "$library" "${@:3}" >out 2>err </dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "status $status, not $1, of vmwatch ${*:3}: $(tail -n 20 out err)"
    grep -q -e "$2" out err || fail "no '$2' from vmwatch ${*:3}: $(tail -n 20 out err)"
}

# agree PROGRAM [ARGUMENT...]: the same, or a word that PROGRAM is missing.
agree() {
    if ! command -v "$1" >/dev/null; then
        echo "SKIPPED: $1 is not installed"
        return
    fi
    expect 0 ' 0 differences' "$@"
    echo "$1: $(tail -n 1 err)"
}

# Every answer while it runs, then every range.
expect 0 ' 0 wrong' "$churn" --seconds 3
echo "$(cat out) $(tail -n 1 err)"

# What the library cannot see, it must not overlook.
expect 125 'differs .* map: nothing | kernel: r--p' "$churn" --unseen
expect 124 usage
expect 124 usage --nonsense
expect 126 'No such file' --library /nonexistent true
expect 126 'No such file' /nonexistent
expect 3 '2 processes, 0 differences' bash -c '(exit 1); exit 3'
mkdir reports
expect 0 '1 processes' --reports reports --quiet ls
grep -q '^calls .*redirected at [1-9]' reports/* || fail "no calls in the report"

cat >Threads.java <<END
public class Threads {
    public static void main(String[] arguments) throws Exception {
        Thread[] threads = new Thread[8];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> { for (int j = 0; j < 20000; j++) { byte[] b = new byte[j]; } });
            threads[i].start();
        }
        for (Thread thread : threads) { thread.join(); }
    }
}
END
printf '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n' >hello.c
agree /usr/bin/python3 -c '
import json, mmap, subprocess, threading
threads = [threading.Thread(target=lambda: [bytearray(1 << 20) for _ in range(50)]) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
mmap.mmap(-1, 1 << 20)
subprocess.check_output(["true"])'
agree java Threads.java
agree node -e '
for (let i = 0; i < 50; i++) new ArrayBuffer(1 << 22);
const {Worker} = require("worker_threads");
new Worker("[1, 2, 3].map(x => x * 2)", {eval: true});'
agree clang -O2 hello.c -o hello
agree gcc -O2 hello.c -o hello
# shellcheck disable=SC2016 # for the other bash
agree bash -c 'for i in 1 2 3; do (echo $i); done; x=$(ls | wc -l)'
agree git init -q repository

# The bazel client takes LD_PRELOAD from its server, so the server gets it from its java.
if command -v bazel >/dev/null && command -v java >/dev/null; then
    java=$(readlink -f "$(command -v java)") folder=$TEST_TMPDIR/jdk
    cp -rs "${java%/bin/java}" "$folder"
    rm -f "$folder/bin/java" reports/*
    printf '#!/bin/sh\nLD_PRELOAD=%q VMWATCH_REPORTS=%q exec %q "$@"\n' "$library" "$PWD/reports" "$java" >"$folder/bin/java"
    chmod +x "$folder/bin/java"
    mkdir workspace
    touch workspace/WORKSPACE
    (cd workspace && bazel --output_user_root="$TEST_TMPDIR/root" --server_javabase="$folder" info release &&
        bazel --output_user_root="$TEST_TMPDIR/root" shutdown) >out 2>err || fail "bazel: $(tail -n 5 out err)"
    for _ in {1..100}; do # the client need not wait for the server's end
        grep -q '^result' reports/* 2>/dev/null && break
        sleep 0.1
    done
    grep -h -E '^(result|differs|failed)' reports/* >results || fail "bazel's server left no report"
    [ "$(sed 's/ explained .*//' results | sort -u)" = "result differ 0" ] || fail "bazel's server: $(cat results)"
    echo "bazel's server: $(grep -h '^ranges' reports/* | tail -n 1)"
else
    echo "SKIPPED: bazel is not installed"
fi
