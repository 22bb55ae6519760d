// SPDX-License-Identifier: BSD-2-Clause
/* What the hypervisor offers. */
#ifndef PAGEMAP_COMPAT_XEN_FEATURES_H
#define PAGEMAP_COMPAT_XEN_FEATURES_H

#define XENFEAT_auto_translated_physmap 2
#define xen_feature(flag) ((flag) == XENFEAT_auto_translated_physmap)

#endif
