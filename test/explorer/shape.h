// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shapes: a few threads of a few accesses to weak memory (views.h), in every interleaving and with every choice of the
 * machine.
 */
#ifndef RANGEMAP_TEST_EXPLORER_SHAPE_H
#define RANGEMAP_TEST_EXPLORER_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

enum { THREADS = 4, STEPS = 8, WORDS = 3, REGISTERS = 4 };

enum does { ENDS, LOADS, STORES, ADDS, TAKES, FENCES, BARS, READS, WRITES };

/* x, y or z; what is stored; where a load puts what it read: a to d. */
struct step {
    enum does does;
    unsigned word;
    uint64_t value;
    unsigned target;
    int order;
};

struct shape {
    struct step thread[THREADS][STEPS];
};

#define RLX __ATOMIC_RELAXED
#define CNS __ATOMIC_CONSUME
#define ACQ __ATOMIC_ACQUIRE
#define REL __ATOMIC_RELEASE
#define ACQ_REL __ATOMIC_ACQ_REL
#define SC __ATOMIC_SEQ_CST

enum { X, Y, Z };
enum { A, B, C, D };

#define LOAD(target, word, order)                                                                            \
    {                                                                                                        \
        LOADS, word, 0, target, order                                                                        \
    }
#define STORE(word, value, order)                                                                            \
    {                                                                                                        \
        STORES, word, value, 0, order                                                                        \
    }
#define ADD(target, word, order)                                                                             \
    {                                                                                                        \
        ADDS, word, 1, target, order                                                                         \
    }
/* Compare-and-swap of 0 by the value; the target says what was read. */
#define TAKE(target, word, value, order)                                                                     \
    {                                                                                                        \
        TAKES, word, value, target, order                                                                    \
    }
#define FENCE(order)                                                                                         \
    {                                                                                                        \
        FENCES, 0, 0, 0, order                                                                               \
    }
#define BARRIER()                                                                                            \
    {                                                                                                        \
        BARS, 0, 0, 0, 0                                                                                     \
    }
#define READ(target, word)                                                                                   \
    {                                                                                                        \
        READS, word, 0, target, 0                                                                            \
    }
#define WRITE(word, value)                                                                                   \
    {                                                                                                        \
        WRITES, word, value, 0, 0                                                                            \
    }

/* What the registers or, of lower case, the words must be: ANY will do. */
#define ANY UINT64_MAX

struct outcome {
    uint64_t reads[REGISTERS], words[WORDS];
};

#define READ_AS(a, b, c, d) (&(struct outcome){{a, b, c, d}, {ANY, ANY, ANY}})
#define ENDS_AS(x, y) (&(struct outcome){{ANY, ANY, ANY, ANY}, {x, y, ANY}})

#define BOTH(a, x) (&(struct outcome){{a, ANY, ANY, ANY}, {x, ANY, ANY}})

#define SHAPE(...) (&(struct shape){{__VA_ARGS__}})

struct shape_result {
    bool reached; /* some run ended so */
    bool raced;   /* some run had a race: a fault of the views */
    bool both;    /* some run ended so and had one */
};

struct shape_result shape_run(const struct shape *shape, const struct outcome *outcome);

#endif
