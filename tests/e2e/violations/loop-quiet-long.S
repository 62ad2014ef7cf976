/* SPDX-License-Identifier: GPL-2.0-only */
/* As loop-quiet, 32 times as long: a minute and more, up to a TSC of 4.5 GHz. */
#define TICKS_LOG2 38
#include "tests/e2e/violations/loop-quiet.S"
