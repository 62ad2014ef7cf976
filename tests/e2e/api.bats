#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# nohyped's API: what schemas/openapi.json says, and what can be sent to it that is wrong. Needs no KVM.

load lib
bats_require_minimum_version 1.5.0

setup_file() {
  export FOLDER=$BATS_FILE_TMPDIR NOHYPE_SOCKET=$BATS_FILE_TMPDIR/r/api.sock
  manager_start
}

teardown_file() {
  # what a test that failed has left
  [ ! -e "$FOLDER/cloud-pid" ] || kill -- "-$(cat "$FOLDER/cloud-pid")" || true
  kill "$(cat "$FOLDER/pid")"
}

teardown() {
  # what a test that failed has left
  ! mountpoint -q "${OTHER:-/absent}/s" || umount -l "$OTHER/s"
}

manager_start() {
  "$BUILD/nohyped" --state "$FOLDER/s" --run "$FOLDER/r" 2>>"$FOLDER/log" 3>&- &
  echo $! >"$FOLDER/pid"
  for _ in $(seq 300); do
    ! curl -s --unix-socket "$FOLDER/r/api.sock" http://n/v1/version >"$FOLDER/version" || return 0
    sleep 0.1
  done
  return 1
}

# It holds its lock until then. Whoever started it may not have waited for it yet.
until_ended() { # PID
  until [ "$(cut -d ' ' -f 3 "/proc/$1/stat" 2>/dev/null || echo Z)" = Z ]; do
    sleep 0.1
  done
}

api() { # PATH ARG...: body and status
  local path=$1
  shift
  curl -s --max-time 60 --unix-socket "$FOLDER/r/api.sock" -w '|%{http_code}' "$@" "http://n$path"
}

# It goes on answering, with as many fds as at first; and its memory is bounded.
still_well() {
  local pid now answer
  pid=$(cat "$FOLDER/pid")
  # there may be no room in its queue for a moment
  for _ in $(seq 100); do
    answer=$(api /v1/version || true)
    [ "$answer" = '|000' ] || break
    sleep 0.2
  done
  has "$answer" '"api":1}|200'
  for _ in $(seq 100); do
    now=$(find "/proc/$pid/fd" -mindepth 1 | wc -l)
    [ "$now" -gt 16 ] || break
    sleep 0.2
  done
  [ "$now" -le 16 ] || { ls -l "/proc/$pid/fd"; return 1; }
  [ "$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")" -lt 65536 ]
}

@test "every path, with every method and with bodies of all kinds, answers as openapi.json says" {
  # as fast as it can be asked
  other_manager '{"requests":{"per_second":1000000,"burst":1000000}}'
  run /usr/bin/python3 tests/e2e/api-cases "$OTHER/r"
  other_end
  echo "$output"
  same "$status" 0
}

@test "the sockets are for their owner and group" {
  same "$(stat -c '%a %F' "$FOLDER/r/api.sock" "$FOLDER/r/monitor.sock" | sort -u)" "660 socket"
}

until_said() { # WHAT FILE: a line of FILE says so, within a minute
  for _ in $(seq 600); do
    ! grep -qF -- "$1" "$2" || return 0
    sleep 0.1
  done
  cat "$2"
  return 1
}

cloud_end() {
  kill -- "-$(cat "$FOLDER/cloud-pid")"
  rm "$FOLDER/cloud-pid"
}

@test "the example of a cloud manager starts what is in its folder, and acts by how it ends" {
  guests poll
  local cloud=$FOLDER/cloud log=$FOLDER/cloud.log never="{\"kernel\":\"$SMALL_GUESTS/poll\",\"cores\":[8191]}"
  mkdir -p "$cloud"
  echo "$never" >"$cloud/moved.json"
  echo '{"kernel":"/absent"}' >"$cloud/absent.json"
  echo '{"kernel":3}' >"$cloud/wrong.json"
  # in a session of its own: its parts end with it
  setsid examples/cloud-manager "$cloud" >"$log" 2>&1 3>&- &
  echo $! >"$FOLDER/cloud-pid"
  until_said 'moved: to elsewhere' "$log"
  until_said 'absent: to failed' "$log"
  until_said 'wrong: refused: body:1: kernel: 3: wanted the path' "$log"
  until_said 'wrong: to failed' "$log"
  cloud_end
  # what happens while it is away isn't missed, and nobody else's VM is its business
  api /v1/vms/foreign -X PUT -d "$never" >/dev/null
  api /v1/vms/foreign/start -X POST >/dev/null
  echo "$never" >"$cloud/late.json"
  echo 1 >"$cloud/.state/vms/late"
  api /v1/vms/late -X PUT -d "$never" >/dev/null
  api /v1/vms/late/start -X POST >/dev/null
  echo 0 >"$cloud/.state/vms/removed"
  api /v1/vms/removed -X PUT -d "$never" >/dev/null
  setsid examples/cloud-manager "$cloud" >"$log.2" 2>&1 3>&- &
  echo $! >"$FOLDER/cloud-pid"
  until_said 'late: to elsewhere' "$log.2"
  for _ in $(seq 100); do
    [ -e "$cloud/.state/vms/removed" ] || break
    sleep 0.1
  done
  cloud_end
  same "$(cat "$log" "$log.2" | grep -c foreign)" 0
  same "$(cd "$cloud" && ls ./*/*.json)" "./elsewhere/late.json
./elsewhere/moved.json
./failed/absent.json
./failed/wrong.json"
  same "$(api /v1/vms | jq -Rr 'split("|")[0] | fromjson | [.vms[].name] | map(select(. != "metric")) | join(" ")')" foreign
  "$NOHYPE" delete foreign
  run examples/cloud-manager "$FOLDER/none"
  same "$status" 2
}

# other_manager CONFIG [PROGRAMS [FOLDER]]: one more, of the programs in PROGRAMS, with CONFIG as its file, and FOLDER or a
# new one as its folder, which others can look into.
other_manager() {
  OTHER=${3:-$(mktemp -d)}
  chmod 755 "$OTHER"
  printf '%s' "$1" >"$OTHER/config"
  "${2:-$BUILD}/nohyped" --state "$OTHER/s" --run "$OTHER/r" --config "$OTHER/config" 2>"$OTHER/log" 3>&- &
  other_pid=$!
  for _ in $(seq 300); do
    [ ! -S "$OTHER/r/monitor.sock" ] || return 0
    sleep 0.1
  done
  return 1
}

other_end() {
  kill "$other_pid"
  wait "$other_pid"
  rm -r "$OTHER"
}

as_nobody() {
  setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}

status_as_nobody() { # SOCKET [GROUP]: the status of a request, and curl's own if there was none
  as_nobody ${2:+setpriv --groups "$2"} curl -s -o /dev/null -w '%{http_code}' --unix-socket "$OTHER/r/$1" \
    http://n/v1/version || echo " $?"
}

@test "a peer without permission: none by the mode, by the group, or by a mode that was opened" {
  [ "$(id -u)" = 0 ] || skip "needs root, to be another"
  other_manager '{}'
  same "$(status_as_nobody api.sock)" "000 7"
  same "$(status_as_nobody monitor.sock)" "000 7"
  # an operator who opens it for all: what only reads may be, the rest may not
  chmod 666 "$OTHER"/r/*.sock
  same "$(status_as_nobody api.sock)" 403
  same "$(status_as_nobody monitor.sock)" 200
  has "$(as_nobody curl -s --unix-socket "$OTHER/r/api.sock" http://n/v1/version)" \
    '"detail":"user 65534 is neither this socket'"'"'s owner nor of its group"'
  same "$(as_nobody curl -s -o /dev/null -w '%{http_code}' -X PUT -d '{"kernel":"/absent"}' \
    --unix-socket "$OTHER/r/monitor.sock" http://n/v1/vms/mine)" 403
  chmod 660 "$OTHER"/r/*.sock
  chgrp 65534 "$OTHER/r/api.sock"
  same "$(status_as_nobody api.sock)" 200
  same "$(status_as_nobody monitor.sock)" "000 7"
  other_end
}

# manager_with COMMANDS: another one, whose `nohype` is a script of these, with its words in $LOOKS, a line a time.
manager_with() {
  local programs=$BATS_TEST_TMPDIR/programs
  LOOKS=$BATS_TEST_TMPDIR/looks
  mkdir "$programs"
  ln "$BUILD/nohyped" "$programs" 2>/dev/null || cp "$BUILD/nohyped" "$programs"
  printf '#!/bin/sh\necho "$*" >>"%s"\n%s\n' "$LOOKS" "$1" >"$programs/nohype"
  chmod +x "$programs/nohype"
  other_manager '{}' "$programs"
}

other_api() { # SOCKET PATH ARG...: body, status and seconds
  curl -s --max-time 60 --unix-socket "$OTHER/r/$1" -w '|%{http_code}|%{time_total}' "${@:3}" "http://n$2"
}

@test "the host's topology and doctor's checks are what nohype prints, by one process for all who ask, and anew after an event" {
  manager_with "exec '$NOHYPE' \"\$@\""
  curl -s --unix-socket "$OTHER/r/monitor.sock" --parallel --parallel-max 20 --parallel-immediate -w '%{http_code}\n' \
    "http://n/v1/host/doctor?[1-20]" -o "$OTHER/doctor.#1" >"$OTHER/statuses"
  same "$(sort "$OTHER/statuses" | uniq -c | xargs)" "20 200"
  same "$(cat "$OTHER"/doctor.* | jq -sc 'unique | length')" 1
  same "$(cat "$LOOKS")" "doctor --json"
  "$NOHYPE" doctor --json >"$OTHER/printed" || [ $? = 3 ]
  same "$(jq -c '[.[] | del(.found)]' "$OTHER/doctor.1")" "$(jq -c '[.[] | del(.found)]' "$OTHER/printed")"
  same "$(curl -s --unix-socket "$OTHER/r/monitor.sock" http://n/v1/host/topology | jq -c .cpus)" \
    "$("$NOHYPE" host topology --json | jq -c .cpus)"
  other_api api.sock /v1/vms/new -X PUT -d '{"kernel":"/absent"}' >/dev/null
  has "$(other_api api.sock /v1/host/doctor)" '|200|'
  same "$(sort "$LOOKS" | uniq -c | xargs)" "2 doctor --json 1 host topology --json"
  other_end
}

@test "a look at the host that hangs holds up nobody else, and is ended; one that goes wrong is told" {
  # shellcheck disable=SC2016 # the script's own
  manager_with '[ "$1" = host ] || exec sleep 1000; echo "no such thing" >&2; exit 1'
  other_api api.sock /v1/host/doctor >"$OTHER/hangs" 3>&- &
  asker=$!
  # who goes away meanwhile is no loss
  has "$(other_api api.sock /v1/host/doctor --max-time 1 || true)" '|000|'
  for _ in 1 2 3; do
    quick=$(other_api monitor.sock /v1/version)
    has "$quick" '"api":1}|200|0.'
  done
  topology=$(other_api monitor.sock /v1/host/topology)
  has "$topology" '"detail":"nohype host: exit code 1: nohyped'"'"'s messages say why"'
  has "$topology" '|503|'
  has "$(cat "$OTHER/log")" "no such thing"
  [ ! -s "$OTHER/hangs" ]
  wait "$asker"
  has "$(cat "$OTHER/hangs")" '"detail":"nohype doctor: no answer yet: it has taken more than 30 s"'
  has "$(cat "$OTHER/hangs")" '|503|3'
  for _ in $(seq 50); do
    hanging=$(pgrep -P "$other_pid" || true)
    [ -n "$hanging" ] || break
    sleep 0.1
  done
  same "$hanging" ""
  has "$(other_api api.sock /v1/version)" '|200|'
  # one more is begun; nohyped's own end doesn't wait for it
  other_api api.sock /v1/host/doctor >"$OTHER/cut" 3>&- || true &
  asker=$!
  for _ in $(seq 50); do
    [ "$(grep -c doctor "$LOOKS")" != 2 ] || break
    sleep 0.1
  done
  hanging=$(pgrep -P "$other_pid")
  SECONDS=0
  kill "$other_pid"
  wait "$other_pid"
  [ "$SECONDS" -lt 5 ]
  wait "$asker" || true
  has "$(cat "$OTHER/cut")" 'nohyped ends' || has "$(cat "$OTHER/cut")" '|000|'
  until_ended "$hanging"
  rm -r "$OTHER"
}

@test "who asks too often is told when to come again, others aren't, and nohype waits" {
  [ "$(id -u)" = 0 ] || skip "needs root, to be another"
  other_manager '{"requests":{"per_second":10,"burst":30}}'
  chmod 666 "$OTHER/r/monitor.sock"
  curl -s --unix-socket "$OTHER/r/api.sock" -w '%{http_code} %header{retry-after}\n' -o /dev/null \
    "http://n/v1/version?[1-90]" >"$OTHER/statuses"
  taken=$(grep -c '^200' "$OTHER/statuses")
  [ "$taken" -ge 30 ]
  [ "$taken" -lt 90 ]
  same "$(grep -v '^200' "$OTHER/statuses" | sort -u)" "429 1"
  # a change counts as several
  for i in 1 2 3; do
    curl -s --unix-socket "$OTHER/r/api.sock" -X PUT -d '{"kernel":"/absent"}' "http://n/v1/vms/v$i" >>"$OTHER/last"
  done
  has "$(cat "$OTHER/last")" '"title":"Too many requests","status":429'
  same "$(status_as_nobody monitor.sock)" 200
  NOHYPE_SOCKET=$OTHER/r/api.sock run "$NOHYPE" list
  same "$status" 0
  other_end
}

@test "a wrong limit of requests is named" {
  for bad in '{"per_second":9}|per_second: 9: wanted 10 to 1000000' '{"burst":1000001}|burst: 1000001: wanted 10 to' \
    '{"per_second":"many"}|Expected integer, got string' '{"rate":3}|rate' '[]|Expected object, got array'; do
    echo "{\"requests\":${bad%%|*}}" >"$FOLDER/config"
    run timeout 10 "$BUILD/nohyped" --state "$FOLDER/s" --run "$FOLDER/r" --config "$FOLDER/config"
    same "$status" 2
    has "$output" "requests: "
    has "$output" "${bad#*|}"
  done
}

# Its own checker, which comes in a large package, with LONG=1.
promtool_agrees() {
  local promtool
  promtool=$(scripts/fetch-program prometheus usr/bin/promtool)
  same "$(curl -s --unix-socket "$FOLDER/r/api.sock" http://n/metrics | "$promtool" check metrics 2>&1)" ""
  same "$("$promtool" check metrics <<<'nohype_without_help 1' 2>&1)" "nohype_without_help no help text"
}

@test "Prometheus' own parser takes the metrics" {
  api /v1/vms/metric -X PUT -d '{"kernel":"/absent"}' >/dev/null
  curl -s --unix-socket "$FOLDER/r/api.sock" http://n/metrics | /usr/bin/python3 -c '
import sys
from prometheus_client.parser import text_string_to_metric_families as parse
found = {s.name: s for f in parse(sys.stdin.read()) for s in f.samples if s.labels.get("vm", "metric") == "metric"}
assert found["nohype_vm_state"].labels["state"] == "defined", found
assert found["nohype_events_total"].value > 0'
  [ "${LONG:-0}" != 1 ] || promtool_agrees
}

@test "not HTTP, half a request, and a body that never comes" {
  python3 - "$FOLDER/r/api.sock" <<'END'
import socket, sys
for sent in (b"\0" * 100, b"hello\r\n\r\n", b"GET /v1/version HT", b"PUT /v1/vms/a HTTP/1.1\r\nHost: n\r\nContent-Length: 10\r\n\r\n{",
             b"GET / HTTP/1.1\r\nHost: n\r\nX: " + b"y" * 200000 + b"\r\n\r\n", b"GET " + b"/" * 200000 + b" HTTP/1.1\r\n\r\n"):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(sys.argv[1])
    try:
        peer.sendall(sent)
    except BrokenPipeError:
        pass
    peer.close()
END
  still_well
}

@test "more connections at once than it takes: those are served that there is room for, and then all again" {
  python3 - "$FOLDER/r/api.sock" <<'END'
import socket, sys
peers = []
for _ in range(300):
    peer = socket.socket(socket.AF_UNIX)
    peer.setblocking(False)
    try:
        peer.connect(sys.argv[1])
    except BlockingIOError:
        pass
    peers.append(peer)
END
  still_well
}

# What it takes of the host: descriptors, and memory in KiB.
resources() {
  local pid
  pid=$(cat "$FOLDER/pid")
  echo "$(find "/proc/$pid/fd" -mindepth 1 | wc -l) $(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$pid/status")"
}

# As many descriptors as before, and less than a MiB more of memory.
nothing_leaked() { # BEFORE
  local now='' _
  for _ in $(seq 100); do
    now=$(resources)
    [ "${now% *}" -gt "${1% *}" ] || break
    sleep 0.2
  done
  if [ "${now% *}" -gt "${1% *}" ] || [ "${now#* }" -ge $((${1#* } + 1024)) ]; then same "$now" "$1"; fi
}

@test "10,000 requests at once: each is answered, or told when to come again, and nothing is left of them" {
  for _ in $(seq 50); do
    api /v1/vms >/dev/null
  done
  before=$(resources)
  run timeout 300 python3 - "$FOLDER/r/api.sock" <<'END'
import collections, socket, sys, threading
found = collections.Counter()
lock = threading.Lock()

def ask():
    while True:
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(sys.argv[1])
            peer.sendall(b"GET /v1/vms HTTP/1.1\r\nHost: n\r\nConnection: close\r\n\r\n")
            text = b""
            while part := peer.recv(65536):
                text += part
        except ConnectionError:
            continue
        finally:
            peer.close()
        head, _, body = text.partition(b"\r\n\r\n")
        status = int(head.split()[1])
        return status if len(body) == int(head.lower().split(b"content-length: ")[1].split()[0]) else "cut"

def many():
    for _ in range(100):
        status = ask()
        with lock:
            found[status] += 1

threads = [threading.Thread(target=many) for _ in range(100)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(found.values()), *sorted(found))
END
  same "$output" "10000 200 429" || same "$output" "10000 200"
  sleep 1
  still_well
  nothing_leaked "$before"
}

@test "many starts, aborts and deletions of one VM at once: one life after the other, each told whole" {
  hopeless rush
  before=$(resources)
  last=$(api /v1/vms | jq -Rr 'split("|")[0] | fromjson | .last_event')
  for i in $(seq 60); do
    case $((i % 4)) in
    0) api /v1/vms/rush/abort -X POST -o /dev/null ;;
    1) api /v1/vms/rush -X DELETE -o /dev/null ;;
    *) api /v1/vms/rush/start -X POST -o /dev/null ;;
    esac >>"$FOLDER/rush" 3>&- &
    [ $((i % 10)) != 0 ] || hopeless rush
  done
  wait
  for _ in $(seq 100); do
    [[ $(api /v1/vms/rush) == *'"running":true'* ]] || break
    sleep 0.1
  done
  same "$(sed 's/|/\n/g' "$FOLDER/rush" | grep -vE '^(202|204|404|409)?$')" ""
  "$NOHYPE" events --json --since "$last" >"$FOLDER/rush-events"
  # as many as were taken, and each begins and ends before the next
  same "$(jq -r 'select(.type == "start").id' "$FOLDER/rush-events" | wc -l)" \
    "$(jq -r 'select(.state == "gone").run' "$FOLDER/rush-events" | sort -u | wc -l)"
  same "$(jq -r 'select(.type == "start" or .state == "gone") | .type' "$FOLDER/rush-events" | uniq -c | sort -u | grep -v '^ *1 ')" ""
  api /v1/vms/rush -X DELETE >/dev/null
  still_well
  nothing_leaked "$before"
}

@test "a configuration that was right yesterday: the start says what is wrong today" {
  local kernel=$FOLDER/kernel
  guests poll
  cp "$SMALL_GUESTS/poll" "$kernel"
  echo "{\"kernel\":\"$kernel\",\"cores\":[8191]}" >"$FOLDER/yesterday.json"
  "$NOHYPE" start --wait "$FOLDER/yesterday.json" || [ $? = 3 ]
  rm "$kernel"
  run "$NOHYPE" start --wait yesterday
  same "$status" 2
  has "$output" "\"$kernel\": No such file or directory"
  head -c 100 /dev/zero >"$kernel"
  run "$NOHYPE" start --wait yesterday
  same "$status" 2
  has "$output" "$kernel"
  # stored by a version that took other keys, or altered by hand
  for text in '{"kernel":"/a","unheard_of":1}' '{' ''; do
    echo "$text" >"$FOLDER/s/vms/yesterday.json"
    run "$NOHYPE" start --wait yesterday
    same "$status" 2
    has "$output" "$FOLDER/s/vms/yesterday.json"
  done
  rm "$FOLDER/s/vms/yesterday.json"
  run "$NOHYPE" start --wait yesterday
  same "$status" 2
  has "$output" "No such file or directory"
  "$NOHYPE" delete yesterday
  has "$(api /v1/vms/yesterday)" '|404'
}

@test "a full disk: nothing is started, deleted or kept from its restart, and nobody is told what isn't written" {
  [ "$(id -u)" = 0 ] || skip "needs root, for a small file system"
  local folder never status last
  guests poll
  never="{\"kernel\":\"$SMALL_GUESTS/poll\",\"cores\":[8191]"
  folder=$(mktemp -d)
  mkdir "$folder/s"
  mount -t tmpfs -o size=256k,mode=700 tmpfs "$folder/s"
  other_manager '{}' "$BUILD" "$folder"
  other_api api.sock /v1/vms/once -X PUT -d "$never}" >/dev/null
  other_api api.sock /v1/vms/later -X PUT -d "$never,\"restart\":{\"policy\":\"always\",\"delay\":\"1h\"}}" >/dev/null
  other_api api.sock /v1/vms/later/start -X POST >/dev/null
  for _ in $(seq 300); do
    [[ ! $(other_api api.sock /v1/vms/later) =~ '"restarting":true' ]] || break
    sleep 0.1
  done
  curl -sN --unix-socket "$OTHER/r/api.sock" "http://n/v1/events?after=0" >"$folder/told" 3>&- &
  reader=$!
  run ! dd if=/dev/zero of="$folder/s/fill" bs=4k
  # until the last page of the events is full too
  for _ in $(seq 600); do
    status=$(other_api api.sock /v1/vms/once/start -X POST)
    [[ $status != *"|500|"* ]] || break
    sleep 0.1
  done
  has "$status" "its start can't be written to $folder/s/events: No space left on device"
  has "$(other_api api.sock /v1/vms/later/stop -X POST)" "the order can't be written"
  has "$(other_api api.sock /v1/vms/later -X DELETE)" "not deleted"
  has "$(other_api api.sock /v1/vms/later)" '"restarting":true'
  last=$(tail -n 1 "$folder/s/events" | sed 's/.*"id":\([0-9]*\),.*/\1/')
  has "$(other_api api.sock /v1/vms)" "\"last_event\":$last}|200|"
  same "$(sed -n 's/^id: //p' "$folder/told" | tail -n 1)" "$last"
  rm "$folder/s/fill"
  has "$(other_api api.sock /v1/vms/later/stop -X POST)" '"restarting":false'
  same "$(other_api api.sock /v1/vms/later -X DELETE | cut -d '|' -f -2)" '|204'
  kill "$other_pid"
  wait "$other_pid"
  wait "$reader" || true
  # each once, without holes
  last=$(tail -n 1 "$folder/s/events" | sed 's/.*"id":\([0-9]*\),.*/\1/')
  same "$(sed -n 's/^id: //p' "$folder/told" | paste -sd ' ')" "$(seq -s ' ' "$last")"
  umount "$folder/s"
  rm -r "$folder"
}

@test "100 MB of body is refused, chunked too" {
  has "$(head -c 100000000 /dev/zero | api /v1/vms/big -T -)" "|413"
  has "$(head -c 100000000 /dev/zero | api /v1/vms/big -X PUT --data-binary @- -H 'Content-Type: application/json')" "|413"
  has "$(api /v1/vms/big)" "|404"
  still_well
}

@test "a reader of events that goes away, and more readers than there may be: who only reads takes none of the others'" {
  run timeout 100 python3 - "$FOLDER/r/monitor.sock" "$FOLDER/r/api.sock" <<'END'
import collections, socket, sys
peers = []
for path in sys.argv[1:]:
    found = collections.Counter()
    for _ in range(20):
        peer = socket.socket(socket.AF_UNIX)
        peers.append(peer)
        peer.connect(path)
        peer.sendall(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: n\r\n\r\n")
        found[peer.makefile("rb").readline().split()[1].decode()] += 1
    print(*sorted(found.items()))
END
  same "$status ${lines[*]}" "0 ('200', 16) ('503', 4) ('200', 16) ('503', 4)"
  api /v1/vms/event -X PUT -d '{"kernel":"/absent"}' >/dev/null
  still_well
}

# Each key that is a path, and a "save" that is a word.
PATHS='{"kernel":"k","initrd":"i","report":"r",
  "disks":[{"pmem":{"image":"d","save":"e"}}],
  "functions":[{"nvme":{"controller":"nvme0","image":"m","save":"n"}},{"nvme":{"controller":"nvme1","image":"o","save":"on-stop"}}]}'

@test "a path that is relative to nothing is refused, by its key; nohype start makes them absolute" {
  local key answer folder=$FOLDER/paths
  answer=$(api /v1/vms/paths -X PUT -d "$PATHS")
  has "$answer" '|422'
  for key in kernel initrd report disks.pmem.image disks.pmem.save functions.nvme.image functions.nvme.save; do
    has "$answer" "body: $key: "
  done
  has "$(api /v1/vms/paths)" '|404'
  mkdir "$folder"
  echo "$PATHS" >"$folder/paths.json"
  run "$NOHYPE" start "$folder/paths.json"
  same "$(api /v1/vms/paths/config | sed 's/|200$//' | jq -c '[.. | strings]')" \
    "$(jq -nc --arg at "$(realpath "$folder")" '[("k","i","r","d","e") | "\($at)/\(.)"] + ["nvme0","\($at)/m","\($at)/n","nvme1","\($at)/o","on-stop"]')"
  "$NOHYPE" delete paths
}

@test "a reader of events who has had more than there were, up to the largest number, waits for the next" {
  local sock after
  for sock in api monitor; do
    for after in 9223372036854775806 9223372036854775807; do
      run curl -s --max-time 1 --unix-socket "$FOLDER/r/$sock.sock" -w '%{http_code}' -H "Last-Event-ID: $after" http://n/v1/events
      has "$output" 200
    done
  done
  has "$(api "/v1/events?after=9223372036854775808")" '|400'
  still_well
}

@test "nohype start, list, show and delete" {
  mkdir -p "$FOLDER/vms"
  echo '{"kernel":"absent","memory":{"size":"64M"}}' >"$FOLDER/vms/from-file.json"
  run "$NOHYPE" start --wait "$FOLDER/vms/from-file.json"
  same "$status" 2
  has "$output" "$FOLDER/vms/absent\": No such file or directory"
  run "$NOHYPE" list
  [[ "$output" =~ from-file\ +gone\ +.*No\ such\ file ]]
  same "$("$NOHYPE" show --json from-file | jq .end.code)" 2
  run "$NOHYPE" delete from-file
  same "$status$output" 0
  run "$NOHYPE" delete from-file
  same "$status$output" '2nohype: error: nohyped: "from-file": no such VM (404)'
  NOHYPE_SOCKET=$FOLDER/none run "$NOHYPE" list
  same "$status" 1
  has "$output" "no nohyped listens there"
}

# hopeless NAME [KEY]: a VM that no host has the core for, which ends with 3, stored.
hopeless() {
  local name=$1
  guests poll
  api "/v1/vms/$name" -X PUT -d "{\"kernel\":\"$SMALL_GUESTS/poll\",\"cores\":[8191]${2:+,$2}}" >/dev/null
}

@test "start, stop and abort wait, no longer than they are told, and say how it ended" {
  hopeless never
  run --separate-stderr "$NOHYPE" start --wait --json never
  same "$status" 3
  same "$(jq -r '"\(.name) \(.state) \(.end.code)"' <<<"$output")" "never gone 3"
  # shellcheck disable=SC2154 # bats sets it
  has "$stderr" "no such core is online"
  hopeless later '"restart":{"policy":"always","delay":"1h"}'
  run --separate-stderr "$NOHYPE" start --timeout 2s --json later
  same "$status $(jq .restarting <<<"$output")" "124 true"
  has "$stderr" "not sealed after 2.0 s"
  run --separate-stderr "$NOHYPE" stop --wait --json later
  same "$status $(jq .restarting <<<"$output")" "0 false"
  # one that doesn't run is none to end
  for word in stop abort seal; do
    run --separate-stderr "$NOHYPE" "$word" never
    same "$status$stderr" '1nohype: error: "never": no VM of that name and of this user runs'
  done
  for bad in 0s 3 8d '' -1s; do
    run "$NOHYPE" stop --timeout "$bad" never
    same "$status" 2
    has "$output" "--timeout: wanted a time of 1ms to a week"
  done
  same "$("$NOHYPE" delete --json never)" '{"name":"never","deleted":true}'
  "$NOHYPE" delete later
}

@test "start waits on while nohyped is replaced" {
  hopeless replaced '"restart":{"policy":"on-failure","delay":"2s","limit":1}'
  "$NOHYPE" start --wait replaced 2>"$FOLDER/waited" 3>&- &
  waiter=$!
  sleep 1
  kill -9 "$(cat "$FOLDER/pid")"
  until_ended "$(cat "$FOLDER/pid")"
  sleep 1
  manager_start
  local code=0
  wait $waiter || code=$?
  same "$code" 3
  has "$(cat "$FOLDER/waited")" "no such core is online"
  "$NOHYPE" delete replaced
}

@test "nohype report of a VM" {
  api /v1/vms/told -X PUT -d '{"kernel":"/absent"}' >/dev/null
  run "$NOHYPE" report told
  same "$status" 2
  has "$output" "a report: there is none (404)"
  run "$NOHYPE" report --json -o page.html told
  same "$status" 2
  mkdir "$FOLDER/r/vm/told"
  cp tests/fuzz/corpus/report/violation.json "$FOLDER/r/vm/told/report"
  same "$("$NOHYPE" report --json told | jq -S .)" "$(jq -S . tests/fuzz/corpus/report/violation.json)"
  same "$(cd "$FOLDER" && "$NOHYPE" report told && head -c 15 told.html)" "told.html
<!DOCTYPE html>"
  echo '{"report":1' >"$FOLDER/r/vm/told/report"
  run "$NOHYPE" report --json told
  same "$status" 2
  has "$output" "told:2: "
  "$NOHYPE" delete told
}

@test "nohype events: all, since one, as JSON, and as they come" {
  api /v1/vms/seen -X PUT -d '{"kernel":"/absent"}' >/dev/null
  last=$(curl -s --unix-socket "$NOHYPE_SOCKET" http://n/v1/vms | jq .last_event)
  same "$("$NOHYPE" events | wc -l)" "$last"
  [[ $("$NOHYPE" events --since $((last - 1))) =~ ^\ *$last\ .*\ defined\ +seen ]]
  same "$("$NOHYPE" events --json --since $((last - 1)) | jq -r '"\(.id) \(.type) \(.vm)"')" "$last defined seen"
  same "$("$NOHYPE" events --since "$last")" ""
  "$NOHYPE" events -f --json --since $((last - 1)) >"$FOLDER/followed" 3>&- &
  reader=$!
  for _ in $(seq 600); do
    [ ! -s "$FOLDER/followed" ] || break
    sleep 0.1
  done
  api /v1/vms/seen -X DELETE >/dev/null
  for _ in $(seq 600); do
    [ "$(wc -l <"$FOLDER/followed")" -lt 2 ] || break
    sleep 0.1
  done
  kill "$reader"
  same "$(jq -r .type "$FOLDER/followed" | paste -sd ,)" defined,deleted
  run "$NOHYPE" events --since -3
  same "$status" 2
  has "$output" "--since: wanted an event's number"
}

@test "nohype top: VMs with their state, once and as JSON" {
  api /v1/vms/idle -X PUT -d '{"kernel":"/absent"}' >/dev/null
  [[ $("$NOHYPE" top --once) =~ NAME\ +STATE.*idle\ +defined ]]
  same "$("$NOHYPE" top --json | jq -r '.[] | select(.name == "idle") | "\(.state) \(.live)"')" "defined null"
  run "$NOHYPE" top web
  same "$status" 2
  api /v1/vms/idle -X DELETE >/dev/null
}

@test "a socket that is given is served, and readiness, life and end are said" {
  run timeout 60 python3 - "$BUILD/nohyped" "$FOLDER/given" <<-'END'
	import json, os, signal, socket, sys
	program, folder = sys.argv[1:]
	os.mkdir(folder)
	api, notify = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
	api.bind(f"{folder}/elsewhere")
	api.listen(8)
	notify.bind(f"{folder}/notify")
	pid = os.fork()
	if pid == 0:
	    os.dup2(os.open(f"{folder}/log", os.O_WRONLY | os.O_CREAT), 2)
	    os.dup2(api.fileno(), 3)
	    os.set_inheritable(3, True)
	    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="api.sock", NOTIFY_SOCKET=f"{folder}/notify")
	    os.execv(program, [program, "--state", f"{folder}/s", "--run", f"{folder}/r"])
	print(notify.recv(64).decode())
	client = socket.socket(socket.AF_UNIX)
	client.connect(f"{folder}/elsewhere")
	client.sendall(b"GET /v1/version HTTP/1.0\r\n\r\n")
	print(client.recv(64).split(b"\r")[0].decode())
	print(sorted(os.listdir(f"{folder}/r")))
	print(notify.recv(64).decode())
	os.kill(pid, signal.SIGTERM)
	print(notify.recv(64).decode())
	print(os.waitpid(pid, 0)[1])
	END
  same "$(paste -sd '|' <<<"$output")" \
    "READY=1|HTTP/1.1 200 OK|['monitor.sock', 'vm']|WATCHDOG=1|STOPPING=1|0"
}

@test "restart: as often as is said, with longer delays, over nohyped's death, and not once stopped" {
  # a core that no host has: the end is "the host can't"
  guests poll
  local never="{\"kernel\":\"$SMALL_GUESTS/poll\",\"cores\":[8191]" restart='"restart":{"policy":"on-failure","delay":"300ms","limit":3}'
  api /v1/vms/again -X PUT -d "$never,$restart}" >/dev/null
  api /v1/vms/once -X PUT -d "$never}" >/dev/null
  api /v1/vms/later -X PUT -d "$never,\"restart\":{\"policy\":\"always\",\"delay\":\"1h\"}}" >/dev/null
  api /v1/vms/again/start -X POST >/dev/null
  api /v1/vms/once/start -X POST >/dev/null
  api /v1/vms/later/start -X POST >/dev/null
  for _ in $(seq 200); do
    [[ ! $(api /v1/vms/again) =~ '"restarts":'[1-9] ]] || break
    sleep 0.05
  done
  kill -9 "$(cat "$FOLDER/pid")"
  until_ended "$(cat "$FOLDER/pid")"
  manager_start
  for _ in $(seq 600); do
    ! grep -q '"vm":"again".*given up\|given up.*"vm":"again"' "$FOLDER/s/events" || break
    sleep 0.1
  done
  same "$(sed 's/^[^ ]* //' "$FOLDER/s/events" | grep '^{.*}$' |
    jq -r 'select(.vm == "again" and .type == "restart") | "\(.state) \(.restarts) \(.delay_ms)"' | paste -sd ,)" \
    "waiting 1 300,waiting 2 600,waiting 3 1200,given up 3 null"
  has "$(api /v1/vms/once)" '"restarts":0,"restarting":false'
  has "$(api /v1/vms/later)" '"restarts":1,"restarting":true'
  # killed when the end was told, and nothing decided on it yet; one that was ready had decided
  kill -9 "$(cat "$FOLDER/pid")"
  until_ended "$(cat "$FOLDER/pid")"
  sed -i '/"type":"restart".*"vm":"later"/d; /"type":"manager"/d' "$FOLDER/s/events"
  manager_start
  same "$(sed 's/^[^ ]* //' "$FOLDER/s/events" | grep -c '"type":"restart","vm":"later"')" 1
  has "$(api /v1/vms/later)" '"restarts":1,"restarting":true'
  has "$(api /v1/vms/once)" '"restarts":0,"restarting":false'
  has "$(api /v1/vms/later/stop -X POST)" '"restarting":false'
  has "$(api /v1/vms/later/stop -X POST)" '|409'
  for vm in again once later; do
    same "$(api "/v1/vms/$vm" -X DELETE)" '|204'
  done
  still_well
}

@test "after kill -9 all is there again, and the events go on where they were, also when the last line was cut" {
  before=$(api /v1/vms | jq -Rr 'split("|")[0] | fromjson | .last_event')
  kill -9 "$(cat "$FOLDER/pid")"
  until_ended "$(cat "$FOLDER/pid")"
  printf '0123456789abcdef {"id":' >>"$FOLDER/s/events"
  manager_start
  has "$(cat "$FOLDER/log")" 'its last line is cut, and dropped'
  same "$(api /v1/vms | jq -Rr 'split("|")[0] | fromjson | "\(.last_event) \([.vms[].name] | join(" "))"')" \
    "$((before + 1)) event metric"
}

@test "a second nohyped of the same folder is refused" {
  run "$BUILD/nohyped" --state "$FOLDER/s" --run "$FOLDER/other"
  same "$status" 1
  has "$output" "another nohyped uses it"
}
