/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SECCOMP_RULES_H
#define SECCOMP_RULES_H

/* What an argument may be; a command, a signal and a pid are ints to the kernel, so their high halves say nothing. */
#define ANY       \
	{         \
		0 \
	}
#define EQUAL(number)                        \
	{                                    \
		.used = 1, .value = (number) \
	}
#define COMMAND(number)                                     \
	{                                                   \
		.used = 1, .low_word = 1, .value = (number) \
	}
#define SIGNAL(number) COMMAND(number)
#define OWN_PID                                        \
	{                                              \
		.used = 1, .low_word = 1, .own_pid = 1 \
	}

#endif
