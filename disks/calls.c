// SPDX-License-Identifier: GPL-2.0-only
/* The system calls of those processes that read an image. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/util.h"
#include "disks/internal.h"

#define END(how)		  BPF_STMT(BPF_RET | BPF_K, how)
#define LOAD(what)		  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define IF(test, number, yes, no) BPF_JUMP(BPF_JMP | (test) | BPF_K, number, yes, no)

/* x32's calls are of this architecture, and have numbers of their own. */
#define BEGIN	    LOAD(arch), IF(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0), END(SECCOMP_RET_KILL_PROCESS), LOAD(nr)
#define ALLOW(call) IF(BPF_JEQ, call, 0, 1), END(SECCOMP_RET_ALLOW)

/* Only if the low half of argument @n, which is an int to the kernel, stands the test. */
#define ALLOW_IF(call, n, test, number) \
	IF(BPF_JEQ, call, 0, 4), LOAD(args[n]), IF(test, number, 0, 1), END(SECCOMP_RET_ALLOW), LOAD(nr)

/* Memory, its two fds, and the end. */
static const struct sock_filter unpacker[] = {
	BEGIN,
	ALLOW(SYS_read),
	ALLOW(SYS_write),
	ALLOW(SYS_brk),
	ALLOW(SYS_mmap),
	ALLOW(SYS_munmap),
	ALLOW(SYS_mremap),
	ALLOW(SYS_madvise),
	ALLOW(SYS_exit_group),
	END(SECCOMP_RET_KILL_PROCESS),
};

/*
 * qemu-img stays who we are, as it has to open its two files again by their numbers. Root's could be root to any
 * service by its socket's path, which Landlock doesn't look at, and signal, slow down or limit any process of root's,
 * which takes no capability. So it may call what it needs to read and write files by threads; all else fails, as its
 * programmers expect of some (io_uring), and doesn't kill.
 */
static const struct sock_filter qemu[] = {
	BEGIN,
	/* files */
	ALLOW(SYS_read),
	ALLOW(SYS_pread64),
	ALLOW(SYS_readv),
	ALLOW(SYS_preadv),
	ALLOW(SYS_write),
	ALLOW(SYS_pwrite64),
	ALLOW(SYS_writev),
	ALLOW(SYS_pwritev),
	ALLOW(SYS_lseek),
	ALLOW(SYS_ftruncate),
	ALLOW(SYS_fallocate),
	ALLOW(SYS_fsync),
	ALLOW(SYS_fdatasync),
	ALLOW(SYS_fadvise64),
	ALLOW(SYS_copy_file_range),
	ALLOW(SYS_open),
	ALLOW(SYS_openat),
	ALLOW(SYS_close),
	ALLOW(SYS_stat),
	ALLOW(SYS_fstat),
	ALLOW(SYS_lstat),
	ALLOW(SYS_newfstatat),
	ALLOW(SYS_statx),
	ALLOW(SYS_fstatfs),
	ALLOW(SYS_access),
	ALLOW(SYS_faccessat),
	ALLOW(SYS_faccessat2),
	ALLOW(SYS_readlink),
	ALLOW(SYS_readlinkat),
	ALLOW(SYS_getdents64),
	ALLOW(SYS_getcwd),
	ALLOW(SYS_dup),
	ALLOW(SYS_dup2),
	ALLOW(SYS_dup3),
	ALLOW_IF(SYS_fcntl, 1, BPF_JEQ, F_GETFD),
	ALLOW_IF(SYS_fcntl, 1, BPF_JEQ, F_SETFD),
	ALLOW_IF(SYS_fcntl, 1, BPF_JEQ, F_GETFL),
	ALLOW_IF(SYS_fcntl, 1, BPF_JEQ, F_SETFL),
	ALLOW_IF(SYS_fcntl, 1, BPF_JEQ, F_DUPFD_CLOEXEC),
	/* waiting, and time */
	ALLOW(SYS_poll),
	ALLOW(SYS_ppoll),
	ALLOW(SYS_select),
	ALLOW(SYS_pselect6),
	ALLOW(SYS_epoll_create1),
	ALLOW(SYS_epoll_ctl),
	ALLOW(SYS_epoll_wait),
	ALLOW(SYS_epoll_pwait),
	ALLOW(SYS_eventfd2),
	ALLOW(SYS_signalfd4),
	ALLOW(SYS_pipe2),
	ALLOW(SYS_timerfd_create),
	ALLOW(SYS_timerfd_settime),
	ALLOW(SYS_nanosleep),
	ALLOW(SYS_clock_nanosleep),
	ALLOW(SYS_clock_gettime),
	ALLOW(SYS_clock_getres),
	ALLOW(SYS_gettimeofday),
	ALLOW(SYS_restart_syscall),
	/* memory */
	ALLOW(SYS_brk),
	ALLOW(SYS_mmap),
	ALLOW(SYS_munmap),
	ALLOW(SYS_mremap),
	ALLOW(SYS_mprotect),
	ALLOW(SYS_madvise),
	ALLOW(SYS_get_mempolicy),
	ALLOW(SYS_set_mempolicy),
	/* itself, and its threads */
	ALLOW(SYS_execve),
	ALLOW(SYS_arch_prctl),
	ALLOW(SYS_prctl),
	ALLOW(SYS_set_tid_address),
	ALLOW(SYS_set_robust_list),
	ALLOW(SYS_rseq),
	ALLOW(SYS_futex),
	ALLOW(SYS_membarrier),
	ALLOW(SYS_rt_sigaction),
	ALLOW(SYS_rt_sigprocmask),
	ALLOW(SYS_rt_sigreturn),
	ALLOW(SYS_sigaltstack),
	ALLOW(SYS_getpid),
	ALLOW(SYS_gettid),
	ALLOW(SYS_getuid),
	ALLOW(SYS_geteuid),
	ALLOW(SYS_getgid),
	ALLOW(SYS_getegid),
	ALLOW(SYS_uname),
	ALLOW(SYS_sysinfo),
	ALLOW(SYS_getrandom),
	ALLOW(SYS_sched_getaffinity),
	ALLOW(SYS_sched_yield),
	ALLOW(SYS_exit),
	ALLOW(SYS_exit_group),
	ALLOW_IF(SYS_prlimit64, 0, BPF_JEQ, 0),
	ALLOW_IF(SYS_clone, 0, BPF_JSET, CLONE_THREAD),
	/* its flags can't be seen; the C library takes clone then */
	IF(BPF_JEQ, SYS_clone3, 0, 1),
	END(SECCOMP_RET_ERRNO | ENOSYS),
	END(SECCOMP_RET_ERRNO | EPERM),
};

static int filter_put(const struct sock_filter *code, unsigned short len)
{
	struct sock_fprog program = { .len = len, .filter = (struct sock_filter *)code };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) ? -errno : 0;
}

int calls_unpacker(void)
{
	return filter_put(unpacker, ARRAY_SIZE(unpacker));
}

int calls_qemu(void)
{
	return filter_put(qemu, ARRAY_SIZE(qemu));
}
