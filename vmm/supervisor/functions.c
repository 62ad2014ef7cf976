// SPDX-License-Identifier: GPL-2.0-only
/* The VM's PCI functions, from the plan to the end. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/internal.h"

#define LOOK_EVERY 200 /* ms: whether the host wants one back, which takes it longer than that */

int plan_functions(struct vm_plan *plan, const struct vm_config *cfg)
{
	int err;

	plan->functions.state = HOST_STATE;
	if (!cfg->nfunctions)
		return 0;
	/* a first access of each page of registers by the guest would be an exit, and ours could do anything */
	if (plan->touch_step)
		return fail(-ENOTSUP,
			    "functions: this kernel can't map their registers before the guest is sealed: wanted Linux "
			    "6.11 or newer (KVM_PRE_FAULT_MEMORY), or seal.level audit or userspace");
	err = functions_choose(&plan->functions, cfg->functions, cfg->nfunctions, cfg->name, &plan->claims);
	return err ? err : namespaces_fit(plan, cfg);
}

int vm_functions_take(struct vm *vm)
{
	int err = functions_take(&vm->plan.functions);

	for (unsigned int i = 0; !err && i < vm->plan.functions.count && vm->opt->verbose; i++) {
		char text[FUNCTION_TEXT_MAX];

		function_evidence(&vm->plan.functions.list[i], text);
		note("function %u: %s", i, text);
	}
	return err;
}

void vm_functions_give_back(struct vm *vm)
{
	functions_give_back(&vm->plan.functions);
}

int dma_take(struct vm *vm)
{
	int err;

	if (!vm->plan.functions.count)
		return 0;
	err = memory_map(&vm->memory);
	if (!err)
		err = functions_start(&vm->plan.functions, &vm->memory);
	memory_unmap(&vm->memory);
	return err;
}

void dma_give_back(struct vm *vm)
{
	if (vm->plan.functions.count)
		functions_quiet(&vm->plan.functions, &vm->plan.layout);
}

/* A message each, with the fds that the core manager needs to map it. */
int functions_send(const struct vm *vm)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < vm->plan.functions.count; i++) {
		const struct function *function = &vm->plan.functions.list[i];
		const struct handoff_function message = { .magic = HANDOFF_MAGIC,
							  .size = sizeof(message),
							  .function = function->table };
		int fds[FUNCTION_FDS_MAX] = {
			[FUNCTION_FD_DEVICE] = function->device_fd, [FUNCTION_FD_GROUP] = function->group_fd
		};

		memcpy(&fds[FUNCTION_FD_VECTORS], function->eventfds, sizeof(function->eventfds));
		err = fd_send(vm->event_fd, &message, sizeof(message), fds,
			      FUNCTION_FD_VECTORS + function->table.msix.vectors, 0);
	}
	return err ? fail(err, "functions to the core manager: %s", strerror(-err)) : 0;
}

static bool is_signalled(int fd)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&event, 1, 0) == 1 && event.revents & POLLIN;
}

/* A driver that is unbound, a card whose functions are removed: the kernel waits for us to let go. */
int64_t functions_watch(struct vm *vm)
{
	const struct functions *functions = &vm->plan.functions;

	for (unsigned int i = 0; i < functions->count; i++) {
		if (is_signalled(functions->list[i].request_fd)) {
			warn("%s: function %s: the host wants it back", vm->cfg->name, functions->list[i].address);
			vm_stop(vm, EXIT_ABORTED, "the host wanted one of its functions back, and it was ended");
		} else if (is_signalled(functions->list[i].error_fd)) {
			warn("%s: function %s: an error that it can't go on after", vm->cfg->name,
			     functions->list[i].address);
			vm_stop(vm, EXIT_ABORTED, "one of its functions failed, and it was ended");
		}
	}
	return functions->count ? LOOK_EVERY : -1;
}
