// SPDX-License-Identifier: BSD-2-Clause
/* The name and type that fuzzers look for. */
#ifndef RANGEMAP_TEST_FUZZ_TARGET_H
#define RANGEMAP_TEST_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
