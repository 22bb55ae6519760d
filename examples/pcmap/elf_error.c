// SPDX-License-Identifier: BSD-2-Clause
/*
 * In place of libelf's own: the latest error of a thread, which nobody here asks for. Debian's libelf.a is fit for
 * shared libraries but for this one object, whose thread-local storage has its place fixed in programs.
 */
void __libelf_seterrno(int value);

void __libelf_seterrno(int value)
{
    (void)value;
}
