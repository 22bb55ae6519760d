// SPDX-License-Identifier: BSD-2-Clause
/* Rules that are broken: told to the warn function of pagemap, or the end. */
#ifndef PAGEMAP_COMPAT_LINUX_BUG_H
#define PAGEMAP_COMPAT_LINUX_BUG_H

#include <linux/compiler.h>
#include <linux/printk.h>

/* Tells the warn function where, and returns `broken`. */
int pagemap_compat_warn_on(int broken, const char *what, const char *file, int line);
void pagemap_compat_bug(const char *what, const char *file, int line) __attribute__((noreturn));

#define WARN_ON(condition) pagemap_compat_warn_on(!!(condition), #condition, __FILE__, __LINE__)
#define WARN(condition, ...) pagemap_compat_warn_on(!!(condition), #condition, __FILE__, __LINE__)
#define WARN_ON_ONCE(condition)                                                                              \
    ({                                                                                                       \
        static char told_;                                                                                   \
        int broken_ = !!(condition);                                                                         \
        if (unlikely(broken_) && !__atomic_exchange_n(&told_, 1, __ATOMIC_RELAXED)) {                        \
            (void)pagemap_compat_warn_on(1, #condition, __FILE__, __LINE__);                                 \
        }                                                                                                    \
        broken_;                                                                                             \
    })
#define WARN_ONCE(condition, ...) WARN_ON_ONCE(condition)
#define WARN_TAINT(condition, taint, ...) WARN_ON(condition)
#define BUG() pagemap_compat_bug("BUG()", __FILE__, __LINE__)
#define BUG_ON(condition)                                                                                    \
    do {                                                                                                     \
        if (unlikely(condition)) {                                                                           \
            pagemap_compat_bug(#condition, __FILE__, __LINE__);                                              \
        }                                                                                                    \
    } while (0)
#define VM_BUG_ON(condition) BUG_ON(condition)
#define VM_BUG_ON_PAGE(condition, page) BUG_ON(condition)
#define VM_BUG_ON_FOLIO(condition, folio) BUG_ON(condition)
#define VM_WARN_ON(condition) ((void)WARN_ON(condition))
#define VM_WARN_ON_ONCE(condition) WARN_ON_ONCE(condition)
#define VM_WARN_ON_ONCE_PAGE(condition, page) WARN_ON_ONCE(condition)

#endif
