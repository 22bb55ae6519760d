// SPDX-License-Identifier: BSD-2-Clause
package bench;

/** Nanoseconds in the buckets of bench/workload/histogram.h: exact below 128, then within 1.6 %. */
final class Histogram {
    private static final int EXACT_BITS = 7;
    private static final int HALF = 1 << EXACT_BITS - 1;

    final long[] counts = new long[2 * HALF + (64 - EXACT_BITS) * HALF];

    void record(long value) {
        counts[bucket(value)]++;
    }

    void add(Histogram other) {
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
    }

    /** The least value that falls in the bucket. */
    static long lowest(int bucket) {
        if (bucket < 2 * HALF) {
            return bucket;
        }
        int shift = bucket / HALF - 1;
        return (long) (bucket - shift * HALF) << shift;
    }

    private static int bucket(long value) {
        if (value < 2 * HALF) {
            return value < 0 ? 0 : (int) value;
        }
        int shift = 64 - EXACT_BITS - Long.numberOfLeadingZeros(value);
        return shift * HALF + (int) (value >>> shift);
    }
}
