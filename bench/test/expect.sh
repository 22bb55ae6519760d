# shellcheck shell=sh
# SPDX-License-Identifier: BSD-2-Clause
# For tests of programs: sourced, with the program's path in $program.

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# expect STATUS ARGUMENT...: runs the program; its output goes to the files out and err.
expect() {
    wanted=$1
    shift
    status=0
    # shellcheck disable=SC2154 # who sources this sets it
    "$program" "$@" >out 2>err || status=$?
    [ "$status" -eq "$wanted" ] && return
    tail -n 20 out err >&2
    fail "${program##*/} $*: status $status instead of $wanted"
}
