// SPDX-License-Identifier: GPL-2.0-only
/* The core manager's life, in order. */
#include <stdlib.h>
#include <unistd.h>

#include "seccomp/filter.h"
#include "vmm/core/core.h"

_Static_assert(SIGNAL_KICK == SIGUSR1, "the filter lets no other signal pass: seccomp/boot.c");

static int core_boot(struct vm *vm)
{
	char lacking[256] = "";
	int err;

	err = jail_enter(&vm->handoff, lacking, sizeof(lacking));
	if (err)
		return err;
	err = vm_create(vm);
	if (err)
		return err;
	err = vcpus_start(vm);
	if (err)
		return err;
	err = seal_prepare(vm);
	if (err)
		return err;
	err = filter_apply(vm->handoff.functions ? &filter_boot_functions : &filter_boot); /* no way back from here */
	if (err)
		return err;
	event_send(EVENT_JAILED, lacking);
	event_send(EVENT_BOOTING, "");
	vcpus_go(vm);
	return 0;
}

int main(void)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm || jail_enter_early() || handoff_receive(HANDOFF_SOCKET, vm))
		return CORE_EXIT_PROTOCOL; // NOLINT(clang-analyzer-unix.Malloc): exit is the cleanup
	if (core_boot(vm))
		return CORE_EXIT_ERROR;
	console_loop(vm);
}
