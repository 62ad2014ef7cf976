#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is left of a sealed VM that broke its seal, and what was to be seen of it: tests/e2e/report-runs, once.

bats_require_minimum_version 1.5.0
load lib

setup_file() {
  tests/e2e/violations/build >/dev/null
  export OUT=$BATS_FILE_TMPDIR/out
  on_kvm_host --isolated 1 --hugepages 2M:40 --timeout 600 --out "$OUT" -- tests/e2e/report-runs >"$BATS_FILE_TMPDIR/log" 2>&1 3>&- ||
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
  same "$(of_report .memory_cleared.bytes,.memory_cleared.verified | paste -sd ' ')" "$((64 << 20)) false"
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
  same "$(of_report '[.guarantees[].name] | join(" ")')" "cores.isolated memory.fixed memory.mapped devices.gone exits.fatal calls.filtered functions.own cache.own"
  same "$(of_report '[.guarantees[].state] | unique | join(" ")')" held
  same "$(jq -c .guarantees "$OUT/exits.json")" "$(of_report '.guarantees | tojson')"
  grep -qE '^nohype:   memory.fixed +held +64 MiB in 2 MiB pages' "$OUT/run.err"
  run ! grep -nE '^nohype:   .{93,}' "$OUT/run.err" # 100 columns
}

@test "nohype exits on a terminal is renewed, ends with the VM, and leaves the terminal as it was" {
  same "$(cat "$OUT/view.status")" 0
  same "$(cat "$OUT/view.terminal")" "no echo, then as before"
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

# --- the page ---

@test "nohype report makes a page that has what the report has" {
  cp "$OUT/report.json" "$BATS_TEST_TMPDIR/told.json"
  same "$("$NOHYPE" report "$BATS_TEST_TMPDIR/told.json")" "$BATS_TEST_TMPDIR/told.html"
  page=$(cat "$BATS_TEST_TMPDIR/told.html")
  has "$page" "<code>$(planted)</code>"
  has "$page" "<h1>told</h1>"
  has "$page" "$(of_report .outcome.text)"
  has "$page" ">violation</text>"
  while read -r evidence; do
    has "${page//&#39;/\'}" "$evidence"
  done < <(of_report '.guarantees[].evidence')
  # shellcheck disable=SC2016 # jq's own variables
  row=$(of_report '.ledger[0] | .before_seal as $b | .since_seal as $s |
    [$b.host, $b.exits - $b.host, $s.host, $s.guest] | map("<td class=\"n\">\(.)</td>") | add')
  has "${page//$'\u202f'/}" "<tr><td>0</td><td>1</td>$row</tr>"
  # the same on standard output; nothing is fetched; it is well-formed
  same "$("$NOHYPE" report -o - "$BATS_TEST_TMPDIR/told.json")" "$page"
  run ! grep -qE 'https?:|src=|href=|<script|@import|url\(' "$BATS_TEST_TMPDIR/told.html"
  /usr/bin/python3 - "$BATS_TEST_TMPDIR/told.html" <<'END'
import html.parser, sys
EMPTY = {"meta", "path", "rect", "br"}
class Check(html.parser.HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in EMPTY:
            self.open.append(tag)
    def handle_startendtag(self, tag, attrs):
        pass
    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit(f"line {self.getpos()[0]}: </{tag}> closes something else")
check = Check()
check.feed(open(sys.argv[1], encoding="utf-8").read())
sys.exit(f"left open: {check.open}" if check.open else 0)
END
}

@test "nohype report takes what the schema takes, and nothing else" {
  /usr/bin/python3 - "$OUT/report.json" schemas/report.schema.json "$NOHYPE" "$BATS_TEST_TMPDIR/one.json" <<'END'
import copy, json, subprocess, sys
import jsonschema
report, schema = (json.load(open(path)) for path in sys.argv[1:3])
nohype, one = sys.argv[3:]
validator = jsonschema.Draft202012Validator(schema)

def places(value, at=()):
    yield at
    members = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, member in members:
        yield from places(member, at + (key,))

def changed(at, change):
    new = copy.deepcopy(report)
    above = new
    for key in at[:-1]:
        above = above[key]
    change(above, at[-1])
    return new

def put(value):
    def change(above, key):
        above[key] = value
    return change

def drop(above, key):
    del above[key]

def unknown(above, key):
    if isinstance(above[key], dict):
        above[key]["surplus"] = []

tried = refused = 0
for at in places(report):
    if not at:
        continue
    for change in (drop, unknown, put(None), put(-1), put("<"), put([0]), put({}), put(1.5), put(True)):
        if at[:2] == ("timeline", "samples") and change is drop:
            continue  # one number a vCPU is more than a schema can say
        new = changed(at, change)
        json.dump(new, open(one, "w"))
        took = subprocess.run([nohype, "report", "-o", "-", one], capture_output=True, check=False).returncode == 0
        if took != validator.is_valid(new):
            patterns = ("name", "nohype", "start", "processor")  # the page takes any text for these
            if not (took and change.__name__ == "change" and at[-1] in patterns):
                sys.exit(f"{at}: {new if not at else ''} taken by one and not by the other: nohype {took}")
        tried += 1
        refused += not took
print(tried, "tried", refused, "refused")
sys.exit(0 if tried > 300 and refused > 200 else "too few")
END
}

@test "nohype report and bad input" {
  cd "$BATS_TEST_TMPDIR"
  said() { # STATUS TEXT ARG...
    local wanted=$1 text=$2
    shift 2
    run "$NOHYPE" report "$@"
    same "$status" "$wanted"
    same "$output" "nohype: error: $text"
  }
  said 2 "report: wanted a report's file, or the name of a VM: see nohype help report"
  said 2 'report: "-x": unknown, or one too many: see nohype help report' -x
  said 2 'report: "b": unknown, or one too many: see nohype help report' a b
  said 2 'nothing.json: No such file or directory' nothing.json
  said 2 '/dev/null: not a regular file: wanted a report' /dev/null
  echo '{ "report": 2 }' >newer.json
  said 2 'newer.json: report: wanted version 1, found 2' newer.json
  [ ! -e newer.html ]
  jq 'del(.ledger[0].core)' "$OUT/report.json" >lacking.json
  said 2 'lacking.json: ledger[0].core: wanted this key, and it is missing' lacking.json
  said 1 'report: "/nowhere/x.html": its folder: No such file or directory' -o /nowhere/x.html "$OUT/report.json"
  same "$(find . -type f | sort | paste -sd ' ')" "./lacking.json ./newer.json"
}
