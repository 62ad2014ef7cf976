#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# That sealed stock guests live and take no exit of their own: what each did is read from its memory when it is dead, it
# dies of one planted instruction and of nothing before it, and KVM's statistics have that one exit, and those that were
# let through by name.
#
# An emulated machine that is slow for a moment makes ticks late, and the end of a late one is an exit without APICv or
# AVIC; so most runs declare that exception. With LONG=1 all series of guests on all series of hosts, 60 s each, and runs
# without any exception, of which one of five must come to its end: they want a machine that does nothing else. (The
# instruction clock, which has no late ticks, is no way out: up to QEMU 10 its vmrun leaves the injected vector in
# exception_index, and where the clock's budget ends before the next exit, it is delivered once more, into code that has
# interrupts off. Seen: the guest's scheduler, interrupted so, waits for its own lock for ever.)

load lib

EOI='{ "eoi": true }'
BOTH='{ "eoi": true, "ipi": true }'

# NAME GUEST MODE VCPUS PLANT SECONDS TRIES EXCEPT, a line each
plan() { # HOST
  if [ "${LONG:-0}" != 1 ]; then
    echo "busy 6.12 busy 1 0 8 1 $EOI"
    echo "idle 6.1 idle 1 0 5 1 $EOI"
    echo "two sid fork 2 1 5 1 $BOTH"
    echo "ipi 6.12 fork 2 0 5 1 $EOI"
    return
  fi
  local guest
  for guest in 6.1 6.12 sid; do
    echo "busy-$guest $guest busy 1 0 60 1 $EOI"
    echo "idle-$guest $guest idle 1 0 60 1 $EOI"
    echo "fork-$guest $guest fork 1 0 60 1 $EOI"
  done
  echo "pure 6.12 busy 1 0 60 5 {}"
  echo "pure-idle 6.12 idle 1 0 60 5 {}"
  echo "pure-compact 6.12 busy 1 0 60 5 {}"
  [ "$1" != 6.12 ] || echo "soak 6.12 fork 1 0 600 1 $EOI"
  echo "two-0 6.12 busy 2 0 60 1 $BOTH"
  echo "two-1 6.12 fork 2 1 60 1 $BOTH"
  echo "ipi 6.12 fork 2 0 60 1 $EOI"
}

hosts() {
  if [ "${LONG:-0}" = 1 ]; then echo 6.12 6.1 sid; else echo 6.12; fi
}

setup_file() {
  local host
  tests/e2e/proof/build >&2
  for host in $(hosts); do
    mkdir -p "$BATS_FILE_TMPDIR/$host"
    plan "$host" >"$BATS_FILE_TMPDIR/plan"
    OUT=$BATS_FILE_TMPDIR/$host
    "$RIG" --kernel "$host" --cpus 3 --isolated 1,2 --hugepages 2M:130 --env "OUT=$OUT" --env "BUILD=$BUILD" \
      --env "NOHYPE=$NOHYPE" --timeout 7000 --out "$OUT" -- tests/e2e/proof-runs "$BATS_FILE_TMPDIR/plan" >&2 3>&-
  done
}

evidence() { # NAME CPU WORD, in decimal
  local words
  words=$(sed -n 's/.* evidence: 0x8000: //p' "$OUT/$1.err")
  echo $(($(cut -d ' ' -f $((1 + $2 * 8 + $3)) <<<"$words")))
}

planted() {
  cat "$BUILD/proof/planted"
}

# All that nohype counted as the guest's, on all vCPUs; and what was let through by name.
by_the_guest() { # NAME
  sed -n 's/.* by the host, \([0-9]*\) by the guest/\1/p' "$OUT/$1.err" | awk '{ sum += $1 } END { print sum }'
}

let_through() { # NAME
  sed -n 's/.*exception [a-z]*: \([0-9]*\) exits were let through/\1/p' "$OUT/$1.err" | awk '{ sum += $1 } END { print sum + 0 }'
}

# lived NAME MODE VCPUS PLANT SECONDS: it did all that it was to do
lived() {
  local cpu
  for ((cpu = 0; cpu < $3; cpu++)); do
    [ "$(evidence "$1" $cpu 2)" -gt 0 ] || { echo "vCPU $cpu did no work"; return 1; }
    [ "$(evidence "$1" $cpu 3)" -gt $(($5 * 100)) ] || { echo "vCPU $cpu: $(evidence "$1" $cpu 3) ticks"; return 1; }
    [ "$2" != idle ] || [ "$(evidence "$1" $cpu 4)" -gt $(($5 * 20)) ] || { echo "vCPU $cpu slept too little"; return 1; }
    [ "$2" != fork ] || [ "$(evidence "$1" $cpu 6)" -gt "$5" ] || { echo "vCPU $cpu: too few children"; return 1; }
  done
  [ "$(evidence "$1" "$4" 5)" -ge $(($5 * 1000000000)) ] || { echo "it ended before its time"; return 1; }
}

# died NAME PLANT: of the planted instruction: reached, not passed, and the record is of it
died() {
  same "$(cat "$OUT/$1.status")" 5
  same "$(evidence "$1" "$2" 0) $(evidence "$1" "$2" 1)" "1 0"
  grep -q "violation: vCPU $2 at RIP $(planted): CPUID" "$OUT/$1.err" || { cat "$OUT/$1.err"; return 1; }
}

# Ticks within 2 % of 250 a second, of each vCPU.
on_time() { # NAME VCPUS
  local cpu wanted found
  for ((cpu = 0; cpu < $2; cpu++)); do
    wanted=$(($(evidence "$1" $cpu 5) / 4000000)) found=$(evidence "$1" $cpu 3)
    echo "$1: vCPU $cpu: $found ticks, $wanted wanted"
    [ $((found * 100)) -ge $((wanted * 98)) ] && [ $((found * 100)) -le $((wanted * 102)) ] || return
  done
}

@test "each guest did its work, died of the planted instruction, and took no other exit than those let through" {
  local host name guest mode vcpus plant seconds tries
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    while read -r name guest mode vcpus plant seconds tries _; do
      [ "$name" != ipi ] || continue
      echo "host $(cat "$OUT/host"), guest $guest: $name: $(cat "$OUT/$name.tries") of $tries"
      died "$name" "$plant"
      lived "$name" "$mode" "$vcpus" "$plant" "$seconds"
      same "$(($(by_the_guest "$name") - $(let_through "$name")))" 1
      [[ $name != pure* ]] || on_time "$name" "$vcpus"
    done < <(plan "$host")
  done
}

# No APIC virtualisation on the emulated host: the first of its IPIs ends it.
@test "two vCPUs without the exception for IPIs: the record is of the interrupt command register" {
  local host
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    same "$(cat "$OUT/ipi.status")" 5
    grep -Eq 'violation: vCPU [01] at RIP 0x[0-9a-f]+: nested page fault \(.* 0xfee003[01]0\)' "$OUT/ipi.err" ||
      { cat "$OUT/ipi.err"; return 1; }
  done
}
