#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Samples go to the right functions while libraries come and go, and the others are explained.
# Usage: pcmap_test.sh LIBRARY RIG ALPHA BETA GAMMA
set -euo pipefail
library=$(realpath "$1") rig=$(realpath "$2") alpha=$(realpath "$3") beta=$(realpath "$4") gamma=$(realpath "$5")
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

# profile STATUS COMMAND...: runs it; its profile is in the file `profile`, what it says in `out`.
profile() {
    local status=0
    rm -f profile
    LD_PRELOAD=$library PCMAP_OUT=$PWD/profile "${@:2}" >out 2>&1 </dev/null || status=$?
    [ "$status" -eq "$1" ] || fail "status $status, not $1, of ${*:2}: $(tail -n 20 out)"
}

# samples FUNCTION OBJECT: of its row, 0 without one. OBJECT is the end of a path.
samples() {
    awk -v f="$1" -v o="$2" '$2 ~ /^[0-9.]+$/ && $3 == f && substr($0, length($0) - length(o) + 1) == o { n += $1 }
        END { print n + 0 }' profile
}

# at_least N FUNCTION OBJECT
at_least() {
    local found
    found=$(samples "$2" "$3")
    [ "$found" -ge "$1" ] || fail "$found samples of $2 in $3, less than $1: $(cat out profile)"
}

never() {
    ! grep -q -F -e "$1" profile || fail "'$1' in $(cat out profile)"
}

# The rows add up to what the head says, and so do the explanations.
adds_up() {
    awk '/^pcmap: process/ { if (total != rows || total != classes) bad = 1; total = $5; rows = classes = 0 }
        $2 ~ /^[0-9.]+$/ { rows += $1 } $2 == "in" { classes += $1 }
        END { exit bad || total != rows || total != classes }' profile || fail "it does not add up: $(cat profile)"
}

export PCMAP_HZ=250

# A second of CPU time for each of two threads is 250 samples each; the swapping thread works half of its time in libraries,
# at the least.
profile 0 "$rig" --seconds 1 "$alpha" "$beta" "$gamma"
cat out
adds_up
at_least 180 hot_in_program "$rig"
at_least 25 alpha_hot "$alpha"
at_least 25 beta_hot "$beta"
never _idle        # whose code it would be, were a closed library's names still there
never '[no-object]' # all of its code is in objects
for object in "$rig" "$alpha" "$beta" "$gamma"; do
    [ "$(samples '[.text]' "$object")" -eq 0 ] || fail "code without a name in $object, which is not stripped"
done

# A child begins anew.
profile 0 "$rig" --seconds 0.4 --fork
adds_up
[ "$(grep -c '^pcmap: process' profile)" -eq 2 ] || fail "not two profiles: $(cat profile)"
at_least 50 hot_in_child "$rig"
at_least 50 hot_in_program "$rig"
awk '/^pcmap: process/ { process++ } $3 ~ /^hot_in_/ { if ($3 in of && of[$3] != process) bad = 1; of[$3] = process }
    END { exit bad || of["hot_in_child"] == of["hot_in_program"] }' profile || fail "samples in both: $(cat profile)"

# Code that no object has is counted where it is.
profile 0 "$rig" --seconds 0.4 --made
adds_up
at_least 50 '[no-object]' 'anonymous memory'

# A program with SIGPROF of its own has it, and ends by its own alone.
status=0
LD_PRELOAD=$library "$rig" --seconds 0.4 --signal >out 2>&1 || status=$?
[ "$status" -eq $((128 + 27)) ] || fail "status $status, not that of SIGPROF: $(cat out)"
grep -q 'not ended by a tick' out || fail "ended too early: $(cat out)"

# Nothing stands between a program and its status; what makes no sense is said.
profile 3 bash -c 'exit 3'
grep -q '^pcmap: process .*/bash: ' profile || fail "no profile of bash"
PCMAP_HZ=fast profile 0 /bin/true
grep -q 'PCMAP_HZ is not a number' out || fail "no word of PCMAP_HZ: $(cat out)"

# real OBJECT PROGRAM [ARGUMENT...]: a program of the system, most of whose time goes to OBJECT.
real() {
    command -v "$2" >/dev/null || { echo "SKIPPED: $2 is not installed"; return; }
    profile 0 "${@:2}"
    adds_up
    awk -v o="$1" '$2 ~ /^[0-9.]+$/ && index($0, o) && $3 !~ /^\[/ { n += $1 } END { exit n < 10 }' profile ||
        fail "hardly a function of $1 in $(head -n 30 profile)"
    grep '^pcmap: process' profile
}
real python3 /usr/bin/python3 -c '
import json, sqlite3, threading
def work():
    for _ in range(30): json.dumps([{str(i): [i] * 5} for i in range(2000)])
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()'
real node node -e 'let s = 0; for (let i = 0; i < 1e6; i++) s += JSON.stringify({i, a: [i, i]}).length;'
printf '#include <regex>\n#include <map>\nstd::map<int, std::regex> m;\nvoid f() { m[1] = std::regex("a*b"); }\n' >heavy.cc
real clang clang++ -fsyntax-only heavy.cc
cat >Threads.java <<END
public class Threads {
    public static void main(String[] arguments) throws Exception {
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            threads[i] = new Thread(() -> { for (int j = 0; j < 5000; j++) { byte[] b = new byte[j]; } });
            threads[i].start();
        }
        for (Thread thread : threads) { thread.join(); }
    }
}
END
real libjvm.so java Threads.java
