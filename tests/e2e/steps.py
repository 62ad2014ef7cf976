#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
usage: steps.py some | undo | PART/PARTS: as root on an emulated host, in the tree's root. If that has a network card,
the VM has a function of it.

Kills nohyped, supervisors, core managers and ring processes, one or two at once, at the steps that `nohype explain
steps` names: a supervisor that says the step is stopped there (stop-at.so), and then dies, or goes on and dies a
moment later, or others do. Then looks at what must hold: nothing runs, memory was cleared or it is said that it wasn't,
and after `nohype recover` the host is as it was. Prints a line a kill, JSON.

some        a few kills, chosen to be different
undo        all kills on the way back of a start that can't go on, as there is no core manager
PART/PARTS  of all kills, at all steps of start, stop and abort, each PARTS-th from PART

FIRST=N in the environment: the first N are left out. The number of the kill is in $OUT/at; if the host is seen to hang,
there is $OUT/hangs.
"""

import contextlib
import itertools
import json
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import leftovers
from guest_memory import Memory
from nohyped_api import Connection, answers

OUT, BUILD, NOHYPE = os.environ["OUT"], os.path.abspath(os.environ["BUILD"]), os.environ["NOHYPE"]
RUN, STATE = "/run/steps", "/run/steps-state"
SOCKET = f"{RUN}/api.sock"
LIFE, STOP_AT, IMAGE = f"{RUN}/vm/k/life", "/run/steps-at", "/tmp/steps/disk.img"
PRELOAD, LOG = "/run/stop-at.so", "/run/steps.log"  # steps-runs
PATIENCE = 120  # s: an emulated host on a busy machine is slow
CORE = 1
COUNT, ORDER = 0x8000, 0x8010  # guests/trap.S
NOT_CLEARED = "not cleared by nohype"
CARD = "/sys/bus/pci/devices/0000:01:00.0"
CONFIG = {
    "kernel": f"{BUILD}/e2e-guests/trap", "cores": [CORE], "rings": True, "seal": {"level": "strict"},
    "memory": {"size": "64M", "page_size": "2M", "reserve": True},
    "disks": [{"pmem": {"image": IMAGE, "save": "on-stop"}}],
}
if os.path.isdir(CARD):
    CONFIG["functions"] = [{"network": {"pf": "eth0"}}]

class HostHangs(Exception):
    """A request of the emulated host's to its file system, which is this machine's, has had no answer: not nohype's."""


def waits():
    """What each process of nohype's waits for in the kernel."""
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            name = leftovers.read(f"/proc/{pid}/comm").strip()
            if name.startswith("nohype"):
                found[f"{name} {pid}"] = leftovers.read(f"/proc/{pid}/stack").split("\n")
    return found


# --- nohyped ---


def ask(method, path, body=None):
    return Connection(SOCKET, PATIENCE).ask(method, path, body)


def show():
    return ask("GET", "/v1/vms/k")[1]


def wait_for(what, look, patience=PATIENCE, pause=0.01):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(pause)
    raise TimeoutError(what)


def state(*wanted):
    """The VM as the API shows it, when it is in one of these states; an end that wasn't waited for is an error."""
    def look():
        found = show()
        if found["state"] == "gone" and not found["running"] and "gone" not in wanted:
            raise RuntimeError(f"ended: {found['end']} {leftovers.read(f'{RUN}/vm/k/log')}")
        return found["state"] in wanted and found
    return wait_for(f"state {' or '.join(wanted)}", look)


class Manager:
    """nohyped, which is killed and started again."""

    def __init__(self, programs):
        self.process, self.programs = None, programs
        self.start()

    def start(self):
        env = {**os.environ, "LD_PRELOAD": PRELOAD, "STOP_AT": STOP_AT}
        with open(LOG, "a", encoding="utf-8") as log:
            self.process = subprocess.Popen([f"{self.programs}/nohyped", "--state", STATE, "--run", RUN], stderr=log, env=env)
        try:
            wait_for("nohyped", lambda: self.process.poll() is not None or answers(SOCKET, PATIENCE))
        except TimeoutError:
            stacks = waits()
            hangs = all("p9_client_rpc" in stack[0] for stack in stacks.values())
            raise (HostHangs if hangs else TimeoutError)(f"nohyped is silent: {stacks}") from None
        if self.process.poll() is not None:
            raise ChildProcessError(f"nohyped has ended: {self.process.returncode}")

    def again(self):
        """Reaped, and a new one."""
        self.process.wait()
        self.start()


# --- a VM's processes ---


def stat_of(pid):
    """Name and state; state "" if there is none."""
    with contextlib.suppress(OSError):
        before, _, after = leftovers.read(f"/proc/{pid}/stat").rpartition(")")
        return before.partition("(")[2], after.split()[0]
    return "", ""


def runs(pid):
    return stat_of(pid)[1] not in ("", "Z", "X")


def child(pid, name):
    """A child that was executed as that program, or None."""
    with contextlib.suppress(OSError):
        for found in leftovers.read(f"/proc/{pid}/task/{pid}/children").split():
            if stat_of(found)[0] == name and runs(found):
                return int(found)
    return None


# --- the host ---


def links(pattern):
    return os.readlink(pattern).rpartition("/")[2] if os.path.islink(pattern) else "-"


def functions():
    found = []
    for name in sorted(os.listdir("/sys/bus/pci/devices")):
        path = f"/sys/bus/pci/devices/{name}"
        found.append(f"{name} {leftovers.read(f'{path}/driver_override').strip()} {links(f'{path}/driver')}")
    if os.path.isdir(CARD):
        found += [leftovers.read(f"{CARD}/{name}").strip() for name in ("sriov_numvfs", "sriov_drivers_autoprobe")]
    return found


def image():
    with open(IMAGE, "rb") as file:
        return hash(file.read())


def snapshot():
    found = leftovers.snapshot()
    found["process"] = [line for line in found["process"] if not line.endswith(" nohyped")]
    # a life's, which its next one replaces
    found["file"] = [path for path in found["file"] if not path.startswith(f"{RUN}/vm/k/")]
    found["function"] = functions()
    found["group"] = sorted(path for top in ("/sys/fs/cgroup", "/sys/fs/resctrl") for path, _, _ in os.walk(top))
    found["image"] = [image()]
    return found


def settled(before):
    """What still differs after a while in which it should have gone."""
    end = time.monotonic() + 60
    while True:
        lines = leftovers.differences(before, snapshot())
        if not lines or time.monotonic() > end:
            return lines
        time.sleep(0.1)


def recover():
    """While a nohyped runs it has nothing to say of VMs."""
    done = subprocess.run([NOHYPE, "recover", "--json", "--run", RUN], check=False, capture_output=True, text=True)
    if done.returncode != 0 or json.loads(done.stdout)["vms"]:
        return [f"recover: {done.returncode} {done.stdout} {done.stderr}"]
    return []


# --- one kill ---


def life_steps():
    """(sequence, step) that its life has, in order."""
    found = []
    for line in leftovers.read(LIFE).splitlines():
        record = json.loads(line.partition(" ")[2])
        if "step" in record:
            found.append((record["sequence"], record["step"]))
    return found


def stop_at(sequence, step):
    with open(STOP_AT, "w", encoding="utf-8") as file:
        file.write(f'"sequence":"{sequence}","step":"{step}"')


def begin(sequence, step, by):
    """A VM on its way to that step; returns when its supervisor is stopped there, as its number."""
    if sequence in ("start", "undo"):
        stop_at(sequence, step)
    status, found = ask("POST", "/v1/vms/k/start")
    if status != 202:
        raise RuntimeError(f"start: {status} {found}")
    if sequence in ("stop", "abort"):
        supervisor = state("sealed")["pid"]
        stop_at(sequence, step)
        if by == "violation":
            memory = Memory(supervisor)
            memory.word(ORDER, 1)
            memory.close()
        else:
            ask("POST", f"/v1/vms/k/{sequence}")
    return wait_for(f"{sequence}: {step}", lambda: (pid := show()["pid"]) and stat_of(pid)[1] == "T" and pid)


class Victims:
    """Who is there to be killed when the supervisor has stopped."""

    def __init__(self, manager, supervisor):
        self.manager = manager
        self.pids = {"nohyped": manager.process.pid, "supervisor": supervisor, "core": child(supervisor, "nohype-core"),
                     "rings": child(supervisor, "nohype-rings")}

    def absent(self):
        return [name for name, pid in self.pids.items() if not pid]

    def kill(self, who):
        for name in random.sample(who, len(who)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pids[name], signal.SIGKILL)

    def wait(self, who):
        """Until they are dead, and the core manager too, which dies with its supervisor; that in ms."""
        begun = time.monotonic()
        for name in set(who) - {"nohyped"}:
            wait_for(f"{name} to die", lambda pid=self.pids[name]: not runs(pid), pause=0.001)
        if self.pids["core"] and set(who) & {"supervisor", "core"}:
            wait_for("the core manager's end", lambda: not runs(self.pids["core"]), 30, pause=0.001)
        return round((time.monotonic() - begun) * 1000)


def stands(memory):
    """No vCPU counts any more; that memory is cleared meanwhile is no count."""
    if not memory.fds:
        return []
    with mmap.mmap(memory.fds[0], 2 << 20, access=mmap.ACCESS_READ) as words:
        first = words[COUNT:COUNT + 4]
        time.sleep(0.02)
        return [] if words[COUNT:COUNT + 4] in (first, bytes(4)) else ["a vCPU runs on without anyone to watch it"]


def check_runs_on(sequence, by):
    """nohyped alone was killed: what the VM does next it does as if it hadn't been; sealed, its tripwire is there."""
    wrong = []
    if sequence == "start":
        memory = Memory(state("sealed")["pid"])
        first = memory.word(COUNT)
        wait_for("the guest to count", lambda: memory.word(COUNT) != first)
        memory.word(ORDER, 1)
        end = state("gone")["end"]
        if end["code"] != 5 or not end["violation"]:
            wrong.append(f"the tripwire didn't end it: {end}")
        memory.close()
        return wrong
    end = state("gone")["end"]
    wanted = {"stop": 0, "abort": 6, "undo": 1, "violation": 5}[by]
    return [] if end["code"] == wanted else [f"code {end['code']}, not {wanted}: {end['text']}"]


def check_end(who, end, dirty):
    """Is it said what became of the memory?"""
    wrong = []
    told = f"{end.get('memory', '')} {end['text']}"
    if dirty and NOT_CLEARED not in told:
        wrong.append(f"memory of {dirty} MiB is not zero, and that isn't said: {end}")
    if end["cleared_bytes"] and dirty:
        wrong.append(f"called cleared, but {dirty} MiB aren't zero")
    if "supervisor" not in who and not end["cleared_bytes"] and end["code"] != 3:
        wrong.append(f"a supervisor that lived didn't clear: {end}")
    return wrong


def gone_events(run):
    """How often its end was told."""
    records = (json.loads(line.partition(" ")[2]) for line in leftovers.read(f"{STATE}/events").splitlines())
    return sum(record.get("vm") == "k" and record.get("state") == "gone" and record["run"] == run for record in records)


def kill_once(manager, before, case):
    """The findings of one kill; where there is nobody of that kind at that step, of an abort."""
    (sequence, step), who, later, by = case
    clock = [time.monotonic()]
    supervisor = begin(sequence, step, by)
    os.remove(STOP_AT)
    clock.append(time.monotonic())
    victims, memory = Victims(manager, supervisor), Memory(supervisor)
    there = not set(who) & set(victims.absent())
    found = {"at": f"{sequence}: {step}", "who": "+".join(who), "later": later, "by": by, "there": there, "absent": victims.absent(),
             "said": life_steps()[-1] == (sequence, step)}
    wrong = []
    if later or not there:
        os.kill(supervisor, signal.SIGCONT)
        time.sleep(random.random() * later)
    if there:
        victims.kill(who)
    with contextlib.suppress(ProcessLookupError):
        os.kill(supervisor, signal.SIGCONT)
    found["ms"] = victims.wait(who) if there else None
    if there and set(who) & {"supervisor", "core"}:
        wrong += stands(memory)
    if there and "nohyped" in who:
        manager.again()
    if not there:
        with contextlib.suppress(TimeoutError):
            wait_for("an end", lambda: show()["state"] in ("sealed", "gone") or None)
        ask("POST", "/v1/vms/k/abort")
    elif who == ("nohyped",):
        wrong += check_runs_on(sequence, by)
    end = state("gone")["end"]
    clock.append(time.monotonic())
    wrong += recover()
    clock.append(time.monotonic())
    dirty = memory.dirty()
    memory.close()
    clock.append(time.monotonic())
    if there:
        wrong += check_end(who, end, dirty)
    wrong += settled(before)
    clock.append(time.monotonic())
    if later and "supervisor" in who:  # an end that nohyped has told stays told
        manager.process.terminate()
        manager.again()
    if gone_events(show()["run"]) != 1:
        wrong.append(f"its end was told {gone_events(show()['run'])} times")
    # s until it was stopped there, ended, recovered, read, and found to have left nothing
    found["s"] = [round(end - begin, 1) for begin, end in itertools.pairwise(clock)]
    found.update(end={key: end.get(key) for key in ("code", "text", "memory", "cleared_bytes")}, wrong=wrong)
    return found


# --- which ---

ALL = ("nohyped", "supervisor", "core", "rings")
SOME = (
    (("start", "memory"), ("supervisor",), 0, "abort"),
    (("start", "arm"), ("core",), 0, "abort"),
    (("start", "seal"), ("nohyped",), 0, "abort"),
    (("stop", "memory"), ("supervisor",), 0, "stop"),
    (("abort", "vCPUs"), ("nohyped", "supervisor"), 0, "violation"),
)


def steps():
    """Of the program's own table: (sequence, step)."""
    text = subprocess.run([NOHYPE, "explain", "steps", "--json"], check=True, stdout=subprocess.PIPE).stdout
    return [(sequence, one["step"]) for sequence, many in json.loads(text).items() for one in many]


def every(*sequences):
    """All kills: each step, of one and of two, there and a moment later."""
    sets = [(who,) for who in ALL] + list(itertools.combinations(ALL, 2))
    for at, who, later in itertools.product(steps(), sets, (0, 0.03)):
        if at[0] in sequences:
            yield at, who, later, "violation" if at[0] == "abort" and later and at[1] != "order" else at[0]


def whole_life(part):
    """One that nobody kills: what its steps are called, against the table."""
    wanted = [at for at in steps() if at[0] in ("start", "undo" if part == "undo" else "stop")]
    begun = time.monotonic()
    ask("POST", "/v1/vms/k/start")
    if part == "undo":
        after = wanted.index(("start", "core manager")) + 1
        wanted = wanted[:after] + [at for at in wanted if at[0] == "undo"]
    else:
        state("sealed")
        ask("POST", "/v1/vms/k/stop")
    state("gone")
    return {"at": "all", "s": time.monotonic() - begun, "wrong": [] if life_steps() == wanted else life_steps()}


def without_core():
    """A folder of the programs but the core manager."""
    folder = "/run/steps-programs"
    os.mkdir(folder)
    for name in ("nohype", "nohyped", "nohype-rings"):
        shutil.copy(f"{BUILD}/{name}", folder)
    return folder


def cases_of(part):
    if part == "some":
        return SOME
    if part == "undo":
        return every("undo")
    first, _, of = part.partition("/")
    return list(every("start", "stop", "abort"))[int(first)::int(of)]


def main():
    part = sys.argv[1]
    os.makedirs("/tmp/steps", exist_ok=True)
    with open(IMAGE, "wb") as file:
        file.write(b"a tenant's own, " * (2 << 16))
    manager = Manager(without_core() if part == "undo" else BUILD)
    status = ask("PUT", "/v1/vms/k", CONFIG)
    if status[0] not in (200, 201):
        sys.exit(f"steps.py: {status}")
    print(json.dumps(whole_life(part)), flush=True)
    time.sleep(0.5)
    before = snapshot()
    absent = {}  # by step
    for number, case in enumerate(cases_of(part)):
        if number < int(os.environ.get("FIRST", "0")) or set(case[1]) & absent.get(case[0], set()):
            continue
        with open(f"{OUT}/at", "w", encoding="utf-8") as file:
            file.write(str(number))
        try:
            found = kill_once(manager, before, case)
        except HostHangs as error:  # this one again, and what follows, on another
            print(f"steps.py: {case}: {error}", file=sys.stderr)
            with open(f"{OUT}/hangs", "w", encoding="utf-8"):
                pass
            os._exit(75)  # its processes can't be ended
        except Exception as error:  # whatever it is: this kill has shown something, and what follows would not be clean
            found = {"at": ": ".join(case[0]), "who": "+".join(case[1]), "later": case[2], "wrong": [repr(error)], "show": None}
            with contextlib.suppress(Exception):
                found["show"] = show()
            print(json.dumps(found), flush=True)
            break
        absent[case[0]] = set(found["absent"])
        print(json.dumps(found), flush=True)
    manager.process.terminate()
    manager.process.wait()


if __name__ == "__main__":
    main()
