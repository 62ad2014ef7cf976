#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What make bench does with what it reads, on samples: it measures nothing here.

load lib.bash

@test "bench reads traces, smaps and the guest's page, and makes medians, tables and a plot of them" {
  run python3 tests/bench/test_bench.py
  echo "$output"
  [ "$status" = 0 ]
  grep -qE '^Ran [1-9][0-9]* tests' <<<"$output"
}

@test "bench gives packets, blocks and images their shares, and says which promise isn't kept" {
  run python3 tests/bench/test_devices.py
  echo "$output"
  [ "$status" = 0 ]
  grep -qE '^Ran [1-9][0-9]* tests' <<<"$output"
}

@test "what BENCH=aborts makes of what it measured" {
  run python3 tests/bench/test_aborts.py
  echo "$output"
  [ "$status" = 0 ]
  grep -qE '^Ran [1-9][0-9]* tests' <<<"$output"
}

@test "bench takes the exit reasons from nohype explain exits" {
  "$NOHYPE" explain exits | python3 -B -c '
import sys
sys.path.insert(0, "tests/bench")
import result
reasons = result.parse_reasons(sys.stdin.read())
assert reasons[0x60] == ("INTR", True) and reasons[0x64][1] and not reasons[0x7c][1] and len(reasons) > 60, reasons'
}

@test "bench has a help, and refuses what it doesn't know" {
  tests/bench/bench --help | grep -q BENCH=quick
  run tests/bench/bench --runs 0
  [ "$status" = 2 ]
}
