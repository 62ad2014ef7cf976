/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PINNING_HOST_HOST_H
#define PINNING_HOST_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/file.h"
#include "pinning/host/change.h"
#include "pinning/host/cpus.h"

/*
 * Taking cores from the host for VMs and giving them back, as one transaction: what each setting was stands in a
 * journal on disk before the first is changed.
 */
#define HOST_STATE "/run/nohype" /* journal and lock. Under /run: what is set ends with the boot, and so does it */

/* Texts for people, one a line. */
struct lines {
	char **list;
	size_t count;
};

/* A word for the kernel's command line, and what for. */
struct boot_word {
	char *word;
	const char *why;
};

#define BOOT_WORDS_MAX 8

/* What `apply` would do. plan.c fills it; host_free() it in any case. */
struct host {
	const char *root;      /* begins all paths; "" but in tests */
	struct cpus cores;     /* for VMs */
	struct cpus rest;      /* online, and the host's */
	struct cpus online;    /* all that run */
	struct cpus possible;  /* all that could: where a task that nobody has pinned may run */
	struct cpus boot;      /* isolated on the kernel's command line */
	char *cgroup;	       /* where cgroup v2 is mounted; NULL: nowhere */
	struct cpus partition; /* those of the cores that become a partition */
	struct changes changes;
	struct lines lacking;			/* what can't be had, and why */
	struct boot_word words[BOOT_WORDS_MAX]; /* what only a reboot can change */
	size_t nwords;
};

/*
 * plan.c: all that has to change so that @cores are the VMs' alone. Changes nothing. -EINVAL, -ENODEV (cores that can't
 * be taken), -EBUSY (they are in use), others: reported.
 */
int host_plan(struct host *host, const char *root, const unsigned int *cores, size_t ncores);
void host_free(struct host *host);

/* What happened to one change. */
enum change_outcome {
	OUTCOME_DONE,	 /* restored; holds */
	OUTCOME_ALREADY, /* was so before */
	OUTCOME_LEFT,	 /* someone else has changed it: left as it is */
	OUTCOME_GONE,	 /* the task, device or folder is gone */
	OUTCOME_FAILED,	 /* reported */
	OUTCOMES,
};

/* journal.c: what was changed, and by whom. */
struct journal {
	char boot[BOOT_ID_SIZE]; /* the boot whose settings these are */
	bool applied;		 /* to the end */
	unsigned int pid, uid;	 /* who */
	int64_t time;		 /* seconds since 1970 */
	char *cores;		 /* list */
	struct changes changes;
};

/*
 * Read the journal in the folder @state. -ENOENT: there is none; reports nothing then. -ESTALE: of another boot, whose
 * settings ended with it. -EPROTO: of another version. -EBADMSG: cut or altered; @journal then has what could be read.
 * Journals are freed in any case; all but -ENOENT and -ESTALE are reported.
 */
int journal_read(struct journal *journal, const char *state, const char *root);
void journal_free(struct journal *journal);

/*
 * state.c: the right to change the host's settings, or (@alone false) to look at them, for as long as the returned fd
 * is open or its holder lives. -EBUSY: someone else is at it. Negative errno, reported.
 */
int state_lock(const char *state, bool alone);

/*
 * apply.c: @host as it was planned under the lock, which the caller holds. If it can't be done, all is put back.
 * Negative errno, reported.
 */
int host_apply(struct host *host, const char *state);

/* undo.c: what undo found, by change. */
struct undone {
	struct journal journal;
	enum change_outcome *outcomes; /* one a change of the journal's */
	size_t counts[OUTCOMES];
};

/*
 * Put all back that a journal in @state tells of, and forget it. With @force also what is left of a journal that was
 * cut, and with VMs still on the cores. -ENOENT: nothing to undo (also: of another boot, and now forgotten),
 * unreported; else negative errno, reported. undone_free() it in any case.
 */
int host_undo(struct undone *undone, const char *state, const char *root, bool force);
void undone_free(struct undone *undone);

/* status.c: what is applied, and whether it holds. */
struct host_status {
	struct journal journal;
	enum change_outcome
		*outcomes; /* DONE: holds; LEFT: someone has changed it; ALREADY: the kernel refused it at once */
	char **found;	   /* the values now; NULL: gone */
	size_t counts[OUTCOMES];
	struct lines guests; /* tasks in the partition */
	struct lines others; /* tasks that may run on the cores, and shouldn't */
	struct lines fixed;  /* kernel threads that may, and that nobody can move */
};

/* -ENOENT: nothing is applied, unreported; else negative errno, reported. host_status_free() it in any case. */
int host_status(struct host_status *status, const char *state, const char *root);
void host_status_free(struct host_status *status);

/* partition.c. The CPUs that are isolated, at boot or by a partition of whosever. Negative errno, reported. */
int cpus_isolated(struct cpus *set);

/* Those of the partition that `nohype host apply` has made; none where there is none. */
void cpus_partition(struct cpus *set);

/*
 * Move a process with all its threads into the partition, if @cores are all the partition's; where it hasn't all of
 * them nothing is done. A process outside can't be pinned to the partition's cores (EINVAL). Then its threads may run
 * on all of the partition's cores: pin each. 1: moved; 0: nothing done; negative errno, reported.
 */
int partition_enter(pid_t pid, const unsigned int *cores, size_t ncores);

/*
 * The same for the one thread @tid of @pid, whose core may be of the partition where other threads' are isolated at
 * boot. The process goes to the root group, without which a thread can't be parted from the others, and these stay off
 * the partition's cores.
 */
int partition_enter_thread(pid_t pid, pid_t tid, const unsigned int *cores, size_t ncores);

/* Out of it again: the thread goes to the host's cores. Nothing is done where @cores aren't the partition's. */
void partition_leave_thread(pid_t tid, const unsigned int *cores, size_t ncores);

#endif
