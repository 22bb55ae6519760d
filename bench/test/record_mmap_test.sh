#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Converts output of strace that has everything in it that is hard; records a program where strace may trace.
set -eu
record=$PWD/$1
replay=$PWD/$2
cd "$TEST_TMPDIR"

cat >strace.out <<'EOF'
100 execve("/bin/p", ["p", "a, b) = 3"], 0x7ffe /* 3 vars */) = 0
100 brk(NULL)                         = 0x5000
100 mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f0000000000
100 mmap(0x1000, 8192, PROT_READ, MAP_PRIVATE|MAP_FIXED_NOREPLACE, 3, 0) = -1 EEXIST (File exists)
100 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD, child_tid=0x7f, stack_size=0x7fff80} => {parent_tid=[101]}, 88) = 101
101 mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE, -1, 0 <unfinished ...>
100 mprotect(0x7f0000000000, 4096, PROT_READ|PROT_EXEC) = 0
101 <... mmap resumed>)               = 0x7f0000010000
100 vfork( <unfinished ...>
102 execve("/bin/true", ["true"], 0x7ffe /* 3 vars */ <unfinished ...>
100 <... vfork resumed>)              = 102
102 <... execve resumed>)             = 0
100 mremap(0x7f0000000000, 8192, 16384, MREMAP_MAYMOVE) = 0x7f0000020000
100 mremap(0x7f0000020000, 16384, 16384, MREMAP_MAYMOVE|MREMAP_DONTUNMAP) = 0x7f0000030000
102 munmap(0x7f0000010000, 4096)      = 0
100 clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLD, child_tidptr=0x7f) = 103
103 exit_group(0)                     = ?
103 +++ exited with 0 +++
EOF
cat >expected <<'EOF'
1 exec
1 brk 0x5000
1 map 0x7f0000000000 8192 rw-
1 thread 2
1 protect 0x7f0000000000 4096 r-x
2 map 0x7f0000010000 4096 ---
1 thread 3
3 exec
1 move 0x7f0000000000 8192 0x7f0000020000 16384
1 move 0x7f0000020000 16384 0x7f0000030000 16384 keep
3 unmap 0x7f0000010000 4096
1 fork 4
EOF
awk -f "$(dirname "$record")/record_mmap.awk" strace.out >converted
diff -u expected converted

# Arguments that make no sense.
for arguments in "" "--" "-o" "--nonsense x"; do
    status=0
    # shellcheck disable=SC2086 # several arguments
    "$record" $arguments >/dev/null 2>&1 || status=$?
    [ "$status" -eq 2 ] || { echo "FAILED: record_mmap $arguments: status $status" >&2; exit 1; }
done

if ! strace -qq -o /dev/null true 2>/dev/null; then
    echo "SKIPPED: strace cannot trace here"
    exit 0
fi
status=0
"$record" -o true.trace -- sh -c 'cat /dev/null | cat; exit 3' || status=$?
[ "$status" -eq 3 ] || { echo "FAILED: the status of the program was lost: $status" >&2; exit 1; }
grep -q '^[0-9]* fork ' true.trace
"$replay" --quick --sets mmap --trace true.trace
echo PASSED
