// SPDX-License-Identifier: BSD-2-Clause
#include "rangemap/epoch/domain.h"

static rm_word default_domain;
static rm_word domains; /* that there are, the default one included */

struct rangemap_domain *rm_domain_new(const struct rangemap_domain_options *options)
{
    static const struct rangemap_domain_options none;
    struct rangemap_domain *domain;

    options = options != NULL ? options : &none;
    domain = rm_pool_home(options->chunks, sizeof *domain);
    if (domain == NULL) {
        return NULL;
    }
    (void)rm_add_relaxed(&domains, 1);
    ck_epoch_init(&domain->epoch);
    rm_pool_init(&domain->pool, options->chunks, domain, sizeof *domain);
    domain->soft_limit_bytes = options->soft_limit_bytes;
    domain->hard_limit_bytes = options->hard_limit_bytes;
    domain->pressure = options->pressure;
    domain->context = options->context;
    domain->calls_back_when_asked = options->callbacks == RANGEMAP_CALLBACKS_WHEN_ASKED;
    return domain;
}

void rm_domain_free(struct rangemap_domain *domain)
{
    rm_pool_destroy(&domain->pool); /* which the domain lies in */
    (void)rm_add_relaxed(&domains, (uint64_t)0 - 1);
}

uint64_t rm_domain_others(void)
{
    return rm_load_relaxed(&domains) - (rm_load_relaxed(&default_domain) != 0);
}

struct rangemap_domain *rm_domain_existing(struct rangemap_domain *domain)
{
    return domain != NULL ? domain : rm_load_pointer(&default_domain);
}

/* Racing first users each make one; the losers free theirs. One without memory may find another's. */
static RM_NOINLINE struct rangemap_domain *make_default(void)
{
    struct rangemap_domain *domain = rm_domain_new(NULL);

    if (domain != NULL && !rm_cas_full(&default_domain, 0, rm_pointer_bits(domain))) {
        rm_domain_free(domain);
    }
    return rm_domain_existing(NULL);
}

struct rangemap_domain *rm_domain_or_default(struct rangemap_domain *domain)
{
    domain = rm_domain_existing(domain);
    return domain != NULL ? domain : make_default();
}

bool rm_domain_is_default(const struct rangemap_domain *domain)
{
    return domain == rm_load_pointer_relaxed(&default_domain); /* compared, never followed */
}

/* No other thread uses the library: the caller has ordered all that did before this. */
void rm_domain_drop_default(void)
{
    struct rangemap_domain *domain = rm_load_pointer_relaxed(&default_domain);

    rm_store_relaxed(&default_domain, 0);
    rm_domain_free(domain);
}

/*
 * A waiter counts itself and then looks for work before it sleeps; here `work` rises and then waiters are looked for.
 * Full fences between the two accesses on both sides: one of them sees the other.
 */
void rm_domain_announce_work(struct rangemap_domain *domain)
{
    uint64_t work;

    if (!domain->calls_back_when_asked) {
        return;
    }
    do {
        work = rm_load_relaxed(&domain->work);
    } while (!rm_cas_full(&domain->work, work, work + 1));
    if (rm_load_relaxed(&domain->waiters) != 0) {
        rm_wake_all((const uint32_t *)(const void *)&domain->work);
    }
}
