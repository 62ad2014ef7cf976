// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of nohype: one OUT to the seal port or to one of the end ports. Static and small, linked with musl:
 * the start of a glibc program executes CPUID some forty times, and after the seal one is too many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <termios.h>
#include <unistd.h>

#include "devices/ports.h"

#define SLEEP_ENABLE 0x20 /* SLP_EN of the sleep control register: ACPI 6.5, 4.8.3.7 */

enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

static const char usage[] = "usage: nohype-guest COMMAND\n"
			    "\n"
			    "  seal [LABEL]  the guest is ready: nohype may leave it alone from here on.\n"
			    "                LABEL is printed before, the last word on the serial port\n"
			    "  poweroff      write out what is cached, then end the VM: power off\n"
			    "  reboot        the same, and ask to be started again\n"
			    "  panic         end the VM now, as after a kernel panic; nothing is written out\n"
			    "\n"
			    "Needs CAP_SYS_RAWIO. Exit code: 0 sealed, 1 an error, 2 bad usage.\n";

static int complain(const char *what, const char *hint)
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

/* What the serial driver still holds would leave by interrupts, after the seal. */
static void console_drain(void)
{
	int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	tcdrain(STDOUT_FILENO);
	if (fd < 0)
		return;
	tcdrain(fd);
	close(fd);
}

static int seal(const char *label)
{
	if (port_open(PORT_SEAL))
		return EXIT_ERROR;
	if (label) {
		printf("nohype-guest: seal: %s\n", label);
		fflush(stdout);
	}
	console_drain();
	outb(1, PORT_SEAL);
	return EXIT_OK;
}

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

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if (!strcmp(command, "--help")) {
		fputs(usage, stdout);
		return EXIT_OK;
	}
	if (!strcmp(command, "seal") && argc <= 3)
		return seal(argv[2]);
	if (!strcmp(command, "poweroff") && argc == 2)
		return end_synced(SLEEP_TYPE << 2 | SLEEP_ENABLE, PORT_POWER_OFF);
	if (!strcmp(command, "reboot") && argc == 2)
		return end_synced(REBOOT_VALUE, PORT_REBOOT);
	if (!strcmp(command, "panic") && argc == 2)
		return end(1, PORT_PANIC);
	fputs(usage, stderr);
	return EXIT_USAGE;
}
