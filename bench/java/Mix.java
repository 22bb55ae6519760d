// SPDX-License-Identifier: BSD-2-Clause
package bench;

import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** The measured loops: those of bench/workload/mix.h, on the same keys and ranges. */
final class Mix {
    /** What is to be measured; see MixPlan. */
    static final class Plan {
        int keys; // number of the lists in Input
        int threads, updatePercent, writers;
        boolean storeCarve, interleaved;
        long nanoseconds, firstKey;
    }

    /** What the map holds, and by number: a list of keys for each thread, whose size is a power of two. */
    static final class Input {
        RangeStore.Range[] ranges;
        final Map<Integer, long[][]> keys = new HashMap<>();
    }

    static final class Tally {
        long lookups, hits, updates, failedUpdates, checksum;
        double seconds;
    }

    private static final int CHUNK = 16;
    private static final int ALIGNMENT = 256;

    private final RangeStore store;
    private final Input input;
    private final Plan plan;

    Mix(RangeStore store, Input input, Plan plan) {
        this.store = store;
        this.input = input;
        this.plan = plan;
    }

    Tally run(int thread, BooleanSupplier stop) {
        Tally tally = new Tally();
        Updater updater = new Updater(store, input.ranges, plan, thread, plan.threads);
        long begin = System.nanoTime();
        if (plan.updatePercent >= 100) {
            updateOnly(updater, stop, tally);
        } else {
            mixed(updater, input.keys.get(plan.keys)[thread], stop, tally);
        }
        updater.finish(tally);
        tally.seconds = (System.nanoTime() - begin) * 1e-9;
        return tally;
    }

    /** Each lookup of the readers timed; the last plan.writers threads only update. */
    Tally runTimed(int thread, BooleanSupplier stop, Histogram histogram) {
        Tally tally = new Tally();
        int readers = plan.threads - plan.writers;
        boolean writes = thread >= readers;
        Updater updater = new Updater(store, input.ranges, plan, writes ? thread - readers : thread,
                plan.writers > 0 ? plan.writers : plan.threads);
        if (writes) {
            updateOnly(updater, stop, tally);
        } else {
            timed(updater, input.keys.get(plan.keys)[thread], stop, tally, histogram);
        }
        updater.finish(tally);
        return tally;
    }

    private void lookUp(long key, Tally tally) {
        RangeStore.Range range = store.find(key);
        if (range != null) {
            tally.hits++;
            tally.checksum += range.value;
        }
    }

    private void mixed(Updater updater, long[] keys, BooleanSupplier stop, Tally tally) {
        int mask = keys.length - 1;
        int at = (int) (plan.firstKey / ALIGNMENT * ALIGNMENT) & mask;
        int percent = updater.canUpdate() ? plan.updatePercent : 0;
        int credit = 0;
        do {
            for (int i = 0; i < CHUNK; i++) {
                lookUp(keys[at], tally);
                at = (at + 1) & mask;
                credit += percent;
                for (; credit >= 100 - plan.updatePercent; credit -= 100 - plan.updatePercent) {
                    updater.update(tally);
                }
            }
            tally.lookups += CHUNK;
        } while (!stop.getAsBoolean());
    }

    private void updateOnly(Updater updater, BooleanSupplier stop, Tally tally) {
        if (!updater.canUpdate()) {
            return;
        }
        do {
            for (int i = 0; i < CHUNK; i++) {
                updater.update(tally);
            }
        } while (!stop.getAsBoolean());
    }

    private void timed(Updater updater, long[] keys, BooleanSupplier stop, Tally tally, Histogram histogram) {
        int mask = keys.length - 1;
        int at = (int) (plan.firstKey / ALIGNMENT * ALIGNMENT) & mask;
        int percent = updater.canUpdate() ? plan.updatePercent : 0;
        int credit = 0;
        do {
            long begin = System.nanoTime();
            lookUp(keys[at], tally);
            histogram.record(System.nanoTime() - begin);
            tally.lookups++;
            at = (at + 1) & mask;
            credit += percent;
            for (; credit >= 100 - plan.updatePercent; credit -= 100 - plan.updatePercent) {
                updater.update(tally);
            }
        } while (!stop.getAsBoolean());
    }
}
