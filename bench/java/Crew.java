// SPDX-License-Identifier: BSD-2-Clause
package bench;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BooleanSupplier;

/** Threads that start together and are told to end after a time. */
final class Crew {
    interface Job {
        Mix.Tally run(int thread, BooleanSupplier stop);
    }

    private final ExecutorService pool = Executors.newCachedThreadPool(runnable -> {
        Thread thread = new Thread(runnable);
        thread.setDaemon(true);
        return thread;
    });
    private volatile boolean stop;

    Mix.Tally[] run(int threads, long nanoseconds, Job job) throws Exception {
        CyclicBarrier start = new CyclicBarrier(threads + 1);
        Future<?>[] running = new Future<?>[threads];
        Mix.Tally[] tallies = new Mix.Tally[threads];
        stop = false;
        for (int i = 0; i < threads; i++) {
            int thread = i;
            running[i] = pool.submit(() -> {
                start.await();
                tallies[thread] = job.run(thread, () -> stop);
                return null;
            });
        }
        start.await();
        Thread.sleep(nanoseconds / 1_000_000, (int) (nanoseconds % 1_000_000));
        stop = true;
        for (Future<?> one : running) {
            one.get();
        }
        return tallies;
    }
}
