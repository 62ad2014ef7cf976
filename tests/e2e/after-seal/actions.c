// SPDX-License-Identifier: GPL-2.0-only
/* What a guest may want to do after its seal: one function each, and the table of them at the end. */
#include "tests/e2e/after-seal/after-seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/perf_event.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "examples/guests/nohype-guest.h"

#define MIB 1048576UL

/* --- what many of them need --- */

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		err = errno;
	close(fd);
	return err;
}

static int file_read(const char *path)
{
	static char buffer[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	ssize_t len;

	if (fd < 0)
		return errno;
	while ((len = read(fd, buffer, sizeof(buffer))) > 0)
		;
	if (len < 0)
		err = errno;
	close(fd);
	return err;
}

static int wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECANCELED;
}

static int run_times(const char *program, int times)
{
	int err = 0;

	for (int i = 0; !err && i < times; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(program, program, "true", NULL);
			_exit(errno);
		}
		err = wait_for(pid);
	}
	return err;
}

static void *memory(size_t size, int flags)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* --- processes and threads --- */

static int do_nothing(void)
{
	return 0;
}

static int do_fork(void)
{
	int err = 0;

	for (int i = 0; !err && i < 200; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		err = wait_for(pid);
	}
	return err;
}

/* Many at once: their kernel stacks are more than the kernel keeps for the next ones. */
static int do_fork_many(void)
{
	static pid_t pids[500];
	int err = 0;

	for (int i = 0; i < 500; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			pause();
			_exit(0);
		}
	}
	for (int i = 0; i < 500; i++) {
		if (pids[i] < 0)
			continue;
		kill(pids[i], SIGKILL);
		err = wait_for(pids[i]) == ECANCELED ? err : EIO;
	}
	return err;
}

static int do_exec_musl(void)
{
	return run_times("/bin/busybox", 100);
}

static int do_exec_glibc(void)
{
	return run_times("/do/glibc", 3);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int counted;

static void *count(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		counted++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

static int do_threads(void)
{
	pthread_t threads[32];

	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 32; i++)
			if (pthread_create(&threads[i], NULL, count, NULL))
				return EAGAIN;
		for (int i = 0; i < 32; i++)
			pthread_join(threads[i], NULL);
	}
	return counted == 4 * 32 * 1000 ? 0 : EIO;
}

/* --- signals, timers, sleep --- */

static volatile sig_atomic_t caught;

static void catch (int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	caught++;
}

static void leave(int signal, siginfo_t *info, void *context)
{
	(void)info;
	(void)context;
	_exit(signal);
}

static void on_signal(int signal, void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(signal, &act, NULL);
}

static int do_signals(void)
{
	on_signal(SIGUSR1, catch);
	for (int i = 0; i < 1000; i++)
		kill(getpid(), SIGUSR1);
	return caught == 1000 ? 0 : EIO;
}

static int do_timers(void)
{
	struct itimerval every = { { 0, 10000 }, { 0, 10000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct itimerspec tick = { { 0, 10000000 }, { 0, 10000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	uint64_t ticks = 0, sum = 0;

	on_signal(SIGALRM, catch);
	setitimer(ITIMER_REAL, &every, NULL);
	while (caught < 50)
		pause();
	setitimer(ITIMER_REAL, &never, NULL);
	timerfd_settime(fd, 0, &tick, NULL);
	while (sum < 50 && read(fd, &ticks, sizeof(ticks)) == sizeof(ticks))
		sum += ticks;
	close(fd);
	return sum >= 50 ? 0 : EIO;
}

static int do_sleep(void)
{
	for (int i = 0; i < 100; i++)
		usleep(i % 2 ? 1000 : 20000);
	return 0;
}

/* --- the processor --- */

static int do_fpu(void)
{
	volatile double sum = 0;
	volatile long double wide = 1;

	for (int i = 1; i < 100000; i++) {
		sum += sqrt(i);
		wide = wide * 1.0000001L;
	}
	return sum > 0 && wide > 1 ? 0 : EIO;
}

__attribute__((target("avx2"))) static int do_avx(void)
{
	typedef int vector __attribute__((vector_size(32)));
	vector sum = { 0 }, one = { 1, 1, 1, 1, 1, 1, 1, 1 };

	for (int i = 0; i < 100000; i++) {
		sum += one;
		__asm__ volatile("vpaddd %0, %0, %0" : "+x"(one));
		if (i % 10000 == 0)
			usleep(1000); /* saved and restored */
	}
	return sum[7] == sum[0] ? 0 : EIO;
}

static int do_time_stamp(void)
{
	struct timespec t;

	for (int i = 0; i < 10000; i++) {
		__builtin_ia32_rdtsc();
		clock_gettime(CLOCK_MONOTONIC, &t);
	}
	return 0;
}

/* Instructions that any user may execute; by the signal that they end with; 0: none. */
static int in_child(void (*instruction)(void), int signal)
{
	pid_t pid = fork();

	if (pid == 0) {
		on_signal(signal, leave);
		instruction();
		_exit(0);
	}
	return wait_for(pid) == signal ? 0 : EIO;
}

static void run_cpuid(void)
{
	__asm__ volatile("xor %%eax, %%eax; cpuid" ::: "eax", "ebx", "ecx", "edx");
}

static void run_divide(void)
{
	__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idiv %%ecx" ::: "eax", "ecx", "edx");
}

static void run_ud2(void)
{
	__asm__ volatile("ud2");
}

static void run_int3(void)
{
	__asm__ volatile("int3");
}

static void run_int1(void)
{
	__asm__ volatile(".byte 0xf1");
}

static void run_single_step(void)
{
	__asm__ volatile("sub $128, %%rsp; pushf; orl $0x100, (%%rsp); popf; nop; add $128, %%rsp" ::: "cc", "memory");
}

static void run_vmmcall(void)
{
	__asm__ volatile("vmmcall" ::: "memory");
}

static void run_rdpmc(void)
{
	__asm__ volatile("xor %%ecx, %%ecx; rdpmc" ::: "eax", "ecx", "edx");
}

static void run_hlt(void)
{
	__asm__ volatile("hlt");
}

static void run_out(void)
{
	__asm__ volatile("out %%al, $0x80" :::);
}

static int do_cpuid(void)
{
	run_cpuid();
	return 0;
}

static int do_divide(void)
{
	return in_child(run_divide, SIGFPE);
}

static int do_ud2(void)
{
	return in_child(run_ud2, SIGILL);
}

static int do_int3(void)
{
	return in_child(run_int3, SIGTRAP);
}

static int do_int1(void)
{
	return in_child(run_int1, SIGTRAP);
}

static int do_single_step(void)
{
	return in_child(run_single_step, SIGTRAP);
}

static int do_vmmcall(void)
{
	return in_child(run_vmmcall, 0);
}

static int do_rdpmc(void)
{
	return in_child(run_rdpmc, SIGSEGV);
}

static int do_hlt(void)
{
	return in_child(run_hlt, SIGSEGV);
}

static int do_out(void)
{
	return in_child(run_out, SIGSEGV);
}

/* A hardware breakpoint in a process of one's own, as a debugger sets it. */
static int do_watchpoint(void)
{
	static long watched;
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		watched = 1;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]), &watched);
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0xd0001UL); /* 4 bytes, writes: SDM 17.2.4 */
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	kill(pid, SIGKILL);
	return WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP ? 0 : EIO;
}

/* --- memory --- */

static int do_page_faults(void)
{
	char *at = memory(64 * MIB, 0);

	if (!at)
		return errno;
	for (size_t i = 0; i < 64 * MIB; i += 4096)
		at[i] = 1;
	mprotect(at, 32 * MIB, PROT_READ);
	madvise(at + 32 * MIB, 16 * MIB, MADV_DONTNEED);
	for (size_t i = 0; i < 64 * MIB; i += 4096)
		if (at[i] != (i < 32 * MIB || i >= 48 * MIB))
			return EIO;
	return munmap(at, 64 * MIB) ? errno : 0;
}

static int do_huge_pages(void)
{
	char *at = memory(32 * MIB, 0);

	if (!at || madvise(at, 32 * MIB, MADV_HUGEPAGE))
		return errno;
	for (size_t i = 0; i < 32 * MIB; i += 4096)
		at[i] = 1;
	munmap(at, 32 * MIB);
	return 0;
}

static int do_hugetlb(void)
{
	char *at;
	int err = file_write("/proc/sys/vm/nr_hugepages", "8");

	if (err)
		return err;
	at = memory(4 * MIB, MAP_HUGETLB);
	if (!at)
		return errno;
	memset(at, 1, 4 * MIB);
	munmap(at, 4 * MIB);
	return file_write("/proc/sys/vm/nr_hugepages", "0");
}

/* More than there is: the kernel ends the child. */
static int do_out_of_memory(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		file_write("/proc/self/oom_score_adj", "1000");
		for (;;) {
			char *at = memory(MIB, 0);

			if (at)
				memset(at, 1, MIB);
		}
	}
	return wait_for(pid) == ECANCELED ? 0 : EIO;
}

static int prepare_swap(void)
{
	union swap_header {
		struct {
			char boot[1024];
			uint32_t version, last_page, bad_pages;
		} info;
		char page[4096];
	} header = { .info = { .version = 1, .last_page = 8191 } };
	int err = file_write("/sys/block/zram0/disksize", "32M"), fd;

	if (err)
		return err;
	memcpy(header.page + 4086, "SWAPSPACE2", 10); /* Linux' include/linux/swap.h, union swap_header */
	fd = open("/dev/zram0", O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, &header, sizeof(header)) != sizeof(header) || fsync(fd))
		return errno;
	close(fd);
	return swapon("/dev/zram0", 0) ? errno : 0;
}

static int do_swap(void)
{
	char *at = memory(16 * MIB, 0);

	if (!at)
		return errno;
	for (size_t i = 0; i < 16 * MIB; i++)
		at[i] = (char)(i >> 12);
	if (madvise(at, 16 * MIB, MADV_PAGEOUT))
		return errno;
	for (size_t i = 0; i < 16 * MIB; i += 4096)
		if (at[i] != (char)(i >> 12))
			return EIO;
	return 0;
}

/* --- the system --- */

static int do_mount(void)
{
	mkdir("/tmp/m", 0755);
	if (mount("tmpfs", "/tmp/m", "tmpfs", 0, "") || mkdir("/tmp/m/x", 0755) || umount("/tmp/m"))
		return errno;
	if (mount("proc", "/tmp/m", "proc", 0, "") || umount("/tmp/m"))
		return errno;
	return mount("/bin", "/tmp/m", "", MS_BIND, "") || umount("/tmp/m") ? errno : 0;
}

static int do_module(void)
{
	int fd = open("/do/dummy.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		return errno;
	close(fd);
	return syscall(SYS_delete_module, "dummy", 0) ? errno : 0;
}

static int do_clock_set(void)
{
	struct timespec t;
	struct timex tune = { .modes = ADJ_FREQUENCY, .freq = 65536 };

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += 100;
	if (clock_settime(CLOCK_REALTIME, &t) || adjtimex(&tune) < 0)
		return errno;
	return 0;
}

/* What an NTP client does once it trusts its clock: then the kernel writes the time to the clock chip. */
static int do_clock_synced(void)
{
	struct timex tune = { .modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_ESTERROR, .status = STA_PLL };

	if (adjtimex(&tune) < 0)
		return errno;
	sleep(3);
	return 0;
}

static int do_cpuinfo(void)
{
	return file_read("/proc/cpuinfo");
}

static int do_proc(void)
{
	static const char *const files[] = { "/proc/interrupts", "/proc/meminfo", "/proc/stat", "/proc/vmstat",
					     "/proc/self/maps",	 "/proc/mounts",  "/proc/iomem" };
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(files) / sizeof(*files); i++)
		err = file_read(files[i]);
	return err;
}

static int do_pci_config(void)
{
	return file_read("/sys/bus/pci/devices/0000:00:00.0/config");
}

static int do_perf(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.sample_period = 1000000 };
	uint64_t value = 0;
	int fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);

	if (fd < 0)
		return errno;
	for (volatile int i = 0; i < 10000000; i++)
		;
	if (read(fd, &value, sizeof(value)) != sizeof(value) || !value)
		return EIO;
	close(fd);
	attr.type = PERF_TYPE_HARDWARE; /* there is no such counter: an error, and no more */
	attr.config = PERF_COUNT_HW_INSTRUCTIONS;
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
	return fd < 0 ? 0 : EIO;
}

static int do_hotplug(void)
{
	return file_write("/sys/devices/system/cpu/cpu1/online", "1");
}

static int prepare_suspend(void)
{
	return file_write("/sys/power/pm_test", "platform"); /* devices stopped, and back after 5 s */
}

static int do_suspend(void)
{
	return file_write("/sys/power/state", "freeze");
}

static int do_kmsg(void)
{
	return file_write("/dev/kmsg", "<0>after-seal: as loud as can be\n");
}

static int do_serial(void)
{
	return file_write("/dev/ttyS0", "x");
}

/* --- the ends --- */

/* The next "kernel": says that it came so far, and powers off by the end port. 64-bit, mapped one to one. */
static int do_kexec(void)
{
	static const unsigned char code[] = {
		0xb8, 0x08, 0x00, 0x00, 0x0f,		  /* mov $EVIDENCE_PAGE + 8, %eax */
		0x48, 0xc7, 0x00, 0x01, 0x00, 0x00, 0x00, /* movq $1, (%rax) */
		0x66, 0xba, 0x04, 0x06,			  /* mov $PORT_POWER_OFF, %dx */
		0xb0, 0x34, 0xee,			  /* mov $0x34, %al; out %al, %dx */
		0xeb, 0xfe,				  /* jmp . */
	};
	struct kexec_segment segment = { .buf = code, .bufsz = sizeof(code), .mem = (void *)KEXEC_PAGE, .memsz = 4096 };

	if (syscall(SYS_kexec_load, KEXEC_PAGE, 1, &segment, KEXEC_ARCH_X86_64))
		return errno;
	reboot((int)0x45584543); /* LINUX_REBOOT_CMD_KEXEC */
	return errno;
}

static int do_panic(void)
{
	return file_write("/proc/sysrq-trigger", "c");
}

static int do_reboot(void)
{
	return reboot(RB_AUTOBOOT) ? errno : 0;
}

static int do_power_off(void)
{
	return reboot(RB_POWER_OFF) ? errno : 0;
}

static int helper(const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/nohype-guest", "nohype-guest", command, NULL);
		_exit(errno);
	}
	return wait_for(pid);
}

static int do_helper_poweroff(void)
{
	return helper("poweroff");
}

static int do_helper_reboot(void)
{
	return helper("reboot");
}

static int do_helper_panic(void)
{
	return helper("panic");
}

/* By the header, without the helper: what that takes away is taken away here. */
static int do_header(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC), err;

	for (int stream = 0; stream < 3; stream++)
		dup2(fd, stream);
	err = file_write("/sys/class/tty/ttyS0/console", "0");
	return err ? err : -nohype_guest_seal("sealed by itself");
}

static const struct action actions[] = {
	{ "nothing", do_nothing },
	{ "fork", do_fork },
	{ "fork-many", do_fork_many },
	{ "exec-musl", do_exec_musl },
	{ "exec-glibc", do_exec_glibc },
	{ "threads", do_threads },
	{ "signals", do_signals },
	{ "timers", do_timers },
	{ "sleep", do_sleep },
	{ "fpu", do_fpu },
	{ "avx", do_avx },
	{ "time-stamp", do_time_stamp },
	{ "divide", do_divide },
	{ "cpuid", do_cpuid },
	{ "ud2", do_ud2 },
	{ "int3", do_int3 },
	{ "int1", do_int1 },
	{ "single-step", do_single_step },
	{ "vmmcall", do_vmmcall },
	{ "rdpmc", do_rdpmc },
	{ "hlt", do_hlt },
	{ "out", do_out },
	{ "watchpoint", do_watchpoint },
	{ "page-faults", do_page_faults },
	{ "huge-pages", do_huge_pages },
	{ "hugetlb", do_hugetlb },
	{ "out-of-memory", do_out_of_memory },
	{ "swap", do_swap, prepare_swap },
	{ "mount", do_mount },
	{ "module", do_module },
	{ "clock-set", do_clock_set },
	{ "clock-synced", do_clock_synced },
	{ "cpuinfo", do_cpuinfo },
	{ "proc", do_proc },
	{ "pci-config", do_pci_config },
	{ "perf", do_perf },
	{ "hotplug", do_hotplug },
	{ "suspend", do_suspend, prepare_suspend },
	{ "kmsg", do_kmsg },
	{ "serial", do_serial },
	{ "kexec", do_kexec },
	{ "panic", do_panic },
	{ "reboot", do_reboot },
	{ "power-off", do_power_off },
	{ "helper-poweroff", do_helper_poweroff },
	{ "helper-reboot", do_helper_reboot },
	{ "helper-panic", do_helper_panic },
	{ "header", do_header, NULL, true },
};

const struct action *action_find(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (!strcmp(actions[i].name, name))
			return &actions[i];
	return NULL;
}
