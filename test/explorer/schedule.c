// SPDX-License-Identifier: BSD-2-Clause
#include "test/explorer/schedule.h"

#include <stdio.h>
#include <string.h>

void schedule_begin(struct schedule *schedule)
{
    schedule->next_switch = 0;
    schedule->preemptions = 0;
    schedule->decisions = 0;
    schedule->diverged = false;
    schedule->attempts = 0;
    schedule->attempts_max = 0;
    schedule->park.points = 0;
    schedule->accesses = 0;
    memset(schedule->pending, 0, sizeof schedule->pending);
    if (schedule->policy != SCHEDULE_REPLAY) {
        schedule->switches = 0;
    }
}

/* Bit `index` of those set, from the lowest. */
static unsigned nth_thread(unsigned set, unsigned index)
{
    while (index-- > 0) {
        set &= set - 1;
    }
    return (unsigned)__builtin_ctz(set);
}

static unsigned decide(struct schedule *schedule, unsigned options)
{
    unsigned i = schedule->decisions;

    if (i == SCHEDULE_DECISIONS) {
        return 0;
    }
    schedule->decisions++;
    if (i >= schedule->given) {
        schedule->choice[i] = 0;
    } else if (schedule->options[i] != options) {
        schedule->diverged = true;
        return 0;
    }
    schedule->options[i] = (uint8_t)options;
    return schedule->choice[i];
}

static unsigned next_systematic(struct schedule *schedule, unsigned current, unsigned runnable)
{
    unsigned others = runnable & ~(1U << current), choice;

    if (others == runnable) {
        return nth_thread(others, decide(schedule, (unsigned)__builtin_popcount(others)));
    }
    if (others == 0 || schedule->preemptions == schedule->bound) {
        return current;
    }
    choice = decide(schedule, 1 + (unsigned)__builtin_popcount(others));
    if (choice == 0) {
        return current;
    }
    schedule->preemptions++;
    return nth_thread(others, choice - 1);
}

static unsigned next_random(struct schedule *schedule, unsigned current, unsigned runnable)
{
    bool may_stay = (runnable >> current & 1) != 0;

    if (may_stay && prng_below(&schedule->prng, schedule->spacing) != 0) {
        return current;
    }
    return nth_thread(runnable,
                      (unsigned)prng_below(&schedule->prng, (uint64_t)__builtin_popcount(runnable)));
}

static unsigned next_replayed(struct schedule *schedule, unsigned point, unsigned current, unsigned runnable)
{
    if (schedule->next_switch < schedule->switches && schedule->at[schedule->next_switch].point == point &&
        schedule->at[schedule->next_switch].thread < SCHEDULE_CHOICE) {
        unsigned thread = schedule->at[schedule->next_switch++].thread;

        if ((runnable >> thread & 1) != 0) {
            return thread;
        }
    }
    return (runnable >> current & 1) != 0 ? current : nth_thread(runnable, 0);
}

/* Whether letting the thread go on completes nothing yet. */
static bool is_harmless(const struct schedule_pending *pending)
{
    return !pending->is_publish || pending->is_copy || *(const uint64_t *)pending->slot != pending->expected;
}

static unsigned next_adverse(struct schedule *schedule, unsigned current, unsigned runnable)
{
    unsigned chosen = (runnable >> current & 1) != 0 ? current : nth_thread(runnable, 0);

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        unsigned thread = (current + i) % SCHEDULE_THREADS;

        if ((runnable >> thread & 1) != 0 && is_harmless(&schedule->pending[thread])) {
            chosen = thread;
            break;
        }
    }
    if (schedule->pending[chosen].is_publish) {
        schedule->attempts = is_harmless(&schedule->pending[chosen]) ? schedule->attempts + 1 : 0;
        if (schedule->attempts > schedule->attempts_max) {
            schedule->attempts_max = schedule->attempts;
        }
        schedule->pending[chosen].is_publish = false;
    }
    return chosen;
}

bool schedule_parks(struct schedule *schedule, unsigned current)
{
    return schedule->park.at != 0 && schedule->park.thread == current &&
           ++schedule->park.points == schedule->park.at;
}

bool schedule_has_parked(const struct schedule *schedule)
{
    return schedule->park.at != 0 && schedule->park.points >= schedule->park.at;
}

unsigned schedule_next(struct schedule *schedule, unsigned point, unsigned current, unsigned runnable)
{
    unsigned thread = current;

    switch (schedule->policy) {
    case SCHEDULE_SYSTEMATIC:
        thread = next_systematic(schedule, current, runnable);
        break;
    case SCHEDULE_RANDOM:
        thread = next_random(schedule, current, runnable);
        break;
    case SCHEDULE_REPLAY:
        return next_replayed(schedule, point, current, runnable);
    case SCHEDULE_ADVERSARY:
        thread = next_adverse(schedule, current, runnable);
        break;
    }
    if (thread != current && schedule->switches < SCHEDULE_SWITCHES) {
        schedule->at[schedule->switches++] = (struct schedule_switch){point, thread};
    }
    return thread;
}

static unsigned choose_replayed(struct schedule *schedule, unsigned options)
{
    const struct schedule_switch *next = &schedule->at[schedule->next_switch];

    if (schedule->next_switch < schedule->switches && next->thread >= SCHEDULE_CHOICE &&
        next->point == schedule->accesses) {
        schedule->next_switch++;
        return next->thread - SCHEDULE_CHOICE < options ? next->thread - SCHEDULE_CHOICE : 0;
    }
    return 0;
}

static unsigned choose_systematic(struct schedule *schedule, unsigned options)
{
    unsigned choice = schedule->preemptions < schedule->bound ? decide(schedule, options) : 0;

    schedule->preemptions += choice != 0;
    return choice;
}

unsigned schedule_choose(struct schedule *schedule, unsigned options)
{
    unsigned choice = 0;

    schedule->accesses++;
    switch (schedule->policy) {
    case SCHEDULE_SYSTEMATIC:
        choice = choose_systematic(schedule, options);
        break;
    case SCHEDULE_RANDOM:
        choice = prng_below(&schedule->prng, schedule->newest) == 0
                     ? (unsigned)prng_below(&schedule->prng, options)
                     : 0;
        break;
    case SCHEDULE_REPLAY:
        return choose_replayed(schedule, options);
    case SCHEDULE_ADVERSARY:
        break;
    }
    if (choice != 0 && schedule->switches < SCHEDULE_SWITCHES) {
        schedule->at[schedule->switches++] =
            (struct schedule_switch){schedule->accesses, SCHEDULE_CHOICE + choice};
    }
    return choice;
}

bool schedule_advance(struct schedule *schedule)
{
    unsigned i = schedule->decisions;

    while (i > 0 && schedule->choice[i - 1] + 1U >= schedule->options[i - 1]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    schedule->choice[i - 1]++;
    schedule->given = i;
    return true;
}

/* What the switch is written as: its sign, and from where its number counts. */
static char sign_of(unsigned thread, unsigned *base)
{
    *base = thread >= SCHEDULE_CHOICE ? SCHEDULE_CHOICE : thread >= SCHEDULE_THREADS ? SCHEDULE_THREADS : 0;
    return thread >= SCHEDULE_CHOICE ? '=' : thread >= SCHEDULE_THREADS ? '~' : '>';
}

const char *schedule_text(const struct schedule *schedule)
{
    static char text[(SCHEDULE_SWITCHES + 1) * 12];
    size_t used = 0;

    text[0] = '\0';
    if (schedule->park.at != 0) {
        used = (size_t)snprintf(text, sizeof text, "%u!%u", schedule->park.thread, schedule->park.at);
    }
    for (unsigned i = 0; i < schedule->switches; i++) {
        unsigned base;
        char sign = sign_of(schedule->at[i].thread, &base);
        int more = snprintf(text + used, sizeof text - used, "%s%u%c%u", used > 0 ? " " : "",
                            schedule->at[i].point, sign, schedule->at[i].thread - base);

        used += (size_t)more;
    }
    return text;
}

/* False: there is no such switch. */
static bool parse_switch(struct schedule_switch *at, unsigned point, char sign, unsigned thread)
{
    static const struct {
        char sign;
        unsigned base, count;
    } kinds[] = {{'>', 0, SCHEDULE_THREADS},
                 {'~', SCHEDULE_THREADS, SCHEDULE_THREADS},
                 {'=', SCHEDULE_CHOICE, SCHEDULE_OPTIONS}};

    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].sign == sign && thread < kinds[i].count) {
            *at = (struct schedule_switch){point, kinds[i].base + thread};
            return true;
        }
    }
    return false;
}

bool schedule_parse(struct schedule *schedule, const char *text)
{
    schedule->policy = SCHEDULE_REPLAY;
    schedule->switches = 0;
    schedule->park = (struct schedule_park){0, 0, 0};
    while (*text != '\0') {
        struct schedule_switch *at = &schedule->at[schedule->switches];
        unsigned left, right;
        char sign;
        int length = 0;

        if (sscanf(text, "%u%c%u%n", &left, &sign, &right, &length) < 3 ||
            schedule->switches + 1 == SCHEDULE_SWITCHES) {
            return false;
        }
        if (parse_switch(at, left, sign, right)) {
            schedule->switches++;
        } else if (sign == '!' && left < SCHEDULE_THREADS) {
            schedule->park = (struct schedule_park){left, right, 0};
        } else {
            return false;
        }
        text += length;
        text += *text == ' ';
    }
    return true;
}
