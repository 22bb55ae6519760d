// SPDX-License-Identifier: BSD-2-Clause
/* Messages: which may be read, where one may be put. Threads and fences: viewers.c. */
#include "test/explorer/views.h"

#include "test/explorer/viewers.h"
#include "test/explorer/words.h"

static struct views_world world;

void views_reset(const struct views_world *with)
{
    words_reset();
    viewers_reset();
    world = *with;
}

/* What the thread has seen, as far as that counts at this address. */
static struct view view_at(unsigned thread, const void *address)
{
    struct view view = viewers[thread].now;

    if (world.is_followed(address)) {
        view_join(&view, &viewers[thread].followed);
    }
    return view;
}

static struct word *word_at(const void *address)
{
    struct word *word = words_at(address);

    if (word == NULL) {
        viewers_set_fault("the explorer has no room for so many words");
    }
    return word;
}

/* ---- which messages may be read, and where one may be put ---- */

static bool has_seen(const struct view *view, const struct message *message)
{
    bool seen = message->number <= view->seen[message->thread];

    for (unsigned i = 0; i < SCHEDULE_THREADS; i++) {
        seen |= message->read_first[i] != 0 && message->read_first[i] <= view->seen[i];
    }
    return seen;
}

/*
 * Whether an access must not go before it: it is seen, or the order of the sequentially consistent ones says so. A
 * store comes last in that order. A load comes anywhere behind what happened before it, and may so overtake loads.
 */
static bool is_behind(const struct view *view, const struct message *message, int order, bool stores)
{
    uint32_t at = stores ? viewers_last_order() : view->order;

    return has_seen(view, message) || (message->order != 0 && message->order <= view->fence) ||
           (order == __ATOMIC_SEQ_CST && ((message->order != 0 && message->order <= at) ||
                                          viewers_fenced(message->thread, message->number, at)));
}

/* The oldest message that may be read. */
static unsigned oldest(const struct history *history, const struct view *view, int order, bool stores)
{
    unsigned i = history->count - 1;

    while (i > 0 && !is_behind(view, &history->message[i], order, stores)) {
        i--;
    }
    return i;
}

/* Whether a store may come right behind message i. */
static bool is_open(const struct history *history, unsigned i)
{
    return i + 1 == history->count || !history->message[i + 1].is_update;
}

/* One of the messages of the set, of which bit i is the i-th newest. */
static unsigned choose(const struct history *history, uint32_t set)
{
    unsigned nth = (unsigned)__builtin_popcount(set);

    nth = nth > 1 ? world.choose(nth) : 0;
    while (nth-- > 0) {
        set &= set - 1;
    }
    return history->count - 1 - (unsigned)__builtin_ctz(set);
}

/* Those that may be read; `open`: and that a store may follow. */
static uint32_t candidates(const struct history *history, unsigned first, bool open)
{
    uint32_t set = 0;

    for (unsigned i = first; i < history->count; i++) {
        set |= (uint32_t)(!open || is_open(history, i)) << (history->count - 1 - i);
    }
    return set;
}

/* ---- reading and storing messages ---- */

static void read_message(unsigned thread, struct message *message, int order)
{
    struct viewer *viewer = &viewers[thread];

    if (message->read_first[thread] == 0) {
        message->read_first[thread] = viewer->number;
    }
    view_join(&viewer->acquired, &message->view);
    if (order == __ATOMIC_CONSUME) {
        view_join(&viewer->followed, &message->view);
    } else if (viewers_acquires(order)) {
        view_join(&viewer->now, &message->view);
    }
}

static struct message *put_message(unsigned thread, struct history *history, unsigned behind, uint64_t value,
                                   int order)
{
    struct message *message = history_insert(history, behind + 1);

    if (order == __ATOMIC_SEQ_CST) {
        message->order = viewers[thread].now.order = viewers_next_order();
    }
    message->value = value;
    message->view = viewers_released(thread, order);
    message->thread = thread;
    message->number = viewers[thread].number;
    return message;
}

static void note_load(unsigned thread, struct word *word, const struct view *view)
{
    if (!view_is_after(view, word->written)) {
        viewers_set_fault("an atomic load that is not ordered after a plain write");
    }
    word->loaded[thread] = viewers[thread].number;
}

static void note_store(unsigned thread, struct word *word, const struct view *view)
{
    if (!view_is_after(view, word->written) || !view_is_after(view, word->read)) {
        viewers_set_fault("an atomic store that is not ordered after a plain access");
    }
    word->stored[thread] = viewers[thread].number;
}

uint64_t views_load(unsigned thread, const void *address, unsigned bytes, int order)
{
    struct word *word = word_at(address);
    struct history *history = word != NULL ? words_history(word, address) : NULL;
    struct view view = view_at(thread, address);
    struct message *message;

    viewers_count(thread);
    if (word != NULL) {
        note_load(thread, word, &view);
    }
    if (viewers_acquires(order)) {
        viewers[thread].now = view; /* it comes after the load that led here */
        viewers[thread].now.seen[thread] = viewers[thread].now.before[thread] = viewers[thread].number;
    }
    if (history == NULL) {
        return words_value(address, bytes);
    }
    message =
        &history->message[choose(history, candidates(history, oldest(history, &view, order, false), false))];
    read_message(thread, message, order);
    return message->value;
}

/* A store, or what may be one: where it goes, and what the thread has seen there. */
struct access {
    struct word *word;
    struct history *history;
    struct view view;
};

/* False: a fault. */
static bool begin_store(struct access *access, unsigned thread, void *address, unsigned bytes)
{
    access->view = view_at(thread, address);
    access->word = word_at(address);
    access->history = access->word != NULL ? words_begin(access->word, address, bytes) : NULL;
    viewers_count(thread);
    if (access->history == NULL) {
        viewers_set_fault("the explorer has no room for so many histories");
    } else if (access->history->bytes != bytes) {
        viewers_set_fault("a word is accessed in two sizes");
    }
    return access->history != NULL;
}

static void show_newest(void *address, const struct history *history)
{
    words_set_value(address, history->bytes, history->message[history->count - 1].value);
}

void views_store(unsigned thread, void *address, unsigned bytes, uint64_t value, int order)
{
    struct access access;
    unsigned behind;

    if (!begin_store(&access, thread, address, bytes)) {
        return;
    }
    note_store(thread, access.word, &access.view);
    behind = choose(access.history,
                    candidates(access.history, oldest(access.history, &access.view, order, true), true));
    (void)put_message(thread, access.history, behind, value, order);
    show_newest(address, access.history);
}

uint64_t views_updated(enum views_update kind, uint64_t before, uint64_t operand)
{
    switch (kind) {
    case VIEWS_ADD:
        return before + operand;
    case VIEWS_AND:
        return before & operand;
    case VIEWS_OR:
        return before | operand;
    case VIEWS_SWAP:
        break;
    }
    return operand;
}

/* Reads message i and puts the next one; that goes on with the release sequence. */
static void update_message(unsigned thread, struct access *access, unsigned i, uint64_t value, int order)
{
    struct message *message = &access->history->message[i];
    struct view sequence = message->view;

    note_store(thread, access->word, &access->view);
    read_message(thread, message, order);
    message = put_message(thread, access->history, i, value, order);
    view_join(&message->view, &sequence);
    message->is_update = true;
}

static uint64_t mask_of(unsigned bytes)
{
    return bytes == 8 ? UINT64_MAX : (UINT64_C(1) << bytes * 8) - 1;
}

uint64_t views_update(unsigned thread, void *address, unsigned bytes, enum views_update kind,
                      uint64_t operand, int order)
{
    struct access access;
    uint64_t before;
    unsigned i;

    if (!begin_store(&access, thread, address, bytes)) {
        return 0;
    }
    i = choose(access.history,
               candidates(access.history, oldest(access.history, &access.view, order, true), true));
    before = access.history->message[i].value;
    update_message(thread, &access, i, views_updated(kind, before, operand) & mask_of(bytes), order);
    show_newest(address, access.history);
    return before;
}

/* Messages that a compare-and-swap may read: it fails, or it takes the place behind. */
static uint32_t exchange_candidates(const struct history *history, const struct view *view, uint64_t expected,
                                    int order, int failed_order)
{
    unsigned first = oldest(history, view, order, true),
             first_failed = oldest(history, view, failed_order, false);
    uint32_t set = 0;

    for (unsigned i = 0; i < history->count; i++) {
        bool may =
            history->message[i].value == expected ? i >= first && is_open(history, i) : i >= first_failed;

        set |= (uint32_t)may << (history->count - 1 - i);
    }
    return set;
}

bool views_exchange(unsigned thread, void *address, unsigned bytes, uint64_t *expected, uint64_t desired,
                    int order, int failed_order)
{
    struct access access;
    uint64_t wanted = *expected;
    unsigned i;

    if (!begin_store(&access, thread, address, bytes)) {
        return false;
    }
    i = choose(access.history,
               exchange_candidates(access.history, &access.view, wanted, order, failed_order));
    *expected = access.history->message[i].value;
    if (*expected != wanted) {
        note_load(thread, access.word, &access.view);
        read_message(thread, &access.history->message[i], failed_order);
        return false;
    }
    update_message(thread, &access, i, desired, order);
    show_newest(address, access.history);
    return true;
}

/* ---- plain accesses ---- */

typedef void plain_access_fn(unsigned thread, struct word *word, const struct view *view);

/* Each word that is watched, in part or whole. */
static void access_plainly(unsigned thread, const void *address, size_t bytes, plain_access_fn *access)
{
    struct view view = view_at(thread, address);

    viewers_count(thread);
    for (const char *at = address; at < (const char *)address + bytes;
         at += WORD_BYTES - (uintptr_t)at % WORD_BYTES) {
        struct word *word = word_at(at);

        if (word != NULL) {
            access(thread, word, &view);
        }
    }
}

static void read_word(unsigned thread, struct word *word, const struct view *view)
{
    if (!view_is_after(view, word->written) || !view_is_after(view, word->stored)) {
        viewers_set_fault("plain memory is read that is not ordered after a write");
    }
    word->read[thread] = viewers[thread].number;
}

static void write_word(unsigned thread, struct word *word, const struct view *view)
{
    if (!view_is_after(view, word->written) || !view_is_after(view, word->stored) ||
        !view_is_after(view, word->read) || !view_is_after(view, word->loaded)) {
        viewers_set_fault("plain memory is written that is not ordered after a read or write");
    }
    word->written[thread] = viewers[thread].number;
    word->half[0] = word->half[1] = NULL; /* all that was there is over */
}

void views_read(unsigned thread, const void *address, size_t bytes)
{
    access_plainly(thread, address, bytes, read_word);
}

void views_write(unsigned thread, const void *address, size_t bytes)
{
    access_plainly(thread, address, bytes, write_word);
}
