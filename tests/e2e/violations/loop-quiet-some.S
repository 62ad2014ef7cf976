/* SPDX-License-Identifier: GPL-2.0-only */
/* As loop-quiet, eight times as long: time to look at it from outside. */
#define TICKS_LOG2 36
#include "tests/e2e/violations/loop-quiet.S"
