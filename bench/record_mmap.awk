# SPDX-License-Identifier: BSD-2-Clause
# Converts the output of `strace -f -o` to the format of bench/sets/mmap_trace.h; see record_mmap.
# Only calls that succeeded are written, at the place where they returned. Plain awk: no bit operations.

# Small numbers for processes, in the order in which they appear.
function small(pid) {
    if (!(pid in number))
        number[pid] = ++processes
    return number[pid]
}

# "PROT_READ|PROT_EXEC" -> "r-x"
function protection(text) {
    return (text ~ /PROT_READ/ ? "r" : "-") (text ~ /PROT_WRITE/ ? "w" : "-") (text ~ /PROT_EXEC/ ? "x" : "-")
}

function new_process(parent, child, call) {
    if (child in known)
        return
    known[child] = 1
    print small(parent), (call ~ /CLONE_VM|^vfork/ ? "thread" : "fork"), small(child)
}

# A child may be seen before the call of its parent returns: then it comes of the oldest unfinished one.
function first_sight(pid,    i) {
    if (pid in known)
        return
    for (i = 1; i <= waiting; i++) {
        if (parent_waits[i] != "" && pending[parent_waits[i]] ~ /^(fork|vfork|clone|clone3)\(/) {
            new_process(parent_waits[i], pid, pending[parent_waits[i]])
            parent_waits[i] = ""
            return
        }
    }
    known[pid] = 1
}

# Writes one whole call. argument[] are the texts between commas; no string argument matters here.
function emit(pid, call, result,    name, arguments, argument, count, i) {
    if (result ~ /^-1/ || result ~ /^\?/)
        return
    name = call
    sub(/\(.*/, "", name)
    arguments = call
    sub(/^[a-z0-9_]+\(/, "", arguments)
    count = split(arguments, argument, ",")
    for (i = 1; i <= count; i++)
        gsub(/^ +|[ )]+$/, "", argument[i])
    if (name == "mmap")
        print small(pid), "map", result, argument[2], protection(argument[3])
    else if (name == "munmap")
        print small(pid), "unmap", argument[1], argument[2]
    else if (name == "mprotect")
        print small(pid), "protect", argument[1], argument[2], protection(argument[3])
    else if (name == "mremap")
        print small(pid), "move", argument[1], argument[2], result, argument[3] \
            (argument[2] == "0" || call ~ /DONTUNMAP/ ? " keep" : "")
    else if (name == "brk")
        print small(pid), "brk", result
    else if (name ~ /^execve/)
        print small(pid), "exec"
    else if (name ~ /^(fork|vfork|clone|clone3)$/ && result > 0)
        new_process(pid, result, call)
}

{
    pid = 0
    line = $0
    if (match(line, /^[0-9]+ +/)) {
        pid = $1
        line = substr(line, RLENGTH + 1)
    }
    first_sight(pid)
}

line ~ /^[a-z0-9_]+\(.*<unfinished \.\.\.>$/ {
    sub(/ *<unfinished \.\.\.>$/, "", line)
    pending[pid] = line
    parent_waits[++waiting] = pid
    next
}

line ~ /^<\.\.\. [a-z0-9_]+ resumed>/ {
    sub(/^<\.\.\. [a-z0-9_]+ resumed>/, "", line)
    line = pending[pid] line
    delete pending[pid]
}

# "call(arguments) = result", perhaps with a remark behind the result
line ~ /^[a-z0-9_]+\(.*\) += / {
    result = line
    sub(/^.*\) += /, "", result)
    sub(/ .*/, "", result)
    call = line
    sub(/\) += [^=]*$/, ")", call)
    emit(pid, call, result)
}
