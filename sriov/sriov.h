/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SRIOV_SRIOV_H
#define SRIOV_SRIOV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/claim.h"
#include "devices/pci.h"
#include "memmap/memmap.h"

/*
 * PCI functions of the host's for one VM: virtual functions of network cards, made and configured for it, or whole
 * functions that are named. They are bound to vfio-pci, and what the guest is to see of them becomes a table
 * (devices/pci.h). All that is changed on the host stands in a record before, and is undone after, or later if we are
 * killed.
 */
#define FUNCTIONS_MAX	     PCI_PASSED_MAX
#define FUNCTION_ADDRESS_MAX 16 /* bytes, with the 0: "0000:03:10.1" */
#define FUNCTION_PF_MAX	     16 /* IFNAMSIZ; an address fits too */
#define FUNCTION_TEXT_MAX    160

#define VLAN_MAX 4094
#define RATE_MAX 1000000 /* Mbit/s */

enum vf_link { VF_LINK_AUTO, VF_LINK_UP, VF_LINK_DOWN }; /* linux/if_link.h, IFLA_VF_LINK_STATE_* */

/* What a physical function is told of a virtual one. */
struct vf_settings {
	uint8_t mac[6];
	uint16_t vlan; /* 0: none */
	uint16_t qos;
	uint16_t protocol; /* of the VLAN, big-endian as the kernel has it */
	uint32_t rate;	   /* Mbit/s it may send at most; 0: no limit */
	uint32_t min_rate;
	bool spoof_check;
	bool trust;
	uint32_t link; /* enum vf_link */
};

enum function_kind { FUNCTION_NETWORK, FUNCTION_PCI, FUNCTION_NVME };

/* How a namespace is cleared: by the controller's own commands, or by writes. */
enum namespace_clear {
	NAMESPACE_AUTO, /* Write Zeroes, if it has that; or else overwritten */
	NAMESPACE_WRITE_ZEROES,
	NAMESPACE_FORMAT,   /* Format NVM, with user data erased */
	NAMESPACE_SANITIZE, /* Sanitize, then zeros */
	NAMESPACE_OVERWRITE,
};

/* What is asked for. */
struct function_request {
	enum function_kind kind;
	char pf[FUNCTION_PF_MAX];	    /* FUNCTION_NETWORK: of which card: an interface's name or an address */
	char controller[FUNCTION_PF_MAX];   /* FUNCTION_NVME: "nvme0", or its address */
	enum namespace_clear clear;	    /* that one's namespace */
	char address[FUNCTION_ADDRESS_MAX]; /* FUNCTION_PCI */
	bool mac_auto;			    /* from the VM's name */
	struct vf_settings settings;
};

/* One of the VM's. */
struct function {
	struct function_request request;
	char address[FUNCTION_ADDRESS_MAX];
	char pf[FUNCTION_ADDRESS_MAX];	 /* whose virtual function it is, "" for none */
	char interface[FUNCTION_PF_MAX]; /* of that one */
	unsigned int vf;		 /* which */
	unsigned int group;		 /* its IOMMU group's number */
	int group_fd, device_fd;
	int eventfds[PCI_VECTORS_MAX]; /* of its interrupts */
	int request_fd;		       /* an eventfd: the host wants it back */
	int error_fd;		       /* an eventfd: an error that it can't go on after */
	struct pci_function table;
	bool master; /* it may do DMA */
};

struct functions {
	unsigned int count;
	struct function list[FUNCTIONS_MAX];
	const char *state; /* folder of records, "/run/nohype" */
	int record_fd;	   /* what is to be undone, locked; -1: nothing is */
	char record_path[128];
	int container_fd;
	uint32_t ndma; /* ranges of memory that are mapped for DMA */
};

#define FUNCTIONS_NONE ((struct functions){ .record_fd = -1, .container_fd = -1 })

/* mac.c: "52:54:00:12:34:56" of one interface alone. -EINVAL: not one; -EADDRNOTAVAIL: of many (multicast), or zero. */
int mac_parse(const char *text, uint8_t mac[6]);

/* The one of VM @vm's function @nth on the host @host (/etc/machine-id): always the same, locally administered. */
void mac_derive(const char *vm, unsigned int nth, const char *host, uint8_t mac[6]);

/* "1Gbit", "250Mbit", in Mbit/s: 1 to RATE_MAX. -EINVAL. */
int rate_mbit_parse(const char *text, uint32_t *mbit);

/* "0000:03:10.1", or "03:10.1" of domain 0; @out has it as sysfs does. -EINVAL. */
int address_parse(const char *text, char out[FUNCTION_ADDRESS_MAX]);

/* The NUMA node of the first that the kernel knows one of, -1: of none. @sysfs: "/sys", or a test's. */
int near_functions(const char *sysfs, const struct function_request *requests, unsigned int count);

/*
 * choose.c: which functions these will be, claimed: @claims is begun. Changes nothing. Negative errno, reported: there
 * is none, it is in use, its IOMMU group isn't its own, it can't be reset, and so on.
 */
int functions_choose(struct functions *functions, const struct function_request *requests, unsigned int count,
		     const char *vm, struct claims *claims);

/*
 * functions.c: make, configure and bind them, open them by VFIO, reset them and read what they are. All or nothing:
 * negative errno, reported. functions_give_back unbinds them and restores all.
 */
int functions_take(struct functions *functions);
void functions_give_back(struct functions *functions);

/*
 * dma.c: all of @mem, which is mapped now and need not be after, is the functions' to read and write at its
 * guest-physical addresses, and nothing else is; their interrupts go to the eventfds; bus mastering is on. And the way
 * back of memory that was laid out so, in this order: bus mastering off, reset, interrupts off, DMA unmapped.
 */
int functions_start(struct functions *functions, const struct memory *mem);
void functions_quiet(struct functions *functions, const struct memory_layout *layout);

/* Where their registers are in the guest: bytes, all together. */
uint64_t functions_mapped(const struct functions *functions);

/* evidence.c: what the kernel says of one now: driver, group, MAC, VLAN, rate. False: not as asked. */
bool function_evidence(const struct function *function, char text[FUNCTION_TEXT_MAX]);

/* What its card says of a network function, and its MAC as text. -ENOENT: it is none; or another negative errno. */
int function_settings(const struct function *function, struct vf_settings *settings, char mac[18]);

/*
 * namespace.c, clear.c, nvme_admin.c: the namespace of the NVMe controller at @address as the host's block device, for
 * us alone. Not there (now): -ENODEV, not reported; other errors are, -EBUSY: it is in use. namespace_wait: its driver
 * has just been bound again. *@by of namespace_clear: how it was done, as in the configuration; some of it, or all, is
 * read back. -EIO, reported: it can't be done, or isn't zero then. @progress may be NULL; bytes.
 */
#define NAMESPACE_NAME	  32
#define NAMESPACE_SECONDS 60
#define NAMESPACE_SAMPLES 64
#define NAMESPACE_NONE	  ((struct namespace){ .fd = -1 })

struct namespace
{
	int fd;			   /* O_DIRECT: what is read and written are blocks, from and to blocks of memory */
	char name[NAMESPACE_NAME]; /* "nvme0n1" */
	uint32_t nsid;
	uint32_t block; /* bytes */
	uint64_t bytes;
};

typedef void namespace_progress_fn(void *ctx, uint64_t done, uint64_t total);

int namespace_open(struct namespace *namespace, const char *address);
int namespace_wait(struct namespace *namespace, const char *address);
void namespace_close(struct namespace *namespace);
int namespace_clear(const struct namespace *namespace, enum namespace_clear how, bool verify_all, const char **by,
		    namespace_progress_fn *progress, void *ctx);
/* Can its controller? -EOPNOTSUPP, reported. */
int namespace_clear_check(const struct namespace *namespace, enum namespace_clear how);
const char *namespace_clear_name(enum namespace_clear how); /* NULL: there is none so */

/*
 * owed.c: that it is to be cleared stands in a file in @state from before it is written until it was: an fd, to be kept
 * until namespace_settle, or negative errno, reported. functions_recover clears those of killed VMs.
 */
int namespace_owe(const char *state, const char *address, enum namespace_clear how);
void namespace_settle(const char *state, const char *address, int *owed);

/* record.c: undo what killed VMs have left in @state; how many VMs, in *@vms. Negative errno, reported. */
int functions_recover(const char *state, unsigned int *vms);

/*
 * config_space.c: the guest's table from the real configuration space. @sizes are the BARs' (0: none), @mappable bit i:
 * BAR i can be mapped, @offsets: where it is in the device's fd. All but the addresses; *@what says what is wrong, if
 * something is. -EOPNOTSUPP, -EBADMSG.
 */
#define FUNCTION_BARS 6

struct function_space {
	uint8_t config[PCI_CONFIG_SIZE];
	uint64_t sizes[FUNCTION_BARS];
	uint64_t offsets[FUNCTION_BARS];
	uint32_t mappable;
	uint32_t vectors; /* that can be had */
};

struct function_shape {
	struct pci_function table;
	uint64_t bars[FUNCTION_BARS];	   /* sizes of those that are shown */
	uint32_t vectors;		   /* of the device's own MSI-X table: the guest may be shown less */
	unsigned int table_bar, pba_bar;   /* where MSI-X is */
	uint64_t table_offset, pba_offset; /* there */
};

int space_shape(const struct function_space *space, struct function_shape *shape, const char **what);

/*
 * place.c: give the BARs their guest-physical addresses, from *@next on, which is moved; then the windows follow from
 * what is mappable. -ENOSPC: they don't fit in the window of the host bridge.
 */
int space_place(const struct function_space *space, struct function_shape *shape, uint64_t *next);

#endif
