// SPDX-License-Identifier: GPL-2.0-only
/* "disks": an array, each element an object with one key that says what kind it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "disks/disks.h"
#include "memmap/memmap.h"
#include "vmm/config/parse.h"

_Static_assert(VM_DISKS_MAX == MEMORY_DISKS, "each has a range");

/* The one whose object is being read: the last. An NVMe namespace among the functions has the same keys. */
static struct disk_config *disk_of(struct vm_config *cfg, const struct place *at)
{
	if (strncmp(at->known->path, "functions.", strlen("functions.")) == 0)
		return &cfg->namespaces[cfg->nfunctions - 1];
	return &cfg->disks[cfg->ndisks - 1];
}

static void disk_free(struct disk_config *disk)
{
	free(disk->image);
	free(disk->save_path);
	*disk = (struct disk_config){ 0 };
}

void namespaces_free(struct vm_config *cfg)
{
	for (unsigned int i = 0; i < FUNCTIONS_MAX; i++)
		disk_free(&cfg->namespaces[i]);
}

void disks_free(struct vm_config *cfg)
{
	for (unsigned int i = 0; i < cfg->ndisks; i++)
		disk_free(&cfg->disks[i]);
	cfg->ndisks = 0;
}

static int disk_add(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	int err;

	if (!json_is_object(value) || json_object_size(value) != 1)
		return complain(at, value, "wanted a disk, as { \"pmem\": { \"image\": \"root.img\" } }");
	cfg->ndisks++;
	err = object_set(cfg, value, at);
	if (!err && !cfg->disks[cfg->ndisks - 1].image)
		err = complain(at, NULL, "pmem.image: missing: wanted the path of an image");
	return err;
}

int set_disks(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	struct place element = { .src = at->src, .up = at, .known = at->known };
	int result = 0;

	if (!json_is_array(value) || json_array_size(value) > VM_DISKS_MAX)
		return refuse(at, value);
	disks_free(cfg);
	for (; element.nth < json_array_size(value); element.nth++) {
		int err = disk_add(cfg, json_array_get(value, element.nth), &element);

		result = err ? err : result;
	}
	return result;
}

int set_disk_image(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	return set_path(&disk_of(cfg, at)->image, value, at);
}

int set_disk_size(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);
	uint64_t size;
	int err;

	if (!text)
		return -EINVAL;
	err = size_parse(text, &size);
	if (err == -EINVAL)
		return refuse(at, value);
	if (err || size < MIB(2) || size > MEMORY_MAX)
		return complain(at, value, "wanted 2M to %dG", (int)(MEMORY_MAX / GIB(1)));
	if (size % MIB(2))
		return complain(at, value, "wanted a multiple of 2M");
	disk_of(cfg, at)->size = size;
	return 0;
}

int set_disk_format(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	disk_of(cfg, at)->format = disk_format_find(text);
	return disk_of(cfg, at)->format ? 0 : refuse(at, value);
}

int set_disk_save(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "never") == 0) {
		disk_of(cfg, at)->save = DISK_SAVE_NEVER;
		return 0;
	}
	if (strcmp(text, "on-stop") == 0) {
		disk_of(cfg, at)->save = DISK_SAVE_IMAGE;
		return 0;
	}
	disk_of(cfg, at)->save = DISK_SAVE_PATH;
	return set_path(&disk_of(cfg, at)->save_path, value, at);
}

int set_disk_save_after(struct vm_config *cfg, const json_t *value, const struct place *at)
{
	const char *text = string_get(value, at);

	if (!text)
		return -EINVAL;
	if (strcmp(text, "clean") != 0 && strcmp(text, "any") != 0)
		return refuse(at, value);
	disk_of(cfg, at)->save_any = *text == 'a';
	return 0;
}

/* The same of NVMe namespaces. */
int namespaces_agree(const struct vm_config *cfg, const char *where)
{
	int err = 0;

	for (unsigned int i = 0; i < cfg->nfunctions; i++) {
		const struct disk_config *disk = &cfg->namespaces[i];
		enum disk_format format = disk->format	? disk->format
					  : disk->image ? disk_format_of_path(disk->image)
							: DISK_RAW;

		if (disk->save == DISK_SAVE_IMAGE && !disk->image)
			err = fail(
				-EINVAL,
				"%s: functions[%u].nvme.save: \"on-stop\": there is no image in whose place it could "
				"go: wanted nvme.image, or the path of a file",
				where, i);
		else if (disk->save == DISK_SAVE_IMAGE && format != DISK_RAW)
			err = fail(-EINVAL,
				   "%s: functions[%u].nvme.save: \"on-stop\": the image is %s, and what is saved is "
				   "raw: wanted the path of another file",
				   where, i, disk_format_name(format));
	}
	return err;
}

/* What is saved is raw: in the place of an image of another format it would not be what its name says. */
int disks_agree(const struct vm_config *cfg, const char *where)
{
	uint64_t total = cfg->memory_size;
	int err = 0;

	for (unsigned int i = 0; i < cfg->ndisks; i++) {
		const struct disk_config *disk = &cfg->disks[i];
		enum disk_format format = disk->format ? disk->format : disk_format_of_path(disk->image);

		total += disk->size;
		if (disk->save == DISK_SAVE_IMAGE && format != DISK_RAW)
			err = fail(-EINVAL,
				   "%s: disks[%u].pmem.save: \"on-stop\": the image is %s, and what is saved is raw: "
				   "wanted "
				   "the path of another file",
				   where, i, disk_format_name(format));
		if (disk_format_is_packed(format) && !disk->size)
			err = fail(-EINVAL,
				   "%s: disks[%u].pmem.size: missing: wanted it, since %s doesn't say how much it "
				   "unpacks to",
				   where, i, disk_format_name(format));
		if (disk->size % cfg->page_size)
			err = fail(-EINVAL, "%s: disks[%u].pmem.size: %lluM: wanted a multiple of memory.page_size, 1G",
				   where, i, (unsigned long long)(disk->size / MIB(1)));
	}
	if (total > MEMORY_MAX)
		err = fail(-EINVAL, "%s: disks: more than %dG together with memory.size", where,
			   (int)(MEMORY_MAX / GIB(1)));
	return err;
}
