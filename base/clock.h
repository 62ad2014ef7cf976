/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* ns; clock_now: of CLOCK_MONOTONIC */
int64_t clock_read(clockid_t clock);
int64_t clock_now(void);

#endif
