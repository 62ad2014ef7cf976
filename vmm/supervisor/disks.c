// SPDX-License-Identifier: GPL-2.0-only
/* Disks that are persistent memory: an image into a range of the guest's memory, and out of it at the end. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define RETRY_MS 10000

static enum image_use disk_use(const struct disk_config *disk)
{
	return disk->save == DISK_SAVE_IMAGE ? IMAGE_SAVE : IMAGE_READ;
}

/* Opened for us: with the lock that its use needs. */
int disk_open(struct disk_image *image, const struct disk_config *disk)
{
	int err = image_open(image, disk->image, disk->format, disk_use(disk));

	if (err)
		return err;
	err = image_lock(image);
	if (err)
		image_close(image);
	return err;
}

/* What its range has: as asked, or what the image needs, in whole pages. */
static int disk_size(const struct disk_image *image, const struct disk_config *disk, uint64_t page_size, uint64_t *size)
{
	*size = disk->size ? disk->size : align_up(MIN(image->bytes, MEMORY_MAX), MAX(page_size, MIB(2)));
	if (!*size)
		return image_fail(image, -EINVAL, "wanted \"size\", since %s doesn't say how large the disk is",
				  disk_format_name(image->format));
	return image_fits(image, *size);
}

int save_check(const struct disk_image *image, const struct disk_config *disk)
{
	if (disk->save == DISK_SAVE_NEVER)
		return 0;
	return disk_save_check(disk->save == DISK_SAVE_PATH ? disk->save_path : image->real);
}

static int plan_disk(struct vm_plan *plan, const struct disk_config *disk, struct disk_image *image)
{
	uint64_t size;
	int err = disk_open(image, disk);

	if (err)
		return err;
	err = disk_size(image, disk, plan->page_size, &size);
	if (!err)
		err = save_check(image, disk);
	if (!err && size > MEMORY_MAX - plan->layout.size)
		err = image_fail(image, -EFBIG, "%" PRIu64 " MiB: with memory and the other disks more than %d GiB",
				 size >> 20, (int)(MEMORY_MAX / GIB(1)));
	if (!err)
		layout_add_disk(&plan->layout, size);
	return err;
}

/* All are open at once, so that one that is there twice is found. */
int plan_disks(struct vm_plan *plan, const struct vm_config *cfg)
{
	struct disk_image images[VM_DISKS_MAX];
	int err = 0;

	for (unsigned int i = 0; i < cfg->ndisks; i++)
		err = plan_disk(plan, &cfg->disks[i], &images[i]) ? -EINVAL : err;
	for (unsigned int i = 0; i < cfg->ndisks; i++)
		image_close(&images[i]);
	return err;
}

void disk_title(const char *path, char *title, size_t size)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;

	escape_text(title, size, base, strlen(base));
}

static int disk_load(struct vm *vm, unsigned int nth)
{
	const struct disk_config *disk = &vm->cfg->disks[nth];
	const struct memory_range *range = layout_disk(&vm->plan.layout, nth);
	int64_t begun = clock_now();
	struct progress progress;
	char title[32];
	int err = disk_open(&vm->disks[nth], disk);

	if (err)
		return err;
	disk_title(disk->image, title, sizeof(title));
	progress = (struct progress){ .what = title, .started = begun };
	err = image_read(&vm->disks[nth], vm->memory.host + range->offset, range->size, progress_show, &progress);
	progress_end(&progress);
	if (err)
		return err;
	vm->disks_told[nth] = (struct disk_told){ .format = vm->disks[nth].format, .load_ns = clock_now() - begun };
	if (vm->opt->verbose)
		note("disk %u: %s: at 0x%" PRIx64 ", %" PRIu64 " MiB, in %.3f s", nth, title, range->gpa,
		     range->size >> 20, (double)vm->disks_told[nth].load_ns / 1e9);
	if (disk->save != DISK_SAVE_IMAGE)
		image_close(&vm->disks[nth]); /* others may do with it what they like */
	return 0;
}

int disks_take(struct vm *vm)
{
	int err = 0;

	if (!vm->cfg->ndisks)
		return 0;
	for (unsigned int i = 0; i < VM_DISKS_MAX; i++)
		vm->disks[i] = (struct disk_image){ .fd = -1 };
	err = memory_map(&vm->memory);
	for (unsigned int i = 0; !err && i < vm->cfg->ndisks; i++)
		err = disk_load(vm, i);
	memory_unmap(&vm->memory);
	for (unsigned int i = 0; err && i < vm->cfg->ndisks; i++)
		image_close(&vm->disks[i]);
	vm->prepared_at = clock_now();
	return err;
}

static const char *save_path(const struct vm *vm, unsigned int nth)
{
	const struct disk_config *disk = &vm->cfg->disks[nth];

	return disk->save == DISK_SAVE_PATH ? disk->save_path : vm->disks[nth].real;
}

/* struct disk_told has what became of it. */
static int disk_save_once(struct vm *vm, unsigned int nth)
{
	const struct memory_range *range = layout_disk(&vm->plan.layout, nth);
	const char *path = save_path(vm, nth);
	int64_t begun = clock_now();
	struct progress progress;
	struct disk_saved saved;
	char title[32];
	int err;

	disk_title(path, title, sizeof(title));
	progress = (struct progress){ .what = title, .started = begun };
	err = disk_save(path, vm->memory.host + range->offset, range->size, &saved, progress_show, &progress);
	progress_end(&progress);
	if (err)
		return err;
	vm->disks_told[nth].saved = saved;
	vm->disks_told[nth].save_ns = clock_now() - begun;
	note("%s: disk %s saved: %" PRIu64 " of %" PRIu64 " MiB, the rest %s, in %.3f s", vm->cfg->name, title,
	     align_up(saved.written, MIB(1)) >> 20, range->size >> 20, saved.is_clone ? "as it was" : "zero",
	     (double)vm->disks_told[nth].save_ns / 1e9);
	return 0;
}

/* Those that came before anyone was told were about something else. */
static void signals_drop(const struct vm *vm)
{
	struct signalfd_siginfo info;

	while (read(vm->signal_fd, &info, sizeof(info)) > 0)
		;
}

/* Orders are taken while it waits; false: one of them, or a signal, says that it shall wait no longer. */
static bool save_wait(struct vm *vm)
{
	struct pollfd fds[2] = { { .fd = vm->signal_fd, .events = POLLIN } };
	struct signalfd_siginfo info;
	int64_t end = clock_now() + RETRY_MS * INT64_C(1000000), left;

	while ((left = (end - clock_now()) / 1000000) > 0 && !vm->abandoned) {
		control_watch(vm);
		fds[1] = control_poll(vm);
		if (poll(fds, ARRAY_SIZE(fds), (int)left) <= 0)
			continue;
		if (fds[0].revents && read(vm->signal_fd, &info, sizeof(info)) > 0)
			return false;
		control_turn(vm, &fds[1]);
	}
	return !vm->abandoned;
}

/* Where the guest left them is the one place where its data are: it stays until they are saved or nobody wants them. */
int save_surely(struct vm *vm, int (*once)(struct vm *vm, unsigned int nth), unsigned int nth, const char *where)
{
	int err;

	while ((err = once(vm, nth))) {
		signals_drop(vm);
		warn("%s: its data are kept %s, and this is tried again every %d s; a signal, or `nohype abort %s`, "
		     "gives them up",
		     vm->cfg->name, where, RETRY_MS / 1000, vm->cfg->name);
		if (!save_wait(vm))
			break;
	}
	return err;
}

bool save_is_wanted(struct vm *vm, const struct disk_config *disk, struct disk_told *told, const char *what)
{
	if (disk->save == DISK_SAVE_NEVER)
		return false;
	if (disk->save_any || vm->outcome->code == EXIT_CLEAN)
		return true;
	told->end = DISK_NOT_CLEAN;
	note("%s: %s is not saved, since this is no clean end: %s stays as it was", vm->cfg->name, what,
	     disk->save == DISK_SAVE_IMAGE ? "its image" : "what there is");
	return false;
}

static void disks_save(struct vm *vm)
{
	bool wanted[VM_DISKS_MAX] = { false }, any = false;
	char what[16];

	for (unsigned int i = 0; i < vm->cfg->ndisks; i++) {
		snprintf(what, sizeof(what), "disk %u", i);
		any |= wanted[i] = save_is_wanted(vm, &vm->cfg->disks[i], &vm->disks_told[i], what);
	}
	if (!any)
		return;
	if (memory_map(&vm->memory)) {
		vm->outcome->code = EXIT_ERROR;
		any = false;
	}
	for (unsigned int i = 0; i < vm->cfg->ndisks; i++)
		if (wanted[i])
			vm->disks_told[i].end =
				any && !save_surely(vm, disk_save_once, i, "in memory") ? DISK_SAVED : DISK_LOST;
	for (unsigned int i = 0; i < vm->cfg->ndisks; i++)
		if (vm->disks_told[i].end == DISK_LOST)
			outcome_spoil(vm, "; disk %u was not saved, and its data are lost", i);
	memory_unmap(&vm->memory);
}

void disks_give_back(struct vm *vm)
{
	if (vm->outcome)
		disks_save(vm);
	for (unsigned int i = 0; i < vm->cfg->ndisks; i++)
		image_close(&vm->disks[i]);
}
