#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Several sealed guests on one host, each on a core of its own that was taken from the host: what one of them does is nothing
# to the others. With LONG=1 they are side by side for more than 30 s.
#
# Alone: what is taken from a guest is measured.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  tests/e2e/violations/build >/dev/null
  "$RIG" --no-devices --cpus 4 --hugepages 2M:140 --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" \
    --env "LONG=${LONG:-0}" --timeout 900 --out "$OUT" -- tests/e2e/neighbours-runs >&2 3>&-
}

address() { # GUEST
  sed -n "s/^$1 //p" "$BUILD/violations/addresses"
}

# word NAME N: the N-th word of the guest's memory that was asked for: before, after, caught, result, gap, gaps.
word() {
  echo $(($(sed -n 's/.* evidence: 0x8000: //p' "$OUT/$1.err" | cut -d ' ' -f "$2")))
}

# lived NAME: it was sealed, worked for its time, took no exit of its own but the last, and died of that.
lived() {
  local gap=loop-gap
  [ "${LONG:-0}" != 1 ] || gap=loop-gap-long
  same "$(status_of "$1")" 5
  has "$(last_line "$1")" "violation: vCPU 0 at RIP 0x$(address $gap): port I/O"
  grep -Eq 'since: [0-9]+ by the host, 1 by the guest' "$OUT/$1.err" || { cat "$OUT/$1.err"; return 1; }
  same "$(word "$1" 1) $(word "$1" 2) $(word "$1" 3)" "1 0 0"
  [ "$(word "$1" 4)" -gt 100000 ] || { echo "$1: it read the clock $(word "$1" 4) times"; return 1; }
}

@test "three sealed guests side by side: no exit of theirs, while one is aborted and another is started" {
  lived staying
  lived bystander
  lived coming
}

@test "the cores are a partition: vCPUs run there, other threads of theirs don't, and undo waits for them" {
  same "$(cat "$OUT/apply.status")" 0 || { cat "$OUT/apply.err"; return 1; }
  grep -Eq 'cores.isolated +held .*; isolated: 1-3$' "$OUT/bystander.err" || { cat "$OUT/bystander.err"; return 1; }
  grep -qx '0::/ 0' "$OUT/threads" && grep -qx '0::/nohype 1' "$OUT/threads" || { cat "$OUT/threads"; return 1; }
  same "$(cat "$OUT/undo-early.status")" 3
  same "$(cat "$OUT/undo.status")" 0 || { cat "$OUT/undo.err"; return 1; }
}

@test "the aborted one had no exit of its own either" {
  same "$(cat "$OUT/leaving.status")" 6
  grep -Eq 'since: [0-9]+ by the host, 0 by the guest' "$OUT/leaving.err" || { cat "$OUT/leaving.err"; return 1; }
}

@test "the bystander's ledger stood still, and the longest time that was taken from it is known" {
  local file
  for file in before after; do
    same "$(jq '.vcpus[0] | .exits - .before_seal - (.host - .host_before_seal)' "$OUT/$file.json")" 0
  done
  echo "# taken from the bystander: $(word bystander 6) times, at most $(word bystander 5) ticks of the TSC at once" >&3
  [ "$(word bystander 5)" -gt 0 ]
}
