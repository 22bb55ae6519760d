// SPDX-License-Identifier: BSD-2-Clause
/* Messages. By default those of level warning and above go to standard error. */
#ifndef PAGEMAP_COMPAT_LINUX_PRINTK_H
#define PAGEMAP_COMPAT_LINUX_PRINTK_H

#include <stdarg.h>

#include <linux/types.h>

/* The levels of the kernel, 0 (emergency) to 7 (debug). */
enum {
    LOGLEVEL_EMERG,
    LOGLEVEL_ALERT,
    LOGLEVEL_CRIT,
    LOGLEVEL_ERR,
    LOGLEVEL_WARNING,
    LOGLEVEL_NOTICE,
    LOGLEVEL_INFO,
    LOGLEVEL_DEBUG
};

/*
 * The C library's formats; those that the kernel has beyond %p (%pR and its like) print a pointer and the letter.
 * Where messages go is set by pagemap_compat_set_printk() of pagemap/compat/user.h.
 */
int pagemap_compat_printk(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifndef pr_fmt
#define pr_fmt(format) format
#endif
#define KERN_EMERG ""
#define KERN_ALERT ""
#define KERN_CRIT ""
#define KERN_ERR ""
#define KERN_WARNING ""
#define KERN_NOTICE ""
#define KERN_INFO ""
#define KERN_DEBUG ""
#define KERN_CONT ""
#define printk(...) pagemap_compat_printk(LOGLEVEL_INFO, __VA_ARGS__)
#define printk_ratelimited printk
#define pr_emerg(format, ...) pagemap_compat_printk(LOGLEVEL_EMERG, pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) pagemap_compat_printk(LOGLEVEL_ALERT, pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) pagemap_compat_printk(LOGLEVEL_CRIT, pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) pagemap_compat_printk(LOGLEVEL_ERR, pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) pagemap_compat_printk(LOGLEVEL_WARNING, pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) pagemap_compat_printk(LOGLEVEL_NOTICE, pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) pagemap_compat_printk(LOGLEVEL_INFO, pr_fmt(format), ##__VA_ARGS__)
#define pr_cont(format, ...) pagemap_compat_printk(LOGLEVEL_INFO, format, ##__VA_ARGS__)
#define pr_debug(format, ...) pagemap_compat_printk(LOGLEVEL_DEBUG, pr_fmt(format), ##__VA_ARGS__)
#define pr_devel pr_debug
#define pr_err_ratelimited pr_err
#define pr_warn_ratelimited pr_warn
#define pr_info_ratelimited pr_info
#define pr_debug_ratelimited pr_debug
#define pr_err_once pr_err
#define pr_warn_once pr_warn
#define pr_info_once pr_info
#define no_printk(...) ((void)0)
#define dump_stack() ((void)0)

#endif
