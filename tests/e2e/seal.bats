#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The seal, from outside: guests that must die and guests that must live (tests/e2e/violations), on one emulated host;
# and what could make a tripwire useless. With LONG=1 each guest fifty times in a row, but those that live at "userspace".

RIG=${RIG:-tests/rig/rig}

setup_file() {
  export DIR=$BATS_FILE_TMPDIR TIMES=1
  local limit=1200
  [ "${LONG:-0}" != 1 ] || TIMES=50 limit=40000
  tests/e2e/violations/build >/dev/null
  # At `userspace` most live, which takes its time: all of them only in the long run, and once.
  # shellcheck disable=SC2016 # COMMAND's own shell code
  "$RIG" --no-devices --isolated 1 --hugepages 2M:140 --timeout $limit --env BUILD="${BUILD:-build}" -- sh -c '
    tests/e2e/violations/run --times "$1" strict eoi cpuid ipi userspace-short
    [ "$2" != 1 ] || tests/e2e/violations/run userspace
    tests/e2e/violations/states' sh $TIMES "${LONG:-0}" >"$DIR/out" 2>&1 3>&- || true
}

# all_ok LEVEL COUNT: each line of the level is "ok", and there are as many
all_ok() {
  local wanted=$2 found
  grep -A 12 "^not ok $1 " "$DIR/out" && return 1
  found=$(grep -c "^ok $1 " "$DIR/out" || true)
  [ "$found" = "$wanted" ] || { echo "$found results, wanted $wanted"; tail -n 20 "$DIR/out"; return 1; }
}

# How many guests have something else than "-" (and than WORD) in that column of "expected".
guests() { # COLUMN [WORD]
  awk -v column="$1" -v word="${2:--}" '!/^#/ && NF && $column != "-" && $column != word' tests/e2e/violations/expected |
    wc -l
}

@test "strict: each guest dies at its instruction and nowhere else, or lives" {
  all_ok strict $(($(guests 3) * TIMES))
}

# How many are tried with that exception.
excepted() { # KIND
  grep -cE "^[^#].*[ ,]$1:" tests/e2e/violations/expected
}

@test "strict with an exception: what it names passes, and nothing else" {
  local kind
  for kind in eoi cpuid ipi; do
    all_ok $kind $(($(excepted $kind) * TIMES))
  done
}

@test "userspace: what comes to user space is the end" {
  all_ok userspace-short $(($(guests 4 lives) * TIMES))
  [ "${LONG:-0}" != 1 ] || all_ok userspace "$(guests 4)"
}

# There the guest's own first instructions map its memory, or it would not be sealed: the supervisor counts the pages.
@test "strict on a host whose KVM can't map memory ahead" {
  local name guests="nothing in cpuid write-beyond ipi-other"
  [ "${LONG:-0}" != 1 ] || guests=$(awk '!/^#/ && NF && $3 != "-" { print $1 }' tests/e2e/violations/expected)
  # shellcheck disable=SC2016,SC2086 # COMMAND's own shell code; several words
  "$RIG" --no-devices --kernel 6.1 --isolated 1 --hugepages 2M:70 --timeout 600 --env BUILD="${BUILD:-build}" -- sh -c '
    for guest; do tests/e2e/violations/run --only "$guest" strict; done' sh $guests >"$DIR/out-6.1" 2>&1 || true
  for name in $guests; do
    grep -q "^ok strict $name\$" "$DIR/out-6.1" || { grep -A 12 "^not ok" "$DIR/out-6.1"; return 1; }
  done
}

@test "each guest is expected, each expected one is there" {
  diff <(awk '!/^#/ && NF { print $1 }' tests/e2e/violations/expected | sort) \
    <(cd tests/e2e/violations && for file in *.S; do echo "${file%.S}"; done | grep -vxE 'on-demand|loop-.*' | sort)
}

@test "states that make a tripwire useless are corrected, or the seal is refused, or the VM dies" {
  local names name
  names=$(sed -n 's/^def state_\([a-z_]*\).*/\1/p' tests/e2e/violations/states)
  for name in $names; do
    grep -q "^ok $name " "$DIR/out" || { grep "^not ok $name" "$DIR/out" || echo "$name: no result"; return 1; }
  done
}
