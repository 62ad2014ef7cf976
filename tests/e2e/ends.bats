#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# How a VM can end: the exit code, and the last line on standard error, which says which end and why.
# (That a stock guest's poweroff ends it with 0 is in boot.bats; what people do at a terminal is in console.bats.)

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests power-off reboot panic triple-fault nowhere busy
  on_kvm_host --cpus 2 --mem 2G --out "$OUT" -- tests/e2e/ends-runs >&2 3>&-
}

@test "power off: 0" {
  ended power-off 0 "power-off: the guest powered off"
}

@test "reboot: 0" {
  ended reboot 0 "reboot: the guest asked for a reboot, which ends it; start it again for another boot"
}

@test "a guest that says that it panicked: 4" {
  ended panic 4 "panic: the guest's kernel panicked; its console says why"
}

@test "triple fault: 4" {
  ended triple-fault 4 "triple-fault: the guest took a triple fault"
}

@test "triple fault while another vCPU waits for its start: 4" {
  ended triple-fault-2 4 "triple-fault-2: the guest took a triple fault"
}

# KVM_EXIT_INTERNAL_ERROR, 17: there is no instruction that it could run or emulate.
@test "what KVM can't run: 4, with the exit's number" {
  ended nowhere 4 "nowhere: KVM can't run the guest on: vCPU 0: KVM_RUN returned exit reason 17 (0x1)"
}

@test "SIGINT and SIGTERM: 0" {
  ended int 0 "int: stopped by a signal"
  ended term 0 "term: stopped by a signal"
  ended int-term 0 "int-term: stopped by a signal"
}

@test "SIGHUP: 6" {
  ended hup 6 "hup: the terminal went away, and the guest was ended"
}

@test "each guest that was to run until a signal did run" {
  for name in int term hup int-term; do
    same "$(tr -d '\r' <"$OUT/$name.out")" up
  done
}

@test "a stock guest's reboot: 0" {
  ended stock-reboot 0 "stock-reboot: the guest asked for a reboot, which ends it; start it again for another boot"
  grep -q 'Welcome to a nohype guest: .* on 2 CPUs' "$OUT/stock-reboot.out"
}

@test "a stock guest's panic: 4, and the console says why" {
  ended stock-panic 4 "stock-panic: the guest's kernel panicked; its console says why"
  grep -q 'Kernel panic - not syncing: sysrq triggered crash' "$OUT/stock-panic.out"
}

@test "a kernel without a root file system panics: 4" {
  ended stock-no-root 4 "stock-no-root: the guest's kernel panicked; its console says why"
  grep -q 'Kernel panic - not syncing: VFS: Unable to mount root fs' "$OUT/stock-no-root.out"
}

@test "nothing is said after the last line, and nothing of ours on standard output" {
  for file in "$OUT"/*.err; do
    same "$(grep -c 'exit code' "$file")" 1
    last_line "$(basename "$file" .err)" | grep -q 'exit code'
  done
  [ -z "$(cat "$OUT/power-off.out" "$OUT/reboot.out" "$OUT/panic.out" "$OUT/triple-fault.out")" ]
}
