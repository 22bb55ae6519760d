// SPDX-License-Identifier: BSD-2-Clause
#include "third_party/linux/shim/trees.h"

#include <linux/maple_tree.h>
#include <linux/xarray.h>
#include <stdlib.h>

/* Stands in for lib/radix-tree.c, which owns the nodes of an XArray in the kernel. */
struct kmem_cache *radix_tree_node_cachep;
void radix_tree_node_rcu_free(struct rcu_head *head);

/* Freed nodes go back in the state in which init_node() left them. */
void radix_tree_node_rcu_free(struct rcu_head *head)
{
    struct xa_node *node = container_of(head, struct xa_node, rcu_head);
    memset(node->slots, 0, sizeof node->slots);
    memset(node->tags, 0, sizeof node->tags);
    INIT_LIST_HEAD(&node->private_list);
    kmem_cache_free(radix_tree_node_cachep, node);
}

static void init_node(void *object)
{
    struct xa_node *node = object;
    memset(node, 0, sizeof *node);
    INIT_LIST_HEAD(&node->private_list);
}

__attribute__((constructor)) static void init_trees(void)
{
    maple_tree_init();
    radix_tree_node_cachep = kmem_cache_create("xa_node", sizeof(struct xa_node), 64, SLAB_PANIC, init_node);
}

const char *linux_version(void)
{
    return LINUX_VERSION;
}

struct maple_tree *maple_create(void)
{
    struct maple_tree *tree = calloc(1, sizeof *tree);
    if (tree != NULL)
        mt_init_flags(tree, MT_FLAGS_USE_RCU);
    return tree;
}

struct maple_tree *maple_create_for_gaps(void)
{
    struct maple_tree *tree = calloc(1, sizeof *tree);
    if (tree != NULL)
        mt_init_flags(tree, MT_FLAGS_ALLOC_RANGE | MT_FLAGS_USE_RCU);
    return tree;
}

static bool find_gap(struct ma_state *mas, unsigned long low, unsigned long high, unsigned long size,
                     bool highest)
{
    return (highest ? mas_empty_area_rev(mas, low, high, size) : mas_empty_area(mas, low, high, size)) == 0;
}

bool maple_gap_find(struct maple_tree *tree, unsigned long low, unsigned long high, unsigned long size,
                    bool highest, unsigned long *start)
{
    MA_STATE(mas, tree, 0, 0);
    rcu_read_lock();
    bool found = find_gap(&mas, low, high, size, highest);
    rcu_read_unlock();
    *start = mas.index;
    return found;
}

bool maple_gap_allocate(struct maple_tree *tree, unsigned long low, unsigned long high, unsigned long size,
                        bool highest, void *entry, unsigned long *start)
{
    MA_STATE(mas, tree, 0, 0);
    mas_lock(&mas);
    bool done = find_gap(&mas, low, high, size, highest);
    *start = mas.index;
    done = done && mas_store_gfp(&mas, entry, GFP_KERNEL) == 0;
    mas_unlock(&mas);
    return done;
}

/* As exit_mmap() does: with RCU off nodes are freed at once. */
void maple_destroy(struct maple_tree *tree)
{
    mt_clear_in_rcu(tree);
    mtree_destroy(tree);
    free(tree);
}

bool maple_load(struct maple_tree *tree, size_t count, bool (*next)(struct maple_range *range, void *context),
                void *context)
{
    MA_STATE(mas, tree, 0, 0);
    struct maple_range range;
    mt_clear_in_rcu(tree);
    mas_lock(&mas);
    bool good = mas_expected_entries(&mas, count) == 0;
    while (good && next(&range, context)) {
        mas_set_range(&mas, range.start, range.last);
        mas_store(&mas, range.entry);
        good = !mas_is_err(&mas);
    }
    mas_destroy(&mas);
    mas_unlock(&mas);
    mt_set_in_rcu(tree);
    return good;
}

void maple_scan(struct maple_tree *tree, void (*visit)(const struct maple_range *range, void *context),
                void *context)
{
    MA_STATE(mas, tree, 0, 0);
    void *entry;
    rcu_read_lock();
    mas_for_each(&mas, entry, ULONG_MAX)
    {
        struct maple_range range = {mas.index, mas.last, entry};
        visit(&range, context);
    }
    rcu_read_unlock();
}

struct xarray *xarray_create(void)
{
    struct xarray *xa = calloc(1, sizeof *xa);
    if (xa != NULL)
        xa_init(xa);
    return xa;
}

void xarray_destroy(struct xarray *xa)
{
    xa_destroy(xa);
    free(xa);
}

void xarray_visit(struct xarray *xa, void (*visit)(unsigned long first, void *entry, void *context),
                  void *context)
{
    XA_STATE(xas, xa, 0);
    void *entry;
    rcu_read_lock();
    xas_for_each(&xas, entry, ULONG_MAX) visit(xas.xa_index, entry, context);
    rcu_read_unlock();
}

unsigned long xarray_scan(struct xarray *xa)
{
    XA_STATE(xas, xa, 0);
    unsigned long sum = 0;
    void *entry;
    rcu_read_lock();
    xas_for_each(&xas, entry, ULONG_MAX) sum += linux_value(entry);
    rcu_read_unlock();
    return sum;
}
