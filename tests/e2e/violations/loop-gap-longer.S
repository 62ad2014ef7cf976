/* SPDX-License-Identifier: GPL-2.0-only */
/* As loop-gap, for one that sees others that are there for over 30 seconds come and go. */
#define TICKS_LOG2 38
#include "tests/e2e/violations/loop-gap.S"
