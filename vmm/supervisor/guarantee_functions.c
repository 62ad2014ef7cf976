// SPDX-License-Identifier: GPL-2.0-only
/* The guarantee about PCI functions: the VM's alone, and configured as asked. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "vmm/supervisor/guarantees.h"
#include "vmm/supervisor/internal.h"

void guarantee_functions(const struct vm *vm, struct guarantee *row)
{
	const struct functions *functions = &vm->plan.functions;
	char all[sizeof(row->evidence)] = "", text[FUNCTION_TEXT_MAX];
	bool held = true;

	for (unsigned int i = 0; i < functions->count; i++) {
		size_t used = strlen(all);

		held &= function_evidence(&functions->list[i], text);
		snprintf(all + used, sizeof(all) - used, "%s%s", used ? "; " : "", text);
	}
	if (functions->count)
		guarantee_set(row, held ? GUARANTEE_HELD : GUARANTEE_NOT_HELD, "%s", all);
	else
		guarantee_set(row, GUARANTEE_HELD, "none asked for");
}
