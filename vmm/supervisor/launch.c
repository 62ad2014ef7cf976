// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/supervisor/internal.h"

#define CORE_NAME	 "nohype-core"
#define PROGRAM_NAME_MAX 32

/* Beside this program, as it is built; or where it is installed. */
int program_open(const char *what, const char *name)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - PROGRAM_NAME_MAX - 1);
	char installed[PATH_MAX];
	char *slash;
	int fd;

	if (len < 0)
		return fail(-errno, "/proc/self/exe: %s", strerror(errno));
	path[len] = '\0';
	slash = strrchr(path, '/');
	snprintf(slash + 1, PROGRAM_NAME_MAX, "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(installed, sizeof(installed), "%s/%s", NOHYPE_LIBEXECDIR, name);
	fd = open(installed, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(-errno, "%s, \"%s\" or \"%s\": %s", what, path, installed, strerror(errno));
	return fd;
}

/* Between fork and exec: a session of its own, so that the terminal's signals pass it by, and the one fd. */
void program_exec(int program, int socket, const char *program_name, const char *name)
{
	char *const argv[] = { (char *)program_name, (char *)name, NULL };
	char *const envp[] = { NULL };
	struct rlimit limit;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	/* So that it can lock the guest's memory, in pages of 4 KiB; what a plain user's limit doesn't allow isn't
	 * locked. */
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
		limit.rlim_cur = geteuid() == 0 ? RLIM_INFINITY : limit.rlim_max;
		limit.rlim_max = MAX(limit.rlim_cur, limit.rlim_max);
		setrlimit(RLIMIT_MEMLOCK, &limit);
	}
	if (socket == HANDOFF_SOCKET ? fcntl(socket, F_SETFD, 0) < 0 : dup2(socket, HANDOFF_SOCKET) < 0)
		_exit(CORE_EXIT_PROTOCOL);
	if (program == HANDOFF_SOCKET)
		_exit(CORE_EXIT_PROTOCOL); /* can't be: the socket pair came later than three open fds */
	fexecve(program, argv, envp);
	_exit(CORE_EXIT_PROTOCOL);
}

static int core_fork(struct vm *vm, int program, int socket)
{
	pid_t pid = fork();

	if (pid < 0)
		return fail(-errno, "fork: %s", strerror(errno));
	if (pid == 0)
		program_exec(program, socket, CORE_NAME, vm->cfg->name);
	vm->core_pid = pid;
	vm->core_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (vm->core_pidfd < 0) {
		int err = fail(-errno, "pidfd_open: %s", strerror(errno));

		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return err;
	}
	return 0;
}

/*
 * Where the VM's cores are a partition's, only threads in its group can be pinned to them. This thread starts all
 * others, which begin where it is; when the vCPUs are there it leaves (core_leave).
 */
static int core_place(const struct vm *vm)
{
	int err = partition_enter_thread(vm->core_pid, vm->core_pid, vm->plan.cores, vm->plan.vcpus);

	return err < 0 ? err : 0;
}

void core_leave(const struct vm *vm)
{
	partition_leave_thread(vm->core_pid, vm->plan.cores, vm->plan.vcpus);
}

static void handoff_fill(const struct vm *vm, struct handoff *handoff)
{
	*handoff = (struct handoff){
		.magic = HANDOFF_MAGIC,
		.version = HANDOFF_VERSION,
		.size = sizeof(*handoff),
		.supervisor_pid = (uint32_t)getpid(),
		.uid = geteuid() == 0 ? CORE_UID_BASE + (uint32_t)getpid() : 0,
		.vcpus = vm->plan.vcpus,
		.tsc_khz = vm->plan.tsc_khz,
		.seal_level = vm->seal.level,
		.disable_exits = vm->plan.disable_exits,
		.touch_step = vm->plan.touch_step,
		.rings = vm->rings.memory.fd >= 0,
		.functions = vm->plan.functions.count,
		.layout = vm->plan.layout,
		.entry = vm->entry,
	};
	for (unsigned int i = 0; i < vm->plan.vcpus; i++)
		handoff->cores[i] = vm->plan.cores[i];
}

static int handoff_send(const struct vm *vm, int console)
{
	int fds[HANDOFF_FDS] = { [HANDOFF_FD_KVM] = vm->kvm_fd,
				 [HANDOFF_FD_MEMORY] = vm->memory.fd,
				 [HANDOFF_FD_CONSOLE] = console,
				 [HANDOFF_FD_RINGS] = vm->rings.memory.fd };
	struct handoff handoff;
	int err;

	handoff_fill(vm, &handoff);
	err = fd_send(vm->event_fd, &handoff, sizeof(handoff), fds, handoff.rings ? HANDOFF_FDS : HANDOFF_FD_RINGS, 0);
	return err ? fail(err, "handoff to the core manager: %s", strerror(-err)) : functions_send(vm);
}

/* Where there are rings, the ring process has the other end of the serial port. */
static int core_sockets(struct vm *vm, int events[2], int console[2])
{
	if (vm->rings.serial_fd >= 0) {
		console[1] = vm->rings.serial_fd;
		vm->rings.serial_fd = -1;
		console[0] = vm->console_fd;
		return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events)
			       ? fail(-errno, "socketpair: %s", strerror(errno))
			       : 0;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, events) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console))
		return fail(-errno, "socketpair: %s", strerror(errno));
	return 0;
}

int core_launch(struct vm *vm)
{
	int events[2] = { -1, -1 }, console[2] = { -1, -1 };
	int program = program_open("the core manager", CORE_NAME);
	int err = program < 0 ? program : core_sockets(vm, events, console);

	vm->event_fd = events[0];
	if (console[0] >= 0)
		vm->console_fd = console[0];
	if (!err)
		err = core_fork(vm, program, events[1]);
	if (!err)
		err = core_place(vm);
	if (!err)
		err = handoff_send(vm, console[1]);
	/* What the core manager alone shall hold. */
	fd_close(&program);
	fd_close(&events[1]);
	fd_close(&console[1]);
	fd_close(&vm->kvm_fd);
	if (err)
		core_end(vm);
	return err;
}

void core_kill(struct vm *vm)
{
	if (vm->core_pid <= 0 || vm->core_gone)
		return;
	syscall(SYS_pidfd_send_signal, vm->core_pidfd, SIGKILL, NULL, 0);
	while (waitpid(vm->core_pid, &vm->core_status, 0) < 0 && errno == EINTR)
		;
	vm->core_gone = true;
	vm->ended_at = clock_now();
}

void core_end(struct vm *vm)
{
	core_kill(vm);
	fd_close(&vm->core_pidfd);
	fd_close(&vm->event_fd);
	fd_close(&vm->console_fd);
}
