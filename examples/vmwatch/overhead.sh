#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What following costs: the best of RUNS runs of some programs, alone and under the library, in milliseconds.
# Usage: overhead.sh LIBRARY [RUNS]
set -euo pipefail
[ $# -ge 1 ] || { echo "usage: overhead.sh LIBRARY [RUNS]" >&2; exit 2; }
library=$(realpath "$1") runs=${2:-7}

# best COMMAND...: the shortest of the runs.
best() {
    local least=999999999 before after
    for ((i = 0; i < runs; i++)); do
        before=$(date +%s%N)
        "$@" >/dev/null 2>&1
        after=$(date +%s%N)
        ((after - before < least)) && least=$((after - before))
    done
    echo $((least / 1000))
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
