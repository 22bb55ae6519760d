// SPDX-License-Identifier: BSD-2-Clause
package bench;

/** Changes ranges of one thread's share and changes them back; the same as Updater in bench/workload/mix.h. */
final class Updater {
    private final RangeStore store;
    private final RangeStore.Range[] ranges;
    private final boolean storeCarve;
    private final long first, stride, size;
    private long random;
    private int step;
    private int index;
    private RangeStore.Range over;

    Updater(RangeStore store, RangeStore.Range[] ranges, Mix.Plan plan, int thread, int threads) {
        this.store = store;
        this.ranges = ranges;
        storeCarve = plan.storeCarve;
        random = plan.firstKey + thread + 1;
        long units = ranges.length / (storeCarve ? 2 : 1);
        if (plan.interleaved) {
            first = thread;
            stride = threads;
            size = (units + threads - 1 - thread) / threads;
        } else {
            first = units * thread / threads;
            stride = 1;
            size = units * (thread + 1) / threads - first;
        }
    }

    boolean canUpdate() {
        return size > 0;
    }

    void update(Mix.Tally tally) {
        boolean good = true;
        if (storeCarve) {
            storeCarve();
        } else {
            good = eraseInsert();
        }
        tally.updates++;
        tally.failedUpdates += good ? 0 : 1;
    }

    void finish(Mix.Tally tally) {
        while (step != 0) {
            update(tally);
        }
    }

    private boolean eraseInsert() {
        step ^= 1;
        if (step == 0) {
            return store.insert(ranges[index]);
        }
        index = pick();
        return store.erase(ranges[index]);
    }

    private void storeCarve() {
        switch (step++) {
            case 0:
                index = 2 * pick();
                RangeStore.Range low = ranges[index];
                over = new RangeStore.Range(middle(low), middle(ranges[index + 1]), low.value);
                store.store(over);
                break;
            case 1:
                store.carve(over.start, over.last);
                break;
            case 2:
                store.store(ranges[index]);
                break;
            default:
                store.store(ranges[index + 1]);
                step = 0;
                break;
        }
    }

    private static long middle(RangeStore.Range range) {
        return range.start + (range.last - range.start >>> 1);
    }

    /** SplitMix64, as bench/workload/random.h has it. */
    private int pick() {
        long z = random += 0x9e3779b97f4a7c15L;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        z ^= z >>> 31;
        return (int) (first + stride * unsignedMultiplyHigh(z, size));
    }

    /** The high word of z * bound, z unsigned and bound below 2^31. */
    private static long unsignedMultiplyHigh(long z, long bound) {
        return Math.multiplyHigh(z, bound) + (z < 0 ? bound : 0);
    }
}
