// SPDX-License-Identifier: BSD-2-Clause
/*
 * What Concurrency Kit's configure script would write for the compiler's target, for builds that take ck_epoch.c from
 * its source. The memory model of the processor is all that matters here; the rest are the script's defaults.
 */
#ifndef CK_MD_H
#define CK_MD_H

#define CK_MD_CACHELINE (64)
#define CK_MD_PAGESIZE (4096)
#define CK_MD_RTM_DISABLE
#define CK_MD_LSE_DISABLE
#define CK_MD_POINTER_PACK_DISABLE
#define CK_MD_SSE_ENABLE
#define CK_MD_VMA_BITS_UNKNOWN
#define CK_MD_PPC32_LWSYNC_DISABLE
#define CK_PR_ENABLE_DOUBLE

#if defined(__x86_64__)
#define CK_MD_TSO
#else
#define CK_MD_RMO
#endif

#endif
