// SPDX-License-Identifier: BSD-2-Clause
/*
 * In place of libc's syscall(): the same, but for seccomp, prctl, and a fork. A function in C could not stand for it, since
 * the child of a clone with a stack of its own returns on that.
 */
    .text
    .globl syscall
    .type syscall, @function
    .hidden confine_syscall, confine_errno
    .balign 16
syscall:
    .cfi_startproc
    cmpq $317, %rdi /* seccomp */
    je confine_syscall
    cmpq $157, %rdi /* prctl */
    je confine_syscall
    cmpq $57, %rdi /* fork */
    je confine_syscall
    cmpq $56, %rdi /* clone: flags, stack */
    jne 1f
    testq $0x100, %rsi /* CLONE_VM */
    jne 1f
    testq %rdx, %rdx
    je confine_syscall
1:  movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    cmpq $-4095, %rax
    jae 2f
    ret
2:  negl %eax
    pushq %rax
    .cfi_adjust_cfa_offset 8
    call confine_errno
    popq %rcx
    .cfi_adjust_cfa_offset -8
    movl %ecx, (%rax)
    movq $-1, %rax
    ret
    .cfi_endproc
    .size syscall, . - syscall

    .section .note.GNU-stack, "", @progbits
