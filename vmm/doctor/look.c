// SPDX-License-Identifier: GPL-2.0-only
/* What matters for what was asked, and how bad it is. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/doctor/internal.h"

static const char *const statuses[] = {
	[CHECK_OK] = "ok",     [CHECK_NOTE] = "note", [CHECK_UNKNOWN] = "unknown",
	[CHECK_WARN] = "warn", [CHECK_BAD] = "bad",
};

static const char *const uses[] = {
	[USE_REQUIRED] = "required",
	[USE_EXITLESS] = "exitless",
	[USE_LATENCY] = "latency",
	[USE_SECURITY] = "security",
};

const char *check_status_name(enum check_status status)
{
	return statuses[status];
}

const char *check_use_name(enum check_use use)
{
	return uses[use];
}

int check_group_len(const struct check *check)
{
	return (int)strcspn(check->id, ".");
}

char *check_levels(const struct check *check, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (unsigned int level = SEAL_AUDIT; level <= SEAL_SILENT && used < size; level++)
		if (check->levels & LEVEL(level))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
						 seal_level_name(level));
	return text;
}

/* The bits of check.only that are true of @vm. */
static unsigned int kind_of(const struct vm_config *vm)
{
	unsigned int kind = vm->page_size == GIB(1) ? ONLY_1G : vm->page_size == MIB(2) ? ONLY_2M : ONLY_4K;

	if (vm->vcpus > 1)
		kind |= ONLY_SMP;
	if (vm->tripwire == TRIPWIRE_KERNEL)
		kind |= ONLY_TRIPWIRE;
	kind |= vm->cache.l3.kind ? ONLY_L3 | ONLY_SHARE : 0;
	kind |= vm->cache.l2.kind ? ONLY_L2 | ONLY_SHARE : 0;
	kind |= vm->cache.bandwidth.kind ? ONLY_BANDWIDTH | ONLY_SHARE : 0;
	return kind;
}

bool check_matters(const struct doctor *doctor, const struct check *check)
{
	if (!doctor->vm)
		return true;
	return check->levels & LEVEL(doctor->vm->seal_level) && (!check->only || check->only & kind_of(doctor->vm));
}

/* Without a VM nobody has asked for a level that allows no exit. */
bool check_decides(const struct doctor *doctor, const struct check *check)
{
	if (!doctor->vm)
		return check->use == USE_REQUIRED && !(check->only & ONLY_FUNCTIONS);
	return check->use == USE_REQUIRED || check->use == USE_EXITLESS || check->only & ONLY_SHARES;
}

void check_look(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	*finding = (struct finding){ .status = CHECK_UNKNOWN };
	check->look(doctor, check, finding);
	if (finding->status == CHECK_BAD && !check_decides(doctor, check))
		finding->status = CHECK_WARN;
}

int diagnosis_make(struct diagnosis *diagnosis, const struct doctor *doctor)
{
	const struct check *check;
	size_t all = 0;

	while (check_at(all))
		all++;
	diagnosis->count = 0;
	diagnosis->rows = calloc(all + 1, sizeof(*diagnosis->rows));
	if (!diagnosis->rows)
		return fail(-ENOMEM, "doctor: no memory for %zu checks", all);
	for (size_t i = 0; (check = check_at(i)); i++) {
		struct diagnosed *row = &diagnosis->rows[diagnosis->count];

		if (!check_matters(doctor, check))
			continue;
		row->check = check;
		check_look(doctor, check, &row->finding);
		diagnosis->count++;
	}
	return 0;
}

void diagnosis_free(struct diagnosis *diagnosis)
{
	free(diagnosis->rows);
	*diagnosis = (struct diagnosis){ 0 };
}

bool diagnosis_is_good(const struct diagnosis *diagnosis, const struct doctor *doctor)
{
	for (size_t i = 0; i < diagnosis->count; i++) {
		enum check_status status = diagnosis->rows[i].finding.status;

		if (check_decides(doctor, diagnosis->rows[i].check) && (status == CHECK_BAD || status == CHECK_UNKNOWN))
			return false;
	}
	return true;
}
