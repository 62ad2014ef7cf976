// SPDX-License-Identifier: GPL-2.0-only
/* The ring process, and the memory that it shares with the guest. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "rings/rings.h"
#include "vmm/rings/messages.h"
#include "vmm/supervisor/internal.h"

#define RINGS_NAME "nohype-rings"

/* As the core manager's, and another one: neither may touch the other. */
#define RINGS_UID_BASE 0x6f000000u

#define STOP_PATIENCE (60 * INT64_C(1000000000)) /* ns that a guest that was asked to end has */

_Static_assert(RINGS_SOCKET == HANDOFF_SOCKET, "program_exec knows one number");

/* Where the guest's own memory can't move, this can't. */
struct memory_request rings_request(const struct vm_plan *plan, const struct vm_config *cfg)
{
	return (struct memory_request){
		.key = "rings",
		.layout = { .size = RINGS_SIZE, .count = 1, .ranges = { { .size = RINGS_SIZE, .kind = MEMORY_RAM } } },
		.page_size = plan->page_size == KIB(4) ? KIB(4) : MIB(2),
		.place = plan_place(cfg, MEMORY_RINGS),
		.reserve = cfg->memory_reserve,
	};
}

bool rings_have_pool(const struct vm_plan *plan, const struct vm_config *cfg)
{
	return cfg->rings && plan->page_size == GIB(1);
}

/* Where KVM can't map ahead the guest's own first use of the rings does. */
uint64_t vm_mapped_size(const struct vm *vm)
{
	bool mapped = vm->rings.memory.fd >= 0 && !vm->plan.touch_step;

	return vm->plan.layout.size + (mapped ? RINGS_SIZE : 0) + functions_mapped(&vm->plan.functions);
}

/* It polls, so it must not do that on a vCPU's core. */
static void rings_leave_cores(const struct vm *vm)
{
	cpu_set_t *set = CPU_ALLOC(VM_CORE_LIMIT);
	size_t size = CPU_ALLOC_SIZE(VM_CORE_LIMIT);

	if (!set || sched_getaffinity(0, size, set))
		return;
	for (unsigned int i = 0; i < vm->plan.vcpus; i++)
		CPU_CLR_S(vm->plan.cores[i], size, set);
	if (CPU_COUNT_S(size, set))
		sched_setaffinity(0, size, set);
}

static int rings_fork(struct vm *vm, int program, int socket)
{
	pid_t pid = fork();

	if (pid < 0)
		return fail(-errno, "fork: %s", strerror(errno));
	if (pid == 0) {
		rings_leave_cores(vm);
		program_exec(program, socket, RINGS_NAME, vm->cfg->name);
	}
	vm->rings.pid = pid;
	vm->rings.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	return vm->rings.pidfd < 0 ? fail(-errno, "pidfd_open: %s", strerror(errno)) : 0;
}

static int start_send(const struct vm *vm, int serial, int terminal)
{
	const struct rings_start start = {
		.magic = RINGS_START_MAGIC,
		.version = RINGS_START_VERSION,
		.size = sizeof(start),
		.supervisor_pid = (uint32_t)getpid(),
		.uid = geteuid() == 0 ? RINGS_UID_BASE + (uint32_t)getpid() : 0,
		.beat_ms = (uint32_t)vm->cfg->beat_every,
		.beats_missed = vm->cfg->beats_missed,
	};
	const int fds[RINGS_FDS] = {
		[RINGS_FD_MEMORY] = vm->rings.memory.fd, [RINGS_FD_SERIAL] = serial, [RINGS_FD_TERMINAL] = terminal
	};
	int err = fd_send(vm->rings.fd, &start, sizeof(start), fds, RINGS_FDS, 0);

	return err ? fail(err, "rings: start their process: %s", strerror(-err)) : 0;
}

static int rings_launch(struct vm *vm)
{
	int socket[2] = { -1, -1 }, serial[2] = { -1, -1 }, terminal[2] = { -1, -1 };
	int program = program_open("the ring process", RINGS_NAME);
	int err = program < 0 ? program : 0;

	if (!err && (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socket) ||
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, serial) ||
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, terminal)))
		err = fail(-errno, "socketpair: %s", strerror(errno));
	vm->rings.fd = socket[0];
	vm->rings.serial_fd = serial[0];
	vm->console_fd = terminal[0];
	if (!err)
		err = rings_fork(vm, program, socket[1]);
	if (!err)
		err = start_send(vm, serial[1], terminal[1]);
	/* What the ring process alone shall hold. */
	fd_close(&program);
	fd_close(&socket[1]);
	fd_close(&serial[1]);
	fd_close(&terminal[1]);
	return err;
}

int rings_take(struct vm *vm)
{
	struct memory_request req = rings_request(&vm->plan, vm->cfg);
	int err;

	if (!vm->cfg->rings)
		return 0;
	err = memory_reserve(&vm->rings.memory, &req);
	if (!err)
		err = rings_launch(vm);
	if (err)
		rings_give_back(vm);
	return err;
}

static void rings_kill(struct vm *vm)
{
	if (vm->rings.pid <= 0 || vm->rings.gone)
		return;
	kill(vm->rings.pid, SIGKILL); /* not waited for yet, so the number is its own */
	while (waitpid(vm->rings.pid, NULL, 0) < 0 && errno == EINTR)
		;
	vm->rings.gone = true;
}

/* What the guest wrote is cleared as its memory is, and so is what the ring process has put there before. */
void rings_give_back(struct vm *vm)
{
	const struct memory_crew crew = { .count = 0 };
	struct memory_cleared cleared;

	rings_kill(vm);
	if (vm->rings.memory.fd >= 0 && memory_clear(&vm->rings.memory, &crew, MEMORY_CLEAR_VERIFY, &cleared))
		memory_spoil(vm, &vm->rings.memory, "rings' memory");
	memory_release(&vm->rings.memory);
	fd_close(&vm->rings.serial_fd);
	fd_close(&vm->rings.pidfd);
	fd_close(&vm->rings.fd);
	fd_close(&vm->console_fd);
}

static int order_send(const struct vm *vm, enum rings_order_type type, const int *fd)
{
	const struct rings_order order = { .type = type };

	return fd_send(vm->rings.fd, &order, sizeof(order), fd, fd ? 1 : 0, MSG_DONTWAIT);
}

void rings_sealed(struct vm *vm)
{
	if (vm->rings.fd >= 0)
		(void)order_send(vm, RINGS_SEALED, NULL); /* one that is gone is noticed by rings_receive */
}

static const struct {
	const char *word;
	enum rings_order_type type;
} kinds[] = { { "console", RINGS_CONSOLE }, { "logs", RINGS_LOGS }, { "follow", RINGS_FOLLOW } };

/* 0: none. */
static enum rings_order_type kind_find(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].word, word) == 0)
			return kinds[i].type;
	return 0;
}

bool rings_serve(const char *word)
{
	return kind_find(word) != 0;
}

void rings_attach(struct vm *vm, const char *word, int fd)
{
	enum rings_order_type type = kind_find(word);

	if (type && vm->rings.fd >= 0)
		(void)order_send(vm, type, &fd);
}

static const char stopped[] = "stopped by order";

/* Who orders it twice doesn't want to wait. */
void rings_stop(struct vm *vm)
{
	step_say(vm, SEQUENCE_STOP, STEP_ORDER);
	if (vm->rings.fd < 0 || vm->rings.stop_by || order_send(vm, RINGS_STOP, NULL)) {
		vm_stop(vm, EXIT_CLEAN, stopped);
		return;
	}
	vm->rings.stop_by = clock_now() + STOP_PATIENCE;
}

int64_t rings_watch(struct vm *vm)
{
	int64_t left;

	if (!vm->rings.stop_by)
		return -1;
	left = (vm->rings.stop_by - clock_now()) / 1000000;
	if (left <= 0)
		vm_stop(vm, EXIT_CLEAN, "stopped by order: it was asked, and had not ended a minute later");
	return MAX(left, 0);
}

static void word_silent(struct vm *vm, uint64_t ms)
{
	if (!vm->cfg->beat_abort) {
		warn("%s: no heartbeat for %.1f s", vm->cfg->name, (double)ms / 1e3);
		return;
	}
	snprintf(vm->rings.reason, sizeof(vm->rings.reason), "no heartbeat for %.1f s, and the guest was ended",
		 (double)ms / 1e3);
	vm_stop(vm, EXIT_ABORTED, vm->rings.reason);
}

/* False: nothing that it may say. */
static bool word_act(struct vm *vm, const struct rings_word *word)
{
	switch (word->type) {
	case RINGS_WORD_LOG:
		if (word->level > LOG_NOTE)
			return false;
		log_write((enum log_level)word->level, word->text);
		return true;
	case RINGS_WORD_JAILED:
		if (word->text[0])
			warn("the ring process' jail: not to be had on this host for this user: %s", word->text);
		return true;
	case RINGS_WORD_SILENT:
		vm->rings.silent = true;
		word_silent(vm, word->value);
		return true;
	case RINGS_WORD_BEATS:
		if (vm->rings.silent)
			note("%s: its heart beats again", vm->cfg->name);
		vm->rings.silent = false;
		vm->rings.beats = true;
		return true;
	case RINGS_WORD_ASKED:
		if (word->value)
			note("%s: the guest was asked to end", vm->cfg->name);
		else if (vm->rings.stop_by)
			vm_stop(vm, EXIT_CLEAN, stopped);
		return true;
	default:
		return false;
	}
}

/* A VM that nobody watches any more, where somebody was to, is ended. */
void rings_receive(struct vm *vm)
{
	struct rings_word word;
	ssize_t len = recv(vm->rings.fd, &word, sizeof(word), MSG_DONTWAIT);

	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len == (ssize_t)sizeof(word)) {
		text_tame(word.text, sizeof(word.text));
		if (word_act(vm, &word))
			return;
		fail(-EPROTO, "the ring process said what it may not say");
	}
	rings_kill(vm);
	fd_close(&vm->rings.fd);
	vm_stop(vm, EXIT_ERROR, "its ring process ended, and the guest was ended");
}

void rings_end(struct vm *vm)
{
	if (vm->rings.fd >= 0)
		(void)order_send(vm, RINGS_FINISH, NULL);
}
