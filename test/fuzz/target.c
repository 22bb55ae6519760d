// SPDX-License-Identifier: BSD-2-Clause
/* What libFuzzer and AFL++ call. */
#include "test/fuzz/target.h"

#include "test/fuzz/machine.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    machine_run(data, size);
    return 0;
}
