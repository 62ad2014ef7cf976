#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What `nohype doctor` says of hosts: of one that is changed under it (tests/e2e/doctor-runs), of one with an older
# kernel, and of this machine, whatever it is.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/new OLD=$BATS_FILE_TMPDIR/old
  # On emulated hosts in any case, as all of a host is changed. Two side by side.
  "$RIG" --no-hold --kernel 6.1 --cpus 2 --mem 1G --timeout 300 --env "OUT=$OLD" --env "NOHYPE=$NOHYPE" --out "$OLD" -- \
    tests/e2e/doctor-runs look >"$BATS_FILE_TMPDIR/old.log" 2>&1 3>&- &
  "$RIG" --no-hold --cpus 4 --isolated 2,3 --mem 2G --hugepages 2M:30 --timeout 600 --env "OUT=$OUT" --env "NOHYPE=$NOHYPE" \
    --env "LONG=${LONG:-}" --out "$OUT" -- tests/e2e/doctor-runs flips >"$BATS_FILE_TMPDIR/new.log" 2>&1 3>&- ||
    cat "$BATS_FILE_TMPDIR/new.log"
  wait $! || cat "$BATS_FILE_TMPDIR/old.log"
}

rows() { # FILE FILTER: the ids that the filter of jq lets through, in one line
  jq -r "[.[] | select($2) | .id] | join(\" \")" "$1"
}

@test "more than 66 checks, of as many sources, each told in full" {
  for file in "$OUT/doctor.json" "$OLD/doctor.json"; do
    [ "$(jq length "$file")" -ge 66 ]
    same "$(jq '[.[].id] | unique | length' "$file")" "$(jq length "$file")"
    same "$(jq '[.[].source] | unique | length' "$file")" "$(jq length "$file")"
    same "$(jq -r '[.[] | keys_unsorted | join(" ")] | unique[]' "$file")" \
      "id group status source found wanted use levels fix fix_boot documentation"
    same "$(rows "$file" '.found == "" or .wanted == "" or .documentation == "" or .levels == []')" ""
    same "$(rows "$file" '.status | IN("ok", "note", "unknown", "warn", "bad") | not')" ""
    same "$(jq -r '[.[].group] | unique | join(" ")' "$file")" "cache cpu iommu irq kvm memory security"
  done
}

@test "one change of the host changes one check, and what is undone is seen to be" {
  while IFS=$'\t' read -r id before after was is also; do
    echo "# $id: $before to $after: \"$was\" to \"$is\"${also:+ (the same fact: $also)}" >&3
  done <"$OUT/flips"
  same "$(cat "$OUT/wrong")" ""
  same "$(cut -f 1 "$OUT/flips" | sort -u | wc -l)" "$(wc -l <"$OUT/flips")"
  [ "$(wc -l <"$OUT/flips")" -ge 30 ]
  same "$(awk -F '\t' '$2 == $3 || $4 == $5' "$OUT/flips")" ""
}

@test "a host that has what is required: exit code 0, and nothing bad" {
  same "$(cat "$OUT/doctor.status")" 0
  same "$(rows "$OUT/doctor.json" '.status == "bad"')" ""
  has "$(tail -n 1 "$OUT/doctor.out")" "this host has what is required"
}

@test "the table says what the JSON does, the worst of a group first" {
  same "$(sed -n 's/^\([0-9]*\) checks: .*/\1/p' "$OUT/doctor.out")" "$(jq length "$OUT/doctor.json")"
  while IFS=$'\t' read -r status id found; do
    has "$(cat "$OUT/doctor.out")" "$(printf '  %-7s %-24s %s' "$status" "${id#*.}" "$found")"
  done < <(jq -r '.[] | select(.id != "memory.available") | [.status, .id, .found] | @tsv' "$OUT/doctor.json")
  awk 'BEGIN { split("bad warn unknown note ok", order); for (i in order) rank[order[i]] = i }
    /^[A-Z]/ { last = 0 } /^  [a-z]/ { if (rank[$1] < last) exit 1; last = rank[$1] }' "$OUT/doctor.out"
  run ! grep -q $'\033' "$OUT/doctor.out"
}

@test "--for: what the VM's level and pages need, and it decides" {
  same "$(cat "$OUT/audit.status") $(cat "$OUT/strict.status") $(cat "$OUT/silent.status")" "3 3 3"
  # 64 MiB are 32 pages, and there are 30
  same "$(rows "$OUT/audit.json" '.status == "bad"')" memory.huge_pages_2m
  same "$(jq -r '.[] | select(.id == "memory.huge_pages_2m") | .found' "$OUT/audit.json")" \
    "30 free, and audit-vm wants 32"
  has " $(rows "$OUT/strict.json" '.status == "bad"') " " memory.huge_pages_2m "
  has " $(rows "$OUT/silent.json" '.status == "bad"') " " cpu.isolated "
  same "$(rows "$OUT/strict.json" '.levels | index("strict") | not')" ""
  same "$(rows "$OUT/strict.json" '.id | IN("memory.huge_pages_1g", "memory.unevictable", "iommu.vfio")')" ""
  same "$(rows "$OUT/strict.json" '.id | IN("cpu.isolated", "cpu.nohz_full")')" ""
  same "$(rows "$OUT/silent.json" '.id | IN("cpu.isolated", "cpu.nohz_full")')" "cpu.isolated cpu.nohz_full"
}

@test "--fix: its commands make of a host one that can keep what was asked" {
  same "$(cat "$OUT/strict-fix.out")" ""
  same "$(cat "$OUT/strict-fixed.status")" 0
  same "$(rows "$OUT/strict-fixed.json" '.status == "bad"')" ""
}

@test "--fix: what has a command is in order after it, but for what the processor lacks" {
  same "$(cat "$OUT/fix.out")" ""
  sh -n "$OUT/fix.sh"
  same "$(rows "$OUT/fixed.json" '(.status == "warn" or .status == "bad") and .fix != ""')" kvm.apicv
  # the rest is for the kernel's command line, or for the hardware
  same "$(grep -c '^# on the kernel.s command line: ' "$OUT/fix.sh")" 1
}

@test "a user without rights: what can't be read says so" {
  same "$(cat "$OUT/plain.status")" 3
  same "$(rows "$OUT/plain.json" '.status == "bad"')" "kvm.device kvm.sigtrap"
  for id in kvm.api kvm.guest kvm.disable_exits kvm.tracepoint cpu.fair_server iommu.access_control; do
    same "$id $(jq -r ".[] | select(.id == \"$id\") | .status" "$OUT/plain.json")" "$id unknown"
  done
}

@test "Linux 6.1: what it hasn't got is said to be so" {
  found() { jq -r ".[] | select(.id == \"$1\") | .status + \" \" + .found" "$OLD/doctor.json"; }
  has "$(found kvm.kernel)" "ok Linux 6.1."
  has "$(found kvm.prefault)" "warn not there"
  has "$(found kvm.virt_at_load)" "warn no such switch before Linux 6.12"
  has "$(found cpu.fair_server)" "ok this kernel has none"
  has "$(found cpu.nohz_full)" "warn none"
  same "$(cat "$OLD/doctor.status")" 0
}

@test "this machine" {
  code=0
  "$NOHYPE" doctor --json >"$BATS_TEST_TMPDIR/json" 2>"$BATS_TEST_TMPDIR/err" || code=$?
  same "$(cat "$BATS_TEST_TMPDIR/err")" ""
  [ "$(jq length "$BATS_TEST_TMPDIR/json")" -ge 66 ]
  # The exit code is what the rows say: is anything that is required bad, or unknown?
  wanted=$(jq 'if any(.[]; .use == "required" and (.id | IN("iommu.vfio", "iommu.sriov") | not) and
    (.status == "bad" or .status == "unknown")) then 3 else 0 end' "$BATS_TEST_TMPDIR/json")
  same "$code" "$wanted"
}

@test "on a terminal it is coloured, unless NO_COLOR says not to" {
  run script -qec "TERM=xterm NO_COLOR= $NOHYPE doctor" /dev/null
  has "$output" $'\033[32mok'
  run script -qec "TERM=xterm NO_COLOR=1 $NOHYPE doctor" /dev/null
  [[ $output != *$'\033['* ]]
}

@test "nohype explain checks and nohype-checks(7) have each of them" {
  explained=$("$NOHYPE" explain checks)
  page=$(scripts/checks-page "$NOHYPE")
  for id in $(jq -r '.[].id' "$OUT/doctor.json"); do
    has "$explained" "  $id: "
    has "${page//\\/}" "*$id* ("
  done
}

@test "bad usage" {
  said() { # TEXT ARG...
    local text=$1
    shift
    run -2 "$NOHYPE" doctor "$@"
    same "$output" "nohype: error: $text"
  }
  said 'doctor: option "--fixx": unknown: did you mean --fix?' --fixx
  said 'doctor: option "-x": unknown, or takes no argument: see nohype help doctor' -x
  said 'doctor: option "--json=1": unknown, or takes no argument: see nohype help doctor' --json=1
  said 'doctor: "vm.json": wanted options alone: see nohype help doctor' vm.json
  said 'doctor: option --for: wanted an argument' --json --for
  said 'doctor: --json and --fix: wanted one of them' --json --fix
  said 'doctor: option --cores: "1,1": wanted host CPU numbers as 1,3-5, each once' --cores 1,1
  said 'doctor: option --cores: "": wanted host CPU numbers as 1,3-5, each once' --cores=
  said 'doctor: core 5000: wanted one below 1024' --cores 5000
  said 'none.json: No such file or directory' --for none.json
  run -3 "$NOHYPE" doctor --cores 1023
  has "$output" "and not all of 1023"
  run -0 "$NOHYPE" doctor --help
  same "$output" "$("$NOHYPE" help doctor)"
}
