#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The gdb commands on a core file and on a process, with and without debug information of the library: what they print
# is what the program wrote of itself. Damaged maps are shown as far as they can be, and not for ever.
# Usage: gdb_test.sh AMALGAMATION_FOLDER MAPS_C RANGEMAP_PY
set -euo pipefail
amalgamation=$PWD/$1 source=$PWD/$2 script=$PWD/$3
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# debug PROGRAM ARGUMENT...: gdb with the script, without anybody's settings. Errors of commands do not end it.
debug() {
    timeout 600 gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set confirm off' \
        -ex 'set disable-randomization off' -ex 'set print elements 0' -ex "source $script" "${@:2}" "$1" </dev/null
}

# queue NAME COMMAND...: to be run by run_queue; the file NAME gets the output.
queue() {
    local command
    queued+=(-ex "echo ==== $1\\n")
    for command in "${@:2}"; do queued+=(-ex "$command"); done
}

# run_queue PROGRAM ARGUMENT...: in one gdb, after these arguments.
run_queue() {
    debug "$@" "${queued[@]}" -ex 'echo ==== rest\n' -ex kill >all 2>&1 || true
    awk '/^==== / { file = $2; printf "" >file; next } file { print >file }' all
    queued=()
}

# says FILE PATTERN: there is such a line.
says() {
    grep -Eq -- "$2" "$1" || { head -50 "$1" >&2; fail "$kind: $1: no word of: $2"; }
}

# same FILE FILE
same() {
    diff "$1" "$2" >difference || { head -20 difference >&2; fail "$kind: $1 is not as $2"; }
}

# queue_all PLAIN EMPTY HALTED HIDDEN: expressions for the program's maps.
queue_all() {
    queue print_plain "rangemap print $1"
    queue print_part "rangemap print $1, 0x22, 2*32"
    queue print_empty "rangemap print $2"
    queue print_halted "rangemap print $3"
    queue print_hidden "rangemap print $4"
    queue tree_plain "rangemap tree $1"
    queue tree_empty "rangemap tree $2"
    queue find "rangemap find $1 0x21"
    queue find_nothing "rangemap find $1 0x24"
    queue find_halted "rangemap find $3 40001"
    queue info_plain "rangemap info $1"
    queue info_halted "rangemap info $3"
    queue unreadable 'rangemap print 64'
    queue unaligned 'rangemap print 1'
    queue no_argument 'rangemap print'
    queue no_key "rangemap find $1"
    queue no_name 'rangemap print no_such_name'
    queue no_map 'rangemap print 1.5'
    queue no_command 'rangemap'
    queue help 'help rangemap'
}

# check_all: what has come of it.
check_all() {
    same print_plain "$kind/plain.ranges"
    same print_halted "$kind/halted.ranges"
    sed -n '3,5p' "$kind/plain.ranges" >part && same print_part part
    [[ ! -s print_empty ]] || fail "$kind: an empty map"
    says print_hidden '^\[0x1, 0x2\] = 0x[0-9a-f]+ <landmark>$'
    same tree_plain "$kind/plain.tree"
    says tree_empty '^leaf 0x[0-9a-f]+ level 0 count 0 version [0-9]+ keys 0\.\.0xffffffffffffffff$'
    says find '^inner 0x[0-9a-f]+ keys 0\.\.0xffffffffffffffff$'
    says find '^leaf '
    says find '^\[0x20, 0x22\] = 0x2$'
    (($(wc -l <"find") == 5)) || fail "$kind: other than three inner nodes, a leaf and a range"
    says find_nothing '^no range holds 0x24$'
    says find_halted '^(inner|leaf) 0x[0-9a-f]+ frozen keys'
    says info_plain '^map 0x[0-9a-f]+: 5002 ranges, height 3$'
    says info_plain '^  0 frozen slots'
    says info_halted '^  [1-9][0-9]* frozen slots'
    says info_halted '^  split 0x[0-9a-f]+ <halt>$'
    says unreadable 'There is no map at 0x40: the memory at 0x40 cannot be read\.$'
    says unaligned 'There is no map at 0x1: maps are aligned'
    says no_argument 'Wrong number of arguments'
    says no_key 'Wrong number of arguments'
    says no_name 'No symbol "no_such_name"'
    says no_map 'neither a map nor'
    says no_command "See 'help rangemap'"
    says help 'rangemap find MAP KEY'
}

# check_domain: its figures, the thread that stalls it, and the one in the middle of an update.
check_domain() {
    says info_halted '^domain 0x[0-9a-f]+: 4 maps, epoch [0-9]+, [1-9][0-9]* bytes of chunks, [1-9][0-9]* bytes pending, 0 retries$'
    says info_halted '^  thread [0-9]+: attached, in a section [12] epochs behind$'
    says info_halted '^  thread [0-9]+: attached, in a section 0 epochs behind, in an update or reclaiming$'
}

# ---- core files, in the middle of an update ----

declare -A debug_information=([debug]=-g [bare]=-g0)
for kind in debug bare; do
    mkdir $kind
    gcc -O1 "${debug_information[$kind]}" -I"$amalgamation" "$amalgamation/rangemap.c" "$source" -pthread -lck \
        -o $kind/maps &
done
wait
queued=()
for kind in debug bare; do
    debug $kind/maps -ex "run $PWD/$kind" -ex "generate-core-file $kind/core" >out 2>&1 || true
    [[ -s $kind/core ]] || { cat out >&2; fail "$kind: gdb writes no core file"; }
done

kind=debug
queue_all plain empty halted hidden
queue print_object 'rangemap print *plain'
queue layout 'python for p in DOMAIN_LAYOUT: debug_layout(p) == DOMAIN_LAYOUT[p] or print(f"    {p!r}: {debug_layout(p)},")'
queue limited_print 'set print elements 10' 'rangemap print plain'
queue limited_tree 'rangemap tree plain'
run_queue debug/maps -ex 'core-file debug/core'
check_all
same print_object debug/plain.ranges
check_domain
[[ ! -s layout ]] || { cat layout >&2; fail "the layout of domains and threads is not as DOMAIN_LAYOUT has it: it should have the lines above"; }
says limited_print 'and more; .set print elements 0. lifts the limit'
(($(wc -l <limited_print) == 11)) || fail "other than 10 ranges: $(head -50 limited_print)"
says limited_tree 'and more; .set print elements 0. lifts the limit'

kind=bare
queue_all '*(long*)&plain' '*(long*)&empty' '*(long*)&halted' '*(long*)&hidden'
run_queue bare/maps -ex 'core-file bare/core'
check_all
check_domain

# ---- a process, and damage ----

# damage NAME WORD VALUE COMMAND: with another value for the word at an address; then it is put back.
damage() {
    queue "$1" "set \$kept = {unsigned long}($2)" "set {unsigned long}($2) = $3" "rangemap $4" \
        "set {unsigned long}($2) = \$kept"
}

# is_shown_but_for FILE FAULT: and the rest of the map is there.
is_shown_but_for() {
    says "$1" "FAULT.*$2"
    says "$1" '^1 fault, marked above\.$'
    (($(grep -c '^\[0x' "$1") > 1500)) || fail "$1: the rest of the map is not shown"
}

kind=damaged
mkdir damaged
# Words of the root, which has several children: slot 1 is at 136. $leaf is below the second child.
# shellcheck disable=SC2016 # names of gdb's
{
    queue none 'set $node = *(unsigned long *)plain' \
        'set $leaf = *(unsigned long *)(*(unsigned long *)(*(unsigned long *)($node + 136) + 128) + 128)' 'rangemap print plain'
    for command in print tree info; do damage in_$command '$node + 136' 0x10 "$command plain"; done
    damage in_find '$node + 136' 0x10 'find plain 0x5000'
    damage wild '$node + 136' 0x1000 'print plain'
    damage circle '$node + 136' '$node' 'print plain'
    damage meta '*(unsigned long *)($node + 136)' -1 'print plain'
    damage separator '$node + 8' 0 'print plain'
    damage start '$leaf + 8' 5 'print plain'
    damage root plain 0 'print plain'
    damage root_wild plain 0x1000 'info plain'
    damage domain '(char *)plain + 8' 0x1000 'info plain'
    queue mended 'rangemap print plain'
}
run_queue debug/maps -ex 'run damaged'
same none damaged/plain.ranges
for command in print tree info find; do
    says in_$command 'FAULT.*\b0 is no address of a node'
done
is_shown_but_for in_print '\b0 is no address of a node'
is_shown_but_for wild 'the memory at 0x1000 cannot be read'
is_shown_but_for circle 'is of level 3, not 2'
is_shown_but_for meta 'has level 31 and 31 entries'
is_shown_but_for start 'range \[0x5, 0x'
says separator 'FAULT.*separator 0 does not ascend'
says root 'There is no map at 0x.*: its root would be at 0\.$'
says root_wild 'the memory at 0x1000 cannot be read'
says domain 'FAULT in domain 0x1000'
same mended damaged/plain.ranges

# A program of another version: its debug information tells.
sed 's/("struct rm_inner", "slot", 2 \* LINE)/("struct rm_inner", "slot", 3 * LINE)/' "$script" >other.py
! cmp -s other.py "$script" || fail "nothing is changed"
script=$PWD/other.py
queue other 'rangemap print plain'
run_queue debug/maps -ex 'core-file debug/core'
says other 'rangemap is of another version than this script: struct rm_inner.slot'
echo PASSED
