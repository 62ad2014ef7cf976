// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of nohype: one OUT to the seal port or to one of the end ports; and, in the folder nohype-guest,
 * what talks through the rings. Static and small, linked with musl: the start of a glibc program executes CPUID some
 * forty times, and after the seal one is too many.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include "devices/ports.h"
#include "examples/guests/nohype-guest.h"
#include "examples/guests/programs/nohype-guest/guest.h"

_Static_assert(NOHYPE_GUEST_SEAL_PORT == PORT_SEAL && NOHYPE_GUEST_SEAL_HERE == SEAL_PORT_HERE &&
		       NOHYPE_GUEST_LABEL_MAX == SEAL_LABEL_MAX,
	       "the header for others says the same as the device's");

#define SLEEP_ENABLE 0x20 /* SLP_EN of the sleep control register: ACPI 6.5, 4.8.3.7 */

/* Linux' numbers: Documentation/admin-guide/devices.txt. What /dev/console leads to is the serial port, if it is one.
 */
#define SERIAL_DEVICE  makedev(4, 64) /* ttyS0, at PORT_SERIAL */
#define CONSOLE_DEVICE makedev(5, 1)
#define CONSOLE_SWITCH "/sys/class/tty/ttyS0/console" /* drivers/tty/serial/serial_core.c, since Linux 5.7 */

#define KLOG_CONSOLE_OFF 6 /* syslog(2) */

#define HOLDERS_TRIES 20
#define HOLDERS_WAIT  100000 /* microseconds between them */

static const char usage[] =
	"usage: nohype-guest COMMAND\n"
	"\n"
	"  seal [--force] [LABEL]\n"
	"            the guest is ready: nohype may leave it alone from here on. First takes away what\n"
	"            would end it later: the kernel's messages and console on ttyS0. Other processes\n"
	"            that hold ttyS0 are an error, or with --force only named. LABEL is the last line\n"
	"            on the serial port, and is kept by nohype: up to 64 bytes of printable ASCII\n"
	"            but \" and \\\n"
	"  console [COMMAND [ARG...]]\n"
	"            serve the VM's console after the seal, through the rings: COMMAND, or a login if\n"
	"            there is one, or a shell, on a terminal; again and again. Start it before the seal\n"
	"  log [--kernel]\n"
	"            send standard input to the host's log, or what the kernel logs\n"
	"  heartbeat say that the guest is alive, as often as the host wants\n"
	"  on-stop [COMMAND [ARG...]]\n"
	"            wait until the host asks the guest to end, then run COMMAND, or power off\n"
	"  poweroff  write out what is cached, then end the VM: power off\n"
	"  halt      the same\n"
	"  reboot    the same, and ask to be started again\n"
	"  panic     end the VM now, as after a kernel panic; nothing is written out\n"
	"  kexec     do nothing. As an executable in /usr/lib/systemd/system-shutdown, this program\n"
	"            is what ends a sealed guest with systemd, which gives one of these words\n"
	"\n"
	"Needs CAP_SYS_RAWIO and, for the rings, root. Exit code: 0 sealed, 1 an error, 2 bad usage.\n";

int usage_wrong(void)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int complain(const char *what, const char *hint)
{
	fprintf(stderr, "nohype-guest: error: %s: %s%s\n", what, strerror(errno), hint);
	return EXIT_ERROR;
}

static int port_open(unsigned short port)
{
	char what[32];

	if (ioperm(port, 1, 1) == 0)
		return 0;
	snprintf(what, sizeof(what), "I/O port %#x", port);
	return complain(what, errno == EPERM ? "; run it as root, in a kernel that isn't locked down" : "");
}

/* --- who else holds the serial port --- */

static bool holds_by_fd(const char *process)
{
	char path[300];
	struct dirent *entry;
	bool holds = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", process);
	dir = opendir(path);
	if (!dir)
		return false; /* it is gone */
	while (!holds && (entry = readdir(dir))) {
		struct stat st;

		holds = !fstatat(dirfd(dir), entry->d_name, &st, 0) && S_ISCHR(st.st_mode) &&
			(st.st_rdev == SERIAL_DEVICE || st.st_rdev == CONSOLE_DEVICE);
	}
	closedir(dir);
	return holds;
}

/* Its name into @name. Its controlling terminal is hung up when it ends, if it leads the session: proc(5), stat. */
static bool holds_as_terminal(const char *process, char *name, size_t size)
{
	char path[300], text[512], *open, *close;
	unsigned int terminal = 0;
	size_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/stat", process);
	file = fopen(path, "re");
	if (file) {
		len = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[len] = '\0';
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close)
		return false; /* it is gone */
	snprintf(name, size, "%.*s", (int)(close - open - 1), open + 1);
	sscanf(close + 1, " %*c %*d %*d %*d %u", &terminal);
	return terminal == (major(SERIAL_DEVICE) << 8 | minor(SERIAL_DEVICE));
}

/* Others that hold it, into @list: "PID (NAME), ..."; how many. */
static unsigned int holders_find(char *list, size_t size)
{
	unsigned int count = 0;
	struct dirent *entry;
	size_t used = 0;
	DIR *dir = opendir("/proc");

	*list = '\0';
	while (dir && (entry = readdir(dir))) {
		char name[64] = "";
		bool holds;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		holds = holds_as_terminal(entry->d_name, name, sizeof(name));
		if (strtol(entry->d_name, NULL, 10) == getpid())
			holds = holds && getsid(0) == getpid(); /* else it is the leader that is to be told */
		else
			holds = holds || holds_by_fd(entry->d_name);
		if (holds && used < size) /* what has no room is cut off */
			used += (size_t)snprintf(list + used, size - used, "%s%s (%s)", count ? ", " : "",
						 entry->d_name, name);
		count += holds;
	}
	if (dir)
		closedir(dir);
	return count;
}

/* Those that were just told to end may take a moment: a shell that was hung up with its login, say. */
static int holders_check(bool force)
{
	char list[512];

	for (int tries = 0; holders_find(list, sizeof(list)); tries++) {
		if (force || tries == HOLDERS_TRIES)
			break;
		usleep(HOLDERS_WAIT);
	}
	if (!*list)
		return EXIT_OK;
	fprintf(stderr, "nohype-guest: %s: ttyS0 is held by %s: %s\n", force ? "warning" : "error", list,
		force ? "what they write to it ends this guest from now on, and so may their end"
		      : "what they write to it after the seal would end this guest, and so may their end. Stop them "
			"(systemctl stop serial-getty@ttyS0), or say --force");
	return force ? EXIT_OK : EXIT_ERROR;
}

/* --- the seal --- */

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* The last words on the serial port. What its driver still holds would leave by interrupts, after the seal. */
static void console_finish(const char *label)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	tcdrain(STDOUT_FILENO);
	if (fd < 0)
		return;
	if (label)
		dprintf(fd, "nohype-guest: seal: %s\n", label);
	tcdrain(fd);
	close(fd);
}

/*
 * No message of the kernel's gets to the port: not below level 0, and where it can be told so, to no console there. An
 * oops makes all levels loud again, so without the latter it says more than the guest's end does.
 */
static int console_detach(void)
{
	int err;

	klogctl(KLOG_CONSOLE_OFF, NULL, 0);
	file_write("/proc/sys/kernel/printk", "0");
	err = file_write(CONSOLE_SWITCH, "0");
	if (!err || err == -ENOENT)
		return EXIT_OK; /* no such port, or a kernel from before 5.7 */
	errno = -err;
	return complain(CONSOLE_SWITCH, "; the kernel's console would end the guest after the seal");
}

/* The last to close the port shuts it down, by port I/O: that must not be this process, at its end. */
int streams_close(int first)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return complain("/dev/null", "");
	for (int stream = first; stream <= STDERR_FILENO; stream++)
		dup2(fd, stream);
	return EXIT_OK;
}

static int label_check(const char *label)
{
	if (strlen(label) <= SEAL_LABEL_MAX && !strpbrk(label, "\"\\")) {
		while (*label >= ' ' && *label <= '~')
			label++;
		if (!*label)
			return EXIT_OK;
	}
	fprintf(stderr, "nohype-guest: error: label: up to %d bytes of printable ASCII but \" and \\ wanted\n",
		SEAL_LABEL_MAX);
	return EXIT_USAGE;
}

static int seal_port_check(void)
{
	unsigned char found;

	if (port_open(PORT_SEAL))
		return EXIT_ERROR;
	found = inb(PORT_SEAL);
	if (found == SEAL_PORT_HERE)
		return EXIT_OK;
	fprintf(stderr,
		"nohype-guest: error: I/O port %#x reads %#x, wanted %#x: this isn't a guest of nohype, or one "
		"without a seal port\n",
		PORT_SEAL, found, SEAL_PORT_HERE);
	return EXIT_ERROR;
}

static int seal(const char *label, bool force)
{
	int code = label ? label_check(label) : EXIT_OK;

	if (!code)
		code = seal_port_check();
	if (!code)
		code = rings_enable();
	if (!code)
		code = holders_check(force);
	if (code)
		return code;
	console_finish(label);
	code = console_detach();
	if (!code)
		code = streams_close(STDIN_FILENO);
	if (!code && nohype_guest_seal(label))
		code = EXIT_ERROR; /* nobody is left to be told; all that could fail was tried above */
	return code;
}

static int seal_main(int argc, char **argv)
{
	bool force = argc > 0 && !strcmp(argv[0], "--force");
	const char *label = argc > force ? argv[force] : NULL;

	if (argc - force > 1 || (label && *label == '-'))
		return usage_wrong();
	return seal(label, force);
}

/* --- the ends --- */

/* Whoever comes back from an end port isn't nohype's guest. */
static int end(unsigned char value, unsigned short port)
{
	if (port_open(port))
		return EXIT_ERROR;
	outb(value, port);
	fprintf(stderr, "nohype-guest: error: I/O port %#x ended nothing: this isn't a guest of nohype\n", port);
	return EXIT_ERROR;
}

static int end_synced(unsigned char value, unsigned short port)
{
	sync();
	return end(value, port); /* the console may be gone since the seal: not touched here */
}

int power_off(void)
{
	return end_synced(SLEEP_TYPE << 2 | SLEEP_ENABLE, PORT_POWER_OFF);
}

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} commands[] = {
	{ "seal", seal_main },		 { "console", console_main }, { "log", log_main },
	{ "heartbeat", heartbeat_main }, { "on-stop", on_stop_main },
};

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "--help")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(command, commands[i].name))
			return commands[i].main(argc - 2, argv + 2);
	if ((!strcmp(command, "poweroff") || !strcmp(command, "halt")) && argc == 2)
		return power_off();
	if (!strcmp(command, "reboot") && argc == 2)
		return end_synced(REBOOT_VALUE, PORT_REBOOT);
	if (!strcmp(command, "panic") && argc == 2)
		return end(1, PORT_PANIC);
	if (!strcmp(command, "kexec") && argc == 2)
		return EXIT_OK; /* the next kernel is a guest too, if this one isn't sealed */
	return usage_wrong();
}
