// SPDX-License-Identifier: BSD-2-Clause
/* Calls of domains. */
#include "rangemap/checked/check.h"

#if defined(RM_IS_CHECKED)
/* Also in a signal handler, like lookups. */
int RM_CHECKED(rangemap_domain_attach)(struct rangemap_domain *domain)
{
    const void *where = RM_CHECKED_WHERE;
    struct rm_checked_thread *thread = rm_checked_anywhere("rangemap_domain_attach", where);

    return rm_checked_result(thread, RM_LIBRARY(rangemap_domain_attach)(domain), "rangemap_domain_attach",
                             where);
}

/* NOLINTBEGIN(bugprone-macro-parentheses): these define functions */
/* None of these may be made in a signal handler. */
#define DOMAIN_CALL(function, parameters, arguments)                                                         \
    int RM_CHECKED(function) parameters                                                                      \
    {                                                                                                        \
        const void *where = RM_CHECKED_WHERE;                                                                \
        struct rm_checked_thread *thread = rm_checked_outside_handlers(#function, where);                    \
                                                                                                             \
        return rm_checked_result(thread, RM_LIBRARY(function) arguments, #function, where);                  \
    }

/* Those that wait for readers: for one that does not end, they stop the program rather than wait for ever. */
#define DOMAIN_WAIT(function, parameters, arguments)                                                         \
    int RM_CHECKED(function) parameters                                                                      \
    {                                                                                                        \
        const void *where = RM_CHECKED_WHERE;                                                                \
        struct rm_checked_thread *thread = rm_checked_outside_handlers(#function, where);                    \
                                                                                                             \
        if (!rm_checked_holds(thread, rm_checked_domain(domain))) {                                          \
            rm_checked_wait(rm_checked_domain(domain));                                                      \
        }                                                                                                    \
        return rm_checked_result(thread, RM_LIBRARY(function) arguments, #function, where);                  \
    }

DOMAIN_CALL(rangemap_domain_create,
            (const struct rangemap_domain_options *options, struct rangemap_domain **domain),
            (options, domain))
DOMAIN_CALL(rangemap_domain_detach, (struct rangemap_domain * domain), (domain))
DOMAIN_CALL(rangemap_domain_defer,
            (struct rangemap_domain * domain, struct rangemap_deferred *deferred, rangemap_deferred_fn *run,
             void *context),
            (domain, deferred, run, context))
DOMAIN_CALL(rangemap_domain_poll, (struct rangemap_domain * domain), (domain))
DOMAIN_CALL(rangemap_domain_serve, (struct rangemap_domain * domain, int timeout_ms), (domain, timeout_ms))
DOMAIN_CALL(rangemap_domain_trim, (struct rangemap_domain * domain), (domain))
DOMAIN_WAIT(rangemap_domain_synchronize, (struct rangemap_domain * domain), (domain))
DOMAIN_WAIT(rangemap_domain_barrier, (struct rangemap_domain * domain), (domain))
DOMAIN_WAIT(rangemap_domain_destroy, (struct rangemap_domain * domain), (domain))
/* NOLINTEND(bugprone-macro-parentheses) */
#endif
