// SPDX-License-Identifier: BSD-2-Clause
// A network card that only counts: what is measured is the cache, not the registering.
#ifndef RANGEMAP_BENCH_REGCACHE_CARD_H
#define RANGEMAP_BENCH_REGCACHE_CARD_H

#include <atomic>
#include <cstdint>

#include "examples/regcache/regcache.h"

namespace bench
{

class Card
{
  public:
    // What both kinds of caches call.
    regcache_device device()
    {
        return {enroll, withdraw, this};
    }
    uint64_t enrolled() const
    {
        return enrolled_.load();
    }
    uint64_t withdrawn() const
    {
        return withdrawn_.load();
    }

  private:
    static int enroll(void *card, uint64_t, uint64_t, uint32_t *key)
    {
        *key = static_cast<uint32_t>(static_cast<Card *>(card)->enrolled_.fetch_add(1));
        return 0;
    }
    static void withdraw(void *card, uint64_t, uint64_t, uint32_t)
    {
        static_cast<Card *>(card)->withdrawn_.fetch_add(1);
    }

    // On lines of their own: neither cache shall pay for the other's traffic.
    alignas(64) std::atomic<uint64_t> enrolled_{0};
    alignas(64) std::atomic<uint64_t> withdrawn_{0};
};

} // namespace bench

#endif
