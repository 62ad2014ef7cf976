/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_RECOVER_RECOVER_H
#define VMM_RECOVER_RECOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/exit_code.h"

/*
 * What is left on the host when everything that could put it back has died. Whatever a living VM or a finished
 * `nohype host apply` has is not touched: each has its lock, or its journal says that it is whole.
 */
struct recovered {
	char *cores;		   /* of an apply that was cut off, given back; NULL: none was */
	unsigned int vms;	   /* killed ones whose functions are the host's again */
	unsigned int caches;	   /* the same of shares of caches and bandwidth */
	uint64_t pages;		   /* huge ones of killed VMs, out of the host's pools again */
	unsigned int cores_killed; /* core managers without a supervisor, ended */
	json_t *lives;		   /* VMs that wrote no end, or whose memory was left: array of { vm, state, memory } */
	bool by_manager;	   /* a nohyped runs: what became of its VMs is its to say */
};

#define RECOVERED_NONE ((struct recovered){ 0 })

/*
 * host.c: settings, functions, shares of caches and pages of which the records lie in @state. All is tried, whatever
 * fails; the first negative errno, reported. recovered_free() in any case.
 */
int recover_host(struct recovered *recovered, const char *state);

/*
 * memory.c: memory with a name (memory.folder) of VM @name that was supervisor @pid's, and its rings, cleared: what is
 * said of it then, @who being its end: "recover". Where there was none: MEMORY_NOT_CLEARED.
 */
#define MEMORY_FATE_MAX 128
struct fate {
	char text[MEMORY_FATE_MAX];
	uint64_t cleared; /* bytes */
	uint64_t failed;  /* bytes, not among those: the hardware lost them */
	int err;	  /* negative, reported: it stays */
};
void fate_find(struct fate *fate, const char *state, const char *name, pid_t pid, const char *who);

/*
 * memory.c: the same of all VMs of which records in @state tell, and that no life without an end in @run/vm tells of:
 * those are nohyped's to end. The first negative errno, reported.
 */
int recover_memory(struct recovered *recovered, const char *run, const char *state, const char *who);

/*
 * lives.c: in @run/vm, nohyped's folder: each life that nobody holds and that has no end gets one, "memory" saying what
 * fate_find() did for it. Left alone while a nohyped has @run. Negative errno, reported.
 */
int recover_lives(struct recovered *recovered, const char *run, const char *state);

/*
 * claims.c: VMs of `nohype run` that were killed, by what they had claimed, which is anyone's again then; those that a
 * life in @run/vm tells of are left to that. After recover_lives(). @root begins all paths but @run; "" but in tests.
 * Their memory's fate is found by @who. Negative errno, reported.
 */
int recover_claims(struct recovered *recovered, const char *run, const char *root, const char *state, const char *who);

/*
 * core.c: end core manager @core of supervisor @pid. 0: there is none any more; 1: it was; -EBUSY: some seconds later
 * it is still there. Reports nothing.
 */
int stray_core_end(pid_t core, pid_t pid);

/*
 * lives.c: what a supervisor that was killed on the way to its end had said of it, @cause, or NULL: added to @text. Its
 * code, so that a violation stays one; EXIT_ERROR: it had said none, or a clean end, which this isn't.
 */
enum exit_code cause_add(const json_t *cause, char *text, size_t size);

/* lives.c: ns that a life has lasted, if nothing is in its record @fd that was written after its @ns of it. */
int64_t life_lasted(int fd, int64_t ns);

/* lives.c: has process @pid written the life of @name in @run/vm? And life_is_open: no end of it? */
bool life_was_of(const char *run, const char *name, pid_t pid);
bool life_is_open(const char *run, const char *name, pid_t pid);

/* host.c: one more of recovered->lives. */
void recovered_add(struct recovered *recovered, const char *name, const char *state, const struct fate *fate);

bool recovered_any(const struct recovered *recovered);
json_t *recovered_json(const struct recovered *recovered); /* a new reference, or NULL */
void recovered_free(struct recovered *recovered);

/* What a life's end says of memory that nobody was left to clear, and of a file that could not be. */
#define MEMORY_NOT_CLEARED "not cleared by nohype: Linux zeroes each page before its next user"
#define MEMORY_STAYS	   "not cleared, and stays in its file: nohype recover tries again"

#endif
