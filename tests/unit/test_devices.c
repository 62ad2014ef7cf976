// SPDX-License-Identifier: GPL-2.0-only
/* The bus and the small boot devices: who answers where, end ports, PCI configuration, I/O APIC. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"
#include "devices/ports.h"
#include "tests/unit/machine.h"

#define ENABLE 0x80000000u

static struct machine m;

static void setup(void)
{
	ck_assert_int_eq(machine_make(&m), 0);
}

static void teardown(void)
{
	machine_free(&m);
}

/* All that a guest can reach. A device that is added stands here too. */
static const struct {
	const char *name;
	enum device_space space;
	uint64_t base, size;
} places[] = {
	{ "serial", SPACE_PIO, 0x3f8, 8 },	    { "no-pit", SPACE_PIO, 0x40, 4 },
	{ "no-i8042", SPACE_PIO, 0x64, 1 },	    { "cmos", SPACE_PIO, 0x70, 2 },
	{ "seal-port", SPACE_PIO, 0x600, 1 },	    { "power-off-port", SPACE_PIO, 0x604, 2 },
	{ "reboot-port", SPACE_PIO, 0x608, 1 },	    { "panic-port", SPACE_PIO, 0x60c, 1 },
	{ "pci-host", SPACE_PIO, 0xcf8, 8 },	    { "pci-memory", SPACE_MMIO, 0xc0000000, 0x3ec00000 },
	{ "ioapic", SPACE_MMIO, 0xfec00000, 4096 },
};

START_TEST(devices_that_there_are)
{
	ck_assert_uint_eq(m.devices.count, ARRAY_SIZE(places));
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const struct boot_device *ops = m.devices.list[i].ops;

		ck_assert_str_eq(ops->name, places[i].name);
		ck_assert_int_eq(ops->space, places[i].space);
		ck_assert_uint_eq(ops->base, places[i].base);
		ck_assert_uint_eq(ops->size, places[i].size);
	}
}
END_TEST

static bool is_somewhere(uint64_t port)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (places[i].space == SPACE_PIO && port >= places[i].base && port < places[i].base + places[i].size)
			return true;
	return false;
}

START_TEST(nothing_elsewhere)
{
	for (uint32_t port = 0; port < 0x10000; port++) {
		if (is_somewhere(port))
			continue;
		ck_assert_uint_eq(in(&m, (uint16_t)port), 0xff);
		out(&m, (uint16_t)port, 0x34);
	}
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, LAPIC_BASE, 8), UINT64_MAX);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, IOAPIC_BASE - 1, 4), 0xffffffff);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, IOAPIC_BASE + IOAPIC_SIZE - 1, 2), 0xffff);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, UINT64_MAX, 8), UINT64_MAX);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, IOAPIC_BASE, 4), 0xffffffff);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, PORT_SERIAL, 1), 0xff);
	ck_assert_int_eq(m.end, -1);
	ck_assert_int_eq(m.ready, -1);
	ck_assert_uint_eq(m.irqs + m.msis + m.printed, 0);
}
END_TEST

static unsigned int cmos(uint8_t index)
{
	out(&m, PORT_CMOS, index);
	return in(&m, PORT_CMOS + 1);
}

static int from_bcd(unsigned int value)
{
	return (int)(value >> 4) * 10 + (int)(value & 15);
}

/* What a kernel would make of the clock, against libc's own calendar. */
START_TEST(clock_tells_utc)
{
	time_t before = time(NULL), told;
	struct tm date = { 0 };

	ck_assert_uint_eq(cmos(0x0a) & 0x80, 0); /* no update in progress */
	ck_assert_uint_eq(cmos(0x0b), 0x02);	 /* 24 hours, BCD */
	ck_assert_uint_eq(cmos(0x0d), 0x80);
	date.tm_sec = from_bcd(cmos(0x00));
	date.tm_min = from_bcd(cmos(0x02));
	date.tm_hour = from_bcd(cmos(0x04));
	date.tm_mday = from_bcd(cmos(0x07));
	date.tm_mon = from_bcd(cmos(0x08)) - 1;
	date.tm_year = from_bcd(cmos(0x32)) * 100 + from_bcd(cmos(0x09)) - 1900;
	told = timegm(&date);
	ck_assert_int_ge(told, before);
	ck_assert_int_le(told, time(NULL));
	ck_assert_int_eq(from_bcd(cmos(0x06)), date.tm_wday + 1); /* timegm filled it in */
	ck_assert_uint_eq(cmos(0x40), 0);
}
END_TEST

START_TEST(absent_reads_as_zero)
{
	for (uint16_t port = PORT_PIT; port < PORT_PIT + 4; port++)
		ck_assert_uint_eq(in(&m, port), 0);
	ck_assert_uint_eq(in(&m, PORT_KEYBOARD_STATUS), 0);
}
END_TEST

START_TEST(seal_port)
{
	out(&m, PORT_SEAL, 1);
	ck_assert_int_eq(m.ready, 1);
	ck_assert_str_eq(m.label, "");
	m.ready = -1;
	machine_write(&m, SPACE_PIO, PORT_SEAL, 1, 2);
	ck_assert_int_eq(m.ready, -1);
	ck_assert_uint_eq(in(&m, PORT_SEAL), SEAL_PORT_HERE);
}
END_TEST

static void out_text(uint16_t port, const char *text)
{
	while (*text)
		out(&m, port, (uint8_t)*text++);
}

START_TEST(seal_port_label)
{
	out_text(PORT_SEAL, "forgotten");
	out(&m, PORT_SEAL, 0);
	out_text(PORT_SEAL, "web ~7");
	ck_assert_int_eq(m.ready, -1);
	out(&m, PORT_SEAL, 1);
	ck_assert_int_eq(m.ready, 1);
	ck_assert_str_eq(m.label, "web ~7");
	out(&m, PORT_SEAL, 2);
	ck_assert_int_eq(m.ready, 2);
	ck_assert_str_eq(m.label, "");
}
END_TEST

/* Every byte is either of the label, or its end: none that isn't printable gets into it. */
START_TEST(seal_port_label_printable)
{
	for (unsigned int value = 1; value < 256; value++) {
		bool printable = value >= ' ' && value <= '~';

		m.ready = -1;
		out(&m, PORT_SEAL, 0);
		out(&m, PORT_SEAL, (uint8_t)value);
		ck_assert_int_eq(m.ready, printable ? -1 : (int)value);
		out(&m, PORT_SEAL, 1);
		ck_assert_uint_eq(strlen(m.label), printable);
		ck_assert(!printable || m.label[0] == (char)value);
	}
}
END_TEST

START_TEST(seal_port_label_long)
{
	for (unsigned int i = 0; i < 10 * SEAL_LABEL_MAX; i++)
		out(&m, PORT_SEAL, (uint8_t)('a' + i % 26));
	out(&m, PORT_SEAL, 1);
	ck_assert_uint_eq(strlen(m.label), SEAL_LABEL_MAX);
	for (unsigned int i = 0; i < SEAL_LABEL_MAX; i++)
		ck_assert_int_eq(m.label[i], 'a' + i % 26);
}
END_TEST

/* ACPI 6.5, table 4.13: SLP_EN is bit 5, SLP_TYP bits 2 to 4. S5's is 5. */
START_TEST(power_off_port)
{
	for (unsigned int value = 0; value < 256; value++) {
		m.end = -1;
		out(&m, PORT_POWER_OFF, (uint8_t)value);
		ck_assert_int_eq(m.end, (value & 0x3c) == 0x34 ? DEVICE_POWER_OFF : -1);
		m.end = -1;
		out(&m, PORT_POWER_OFF_STATUS, (uint8_t)value);
		ck_assert_int_eq(m.end, -1);
	}
	ck_assert_uint_eq(in(&m, PORT_POWER_OFF), 0);
	ck_assert_uint_eq(in(&m, PORT_POWER_OFF_STATUS), 0);
}
END_TEST

START_TEST(reboot_port)
{
	for (unsigned int value = 0; value < 256; value++) {
		m.end = -1;
		out(&m, PORT_REBOOT, (uint8_t)value);
		ck_assert_int_eq(m.end, value == REBOOT_VALUE ? DEVICE_REBOOT : -1);
	}
}
END_TEST

/* The same port after a panic: the word for the BIOS tells. */
START_TEST(reboot_port_after_panic)
{
	m.flag = 0x1234;
	out(&m, PORT_REBOOT, 2);
	ck_assert_int_eq(m.end, -1);
	out(&m, PORT_REBOOT, REBOOT_VALUE);
	ck_assert_int_eq(m.end, DEVICE_PANIC);
	m.flag = 0x3412;
	out(&m, PORT_REBOOT, REBOOT_VALUE);
	ck_assert_int_eq(m.end, DEVICE_REBOOT);
	m.flag = 0x1234;
	m.peek_err = 1;
	out(&m, PORT_REBOOT, REBOOT_VALUE);
	ck_assert_int_eq(m.end, DEVICE_REBOOT);
}
END_TEST

START_TEST(panic_port)
{
	out(&m, PORT_PANIC, 0);
	ck_assert_int_eq(m.end, DEVICE_PANIC);
}
END_TEST

/* @len bytes at @offset of the configuration of the function at @address. */
static uint64_t config_read(uint32_t address, unsigned int offset, unsigned int len)
{
	machine_write(&m, SPACE_PIO, PORT_PCI_ADDRESS, address | (offset & ~3u), 4);
	return machine_read(&m, SPACE_PIO, PORT_PCI_DATA + (offset & 3), len);
}

START_TEST(pci_bridge)
{
	ck_assert_uint_eq(config_read(ENABLE, 0, 4), 0x00081b36);
	ck_assert_uint_eq(config_read(ENABLE, 0, 2), 0x1b36);
	ck_assert_uint_eq(config_read(ENABLE, 2, 2), 0x0008);
	ck_assert_uint_eq(config_read(ENABLE, 8, 4), 0x06000000);
	ck_assert_uint_eq(config_read(ENABLE, 0xb, 1), 0x06);
	ck_assert_uint_eq(config_read(ENABLE, 0xe, 1), 0); /* one function, an ordinary header */
	for (unsigned int offset = 12; offset < 256; offset += 4)
		ck_assert_uint_eq(config_read(ENABLE, offset, 4), 0);
}
END_TEST

START_TEST(pci_nothing_else)
{
	for (uint32_t function = 1; function < 0x10000; function++)
		ck_assert_uint_eq(config_read(ENABLE | function << 8, 0, 4), 0xffffffff);
	ck_assert_uint_eq(config_read(0, 0, 4), 0xffffffff); /* not enabled */
}
END_TEST

START_TEST(pci_address)
{
	machine_write(&m, SPACE_PIO, PORT_PCI_ADDRESS, 0xffffffff, 4);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_PCI_ADDRESS, 4), 0x80fffffc);
	/* Only the whole register is one: its bytes are other devices' ports (specification 3.0, 3.2.2.3.2). */
	out(&m, PORT_PCI_ADDRESS + 3, 0);
	machine_write(&m, SPACE_PIO, PORT_PCI_ADDRESS, 0, 2);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_PCI_ADDRESS, 4), 0x80fffffc);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_PCI_ADDRESS, 2), 0xffff);
	ck_assert_uint_eq(in(&m, PORT_PCI_ADDRESS + 3), 0xff);
	ck_assert_uint_eq(machine_read(&m, SPACE_PIO, PORT_PCI_DATA + 2, 4), 0xffffffff);
}
END_TEST

START_TEST(pci_writes_are_lost)
{
	for (unsigned int offset = 0; offset < 256; offset += 4) {
		uint64_t before = config_read(ENABLE, offset, 4);

		machine_write(&m, SPACE_PIO, PORT_PCI_DATA, ~before, 4);
		ck_assert_uint_eq(config_read(ENABLE, offset, 4), before);
	}
}
END_TEST

static uint32_t ioapic_get(uint32_t index)
{
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE, index, 4);
	return (uint32_t)machine_read(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, 4);
}

static void ioapic_set(uint32_t index, uint32_t value)
{
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE, index, 4);
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, value, 4);
}

START_TEST(ioapic_registers)
{
	ck_assert_uint_eq(ioapic_get(1), 0x00170020); /* 24 pins, version 0x20 */
	ioapic_set(1, 0);
	ck_assert_uint_eq(ioapic_get(1), 0x00170020);
	ioapic_set(0, 0xffffffff);
	ck_assert_uint_eq(ioapic_get(0), 0x0f000000);
	ck_assert_uint_eq(ioapic_get(2), 0x0f000000);
	for (uint32_t index = 3; index < 0x10; index++)
		ck_assert_uint_eq(ioapic_get(index), 0);
	for (uint32_t index = 0x40; index < 0x100; index++)
		ck_assert_uint_eq(ioapic_get(index), 0);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, IOAPIC_BASE, 4), 0xff);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, IOAPIC_BASE + 0x20, 4), 0);
}
END_TEST

START_TEST(ioapic_entries)
{
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++) {
		ck_assert_uint_eq(ioapic_get(0x10 + 2 * pin), 0x10000); /* masked */
		ck_assert_uint_eq(ioapic_get(0x11 + 2 * pin), 0);
		ioapic_set(0x11 + 2 * pin, 0x01000000 * pin);
		ck_assert_uint_eq(ioapic_get(0x10 + 2 * pin), 0x10000);
		ioapic_set(0x10 + 2 * pin, 0xffffffff);
		ck_assert_uint_eq(ioapic_get(0x10 + 2 * pin), 0xffffafff); /* two bits are read only */
	}
	for (uint32_t pin = 0; pin < IOAPIC_PINS; pin++)
		ck_assert_uint_eq(ioapic_get(0x11 + 2 * pin), 0x01000000 * pin);
	ck_assert_uint_eq(m.msis, 0);
}
END_TEST

/* To the local APICs an interrupt is a message: SDM vol. 3, 11.11. */
START_TEST(ioapic_delivers)
{
	static const struct {
		uint32_t high, low;
		uint64_t address;
		uint32_t data;
	} sent[] = {
		{ 0, 0x31, 0xfee00000, 0x31 },
		{ 0x02000000, 0x41, 0xfee02000, 0x41 },
		{ 0xff000000, 0x941, 0xfeeff004, 0x141 }, /* logical, lowest priority, to all */
		{ 0x01000000, 0x400, 0xfee01000, 0x400 }, /* NMI */
	};

	for (size_t i = 0; i < ARRAY_SIZE(sent); i++) {
		ioapic_set(0x19, sent[i].high);
		ioapic_set(0x18, sent[i].low);
		devices_irq(&m.devices, 4);
		ck_assert_uint_eq(m.msis, i + 1);
		ck_assert_uint_eq(m.address, sent[i].address);
		ck_assert_uint_eq(m.data, sent[i].data);
	}
}
END_TEST

START_TEST(ioapic_masked)
{
	devices_irq(&m.devices, 4);
	devices_irq(&m.devices, 4);
	ck_assert_uint_eq(m.msis, 0);
	ioapic_set(0x18, 0x10031);
	ck_assert_uint_eq(m.msis, 0);
	ioapic_set(0x18, 0x31); /* unmasked: the edge comes now, once */
	ck_assert_uint_eq(m.msis, 1);
	ioapic_set(0x18, 0x10031);
	ioapic_set(0x18, 0x31);
	ck_assert_uint_eq(m.msis, 1);
}
END_TEST

START_TEST(ioapic_odd_accesses)
{
	ioapic_set(0x18, 0x31);
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, 0x55, 1);
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, 0x5555, 2);
	machine_write(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, 0x5555, 8);
	ck_assert_uint_eq(ioapic_get(0x18), 0x31);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, IOAPIC_BASE + 0x10, 1), 0xff);
	devices_irq(&m.devices, IOAPIC_PINS);
	devices_irq(&m.devices, 1000);
	ck_assert_uint_eq(m.msis, 0);
}
END_TEST

static void enable_serial(void)
{
	out(&m, PORT_SERIAL + 4, 8); /* OUT2 */
	out(&m, PORT_SERIAL + 1, 3);
}

/* A guest may do anything: nothing of ours is read or written past its end (for the sanitizers to see). */
START_TEST(anything)
{
	static const unsigned int lens[] = { 1, 2, 4, 8 };
	uint64_t seed = 88172645463325252u + (uint64_t)_i;

	ioapic_set(0x18, 0x31);
	enable_serial();
	for (int i = 0; i < 300000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		unsigned int place = seed >> 8 & 7,
			     space = place < ARRAY_SIZE(places) ? places[place].space : SPACE_PIO;
		uint64_t base = place < ARRAY_SIZE(places) ? places[place].base : seed >> 16 & 0xffff;
		uint64_t at = base + (seed >> 32 & (space == SPACE_MMIO ? 0x1f : 7));
		unsigned int len = lens[seed >> 40 & (space == SPACE_MMIO ? 3 : 1)];

		if (seed & 1)
			machine_write(&m, space, at, seed >> 20, len);
		else
			machine_read(&m, space, at, len);
		if (!(seed & 0x3e))
			devices_input(&m.devices, "0123456789", seed >> 50 & 7);
	}
	ck_assert_uint_gt(m.printed, 0);
	ck_assert_uint_gt(m.msis, 0);
	ck_assert_int_ne(m.end, -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices");
	TCase *tc = tcase_create("devices");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, devices_that_there_are);
	tcase_add_test(tc, nothing_elsewhere);
	tcase_add_test(tc, clock_tells_utc);
	tcase_add_test(tc, absent_reads_as_zero);
	tcase_add_test(tc, seal_port);
	tcase_add_test(tc, seal_port_label);
	tcase_add_test(tc, seal_port_label_printable);
	tcase_add_test(tc, seal_port_label_long);
	tcase_add_test(tc, power_off_port);
	tcase_add_test(tc, reboot_port);
	tcase_add_test(tc, reboot_port_after_panic);
	tcase_add_test(tc, panic_port);
	tcase_add_test(tc, pci_bridge);
	tcase_add_test(tc, pci_nothing_else);
	tcase_add_test(tc, pci_address);
	tcase_add_test(tc, pci_writes_are_lost);
	tcase_add_test(tc, ioapic_registers);
	tcase_add_test(tc, ioapic_entries);
	tcase_add_test(tc, ioapic_delivers);
	tcase_add_test(tc, ioapic_masked);
	tcase_add_test(tc, ioapic_odd_accesses);
	tcase_add_loop_test(tc, anything, 0, 4);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
