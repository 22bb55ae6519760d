# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# For tests of programs: sourced, with a function fail() that ends the test.

# await COMMAND...: until it succeeds. How long that takes says something about the machine alone. What it looks at must not
# be left from before.
await() {
    local end=$((SECONDS + 600))
    until "$@"; do
        [ $SECONDS -lt $end ] || fail "never: $*"
        sleep 0.1
    done
}
