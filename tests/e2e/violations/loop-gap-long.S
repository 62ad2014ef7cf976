/* SPDX-License-Identifier: GPL-2.0-only */
/* As loop-gap, for over 30 seconds, up to a TSC of 4.5 GHz. */
#define TICKS_LOG2 37
#include "tests/e2e/violations/loop-gap.S"
