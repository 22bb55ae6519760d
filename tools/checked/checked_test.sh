#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Checked mode, preloaded and built in, stops each mistake with its message, and nothing else; without it, there is nothing of it.
# Usage: checked_test.sh CHECKED.so LIBRARY.so AMALGAMATION FOLDER
set -euo pipefail
root=$PWD checked=$PWD/$1 library=$PWD/$2 one_file=$PWD/$3 here=$PWD/$4
cd "$TEST_TMPDIR"
ln -s "$library" librangemap.so.0.1
flags=(-std=c11 -D_GNU_SOURCE -O1 -g "-I$root" -pthread -rdynamic)

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# NAME@MESSAGE, and @+ where it has to name the place of a begin.
# shellcheck disable=SC2016 # as it is written
mistakes='
end_without_begin@rangemap_read_end\(\) without a begin
end_twice@rangemap_read_end\(\) without a begin
end_in_another_domain@rangemap_domain_read_end\(\) without a begin@+
end_in_another_thread@rangemap_read_end\(\) without a begin
end_of_another_map@rangemap_read_end\(\) without a begin@+
end_snapshot_twice@rangemap_snapshot_end\(\) of no snapshot
end_snapshot_as_section@rangemap_read_end\(\) without a begin@+
forgotten_end@rangemap_domain_synchronize\(\) would wait for the section or callback that it is called in@+
held_outside@rangemap_find_held\(\) outside of a section
held_in_another_domain@rangemap_lookup_held\(\) outside of a section@+
snapshot_after_end@rangemap_snapshot_find\(\) in a snapshot that this thread does not hold
cursor_after_end@rangemap_cursor_next\(\) in a snapshot that this thread does not hold
snapshot_of_another_thread@rangemap_snapshot_find\(\) in a snapshot that this thread does not hold
long_section@thread [0-9]+ holds a section for [0-9]+ ms@+
wait_for_long_section@thread [0-9]+ holds a section for [0-9]+ ms@+
exit_in_section@thread [0-9]+ exits inside a read section@+
destroy_twice@rangemap_destroy\(\) of map 0x[0-9a-f]+, which was destroyed
use_after_destroy@rangemap_find\(\) of map 0x[0-9a-f]+, which was destroyed
update_after_destroy@rangemap_splice\(\) of map 0x[0-9a-f]+, which was destroyed
destroy_in_section@is destroyed while thread [0-9]+ is in a section of it@+
destroy_in_use@is destroyed while thread [0-9]+ is in a section of it@+
destroy_while_looked_up@(is destroyed while thread [0-9]+ is in a call of it|rangemap_lookup\(\) of map 0x[0-9a-f]+, which was destroyed)
update_in_signal_handler@rangemap_store\(\) in a signal handler
rewrite_in_signal_handler@rangemap_splice\(\) in a signal handler
allocation_in_signal_handler@rangemap_gap_allocate\(\) in a signal handler
poll_in_signal_handler@rangemap_domain_poll\(\) in a signal handler
impure_split@rangemap_lookup\(\) in a callback that must be pure
impure_split_that_updates@rangemap_insert\(\) in a callback that must be pure
impure_decision@rangemap_is_free\(\) in a callback that must be pure
impure_equality@rangemap_lookup\(\) in a callback that must be pure
impure_equality_of_rewrite@rangemap_lookup\(\) in a callback that must be pure
release_without_retain@the map has `release` without `retain`
callback_that_waits@rangemap_domain_synchronize\(\) would wait for the section or callback that it is called in
hard_limit_in_section@rangemap_store\(\) meets the hard limit, and the thread.s own section@+
reservation_exceeded@rangemap_store\(\) has no memory: update [0-9]+ since rangemap_reserve\(\) for 2
reversed_range@rangemap_insert\(\) refuses its arguments
reversed_range_of_update@rangemap_update\(\) refuses its arguments'

# run COMMAND...: its status in status, what it said in the file out.
run() {
    status=0
    { timeout 600 "$@" >out 2>&1 || status=$?; } 2>/dev/null # bash says which signal
}

# stops PROGRAM MISTAKE MESSAGE BEGUN
stops() {
    run "$1" "$2"
    [[ $status == 134 ]] || { cat out >&2; fail "$1 $2: status $status"; }
    grep -Eq "^rangemap: MISTAKE: .*$3" out || { cat out >&2; fail "$1 $2: not '$3'"; }
    (($(grep -c MISTAKE out) == 1)) || { cat out >&2; fail "$1 $2: more than one message"; }
    [[ $4 != + ]] || grep -Eq 'begun at 0x[0-9a-f]+(, [a-z_]+\(\))? in .*/?mistakes.*\+0x[0-9a-f]+$' out ||
        { cat out >&2; fail "$1 $2: no word of where it was begun"; }
}

# passes PROGRAM NAME: what is no mistake.
passes() {
    run "$1" "$2"
    if ((status != 0)) || grep -q MISTAKE out; then cat out >&2 && fail "$1 $2: a complaint where there is no mistake"; fi
}

# test_lenient PROGRAM: what the library refuses is the program's affair.
test_lenient() {
    export RANGEMAP_CHECKED_LENIENT=1
    passes "$1" reversed_range
    passes "$1" callback_that_waits
    stops "$1" end_twice 'rangemap_read_end\(\) without a begin' ''
    unset RANGEMAP_CHECKED_LENIENT
}

# test_stops PROGRAM
test_stops() {
    local name message begun listed
    export RANGEMAP_CHECKED_LIMIT_MS=600000 RANGEMAP_CHECKED_POISON=0
    passes "$1" none
    passes "$1" values_in_sections
    passes "$1" values_of_a_forgotten_map
    passes "$1" values_that_updates_tell_of
    while IFS=@ read -r name message begun; do
        [[ -n $name ]] || continue
        [[ $name != *long_section* ]] || export RANGEMAP_CHECKED_LIMIT_MS=20
        stops "$1" "$name" "$message" "$begun"
        export RANGEMAP_CHECKED_LIMIT_MS=600000
        count=$((count + 1))
    done <<<"$mistakes"
    listed=$("$1" | grep -Evc '^(none|value.*)$')
    test_lenient "$1"
    ((count == listed)) || fail "$count mistakes are tried of $listed"
}

# test_values PROGRAM: built with AddressSanitizer.
test_values() {
    local name kind
    export RANGEMAP_CHECKED_LIMIT_MS=0 RANGEMAP_CHECKED_POISON=1
    passes "$1" values_in_sections
    passes "$1" values_of_a_forgotten_map
    passes "$1" values_that_updates_tell_of
    for name in value_after_release value_after_section value_without_section value_of_cursor_after_section; do
        kind=use-after-poison
        [[ $name != value_after_release ]] || kind=heap-use-after-free
        run "$1" "$name"
        if ! grep -q "AddressSanitizer: $kind" out || ! grep -q "in $name " out; then cat out >&2 && fail "$1 $name: no $kind"; fi
    done
}

# ---- without it ----

# What the preprocessor makes of the library is the same whether or not checked mode is in the source: so is the machine code.
python3 - "$one_file/rangemap.c" >without.c <<'EOF'
import re, sys
depth, lines = 0, open(sys.argv[1]).read().splitlines()
for line in lines:
    opens = re.match(r"#if", line) is not None
    if depth or re.match(r"#if defined\((RANGEMAP_CHECKED|RM_IS_CHECKED)\)", line):
        depth += opens - line.startswith("#endif")
    else:
        print(line)
EOF
cp "$one_file/rangemap.h" .
gcc -E -P -DNDEBUG "$one_file/rangemap.c" -o with.i
gcc -E -P -DNDEBUG without.c -o without.i
if [[ ! -s with.i ]] || ! cmp with.i without.i; then fail "checked mode leaves something in a library without it"; fi
gcc -E -P -DNDEBUG -DRANGEMAP_CHECKED "$one_file/rangemap.c" -o checked.i
! cmp -s with.i checked.i || fail "checked mode is not in the source"
if nm "$library" | grep -E ' rm_(un)?checked'; then
    fail "the library has symbols of checked mode"
fi

# Each public function is looked at, or may be called anywhere, with anything, at any time.
free=(after_fork_in_child cursor_init cursor_init_at cursor_seek domain_blocker domain_is_attached domain_of domain_stats
    forgo_membarrier in_section kernel select_kernel unload version)
diff <(grep -oP '^(RANGEMAP_API .*)?\Krangemap_\w+(?=\()' "$one_file/rangemap.h" | sort -u) \
    <({ grep -oP '^ +CALL\(\K\w+' "$one_file/rangemap.c"; printf 'rangemap_%s\n' "${free[@]}"; } | sort -u) ||
    fail "a public function is neither checked nor said to need no check"

# ---- with it ----

gcc "${flags[@]}" "$here"/*.c ./librangemap.so.0.1 -Wl,-rpath,"$PWD" -o mistakes
gcc "${flags[@]}" -DRANGEMAP_CHECKED "$here"/*.c "$one_file/rangemap.c" -lck -o mistakes_inside &
gcc "${flags[@]}" -DRANGEMAP_CHECKED -fsanitize=address "$here"/*.c "$one_file/rangemap.c" -lck -o mistakes_asan &
printf '#!/bin/sh\nexport LD_PRELOAD=%s\nexec ./mistakes "$@"\n' "$checked" >preloaded
chmod +x preloaded
count=0
test_stops ./preloaded
wait
count=0
test_stops ./mistakes_inside
test_values ./mistakes_asan
echo "PASSED: $count mistakes, preloaded and built in"
