// SPDX-License-Identifier: BSD-2-Clause
/* A sanitizer needs memory and mappings itself, and is slow. */
#ifndef PAGEMAP_TEST_SANITIZED_H
#define PAGEMAP_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#endif
