#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Samples go to the right functions while libraries come and go, and the others are explained.
# Usage: pcmap_test.sh LIBRARY RIG ALPHA BETA GAMMA STACKS TROUBLE TROUBLE_PG
set -euo pipefail
library=$(realpath "$1") rig=$(realpath "$2") alpha=$(realpath "$3") beta=$(realpath "$4") gamma=$(realpath "$5")
stacks=$(realpath "$6") trouble=$(realpath "$7") trouble_pg=$(realpath "$8")
export TMPDIR=$TEST_TMPDIR HOME=$TEST_TMPDIR
# shellcheck source=examples/await.sh
. examples/await.sh
# shellcheck source=examples/small_disk.sh
. examples/small_disk.sh
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

# expected PERCENT SECONDS: of the samples that come of so much CPU time of a thread.
expected() {
    awk -v percent="$1" -v seconds="$2" -v hertz="$PCMAP_HZ" 'BEGIN { print int(percent * seconds * hertz / 100) }'
}

# at_least N FUNCTION OBJECT
at_least() {
    local found
    found=$(samples "$2" "$3")
    [ "$found" -ge "$1" ] || fail "$found samples of $2 in $3, less than $1: $(cat out profile)"
}

# Of all profiles in the file.
total() {
    awk '/^pcmap: process/ { n += $5 } END { print n + 0 }' profile
}

# share PERCENT FUNCTION OBJECT: of all samples that were taken; and there are some.
share() {
    local all
    all=$(total)
    [ "$all" -gt 0 ] || fail "no samples: $(cat out profile)"
    at_least $(((all * $1 + 99) / 100)) "$2" "$3"
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

# The rig works for so many seconds of CPU time, whatever the machine: a second of each of two threads is 250 samples each. The
# swapping thread works half of its time in libraries, at the least, and as long in the one as in the other.
profile 0 "$rig" --seconds 1 "$alpha" "$beta" "$gamma"
cat out
adds_up
at_least "$(expected 70 1)" hot_in_program "$rig"
at_least "$(expected 10 1)" alpha_hot "$alpha"
at_least "$(expected 10 1)" beta_hot "$beta"
never _idle        # whose code it would be, were a closed library's names still there
never '[no-object]' # all of its code is in objects
for object in "$rig" "$alpha" "$beta" "$gamma"; do
    [ "$(samples '[.text]' "$object")" -eq 0 ] || fail "code without a name in $object, which is not stripped"
done

# A child begins anew.
profile 0 "$rig" --seconds 0.4 --fork
adds_up
[ "$(grep -c '^pcmap: process' profile)" -eq 2 ] || fail "not two profiles: $(cat profile)"
at_least "$(expected 50 0.4)" hot_in_child "$rig"
at_least "$(expected 50 0.4)" hot_in_program "$rig"
awk '/^pcmap: process/ { process++ } $3 ~ /^hot_in_/ { if ($3 in of && of[$3] != process) bad = 1; of[$3] = process }
    END { exit bad || of["hot_in_child"] == of["hot_in_program"] }' profile || fail "samples in both: $(cat profile)"

# Code that no object has is counted where it is.
profile 0 "$rig" --seconds 0.4 --made
adds_up
at_least "$(expected 50 0.4)" '[no-object]' 'anonymous memory'

# A program with SIGPROF of its own has it, and ends by its own alone.
status=0
LD_PRELOAD=$library "$rig" --seconds 0.4 --signal >out 2>&1 || status=$?
[ "$status" -eq $((128 + 27)) ] || fail "status $status, not that of SIGPROF: $(cat out)"
grep -q 'not ended by a tick' out || fail "ended too early: $(cat out)"

# A sample in a second is a sample, too.
PCMAP_HZ=1 profile 0 "$rig" --seconds 3 "$alpha" "$beta" "$gamma"
at_least 1 hot_in_program "$rig"

# Nothing stands between a program and its status; what makes no sense is said.
profile 3 bash -c 'exit 3'
grep -q '^pcmap: process .*/bash: ' profile || fail "no profile of bash"
PCMAP_HZ=fast profile 0 /bin/true
grep -q 'PCMAP_HZ is not a number' out || fail "no word of PCMAP_HZ: $(cat out)"

# A process that runs already is left alone, with a word, however the library comes to it.
/usr/bin/python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1]); print("lived")' "$library" >out 2>&1
grep -q '^pcmap: this process is not profiled: it ran already' out || fail "no word of dlopen: $(cat out)"
grep -q '^lived' out || fail "dlopen: it has not lived: $(cat out)"
if command -v gdb >/dev/null; then
    rm -f out
    "$trouble" wait >out 2>&1 &
    waiting=$!
    await grep -qs lived out
    gdb -nx -batch -iex 'set debuginfod enabled off' -p $waiting -ex "print (void *)dlopen(\"$library\", 2)" >gdb.out 2>&1 </dev/null || true
    lived=0
    kill -KILL $waiting || lived=$?
    wait $waiting || true
    if grep -q "Couldn't write extended state" gdb.out; then
        # gdb 13.1 cannot call a function of any program where the processor has AMX.
        echo "SKIPPED: gdb cannot call functions on this processor"
    else
        [ "$lived" -eq 0 ] || fail "it has not lived: $(cat out gdb.out)"
        grep -q '^pcmap: this process is not profiled: it ran already' out || fail "no word of an attached gdb: $(cat out gdb.out)"
    fi
fi

# Nothing but libc is needed, so no program gets a function from a library that only this one needs.
[ "$(readelf -d "$library" | grep NEEDED | grep -c -v 'libc\.so\|ld-linux')" -eq 0 ] || fail "$(readelf -d "$library")"
[ "$(nm -D --defined-only "$library" | grep -c ' T ')" -eq 7 ] || fail "exported: $(nm -D --defined-only "$library")"

# ---- programs that confine, end or multiply themselves ----

# They work without a look at a clock, so find out how many rounds are fifty samples on this machine.
export TROUBLE_ROUNDS=1000000
while profile 0 "$trouble" end && [ "$(total)" -lt 50 ]; do
    TROUBLE_ROUNDS=$((2 * TROUBLE_ROUNDS))
    [ $TROUBLE_ROUNDS -lt 1000000000000 ] || fail "no samples: $(cat out profile)"
done
share 80 hot_before "$trouble"
echo "trouble: $TROUBLE_ROUNDS rounds"

# survives KIND PROFILES [PERCENT FUNCTION]...: `trouble KIND` gets to its end, with so many profiles, and of all samples so
# many in these functions.
survives() {
    profile 0 "$trouble" "$1" "$PWD/flag"
    grep -q '^lived' out || fail "$1: it has not lived: $(cat out)"
    [ "$(grep -c '^pcmap: process' profile)" -eq "$2" ] || fail "$1: not $2 profiles: $(cat profile)"
    adds_up
    local kind=$1
    shift 2
    while [ $# -gt 0 ]; do
        share "$1" "$2" "$trouble"
        shift 2
    done
    echo "$kind: $(grep -c '^pcmap: process' profile) profiles"
}

survives share 1
survives seccomp 1 80 hot_before
grep -q 'a seccomp filter forbids to go on' profile || fail "no word of the filter: $(cat profile)"
survives prctl 1 80 hot_before
survives listener 1 80 hot_before
grep -q 'a seccomp filter forbids to go on' profile || fail "no word of a filter with a listener: $(cat profile)"
survives strict 1 80 hot_before
survives loose 1 10 hot_before 10 hot_after
survives confined-exec 1
grep -q 'under a seccomp filter that its parent is not under' out || fail "no word of a filter that was there: $(cat out)"
survives block 1 80 hot_blocked
survives user 1 50 hot_blocked
survives unseen 1
grep -q '^pcmap: [1-9][0-9]* ms of CPU time are missing' profile || fail "no word of a thread that is not seen: $(cat profile)"
! grep -q 'CPU time are missing' <(profile 0 "$trouble" end; cat profile) || fail "nothing is missing: $(cat profile)"
survives drop 2
survives folders 2
survives close 1
(ulimit -n 64 && survives exhaust 2)
survives lose 1
survives end 1 80 hot_before
survives fork-raw 2 10 hot_before 10 hot_after
mkdir raw
MALLOC_ARENA_MAX=1 PCMAP_STACKS=raw survives fork-raw-malloc 51
printf 'exec %q nothing\n' "$trouble" >script
for kind in no-new-code no-new-code-filter; do
    profile 0 "$trouble" $kind script
    grep -q '^lived' out || fail "$kind: it has not lived: $(cat out)"
done

# Whoever reads a program's output need not wait for the daemons that it leaves: this one runs until it is told.
# shellcheck disable=SC2016 # for the other bash
[ "$(LD_PRELOAD=$library timeout 300 bash -c 'x=$("$1" leave "$2" 2>&1); echo "$x"' bash "$trouble" "$PWD/flag" |
    grep -c lived)" -eq 1 ] || fail "a daemon keeps its starter's pipe open"
touch flag

# Standard error is that of the start, also if the program closes it or has data in its place.
for kind in replace-stderr close-stderr; do
    LD_PRELOAD=$library "$trouble" $kind datafile >out 2>err || fail "$kind: $(cat out err)"
    cp err profile
    share 80 hot_before "$trouble"
    [ ! -s datafile ] || fail "$kind: a profile in the program's data"
done

# On demand, and from time to time: a process that is killed has a profile.

rm -f profile
rm -f out
LD_PRELOAD=$library PCMAP_OUT=$PWD/profile "$trouble" wait >out 2>&1 &
waiting=$!
await grep -qs lived out
env kill -33 $waiting
await grep -qs 'in functions' profile
kill -KILL $waiting
wait $waiting || true
share 80 hot_before "$trouble"
grep -q 'so far: it was asked for' profile || fail "no profile on demand: $(cat profile)"

rm -f profile
rm -f out
LD_PRELOAD=$library PCMAP_OUT=$PWD/profile PCMAP_EVERY=1 "$rig" --seconds 1000 --fork >out 2>&1 &
working=$!
has_profiles() {
    [ -e profile ] && [ "$(grep -c 'it is time for one' profile)" -ge 2 ] && [ "$(samples hot_in_program "$rig")" -ge 10 ]
}
await has_profiles
pkill -KILL -P $working
kill -KILL $working
wait $working || true

# Call stacks: whole, from the thread's start to the function; of a child in a file of its own; of a killed process, too.
mkdir stacks
PCMAP_STACKS=stacks profile 0 "$rig" --seconds 0.5 "$alpha" "$beta" "$gamma"
"$stacks" --svg flame.svg stacks/*.stacks >collapsed || fail "stacks: status $?"
# in_stacks N PATTERN: at least so many samples in stacks like that.
in_stacks() {
    awk -v n="$1" -v p="$2" '$0 ~ p { found += $NF } END { exit found < n }' collapsed || fail "no $1 samples of $2: $(cat collapsed)"
}
# most_stacks PATTERN: of all samples, four of five.
most_stacks() {
    awk -v p="$1" '{ all += $NF } $0 ~ p { found += $NF } END { exit all == 0 || found < all * 0.8 }' collapsed ||
        fail "few samples of $1: $(cat collapsed)"
}
in_stacks "$(expected 50 0.5)" ';__libc_start_call_main;come_and_go;work;hot_in_program [0-9]+$'
in_stacks "$(expected 8 0.5)" ';start_thread;swap;use;work;alpha_hot [0-9]+$'
in_stacks "$(expected 8 0.5)" ';start_thread;swap;use;work;beta_hot [0-9]+$'
[ "$(awk '{ n += $NF } END { print n }' collapsed)" -eq "$(awk '/^pcmap: process/ { print $5 }' profile)" ] ||
    fail "other than the samples of the flat profile: $(cat collapsed profile)"
/usr/bin/python3 -c 'import sys, xml.etree.ElementTree as e; sys.exit("alpha_hot" not in e.tostring(e.parse("flame.svg").getroot(), "unicode"))' ||
    fail "no flame graph: $(head flame.svg)"
rm stacks/*
PCMAP_STACKS=stacks profile 0 "$rig" --seconds 0.4 --fork
files=(stacks/*)
[ ${#files[@]} -eq 2 ] || fail "not two files: ${files[*]}"
"$stacks" stacks/*.stacks >collapsed
in_stacks "$(expected 50 0.4)" 'work_in_child;work;hot_in_program'
in_stacks "$(expected 50 0.4)" 'work_in_child;work;hot_in_child'
rm stacks/*
PCMAP_STACKS=stacks profile 0 "$trouble" lose
"$stacks" stacks/*.stacks >collapsed
most_stacks 'lose_child;.*hot_before [0-9]+$'

# Where there is no room, the program knows nothing of it: samples are dropped, and counted.
(ulimit -f 1000 && PCMAP_STACKS=stacks profile 0 "$trouble" end) || exit 1
grep -q 'no file can be made in PCMAP_STACKS' out || fail "no word of a file that is too long: $(cat out)"
if has_small_disks; then
    # shellcheck disable=SC2016 # for the other bash
    LD_PRELOAD='' on_small_disk 600k disk bash -c '
            LD_PRELOAD=$1 PCMAP_STACKS=disk "$2" --seconds 2 "${@:4}" && "$3" disk/*.stacks' \
        bash "$library" "$rig" "$stacks" "$alpha" "$beta" "$gamma" >out 2>&1 || fail "a disk without room: $(tail -n 20 out)"
    grep -q '^stacks: [1-9][0-9]* samples found no room' out || fail "nothing dropped on a small disk: $(tail out)"
    grep -q 'hot_in_program [0-9]*$' out || fail "no stacks on a small disk: $(tail out)"
else
    echo "SKIPPED: no disk can be mounted here"
fi

# Code without symbols is named by its place; a file that is cut off or no such file is no harm.
cp "$trouble" bare
strip bare
rm stacks/*
PCMAP_STACKS=stacks profile 0 ./bare end
"$stacks" stacks/*.stacks >collapsed
most_stacks '\[bare\]\+0x[0-9a-f]+ [0-9]+$'
head -c 100000 stacks/*.stacks >part
"$stacks" part >collapsed 2>/dev/null || fail "a file that is cut off"
! "$stacks" bare 2>err || fail "what is no record is read"
grep -q 'not a record' err || fail "no word of what is no record: $(cat err)"

# The names of a stripped program are in its debug file, if that is there.
[ "$(awk '/hot_before/' profile | wc -l)" -eq 0 ] || fail "names in a stripped program: $(cat profile)"
objcopy --only-keep-debug "$trouble" bare.debug
objcopy --add-gnu-debuglink=bare.debug bare
profile 0 ./bare end
share 80 hot_before bare

# `gcc -pg` has SIGPROF for itself: both profiles are right.
profile 0 "$trouble_pg" end
share 80 hot_before "$trouble_pg"
profile 0 "$trouble_pg" block
share 80 hot_blocked "$trouble_pg"

# Where the file cannot be opened, standard error is what is left.
PCMAP_OUT=/nonexistent/profile LD_PRELOAD=$library "$trouble" end >out 2>err || fail "a file that cannot be opened: $(cat err)"
grep -q '^pcmap: /nonexistent/profile: No such file' err || fail "no word of a file that cannot be opened: $(cat err)"
grep -q '^pcmap: process' err || fail "no profile on standard error: $(cat err)"

# real OBJECT PROGRAM [ARGUMENT...]: a program of the system, run until there are enough samples. Objects that are stripped have
# names of few functions; so a share of all is asked for that chance does not give.
real() {
    command -v "$2" >/dev/null || { echo "SKIPPED: $2 is not installed"; return; }
    local times=0
    rm -f all
    while [ $times -eq 0 ] || [ "$(total)" -lt 100 ]; do
        times=$((times + 1))
        [ $times -le 100 ] || fail "$2: hardly any samples in 100 runs: $(head -n 30 profile)"
        profile 0 "${@:2}"
        cat profile >>all
        cp all profile
    done
    adds_up
    awk -v o="$1" '/^pcmap: process/ { all += $5 } $2 ~ /^[0-9.]+$/ && index($0, o) && $3 !~ /^\[/ { n += $1 }
        END { print o ": " n " of " all " samples in functions of it"; exit n * 20 < all }' profile ||
        fail "hardly a function of $1 in $(head -n 30 profile)"
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
