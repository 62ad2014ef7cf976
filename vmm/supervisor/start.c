// SPDX-License-Identifier: GPL-2.0-only
/* The start sequence, and its way back. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/internal.h"

struct step {
	enum vm_step step;
	int (*take)(struct vm *vm);
	void (*give_back)(struct vm *vm);
	enum exit_code blame; /* if it can't be taken */
};

static int signals_take(struct vm *vm)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (vm->opt->managed)
		sigaddset(&set, STOP_SIGNAL);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return fail(-errno, "block signals: %s", strerror(errno));
	vm->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return vm->signal_fd < 0 ? fail(-errno, "signalfd: %s", strerror(errno)) : 0;
}

static void signals_give_back(struct vm *vm)
{
	fd_close(&vm->signal_fd);
}

static int kvm_take(struct vm *vm)
{
	vm->kvm_fd = kvm_open();
	return vm->kvm_fd < 0 ? vm->kvm_fd : 0;
}

static void kvm_give_back(struct vm *vm)
{
	fd_close(&vm->kvm_fd);
}

/* What was left of its last life is cleared, and its pages are free, before they are looked for. */
static int left_clear(const struct vm *vm, const char *file)
{
	struct memory_cleared cleared;
	int found = memory_recover(HOST_STATE, file, 0, &cleared);

	if (found > 0)
		note("%s: \"%s\", which its last life had left when all that ran it was killed: %" PRIu64
		     " MiB cleared",
		     vm->cfg->name, file, cleared.bytes >> 20);
	return MIN(found, 0);
}

static int pages_take(struct vm *vm)
{
	struct memory_request req = plan_memory_request(&vm->plan, vm->cfg);
	struct memory_request rings = rings_request(&vm->plan, vm->cfg);
	int err = left_clear(vm, req.place.file);

	if (!err)
		err = left_clear(vm, rings.place.file);
	if (err || !req.reserve)
		return err;
	err = pool_add(&vm->pool, &req, HOST_STATE);
	if (err || !rings_have_pool(&vm->plan, vm->cfg))
		return err;
	err = pool_add(&vm->rings_pool, &rings, HOST_STATE);
	if (err)
		pool_give_back(&vm->pool, HOST_STATE);
	return err;
}

static void pages_give_back(struct vm *vm)
{
	pool_give_back(&vm->rings_pool, HOST_STATE);
	pool_give_back(&vm->pool, HOST_STATE);
}

static int memory_take(struct vm *vm)
{
	struct memory_request req = plan_memory_request(&vm->plan, vm->cfg);
	struct progress progress = { .what = "memory" };
	int err;

	req.progress = progress_show;
	req.progress_ctx = &progress;
	err = memory_reserve(&vm->memory, &req);
	progress_end(&progress);
	return err;
}

void memory_spoil(struct vm *vm, struct memory *mem, const char *what)
{
	const char *path = memory_leave(mem);

	if (path)
		outcome_spoil(vm, "; its %s was not cleared, and stays in \"%s\": nohype recover tries again", what,
			      path);
	else
		outcome_spoil(vm, "; its %s was not cleared by nohype: the kernel zeroes each page for its next user",
			      what);
}

/*
 * Cleared before anything of it goes back; the core manager is dead by now. A start that could not go on has a tenant's
 * disks there already.
 */
static void memory_give_back(struct vm *vm)
{
	struct memory_request req = plan_memory_request(&vm->plan, vm->cfg);
	const struct memory_cleared *cleared = &vm->cleared;

	if ((vm->prepared_at || vm->core_pid > 0) && memory_clear(&vm->memory, &req.crew, req.place.how, &vm->cleared))
		memory_spoil(vm, &vm->memory, "memory");
	else if (cleared->failed)
		outcome_spoil(vm,
			      "; %" PRIu64 " KiB of its memory have failed, and could not be cleared: %s; the rest is "
			      "cleared",
			      cleared->failed >> 10, memory_failed_fate(vm->memory.page_size));
	else if (vm->core_pid > 0)
		note("%s: memory cleared: %" PRIu64 " MiB in %.3f s, by %u thread%s with %s%s", vm->cfg->name,
		     cleared->bytes >> 20, (double)cleared->ns / 1e9, cleared->threads,
		     cleared->threads == 1 ? "" : "s", cleared->stores,
		     cleared->verified ? ", all of it read back" : "");
	memory_release(&vm->memory);
}

/* What came from outside is parsed and placed here, and then this process has no mapping of the guest any more. */
static int image_load(struct vm *vm)
{
	struct boot_request req = plan_boot_request(vm->cfg, vm->plan.tsc_khz);
	char *cmdline = NULL;
	int err = memory_map(&vm->memory);

	if (err)
		return err;
	req.numa = &vm->plan.numa;
	err = boot_load(&req, &vm->memory, &vm->entry, &cmdline);
	memory_unmap(&vm->memory);
	vm->prepared_at = clock_now();
	life_say(vm, "prepared");
	if (!err && vm->opt->verbose)
		note("command line: %s", cmdline);
	free(cmdline);
	return err;
}

static void core_give_back(struct vm *vm)
{
	core_end(vm);
	seal_release(vm);
}

/*
 * Each step is undone by its other half, in reverse, whether a later one fails or the VM has ended. What each is says
 * steps.c; here is what their order is for.
 */
static const struct step start_steps[] = {
	{ STEP_SIGNALS, signals_take, signals_give_back, EXIT_ERROR },
	/* written when all else was given back */
	{ STEP_REPORT, report_take, report_give_back, EXIT_USAGE },
	{ STEP_CONTROL, control_take, control_give_back, EXIT_USAGE },
	{ STEP_KVM, kvm_take, kvm_give_back, EXIT_HOST },
	/* the host's again when the vCPUs are gone from the group */
	{ STEP_CACHE, vm_cache_take, vm_cache_give_back, EXIT_HOST },
	/* while the host has the controllers, and when it has them again */
	{ STEP_NAMESPACES, namespaces_take, namespaces_give_back, EXIT_HOST },
	/* given back when the memory that they reached is cleared */
	{ STEP_FUNCTIONS, vm_functions_take, vm_functions_give_back, EXIT_HOST },
	/* taken out when the memory has gone back */
	{ STEP_PAGES, pages_take, pages_give_back, EXIT_HOST },
	{ STEP_MEMORY, memory_take, memory_give_back, EXIT_HOST },
	{ STEP_IMAGE, image_load, NULL, EXIT_USAGE },
	/* saved when nothing writes to them any more */
	{ STEP_DISKS, disks_take, disks_give_back, EXIT_USAGE },
	{ STEP_RINGS, rings_take, rings_give_back, EXIT_HOST },
	/* functions are silenced before anything of the memory is saved or cleared */
	{ STEP_DMA, dma_take, dma_give_back, EXIT_HOST },
	{ STEP_CORE_MANAGER, core_launch, core_give_back, EXIT_ERROR },
};

static void steps_give_back(struct vm *vm, size_t count)
{
	while (count--) {
		if (!start_steps[count].give_back)
			continue;
		step_say(vm, vm->sequence, start_steps[count].step);
		start_steps[count].give_back(vm);
	}
}

enum exit_code vm_start(struct vm *vm)
{
	for (size_t i = 0; i < ARRAY_SIZE(start_steps); i++) {
		step_say(vm, SEQUENCE_START, start_steps[i].step);
		if (!start_steps[i].take(vm))
			continue;
		vm->sequence = SEQUENCE_UNDO;
		steps_give_back(vm, i);
		return start_steps[i].blame;
	}
	return EXIT_CLEAN;
}

void vm_give_back(struct vm *vm)
{
	steps_give_back(vm, ARRAY_SIZE(start_steps));
}

static void plan_note(const struct vm_plan *plan)
{
	for (unsigned int i = 0; i < plan->vcpus; i++)
		note("vCPU %u: core %u", i, plan->cores[i]);
}

/* From the first step to the last but two. */
static void vm_live(struct vm *vm, struct outcome *outcome)
{
	step_say(vm, SEQUENCE_START, STEP_PLAN);
	outcome->code = plan_make(&vm->plan, vm->cfg);
	if (!outcome->code) {
		step_say(vm, SEQUENCE_START, STEP_CLAIMS);
		outcome->code = plan_claim(&vm->plan);
	}
	if (!outcome->code && vm->opt->verbose)
		plan_note(&vm->plan);
	if (!outcome->code)
		outcome->code = vm_start(vm);
	if (outcome->code)
		return;
	vm_watch(vm);
	outcome_find(vm, outcome);
	vm->outcome = outcome;
	vm->sequence = outcome->code == EXIT_CLEAN ? SEQUENCE_STOP : SEQUENCE_ABORT;
	step_say(vm, vm->sequence, STEP_VCPUS);
	life_cause(vm, outcome);
	ledger_print(vm);
	evidence_print(vm);
	report_collect(vm, outcome);
	vm_give_back(vm);
	host_watch_release(vm);
	if (vm->report.failed && outcome->code == EXIT_CLEAN)
		outcome->code = EXIT_ERROR;
}

/* The last line. Of a start that could not go on it is the error, which was reported. */
static void outcome_print(const struct vm *vm, const struct outcome *outcome)
{
	if (!vm->outcome)
		return;
	if (outcome->hint[0])
		note("%s: %s", vm->cfg->name, outcome->hint);
	note("%s: %s (exit code %d: %s)", vm->cfg->name, outcome->text, (int)outcome->code,
	     exit_code_text(outcome->code));
}

void vm_init(struct vm *vm, const struct vm_config *cfg, const struct run_options *opt)
{
	*vm = (struct vm){ .cfg = cfg,
			   .opt = opt,
			   .sequence = SEQUENCE_UNDO,
			   .plan = { .claims = CLAIMS_NONE, .functions = FUNCTIONS_NONE, .cache = CACHE_GROUP_NONE },
			   .memory.fd = -1,
			   .pool.fd = -1,
			   .rings_pool.fd = -1,
			   .kvm_fd = -1,
			   .core_pidfd = -1,
			   .event_fd = -1,
			   .console_fd = -1,
			   .signal_fd = -1,
			   .control_fd = -1,
			   .client_fd = -1,
			   .report.file.folder = -1,
			   .rings = { .memory.fd = -1, .pidfd = -1, .fd = -1, .serial_fd = -1 },
			   .seal = { .vm_stats_fd = -1, .other.fd = -1 } };
}

int vm_run(const struct vm_config *cfg, const struct run_options *opt)
{
	struct vm vm;
	struct outcome outcome = { .code = EXIT_ERROR };

	vm_init(&vm, cfg, opt);
	vm.seal.level = cfg->seal_level;
	vm.seal.tripwire = cfg->tripwire;
	memcpy(vm.seal.except, cfg->except, sizeof(vm.seal.except));
	vm.seal.vendor = vendor_of_host();
	vm.started = clock_now();
	clock_gettime(CLOCK_REALTIME, &vm.utc);
	/* From here on this process has the guest's memory in reach: no core file, and nobody looks in. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return fail(EXIT_ERROR, "no core dumps: %s", strerror(errno));
	if (life_begin(&vm))
		return EXIT_ERROR;
	vm_live(&vm, &outcome);
	step_say(&vm, vm.sequence, STEP_CLAIMS);
	plan_release(&vm.plan);
	step_say(&vm, vm.sequence, STEP_OUTCOME);
	outcome_print(&vm, &outcome);
	life_end(&vm, &outcome);
	return (int)outcome.code;
}
