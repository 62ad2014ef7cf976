/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SRIOV_INTERNAL_H
#define SRIOV_INTERNAL_H

#include "sriov/sriov.h"

/* Inside sriov. sysfs.c: the kernel's small files; none of these reports anything. */
#define SYSFS_TEXT  256
#define PCI_DEVICES "/sys/bus/pci/devices/"
#define PCI_DRIVERS "/sys/bus/pci/drivers/"

/* The first line of a file, without its newline; negative errno. */
int sysfs_read(char text[SYSFS_TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
int sysfs_write(const char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The last part of what a link points to; negative errno. */
int sysfs_link(char text[SYSFS_TEXT], const char *format, ...) __attribute__((format(printf, 2, 3)));
bool sysfs_is(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A number, or -1. */
long long sysfs_number(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* folder_each() of base/file.h, where no folder is -ENOENT: what must be there is not taken for empty. */
int sysfs_each(const char *path, int (*each)(void *ctx, const char *name), void *ctx);

/* network.c: settings of virtual function @vf, by netlink; and the interface of the card itself, up or down. */
int vf_read(const char *interface, unsigned int vf, struct vf_settings *settings);
/* Make those that differ from @old as @wanted; -errno, reported. */
int vf_write(const char *interface, unsigned int vf, const struct vf_settings *old, const struct vf_settings *wanted);
/* What of @found isn't as @wanted, or NULL. */
const char *vf_differs(const struct vf_settings *found, const struct vf_settings *wanted);
int interface_up(const char *interface, bool up);
void mac_print(char text[18], const uint8_t mac[6]);

/* group.c: what must hold before a function can be the VM's; -errno, reported. @functions: all of this VM's. */
int function_check(const struct functions *functions, const struct function *function);
int host_check(const char *where);

/*
 * record.c: the record of what is to be undone, a line before each change. records_lock: the right to change what VMs
 * share, for as long as the fd is open.
 */
int records_lock(const char *state);
int record_open(struct functions *functions);
void record_close(struct functions *functions); /* undo all, in reverse; the lock is held */
int record_file(struct functions *functions, const char *path, const char *old, const char *new);
int record_driver(struct functions *functions, const char *address, const char *old);
int record_settings(struct functions *functions, const struct function *function, const struct vf_settings *old);
int record_card(struct functions *functions, const char *card);

bool card_is_used(const char *state, const char *card);

/* undo.c: undo one line of a record. */
void line_undo(char *line);

/* cards.c: a card's own record, shared by the VMs that have functions of it. */
int card_take(struct functions *functions, struct function *function);
int card_record(const char *state, const char *card, const char *key, const char *value);
void cards_release(const char *state);

/*
 * nvme.c: the PCI address of what the configuration calls a controller, or -ENODEV, reported; of an address, what the
 * host calls it, "nvme0"; how many namespaces that has, and one's name ("nvme0n1"). controller_check: can a VM have it,
 * with its one namespace? Negative errno, reported.
 */
int controller_address(const char *controller, char address[FUNCTION_ADDRESS_MAX]);
int controller_name(const char *address, char name[NAMESPACE_NAME]);
int controller_namespaces(const char *controller, char name[NAMESPACE_NAME]);
int controller_check(const struct function *function);

/* namespace.c: @what could not be done to it; @err. */
int namespace_fail(const struct namespace *namespace, int err, const char *what);

/* nvme_admin.c: the controller clears it, which can take long; -errno, reported. */
int namespace_format(const struct namespace *namespace);
int namespace_sanitize(const struct namespace *namespace);

/* owed.c: clear what killed VMs had. */
void namespaces_recover(const char *state);

/* vfio.c */
int vfio_open(struct functions *functions);
void vfio_close(struct functions *functions);

#endif
