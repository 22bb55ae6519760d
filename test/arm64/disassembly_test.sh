#!/usr/bin/env bash
# Fences in the machine code for arm64, counted in the objects of an optimised build:
#
#   lookup kernels, and every step of an update: none
#   whole operations: those of the section that they are in, which ck_epoch puts there (four to begin it, in two
#   branches, and one to end it), and two for a snapshot
#
# A lookup is between the begin and the end of a section, so it has none in between.
set -euo pipefail

objdump=/usr/bin/aarch64-linux-gnu-objdump
archive=$1
section_fences=5 snapshot_fences=2
failures=0
listing=$(mktemp -p "${TEST_TMPDIR:-/tmp}")
"$objdump" -d --no-show-raw-insn "$archive" >"$listing"

# Names of functions, and how many instructions of each match the pattern.
count() {
    awk -v pattern="$1" '/^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); n[name] += 0 }
        name != "" && $2 ~ pattern { n[name]++ } END { for (f in n) print f, n[f] }' "$listing"
}

fences=$(count '^dmb|^dsb')

# must_have_at_most LIMIT PATTERN: and at least one function is called so.
must_have_at_most() {
    local limit=$1 pattern=$2 found=0 name n
    while read -r name n; do
        [[ $name =~ ^($pattern)(\.(isra|part|constprop|cold).*)?$ ]] || continue
        found=$((found + 1))
        if ((n > limit)); then
            printf 'FAILED: %s has %d fences, not %d\n' "$name" "$n" "$limit"
            failures=$((failures + 1))
        fi
    done <<<"$fences"
    printf '%s: %d functions, at most %d fences\n' "$pattern" "$found" "$limit"
    if ((found == 0)); then
        printf 'FAILED: no function is called %s\n' "$pattern"
        failures=$((failures + 1))
    fi
}

must_have_at_most 0 '(portable|neon)_(lookup|find|lookup_batch|find_batch|descend|rank|splice|short_update)'
must_have_at_most 0 'rm_version_help'
must_have_at_most 0 'rm_(freeze_node|freeze_region|rebuild_region|walk_node|walk_map|walk_leaf|walk_current)'
must_have_at_most "$section_fences" 'rangemap_(lookup|find|lookup_batch|find_batch)'
must_have_at_most $((section_fences + snapshot_fences)) 'run|rm_update_long|rm_query_run'

# The counting itself: sections do have fences, and acquire loads are what lookups have instead.
(($(awk '$1 == "rangemap_lookup" { print $2 }' <<<"$fences") > 0)) || {
    printf 'FAILED: not even a section has a fence\n'
    failures=$((failures + 1))
}
acquires=$(count '^(ldar|ldapr)$' | awk '$1 == "neon_lookup" { print $2 }')
printf 'neon_lookup: %d acquire loads\n' "$acquires"
((acquires > 0)) || failures=$((failures + 1))
((failures == 0))
