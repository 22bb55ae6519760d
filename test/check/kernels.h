// SPDX-License-Identifier: BSD-2-Clause
/* Runs a test once with each search kernel that this processor has. */
#ifndef TEST_CHECK_KERNELS_H
#define TEST_CHECK_KERNELS_H

typedef void kernel_body(const void *context);

/* Calls body(context) with each kernel selected, then selects the first one again. */
void for_each_kernel(kernel_body *body, const void *context);

/* The one that the library is to choose on this processor. */
const char *best_kernel(void);

#endif
