// SPDX-License-Identifier: BSD-2-Clause
/* A stack whose head is another word after each operation, though the same element is first: what its tag is for. */
#include <stdlib.h>

#include "rangemap/base/tagged.h"
#include "test/shim/ctest.h"
#include "test/shim/prng.h"

enum { ELEMENTS = 3, OPERATIONS = 1 << 16 };

static rm_word links[ELEMENTS];
static uint64_t heads[OPERATIONS];

static rm_word *link_of(uint32_t number)
{
    return &links[number];
}

static int compare(const void *left, const void *right)
{
    uint64_t one = *(const uint64_t *)left, other = *(const uint64_t *)right;

    return (one > other) - (one < other);
}

/* Pushes and pops by chance, beside a model of it. */
static void work(struct rm_tagged *stack)
{
    struct prng prng = prng_stream(test_seed(), 0);
    unsigned inside[ELEMENTS], depth = 0, outside[ELEMENTS] = {0, 1, 2};

    for (unsigned i = 0; i < OPERATIONS; i++) {
        uint32_t number = 0;

        if (depth == 0 || (depth < ELEMENTS && prng_below(&prng, 2) == 0)) {
            inside[depth] = outside[ELEMENTS - 1 - depth];
            rm_tagged_push(stack, inside[depth], &links[inside[depth]]);
            depth++;
        } else {
            REQUIRE(rm_tagged_pop(stack, link_of, &number));
            depth--;
            REQUIRE_EQ(number, inside[depth]);
            outside[ELEMENTS - 1 - depth] = number;
        }
        heads[i] = rm_load_relaxed(&stack->head);
    }
}

TEST_CASE(tagged, no_head_repeats)
{
    static struct rm_tagged stack;

    work(&stack);
    qsort(heads, OPERATIONS, sizeof *heads, compare);
    for (unsigned i = 1; i < OPERATIONS; i++) {
        REQUIRE_NE(heads[i], heads[i - 1], "operation %u of %u", i, (unsigned)OPERATIONS);
    }
}

/* Up to the last one: the tag begins anew, and the first element is as before. */
TEST_CASE(tagged, the_tag_begins_anew)
{
    static struct rm_tagged stack;
    uint32_t number = 0;

    rm_word_set_private(&stack.head, UINT64_C(0xffffffff) << 32);
    rm_tagged_push(&stack, 2, &links[2]);
    CHECK_EQ(rm_load_relaxed(&stack.head), 3u);
    CHECK(rm_tagged_pop(&stack, link_of, &number));
    CHECK_EQ(number, 2u);
    CHECK(!rm_tagged_pop(&stack, link_of, &number));
}
