// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where redirected system calls come out. patch.c overwrites the five bytes before a `syscall` instruction with a
 * jump to one of the stubs below; those bytes loaded the number or an argument, which is made up for here. The
 * `syscall` itself stays where it was. As after a system call, rcx and r11 are lost and all else but rax is kept;
 * vector registers are not, which suits functions whose callers expect no better: glibc's wrappers.
 */

/* Index of a site in r11, a number in rax if the site has none of its own. */
#define GENERIC 31

    .text
    .hidden patch_stubs, patch_generic_stub, patch_returns, patch_numbers, patch_site_call

    .globl patch_stubs
    .balign 16
patch_stubs:
    .set index, 0
    .rept GENERIC
    .balign 16
    movl $index, %r11d
    jmp enter
    .set index, index + 1
    .endr

/* libc's syscall(): only numbers that are followed leave the usual way. */
    .globl patch_generic_stub
    .balign 16
patch_generic_stub:
    movq 8(%rsp), %r9
    movl $GENERIC, %r11d
    cmpq $512, %rax
    jae 1f
    leaq patch_numbers(%rip), %rcx
    cmpb $0, (%rcx,%rax)
    jne enter
1:  leaq patch_returns(%rip), %rcx
    movq 8*GENERIC(%rcx), %rcx
    subq $2, %rcx /* to the syscall instruction */
    jmp *%rcx

    .balign 16
enter:
    .cfi_startproc
    .cfi_undefined rip
    leaq -128(%rsp), %rsp /* the red zone */
    pushq %rbp
    movq %rsp, %rbp
    andq $-16, %rsp
    pushq %r9
    pushq %r8
    pushq %r10
    pushq %rdx
    pushq %rsi
    pushq %rdi /* struct sys_args */
    pushq %r11
    pushq %rax
    movl %r11d, %edi
    movq %rax, %rsi
    leaq 16(%rsp), %rdx
    movq 136(%rbp), %rcx /* the word at the wrapper's rsp */
    cld
    call patch_site_call
    popq %rdi
    popq %r11
    popq %rdi
    popq %rsi
    popq %rdx
    popq %r10
    popq %r8
    popq %r9
    movq %rbp, %rsp
    popq %rbp
    leaq 128(%rsp), %rsp
    leaq patch_returns(%rip), %rcx
    movq (%rcx,%r11,8), %r11
    jmp *%r11
    .cfi_endproc

    .section .note.GNU-stack, "", @progbits
