#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# nohyped's notifications: to a real receiver, which is down for a while, and to a command. Needs no KVM.

load lib

setup_file() {
  export FOLDER=$BATS_FILE_TMPDIR
  (umask 077 && echo "a secret" >"$FOLDER/secret")
  cat >"$FOLDER/config.json" <<-END
	{ "notify": [
	  { "name": "hook", "url": "http://n/events", "unix_socket": "$FOLDER/hook.sock", "secret_file": "$FOLDER/secret" },
	  { "name": "command", "command": ["/bin/sh", "-c", "jq -r '\"\\\\(.id) \\\\(.type)\"' >>$FOLDER/command.log"] },
	  { "name": "bad", "command": ["/bin/false"] }
	] }
	END
  manager_start
}

teardown_file() {
  kill "$(cat "$FOLDER/pid")"
}

manager_start() {
  "$BUILD/nohyped" --state "$FOLDER/s" --run "$FOLDER/r" --config "$FOLDER/config.json" 2>>"$FOLDER/log" 3>&- &
  echo $! >"$FOLDER/pid"
  patiently api /v1/version
}

api() { # PATH ARG...
  local path=$1
  shift
  curl -sf --max-time 60 --unix-socket "$FOLDER/r/api.sock" "$@" "http://n$path" >/dev/null
}

define() { # NAME...
  local name
  for name; do
    api "/v1/vms/$name" -X PUT -d '{"kernel":"/absent"}'
  done
}

receiver_start() {
  tests/e2e/notify-receiver "$FOLDER/hook.sock" "a secret" "$FOLDER/hook.log" 3>&- &
  echo $! >"$FOLDER/receiver"
}

taken() { # TARGET ID: as nohyped has kept it, so that it isn't sent again
  [ "$(cat "$FOLDER/s/notify/$1")" = "$(printf %020d "$2")" ]
}

@test "a receiver that is down gets all events when it is there, signed, in order, over nohyped's death" {
  define one two
  kill -9 "$(cat "$FOLDER/pid")"
  until ! kill -0 "$(cat "$FOLDER/pid")" 2>/dev/null; do sleep 0.05; done
  manager_start
  define three
  receiver_start
  patiently taken hook 5
  kill "$(cat "$FOLDER/receiver")"
  define four five
  sleep 1
  same "$(wc -l <"$FOLDER/hook.log")" 4
  receiver_start
  patiently taken hook 7
  define six
  patiently taken hook 8
  kill "$(cat "$FOLDER/receiver")"
  same "$(paste -sd , "$FOLDER/hook.log")" \
    "2 defined one,3 defined two,4 manager -,5 defined three,6 defined four,7 defined five,8 defined six"
  has "$(cat "$FOLDER/log")" 'notify "hook": event 2: '
}

@test "a command has each on its standard input, and another target that takes none holds nobody up" {
  patiently taken command 8
  # one that ran when nohyped was killed may have run again
  same "$(uniq "$FOLDER/command.log" | paste -sd ,)" \
    "2 defined,3 defined,4 manager,5 defined,6 defined,7 defined,8 defined"
  same "$(cat "$FOLDER/s/notify/bad")" "00000000000000000001"
  has "$(cat "$FOLDER/log")" 'notify "bad": event 2: it exits with 1: wanted 0; it is tried again'
}

another_runs() { # VICTIM
  ! kill -0 "$1" 2>/dev/null && [ "$(pgrep -c -P "$(cat "$FOLDER/pid")")" = 3 ]
}

@test "a process of a target that is killed is started again" {
  victim=$(pgrep -P "$(cat "$FOLDER/pid")" | head -1)
  kill -9 "$victim"
  patiently another_runs "$victim"
  api /v1/version
}

refused() { # CONFIG MESSAGE
  echo "$1" >"$FOLDER/bad.json"
  local code=0 text
  text=$("$BUILD/nohyped" --state "$FOLDER/none" --run "$FOLDER/none" --config "$FOLDER/bad.json" 2>&1) || code=$?
  same "$code" 2
  has "$text" "$2"
  [ ! -e "$FOLDER/none" ]
}

@test "a configuration that is wrong is refused before anything is made" {
  refused '{"notify":[{"name":"a","url":"ftp://x"}]}' 'url: "ftp://x": wanted http:// or https://'
  refused '{"notify":[{"name":"a"}]}' 'wanted one of url, command and journal'
  refused '{"notify":[{"name":"../a","journal":true}]}' 'name: "../a"'
  refused '{"notify":[{"name":"a","command":["true"]}]}' 'the first an absolute path'
  refused '{"notify":[{"name":"a","journal":true},{"name":"a","journal":true}]}' 'is there twice'
  refused '{"notify":[{"name":"a","journal":true,"x":1}]}' 'unpacked: x'
  refused '{"notify":{}}' 'wanted an array'
  refused '{"notify":' 'bad.json:'
  chmod 644 "$FOLDER/secret"
  refused "{\"notify\":[{\"name\":\"a\",\"url\":\"http://x\",\"secret_file\":\"$FOLDER/secret\"}]}" 'chmod 600 it'
}
