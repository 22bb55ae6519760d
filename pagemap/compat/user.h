// SPDX-License-Identifier: BSD-2-Clause
/*
 * The other side of drivers that were compiled with these headers: what a program, an administrator, a bus or a
 * machine does to them. All calls may wait, and must not be made in a read section or with a lock of a driver held.
 */
#ifndef PAGEMAP_COMPAT_USER_H
#define PAGEMAP_COMPAT_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pagemap/pagemap.h"

struct file;
struct gendisk;
struct pci_bus;
struct pci_dev;
struct vm_area_struct;

/* ---- modules and messages ---- */

/*
 * Runs the init functions of a driver (its KBUILD_MODNAME), or its exit functions in reverse order. 0; -ENOENT: there
 * is none of this name; -EBUSY: it is loaded; -EINVAL: it is not; or what its init returned.
 */
int pagemap_compat_load(const char *module);
int pagemap_compat_unload(const char *module);

/* Sets an integer parameter. -ENOENT. */
int pagemap_compat_set_param(const char *module, const char *name, long value);

/* Where messages of drivers go: level 0 (emergency) to 7 (debug). NULL: warnings and above to standard error. */
typedef void pagemap_compat_printk_fn(int level, const char *message);
pagemap_compat_printk_fn *pagemap_compat_set_printk(pagemap_compat_printk_fn *printk);

/*
 * Lets the calling thread's allocation number `steps` from now fail (1: the next), once; 0: none. Returns how many
 * were still to go.
 */
unsigned pagemap_compat_fail_after(unsigned steps);

/* ---- devices ---- */

/* By its name, with a reference more for put_device(); NULL. */
struct device *pagemap_compat_find_device(const char *name);

/*
 * What writing to bind and unbind of a driver in sysfs does. bind: -ENODEV: no driver of this name is on the device's
 * bus, or it does not match; -EBUSY: it has a driver; or the probe's error.
 */
int pagemap_compat_bind(struct device *dev, const char *driver);
int pagemap_compat_unbind(struct device *dev);

/*
 * Reads or writes an attribute of a device, "name" or "group/name", or of a driver. The number of bytes; -ENOENT,
 * -EACCES, or the driver's error. `to` has PAGE_SIZE bytes.
 */
ssize_t pagemap_compat_show(struct device *dev, const char *attribute, char *to);
ssize_t pagemap_compat_store(struct device *dev, const char *attribute, const char *text);
ssize_t pagemap_compat_store_driver(const char *bus, const char *driver, const char *attribute,
                                    const char *text);

/* ---- files ---- */

/*
 * Opens a character device. ERR_PTR: -ENXIO, or the driver's error. close: the driver's release, with the last view
 * gone.
 */
struct file *pagemap_compat_open(dev_t dev);
int pagemap_compat_close(struct file *file);
long pagemap_compat_ioctl(struct file *file, unsigned command, void *argument);

/*
 * Maps `bytes` of the file (NULL: anonymous memory) from page `pgoff` on, MAP_SHARED or MAP_PRIVATE. The address, or
 * an ERR_PTR. Pages are absent until a fault brings them in: by pagemap_compat_fault(), by a system call of these
 * headers, or by a touch, once pagemap_compat_catch_faults() was called. Without that a touch is SIGBUS.
 */
void *pagemap_compat_mmap(struct file *file, size_t bytes, int prot, int flags, unsigned long pgoff);
/* -EINVAL: no area has this start and length; -ENOMEM: mappings ran out, and it stays. */
int pagemap_compat_munmap(void *start, size_t bytes);

/*
 * Brings the page of the address in, for writing or reading. 0: it is there; -EFAULT: no area has it, that has it for
 * reading alone, or the driver cannot; -ENOMEM.
 */
int pagemap_compat_fault(const void *address, bool is_write);

/*
 * From now on a touch of an absent page calls the driver's fault function, on a thread of ours, for which the toucher
 * waits in a handler of SIGBUS. What cannot be brought in goes to the handler that was there before. Once for the
 * process, in which SIGBUS must not be blocked; 0 or a negative errno.
 */
int pagemap_compat_catch_faults(void);

/* ---- memory ---- */

/*
 * Ordinary memory for linux/gfp.h, above what is there. Without this call the first allocation makes 256 MiB of
 * sparse memory, at the lowest 128 MiB that is free from 1 TiB on. As add_memory().
 */
int pagemap_compat_add_ram(uint64_t start, uint64_t bytes);

/* Pages of it that are allocated now, but for the page of zeros. */
uint64_t pagemap_compat_ram_in_use(void);

/* Where drivers may plug device memory in (mhp_get_pluggable_range()). Everywhere, at first. */
void pagemap_compat_set_pluggable_range(uint64_t start, uint64_t end);

/* ---- PCI ---- */

/* A root bus with a host bridge, or a bus behind `bridge`, of type PCI_EXP_TYPE_. NULL: no memory. */
struct pci_bus *pagemap_compat_pci_root(int domain);
struct pci_bus *pagemap_compat_pci_bus(struct pci_dev *bridge, unsigned char number);

/* A device on it, to be given its BARs (pci_dev::resource) and then added; removed by pagemap_compat_pci_remove(). */
struct pci_dev *pagemap_compat_pci_device(struct pci_bus *bus, unsigned devfn, unsigned short vendor,
                                          unsigned short device);
int pagemap_compat_pci_add(struct pci_dev *pdev);
void pagemap_compat_pci_remove(struct pci_dev *pdev);
/* Ends a bus without devices, and the host bridge of a root. */
void pagemap_compat_pci_end(struct pci_bus *bus);

/* ---- disks ---- */

/* The disk of this name; NULL. It must not be removed meanwhile. */
struct gendisk *pagemap_compat_disk(const char *name);

/* Reads or writes whole sectors. 0 or a negative errno. */
int pagemap_compat_disk_rw(struct gendisk *disk, uint64_t sector, void *buffer, size_t bytes, bool is_write);

#endif
