// SPDX-License-Identifier: BSD-2-Clause
/* There is no device tree. */
#ifndef PAGEMAP_COMPAT_LINUX_OF_H
#define PAGEMAP_COMPAT_LINUX_OF_H

#include <linux/device.h>
#include <linux/mod_devicetable.h>

#define of_match_ptr(table) NULL
#define of_node_get(node) (node)
#define of_node_put(node) ((void)(node))
#define of_node_to_nid(node) NUMA_NO_NODE

#endif
