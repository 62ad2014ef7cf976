// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int kernel_plan(struct boot_plan *plan)
{
	int err = file_open(&plan->kernel, "kernel", plan->req->kernel);

	if (!err)
		err = kernel_identify(&plan->kernel, &plan->protocol);
	if (!err)
		err = plan->protocol == BOOT_LINUX64 ? bzimage_plan(plan) : elf_plan(plan);
	return err ? err : window_check(plan);
}

static int initrd_plan(struct boot_plan *plan)
{
	int err;

	if (!plan->req->initrd)
		return 0;
	err = file_open(&plan->initrd, "initrd", plan->req->initrd);
	return err ? err : initrd_place(plan);
}

static void plan_free(struct boot_plan *plan)
{
	file_close(&plan->kernel);
	file_close(&plan->initrd);
	free(plan->cmdline);
}

/* Everything that can be wrong with what was asked; the caller frees the plan, whatever the result. */
static int plan_make(struct boot_plan *plan, const struct boot_request *req, const struct memory_layout *layout)
{
	int err;

	*plan = (struct boot_plan){ .req = req, .layout = layout, .kernel.fd = -1, .initrd.fd = -1 };
	err = kernel_plan(plan);
	if (!err)
		err = initrd_plan(plan);
	return err ? err : cmdline_build(req, plan->cmdline_max, &plan->cmdline);
}

static int initrd_write(const struct boot_plan *plan, const struct memory *mem)
{
	void *to;

	if (!plan->initrd_gpa)
		return 0;
	to = memory_at(mem, plan->initrd_gpa, plan->initrd.size, "initrd");
	return to ? file_read(&plan->initrd, to, 0, plan->initrd.size) : -EFAULT;
}

static int cmdline_write(const struct boot_plan *plan, const struct memory *mem)
{
	size_t len = strlen(plan->cmdline) + 1;
	void *to = memory_at(mem, BOOT_CMDLINE, len, "command line");

	if (!to)
		return -EFAULT;
	memcpy(to, plan->cmdline, len);
	return 0;
}

static int plan_write(const struct boot_plan *plan, const struct memory *mem, struct boot_entry *entry)
{
	int err;

	*entry = (struct boot_entry){ .protocol = plan->protocol };
	if (plan->protocol == BOOT_LINUX64)
		err = bzimage_write(plan, mem, entry);
	else
		err = elf_write(plan, mem, entry);
	if (!err)
		err = initrd_write(plan, mem);
	if (!err)
		err = cmdline_write(plan, mem);
	if (!err)
		err = tables_write(mem, plan->protocol, entry);
	return err ? err : acpi_write(mem, plan->req->vcpus, plan->req->numa);
}

int boot_load(const struct boot_request *req, const struct memory *mem, struct boot_entry *entry, char **cmdline_out)
{
	struct boot_plan plan;
	int err = plan_make(&plan, req, &mem->layout);

	if (!err)
		err = plan_write(&plan, mem, entry);
	if (!err && cmdline_out) {
		*cmdline_out = plan.cmdline;
		plan.cmdline = NULL;
	}
	plan_free(&plan);
	return err;
}

int boot_check(const struct boot_request *req, uint64_t memory_size)
{
	struct memory_layout layout;
	struct boot_plan plan;
	int err;

	layout_plan(&layout, memory_size);
	err = plan_make(&plan, req, &layout);
	plan_free(&plan);
	return err;
}
