// SPDX-License-Identifier: GPL-2.0-only
/*
 * NVMe controllers of the VM's: while the host has one its namespace is cleared and gets the image's content; then it
 * is the guest's (functions.c); and when the host has it again, it is saved if asked, and cleared.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/internal.h"

static bool is_nvme(const struct vm_config *cfg, unsigned int nth)
{
	return cfg->functions[nth].kind == FUNCTION_NVME;
}

static struct disk_device device_of(const struct namespace *namespace)
{
	return (struct disk_device){
		.fd = namespace->fd, .name = namespace->name, .bytes = namespace->bytes, .block = namespace->block
	};
}

static int open_again(struct namespace *namespace, const char *address)
{
	int err = namespace_open(namespace, address);

	return err == -ENODEV ? fail(err, "functions: controller: %s: its namespace is gone", address) : err;
}

int plan_namespaces(const struct vm_config *cfg)
{
	struct disk_image image;
	int err = 0;

	for (unsigned int i = 0; !err && i < cfg->nfunctions; i++) {
		if (!is_nvme(cfg, i) || !cfg->namespaces[i].image)
			continue;
		err = disk_open(&image, &cfg->namespaces[i]);
		if (err)
			break;
		err = save_check(&image, &cfg->namespaces[i]);
		image_close(&image);
	}
	return err;
}

static int namespace_fits(const struct function *function, const struct disk_config *disk)
{
	struct namespace namespace;
	struct disk_device device;
	struct disk_image image;
	int err = open_again(&namespace, function->address);

	if (err)
		return err;
	device = device_of(&namespace);
	err = image_open(&image, disk->image, disk->format, IMAGE_READ);
	if (!err) {
		err = device_fits(&image, &device);
		image_close(&image);
	}
	namespace_close(&namespace);
	return err;
}

int namespaces_fit(const struct vm_plan *plan, const struct vm_config *cfg)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < plan->functions.count; i++)
		if (is_nvme(cfg, i) && cfg->namespaces[i].image)
			err = namespace_fits(&plan->functions.list[i], &cfg->namespaces[i]);
	return err;
}

/* What it was before is nobody's business in the guest, and holes of the image are zero. */
static int namespace_empty(struct vm *vm, const struct namespace *namespace, enum namespace_clear how, bool all,
			   const char **by)
{
	struct progress progress = { .what = namespace->name, .started = clock_now() };
	int err = namespace_clear(namespace, how, all, by, progress_show, &progress);

	progress_end(&progress);
	if (!err && vm->opt->verbose)
		note("namespace %s: cleared (%s), %" PRIu64 " MiB in %.3f s", namespace->name, *by,
		     namespace->bytes >> 20, (double)(clock_now() - progress.started) / 1e9);
	return err;
}

static int namespace_load(struct vm *vm, unsigned int nth, const struct namespace *namespace)
{
	struct vm_namespace *ours = &vm->namespaces[nth];
	const struct disk_config *disk = &vm->cfg->namespaces[nth];
	struct progress progress = { .what = namespace->name, .started = clock_now() };
	struct disk_device device = device_of(namespace);
	struct device_filled filled;
	int err = disk_open(&ours->image, disk);

	if (err)
		return err;
	err = device_fill(&ours->image, &device, &filled, progress_show, &progress);
	progress_end(&progress);
	if (err)
		return err;
	ours->told = (struct disk_told){ .format = ours->image.format, .load_ns = clock_now() - progress.started };
	if (vm->opt->verbose)
		note("namespace %s: %" PRIu64 " MiB of the image written and read back in %.3f s, CRC-64 %016" PRIx64,
		     namespace->name, align_up(filled.written, MIB(1)) >> 20, (double)ours->told.load_ns / 1e9,
		     filled.crc);
	if (disk->save != DISK_SAVE_IMAGE)
		image_close(&ours->image); /* others may do with it what they like */
	return 0;
}

static int namespace_take(struct vm *vm, unsigned int nth)
{
	const struct function *function = &vm->plan.functions.list[nth];
	struct vm_namespace *ours = &vm->namespaces[nth];
	struct namespace namespace;
	const char *by;
	int err = open_again(&namespace, function->address);

	if (err)
		return err;
	ours->bytes = namespace.bytes;
	ours->owed = namespace_owe(HOST_STATE, function->address, function->request.clear);
	err = ours->owed < 0 ? ours->owed : namespace_empty(vm, &namespace, NAMESPACE_AUTO, false, &by);
	if (!err && vm->cfg->namespaces[nth].image)
		err = namespace_load(vm, nth, &namespace);
	namespace_close(&namespace);
	return err;
}

int namespaces_take(struct vm *vm)
{
	unsigned int vms;
	int err = 0;

	for (unsigned int i = 0; i < FUNCTIONS_MAX; i++)
		vm->namespaces[i] = (struct vm_namespace){ .owed = -1, .image = { .fd = -1 } };
	functions_recover(HOST_STATE, &vms);
	for (unsigned int i = 0; !err && i < vm->plan.functions.count; i++)
		if (is_nvme(vm->cfg, i))
			err = namespace_take(vm, i);
	if (err)
		namespaces_give_back(vm);
	return err;
}

/* struct disk_told has what became of it. */
static int namespace_save(struct vm *vm, unsigned int nth)
{
	const struct disk_config *disk = &vm->cfg->namespaces[nth];
	struct vm_namespace *ours = &vm->namespaces[nth];
	const char *path = disk->save == DISK_SAVE_PATH ? disk->save_path : ours->image.real;
	struct progress progress = { .what = ours->open->name, .started = clock_now() };
	struct disk_device device = device_of(ours->open);
	int err = device_save(path, &device, &ours->told.saved, progress_show, &progress);

	progress_end(&progress);
	if (err)
		return err;
	ours->told.save_ns = clock_now() - progress.started;
	note("%s: namespace %s saved: %" PRIu64 " of %" PRIu64 " MiB, the rest %s, in %.3f s", vm->cfg->name,
	     device.name, align_up(ours->told.saved.written, MIB(1)) >> 20, device.bytes >> 20,
	     ours->told.saved.is_clone ? "as it was" : "zero", (double)ours->told.save_ns / 1e9);
	return 0;
}

static void namespace_save_if_wanted(struct vm *vm, unsigned int nth)
{
	struct vm_namespace *ours = &vm->namespaces[nth];
	char what[64];

	snprintf(what, sizeof(what), "namespace %s", ours->open->name);
	if (!vm->outcome || !save_is_wanted(vm, &vm->cfg->namespaces[nth], &ours->told, what))
		return;
	ours->told.end = save_surely(vm, namespace_save, nth, "on the device") ? DISK_LOST : DISK_SAVED;
	if (ours->told.end == DISK_LOST)
		outcome_spoil(vm, "; %s was not saved, and its data are lost", what);
}

/* What can't be cleared now stays owed: `nohype host undo` tries it again. */
static void namespace_give_back(struct vm *vm, unsigned int nth)
{
	const struct function *function = &vm->plan.functions.list[nth];
	struct vm_namespace *ours = &vm->namespaces[nth];
	struct namespace namespace;
	int err = namespace_wait(&namespace, function->address);

	if (!err) {
		ours->open = &namespace;
		namespace_save_if_wanted(vm, nth);
		ours->open = NULL;
		err = namespace_empty(vm, &namespace, function->request.clear, vm->cfg->clear_verify, &ours->cleared);
		namespace_close(&namespace);
	}
	if (!err) {
		namespace_settle(HOST_STATE, function->address, &ours->owed);
		return;
	}
	ours->cleared = NULL;
	fd_close(&ours->owed);
	outcome_spoil(vm, "; its namespace was not cleared (`nohype host undo` tries that again)");
}

void namespaces_give_back(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->plan.functions.count; i++) {
		if (!is_nvme(vm->cfg, i))
			continue;
		if (vm->namespaces[i].owed >= 0)
			namespace_give_back(vm, i);
		image_close(&vm->namespaces[i].image);
	}
}
