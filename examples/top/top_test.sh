#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# `top` shows what a program with busy maps, a map at rest and a stalled reader publishes, and says what it cannot
# see; and devices, and call stacks. Usage: top_test.sh TOP BUSY DEVICES LIBPCMAP RIG
set -euo pipefail
top=$PWD/$1 busy=$PWD/$2 devices=$PWD/$3 library=$PWD/$4 rig=$PWD/$5
# Not below TEST_TMPDIR: the path of a socket must be short.
XDG_RUNTIME_DIR=$(mktemp -d /tmp/top_test.XXXXXX)
export XDG_RUNTIME_DIR
folder=$XDG_RUNTIME_DIR/rangemap-top
trap 'rm -rf "$XDG_RUNTIME_DIR"; [[ -z ${pid-} ]] || kill -9 "$pid" 2>/dev/null || true' EXIT
# shellcheck source=examples/await.sh
. examples/await.sh
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
    timeout 600 "$top" --patience 300 "${@:2}" >out 2>&1 || status=$?
    ((status == $1)) || fail "top ${*:2}: exit status $status"
}

# asks COMMAND: of the busy program; its answer to `answer`.
asks() {
    echo "$1" >&"${BUSY[1]}"
    read -r -t 600 answer <&"${BUSY[0]}" || fail "busy does not answer to $1"
}

# shows PATTERN ARGUMENT...: of top, now, whatever else it has to say.
shows() {
    timeout 600 "$top" --patience 300 --once "${@:2}" >out 2>&1 || true
    grep -q -- "$1" out
}

# ---- nobody there ----

ends 0 --help && says '^usage: top'
ends 2 --nonsense && says '^usage: top'
ends 2 --interval 0 && says 'seconds are wanted'
ends 2 --patience x && says '--patience x: seconds are wanted'
ends 2 --stacks /nonexistent && says '--stacks /nonexistent: No such file'
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
await shows sleeper
says '^domain 0x[0-9a-f]+: blocked by [0-9]+ \(sleeper\), [12] behind$'
sleeper=$(grep -o '[0-9]* (sleeper)' out | sed 's/ .*//')
[[ $(<"/proc/$pid/task/$sleeper/comm") == sleeper ]] || fail "another thread's name"
says '^domain 0x[0-9a-f]+: nobody blocks$' # the other domain: nothing has ever been in the way
says '^ +[1-9][0-9]* +[0-9]+ +0 +- +[0-9.]+ '
(($(wc -L <out) <= 80)) || fail "a line is longer than 80 columns"

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

# What could not be written is an error.
if timeout 600 "$top" --patience 300 --once "$pid" >/dev/full 2>out; then fail "a table on a full disk"; fi
says '^top: standard output: No space left on device$'
mapfile -t many < <(for ((i = 0; i < 40; i++)); do echo "$pid"; done) # more than a block of stdio's
if timeout 600 "$top" --patience 300 --once "${many[@]}" >/dev/full 2>out; then fail "tables on a full disk"; fi
says '^top: standard output: '

# Several looks: rates appear with the second. It ends when nobody reads.
timeout 600 "$top" --patience 300 --interval 0.1 "$pid" 2>/dev/null | head -n 30 >out || true
(($(grep -c "^process $pid" out) >= 2)) || fail "it does not go on"
says ' [0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ (B|KiB|MiB) '

# On a terminal, until q, which is typed when there is something to see; its standard input stays open until then.
mkfifo keys
rm -f screen
timeout 600 script -qefc "stty rows 10 cols 60; '$top' --patience 300 --interval 0.2" screen <keys >/dev/null &
terminal=$!
exec {keys}>keys
await grep -qs "process $pid (busy)" screen
printf q >&$keys
wait $terminal || fail "on a terminal"
exec {keys}>&-
grep -q $'\033\\[?1049h' screen || fail "the terminal is not taken over"
grep -q $'\033\\[?1049l' screen || fail "the terminal is not given back"
grep -q "process $pid (busy)" screen || fail "nothing on the terminal"
! grep -q 'B/range' screen || fail "lines are not cut"

# At 80 columns all is there, in colours, the largest map first; and what fits after the window has become another.
python3 - "$top" "$pid" <<'END' || fail "at 80 columns"
import fcntl, itertools, os, pty, re, struct, sys, termios

sized, size_it = os.pipe()
child, terminal = pty.fork()
if child == 0:
    os.close(size_it)
    os.read(sized, 1) # until the window has its size
    os.execv(sys.argv[1], [sys.argv[1], "--patience", "300", "--interval", "0.2", sys.argv[2]])

def resize(rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

def pages():
    """All that are shown, as lines; and as they came."""
    text = ""
    while True:
        text += os.read(terminal, 65536).decode()
        *whole, text = text.split("\033[J")
        for shown in whole:
            shown = shown.split("\033[H")[-1]
            yield [re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", line).rstrip("\r") for line in shown.split("\n")], shown

resize(24, 80)
os.close(size_it)
page = pages()
next(page)
lines, shown = next(page)
assert max(map(len, lines)) <= 80, lines
assert any(re.fullmatch(r"domain 0x[0-9a-f]+: blocked by \d+ \(sleeper\), \d+ behind", line) for line in lines), lines
assert any(line.endswith(" B/range") for line in lines) and any(line.endswith(" chunks") for line in lines), lines
assert "\033[1;31mdomain" in shown and "\033[2m  map " in shown, shown
maps = [line.split()[0] for line in lines if line.startswith("  ") and not re.match(r"  +(map|threads|\d)", line)]
assert sorted(maps) == ["code", "heap"], maps

def is_shown(is_right):
    """Soon: some pages may still be those of the window's former size."""
    assert any(is_right(lines) for lines, _ in itertools.islice(page, 300))

resize(5, 40)
is_shown(lambda lines: len(lines) <= 5 and max(map(len, lines)) <= 40)
resize(30, 100)
is_shown(lambda lines: len(lines) > 5 and any(line.endswith(" behind") for line in lines))
os.write(terminal, b"q")
assert os.waitpid(child, 0)[1] == 0
END

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
ends 1 --patience 0.5 --once "$pid" && says "^top: process $pid does not answer: it may be stopped$"
kill -CONT "$pid"
ends 0 --once "$pid"

# Ends while it is watched.
rm -f out
timeout 600 "$top" --patience 300 --interval 0.1 "$pid" >out 2>&1 &
watcher=$!
await grep -qs "^process $pid" out
eval "exec ${BUSY[1]}>&-"
! wait $watcher || fail "a watched process has ended, and nobody says so"
says "^top: (there is no process|process) $pid"
wait "$pid" || fail "busy has failed"
[[ ! -e $folder/$pid.sock ]] || fail "the socket is left behind"

# ---- devices ----

coproc DEVICES { exec "$devices"; }
pid=$DEVICES_PID

is_done() {
    read -r -t 600 answer <&"${DEVICES[0]}" || fail "devices does not answer"
}

# tells COMMAND...: the program with devices, which has done it when this returns.
tells() {
    local command
    for command; do
        echo "$command" >&"${DEVICES[1]}"
        is_done
    done
}

is_done
tells pin pin refuse unpin revoke
ends 0 --once "$pid"
says "^process $pid \(devices\)$"
says '^  devices +2 +2 +-$'
says '^  pins +16 +32 +-$'
says '^  0x1000000000 +0x10003fffff +GENERIC +1/1 +[1-9][0-9]*$'
says '^  0x1000800000 +0x10009fffff +FS_DAX +1/1 +1$'
[[ $(grep -A1 '^  revoked ' out | tail -n 1) =~ ^\ +(1\ +0|0\ +1)\ +0\ +0\ +0\  ]] || fail "one revocation, by one mechanism"
[[ $(grep -A1 '^  refused ' out | tail -n 1) =~ ^\ +0\ +1\ +0\ +0\ +0$ ]] || fail "one refusal, of an absent page"
! grep -Eq '^.{81}' out || fail "a line of more than 80 columns"
tells kill
await shows '^  waits  *1 ' "$pid"
says '^  waits +1 +1 +-$'
says '^  0x1000800000 .* dying$'
! grep -Eq '^.{81}' out || fail "a line of more than 80 columns"
tells release
ends 0 --once "$pid"
says '^  devices +1 +2 +-$'
says '^  waits +0 +1 +-$'
! grep -q 0x1000800000 out || fail "a device that is no more"
timeout 600 "$top" --patience 300 --interval 0.1 "$pid" 2>/dev/null | head -n 60 >out || true
says '^  pins +16 +32 +0$'
ends 0 --json "$pid"
python3 - <<'END' || fail "--json of devices"
import json
told = json.load(open("out"))["pagemap"]
(device,) = told["devices"]
assert device == {"start": "0x1000000000", "end": "0x10003fffff", "type": "GENERIC", "range": 0, "ranges": 1,
                  "references": device["references"], "dying": 0}, device
assert told["statistics"]["pins_now"] == 16 and told["statistics"]["refused_absent"] == 1, told
END
eval "exec ${DEVICES[1]}>&-"
wait "$pid" || fail "devices has failed"

# ---- call stacks that are recorded ----

if nm -D "$library" | grep -E '__(asan|ubsan|tsan)_' >/dev/null; then
    echo "SKIPPED: a sanitizer's runtime cannot be preloaded into other programs"
else
    mkdir stacks
    PCMAP_STACKS=$PWD/stacks LD_PRELOAD=$library "$rig" --seconds 1000 --fork >/dev/null 2>&1 &
    pid=$!
    await shows 'hot_in_program < work < work_in_child < ' --stacks stacks "$pid"
    says "^process $pid \(rig\)$"
    says '^stacks: [1-9][0-9]* samples, -/s, 0 found no room$'
    says '^ +[1-9][0-9]* +[1-9][0-9]*\.[0-9][0-9]  hot_in_program < work < work_in_child < '
    (($(wc -L <out) <= 80)) || fail "a line is longer than 80 columns"
    # Without a number, its child is seen as well, whose stacks are its own.
    await shows 'hot_in_child < work < work_in_child' --stacks stacks
    (($(grep -c '^process [0-9]* (rig)$' out) == 2)) || fail "other than two processes"
    # It goes on with what is new.
    timeout 600 "$top" --interval 0.5 --stacks stacks "$pid" 2>/dev/null |
        grep -m 1 -E '^stacks: [0-9]+ samples, [1-9][0-9]*/s' >out || true
    [[ -s out ]] || fail "no new samples"
    kill -KILL "$pid" "$(pgrep -P "$pid")"
    wait "$pid" || true
    ends 1 --once --stacks stacks "$pid" && says "^top: there is no process $pid$"
    mkdir nothing
    ends 1 --once --stacks nothing # nobody is seen, and what has ended is said
    ! grep -q '^stacks' out || fail "stacks from nowhere"
fi

# ---- a folder that is not ours alone ----

chmod 755 "$folder"
ends 1 --once && says 'is not ours alone'
"$busy" </dev/null >out 2>&1 && fail "busy publishes there"
says 'busy: publish: Operation not permitted'
rm -rf "$folder"
XDG_RUNTIME_DIR=/tmp/$(printf '%0100d' 0) ends 1 --once && says 'too long'
echo PASSED
