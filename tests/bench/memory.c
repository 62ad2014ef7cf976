// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: memory clear MIB PAGE-KIB ROUNDS: how fast memory becomes zero by each of the processor's stores, and by
 * memory_clear, on one core and on all; bytes a second of each round, as JSON. usage: memory prepare MIB PAGE-KIB
 * ROUNDS: seconds that memory_reserve takes, on all cores. usage: memory hold MIB COMMAND...: with so much more in the
 * pool of 2 MiB pages while COMMAND runs.
 */
#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "memmap/internal.h"

#define CORES_MAX 256
#define PIECE	  MIB(32) /* as the crew's */
#define STATE	  "/run/nohype"

struct bench {
	struct memory_request req;
	unsigned int cores[CORES_MAX];
	unsigned int count;
	unsigned int rounds;
};

static void cores_read(struct bench *bench)
{
	cpu_set_t set;

	sched_getaffinity(0, sizeof(set), &set);
	for (unsigned int core = 0; core < CPU_SETSIZE && bench->count < CORES_MAX; core++)
		if (CPU_ISSET(core, &set))
			bench->cores[bench->count++] = core;
}

struct worker {
	const struct store_loop *loop;
	uint8_t *bytes;
	uint64_t size;
	_Atomic uint64_t *next;
	unsigned int core;
	pthread_t thread;
};

static void *worker_run(void *arg)
{
	const struct worker *worker = arg;
	cpu_set_t set;
	uint64_t offset;

	CPU_ZERO(&set);
	CPU_SET(worker->core, &set);
	sched_setaffinity(0, sizeof(set), &set);
	while ((offset = atomic_fetch_add(worker->next, PIECE)) < worker->size)
		worker->loop->zero(worker->bytes + offset, MIN(PIECE, worker->size - offset));
	return NULL;
}

/* Bytes a second. The pages are in our tables already: the loop alone. */
static double loop_speed(const struct bench *bench, const struct store_loop *loop, const struct memory *mem,
			 unsigned int cores)
{
	struct worker workers[CORES_MAX];
	_Atomic uint64_t next = 0;
	int64_t begun = clock_now();

	for (unsigned int i = 0; i < cores; i++) {
		workers[i] = (struct worker){ loop, mem->host, mem->layout.size, &next, bench->cores[i], 0 };
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			exit(1);
	}
	for (unsigned int i = 0; i < cores; i++)
		pthread_join(workers[i].thread, NULL);
	return (double)mem->layout.size * 1e9 / (double)(clock_now() - begun);
}

/* What a VM's end does: a process, its threads, the mapping, the choice of the loop, and a word of each page read back.
 */
static double clear_speed(struct bench *bench, struct memory *mem, unsigned int cores, enum memory_clear_how how,
			  char stores[16])
{
	const struct memory_crew crew = { bench->cores, cores, NULL };
	struct memory copy = *mem; /* memory_clear maps it for itself */
	struct memory_cleared cleared;

	copy.host = NULL;
	if (memory_clear(&copy, &crew, how, &cleared))
		exit(1);
	memcpy(stores, cleared.stores, sizeof(cleared.stores));
	return (double)cleared.bytes * 1e9 / (double)cleared.ns;
}

static void speed_add(json_t *all, const char *name, unsigned int cores, double speed)
{
	char key[48];
	json_t *list;

	snprintf(key, sizeof(key), "%s/%u", name, cores);
	list = json_object_get(all, key);
	if (!list)
		json_object_set_new(all, key, list = json_array());
	json_array_append_new(list, json_real(speed));
}

static void round_measure(struct bench *bench, struct memory *mem, unsigned int cores, json_t *all, json_t *chosen)
{
	const struct store_loop *loop;
	char stores[16];

	for (unsigned int i = 0; (loop = store_at(i)); i++)
		speed_add(all, loop->name, cores, loop_speed(bench, loop, mem, cores));
	speed_add(all, "clear", cores, clear_speed(bench, mem, cores, MEMORY_CLEAR_SAMPLE, stores));
	json_array_append_new(chosen, json_string(stores));
	speed_add(all, "clear and verify", cores, clear_speed(bench, mem, cores, MEMORY_CLEAR_VERIFY, stores));
}

static int clear_main(struct bench *bench)
{
	json_t *all = json_object(), *chosen = json_array();
	struct memory mem;

	if (memory_reserve(&mem, &bench->req) || memory_map(&mem))
		return 1;
	if (madvise(mem.host, mem.layout.size, MADV_POPULATE_WRITE))
		return 1;
	for (unsigned int i = 0; i < bench->rounds; i++) {
		round_measure(bench, &mem, 1, all, chosen);
		if (bench->count > 1)
			round_measure(bench, &mem, bench->count, all, chosen);
	}
	memory_release(&mem);
	json_dumpf(json_pack("{s:i, s:o, s:o}", "cores", (int)bench->count, "speeds", all, "chosen", chosen), stdout,
		   0);
	return 0;
}

static int prepare_main(struct bench *bench)
{
	json_t *all = json_array();
	struct memory mem;

	for (unsigned int i = 0; i < bench->rounds; i++) {
		int64_t begun = clock_now();

		if (memory_reserve(&mem, &bench->req))
			return 1;
		json_array_append_new(all, json_real((double)(clock_now() - begun) / 1e9));
		memory_release(&mem);
	}
	json_dumpf(json_pack("{s:i, s:o}", "cores", (int)bench->count, "seconds", all), stdout, 0);
	return 0;
}

static int hold_main(struct bench *bench, char **command)
{
	struct pool pool;
	int status = 1;
	pid_t pid;

	bench->req.reserve = true;
	bench->req.page_size = MIB(2);
	if (pool_add(&pool, &bench->req, STATE))
		return 3;
	pid = fork();
	if (pid == 0) {
		execvp(command[0], command);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	pool_give_back(&pool, STATE);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	struct bench bench = { .rounds = 1 };

	if (argc < 4)
		return 2;
	cores_read(&bench);
	layout_plan(&bench.req.layout, MIB(strtoull(argv[2], NULL, 10)));
	if (strcmp(argv[1], "hold") == 0)
		return hold_main(&bench, argv + 3);
	if (argc < 5)
		return 2;
	bench.req.page_size = KIB(strtoull(argv[3], NULL, 10));
	bench.req.crew = (struct memory_crew){ bench.cores, bench.count, NULL };
	bench.rounds = (unsigned int)strtoul(argv[4], NULL, 10);
	return strcmp(argv[1], "clear") == 0 ? clear_main(&bench) : prepare_main(&bench);
}
