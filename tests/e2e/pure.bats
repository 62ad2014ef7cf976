#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# As proof.bats, with no exception at all: not one exit of a stock guest's own, its ticks on time, and the planted one.
#
# On an emulated host a tick that comes late is an exit. So its clock is slow, which makes this machine late more seldom, and a
# guest has some tries, one of which must come to its end. (The instruction clock, which has no late ticks, is no way out: up to
# QEMU 10 its vmrun leaves the injected vector in exception_index, and where the clock's budget ends before the next exit, it is
# delivered once more, into code that has interrupts off. Seen: the guest's scheduler, interrupted so, waits for its own lock
# for ever.)
# With LONG=1 60 s each: on all series of hosts, a guest that works and one that sleeps; on one of them guests of all series, and
# one whose host compacts its memory every second.
#
# Alone: a tick that comes late is an exit.

load lib
load proof/lib

# A short run has few ticks, and starts and ends between two.
SLOW=${SLOW:-4} TRIES=20 PERCENT=5
[ "${LONG:-0}" != 1 ] || TRIES=10 PERCENT=2

# plan HOST: NAME GUEST MODE VCPUS PLANT SECONDS EXCEPT, a line each
plan() {
  if [ "${LONG:-0}" != 1 ]; then
    echo "pure 6.12 busy 1 0 2 {}"
    return
  fi
  echo "pure 6.12 busy 1 0 60 {}"
  echo "pure-idle 6.12 idle 1 0 60 {}"
  [ "$1" = 6.12 ] || return 0
  echo "pure-compact 6.12 busy 1 0 60 {}"
  echo "pure-older 6.1 busy 1 0 60 {}"
  echo "pure-newer sid busy 1 0 60 {}"
}

setup_file() { run_hosts --slow "$SLOW" --env "TRIES=$TRIES" --env "PERCENT=$PERCENT"; }

@test "no exit of the guest's own but the planted one, its work done and its ticks on time" {
  local host name guest mode vcpus plant seconds
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    while read -r name guest mode vcpus plant seconds _; do
      echo "host $(cat "$OUT/host"), guest $guest: $name: $(cat "$OUT/$name.tries") of $TRIES"
      died "$name" "$plant"
      lived "$name" "$mode" "$vcpus" "$plant" "$seconds"
      same "$(by_the_guest "$name")" 1
      on_time "$name" "$vcpus" $PERCENT
    done <"$OUT/plan"
  done
}
