// SPDX-License-Identifier: GPL-2.0-only
/* What ended the VM, in one line and one number. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"
#include "devices/ports.h"
#include "vmm/supervisor/internal.h"

struct verdict {
	enum exit_code code;
	const char *text;
};

static const struct verdict verdicts[] = {
	[END_POWER_OFF] = { EXIT_CLEAN, "the guest powered off" },
	[END_REBOOT] = { EXIT_CLEAN, "the guest asked for a reboot, which ends it; start it again for another boot" },
	[END_PANIC] = { EXIT_GUEST, "the guest's kernel panicked; its console says why" },
	[END_TRIPLE_FAULT] = { EXIT_GUEST, "the guest took a triple fault" },
	[END_KVM_ERROR] = { EXIT_GUEST, "KVM can't run the guest on" },
	[END_CORE_ERROR] = { EXIT_ERROR, "the core manager gave up" },
};

static void outcome_set(struct outcome *outcome, enum exit_code code, const char *text)
{
	outcome->code = code;
	snprintf(outcome->text, sizeof(outcome->text), "%s", text);
}

static void outcome_of_end(const struct event *end, struct outcome *outcome)
{
	const struct verdict *verdict = &verdicts[end->end];

	outcome->code = verdict->code;
	if (end->text[0])
		snprintf(outcome->text, sizeof(outcome->text), "%s: vCPU %u: %s", verdict->text, end->vcpu, end->text);
	else
		snprintf(outcome->text, sizeof(outcome->text), "%s", verdict->text);
}

static void outcome_of_status(int status, struct outcome *outcome)
{
	outcome->code = EXIT_ERROR;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		outcome_set(outcome, EXIT_ERROR, "the core manager made a system call that its filter forbids");
	else if (WIFSIGNALED(status))
		snprintf(outcome->text, sizeof(outcome->text), "the core manager was killed by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(outcome->text, sizeof(outcome->text), "the core manager ended by itself, status %d",
			 WEXITSTATUS(status));
}

/* What a boot device would have looked at; the guest is dead and its memory isn't cleared yet. */
static bool is_panic_reset(struct vm *vm)
{
	uint16_t flag = 0;
	const void *at;

	if (memory_map(&vm->memory))
		return false;
	at = memory_at(&vm->memory, BIOS_RESET_FLAG, sizeof(flag), "the word of a reset");
	if (at)
		memcpy(&flag, at, sizeof(flag));
	memory_unmap(&vm->memory);
	return flag == RESET_FLAG_PANIC;
}

static void outcome_of_end_port(struct vm *vm, uint16_t port, struct outcome *outcome)
{
	struct event end = { .end = END_POWER_OFF };

	if (port == PORT_PANIC || (port == PORT_REBOOT && is_panic_reset(vm)))
		end.end = END_PANIC;
	else if (port == PORT_REBOOT)
		end.end = END_REBOOT;
	outcome_of_end(&end, outcome);
}

/* After the seal the tracepoint's record tells the clean ends from the forbidden. */
static bool outcome_of_sealed(struct vm *vm, struct outcome *outcome)
{
	struct violation violation;
	struct exit_record other;
	uint16_t port;

	if (tripwire_read(&vm->seal.other, &other)) {
		outcome_set(outcome, EXIT_VIOLATION,
			    "violation: the core manager ran the guest by a thread that is none of the vCPUs'");
		return true;
	}
	violation_find(vm, &violation);
	if (!violation.found)
		return false;
	if (violation_is_end_port(vm, &violation, &port) &&
	    !polled_is_violation(vm, outcome->text, sizeof(outcome->text))) {
		outcome_of_end_port(vm, port, outcome);
		return true;
	}
	outcome->code = EXIT_VIOLATION;
	if (outcome->text[0])
		return true; /* what was polled has no record */
	vm->violation = violation;
	violation_describe(vm, &violation, outcome->text, sizeof(outcome->text));
	violation_hint(vm, &violation, outcome->hint, sizeof(outcome->hint));
	return true;
}

void outcome_find(struct vm *vm, struct outcome *outcome)
{
	if (vm->seal.sealed && outcome_of_sealed(vm, outcome))
		return;
	if (vm->seal.failed)
		outcome_set(outcome, EXIT_HOST, "it could not be sealed, as said above, and was ended");
	else if (vm->end.type == EVENT_END)
		outcome_of_end(&vm->end, outcome);
	else if (vm->stop_reason)
		outcome_set(outcome, vm->stop_code, vm->stop_reason);
	else if (vm->core_failed)
		outcome_set(outcome, EXIT_ERROR, "the core manager could not go on, as said above");
	else
		outcome_of_status(vm->core_status, outcome);
}

void outcome_spoil(struct vm *vm, const char *fmt, ...)
{
	struct outcome *outcome = vm->outcome;
	size_t len;
	va_list ap;

	if (!outcome)
		return; /* it never ran, and why is said already */
	len = strlen(outcome->text);
	va_start(ap, fmt);
	vsnprintf(outcome->text + len, sizeof(outcome->text) - len, fmt, ap);
	va_end(ap);
	if (outcome->code == EXIT_CLEAN)
		outcome->code = EXIT_ERROR;
}
