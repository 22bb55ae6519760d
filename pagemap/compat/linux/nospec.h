// SPDX-License-Identifier: BSD-2-Clause
/* Speculation, which is left alone. */
#ifndef PAGEMAP_COMPAT_LINUX_NOSPEC_H
#define PAGEMAP_COMPAT_LINUX_NOSPEC_H

#define array_index_nospec(index, size) (index)

#endif
