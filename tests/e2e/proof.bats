#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# That sealed stock guests live and take no exit of their own: what each did is read from its memory when it is dead, it
# dies of one planted instruction and of nothing before it, and KVM's statistics have that one exit, and those that were
# let through by name.
#
# An emulated machine that is slow for a moment makes ticks late, and the end of a late one is an exit without APICv or
# AVIC; so these runs declare that exception, and pure.bats has those that don't. With LONG=1 all series of guests on all
# series of hosts, 60 s each.
#
# Alone: ticks are counted against the clock.

load lib
load proof/lib

EOI='{ "eoi": true }'
BOTH='{ "eoi": true, "ipi": true }'

# NAME GUEST MODE VCPUS PLANT SECONDS EXCEPT, a line each
plan() { # HOST
  if [ "${LONG:-0}" != 1 ]; then
    echo "busy 6.12 busy 1 0 8 $EOI"
    echo "idle 6.1 idle 1 0 5 $EOI"
    echo "two sid fork 2 1 5 $BOTH"
    echo "ipi 6.12 fork 2 0 5 $EOI"
    return
  fi
  local guest
  for guest in 6.1 6.12 sid; do
    echo "busy-$guest $guest busy 1 0 60 $EOI"
    echo "idle-$guest $guest idle 1 0 60 $EOI"
    echo "fork-$guest $guest fork 1 0 60 $EOI"
  done
  [ "$1" != 6.12 ] || echo "soak 6.12 fork 1 0 600 $EOI"
  echo "two-0 6.12 busy 2 0 60 $BOTH"
  echo "two-1 6.12 fork 2 1 60 $BOTH"
  echo "ipi 6.12 fork 2 0 60 $EOI"
}

setup_file() { run_hosts; }

@test "each guest did its work, died of the planted instruction, and took no other exit than those let through" {
  local host name guest mode vcpus plant seconds
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    while read -r name guest mode vcpus plant seconds _; do
      [ "$name" != ipi ] || continue
      echo "host $(cat "$OUT/host"), guest $guest: $name"
      died "$name" "$plant"
      lived "$name" "$mode" "$vcpus" "$plant" "$seconds"
      same "$(($(by_the_guest "$name") - $(let_through "$name")))" 1
    done <"$OUT/plan"
  done
}

# No APIC virtualisation on the emulated host: the first of its IPIs ends it.
@test "two vCPUs without the exception for IPIs: the record is of the interrupt command register" {
  local host
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    grep -q '^ipi ' "$OUT/plan" || continue
    same "$(cat "$OUT/ipi.status")" 5
    grep -Eq 'violation: vCPU [01] at RIP 0x[0-9a-f]+: nested page fault \(.* 0xfee003[01]0\)' "$OUT/ipi.err" ||
      { cat "$OUT/ipi.err"; return 1; }
  done
}
