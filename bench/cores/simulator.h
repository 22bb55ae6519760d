// SPDX-License-Identifier: BSD-2-Clause
/*
 * Threads that run the library's own code on a machine that is simulated.
 *
 * Each thread is a coroutine with a clock of its own. It goes on until it comes to an access that other cores take part
 * in; then whoever's clock is lowest goes on. So all threads see one order of such accesses, that of their clocks,
 * and nothing depends on the machine that runs this.
 *
 * A core waits for what it reads, but for lines that were asked for ahead and lines beside one that it
 * just waited for, which a processor asks for at once. What it writes goes through a store buffer, which only a
 * locked instruction, a fence, or too many stores wait for.
 */
#ifndef RANGEMAP_BENCH_CORES_SIMULATOR_H
#define RANGEMAP_BENCH_CORES_SIMULATOR_H

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bench/cores/arena.h"
#include "bench/cores/caches.h"
#include "bench/cores/library.h"

extern "C" {
#include "test/explorer/coroutine.h"
}

namespace bench::cores
{

// What was spent on a class of lines.
struct LineCosts {
    uint64_t transfers = 0; // from another core, or taken away from others
    uint64_t fetches = 0;   // from the second cache, the last one or memory
    Ps waited = 0;
};

using Costs = std::array<LineCosts, CORES_LINES>;

class Simulator
{
  public:
    Simulator(const Machine &machine, unsigned threads, unsigned sockets);
    ~Simulator();
    Simulator(const Simulator &) = delete;
    Simulator &operator=(const Simulator &) = delete;

    // Whose lines are classified.
    void set_map(const rangemap *map)
    {
        map_ = map;
    }

    // Runs body(i) on each thread, until all have returned.
    void run(std::function<void(unsigned)> body);

    // ---- by the threads ----

    Ps now() const
    {
        return self_->clock;
    }
    // From here on, until it is called again, the thread's costs count.
    void count_costs(bool on)
    {
        self_->counting = on;
    }
    // What `look` does costs nothing and is not seen.
    uint64_t unseen(const std::function<uint64_t()> &look);

    // ---- by the library (library.h) ----

    void access(const void *address, size_t bytes, enum cores_access access);
    void prefetch(const void *address);
    void call()
    {
        if (is_running())
            self_->clock += machine_.call;
    }
    void work(Ps time) // without an access
    {
        self_->clock += time;
    }
    void fence();
    void barrier();
    void pause(Ps time);
    Ps tick() const;
    Ps now_or_0() const;
    unsigned thread_number() const
    {
        return is_running() ? kFirstNumber + self_->index : kFirstNumber - 1;
    }

    // ---- results ----

    const Costs &costs() const
    {
        return costs_;
    }

    static Simulator *active()
    {
        return active_;
    }

  private:
    static constexpr unsigned kFirstNumber = 1000000; // of threads
    static constexpr unsigned kStores = 56;           // that a core keeps back
    static constexpr unsigned kAhead = 16;            // lines asked for ahead that are remembered
    static constexpr LineId kBeside = 5;              // lines of one node

    struct Ahead {
        LineId line = TagArray::kNone;
        Ps done = 0;
    };
    struct Thread {
        unsigned index;
        coroutine routine;
        rm_thread *record = nullptr;
        Ps clock = 0, owed = 0; // owed: interruptions
        bool counting = false;
        // Stores on their way.
        std::array<Ps, kStores> stores{};
        unsigned next_store = 0;
        Ps stored = 0; // when the last of them is done
        enum cores_line stored_to = CORES_OTHER;
        // Loads on their way.
        std::array<Ahead, kAhead> ahead;
        unsigned next_ahead = 0;
        Ps ahead_done = 0;
        LineId missed = TagArray::kNone;
        Ps missed_at = 0;
    };

    bool is_running() const
    {
        return self_ != nullptr && !blind_;
    }
    static void begin_thread();
    void switch_to(Thread *next);
    void let_others_go_first();
    Thread *lowest() const;
    bool is_own(const void *address) const;
    LineId line_of(uintptr_t line_address);
    enum cores_line class_of(LineId line);
    void touch(LineId line, enum cores_access access);
    void read(LineId line);
    void write(LineId line);
    void update(LineId line);
    void await_ahead(LineId line);
    void drain_stores();
    void charge(enum cores_line line, Ps waited, const Arrival *arrival);

    static Simulator *active_;

    const Machine &machine_;
    Topology topology_;
    Caches caches_;
    std::vector<std::unique_ptr<Thread>> threads_;
    std::vector<Thread *> waiting_; // a heap by clock
    Thread *self_ = nullptr;
    coroutine main_{};
    bool blind_ = false;
    std::function<void(unsigned)> body_;
    const rangemap *map_ = nullptr;
    std::unordered_map<uintptr_t, LineId> statics_;
    std::vector<int8_t> classes_;
    Costs costs_{};
};

} // namespace bench::cores

#endif
