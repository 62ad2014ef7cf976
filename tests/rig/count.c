// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's software emulation: how many instructions each CPU has executed, guests' that run on it included.
 * The file of the argument out= has 8 bytes a CPU, and is brought up to date each millisecond.
 *
 * No package of Debian's has qemu-plugin.h, so what is used of it stands here; docs/devel/tcg-plugins of QEMU says
 * more.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define EXPORT	    __attribute__((visibility("default")))
#define API_VERSION 4 /* QEMU 9.2 to 10 */
#define CPUS_MAX    512
#define LOOK_NS	    1000000
#define OP_ADD_U64  0 /* QEMU_PLUGIN_INLINE_ADD_U64 */
#define ARGUMENT    "out="
#define FILE_SIZE   (CPUS_MAX * sizeof(uint64_t))

struct qemu_plugin_tb;
struct qemu_plugin_scoreboard;

struct plugin_u64 {
	struct qemu_plugin_scoreboard *score;
	size_t offset;
};

struct plugin_info; /* nothing of it is looked at */

typedef void vcpu_init_fn(uint64_t id, unsigned int cpu);
typedef void tb_translated_fn(uint64_t id, struct qemu_plugin_tb *tb);

struct qemu_plugin_scoreboard *qemu_plugin_scoreboard_new(size_t element_size);
uint64_t qemu_plugin_u64_get(struct plugin_u64 entry, unsigned int cpu);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_init_cb(uint64_t id, vcpu_init_fn *init);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, tb_translated_fn *translated);
void qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(struct qemu_plugin_tb *tb, int op, struct plugin_u64 entry,
						       uint64_t add);
EXPORT int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv);

EXPORT int qemu_plugin_version = API_VERSION;

static struct plugin_u64 executed;
static _Atomic unsigned int cpus;
static volatile uint64_t *shown;

static void cpu_begins(uint64_t id, unsigned int cpu)
{
	(void)id;
	if (cpu < CPUS_MAX && cpu >= cpus)
		cpus = cpu + 1;
}

/* A block that is left in its middle counts as all of it. */
static void block_translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	(void)id;
	qemu_plugin_register_vcpu_tb_exec_inline_per_vcpu(tb, OP_ADD_U64, executed, qemu_plugin_tb_n_insns(tb));
}

static void *show(void *unused)
{
	const struct timespec nap = { .tv_nsec = LOOK_NS };

	for (;; nanosleep(&nap, NULL))
		for (unsigned int cpu = 0; cpu < cpus; cpu++)
			shown[cpu] = qemu_plugin_u64_get(executed, cpu);
	return unused;
}

static int file_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	void *at = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, FILE_SIZE) == 0)
		at = mmap(NULL, FILE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (at == MAP_FAILED) {
		perror(path);
		return -1;
	}
	shown = at;
	return 0;
}

int qemu_plugin_install(uint64_t id, const struct plugin_info *info, int argc, char **argv)
{
	pthread_t thread;

	(void)info;
	if (argc != 1 || strncmp(argv[0], ARGUMENT, strlen(ARGUMENT)) != 0 || file_map(argv[0] + strlen(ARGUMENT)))
		return -1;
	executed.score = qemu_plugin_scoreboard_new(sizeof(uint64_t));
	qemu_plugin_register_vcpu_init_cb(id, cpu_begins);
	qemu_plugin_register_vcpu_tb_trans_cb(id, block_translated);
	return pthread_create(&thread, NULL, show, NULL) ? -1 : 0;
}
