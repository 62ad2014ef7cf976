#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The seal's levels: exceptions with rates, the polled tripwire, silence, and what a user without privilege can have.
#
# Alone: a silent guest dies of any interrupt that its host is late with.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  tests/e2e/violations/build >/dev/null
  "$RIG" --no-devices --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-0}" --isolated 1 --hugepages 2M:70 --timeout 900 \
    --out "$OUT" -- tests/e2e/levels-runs >&2 3>&-
}

# said NAME TEXT: TEXT is somewhere in what nohype said.
said() {
  grep -qF -- "$2" "$OUT/$1.err" || { echo "not there: $2"; cat "$OUT/$1.err"; return 1; }
}

# word NAME N: the N-th word of the guest's memory that was asked for: before, after, caught, result.
word() {
  sed -n 's/.* evidence: 0x8000: //p' "$OUT/$1.err" | cut -d ' ' -f "$2"
}

address() { # GUEST
  sed -n "s/^$1 //p" "$BUILD/violations/addresses"
}

@test "audit: nothing ends the guest, and its exits are counted by reason" {
  same "$(cat "$OUT/audit.status")" 0
  said audit "vCPU 0: since the seal: CPUID: 500, the first at RIP 0x"
  said audit " by the host, 502 by the guest"
  said audit "vCPU 0: since the seal: port I/O: 2, the first at RIP 0x$(address cpuid-storm)"
}

@test "an exception without a rate: counted, and what it doesn't name is the end" {
  same "$(cat "$OUT/any-rate.status")" 5
  said any-rate "violation: vCPU 0 at RIP 0x$(address cpuid-storm): port I/O (AMD SVM exit 0x7b, OUT to port 0x80,"
  said any-rate "exception cpuid: 500 exits were let through"
}

@test "an exception that stays under its rate" {
  same "$(cat "$OUT/under-rate.status")" 5
  said under-rate "exception cpuid: 500 exits were let through"
  said under-rate "violation: vCPU 0 at RIP 0x$(address cpuid-storm): port I/O"
}

@test "an exception over its rate ends the VM" {
  same "$(cat "$OUT/over-rate.status")" 5
  grep -Eq 'violation: exception cpuid: [0-9]{4,} exits in a second, 1000 are allowed' "$OUT/over-rate.err"
  said over-rate "memory cleared: 64 MiB"
  # it was let run, and every one of them was counted: the last may have come after the last look at its counter
  local counted executed
  counted=$(sed -n 's/.*exception cpuid: \([0-9]*\) exits were let through/\1/p' "$OUT/over-rate.err")
  executed=$(($(word over-rate 4)))
  [ "$executed" -gt 1000 ]
  [ "$counted" -ge "$executed" ] && [ "$counted" -le $((executed + 1)) ]
}

# Before the core manager is dead they may: the kernel's signal ends its threads one after the other.
@test "a violation stops the other vCPUs: one that worked ran on for a time that is known, and then no more" {
  local forbidden latest
  same "$(cat "$OUT/run-on.status")" 5
  said run-on "violation: vCPU 0 at RIP 0x$(address run-on): port I/O"
  forbidden=$(($(word run-on 4))) latest=$(($(word run-on 5)))
  echo "# the other vCPU ran on for $((latest - forbidden)) ticks of the TSC" >&3
  [ "$forbidden" -gt 0 ]
  [ "$latest" -gt $((forbidden - (1 << 32))) ] && [ "$latest" -lt $((forbidden + (1 << 32))) ]
}

@test "a violation comes with what a guest can do about it" {
  said strict "to avoid it: a musl user land, or no new programs; or declare seal.except.cpuid"
  said any-rate "to avoid it: no serial console, no poweroff but nohype-guest's"
}

@test "polled: the violation is seen, and ends the guest while it works on" {
  same "$(cat "$OUT/polled.status")" 5
  said polled "sealed (strict, polled)"
  said polled "violation: vCPU 0: 1 forbidden exits since the seal (polled"
  same "$(word polled 2)" 0x1
  [ $(($(word polled 4))) -gt 0 ]
}

@test "polled: a guest that ends before the next look is no clean end" {
  same "$(cat "$OUT/polled-end.status")" 5
  said polled-end "violation: vCPU 0: 1 forbidden exits before its end (polled"
  same "$(cat "$OUT/polled-clean.status")" 0
}

@test "silent: not one exit, not the host's either" {
  same "$(cat "$OUT/silent.status")" 5
  said silent "settled: any exit ends the guest now"
  local guest=loop-quiet
  [ "${LONG:-0}" != 1 ] || guest=loop-quiet-long
  said silent "violation: vCPU 0 at RIP 0x$(address $guest): port I/O"
  said silent "since: 0 by the host, 1 by the guest"
  [ "${LONG:-0}" != 1 ] || [ "$(cat "$OUT/silent.seconds")" -ge 60 ]
  [ $(($(word silent 4))) -gt 100000 ]
}

@test "silent is strict while it settles" {
  same "$(cat "$OUT/silent-early.status")" 5
  said silent-early "violation: vCPU 0 at RIP 0x$(address cpuid): CPUID"
}

@test "a plain user: strict is refused at the start, with what is missing" {
  same "$(cat "$OUT/plain-strict.status")" 3
  said plain-strict "root"
  said plain-strict "seal.level: strict: this user can't have what it needs"
  same "$(grep -c evidence "$OUT/plain-strict.err")" 0
}

@test "a plain user: a level that nobody asked for is refused when the guest wants it" {
  same "$(cat "$OUT/plain-default.status")" 3
  same "$(word plain-default 1)" 0x0
}

@test "a plain user: polled, userspace and audit work, and say what they can't know" {
  same "$(cat "$OUT/plain-polled.status")" 5
  said plain-polled "forbidden exits since the seal (polled"
  same "$(cat "$OUT/plain-userspace.status")" 5
  said plain-userspace "an exit came to user space (KVM_EXIT reason 2)"
  same "$(cat "$OUT/plain-audit.status")" 0
  said plain-audit " by the host, 2 by the guest"
  said plain-audit "exits by reason and by RIP: not to be had"
}
