// SPDX-License-Identifier: BSD-2-Clause
/* Kinds of characters. */
#ifndef PAGEMAP_COMPAT_LINUX_CTYPE_H
#define PAGEMAP_COMPAT_LINUX_CTYPE_H

#include <ctype.h>

#endif
