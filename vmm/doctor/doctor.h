/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_DOCTOR_DOCTOR_H
#define VMM_DOCTOR_DOCTOR_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>

#include "vmm/config/config.h"
#include "vmm/core/handoff.h"

/*
 * `nohype doctor`: can this host keep what a VM is promised? One table of checks (table.c), each of which reads one
 * thing and changes nothing.
 */

/* How it looks, the worst last. */
enum check_status {
	CHECK_OK,      /* as wanted, or of no matter on this host */
	CHECK_NOTE,    /* to be known */
	CHECK_UNKNOWN, /* it could not be read */
	CHECK_WARN,    /* the guarantee is kept worse */
	CHECK_BAD,     /* a guarantee can't be kept */
};

/* What it matters for. */
enum check_use {
	USE_REQUIRED, /* no VM without it, at the levels of the row */
	USE_EXITLESS, /* without it there are exits that those levels don't allow */
	USE_LATENCY,  /* without it the host takes more time from a VM */
	USE_SECURITY, /* without it more can be attacked, or seen */
};

#define LEVEL(level) (1u << (level)) /* of an enum seal_level, in check.levels */

/* A VM for which the row matters at all, in check.only. */
enum check_only {
	ONLY_4K = 1,	     /* with pages of 4 KiB */
	ONLY_2M = 2,	     /* of 2 MiB */
	ONLY_1G = 4,	     /* of 1 GiB */
	ONLY_SMP = 8,	     /* with more than one vCPU */
	ONLY_TRIPWIRE = 16,  /* with the kernel's tripwire, not the polled one */
	ONLY_FUNCTIONS = 32, /* with PCI functions: none can ask for them yet */
	ONLY_L3 = 64,	     /* with a share of that cache */
	ONLY_L2 = 128,
	ONLY_BANDWIDTH = 256, /* or of memory bandwidth */
	ONLY_SHARE = 512,     /* of any of them */
};
#define ONLY_SHARES (ONLY_L3 | ONLY_L2 | ONLY_BANDWIDTH | ONLY_SHARE)

#define FOUND_MAX 240 /* bytes of what was found, the 0 included */

struct finding {
	enum check_status status;
	char found[FOUND_MAX]; /* printable ASCII */
};

struct doctor;
struct check;

typedef void look_fn(const struct doctor *doctor, const struct check *check, struct finding *finding);

struct check {
	const char *id; /* "cpu.nohz_full": its group, and its name there */
	look_fn *look;
	const char *source; /* paths or a call; look_value takes the first path that is there */
	const char *wanted;
	enum check_use use;
	unsigned int levels;
	const char *fix;      /* shell commands, one a line, with {words} for fix_expand; "": none */
	const char *fix_boot; /* words of the kernel's command line, or "" */
	const char *documentation;
	unsigned int only;  /* enum check_only; 0: matters for all */
	const char *absent; /* look_value: why it is in order that no such file is there; NULL: it isn't */
	int cap;	    /* look_cap: the capability */
};

/* What is asked, and the host that is looked at. */
struct doctor {
	int root;		    /* the folder that stands for "/": for tests */
	int kvm;		    /* /dev/kvm, or negative errno */
	const struct vm_config *vm; /* the caller's, or NULL */
	const char *module;	    /* kvm_amd or kvm_intel */
	const char *whose;	    /* where the cores come from */
	cpu_set_t cores, online;
	cpu_set_t others; /* online, and the host's to keep */
};

/*
 * host.c: @vm and @cores (@ncores of them; 0: those of @vm, else the isolated ones, else all but CPU 0) are what is
 * asked about; @root is "/". Negative errno, reported. doctor_close in any case.
 */
int doctor_open(struct doctor *doctor, const char *root, const struct vm_config *vm, const unsigned int *cores,
		unsigned int ncores);
void doctor_close(struct doctor *doctor);

/* table.c: the @i-th check, NULL after the last; those of a group stand together. */
const struct check *check_at(size_t i);

/* look.c: what the JSON calls them, how long the group's name in the id is, and "strict,silent" into @text. */
const char *check_status_name(enum check_status status);
const char *check_use_name(enum check_use use);
int check_group_len(const struct check *check);
char *check_levels(const struct check *check, char *text, size_t size);

/* Does it matter for what was asked? */
bool check_matters(const struct doctor *doctor, const struct check *check);

/* Can what was asked not be kept without it? */
bool check_decides(const struct doctor *doctor, const struct check *check);

/* Read what it reads. Says nothing and changes nothing. */
void check_look(const struct doctor *doctor, const struct check *check, struct finding *finding);

/* All that matter, looked at, in the table's order. */
struct diagnosis {
	size_t count;
	struct diagnosed {
		const struct check *check;
		struct finding finding;
	} * rows;
};

/* NULL memory: -ENOMEM, reported. diagnosis_free in any case. */
int diagnosis_make(struct diagnosis *diagnosis, const struct doctor *doctor);
void diagnosis_free(struct diagnosis *diagnosis);

/* Can what was asked be kept, as far as was seen? What couldn't be read can't be promised. */
bool diagnosis_is_good(const struct diagnosis *diagnosis, const struct doctor *doctor);

/* print.c: for people; as JSON; and what `nohype explain checks` says. */
void diagnosis_print(const struct diagnosis *diagnosis, const struct doctor *doctor, bool colour, FILE *out);
json_t *diagnosis_json(const struct diagnosis *diagnosis, const struct doctor *doctor);
void checks_explain(FILE *out);

/*
 * fix.c: @text with this host's {cores}, {others} and so on; with @doctor NULL, their names in capitals. The caller
 * frees it; NULL: no memory.
 */
char *fix_expand(const char *text, const struct doctor *doctor);

/* A shell script of all that can be done about what isn't in order, each command once. Negative errno, reported. */
int fix_print(const struct diagnosis *diagnosis, const struct doctor *doctor, FILE *out);

#endif
