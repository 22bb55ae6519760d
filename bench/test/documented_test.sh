#!/usr/bin/env bash
# Usage: documented_test.sh NAME=PROGRAM... -- DOCUMENT...
#
# Runs every `./bazelw run ... //bench:NAME -- ARGUMENTS` of the documents as it is written there, with options behind it
# that make it short, and as `bazel run` would: from among the program's files, with the user's folder in the
# environment and little else. Files that a user would have are there.
set -euo pipefail

declare -A program
while [[ $1 != -- ]]; do
    program[${1%%=*}]=$PWD/${1#*=}
    shift
done
shift
user_folder=$(mktemp -d -p "$TEST_TMPDIR")
failures=0 commands=0

# Sets short to what makes a run of $1 with the arguments behind it short.
shorten() {
    case $1:$* in
    *--help* | *--list*) short=() ;;
    compare:*--full*) short=(--list) ;;
    compare:*--benchmark_filter*) short=(--seconds 0.001) ;;
    compare:*--sizes*) short=(--quick --sizes 64) ;;
    compare:*) short=(--quick --sizes 64 --shapes mixed --threads 1) ;;
    replay:*) short=(--quick) ;;
    cores:*) short=(--warm-up 1 --measured 1 --threads '1,2' --ranges 256) ;;
    pagemap:*) short=(2 1) ;;
    report:*) short=() ;;
    *) return 1 ;;
    esac
}

run() {
    local name=$1
    shift
    commands=$((commands + 1))
    if [[ -z ${program[$name]-} ]] || ! shorten "$name" "$@"; then
        printf 'FAILED: this test does not know //bench:%s\n' "$name"
        failures=$((failures + 1))
        return
    fi
    printf '%s\n' "//bench:$name -- $* ${short[*]}"
    if ! env -i HOME="$user_folder" PATH="$PATH" BUILD_WORKSPACE_DIRECTORY="$user_folder" BUILD_WORKING_DIRECTORY="$user_folder" \
        "${program[$name]}" "$@" "${short[@]}" >"$TEST_TMPDIR/out" 2>&1; then
        tail -n 20 "$TEST_TMPDIR/out"
        printf 'FAILED: //bench:%s -- %s\n' "$name" "$*"
        failures=$((failures + 1))
    fi
}

printf '10,19,1\n30,39,2\n' >"$user_folder/my_ranges.csv"
cp bench/data/build.trace "$user_folder/my.trace"
while IFS= read -r command; do
    name=${command#*//bench:}
    name=${name%% *}
    arguments=()
    if [[ $command == *' -- '* ]]; then
        eval "arguments=(${command#* -- })" # quoted as for a shell
    fi
    run "$name" "${arguments[@]}"
done < <(grep -ho "\./bazelw run [^\`;#]*//bench:[^\`;#]*" "$@" | sed 's/ *$//' | awk '!seen[$0]++')

[[ -s $user_folder/out.json && -s $user_folder/out.html ]] || {
    printf 'FAILED: out.json or out.html is not in the folder of the user\n'
    failures=$((failures + 1))
}
printf '%d commands, %d failures\n' "$commands" "$failures"
((commands >= 10 && failures == 0))
