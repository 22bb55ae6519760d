// SPDX-License-Identifier: BSD-2-Clause
/* Nodes: there is one. */
#ifndef PAGEMAP_COMPAT_LINUX_NUMA_H
#define PAGEMAP_COMPAT_LINUX_NUMA_H

#include <linux/mmzone.h>

#define NUMA_NO_NODE (-1)
#define numa_node_id() 0
#define numa_mem_id() 0
#define cpu_to_node(cpu) 0
#define phys_to_target_node(address) 0
#define memory_add_physaddr_to_nid(address) 0
#define numa_map_to_online_node(node) (node)
#define node_online(node) ((node) == 0)
#define node_possible(node) ((node) >= 0 && (node) < MAX_NUMNODES)
#define for_each_online_node(node) for ((node) = 0; (node) < 1; (node)++)
#define set_dev_node(dev, node) ((void)((dev)->numa_node = (node)))

#endif
