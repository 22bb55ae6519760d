#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The map of real programs is the kernel's when they end, and a difference does not go unnoticed.
# Usage: vmwatch_test.sh VMWATCH CHURN LIBRARY TROUBLE
set -euo pipefail
vmwatch=$PWD/$1 churn=$PWD/$2 library=$PWD/$3 trouble=$PWD/$4
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
expect 0 ' 0 wrong' "$churn" --rounds 7
echo "$(cat out) $(tail -n 1 err)"

# What the library cannot see, it must not overlook.
expect 125 'differs .* map: nothing | kernel: r--p' "$churn" --unseen
expect 124 usage
expect 124 usage --nonsense
expect 124 'process 1 runs already' --attach 1
/usr/bin/python3 -c 'import ctypes, sys; ctypes.CDLL(sys.argv[1]); print("lived")' "$library" >out 2>&1
grep -q '^vmwatch: this process is not followed: it ran already' out || fail "no word of dlopen: $(cat out)"
grep -q '^lived' out || fail "dlopen: it has not lived: $(cat out)"
expect 126 'No such file' --library /nonexistent true
expect 126 'No such file' /nonexistent
expect 3 '2 processes followed, 2 compared, 0 not; 0 differences' bash -c '(exit 1); exit 3'
mkdir reports
expect 0 '1 processes followed, 1 compared' --reports reports --quiet ls
grep -q '^calls .*redirected at [1-9]' reports/* || fail "no calls in the report"
echo mine >reports/slots
expect 0 '1 processes followed, 1 compared' --reports reports --quiet ls
[ "$(cat reports/slots)" = mine ] || fail "a file in the folder of reports is gone"
rm reports/slots
expect 126 'No such file' --reports /nonexistent true
expect 126 'Not a directory' --reports "$library" true
TMPDIR=. expect 0 '3 processes followed, 3 compared, 0 not' bash -c 'cd / && ls; exit 0'
mkdir 'two words'
cp "$library" 'two words/libvmwatch.so'
expect 126 'a path with a blank' --library 'two words/libvmwatch.so' true

# Who ignores SIGCHLD has no status of its children, and its programs go on to ignore it.
(
    trap '' CHLD
    expect 0 '1 processes followed, 1 compared' grep '^SigIgn:.*1....$' /proc/self/status
) || exit 1

# A disk or a limit that has no room for the reports is said, and no signal to the program.
(ulimit -f 1000 && expect 126 'File too large' true) || exit 1
! compgen -G "$TMPDIR/vmwatch.*" || fail "a folder is left"
if has_small_disks; then
    status=0
    TMPDIR=disk on_small_disk 2m disk "$vmwatch" --library "$library" true >out 2>&1 || status=$?
    [ $status -eq 126 ] || fail "status $status, not 126, on a small disk: $(cat out)"
    grep -q 'No space left on device' out || fail "no word of a small disk: $(cat out)"
    # shellcheck disable=SC2016 # expanded by the shell on the disk
    on_small_disk 2m disk bash -c 'head -c 4m /dev/zero >disk/all 2>fill; "$@"' - \
        "$vmwatch" --library "$library" --reports disk true >out 2>&1 || fail "status $? with a full disk of reports"
    grep -q 'vmwatch: disk/.*: No space left on device' out || fail "no word of a report that is lost: $(cat out)"
else
    echo "SKIPPED: no disk can be mounted here"
fi

# Nothing but libc is needed, so no program gets a function from a library that only this one needs.
[ "$(readelf -d "$library" | grep NEEDED | grep -c -v 'libc\.so\|ld-linux')" -eq 0 ] || fail "$(readelf -d "$library")"
[ "$(nm -D --defined-only "$library" | grep -c ' T ')" -eq 3 ] || fail "exported: $(nm -D --defined-only "$library")"

# While it runs, from four threads and signal handlers: by the clock, and once when it is asked for. It runs until vmwatch has
# said so.
rm -f out err
"$vmwatch" --library "$library" --every 0.02 "$churn" --until by_clock >out 2>err </dev/null &
watcher=$!
await grep -qs 'churn: compared while it runs, 0 differ' err
touch by_clock
wait $watcher || fail "compared while it ran: $(tail -n 20 out err)"
grep -q ' 0 differences.*; [1-9][0-9]* comparisons while they ran' err || fail "compared while it ran: $(tail -n 20 err)"
rm -f out err
"$vmwatch" --library "$library" "$churn" --until on_request >out 2>err </dev/null &
watcher=$!
await grep -qs 'churn: begun' out
kill -USR1 $watcher
await grep -qs 'churn: compared while it runs, 0 differ' err
touch on_request
wait $watcher || fail "compared on request: $(tail -n 20 out err)"
grep -q ' 0 differences.*; [1-9][0-9]* comparisons while they ran' err || fail "compared on request: $(tail -n 20 err)"

# ---- programs that confine, end or multiply themselves ----

# survives KIND COMPARED NOT STATUS [MESSAGE]: `trouble KIND` gets to its end, as many processes are compared, and as many not.
survives() {
    expect "$4" "${5:-processes followed}" "$trouble" "$1" "$PWD/flag"
    grep -q '^lived' out || fail "$1: it has not lived: $(tail -n 20 out err)"
    grep -q " $2 compared, $3 not; 0 differences" err || fail "$1: $(tail -n 20 err)"
}

survives share 1 0 0
survives seccomp 1 0 0 'a seccomp filter forbids'
survives prctl 1 0 0 'a seccomp filter forbids'
survives listener 1 0 0 'a seccomp filter forbids'
survives strict 1 0 0 'a seccomp filter forbids'
survives loose 1 0 0
! grep -q 'a seccomp filter' err || fail "a filter that forbids nothing ends the following"
survives confined-exec 1 1 123 'it was started under a seccomp filter'
survives drop 1 1 123 '/proc/self/maps cannot be read' # by the child, whose root has no /proc
survives folders 2 0 0
survives close 1 0 0
(ulimit -n 64 && survives exhaust 2 0 0)
(ulimit -v 700000 && survives limit 1 0 0)
survives lose 1 1 123 'not compared at its end; it ended by a signal'
survives leave 1 1 123 'not compared at its end; it still runs'
touch flag # for the daemon that it has left
survives exec 2 0 0 'it became another program'
[ ! -x /sbin/ldconfig ] || survives exec-static 1 1 123 'it became a program that is not followed'
survives fork-raw 2 0 0
survives end 1 0 0

# Where nothing that was writable may become executable, libc's code is not lost.
printf '%q --library %q true\n' "$vmwatch" "$library" >script
for kind in no-new-code no-new-code-filter; do
    "$trouble" $kind script >out 2>err || fail "$kind: status $?: $(cat out err)"
    grep -q '1 processes followed, 1 compared' err || fail "$kind: $(cat out err)"
done

# What there is no room for is lost, and said so.
(ulimit -d 260000 && expect 125 ', [1-9][0-9]* updates lost' "$trouble" crowd "$PWD/")
grep -q '^lived' out || fail "crowd: it has not lived: $(tail -n 20 out err)"

# A child by vfork is not kept waiting, and code that is not seen is named.
expect 125 'hint .*/churn makes system calls of its own' "$churn" --unseen
expect 126 'no process was followed.*: it is static' /sbin/ldconfig --version

# A signal to vmwatch ends the program, and neither folder nor child is left.
mkdir folder
rm -f out err
TMPDIR=$PWD/folder "$vmwatch" --library "$library" "$trouble" wait >out 2>err &
watcher=$!
await grep -qs lived out
kill -TERM $watcher
status=0
wait $watcher || status=$?
[ $status -eq 143 ] || fail "status $status, not that of SIGTERM: $(cat err)"
[ -z "$(ls folder)" ] || fail "left: $(ls folder)"
! kill -0 "$(sed -n 's/^vmwatch: \([0-9]*\) .*not compared.*/\1/p' err)" 2>/dev/null || fail "the child runs on"

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
    rm -f "$folder/bin/java"
    mkdir workspace
    touch workspace/WORKSPACE
    run_bazel() {
        cd workspace
        # shellcheck disable=SC2016 # for the other bash
        "$vmwatch" --library "$library" --reports ../reports --wait --quiet bash -c '
            printf "#!/bin/sh\nLD_PRELOAD=%q VMWATCH_REPORTS=%q exec %q \"\$@\"\n" "$3" "$VMWATCH_REPORTS" "$4" >"$2/bin/java"
            chmod +x "$2/bin/java"
            bazel --local_startup_timeout_secs=1000 --output_user_root="$1/root" --server_javabase="$2" info release &&
                bazel --local_startup_timeout_secs=1000 --output_user_root="$1/root" shutdown' bash "$TEST_TMPDIR" "$folder" "$library" "$java"
    }
    rm -rf reports/*
    (run_bazel) >out 2>err || [ $? -eq 123 ] || fail "bazel: $(tail -n 5 out err)"
    server=$(grep -l '^process .*/java' reports/* | head -n 1)
    [ -n "$server" ] || fail "bazel's server left no report: $(cat err)"
    grep -h '^result' "$server" >result || fail "no result in $server"
    grep -q '^result differ 0 explained [0-9]* lost 0' result || fail "bazel's server: $(cat "$server")"
    echo "bazel's server: $(grep -h '^ranges' "$server")"
else
    echo "SKIPPED: bazel is not installed"
fi
