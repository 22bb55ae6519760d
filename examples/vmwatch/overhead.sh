#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What following costs: the least CPU time of RUNS runs of some programs, alone and under the library, in milliseconds.
# CPU time, since other load on the machine disturbs it least.
# Usage: overhead.sh LIBRARY [RUNS]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: overhead.sh LIBRARY [RUNS]" >&2; exit 2; }
library=$(realpath "$1") runs=${2:-7}

# best COMMAND...: the least of the runs, user and system, of all threads and children; in microseconds.
best() {
    local TIMEFORMAT='%3U %3S' least=999999999 user system cost
    for ((i = 0; i < runs; i++)); do
        read -r user system < <({ time "$@" >/dev/null 2>&1; } 2>&1)
        cost=$(((10#${user/./} + 10#${system/./}) * 1000))
        ((cost < least)) && least=$cost
    done
    echo "$least"
}

compare() {
    local name=$1 alone followed
    shift
    command -v "$1" >/dev/null || { echo "$name: $1 is not installed"; return; }
    alone=$(best env "$@") followed=$(best env LD_PRELOAD="$library" "$@")
    awk -v n="$name" -v a="$alone" -v f="$followed" \
        'BEGIN { printf "%-28s %9.1f %9.1f   %+.1f %%\n", n, a / 1000, f / 1000, (f - a) * 100 / a }'
}

printf '%-28s %9s %9s\n' program alone followed
compare "true (a process's start)" true
compare "20,000 mmap and munmap" /usr/bin/python3 -c 'import mmap
for i in range(20000): mmap.mmap(-1, 1 << 16).close()'
compare "python3, 50 MB of lists" /usr/bin/python3 -c 'x = [[i] for i in range(1000000)]'
compare "java -version" java -version
compare "node" node -e 'for (let i = 0; i < 50; i++) new ArrayBuffer(1 << 22)'
compare "clang of stdio.h" clang -x c -fsyntax-only -include stdio.h /dev/null
