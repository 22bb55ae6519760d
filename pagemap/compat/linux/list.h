// SPDX-License-Identifier: BSD-2-Clause
/* Doubly linked lists, circular (list_) and with a one-word head (hlist_). */
#ifndef PAGEMAP_COMPAT_LINUX_LIST_H
#define PAGEMAP_COMPAT_LINUX_LIST_H

#include <linux/container_of.h>
#include <linux/types.h>

#define LIST_POISON1 ((void *)0x100)
#define LIST_POISON2 ((void *)0x122)
#define LIST_HEAD_INIT(name)                                                                                 \
    {                                                                                                        \
        &(name), &(name)                                                                                     \
    }
#define LIST_HEAD(name) struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
    list->next = list->prev = list;
}

static inline void pm_list_link(struct list_head *entry, struct list_head *prev, struct list_head *next)
{
    entry->prev = prev;
    entry->next = next;
    prev->next = next->prev = entry;
}

static inline void list_add(struct list_head *entry, struct list_head *head)
{
    pm_list_link(entry, head, head->next);
}

static inline void list_add_tail(struct list_head *entry, struct list_head *head)
{
    pm_list_link(entry, head->prev, head);
}

static inline void __list_del_entry(struct list_head *entry)
{
    entry->prev->next = entry->next;
    entry->next->prev = entry->prev;
}

static inline void list_del(struct list_head *entry)
{
    __list_del_entry(entry);
    entry->next = LIST_POISON1;
    entry->prev = LIST_POISON2;
}

static inline void list_del_init(struct list_head *entry)
{
    __list_del_entry(entry);
    INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *head)
{
    __list_del_entry(entry);
    list_add(entry, head);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *head)
{
    __list_del_entry(entry);
    list_add_tail(entry, head);
}

static inline void list_replace(struct list_head *old, struct list_head *entry)
{
    pm_list_link(entry, old->prev, old->next);
}

static inline int list_empty(const struct list_head *head)
{
    return head->next == head;
}

static inline int list_is_singular(const struct list_head *head)
{
    return !list_empty(head) && head->next == head->prev;
}

static inline int list_is_last(const struct list_head *entry, const struct list_head *head)
{
    return entry->next == head;
}

static inline void list_splice(const struct list_head *list, struct list_head *head)
{
    if (!list_empty(list)) {
        list->prev->next = head->next;
        head->next->prev = list->prev;
        head->next = list->next;
        list->next->prev = head;
    }
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
    list_splice(list, head);
    INIT_LIST_HEAD(list);
}

static inline void list_splice_tail_init(struct list_head *list, struct list_head *head)
{
    list_splice_init(list, head->prev);
}

#define list_entry(pointer, type, member) container_of(pointer, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member)                                                         \
    (list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(at, member) list_entry((at)->member.next, __typeof__(*(at)), member)
#define list_prev_entry(at, member) list_entry((at)->member.prev, __typeof__(*(at)), member)
#define list_entry_is_head(at, head, member) (&(at)->member == (head))
#define list_for_each(at, head) for ((at) = (head)->next; (at) != (head); (at) = (at)->next)
#define list_for_each_safe(at, after, head)                                                                  \
    for ((at) = (head)->next, (after) = (at)->next; (at) != (head); (at) = (after), (after) = (at)->next)
#define list_for_each_entry(at, head, member)                                                                \
    for ((at) = list_first_entry(head, __typeof__(*(at)), member); !list_entry_is_head(at, head, member);    \
         (at) = list_next_entry(at, member))
#define list_for_each_entry_reverse(at, head, member)                                                        \
    for ((at) = list_last_entry(head, __typeof__(*(at)), member); !list_entry_is_head(at, head, member);     \
         (at) = list_prev_entry(at, member))
#define list_for_each_entry_continue(at, head, member)                                                       \
    for ((at) = list_next_entry(at, member); !list_entry_is_head(at, head, member);                          \
         (at) = list_next_entry(at, member))
#define list_for_each_entry_from(at, head, member)                                                           \
    for (; !list_entry_is_head(at, head, member); (at) = list_next_entry(at, member))
#define list_for_each_entry_safe(at, after, head, member)                                                    \
    for ((at) = list_first_entry(head, __typeof__(*(at)), member), (after) = list_next_entry(at, member);    \
         !list_entry_is_head(at, head, member); (at) = (after), (after) = list_next_entry(after, member))
#define list_for_each_entry_rcu(at, head, member, ...) list_for_each_entry(at, head, member)
#define list_add_rcu list_add
#define list_add_tail_rcu list_add_tail
#define list_del_rcu __list_del_entry

#define HLIST_HEAD_INIT                                                                                      \
    {                                                                                                        \
        NULL                                                                                                 \
    }
#define HLIST_HEAD(name) struct hlist_head name = HLIST_HEAD_INIT
#define INIT_HLIST_HEAD(head) ((head)->first = NULL)

static inline void INIT_HLIST_NODE(struct hlist_node *node)
{
    node->next = NULL;
    node->pprev = NULL;
}

static inline int hlist_unhashed(const struct hlist_node *node)
{
    return node->pprev == NULL;
}

static inline int hlist_empty(const struct hlist_head *head)
{
    return head->first == NULL;
}

static inline void hlist_add_head(struct hlist_node *node, struct hlist_head *head)
{
    node->next = head->first;
    if (head->first != NULL) {
        head->first->pprev = &node->next;
    }
    head->first = node;
    node->pprev = &head->first;
}

static inline void hlist_del_init(struct hlist_node *node)
{
    if (!hlist_unhashed(node)) {
        *node->pprev = node->next;
        if (node->next != NULL) {
            node->next->pprev = node->pprev;
        }
        INIT_HLIST_NODE(node);
    }
}

#define hlist_del hlist_del_init
#define hlist_entry(pointer, type, member) container_of(pointer, type, member)
#define hlist_entry_safe(pointer, type, member)                                                              \
    ({                                                                                                       \
        struct hlist_node *node_ = (pointer);                                                                \
        node_ != NULL ? hlist_entry(node_, type, member) : NULL;                                             \
    })
#define hlist_for_each_entry(at, head, member)                                                               \
    for ((at) = hlist_entry_safe((head)->first, __typeof__(*(at)), member); (at) != NULL;                    \
         (at) = hlist_entry_safe((at)->member.next, __typeof__(*(at)), member))
#define hlist_for_each_entry_safe(at, after, head, member)                                                   \
    for ((at) = hlist_entry_safe((head)->first, __typeof__(*(at)), member);                                  \
         (at) != NULL && (((after) = (at)->member.next), true);                                              \
         (at) = hlist_entry_safe(after, __typeof__(*(at)), member))

#endif
