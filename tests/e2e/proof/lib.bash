# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What proof.bats and pure.bats share: the hosts and their runs; and what a dead guest's memory and nohype's words say of
# it, in $OUT.

# Those of $HOSTS, and there the runs whose names $RUNS takes, if they are set: all of them take an hour.
hosts() {
  if [ "${LONG:-0}" = 1 ]; then echo "${HOSTS:-6.12 6.1 sid}"; else echo 6.12; fi
}

# run_hosts [RIG OPTION...]: what `plan HOST` says is run on each, and its results come into the host's folder.
run_hosts() {
  local host
  tests/e2e/proof/build >&2
  for host in $(hosts); do
    OUT=$BATS_FILE_TMPDIR/$host
    mkdir -p "$OUT"
    plan "$host" | grep -E "^(${RUNS:-[^ ]*}) " >"$OUT/plan"
    "$RIG" --no-devices --kernel "$host" --cpus 3 --isolated 1,2 --hugepages 2M:130 --env "OUT=$OUT" --env "BUILD=$BUILD" \
      --env "NOHYPE=$NOHYPE" --timeout 7000 --out "$OUT" "$@" -- tests/e2e/proof-runs "$OUT/plan" >&2 3>&-
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

let_through() { # NAME [EXCEPTION]
  sed -n 's/.*exception '"${2:-[a-z]*}"': \([0-9]*\) exits were let through/\1/p' "$OUT/$1.err" | awk '{ sum += $1 } END { print sum + 0 }'
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

# Ticks within so many % of 250 a second, of each vCPU.
on_time() { # NAME VCPUS PERCENT
  local cpu wanted found
  for ((cpu = 0; cpu < $2; cpu++)); do
    wanted=$(($(evidence "$1" $cpu 5) / 4000000)) found=$(evidence "$1" $cpu 3)
    echo "$1: vCPU $cpu: $found ticks, $wanted wanted"
    [ $((found * 100)) -ge $((wanted * (100 - $3))) ] && [ $((found * 100)) -le $((wanted * (100 + $3))) ] || return
  done
}
