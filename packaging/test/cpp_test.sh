#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# rangemap.hpp compiles without a warning and works in C++17, 20 and 23, by gcc and two clangs; what cannot be right does not
# compile; and what it costs beyond the calls of C.
set -euo pipefail
root=$PWD library=$PWD/packaging/librangemap.a
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# silent COMMAND...: must succeed and say nothing.
silent() {
    "$@" >out 2>&1 || { cat out >&2; fail "$*"; }
    [[ ! -s out ]] || { cat out >&2; fail "$*: warnings"; }
}

# ---- compilers and standards ----

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -I"$root")
# test_with COMPILER STANDARD OPTION...
test_with() {
    silent "$1" -std="$2" "${@:3}" "${warnings[@]}" "$root/test/cpp/rangemap_hpp_test.cc" "$library" -lck -pthread -o program
    ./program >out || { cat out >&2; fail "$*"; }
    grep -q checks out || fail "$*: no checks"
}
# clang 14 cannot read libstdc++'s <ranges>.
test_with g++ c++17
test_with g++ c++20 -DHAS_RANGES
test_with g++ c++23 -DHAS_RANGES -fno-rtti
test_with clang++ c++17
test_with clang++ c++20
test_with clang++-16 c++20 -DHAS_RANGES
test_with clang++-16 c++2b -DHAS_RANGES

# ---- what must not compile ----

# rejects PATTERN STATEMENT...: does not compile for this reason, but does without the last statement.
rejects() {
    local statements
    for statements in "${*:2:$#-2}" "${*:2}"; do
        printf '#include "rangemap/rangemap.hpp"\n#include <string>\nint main() { %s }\n' "$statements" >wrong.cc
        g++ -std=c++17 -fsyntax-only -I"$root" wrong.cc 2>out && continue
        [[ $statements == "${*:2}" ]] || { cat out >&2; fail "does not compile anyway: $statements"; }
        grep -q "$1" out || { cat out >&2; fail "$statements: no word of '$1'"; }
        return
    done
    fail "compiles: ${*: -1}"
}
rejects 'no larger than a pointer' 'rangemapxx::map<int> fine;' 'rangemapxx::map<std::string> wrong; wrong.lookup(1);'
rejects 'use of deleted function' 'rangemapxx::map<int *> m; auto r = m.read();' 'auto copy = r;'
rejects 'use of deleted function' 'rangemapxx::map<int *> m;' 'm.read().find(1);'
rejects 'use of deleted function' 'rangemapxx::map<int *> m;' 'm.snap().ascending();'
rejects 'use of deleted function' 'rangemapxx::map<int> m;' 'auto copy = m;'
rejects 'told apart by their boxes' 'rangemapxx::map<std::shared_ptr<int>> m; std::shared_ptr<int> p;' 'm.replace(1, 2, p, p);'
if g++ -std=c++14 -fsyntax-only -I"$root" -x c++ "$root/rangemap/rangemap.hpp" 2>out || ! grep -q 'needs C++17' out; then
    fail "C++14 is not told what is needed"
fi

# ---- cost: instructions ----

# count WAY: instructions of it.
count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null ./calls "$1" 2>&1 >/dev/null | sed -n 's/.*Collected : \([0-9]*\)$/\1/p'
}

# costs COMPILER PER_MILLE ANSWER: no more beyond C's calls, by these declarations of what a lookup finds.
costs() {
    local c cpp
    silent "$1" -std=c++17 -O2 "-DANSWER=$3" "${warnings[@]}" "$root/test/cpp/calls.cc" "$library" -lck -pthread -o calls
    [[ $(./calls c) == $(./calls cpp) ]] || fail "calls: other sums"
    c=$(count c) cpp=$(count cpp)
    echo "$1, $3: $c instructions by C, $cpp by C++"
    ((c > 1000000 && cpp * 1000 <= c * (1000 + $2))) || fail "rangemap.hpp costs more than it did"
}
costs g++ 5 auto
costs clang++ 5 auto
costs clang++ 5 'const auto'
costs g++ 30 'const auto' # as the header says of COST
echo PASSED
