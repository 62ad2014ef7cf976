/* SPDX-License-Identifier: GPL-2.0-only */
/* Answers each byte typed with its value in hexadecimal, where ":" to "?" stand for a to f: "41" to an A. */
#include "tests/e2e/guests/guest.h"

start:
	mov $0x80000, %esp
	print "up\n"
wait:
	pause
	mov $SERIAL_LSR, %dx
	in %dx, %al
	test $LSR_DATA, %al
	jz wait
	mov $PORT_SERIAL, %dx
	in %dx, %al
	mov %al, %ah
	shr $4, %al
	call digit
	mov %ah, %al
	and $15, %al
	call digit
	mov $'\n', %al
	out %al, %dx
	jmp wait

/* %al, 0 to 15. */
digit:
	add $'0', %al
	out %al, %dx
	ret
