// SPDX-License-Identifier: BSD-2-Clause
#include "bench/workload/team.h"

#include <sched.h>

#include <chrono>
#include <utility>

namespace bench
{

std::vector<int> allowed_processors()
{
    std::vector<int> processors;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return processors;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET(i, &set))
            processors.push_back(i);
    }
    return processors;
}

static bool pin(std::thread &thread, int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(processor, &set);
    return pthread_setaffinity_np(thread.native_handle(), sizeof set, &set) == 0;
}

Team::Team(unsigned size)
{
    std::vector<int> processors = allowed_processors();
    pinned_ = processors.size() >= size;
    for (unsigned i = 0; i < size; i++) {
        threads_.emplace_back([this, i] { serve(i); });
        if (processors.size() >= size)
            pinned_ &= pin(threads_.back(), processors[i]);
    }
}

Team::~Team()
{
    {
        std::lock_guard<std::mutex> lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    for (std::thread &thread : threads_)
        thread.join();
}

void Team::run(unsigned threads, double seconds, const Job &job)
{
    std::unique_lock<std::mutex> lock(mutex_);
    stop_.store(false, std::memory_order_relaxed);
    arrived_.store(0, std::memory_order_relaxed);
    job_ = &job;
    wanted_ = running_ = threads < size() ? threads : size();
    round_++;
    changed_.notify_all();
    // Ends early if every job ended by itself.
    changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return running_ == 0; });
    stop_.store(true, std::memory_order_relaxed);
    changed_.wait(lock, [this] { return running_ == 0; });
    if (failure_)
        std::rethrow_exception(std::exchange(failure_, nullptr));
}

void Team::serve(unsigned thread)
{
    std::unique_lock<std::mutex> lock(mutex_);
    for (unsigned seen = 0;;) {
        changed_.wait(lock, [&] { return ending_ || round_ != seen; });
        if (ending_)
            return;
        seen = round_;
        if (thread >= wanted_)
            continue;
        const Job &job = *job_;
        lock.unlock();
        work(thread, job);
        lock.lock();
        if (--running_ == 0)
            changed_.notify_all();
    }
}

void Team::work(unsigned thread, const Job &job)
{
    // All start within the same microsecond: a thread that wakes early spins until the last has come.
    arrived_.fetch_add(1);
    while (arrived_.load() < wanted_)
        std::this_thread::yield();
    try {
        job(thread, stop_);
    } catch (...) {
        std::lock_guard<std::mutex> lock(mutex_);
        failure_ = std::current_exception();
        stop_.store(true, std::memory_order_relaxed);
    }
}

} // namespace bench
