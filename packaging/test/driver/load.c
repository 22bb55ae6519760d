// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/compat/user.h"

int main(void)
{
    struct pagemap_memory_options options = {.kind = PAGEMAP_MEMFD, .bytes = 2 << 20};
    struct pagemap_memory *memory;

    return pagemap_memory_create(&options, &memory) != 0 ||
           pagemap_memory_plug(memory, UINT64_C(1) << 32) != 0 || pagemap_compat_load("driver") != 0 ||
           pagemap_compat_unload("driver") != 0 || pagemap_memory_unplug(memory) != 0;
}
