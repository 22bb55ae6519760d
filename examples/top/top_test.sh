#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `top` shows what a program with busy maps, a map at rest and a stalled reader publishes, and says what it cannot
# see. Usage: top_test.sh TOP BUSY
set -euo pipefail
top=$PWD/$1 busy=$PWD/$2
# Not below TEST_TMPDIR: the path of a socket must be short.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/top_test.XXXXXX)
export XDG_RUNTIME_DIR
folder=$XDG_RUNTIME_DIR/rangemap-top
trap 'rm -rf "$XDG_RUNTIME_DIR"; [[ -z ${pid-} ]] || kill -9 "$pid" 2>/dev/null || true' EXIT
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    cat out >&2 || true
    exit 1
}

# says PATTERN: `out` has such a line.
says() {
    grep -Eq -- "$1" out || fail "no word of: $1"
}

# ends STATUS ARGUMENT...: of top, to `out`.
ends() {
    local status=0
    timeout 60 "$top" "${@:2}" >out 2>&1 || status=$?
    ((status == $1)) || fail "top ${*:2}: exit status $status"
}

# asks COMMAND: of the busy program; its answer to `answer`.
asks() {
    echo "$1" >&"${BUSY[1]}"
    read -r -t 60 answer <&"${BUSY[0]}" || fail "busy does not answer to $1"
}

# ---- nobody there ----

ends 0 --help && says '^usage: top'
ends 2 --nonsense && says '^usage: top'
ends 2 --interval 0 && says 'seconds are wanted'
ends 2 12x && says '12x is no process'
ends 1 --once && says "^top: no process publishes maps in $folder$"
ends 1 --once 2147483646 && says '^top: there is no process 2147483646$'
ends 1 --once $$ && says "^top: process $$ publishes no maps$"
ends 1 $$ && says "^top: process $$ publishes no maps$" # does not go on for ever

# ---- a busy program ----

coproc BUSY { exec "$busy"; }
pid=$BUSY_PID
asks counts
read -r height ranges leaves inner <<<"$answer"
ends 0 --once "$pid"
says "^process $pid \(busy\)$"
(($(grep -c '^domain 0x' out) == 2)) || fail "other than two domains"
says "^  code +$height +$ranges +$leaves +$inner +[0-9.]+ (B|KiB) +[0-9.]+$"
says '^  heap of all things +[0-9]+ +[0-9]+ '
((ranges == 1000 && height == 2)) || fail "another map than expected"

# The reader that stalls is named as soon as the epoch has moved on.
for ((tries = 0; tries < 100; tries++)); do
    ends 0 --once
    if grep -q 'sleeper' out; then break; fi
    sleep 0.1
done
says ' [1-9][0-9]* +- +[0-9.]+ .* [0-9]+ \(sleeper\), [12] behind$'
sleeper=$(grep -o '[0-9]* (sleeper)' out | sed 's/ .*//')
[[ $(<"/proc/$pid/task/$sleeper/comm") == sleeper ]] || fail "another thread's name"
says '^ +[1-9][0-9]* +[0-9]+ +0 +- +[0-9.]+ .* -$' # the other domain: nothing has ever been in the way, nobody blocks

# As it is published.
ends 0 --json "$pid"
python3 - "$pid" "$height" "$ranges" "$leaves" "$inner" <<'END' || fail "--json"
import json, sys
told = json.load(open("out"))
pid, *counts = map(int, sys.argv[1:])
assert told["format"] == 1 and told["pid"] == pid, told
quiet, stalled = told["domains"]
(code,) = quiet["maps"]
assert code["name"] == "code", code
assert [code[key] for key in ("height", "ranges", "leaves", "inner_nodes")] == counts, (code, counts)
assert quiet["retries"] == 0 and quiet["blocker"] == {"tid": 0, "behind": 0}, quiet
assert stalled["pending_bytes"] > 0 and stalled["threads"] >= 4 and stalled["blocker"]["tid"] > 0, stalled
END

# Several looks: rates appear with the second. It ends when nobody reads.
timeout 60 "$top" --interval 0.1 "$pid" 2>/dev/null | head -n 30 >out || true
(($(grep -c "^process $pid" out) >= 2)) || fail "it does not go on"
says ' [0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ (B|KiB|MiB) '

# On a terminal, until q.
(sleep 2; printf q; sleep 1) | timeout 60 script -qec "stty rows 10 cols 60; '$top' --interval 0.2" screen >/dev/null ||
    fail "on a terminal"
grep -q $'\033\\[?1049h' screen || fail "the terminal is not taken over"
grep -q $'\033\\[?1049l' screen || fail "the terminal is not given back"
grep -q "process $pid (busy)" screen || fail "nothing on the terminal"
! grep -q 'B/range' screen || fail "lines are not cut"

# ---- several, and none ----

asks fork
child=$answer
ends 0 --once
says "^process $pid \(busy\)$"
says "^process $child \(busy\)$"
says '^  nursery +0 +0 +1 +0 '
kill -9 "$child"
while grep -q '^State:.[^Z]' "/proc/$child/status" 2>/dev/null; do sleep 0.05; done
ends 1 --once "$pid" "$child"
says '^  code '
says "^top: process $child has ended$"
asks withdraw
ends 0 --once "$pid"
! grep -q '^  code' out || fail "a map that is no more"
(($(grep -c '^domain 0x' out) == 1)) || fail "a domain without maps"

kill -STOP "$pid"
ends 1 --once "$pid" && says "^top: process $pid does not answer: it may be stopped$"
kill -CONT "$pid"
ends 0 --once "$pid"

# Ends while it is watched.
timeout 60 "$top" --interval 0.1 "$pid" >out 2>&1 &
watcher=$!
sleep 0.5
eval "exec ${BUSY[1]}>&-"
! wait $watcher || fail "a watched process has ended, and nobody says so"
says "^top: (there is no process|process) $pid"
wait "$pid" || fail "busy has failed"
[[ ! -e $folder/$pid.sock ]] || fail "the socket is left behind"

# ---- a folder that is not ours alone ----

chmod 755 "$folder"
ends 1 --once && says 'is not ours alone'
"$busy" </dev/null >out 2>&1 && fail "busy publishes there"
says 'busy: publish: Operation not permitted'
rm -rf "$folder"
XDG_RUNTIME_DIR=/tmp/$(printf '%0100d' 0) ends 1 --once && says 'too long'
echo PASSED
