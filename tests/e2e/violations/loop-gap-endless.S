/* SPDX-License-Identifier: GPL-2.0-only */
/* As loop-gap, for over 15 minutes, up to a TSC of 4.5 GHz: it is to be ended from outside. */
#define TICKS_LOG2 42
#include "tests/e2e/violations/loop-gap.S"
