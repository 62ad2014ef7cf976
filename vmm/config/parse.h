/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_CONFIG_PARSE_H
#define VMM_CONFIG_PARSE_H

#include <jansson.h>

#include "vmm/config/config.h"

/*
 * Inside vmm/config: how a value finds its key and a message its line.
 */
#define CONFIG_ERRORS_MAX 20 /* messages for one file; a file of a megabyte could have a hundred thousand */

/* Where settings come from: a file's text, or an option (text NULL). */
struct source {
	const char *name; /* begins each message */
	const char *text; /* JSON that jansson has accepted, or NULL */
	size_t len;
	const char *folder; /* relative paths are joined to it; "" for none */
	unsigned int errors;
};

/* Where a value stands in its source. Chained on the stack, from the value up to the whole file. */
struct place {
	struct source *src;
	const struct place *up;	 /* NULL: the whole file, or an option */
	const char *key;	 /* of an object's member, or NULL: an array's element */
	size_t nth;		 /* member or element of @up: jansson keeps the text's order */
	const struct key *known; /* the key whose value this is */
};

typedef int key_set_fn(struct vm_config *cfg, const json_t *value, const struct place *at);

struct key {
	const char *path;   /* "memory.size" */
	key_set_fn *set;    /* reports through refuse() or complain(); NULL: an object with keys of its own */
	const char *wanted; /* "wanted ..." in messages */
	bool number;	    /* an option's argument is a number too */
};

/* config.c: can a VM be called @name? */
bool name_is_valid(const char *name);

/* cores.c: "auto", an array or a list. */
key_set_fn set_cores;

/* memory.c; memory_agrees: what its keys can't mean together. */
key_set_fn set_memory_nodes, set_memory_reserve, set_memory_folder, set_memory_clear;
int memory_agrees(const struct vm_config *cfg, const char *where);

/* except.c */
key_set_fn set_except_eoi, set_except_cpuid, set_except_ipi;

/*
 * keys.c: the string that @value is, or NULL, reported; @copy, malloced, in place of an earlier one (NULL: -ENOMEM,
 * reported); a path into *@owned, joined to the file's folder.
 */
const char *string_get(const json_t *value, const struct place *at);
int string_keep(char **owned, char *copy);
int set_path(char **owned, const json_t *value, const struct place *at);

/* disks.c: an array of disks; then what one's object holds. */
key_set_fn set_disks, set_disk_image, set_disk_size, set_disk_format, set_disk_save, set_disk_save_after;
int disks_agree(const struct vm_config *cfg, const char *where);
void disks_free(struct vm_config *cfg);
/* The same of NVMe namespaces, whose keys are those of disks. */
int namespaces_agree(const struct vm_config *cfg, const char *where);
void namespaces_free(struct vm_config *cfg);
/* functions.c: the same of PCI functions. */
key_set_fn set_functions, set_function_pf, set_function_mac, set_function_vlan, set_function_rate,
	set_function_spoof_check, set_function_trust, set_function_link, set_function_pci, set_function_controller,
	set_function_clear;
int functions_agree(const struct vm_config *cfg, const char *where);
/* cache.c */
key_set_fn set_l3, set_l2, set_memory_bandwidth, set_cache_exclusive;
int cache_agrees(const struct vm_config *cfg, const char *where);
/* watch.c; then_set: "abort" (true) or "report". */
key_set_fn set_watch_every, set_watch_then;
int then_set(bool *aborts, const json_t *value, const struct place *at);

/* rings.c */
key_set_fn set_rings, set_heartbeat, set_heartbeat_every, set_heartbeat_missing, set_heartbeat_then;

/* restart.c */
key_set_fn set_restart_policy, set_restart_delay, set_restart_limit, set_restart_after_violation;

/* require.c: "all", an array or a list. */
key_set_fn set_require;

/* keys.c: the table of all keys. */
const struct key *key_find(const char *path);
const struct key *key_at(unsigned int i);

/* walk.c: set all that @object holds; @at->known is the object's own key, or NULL for the whole file. */
int object_set(struct vm_config *cfg, const json_t *object, const struct place *at);

/* line.c: the line (from 1) on which a key or an element begins. */
unsigned int place_line(const struct place *at);

/* complain.c: one message about @found; both return -EINVAL. refuse() says what the key wants. */
int complain(const struct place *at, const json_t *found, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
int refuse(const struct place *at, const json_t *found);

#endif
