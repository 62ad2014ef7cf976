/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_RECOVER_RECOVER_H
#define VMM_RECOVER_RECOVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What is left on the host when everything that could put it back has died. Whatever a living VM or a finished
 * `nohype host apply` has is not touched: each has its lock, or its journal says that it is whole.
 */
struct recovered {
	char *cores;		   /* of an apply that was cut off, given back; NULL: none was */
	unsigned int vms;	   /* killed ones whose functions are the host's again */
	uint64_t pages;		   /* huge ones of killed VMs, out of the host's pools again */
	unsigned int cores_killed; /* core managers without a supervisor, ended */
	json_t *lives;		   /* VMs that wrote no end: array of { vm, state, memory } */
	bool by_manager;	   /* a nohyped runs: what became of its VMs is its to say */
};

#define RECOVERED_NONE ((struct recovered){ 0 })

/*
 * host.c: settings, functions and pages of which the records lie in @state. All is tried, whatever fails; the first
 * negative errno, reported. recovered_free() in any case.
 */
int recover_host(struct recovered *recovered, const char *state);

/*
 * lives.c: in @run/vm, nohyped's folder: each life that nobody holds and that has no end gets one, "memory" saying that
 * it wasn't cleared by nohype. Left alone while a nohyped has @run. Negative errno, reported.
 */
int recover_lives(struct recovered *recovered, const char *run);

/*
 * claims.c: VMs of `nohype run` that were killed, by what they had claimed, which is anyone's again then; those that a
 * life in @run/vm tells of are left to that. After recover_lives(). @root begins all paths but @run; "" but in tests.
 * Negative errno, reported.
 */
int recover_claims(struct recovered *recovered, const char *run, const char *root);

/* lives.c: has process @pid written the life of @name in @run/vm? */
bool life_was_of(const char *run, const char *name, pid_t pid);

bool recovered_any(const struct recovered *recovered);
json_t *recovered_json(const struct recovered *recovered); /* a new reference, or NULL */
void recovered_free(struct recovered *recovered);

/* What a life's end says of memory that nobody was left to clear. */
#define MEMORY_NOT_CLEARED "not cleared by nohype: Linux zeroes each page before its next user"

#endif
