// SPDX-License-Identifier: BSD-2-Clause
/* What the function of rangemap_update() is told of values, in a map whose values depend on where ranges begin. */
#include <errno.h>

#include "rangemap/rangemap.h"
#include "test/shim/ctest.h"

static void *word(uint64_t number)
{
    return (void *)(uintptr_t)number;
}

static uint64_t number(const void *value)
{
    return (uintptr_t)value;
}

static void *offset_word(const struct rangemap_entry *whole, uint64_t start, uint64_t last, void *context)
{
    (void)last;
    (void)context;
    return word(number(whole->value) + (start - whole->start));
}

struct heard {
    struct rangemap_entry part[8], whole[8];
    void *value[8];
    unsigned parts;
    int verdict;
};

static int hear(const struct rangemap_entry *part, const struct rangemap_entry *whole, void **value,
                void *context)
{
    struct heard *heard = context;
    unsigned i = heard->parts++ % 8;

    heard->part[i] = *part;
    heard->whole[i] = *whole;
    heard->value[i] = *value;
    return heard->verdict;
}

/* Three ranges of ten keys each, with the values 100, 200 and 300. */
static struct rangemap *offsets(void)
{
    const struct rangemap_options options = {.split = offset_word};
    struct rangemap *map = NULL;

    REQUIRE_EQ(rangemap_create(&options, &map), 0);
    for (uint64_t i = 0; i < 3; i++) {
        REQUIRE_EQ(rangemap_insert(map, 10 * i, 10 * i + 9, word(100 * (i + 1)), NULL), 0);
    }
    return map;
}

static void check_heard(const struct heard *heard, unsigned i, uint64_t start, uint64_t last)
{
    uint64_t low = start / 10 * 10, of_whole = 100 * (start / 10 + 1), of_part = of_whole + (start - low);

    CHECK(heard->part[i].start == start && heard->part[i].last == last, "part %u", i);
    CHECK(heard->whole[i].start == low && heard->whole[i].last == low + 9, "part %u", i);
    CHECK_EQ(number(heard->whole[i].value), of_whole);
    CHECK_EQ(number(heard->part[i].value), of_part, "part %u", i);
    CHECK_EQ(number(heard->value[i]), of_part, "part %u", i);
}

/* A decision is about the part, with the value that a cut would give it; what is set to that is what a cut leaves. */
TEST_CASE(window_value, parts_are_told_with_their_own_values)
{
    static const int verdicts[] = {RANGEMAP_KEEP, RANGEMAP_SET, RANGEMAP_DROP};

    for (unsigned i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        struct rangemap *map = offsets();
        struct heard heard = {.verdict = verdicts[i]};
        bool is_kept = heard.verdict == RANGEMAP_KEEP;
        struct rangemap_entry entry;

        REQUIRE_EQ(rangemap_update(map, 3, 24, hear, &heard, NULL), 0);
        CHECK(heard.parts > 0 && heard.parts % 3 == 0, "in each attempt");
        check_heard(&heard, 0, 3, 9);
        check_heard(&heard, 1, 10, 19);
        check_heard(&heard, 2, 20, 24);
        REQUIRE_EQ(rangemap_find(map, 27, &entry), 0);
        CHECK_EQ(entry.start, is_kept ? 20u : 25u);
        CHECK_EQ(number(entry.value), is_kept ? 300u : 305u);
        if (heard.verdict != RANGEMAP_DROP) {
            REQUIRE_EQ(rangemap_find(map, 5, &entry), 0);
            CHECK_EQ(number(entry.value), is_kept ? 100u : 103u);
        } else {
            CHECK_EQ(rangemap_find(map, 5, &entry), -ENOENT);
        }
        heard = (struct heard){.verdict = RANGEMAP_KEEP};
        REQUIRE_EQ(rangemap_update(map, 0, 1, hear, &heard, NULL), 0);
        CHECK_EQ(number(heard.part[0].value), 100u);
        CHECK_EQ(rangemap_destroy(map), 0);
    }
}
