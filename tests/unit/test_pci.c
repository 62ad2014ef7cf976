// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions as a guest finds them: configuration space, BARs, MSI-X; and the tables that are taken for sound. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/util.h"
#include "devices/ports.h"
#include "rings/rings.h"
#include "tests/unit/machine.h"
#include "vmm/core/core.h"

#define ENABLE	0x80000000u
#define SLOT(n) (ENABLE | (uint32_t)(n) << 11)
#define TABLE	0xc0004000u
#define PBA	0xc0006000u
#define CAP	0x70
#define FIRST	SLOT(PCI_SLOT_PASSED)

/* As an 82576's virtual function: registers, and a BAR with the MSI-X table; three vectors. */
static struct pci_function function_make(unsigned int slot)
{
	struct pci_function function = {
		.slot = slot,
		/* clang-format off */
		.config = { 0x86, 0x80, 0xca, 0x10, [0x10] = 0x0c, 0, 0, 0xc0, [0x1c] = 0x0c, 0x40, 0, 0xc0, [0x34] = CAP,
			    [CAP] = 0x11, 0, 2, 0, 3, 0, 0, 0, 3, 0x20 },
		.writable = { [4] = 0x06, 0x04, [0x10] = 0, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			      [0x1c] = 0, 0xc0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [CAP + 3] = 0xc0 },
		/* clang-format on */
		.msix = { .cap = CAP, .vectors = 3, .table = TABLE, .pba = PBA },
		.nwindows = 2,
		.windows = { { 0xc0000000, 0x4000, 0 }, { 0xc0005000, 0x1000, 0x1000 } },
	};

	return function;
}

static struct machine m;

static void setup(void)
{
	const struct pci_function first = function_make(PCI_SLOT_PASSED), second = function_make(PCI_SLOT_PASSED + 1);

	ck_assert_int_eq(machine_make(&m), 0);
	pci_bus_init(&m.pci, 1);
	pci_bus_add(&m.pci, &first);
	pci_bus_add(&m.pci, &second);
	/* as place.c does it: each has addresses of its own */
	m.pci.functions[3].msix.table += 0x10000;
	m.pci.functions[3].msix.pba += 0x10000;
}

static void teardown(void)
{
	machine_free(&m);
}

static uint32_t get(uint32_t function, unsigned int offset, unsigned int len)
{
	machine_write(&m, SPACE_PIO, PORT_PCI_ADDRESS, function | (offset & ~3u), 4);
	return (uint32_t)machine_read(&m, SPACE_PIO, PORT_PCI_DATA + (offset & 3), len);
}

static void set(uint32_t function, unsigned int offset, uint32_t value, unsigned int len)
{
	machine_write(&m, SPACE_PIO, PORT_PCI_ADDRESS, function | (offset & ~3u), 4);
	machine_write(&m, SPACE_PIO, PORT_PCI_DATA + (offset & 3), value, len);
}

START_TEST(who_is_there)
{
	ck_assert_uint_eq(get(SLOT(0), 0, 4), 0x00081b36);
	ck_assert_uint_eq(get(SLOT(1), 0, 4), RINGS_PCI_DEVICE << 16 | RINGS_PCI_VENDOR);
	ck_assert_uint_eq(get(SLOT(1), 0x10, 4), RINGS_BASE | 0xc);
	ck_assert_uint_eq(get(SLOT(1), 0x08, 4), 0xff000000);
	ck_assert_uint_eq(get(FIRST, 0, 4), 0x10ca8086);
	for (uint32_t nth = 4; nth < 32; nth++)
		ck_assert_uint_eq(get(SLOT(nth), 0, 4), 0xffffffff);
	ck_assert_uint_eq(get(FIRST | 0x100, 0, 4), 0xffffffff); /* no second function of it */
	ck_assert_uint_eq(get(FIRST & ~ENABLE, 0, 4), 0xffffffff);
}
END_TEST

/* PCI Local Bus Specification 3.0, 6.2.5.1: how a BAR's size is found. */
START_TEST(bars_tell_their_size)
{
	set(FIRST, 0x10, 0xffffffff, 4);
	set(FIRST, 0x14, 0xffffffff, 4);
	ck_assert_uint_eq(get(FIRST, 0x10, 4), 0xffffc00c);
	ck_assert_uint_eq(get(FIRST, 0x14, 4), 0xffffffff);
	set(FIRST, 0x10, 0xc0000000, 4);
	set(FIRST, 0x14, 0, 4);
	ck_assert_uint_eq(get(FIRST, 0x10, 4), 0xc000000c);
	set(SLOT(1), 0x10, 0xffffffff, 4);
	ck_assert_uint_eq(get(SLOT(1), 0x10, 4), 0xffe0000c);
	set(FIRST, 0x18, 0xffffffff, 4); /* none there */
	ck_assert_uint_eq(get(FIRST, 0x18, 4), 0);
}
END_TEST

START_TEST(writes_in_parts)
{
	set(FIRST, 0x04, 0xffff, 2);
	ck_assert_uint_eq(get(FIRST, 0x04, 4), 0x0406);
	set(FIRST, 0x04, 0, 1);
	ck_assert_uint_eq(get(FIRST, 0x04, 2), 0x0400);
	ck_assert_uint_eq(get(SLOT(PCI_SLOT_PASSED + 1), 0x04, 2), 0); /* its own */
}
END_TEST

static void enable(uint32_t function)
{
	set(function, CAP + 2, 0x8000, 2);
}

static void entry_write(unsigned int nth, uint64_t address, uint32_t data, uint32_t control)
{
	uint64_t at = TABLE + 16 * nth;

	machine_write(&m, SPACE_MMIO, at, (uint32_t)address, 4);
	machine_write(&m, SPACE_MMIO, at + 4, address >> 32, 4);
	machine_write(&m, SPACE_MMIO, at + 8, data, 4);
	machine_write(&m, SPACE_MMIO, at + 12, control, 4);
}

START_TEST(vectors_begin_masked)
{
	enable(FIRST);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, TABLE + 16 * i + 12, 4), 1);
		ck_assert_uint_eq(m.vectors[0][i].address, 0);
	}
	ck_assert_uint_eq(get(FIRST, CAP + 2, 2), 0x8002);
}
END_TEST

START_TEST(vector_goes)
{
	entry_write(1, 0xfee01000, 0x41, 0);
	ck_assert_uint_eq(m.vectors[0][1].address, 0); /* not enabled */
	enable(FIRST);
	ck_assert_uint_eq(m.vectors[0][1].address, 0xfee01000);
	ck_assert_uint_eq(m.vectors[0][1].data, 0x41);
	ck_assert_uint_eq(m.vectors[0][0].address + m.vectors[0][2].address + m.vectors[1][1].address, 0);
	entry_write(1, 0xfee02000, 0x51, 0);
	ck_assert_uint_eq(m.vectors[0][1].address, 0xfee02000);
	machine_write(&m, SPACE_MMIO, TABLE + 16 + 12, 0xffffffff, 4);
	ck_assert_uint_eq(m.vectors[0][1].address, 0);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, TABLE + 16 + 12, 4), 1); /* the mask is its one bit */
	machine_write(&m, SPACE_MMIO, TABLE + 16 + 8, 0x61, 8);			/* data and control at once */
	ck_assert_uint_eq(m.vectors[0][1].data, 0x61);
	set(FIRST, CAP + 2, 0xc000, 2); /* all masked */
	ck_assert_uint_eq(m.vectors[0][1].address, 0);
	set(FIRST, CAP + 3, 0x80, 1);
	ck_assert_uint_eq(m.vectors[0][1].data, 0x61);
}
END_TEST

START_TEST(odd_accesses_are_lost)
{
	unsigned int routed;

	enable(FIRST);
	routed = m.routed;
	machine_write(&m, SPACE_MMIO, TABLE + 1, 0x55, 4);
	machine_write(&m, SPACE_MMIO, TABLE + 4, 0x55, 8);
	machine_write(&m, SPACE_MMIO, TABLE, 0x55, 1);
	machine_write(&m, SPACE_MMIO, TABLE, 0x55, 2);
	machine_write(&m, SPACE_MMIO, TABLE + 48, 0x55, 4); /* behind its end */
	machine_write(&m, SPACE_MMIO, TABLE + 44, 0x55, 8); /* across it */
	machine_write(&m, SPACE_MMIO, PBA, 0x55, 4);
	ck_assert_uint_eq(m.routed, routed);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, TABLE, 4), 0);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, TABLE + 48, 4), 0xffffffff);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, PBA, 8), 0);
	ck_assert_uint_eq(machine_read(&m, SPACE_MMIO, PBA + 8, 8), UINT64_MAX);
}
END_TEST

/* A guest may do anything: nothing of ours is read or written past its end (for the sanitizers to see). */
START_TEST(anything)
{
	static const unsigned int lens[] = { 1, 2, 4, 8 };
	uint64_t seed = 88172645463325252u + (uint64_t)_i;

	for (int i = 0; i < 200000; i++) {
		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		if (seed & 1)
			set(SLOT(seed >> 8 & 7), seed >> 16 & 0xff, (uint32_t)(seed >> 32), lens[seed >> 4 & 3] & 7);
		else if (seed & 2)
			machine_write(&m, SPACE_MMIO, TABLE - 16 + (seed >> 16 & 0x1007f), seed >> 24,
				      lens[seed >> 4 & 3]);
		else
			machine_read(&m, SPACE_MMIO, TABLE - 16 + (seed >> 16 & 0x1007f), lens[seed >> 4 & 3]);
	}
	ck_assert_uint_gt(m.routed, 0);
	for (unsigned int i = 3; i < PCI_VECTORS_MAX; i++)
		ck_assert_uint_eq(m.vectors[0][i].address, 0);
}
END_TEST

typedef void spoil_fn(struct pci_function *f);

/* @statement on a function f that is sound. */
#define SPOIL(name, statement)                   \
	static void name(struct pci_function *f) \
	{                                        \
		statement;                       \
	}

SPOIL(slot_of_the_bridge, f->slot = 0)
SPOIL(slot_of_the_rings, f->slot = 1)
SPOIL(slot_far, f->slot = PCI_SLOT_PASSED + PCI_PASSED_MAX)
SPOIL(windows_many, f->nwindows = PCI_WINDOWS_MAX + 1)
SPOIL(windows_wrap, f->nwindows = UINT32_MAX)
SPOIL(window_in_memory, f->windows[0].gpa = 0xbffff000)
SPOIL(window_on_rings, f->windows[0].gpa = RINGS_BASE - 0x1000)
SPOIL(window_wraps, f->windows[0].size = -(uint64_t)0x1000)
SPOIL(window_high, f->windows[0].gpa = UINT64_MAX - 0xfff)
SPOIL(window_odd, f->windows[0].gpa += 0x800)
SPOIL(window_size_odd, f->windows[1].size = 0x801)
SPOIL(window_offset_odd, f->windows[1].offset = 1)
SPOIL(no_msix, f->msix.cap = 0)
SPOIL(cap_in_header, f->msix.cap = 0x3c)
SPOIL(cap_at_end, f->msix.cap = 0xf8)
SPOIL(cap_far, f->msix.cap = UINT32_MAX - 3)
SPOIL(cap_odd, f->msix.cap = 0x72)
SPOIL(vectors_none, f->msix.vectors = 0)
SPOIL(vectors_many, f->msix.vectors = PCI_VECTORS_MAX + 1)
SPOIL(table_in_memory, f->msix.table = 0x1000)
SPOIL(table_high, f->msix.table = UINT64_MAX - 7)
SPOIL(table_odd, f->msix.table += 4)
SPOIL(pba_in_memory, f->msix.pba = 0)
SPOIL(pba_odd, f->msix.pba += 4)

static spoil_fn *const bad[] = {
	slot_of_the_bridge,
	slot_of_the_rings,
	slot_far,
	windows_many,
	windows_wrap,
	window_in_memory,
	window_on_rings,
	window_wraps,
	window_high,
	window_odd,
	window_size_odd,
	window_offset_odd,
	no_msix,
	cap_in_header,
	cap_at_end,
	cap_far,
	cap_odd,
	vectors_none,
	vectors_many,
	table_in_memory,
	table_high,
	table_odd,
	pba_in_memory,
	pba_odd,
};

START_TEST(tables_refused)
{
	struct pci_function function = function_make(PCI_SLOT_PASSED);

	ck_assert_int_eq(pci_function_check(&function), 0);
	bad[_i](&function);
	ck_assert_int_eq(pci_function_check(&function), -EPROTO);
}
END_TEST

/* What follows the handoff. */
static int hand_over(const struct handoff_function *messages, unsigned int count, size_t size, size_t nfds,
		     struct vm *vm)
{
	int pair[2], fds[FD_PASS_MAX], null = dup(STDIN_FILENO), err;

	for (unsigned int i = 0; i < FD_PASS_MAX; i++)
		fds[i] = null;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	for (unsigned int i = 0; i < count; i++)
		ck_assert_int_eq(fd_send(pair[0], &messages[i], size, fds, nfds, 0), 0);
	close(pair[0]);
	vm->handoff = (struct handoff){ .functions = count };
	err = functions_receive(pair[1], vm);
	close(pair[1]);
	close(null);
	return err;
}

START_TEST(functions_received)
{
	static struct vm vm;
	struct handoff_function messages[2];
	size_t size = sizeof(messages[0]);

	for (unsigned int i = 0; i < 2; i++)
		messages[i] = (struct handoff_function){ HANDOFF_MAGIC, sizeof(messages[0]),
							 function_make(PCI_SLOT_PASSED + i) };
	ck_assert_int_eq(hand_over(messages, 2, size, FUNCTION_FD_VECTORS + 3, &vm), 0);
	ck_assert_uint_eq(vm.pci.count, 3); /* with the bridge */
	ck_assert_int_ge(vm.passed[1].eventfds[2], 0);
	ck_assert_int_eq(vm.passed[1].eventfds[3], -1);
	ck_assert_int_eq(hand_over(messages, 2, size, FUNCTION_FD_VECTORS + 2, &vm), -EPROTO);
	ck_assert_int_eq(hand_over(messages, 2, size - 1, FUNCTION_FD_VECTORS + 3, &vm), -EPROTO);
	ck_assert_int_eq(hand_over(messages, 0, size, 0, &vm), 0);
	messages[1].function.slot--; /* twice the same */
	ck_assert_int_eq(hand_over(messages, 2, size, FUNCTION_FD_VECTORS + 3, &vm), -EPROTO);
	messages[1].function.slot++;
	messages[1].magic++;
	ck_assert_int_eq(hand_over(messages, 2, size, FUNCTION_FD_VECTORS + 3, &vm), -EPROTO);
	messages[1].magic--;
	messages[1].size++;
	ck_assert_int_eq(hand_over(messages, 2, size, FUNCTION_FD_VECTORS + 3, &vm), -EPROTO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("pci");
	TCase *tc = tcase_create("pci");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_is_there);
	tcase_add_test(tc, bars_tell_their_size);
	tcase_add_test(tc, writes_in_parts);
	tcase_add_test(tc, vectors_begin_masked);
	tcase_add_test(tc, vector_goes);
	tcase_add_test(tc, odd_accesses_are_lost);
	tcase_add_loop_test(tc, anything, 0, 4);
	tcase_add_loop_test(tc, tables_refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, functions_received);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
