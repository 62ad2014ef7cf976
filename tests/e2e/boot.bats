#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Stock Debian kernels of three series, vCPUs, memory sizes and image formats: what the guest finds is what was asked.
# With LONG=1 all 54, without it a set in which each pair of values comes together at least once.

SERIES=(6.1 6.12 sid)
VCPUS=(1 2 4)
MEMORY=(small 512M 5G)
IMAGES=(bzImage vmlinux)

# `small` is 64M, but for sid, whose kernel takes 55 MiB for itself before its first driver and 76 before its first
# program, whatever its command line says.
PAIRWISE=(
  "6.1  1 small bzImage"
  "6.1  2 512M  vmlinux"
  "6.1  4 5G    bzImage"
  "6.12 1 512M  bzImage"
  "6.12 2 5G    bzImage"
  "6.12 4 small vmlinux"
  "sid  1 5G    vmlinux"
  "sid  2 small vmlinux"
  "sid  4 512M  bzImage"
)

load lib

# What a kernel can do without, where memory is small. nokmem alone saves 4 MiB: it counts per-CPU memory byte by byte.
LEAN="cgroup.memory=nokmem cryptomgr.notests=1 lsm=capability ima=off ipv6.disable=1 zswap.enabled=0
  trace_buf_size=4K coherent_pool=4K log_buf_len=4K"

# The flavour amd64 of 6.1 is larger than others by 12 MiB of .bss: it needs 72M, the flavour for clouds does with 64M.
# shellcheck disable=SC2086 # words, on one line
small_of() {
  case $1 in
  6.1) echo 64M kernel-6.1-cloud-amd64 $LEAN initcall_blacklist=tracer_init_tracefs ;;
  6.12) echo 64M kernel-6.12 $LEAN initcall_blacklist=tracer_init_tracefs ;;
  sid) echo 80M kernel-sid $LEAN ;;
  esac
}

all_runs() {
  local series vcpus memory image
  for series in "${SERIES[@]}"; do
    for vcpus in "${VCPUS[@]}"; do
      for memory in "${MEMORY[@]}"; do
        for image in "${IMAGES[@]}"; do
          echo "$series $vcpus $memory $image"
        done
      done
    done
  done
}

runs() {
  if [ -n "${LONG:-}" ]; then
    all_runs
  else
    printf '%s\n' "${PAIRWISE[@]}"
  fi
}

# The lines that boot-runs takes.
resolved() {
  local series vcpus memory image folder cmdline
  while read -r series vcpus memory image; do
    folder=kernel-$series cmdline=
    if [ "$memory" = small ]; then
      read -r memory folder cmdline < <(small_of "$series")
    fi
    echo "$series $vcpus $memory $image $folder $cmdline"
  done
}

# Two hosts side by side, as one boot takes one core most of the time.
setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  [ -e "$GUESTS/kernel-6.1-cloud-amd64" ] || examples/guests/kernel --flavour cloud-amd64 6.1 >&2
  runs | resolved >"$BATS_FILE_TMPDIR/runs"
  awk '$3 ~ /^(512M|5G)$/' "$BATS_FILE_TMPDIR/runs" >"$BATS_FILE_TMPDIR/large"
  awk '$3 !~ /^(512M|5G)$/' "$BATS_FILE_TMPDIR/runs" >"$BATS_FILE_TMPDIR/others"
  on_kvm_host --cpus 4 --mem 7G --hugepages 2M:2560 --out "$OUT" -- tests/e2e/boot-runs "$BATS_FILE_TMPDIR/large" >&2 3>&- &
  on_kvm_host --cpus 4 --mem 2G --out "$OUT" -- tests/e2e/boot-runs "$BATS_FILE_TMPDIR/others" >&2 3>&-
  wait $!
}

# each_run FUNCTION: FUNCTION SERIES VCPUS MEMORY FOLDER CMDLINE NAME for each of the runs; says which failed.
each_run() {
  local series vcpus memory image folder cmdline name failed=0 count=0
  while read -r series vcpus memory image folder cmdline; do
    name=$series-$vcpus-$memory-$image
    count=$((count + 1))
    "$1" "$series" "$vcpus" "$memory" "$folder" "$cmdline" "$name" || { echo "in run $name"; failed=1; }
  done <"$BATS_FILE_TMPDIR/runs"
  same "$count" "$(runs | wc -l)"
  [ $failed = 0 ]
}

# fact RUN NAME
fact() {
  tr -d '\r' <"$OUT/$1.out" | sed -n "s/^fact $2=//p"
}

@test "the set has every pair of values" {
  pairs() {
    awk '{ for (i = 1; i < NF; i++) for (j = i + 1; j <= NF; j++) print i, $i, j, $j }' | sort -u
  }
  same "$(printf '%s\n' "${PAIRWISE[@]}" | pairs)" "$(all_runs | pairs)"
  same "$(all_runs | wc -l)" 54
}

powered_off() {
  ended "$6" 0 "$6: the guest powered off" || { tail -n 20 "$OUT/$6.out"; return 1; }
}

@test "each boots to its end, and powers off: exit code 0" {
  each_run powered_off
}

has_release() {
  same "$(fact "$6" release)" "$(cat "$GUESTS/$4/release")"
}

@test "uname -r is the kernel's that was asked for" {
  each_run has_release
}

has_cpus() {
  local ids
  ids=$(seq -s ' ' 0 $(($2 - 1)))
  same "$(fact "$6" nproc) $(fact "$6" processors)" "$2 $2" && same "$(fact "$6" apicids)" "$ids" &&
    same "$(fact "$6" coreids)" "$ids" && same "$(fact "$6" packages)" "${ids//[1-9]/0}"
}

@test "so many processors, each a core with an APIC id of its own, in one package" {
  each_run has_cpus
}

# What the guest can use is what it got without its kernel.
has_memory() {
  local least most found
  case $3 in
  64M) least=20 most=40 ;;
  80M) least=28 most=48 ;;
  512M) least=430 most=511 ;;
  5G) least=4850 most=5119 ;;
  esac
  found=$(fact "$6" memtotal_kb)
  if [ "${found:-0}" -lt $((least << 10)) ] || [ "$found" -gt $((most << 10)) ]; then
    echo "found $found KiB, wanted $least to $most MiB"
    return 1
  fi
}

@test "so much memory" {
  each_run has_memory
}

# Linux calls it tsc-early until it has measured it against another clock for a second, which a quick boot outruns.
has_clocks() {
  local source
  source=$(fact "$6" clocksource)
  same "${source%-early} $(fact "$6" clockevent)" "tsc lapic"
}

@test "time is the TSC, the tick the local APIC's" {
  each_run has_clocks
}

has_cmdline() {
  local found
  found=$(fact "$6" cmdline)
  has "$found" " console=ttyS0 quiet nohype.do=facts test.run=$6" || return
  [[ $found == tsc_early_khz=* ]] || { echo "found: $found"; return 1; }
  has "$found" "$5"
}

@test "the command line is the guest's own, after nohype's" {
  each_run has_cmdline
}
