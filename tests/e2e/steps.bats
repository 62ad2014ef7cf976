#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# kill -9 at the steps of start, stop and abort, of each of a VM's processes and of two at once: tests/e2e/steps.py.
# LONG=1: at each step of the program's own table, also of a start that can't go on, of each and each two, there and a
# moment later; with a function of a network card, and on several emulated hosts, two at a time.

load lib

PARTS=4 # of a few hundred kills, an emulated host each
SILENT=420 # s of a host that finds nothing: a kill takes ten, and each wait in it has a limit

# Ends who runs a host when nothing is found any more.
silence_end() { # PID FOLDER
  while kill -0 "$1" 2>/dev/null; do
    if [ -e "$2/hangs" ] || [ $(($(date +%s) - $(stat -c %Y "$2/found"))) -gt $SILENT ]; then
      touch "$2/hangs"
      kill "$1"
    fi
    sleep 5
  done
}

# kills PART: those of one part, on a host of its own; what it found is in $OUT/part.N/found.
kills() {
  local out=$OUT/part.${1%/*} first host
  mkdir "$out"
  cp "$OUT/stop-at.so" "$out"
  # Once in some hundred kills the emulated host's file system forgets a request: the rest of them on another one, twice at most.
  for _ in 1 2 3; do
    first=$(cat "$out/at" 2>/dev/null || echo 0)
    rm -f "$out/hangs"
    touch "$out/found"
    "$RIG" ${devices:+"$devices"} --cpus 3 --mem 1G --isolated 1 --timeout "${LONG:+1}1200" --append "$PAGES_STAY" --out "$out" --env "OUT=$out" \
      --env "FIRST=$first" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" -- tests/e2e/steps-runs "$1" >&2 3>&- &
    host=$!
    silence_end $host "$out" 3>&- &
    wait $host && return
    [ -e "$out/hangs" ] || break
    echo "# the emulated host of part $1 hangs at kill $(cat "$out/at"): the rest on another one" >&3
  done
  touch "$out/not-ended"
  cat "$out/nohyped.log" >&2 || true
}

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  local part parts=some devices=--no-devices
  guests trap
  mkdir -p "$OUT"
  gcc -shared -fPIC -D_GNU_SOURCE -O2 -o "$OUT/stop-at.so" tests/e2e/stop-at.c -ldl
  [ "${LONG:-0}" != 1 ] || devices='' parts="undo $(seq -f "%.0f/$PARTS" 0 $((PARTS - 1)))"
  for part in $parts; do
    [ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
    kills "$part" &
  done
  wait
}

# found FILTER: what jq makes of all kills.
found() {
  cat "$OUT"/part.*/found | jq -sr "$1"
}

@test "a life has the steps that nohype explain steps lists, in that order" {
  same "$(found '[.[] | select(.at == "all") | .wrong] | unique | tojson')" "[[]]"
}

@test "each supervisor had just said the step at which it was stopped" {
  same "$(found '[.[] | select(.said == false)] | tojson')" "[]"
}

@test "after each kill: nothing runs, the host is as it was, and what became of the memory is said" {
  same "$(found '[.[] | select(.wrong != [])] | tojson')" "[]"
}

@test "each was killed that was to be, also two at once" {
  echo "# $(found '[.[] | select(.there)] | length') kills, at $(found '[.[] | select(.there) | .at] | unique | length') steps" >&3
  same "$(find "$OUT" -name not-ended)" ""
  if [ "${LONG:-0}" = 1 ]; then
    same "$(found '[.[] | select(.there)] | length > 300')" true
    same "$(found '[.[] | select(.there) | .who] | unique | length')" 10
  else
    same "$(found '[.[] | select(.there)] | length')" 5
    same "$(found '[.[] | select(.there) | .who] | unique | join(",")')" "core,nohyped,nohyped+supervisor,supervisor"
  fi
}

@test "no step that was to be hit was missed: LONG=1, all of start, stop, abort and undo" {
  hit=$(found '[.[] | select(.there) | .at] | unique | join(",")')
  if [ "${LONG:-0}" = 1 ]; then
    same "$hit" "$("$NOHYPE" explain steps --json |
      jq -r '[to_entries[] | .key as $in | .value[] | "\($in): \(.step)"] | unique | join(",")')"
  else
    same "$hit" "abort: vCPUs,start: arm,start: memory,start: seal,stop: memory"
  fi
}
