// SPDX-License-Identifier: BSD-2-Clause
#include "pagemap/page/record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pagemap/base/fault.h"
#include "pagemap/holders.h"

enum { BUCKETS = 256, HASH_SHIFT = 56 };

/* In its bucket's list, under the bucket's lock. */
struct node {
    struct node *next;
    uint64_t key;
    struct pm_record record;
};

static struct bucket {
    pthread_mutex_t lock;
    struct node *first;
} buckets[BUCKETS];

bool pm_recording;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t switch_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local const char *holder;

static void init_buckets(void)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        (void)pthread_mutex_init(&buckets[i].lock, NULL);
    }
}

static struct bucket *lock_bucket(uint64_t key)
{
    struct bucket *bucket = &buckets[key * UINT64_C(0x9e3779b97f4a7c15) >> HASH_SHIFT];

    (void)pthread_once(&once, init_buckets);
    (void)pthread_mutex_lock(&bucket->lock);
    return bucket;
}

static void unlock_bucket(struct bucket *bucket)
{
    (void)pthread_mutex_unlock(&bucket->lock);
}

const char *pagemap_set_holder(const char *name)
{
    const char *before = holder;

    holder = name;
    return before;
}

static void own_name(char name[PM_HOLDER_NAME])
{
    memset(name, 0, PM_HOLDER_NAME);
    if (holder != NULL) {
        (void)strncpy(name, holder, PM_HOLDER_NAME - 1);
    } else {
        (void)pthread_getname_np(pthread_self(), name, PM_HOLDER_NAME);
    }
}

/* The link to the record of `key` with `name` (NULL: with any), or to the list's end. */
static struct node **find(struct bucket *bucket, uint64_t key, const char *name)
{
    struct node **link = &bucket->first;

    while (*link != NULL &&
           ((*link)->key != key || (name != NULL && strcmp((*link)->record.name, name) != 0))) {
        link = &(*link)->next;
    }
    return link;
}

static struct node *add_node(struct node **end, uint64_t key, const char *name)
{
    struct node *node = pm_alloc(sizeof *node);

    if (node != NULL) {
        node->key = key;
        memcpy(node->record.name, name, PM_HOLDER_NAME);
        *end = node;
    }
    return node;
}

/* The flag is read again: a thread that switches it off empties each bucket after it. */
void pm_record_slow(uint64_t key, uint64_t references)
{
    char name[PM_HOLDER_NAME];
    struct bucket *bucket;

    own_name(name);
    bucket = lock_bucket(key);
    if (__atomic_load_n(&pm_recording, __ATOMIC_RELAXED)) {
        struct node **link = find(bucket, key, name);
        struct node *node = *link != NULL ? *link : add_node(link, key, name);

        if (node != NULL) {
            node->record.references += references;
        }
    }
    unlock_bucket(bucket);
}

/* Takes up to `references` off *link; how many are left to take. */
static uint64_t take_off(struct node **link, uint64_t references)
{
    struct node *node = *link;

    if (node->record.references > references) {
        node->record.references -= references;
        return 0;
    }
    references -= node->record.references;
    *link = node->next;
    free(node);
    return references;
}

void pm_forget_slow(uint64_t key, uint64_t references)
{
    char name[PM_HOLDER_NAME];
    struct bucket *bucket;
    struct node **link;

    own_name(name);
    bucket = lock_bucket(key);
    link = find(bucket, key, name);
    if (*link != NULL) {
        references = take_off(link, references);
    }
    while (references > 0 && *(link = find(bucket, key, NULL)) != NULL) {
        references = take_off(link, references);
    }
    unlock_bucket(bucket);
}

unsigned pm_recorded(uint64_t key, struct pm_record *out, unsigned room)
{
    struct bucket *bucket = lock_bucket(key);
    unsigned found = 0;

    for (const struct node *node = bucket->first; node != NULL && found < room; node = node->next) {
        if (node->key == key) {
            out[found++] = node->record;
        }
    }
    unlock_bucket(bucket);
    return found;
}

static void empty(struct bucket *bucket)
{
    while (bucket->first != NULL) {
        (void)take_off(&bucket->first, UINT64_MAX);
    }
}

void pagemap_record_holders(bool on)
{
    (void)pthread_once(&once, init_buckets);
    (void)pthread_mutex_lock(&switch_lock);
    __atomic_store_n(&pm_recording, on, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < BUCKETS && !on; i++) {
        (void)pthread_mutex_lock(&buckets[i].lock);
        empty(&buckets[i]);
        unlock_bucket(&buckets[i]);
    }
    (void)pthread_mutex_unlock(&switch_lock);
}
