#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is left of a sealed VM that broke its seal, and what was to be seen of it: tests/e2e/report-runs, once.

load lib

setup_file() {
  tests/e2e/violations/build >/dev/null
  export OUT=$BATS_FILE_TMPDIR/out
  on_kvm_host --isolated 1 --hugepages 2M:40 --timeout 300 --out "$OUT" -- tests/e2e/report-runs >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- ||
    cat "$BATS_FILE_TMPDIR/log"
}

# The address of the planted instruction.
planted() { sed -n 's/^on-demand /0x/p' "$BUILD/violations/addresses"; }

of_report() { jq -r "$1" "$OUT/report.json"; }

@test "the report is as its schema says" {
  same "$(stat -c %a "$OUT/report.json")" 600
  # Debian's python3-jsonschema, whichever python3 comes first here
  /usr/bin/python3 - "$OUT/report.json" schemas/report.schema.json <<'END'
import json, sys
import jsonschema
report, schema = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for error in validator.iter_errors(report):
    sys.exit(f"{error.json_path}: {error.message}")
report["ledger"][0]["since_seal"]["guest"] = -1
if validator.is_valid(report):
    sys.exit("the schema takes anything")
END
}

@test "the record is the planted instruction's" {
  same "$(cat "$OUT/run.status")" 5
  same "$(of_report .outcome.exit_code)" 5
  same "$(of_report .violation.rip)" "$(planted)"
  same "$(of_report '.violation | "\(.vcpu) \(.core) \(.reason_name) \(.access) \(.port)"')" "0 1 port I/O out 0x80"
  has "$(cat "$OUT/run.err")" "$(of_report .violation.text)"
  # in its place between the seal and the end
  same "$(of_report '.times.sealed_ns < .violation.ns and .violation.ns <= .times.ended_ns')" true
}

@test "states and times are in their order" {
  same "$(of_report '[.states[].state] | join(" ")')" "planned prepared booting sealed aborting gone"
  same "$(of_report '[.states[].ns] | . == sort')" true
  same "$(of_report '.times | [0, .booting_ns, .asked_ns, .sealed_ns, .ended_ns] | . == sort')" true
  same "$(of_report .memory_cleared.bytes,.memory_cleared.verified | paste -sd ' ')" "$((64 << 20)) true"
}

@test "its numbers are those that nohype exits had" {
  # before the seal nothing changes any more; since, the host may have had more; the guest had none, and then one
  same "$(of_report .ledger[0].before_seal.exits)" "$(jq .vcpus[0].before_seal "$OUT/exits.json")"
  same "$(of_report .ledger[0].before_seal.host)" "$(jq .vcpus[0].host_before_seal "$OUT/exits.json")"
  same "$(jq '.vcpus[0] | .exits - .before_seal - (.host - .host_before_seal)' "$OUT/exits.json")" 0
  same "$(of_report .ledger[0].since_seal.guest)" 1
  [ "$(of_report .ledger[0].since_seal.host)" -ge "$(jq '.vcpus[0] | .host - .host_before_seal' "$OUT/exits.json")" ]
  same "$(of_report '.ledger[0].since_seal.counters.io_exits')" 1
  same "$(of_report '.ledger[0] | .before_seal.counters.exits == .before_seal.exits and
    .since_seal.counters.exits == .since_seal.exits')" true
  same "$(of_report '[.timeline.samples[].exits[0]] | if . == sort then .[-1] else "not sorted" end')" \
    "$(of_report '.ledger[0] | .before_seal.exits + .since_seal.exits')"
}

@test "the guarantees are the same at the seal, live and in the end" {
  same "$(of_report '[.guarantees[].name] | join(" ")')" "cores memory mapped pages devices exits system calls"
  same "$(of_report '[.guarantees[].state] | unique | join(" ")')" held
  same "$(jq -c .guarantees "$OUT/exits.json")" "$(of_report '.guarantees | tojson')"
  grep -qE '^nohype:   memory +held +64 MiB in 2 MiB pages' "$OUT/run.err"
  run ! grep -nE '^nohype:   .{93,}' "$OUT/run.err" # 100 columns
}

@test "nohype exits on a terminal is renewed, ends with the VM, and leaves the terminal as it was" {
  same "$(cat "$OUT/view.status")" 0
  same "$(cat "$OUT/view.terminal")" "as before"
  view=$(cat "$OUT/view.out")
  has "$view" $'\033[?1049h'
  has "${view##*$'\033[?1049h'}" $'\033[?1049l' # and back again
  has "${view##*$'\033[?1049l'}" "told: it has ended"
  [ "$(grep -c 'told  sealed (strict) for ' "$OUT/view.out")" -ge 2 ]
  # the second screen has rates
  grep -qE '^ +0 +1 +[0-9]+ +0 +[0-9]+ +[0-9]+ +0 +0' "$OUT/view.out"
  run ! grep -qE $'\033\\[[0-9;]*m' "$OUT/view.out" # NO_COLOR
}

@test "a report that can't be written is refused before the start" {
  same "$(cat "$OUT/refused.status")" 2
  same "$(cat "$OUT/refused.err")" \
    'nohype: error: report: "/nowhere/report.json": its folder: No such file or directory'
}

@test "what check says of a report's path" {
  mkdir "$BATS_TEST_TMPDIR/folder"
  ln -s nowhere "$BATS_TEST_TMPDIR/link"
  for path in folder "folder/" link; do
    run "$NOHYPE" check -k "$BUILD/violations/nothing" --report "$BATS_TEST_TMPDIR/$path"
    same "$status" 2
    has "$output" "error: report: \"$BATS_TEST_TMPDIR/$path\": "
  done
  run "$NOHYPE" check -k "$BUILD/violations/nothing" --report "$BATS_TEST_TMPDIR/folder/report.json"
  [[ $output != *report:* ]]
  same "$(ls -A "$BATS_TEST_TMPDIR/folder")" ""
}
