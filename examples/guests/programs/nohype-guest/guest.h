/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef NOHYPE_GUEST_GUEST_H
#define NOHYPE_GUEST_GUEST_H

#include <stddef.h>

#include "rings/rings.h"

/* Inside nohype-guest: what its files have of one another. */
enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

/* nohype-guest.c: "nohype-guest: error: WHAT: strerror(errno)HINT"; EXIT_ERROR. */
int complain(const char *what, const char *hint);
/* Standard input, output and error, from @first on, to /dev/null: the serial port will be gone. EXIT_ERROR, reported.
 */
int streams_close(int first);
int usage_wrong(void);
/* The end port for power off, with all that is cached written out before; returns only if that ended nothing. */
int power_off(void);

/* Each ring has one producer and one consumer, so of these programs one may run at a time. */
enum rings_role { ROLE_LOG, ROLE_CONSOLE, ROLE_HEARTBEAT, ROLE_ON_STOP };

/*
 * rings.c. rings_enable switches the function on that has them, which must be before the seal, as it needs the
 * hypervisor; no function is no error. rings_open maps them and takes @role, until this process ends; NULL, reported.
 */
int rings_enable(void);
struct rings *rings_open(enum rings_role role);
/* A side of a ring as the one before left it. */
struct ring_end ring_produce(struct ring *ring, uint8_t *bytes, uint64_t size);
struct ring_end ring_consume(struct ring *ring, uint8_t *bytes, uint64_t size);
void sleep_ms(unsigned int ms);

/* log.c, console.c, heartbeat.c: the commands of these names, arguments after the name. */
int log_main(int argc, char **argv);
int console_main(int argc, char **argv);
int heartbeat_main(int argc, char **argv);
int on_stop_main(int argc, char **argv);

#endif
