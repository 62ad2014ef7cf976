// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "vmm/supervisor/internal.h"

#define WORD_TEXT 20 /* bytes of " 0x" and 16 digits, and more */

void evidence_print(struct vm *vm)
{
	uint64_t words[VM_EVIDENCE_MAX], gpa = vm->cfg->evidence_gpa;
	unsigned int count = vm->cfg->evidence_words;
	char text[VM_EVIDENCE_MAX * WORD_TEXT] = "";
	const void *at;

	if (!count || memory_map(&vm->memory))
		return;
	at = memory_at(&vm->memory, gpa, count * sizeof(*words), "seal.evidence");
	if (at) {
		memcpy(words, at, count * sizeof(*words));
		for (unsigned int i = 0, used = 0; i < count; i++)
			used += (unsigned int)snprintf(text + used, sizeof(text) - used, " 0x%" PRIx64, words[i]);
		note("%s: evidence: 0x%" PRIx64 ":%s", vm->cfg->name, gpa, text);
	}
	memory_unmap(&vm->memory);
}
