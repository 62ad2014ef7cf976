#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# A guest's memory as a file in a hugetlbfs folder, which outlives all who knew of it: who clears it then.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  mkdir -p "$OUT"
  guests poll
  tests/e2e/violations/build >/dev/null
  make -s "$BUILD/unit/test_named" >&2
  "$RIG" --no-devices --cpus 2 --mem 1G --hugepages 2M:80 --timeout 600 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" \
    --env "NOHYPE=$NOHYPE" -- tests/e2e/pages-runs >"$OUT/found" 3>&-
}

# found WHAT RESULT
found() {
  same "$(sed -n "s/^$1|//p" "$OUT/found")" "$2"
}

# said NAME PATTERN
said() {
  grep -Eq -- "$2" "$OUT/$1.err" || { echo "not there: $2"; cat "$OUT/$1.err"; return 1; }
}

NOTHING_LEFT="[]|[]|80"

@test "folders, names, records, and who holds them" {
  grep -q '^100%: Checks: 13, Failures: 0, Errors: 0$' "$OUT/unit.out" || { cat "$OUT/unit.out"; return 1; }
}

@test "it runs, is sealed, and ends: no file, no record, and all pages are back" {
  found ended "0|$NOTHING_LEFT|80" || { cat "$OUT/web.err"; return 1; }
  said web '^nohype:   memory.fixed +held +64 MiB in 2 MiB pages, all there, in a file that root alone can$'
  said web '^nohype: +open, and the core manager has not, on node 0, '
  said web 'memory cleared: 64 MiB in '
  found reserved "0|$NOTHING_LEFT|80" || { cat "$OUT/more.err"; return 1; }
}

@test "folder and file are root's alone; recover touches neither while the VM lives" {
  found lives "0o700|0o600|nothing is left to recover|0|True|(['web', 'web~rings'], ['memory.web', 'memory.web~rings'])"
}

@test "kill -9 of all at once: file and content are there; recover clears, as seen by who held the file, and says so" {
  found killed "True|(['web', 'web~rings'], ['memory.web', 'memory.web~rings'], 47)"
  found recover "VM \"web\" was running when all that ran it was killed: its memory was cleared by recover|0|True|$NOTHING_LEFT|80"
  found "recover again" "nothing is left to recover|0"
}

@test "pages that the VM had brought go after that" {
  found "killed with pages of its own" "True|113"
  has "$(sed -n 's/^recover pages|//p' "$OUT/found")" "its memory was cleared by recover; 33 huge pages that killed VMs had reserved"
  has "$(sed -n 's/^recover pages|//p' "$OUT/found")" "|0|True|$NOTHING_LEFT|80"
}

@test "the next start of that VM clears it, and has its pages" {
  found "next start" "0|True|$NOTHING_LEFT|80" || { cat "$OUT/web.err"; return 1; }
  said web '^nohype: web: "web", which its last life had left when all that ran it was killed: 64 MiB cleared$'
}

@test "a file that isn't ours is left alone, and the VM refused; so is a folder elsewhere" {
  found "another's" "3|nothing is left to recover|0|(['web'], [])"
  said web '^nohype: error: memory.folder: "/dev/hugepages/vms/web": is there already, and of no VM that was killed: wanted it removed, or another folder$'
  found elsewhere "3|False"
  said web "^nohype: error: memory.folder: \"/run/vms\": isn't in a hugetlbfs mount: wanted one with pages of 2M: \`mount -t hugetlbfs -o pagesize=2M none DIR\`$"
  found check 3
}

@test "under nohyped: recover leaves one that lives alone; of a killed supervisor's nohyped removes the file" {
  has "$(sed -n 's/^lives under nohyped|//p' "$OUT/found")" "nohyped runs"
  has "$(sed -n 's/^lives under nohyped|//p' "$OUT/found")" "|0|True"
  found "supervisor killed" "1|cleared by nohyped|64|True|$NOTHING_LEFT"
}

@test "kill -9 of nohyped too: the next one clears it, and its event says so; or recover does, and the next one tells" {
  found "all killed" "True|['web', 'web~rings']"
  found "nohyped again" "1|cleared by nohyped|64|True|$NOTHING_LEFT"
  found "recover after all" "VM \"web\" was sealed when all that ran it was killed: its memory was cleared by recover|0|True|$NOTHING_LEFT"
  found "told by nohyped" "1|cleared by recover|64"
}

@test "what a killed nohype run has left, nohyped clears when it starts; recover then has nothing to tell of it" {
  found "systemd is told" "EXTEND_TIMEOUT_USEC=120000000|READY=1"
  found event "other running cleared by nohyped|True|$NOTHING_LEFT"
  has "$(sed -n 's/^recover then|//p' "$OUT/found")" "nohyped runs"
  [[ $(sed -n 's/^recover then|//p' "$OUT/found") != *other* ]]
}

@test "all of it is under the AppArmor profiles, enforced, and nothing of it refused" {
  found profiles "unconfined|nohype-core (enforce)"
  found "nohyped's profiles" "nohyped (enforce)|nohyped (enforce)|nohyped (enforce)"
  grep -qx refused "$OUT/found" || { grep '^refused' "$OUT/found"; return 1; }
}
