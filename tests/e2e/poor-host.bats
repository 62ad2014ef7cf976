#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A host with little to give, as a CI runner: a VM runs there, and says what it does without; or doesn't, where that is
# required.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  tests/e2e/violations/build >/dev/null
  "$RIG" --no-devices --cpus 2 --mem 1G --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --timeout 400 --out "$OUT" -- \
    tests/e2e/poor-host-runs >&2 3>&-
}

# said NAME PATTERN
said() {
  grep -Eq -- "$2" "$OUT/$1.err" || { echo "not there: $2"; cat "$OUT/$1.err"; return 1; }
}

# refused NAME GUARANTEE...: none of its guest's instructions after the seal was executed, and each of these was named.
refused() {
  local name=$1 guarantee
  shift
  same "$(status_of "$name")" 3
  for guarantee; do
    said "$name" "^nohype: error: require: $guarantee: "
  done
  ! grep -q 'evidence: 0x8000: 0x1 ' "$OUT/$name.err" || { echo "$name: the guest went on"; return 1; }
}

@test "a VM runs, and what isn't held is said to be so" {
  same "$(status_of plain)" 0
  said plain '^nohype:   cores.isolated +not held +vCPU 0 is on core 1 alone, but the host puts others there'
  said plain '^nohype:   memory.fixed +not held +4 KiB pages'
  for guarantee in memory.mapped devices.gone exits.fatal calls.filtered; do
    said plain "^nohype:   $guarantee +held"
  done
}

@test "what is required and held is no hindrance" {
  same "$(status_of enough)" 0
  said enough 'evidence: 0x8000: 0x1 '
}

@test "all required: refused before anything is touched, for what can be told then" {
  refused all cores.isolated
  ! grep -Eq 'guest is ready|memory cleared' "$OUT/all.err" || return 1
}

@test "several required: each that isn't held is named" {
  refused two memory.fixed exits.fatal
  ! grep -Eq 'require: (cores|memory.mapped|devices|calls)' "$OUT/two.err" || return 1
}

@test "one required: refused for that one" {
  refused cores cores.isolated
  refused memory memory.fixed
  refused file cores.isolated
  ! grep -Eq 'require: (memory|exits)' "$OUT/cores.err" "$OUT/file.err" || return 1
}

@test "audit ends nothing, so exits.fatal can't be had there" {
  refused audit exits.fatal
}
