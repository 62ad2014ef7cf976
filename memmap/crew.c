// SPDX-License-Identifier: GPL-2.0-only
/*
 * Work on all of the guest's memory, by threads on the VM's own cores. In a process of its own: where the cores are a
 * cgroup's partition it must join that, and the supervisor has to stay where its user put it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/forked.h"
#include "base/log.h"
#include "memmap/internal.h"

#define PIECE	    MIB(32)
#define THREADS_MAX 256
#define LOOK_EVERY  50 /* ms */

/* What both processes see. */
struct crew_state {
	_Atomic uint64_t next; /* offset of the first piece that nobody has taken */
	_Atomic uint64_t done; /* bytes */
	_Atomic int err;
	bool reported; /* err was */
	unsigned int threads;
};

struct crew_thread {
	const struct crew_work *work;
	struct crew_state *state;
	int (*piece)(struct memory *mem, void *shared, uint64_t offset, uint64_t len);
	int core; /* -1: any */
	pthread_t thread;
};

void *shared_make(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, 0, 0);

	if (at == MAP_FAILED)
		return NULL;
	return at;
}

static void err_keep(struct crew_state *state, int err)
{
	int none = 0;

	atomic_compare_exchange_strong(&state->err, &none, err);
}

/* cpu_set_t ends at 1024. A core that can't be had is no error: the work is done, if less fast. */
static void thread_pin(int core)
{
	size_t size = CPU_ALLOC_SIZE(core + 1);
	cpu_set_t *set = core < 0 ? NULL : CPU_ALLOC(core + 1);

	if (!set)
		return;
	CPU_ZERO_S(size, set);
	CPU_SET_S(core, size, set);
	sched_setaffinity(0, size, set);
	CPU_FREE(set);
}

static void *thread_work(void *arg)
{
	const struct crew_thread *thread = arg;
	struct crew_state *state = thread->state;
	struct memory *mem = thread->work->mem;
	uint64_t piece = MAX(PIECE, mem->page_size), offset;

	thread_pin(thread->core);
	while (!atomic_load(&state->err) && (offset = atomic_fetch_add(&state->next, piece)) < mem->layout.size) {
		uint64_t len = MIN(piece, mem->layout.size - offset);
		int err = thread->piece(mem, thread->work->shared, offset, len);

		if (err)
			err_keep(state, err);
		atomic_fetch_add(&state->done, len);
	}
	return NULL;
}

static unsigned int threads_wanted(const struct crew_work *work)
{
	uint64_t pieces = (work->mem->layout.size + PIECE - 1) / PIECE;
	unsigned int cpus = 1;
	cpu_set_t set;

	if (work->crew->count)
		cpus = work->crew->count;
	else if (!sched_getaffinity(0, sizeof(set), &set))
		cpus = (unsigned int)CPU_COUNT(&set);
	return (unsigned int)MIN(MIN((uint64_t)MAX(cpus, 1U), (uint64_t)THREADS_MAX), MAX(pieces, 1U));
}

/* All pieces once. This thread is pinned nowhere, and works where no other can be had. */
static void pieces_do(const struct crew_work *work, struct crew_state *state, __typeof__(work->piece) piece)
{
	struct crew_thread threads[THREADS_MAX];
	unsigned int wanted = threads_wanted(work), started = 0;

	atomic_store(&state->next, 0);
	atomic_store(&state->done, 0);
	for (unsigned int i = 0; i < wanted; i++) {
		struct crew_thread *thread = &threads[started];

		*thread =
			(struct crew_thread){ work, state, piece, work->crew->count ? (int)work->crew->cores[i] : -1 };
		started += !pthread_create(&thread->thread, NULL, thread_work, thread);
	}
	state->threads = MAX(started, 1U);
	if (!started) {
		struct crew_thread alone = { work, state, piece, -1 };

		thread_work(&alone);
	}
	for (unsigned int i = 0; i < started; i++)
		pthread_join(threads[i].thread, NULL);
}

static int crew_work(const struct crew_work *work, struct crew_state *state)
{
	int err = memory_map(work->mem);

	state->reported = err != 0;
	if (!err && work->before)
		err = work->before(work->mem, work->shared);
	if (err)
		return err;
	pieces_do(work, state, work->piece);
	err = atomic_load(&state->err);
	if (!err && work->after)
		err = work->after(work->mem, work->shared);
	if (!err && work->second) {
		pieces_do(work, state, work->second);
		err = atomic_load(&state->err);
	}
	return err;
}

static _Noreturn void crew_main(const struct crew_work *work, struct crew_state *state, pid_t parent)
{
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	/* or records that are its parent's would look as if that lived, while this one dies after it */
	forked_keep(&work->mem->fd, 1);
	if (work->crew->enter)
		work->crew->enter(work->crew);
	err = crew_work(work, state);
	if (err)
		err_keep(state, err);
	_exit(EXIT_SUCCESS);
}

/* Until the process has ended: its status. */
static int crew_wait(pid_t pid, const struct crew_work *work, const struct crew_state *state)
{
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	uint64_t shown = 0, done;
	int status;

	while (end.fd >= 0 && poll(&end, 1, LOOK_EVERY) <= 0) {
		done = atomic_load(&state->done);
		if (work->progress && done > shown)
			work->progress(work->progress_ctx, done, work->mem->layout.size);
		shown = done;
	}
	if (end.fd >= 0)
		close(end.fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static int crew_outcome(const struct crew_work *work, const struct crew_state *state, int status)
{
	int err = atomic_load(&state->err);

	if (err)
		return err;
	if (WIFSIGNALED(status))
		return fail(-ECANCELED, "memory: the process that works on it was killed by signal %d (%s)",
			    WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (status)
		return -ECANCELED;
	if (work->progress)
		work->progress(work->progress_ctx, work->mem->layout.size, work->mem->layout.size);
	return 0;
}

int crew_run_here(struct crew_work *work)
{
	struct crew_state *state = calloc(1, sizeof(*state));
	int err = state ? crew_work(work, state) : -ENOMEM;

	memory_unmap(work->mem);
	work->threads = state ? state->threads : 0;
	work->reported = state && state->reported;
	free(state);
	return err;
}

int crew_run(struct crew_work *work)
{
	struct crew_state *state = shared_make(sizeof(*state));
	pid_t self = getpid(), pid = state ? fork() : -1;
	int err;

	if (pid == 0)
		crew_main(work, state, self);
	if (pid < 0) {
		err = crew_run_here(work);
	} else {
		err = crew_outcome(work, state, crew_wait(pid, work, state));
		work->threads = state->threads;
		work->reported = err == -ECANCELED || state->reported;
	}
	if (state)
		munmap(state, sizeof(*state));
	return err;
}
