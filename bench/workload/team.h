// SPDX-License-Identifier: BSD-2-Clause
// Threads that live as long as the benchmark, so that no measurement pays for starting them.
#ifndef RANGEMAP_BENCH_WORKLOAD_TEAM_H
#define RANGEMAP_BENCH_WORKLOAD_TEAM_H

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bench
{

// The processors that this process may use.
std::vector<int> allowed_processors();

class Team
{
  public:
    // What a thread runs: its number, and the flag that tells it to end.
    using Job = std::function<void(unsigned thread, const std::atomic<bool> &stop)>;

    // Each thread gets a processor of its own if there are enough.
    explicit Team(unsigned size);
    ~Team();
    Team(const Team &) = delete;
    Team &operator=(const Team &) = delete;

    unsigned size() const
    {
        return static_cast<unsigned>(threads_.size());
    }
    bool pinned() const
    {
        return pinned_;
    }

    // Runs `job` on the first `threads` threads at once, sets the flag after `seconds`, and waits for all.
    // What a job throws is thrown again here.
    void run(unsigned threads, double seconds, const Job &job);

  private:
    void serve(unsigned thread);
    void work(unsigned thread, const Job &job);

    std::vector<std::thread> threads_;
    bool pinned_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    const Job *job_ = nullptr;
    unsigned round_ = 0;   // counts run() calls
    unsigned wanted_ = 0;  // threads that take part in this round
    unsigned running_ = 0; // of these, still at work
    bool ending_ = false;
    std::exception_ptr failure_;
    std::atomic<unsigned> arrived_{0};
    std::atomic<bool> stop_{false};
};

} // namespace bench

#endif
