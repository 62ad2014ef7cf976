/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SECCOMP_RULES_H
#define SECCOMP_RULES_H

/* What an argument may be; ioctl's command is an unsigned int to the kernel, so its high half says nothing. */
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

#endif
