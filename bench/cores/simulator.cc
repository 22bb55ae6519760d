// SPDX-License-Identifier: BSD-2-Clause
#include "bench/cores/simulator.h"

#include <algorithm>

namespace bench::cores
{

Simulator *Simulator::active_;

constexpr unsigned kLineBytes = 64;
// How far a thread may run ahead on lines of its own.
constexpr Ps kMostAhead = 200000;
// Kernel and scheduler do not start all at once.
constexpr Ps kStagger = 7919;

static constexpr int8_t kUnknown = -1;

Simulator::Simulator(const Machine &machine, unsigned threads, unsigned sockets)
    : machine_(machine), topology_(machine, threads, sockets), caches_(machine, topology_, threads)
{
    for (unsigned i = 0; i < threads; i++) {
        threads_.push_back(std::make_unique<Thread>());
        threads_.back()->index = i;
        coroutine_create(&threads_.back()->routine);
    }
    active_ = this;
}

Simulator::~Simulator()
{
    active_ = nullptr;
}

// ---- threads ----

static bool is_later(Ps one, unsigned index, Ps other, unsigned other_index)
{
    return one != other ? one > other : index > other_index;
}

struct Later {
    template <class Thread> bool operator()(const Thread *one, const Thread *other) const
    {
        return is_later(one->clock, one->index, other->clock, other->index);
    }
};

void Simulator::begin_thread()
{
    Simulator &simulator = *active_;
    coroutine_arrive(&simulator.self_->routine);
    simulator.body_(simulator.self_->index);
    simulator.switch_to(nullptr);
}

void Simulator::run(std::function<void(unsigned)> body)
{
    body_ = std::move(body);
    waiting_.clear();
    for (auto &thread : threads_) {
        coroutine_prepare(&thread->routine, begin_thread);
        thread->clock = thread->index * kStagger;
        waiting_.push_back(thread.get());
    }
    std::make_heap(waiting_.begin(), waiting_.end(), Later());
    rm_thread *mine = cores_become(nullptr);
    while (!waiting_.empty()) {
        Thread *first = waiting_.front();
        std::pop_heap(waiting_.begin(), waiting_.end(), Later());
        waiting_.pop_back();
        switch_to(first);
    }
    cores_become(mine);
}

// nullptr: to whom run() was called by; it does not come back.
void Simulator::switch_to(Thread *next)
{
    Thread *before = self_;
    self_ = nullptr;
    rm_thread *record = cores_become(next != nullptr ? next->record : nullptr);
    if (before != nullptr)
        before->record = record;
    self_ = next;
    coroutine_switch(before != nullptr ? &before->routine : &main_,
                     next != nullptr ? &next->routine : &main_);
}

// Until no other clock is lower.
void Simulator::let_others_go_first()
{
    self_->clock += self_->owed;
    self_->owed = 0;
    if (waiting_.empty() || !Later()(self_, waiting_.front()))
        return;
    Thread *next = waiting_.front();
    std::pop_heap(waiting_.begin(), waiting_.end(), Later());
    waiting_.back() = self_;
    std::push_heap(waiting_.begin(), waiting_.end(), Later());
    switch_to(next);
    self_->clock += self_->owed;
    self_->owed = 0;
}

uint64_t Simulator::unseen(const std::function<uint64_t()> &look)
{
    blind_ = true;
    uint64_t seen = look();
    blind_ = false;
    return seen;
}

// ---- lines ----

static bool is_inside(const void *address, const void *object, size_t bytes)
{
    return reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(object) < bytes;
}

static_assert(sizeof(void *) == 8, "thread-local memory lies as x86-64 has it");

// Its stack, or thread-local memory, which lies below the thread pointer; all simulated threads have the same.
bool Simulator::is_own(const void *address) const
{
    constexpr size_t kThreadLocalBytes = 4096;
    const char *thread_local_end = static_cast<const char *>(__builtin_thread_pointer());
    return is_inside(address, self_->routine.stack, self_->routine.stack_bytes) ||
           is_inside(address, thread_local_end - kThreadLocalBytes, kThreadLocalBytes);
}

// Those of the arena by address; others, of which there are few, by when they were met.
LineId Simulator::line_of(uintptr_t line_address)
{
    if (is_in_arena(line_address))
        return (line_address - kArenaBegin) / kLineBytes + (1 << 16);
    return statics_.emplace(line_address, statics_.size()).first->second;
}

enum cores_line Simulator::class_of(LineId line)
{
    if (line < (1 << 16) || map_ == nullptr)
        return CORES_OTHER;
    if (line >= classes_.size())
        classes_.resize(std::max<size_t>(line + 1, classes_.size() * 2), kUnknown);
    auto *address = reinterpret_cast<const void *>((line - (1 << 16)) * kLineBytes + kArenaBegin);
    if (classes_[line] == kUnknown) {
        blind_ = true;
        classes_[line] = static_cast<int8_t>(cores_line_of(map_, address));
        blind_ = false;
    }
    auto known = static_cast<enum cores_line>(classes_[line]);
    return known == CORES_LEAF ? cores_line_of_node(map_, address) : known;
}

void Simulator::charge(enum cores_line line, Ps waited, const Arrival *arrival)
{
    if (!self_->counting)
        return;
    costs_[line].waited += waited;
    if (arrival != nullptr) {
        costs_[line].transfers += arrival->transferred;
        costs_[line].fetches += !arrival->transferred;
    }
}

// ---- accesses ----

void Simulator::access(const void *address, size_t bytes, enum cores_access access)
{
    if (!is_running() || bytes == 0)
        return;
    self_->clock += machine_.step;
    if (is_own(address))
        return;
    auto first = reinterpret_cast<uintptr_t>(address) / kLineBytes;
    auto last = (reinterpret_cast<uintptr_t>(address) + bytes - 1) / kLineBytes;
    for (uintptr_t line = first; line <= last; line++)
        touch(line_of(line * kLineBytes), access);
}

static Access access_of(enum cores_access access)
{
    return access == CORES_READ ? Access::kRead : access == CORES_WRITE ? Access::kWrite : Access::kUpdate;
}

void Simulator::touch(LineId line, enum cores_access access)
{
    bool near = caches_.is_near(self_->index, line, access_of(access));
    if (near && access != CORES_UPDATE) {
        if (access == CORES_READ && self_->ahead_done > self_->clock)
            await_ahead(line);
        if (waiting_.empty() || self_->clock < waiting_.front()->clock + kMostAhead)
            return;
    }
    let_others_go_first();
    if (access == CORES_READ)
        read(line);
    else if (access == CORES_WRITE)
        write(line);
    else
        update(line);
}

void Simulator::await_ahead(LineId line)
{
    for (const Ahead &ahead : self_->ahead) {
        if (ahead.line == line && ahead.done > self_->clock) {
            charge(class_of(line), ahead.done - self_->clock, nullptr);
            self_->clock = ahead.done;
        }
    }
}

void Simulator::read(LineId line)
{
    Thread &self = *self_;
    if (caches_.is_near(self.index, line, Access::kRead))
        return;
    bool beside = line - self.missed + kBeside <= 2 * kBeside;
    Ps begin = beside ? self.missed_at : self.clock;
    if (!beside) {
        self.missed = line;
        self.missed_at = self.clock;
    }
    Arrival arrival = caches_.access(self.index, line, Access::kRead, begin);
    Ps done = std::max(self.clock, arrival.done);
    charge(class_of(line), done - self.clock, &arrival);
    self.clock = done;
}

void Simulator::write(LineId line)
{
    Thread &self = *self_;
    if (caches_.is_near(self.index, line, Access::kWrite))
        return;
    Ps &oldest = self.stores[self.next_store++ % kStores];
    if (oldest > self.clock) {
        charge(self.stored_to, oldest - self.clock, nullptr);
        self.clock = oldest;
    }
    Arrival arrival = caches_.access(self.index, line, Access::kWrite, self.clock);
    charge(class_of(line), 0, &arrival);
    oldest = arrival.done;
    if (arrival.done > self.stored) {
        self.stored = arrival.done;
        self.stored_to = class_of(line);
    }
}

void Simulator::drain_stores()
{
    if (self_->stored > self_->clock) {
        charge(self_->stored_to, self_->stored - self_->clock, nullptr);
        self_->clock = self_->stored;
    }
}

void Simulator::update(LineId line)
{
    Thread &self = *self_;
    bool near = caches_.is_near(self.index, line, Access::kUpdate);
    drain_stores();
    Arrival arrival = caches_.access(self.index, line, Access::kUpdate, self.clock);
    charge(class_of(line), near ? 0 : arrival.done - self.clock, near ? nullptr : &arrival);
    self.clock = arrival.done;
    self.missed = TagArray::kNone; // nothing is asked for before it is done
}

void Simulator::prefetch(const void *address)
{
    if (!is_running())
        return;
    Thread &self = *self_;
    LineId line = line_of(reinterpret_cast<uintptr_t>(address) / kLineBytes * kLineBytes);
    if (caches_.is_near(self.index, line, Access::kRead))
        return;
    let_others_go_first();
    Arrival arrival = caches_.access(self.index, line, Access::kRead, self.clock);
    charge(class_of(line), 0, &arrival);
    self.ahead[self.next_ahead++ % kAhead] = {line, arrival.done};
    self.ahead_done = std::max(self.ahead_done, arrival.done);
}

void Simulator::fence()
{
    if (!is_running())
        return;
    drain_stores();
    self_->clock += machine_.atomic;
    self_->missed = TagArray::kNone;
}

// ---- in the kernel's place ----

void Simulator::barrier()
{
    if (!is_running())
        return;
    fence();
    let_others_go_first();
    for (Thread *other : waiting_)
        other->owed += machine_.interrupted;
    self_->clock += machine_.barrier;
}

void Simulator::pause(Ps time)
{
    if (!is_running())
        return;
    self_->clock += time;
    let_others_go_first();
}

Ps Simulator::now_or_0() const
{
    return self_ != nullptr ? self_->clock : 0;
}

Ps Simulator::tick() const
{
    return (now_or_0() / machine_.tick + 1) * machine_.tick;
}

} // namespace bench::cores

// ---- what hooks.c calls ----

using bench::cores::Simulator;

void cores_access(const void *address, size_t bytes, enum cores_access access)
{
    if (Simulator::active() != nullptr)
        Simulator::active()->access(address, bytes, access);
}

void cores_prefetch(const void *address)
{
    if (Simulator::active() != nullptr)
        Simulator::active()->prefetch(address);
}

void cores_call()
{
    if (Simulator::active() != nullptr)
        Simulator::active()->call();
}

void cores_fence()
{
    if (Simulator::active() != nullptr)
        Simulator::active()->fence();
}

void cores_barrier()
{
    if (Simulator::active() != nullptr)
        Simulator::active()->barrier();
}

void cores_pause(uint64_t ns)
{
    if (Simulator::active() != nullptr)
        Simulator::active()->pause(ns * 1000);
}

uint64_t cores_now_ns()
{
    return Simulator::active() != nullptr ? Simulator::active()->now_or_0() / 1000 : 0;
}

uint64_t cores_tick_ns()
{
    return Simulator::active() != nullptr ? Simulator::active()->tick() / 1000 : 0;
}

int cores_thread_number()
{
    return Simulator::active() != nullptr ? static_cast<int>(Simulator::active()->thread_number()) : 1;
}

void *cores_map(size_t bytes)
{
    return bench::cores::arena_map(bytes);
}

void cores_unmap(void *pages, size_t bytes)
{
    bench::cores::arena_unmap(pages, bytes);
}
