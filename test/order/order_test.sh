#!/usr/bin/env bash
# Every memory order that the library asks for, but those in unseen.txt, is taken away in turn: ThreadSanitizer must
# report a race. With all of them in place it must report none. Needs --config=tsan. Some that are in weak.txt are seen
# by //test/explorer:weak_order_test alone.
set -euo pipefail

folder=test/order
log=${TEST_TMPDIR:?}/log
failures=0

# run ARGUMENT...: 0 without a report, 66 with one.
run() {
    local result=0
    TSAN_OPTIONS="exitcode=66 halt_on_error=1" "$folder/workload" "$@" >"$log" 2>&1 || result=$?
    return "$result"
}

fail() {
    printf 'FAILED: %s\n' "$1"
    failures=$((failures + 1))
}

# What is cheap first; then all of it, and twice as often what a crowd does.
attempts=()
for seed in {1..20}; do
    attempts+=("--start --seed=$seed")
done
for seed in {1..20}; do
    attempts+=("--seed=$seed" "--crowd --seed=$seed" "--crowd --seed=$((seed + 20))")
done

# must_report ARGUMENT...: how many runs it takes depends on the machine.
must_report() {
    local result attempt how
    for attempt in "${attempts[@]}"; do
        read -ra how <<<"$attempt"
        result=0
        run "$@" "${how[@]}" || result=$?
        if ((result == 66)); then
            printf '%s: %s, %s\n' "$*" "$attempt" "$(grep -m1 '^SUMMARY' "$log" | cut -d: -f2-)"
            return
        fi
    done
    fail "$*: no report, last exit status $result"
}

result=0
{ run --seed=1 && run --crowd --seed=1; } || result=$?
if ((result == 77)); then
    echo "this build is without ThreadSanitizer: use --config=tsan"
    exit 1
fi
((result == 0)) || { cat "$log"; fail "something is wrong with everything in place"; }

for rule in grace section claim poll_scan; do
    must_report "--broken=$rule"
done
must_report --site=tree/freeze.c:rm_freeze_node:or_ordered --site=tree/freeze.c:rm_freeze_node:load_dependent
unseen=$(cut -f1 "$folder/unseen.txt" | grep -v -e '^#' -e '^$')
weak=$(grep -v '^#' "$folder/weak.txt" | grep -v $'\ttsan$' | cut -f1)
sites=$("$folder/workload" --list | sort -u)
for site in $sites; do
    grep -qxF "$site" <<<"$unseen"$'\n'"$weak" || must_report "--site=$site"
done
for site in $unseen; do
    grep -qxF "$site" <<<"$sites" || fail "$site in unseen.txt is not in the library"
done
printf '%d places, %d of them in unseen.txt, %d failures\n' "$(wc -l <<<"$sites")" "$(wc -l <<<"$unseen")" "$failures"
((failures == 0))
