// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <stddef.h>
#include <string.h>

#define WAIT_OPTIONS(what)                                                                                           \
	"  --wait          until " what "\n"                                                                         \
	"  --timeout TIME  the same, but no longer than 30s, 5m, 2h: then exit with 124, and what was ordered goes " \
	"on\n"                                                                                                       \
	"  --json          an object on a line: the VM, as it was seen last\n"

const struct command commands[] = {
	{ "run", "[CONFIG.json] [OPTION...]", "start a VM and stay with it to its end",
	  "Starts the VM that CONFIG.json describes, with the guest's serial port on this terminal, and gives all\n"
	  "back when it ends. The exit code says how it ended: nohype help exit-codes.\n"
	  "Options override the file; with -k no file is needed.\n",
	  true, run_main },
	{ "check", "[CONFIG.json] [OPTION...]", "say what run would refuse, and start nothing",
	  "Checks the configuration, the files that it names and this host, and says all that is wrong.\n", true,
	  check_main },
	{ "seal", "[--json] NAME", "seal a running VM, whether or not its guest has asked",
	  "The first exit that its seal level forbids ends it from then on.\n", false, control_main },
	{ "exits", "[--once | --json] NAME", "show a running VM's exits and guarantees",
	  "KVM's own counters by vCPU: before the seal; and since, those by the host (its interrupts) and by the "
	  "guest.\n"
	  "On a terminal a view that is renewed every second, until Ctrl-C, q or the VM's end; with --once, or if "
	  "standard\n"
	  "output is no terminal, one table; with --json, one object on a line, with the guarantees too.\n",
	  false, exits_main },
	{ "console", "NAME", "type to a running VM, and see what it prints",
	  "The serial port until the seal, what `nohype-guest console` serves in the guest after it. Ctrl-A x leaves "
	  "it.\n"
	  "The VM must have rings.\n",
	  false, console_main },
	{ "logs", "[-f] [--json] NAME", "print what a running VM has logged, -f: and goes on to log",
	  "What `nohype-guest log` sends in the guest: of that the last 4 MiB. With -f until Ctrl-C or the VM's end; "
	  "with "
	  "--json\n"
	  "an object a line, with the line as its \"text\". The VM must have rings.\n",
	  false, logs_main },
	{ "stop", "[--wait] [--timeout TIME] [--json] NAME", "end a running VM: a clean end for its supervisor",
	  "A guest that listens (nohype-guest on-stop) is asked, and has a minute; others, and those that are told "
	  "twice, "
	  "are\n"
	  "ended at once. Memory is cleared.\n\n"
	  "Options:\n" WAIT_OPTIONS("it is gone"),
	  false, control_main },
	{ "abort", "[--wait] [--timeout TIME] [--json] NAME", "end a running VM, and let its supervisor exit with 6",
	  "As stop, but no clean end.\n\n"
	  "Options:\n" WAIT_OPTIONS("it is gone"),
	  false, control_main },
	{ "start", "[--wait] [--timeout TIME] [--json] NAME | FILE.json", "let nohyped start a VM",
	  "NAME is one that nohyped knows; FILE.json is stored there first. With --wait the exit code is 0 if the VM "
	  "is "
	  "sealed,\n"
	  "and else that of its end.\n\n"
	  "Options:\n" WAIT_OPTIONS("it is sealed, or gone for good"),
	  false, start_main },
	{ "list", "[--json]", "list nohyped's VMs", "A line for each: name, state, and how it ended.\n", false,
	  list_main },
	{ "show", "[--json] NAME", "show one of nohyped's VMs",
	  "A line as of list; with --json all of it, with exits and guarantees.\n", false, show_main },
	{ "top", "[--once | --json]", "nohyped's VMs, live",
	  "State, cores, exits before the seal, interruptions by the host since, in all and a second, exits by the "
	  "guest,\n"
	  "memory bandwidth, heartbeat and exits since the seal by cause, renewed every second until q or Ctrl-C; - is "
	  "what\n"
	  "can't be known. With --once, or if standard output is no terminal, one table; with --json, one array of "
	  "what\n"
	  "show --json has.\n",
	  false, top_main },
	{ "events", "[--follow] [--json] [--since ID]", "what happened to nohyped's VMs",
	  "A line for each event that nohyped keeps: number, time, type, VM and state; of an end, how.\n\n"
	  "Options:\n"
	  "  -f, --follow  those that come, until Ctrl-C\n"
	  "  --since ID    those after that number (default: all; with --follow, none)\n"
	  "  --json        an object a line, as the API has it\n",
	  false, events_main },
	{ "delete", "[--json] NAME", "let nohyped forget a VM that doesn't run",
	  "Its configuration, log and report go.\n", false, delete_main },
	{ "report", "FILE.json | NAME [-o FILE.html | --json]", "make a page of a VM's report",
	  "Of a file that run --report wrote, or of the last life of a VM of nohyped's. Writes one HTML file that is\n"
	  "complete in itself: outcome, violation, guarantees, exits and their timeline. Without -o it is FILE.html "
	  "or\n"
	  "NAME.html, and its name is printed; -o - writes to standard output. With --json the report itself is "
	  "printed, "
	  "on\n"
	  "a line.\n",
	  false, report_main },
	{ "explain", "exits | checks | steps [--json]",
	  "what each exit is to a sealed guest, what doctor looks at, or the steps of a VM's life",
	  "exits: the exit reasons of AMD's and Intel's processors: what causes each, whether level strict lets it "
	  "pass,\n"
	  "and how a guest keeps from it. checks: what nohype doctor reads, what it wants there, and what can be "
	  "done.\n"
	  "steps: those of a VM's start, stop and abort, by the names that run -v and reports have for them.\n",
	  false, explain_main },
	{ "doctor", "[--for CONFIG.json] [--cores LIST] [--json | --fix]",
	  "what this host can keep of a VM's guarantees, and what to do about the rest",
	  "Reads what the guarantees depend on, and changes nothing. Without --for, what any VM requires decides; with "
	  "it,\n"
	  "what that VM needs at its level, for its pages and on its cores, and nothing else is shown. Exits with 3 "
	  "if\n"
	  "what is asked can't be kept, or can't be told.\n\n"
	  "Options:\n"
	  "  --for CONFIG.json  what this VM needs\n"
	  "  --cores LIST       the cores that matter: 1,3-5 (default: the VM's, else the isolated ones, else all but "
	  "CPU 0)\n"
	  "  --json             an array of objects, one a check\n"
	  "  --fix              print the commands that would put things right, as a shell script, and run none\n",
	  false, doctor_main },
	{ "host", "COMMAND [OPTION...]", "the host's own cores: what they are, and taking them for VMs",
	  "Looks at the host's cores, and takes them from the host for VMs and gives them back.\n", false, host_main },
	{ "recover", "[--json] [--run DIR]", "put the host back after the death of everything",
	  "Undoes what killed VMs have left on the host: functions, huge pages, cores half taken, core managers; "
	  "clears\n"
	  "memory that is in a file (memory.folder). Says of nohyped's VMs that wrote no end, and of others that were\n"
	  "killed, what became of their memory. What lives is not touched; nohyped does the same when it starts.\n\n"
	  "Options:\n"
	  "  --json     one object on a line\n"
	  "  --run DIR  nohyped's folder of this boot (default: /run/nohype)\n",
	  false, recover_main },
	{ "help", "[COMMAND | exit-codes]", "show help", "Shows help for a command, or the table of exit codes.\n",
	  false, help_main },
	{ NULL },
};

const struct command *command_find(const char *name)
{
	for (const struct command *cmd = commands; cmd->name; cmd++) {
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	}
	return NULL;
}

void commands_suggest(struct nearest *near)
{
	for (const struct command *cmd = commands; cmd->name; cmd++)
		nearest_offer(near, cmd->name, cmd->name);
}
