#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The power of an emulated host is cut while it gives cores and runs a VM, all records on a disk that stays, and it is
# started again: tests/e2e/power-cut-runs. LONG=1: at many moments, with a function of a network card.

load lib

MOMENTS=("sealed")
[ "${LONG:-0}" != 1 ] || MOMENTS+=("apply" "start: claims" "start: kvm" "start: functions" "start: memory" "start: DMA" "start: core manager"
  "start: boot" "start: seal" "stop: vCPUs" "stop: DMA" "stop: memory" "stop: functions" "stop: report")

on_host() { # COMMAND...
  "$RIG" "${DEVICES[@]}" --cpus 2 --mem 1G --isolated 1 --append "$PAGES_STAY" --disk "$OUT/disk" --timeout 300 --out "$OUT" \
    --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" -- tests/e2e/power-cut-runs "$@" 3>&-
}

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  local number
  DEVICES=(--no-devices)
  [ "${LONG:-0}" != 1 ] || DEVICES=()
  guests poll
  mkdir -p "$OUT"
  for number in "${!MOMENTS[@]}"; do
    rm -f "$OUT/disk"
    truncate -s 64M "$OUT/disk"
    on_host cut "${MOMENTS[number]}" >"$OUT/$number.cut" 2>"$OUT/$number.cut.err" && echo "it was not cut" >>"$OUT/$number.cut"
    on_host after >"$OUT/$number.after" 2>"$OUT/$number.after.err" || cat "$OUT/$number.after.err" "$OUT/nohyped.log"
  done
}

# found cut|after WHAT WANTED: what the lines of that name have is the same after each cut.
found() {
  local number
  for number in "${!MOMENTS[@]}"; do
    same "${MOMENTS[number]}: $(sed -n "s/^$2|//p" "$OUT/$number.$1")" "${MOMENTS[number]}: $3" || return
  done
}

@test "each host ended where it was to" {
  found cut defined 201
  for number in "${!MOMENTS[@]}"; do
    same "$(tail -n 1 "$OUT/$number.cut")" "cut|${MOMENTS[number]}"
    grep -q "the emulated host ended before COMMAND did" "$OUT/$number.cut.err"
  done
}

@test "what nohyped had answered for is there, its events whole and in order" {
  found after configuration True
  found after events "True|True"
}

@test "a VM that ran has an end that says what it was" {
  for number in "${!MOMENTS[@]}"; do
    case ${MOMENTS[number]} in
    apply) wanted="200|defined|False|None" ;;
    *) wanted="200|gone|False|the host ended before it did: its power, a crash, or a reboot" ;;
    esac
    same "${MOMENTS[number]}: $(sed -n 's/^VM|//p' "$OUT/$number.after")" "${MOMENTS[number]}: $wanted"
  done
}

@test "the journals are of another boot: nothing is put back that nobody took, and nothing is left" {
  found after "host status" "0|no cores are taken"
  for number in "${!MOMENTS[@]}"; do
    grep -q '^host undo|0|' "$OUT/$number.after"
    grep -q '^recover|0|' "$OUT/$number.after"
  done
  found after "host as it was" "[]"
}

@test "and all of it can be done again" {
  found after apply 0
  found after start 202
  found after stop "0|stopped by order|64"
  found after undo "0|[]"
  found after nohyped 0
}
