// SPDX-License-Identifier: GPL-2.0-only
/* The serial port, register by register, as a stock kernel's 8250 driver uses it. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>

#include "devices/ports.h"
#include "tests/unit/machine.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define IER_RX	 1
#define IER_TX	 2
#define MCR_OUT2 8
#define MCR_LOOP 0x10
#define DLAB	 0x80

static struct machine m;

static void setup(void)
{
	ck_assert_int_eq(machine_make(&m), 0);
}

static void teardown(void)
{
	machine_free(&m);
}

static uint8_t get(unsigned int reg)
{
	return in(&m, (uint16_t)(PORT_SERIAL + reg));
}

static void set(unsigned int reg, uint8_t value)
{
	out(&m, (uint16_t)(PORT_SERIAL + reg), value);
}

/* Interrupts as the driver switches them on. */
static void enable(uint8_t ier)
{
	set(MCR, MCR_OUT2);
	set(IER, ier);
}

static void type(const char *text, size_t taken)
{
	ck_assert_uint_eq(devices_input(&m.devices, text, strlen(text)), taken);
}

START_TEST(registers_at_reset)
{
	static const uint8_t wanted[] = { 0, 0, 0x01, 0, 0, 0x60, 0xb0, 0 };

	for (unsigned int reg = 0; reg < 8; reg++)
		ck_assert_uint_eq(get(reg), wanted[reg]);
	ck_assert_uint_eq(m.irqs, 0);
	ck_assert_uint_eq(m.printed, 0);
}
END_TEST

/* What is kept of each value that is written; ~0: reads don't depend on it. */
START_TEST(registers_kept)
{
	static const struct {
		unsigned int reg;
		uint8_t lcr, kept;
	} regs[] = { { IER, 0, 0x0f }, { LCR, 0, 0xff },     { MCR, 0, 0x1f },
		     { SCR, 0, 0xff }, { DATA, DLAB, 0xff }, { IER, DLAB, 0xff } };

	for (unsigned int value = 0; value < 256; value++) {
		if (regs[_i].reg != LCR)
			set(LCR, regs[_i].lcr);
		set(regs[_i].reg, (uint8_t)value);
		ck_assert_uint_eq(get(regs[_i].reg), value & regs[_i].kept);
	}
	ck_assert_uint_eq(m.printed, 0);
}
END_TEST

/* The divisor's two bytes are apart from what lies under them. */
START_TEST(divisor)
{
	set(IER, IER_RX);
	set(LCR, DLAB);
	set(DATA, 0x12);
	set(IER, 0x34);
	ck_assert_uint_eq(get(DATA), 0x12);
	set(LCR, 3);
	ck_assert_uint_eq(get(IER), IER_RX);
	ck_assert_uint_eq(get(DATA), 0);
	ck_assert_uint_eq(get(LCR), 3);
}
END_TEST

START_TEST(status_is_read_only)
{
	set(LSR, 0xff);
	set(MSR, 0xff);
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(MSR), 0xb0);
}
END_TEST

START_TEST(prints_lines)
{
	for (const char *c = "one\ntwo"; *c; c++)
		set(DATA, (uint8_t)*c);
	ck_assert_str_eq(m.console, "one\n");
	set(IER, 0); /* the driver's last write when it has no more */
	ck_assert_str_eq(m.console, "one\ntwo");
}
END_TEST

/* A line without an end is passed on too, in pieces. */
START_TEST(prints_long_lines)
{
	for (int i = 0; i < 1000; i++)
		set(DATA, (uint8_t)('a' + i % 26));
	ck_assert_uint_ge(m.printed, 1000 - 128);
	set(IER, 0);
	ck_assert_uint_eq(m.printed, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(m.console[i], 'a' + i % 26);
}
END_TEST

START_TEST(typed_bytes_are_read)
{
	enable(IER_RX);
	type("hi", 2);
	ck_assert_uint_eq(m.irqs, 1);
	ck_assert_uint_eq(m.gsi, SERIAL_GSI);
	ck_assert_uint_eq(get(IIR), 0x04);
	ck_assert_uint_eq(get(LSR), 0x61);
	ck_assert_uint_eq(get(DATA), 'h');
	ck_assert_uint_eq(get(LSR), 0x61);
	ck_assert_uint_eq(get(DATA), 'i');
	ck_assert_uint_eq(get(LSR), 0x60);
	ck_assert_uint_eq(get(IIR), 0x01);
	type("!", 1);
	ck_assert_uint_eq(m.irqs, 2); /* the line fell when all was read, and rose again */
}
END_TEST

/* What the guest doesn't read stays with whoever typed it. */
START_TEST(typed_too_fast)
{
	char text[201] = "";

	memset(text, 'x', 200);
	text[63] = 'y';
	type(text, 64);
	type("z", 0);
	for (int i = 0; i < 63; i++)
		ck_assert_uint_eq(get(DATA), 'x');
	type("z", 1);
	ck_assert_uint_eq(get(DATA), 'y');
	ck_assert_uint_eq(get(DATA), 'z');
	ck_assert_uint_eq(get(DATA), 0);
}
END_TEST

START_TEST(typed_before_interrupts_are_on)
{
	type("x", 1);
	ck_assert_uint_eq(m.irqs, 0);
	set(IER, IER_RX);
	ck_assert_uint_eq(m.irqs, 0); /* OUT2 is what connects the line */
	set(MCR, MCR_OUT2);
	ck_assert_uint_eq(m.irqs, 1);
}
END_TEST

START_TEST(fifo_cleared)
{
	set(IIR, 0x01);
	ck_assert_uint_eq(get(IIR), 0xc1);
	type("xyz", 3);
	set(IIR, 0x03);
	ck_assert_uint_eq(get(LSR), 0x60);
	set(IIR, 0);
	ck_assert_uint_eq(get(IIR), 0x01);
}
END_TEST

/* The driver waits for "transmitter empty" after each of its chunks; without these a console stands still. */
START_TEST(transmitter_interrupts)
{
	enable(IER_TX);
	ck_assert_uint_eq(m.irqs, 1);
	ck_assert_uint_eq(get(IIR), 0x02);
	ck_assert_uint_eq(get(IIR), 0x01); /* read: acknowledged */
	set(DATA, 'x');
	ck_assert_uint_eq(m.irqs, 2);
	set(DATA, 'y'); /* not acknowledged in between, and yet a rise: edges are never lost */
	ck_assert_uint_eq(m.irqs, 3);
	ck_assert_uint_eq(get(IIR), 0x02);
	set(IER, 0);
	set(DATA, 'z');
	ck_assert_uint_eq(m.irqs, 3);
	set(IER, IER_TX);
	ck_assert_uint_eq(m.irqs, 4);
}
END_TEST

START_TEST(receiver_comes_first)
{
	enable(IER_RX | IER_TX);
	type("x", 1);
	ck_assert_uint_eq(get(IIR), 0x04);
	get(DATA);
	ck_assert_uint_eq(get(IIR), 0x02); /* reading the other cause didn't acknowledge this one */
	ck_assert_uint_eq(get(IIR), 0x01);
}
END_TEST

/* The driver's self test (drivers/tty/serial/8250/8250_port.c, autoconfig()): MCR's outputs come back as MSR. */
START_TEST(loop_mode)
{
	static const struct {
		uint8_t mcr, msr;
	} wires[] = { { 0, 0 }, { 1, 0x20 }, { 2, 0x10 }, { 4, 0x40 }, { 8, 0x80 }, { 0x0a, 0x90 }, { 0x0f, 0xf0 } };

	for (size_t i = 0; i < sizeof(wires) / sizeof(wires[0]); i++) {
		set(MCR, MCR_LOOP | wires[i].mcr);
		ck_assert_uint_eq(get(MSR), wires[i].msr);
	}
	set(DATA, 'x');
	set(DATA, '\n');
	ck_assert_uint_eq(m.printed, 0);
	ck_assert_uint_eq(get(DATA), 'x');
	ck_assert_uint_eq(get(DATA), '\n');
}
END_TEST

/* A driver that uses wider accesses reaches neighbouring registers, as on the bus. */
START_TEST(wide_accesses)
{
	machine_write(&m, SPACE_PIO, PORT_SERIAL + LCR, 0x0903, 2);
	ck_assert_uint_eq(get(LCR), 3);
	ck_assert_uint_eq(get(MCR), 9);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_SERIAL + LCR, 4), 0xb0600903);
	/* past the end: no device */
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_SERIAL + SCR, 2), 0xffff);
	machine_write(&m, SPACE_PIO, PORT_SERIAL + SCR, 0x5555, 2);
	ck_assert_uint_eq(get(SCR), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("serial");
	TCase *tc = tcase_create("serial");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, registers_at_reset);
	tcase_add_loop_test(tc, registers_kept, 0, 6);
	tcase_add_test(tc, divisor);
	tcase_add_test(tc, status_is_read_only);
	tcase_add_test(tc, prints_lines);
	tcase_add_test(tc, prints_long_lines);
	tcase_add_test(tc, typed_bytes_are_read);
	tcase_add_test(tc, typed_too_fast);
	tcase_add_test(tc, typed_before_interrupts_are_on);
	tcase_add_test(tc, fifo_cleared);
	tcase_add_test(tc, transmitter_interrupts);
	tcase_add_test(tc, receiver_comes_first);
	tcase_add_test(tc, loop_mode);
	tcase_add_test(tc, wide_accesses);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
