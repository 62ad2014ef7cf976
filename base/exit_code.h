/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_EXIT_CODE_H
#define BASE_EXIT_CODE_H

/* What nohype's commands exit with. Scripts rely on the numbers: add, never renumber. */
enum exit_code {
	EXIT_CLEAN = 0,	    /* a clean end: the guest powered off, `stop`, SIGINT */
	EXIT_ERROR = 1,	    /* an error of ours */
	EXIT_USAGE = 2,	    /* bad usage or configuration */
	EXIT_HOST = 3,	    /* this host can't, or can't keep a guarantee that was asked for */
	EXIT_GUEST = 4,	    /* the guest died: triple fault, panic (sealed or not), or KVM can't run it on */
	EXIT_VIOLATION = 5, /* the sealed guest did what the seal level forbids */
	EXIT_ABORTED = 6,   /* by order, heartbeat, time limit, or as a guarantee or a function was lost */
	EXIT_TIMEOUT = 124, /* of --wait, and no VM's end: --timeout has passed; the number is timeout(1)'s */
};

/* One line about @code, for people; "unknown" for a number that is none of them. */
const char *exit_code_text(enum exit_code code);

#endif
