#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# As proof.bats, with no exception at all: not one exit of a stock guest's own, its ticks on time, and the planted one.
#
# On an emulated host a tick that comes late is an exit, so a guest has some tries, one of which must come to its end. Long ones
# want a machine that does nothing else. (The instruction clock, which has no late ticks, is no way out: up to QEMU 10 its vmrun
# leaves the injected vector in exception_index, and where the clock's budget ends before the next exit, it is delivered once
# more, into code that has interrupts off. Seen: the guest's scheduler, interrupted so, waits for its own lock for ever.)
# With LONG=1 60 s each, on all series of hosts, a guest that sleeps and one whose host compacts its memory every second.
#
# Alone: a tick that comes late is an exit.

load lib
load proof/lib

# A short run has few ticks, and starts and ends between two.
TRIES=40 PERCENT=5
[ "${LONG:-0}" != 1 ] || TRIES=20 PERCENT=2

# NAME GUEST MODE VCPUS PLANT SECONDS EXCEPT, a line each
plan() {
  if [ "${LONG:-0}" != 1 ]; then
    echo "pure 6.12 busy 1 0 2 {}"
    return
  fi
  echo "pure 6.12 busy 1 0 60 {}"
  echo "pure-idle 6.12 idle 1 0 60 {}"
  echo "pure-compact 6.12 busy 1 0 60 {}"
}

hosts() {
  if [ "${LONG:-0}" = 1 ]; then echo 6.12 6.1 sid; else echo 6.12; fi
}

setup_file() {
  local host
  tests/e2e/proof/build >&2
  plan >"$BATS_FILE_TMPDIR/plan"
  for host in $(hosts); do
    mkdir -p "$BATS_FILE_TMPDIR/$host"
    OUT=$BATS_FILE_TMPDIR/$host
    "$RIG" --no-devices --kernel "$host" --cpus 3 --isolated 1,2 --hugepages 2M:130 --env "OUT=$OUT" --env "BUILD=$BUILD" \
      --env "NOHYPE=$NOHYPE" --env "TRIES=$TRIES" --env "PERCENT=$PERCENT" --timeout 7000 --out "$OUT" -- tests/e2e/proof-runs \
      "$BATS_FILE_TMPDIR/plan" >&2 3>&-
  done
}

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
    done < <(plan)
  done
}
