// SPDX-License-Identifier: GPL-2.0-only
/* Where the report goes. Tried before the VM starts, since afterwards there is no second chance. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/replace.h"
#include "vmm/supervisor/internal.h"

#define WHAT "report"

int report_check(const struct vm_config *cfg)
{
	struct replacement replacement = { .folder = -1 };
	int err = cfg->report ? replace_open(&replacement, cfg->report, WHAT) : 0;

	replace_close(&replacement);
	return err;
}

int report_take(struct vm *vm)
{
	int err;

	vm->report.file.folder = -1;
	if (!vm->cfg->report)
		return 0;
	err = replace_open(&vm->report.file, vm->cfg->report, WHAT);
	if (err)
		return err;
	err = timeline_make(&vm->report.timeline, vm->plan.vcpus);
	if (err)
		replace_close(&vm->report.file);
	return err;
}

static int report_write(struct report *report)
{
	FILE *file = replace_begin(&report->file);

	if (!file)
		return -errno;
	/* what it could not write stdio remembers, but not what it could not allocate */
	if (json_dumpf(report->json, file, JSON_INDENT(1)) && !ferror(file))
		return -ENOMEM;
	fputc('\n', file);
	return replace_commit(&report->file);
}

void report_give_back(struct vm *vm)
{
	struct report *report = &vm->report;
	int err = 0;

	if (report->json) {
		report_finish(vm);
		err = report_write(report);
	}
	if (err)
		fail(err, WHAT ": \"%s\": not written: %s", vm->cfg->report, strerror(-err));
	report->failed = err != 0;
	replace_close(&report->file);
	json_decref(report->json);
	free(report->at_seal);
	timeline_free(&report->timeline);
	report->json = NULL;
	report->at_seal = NULL;
}
