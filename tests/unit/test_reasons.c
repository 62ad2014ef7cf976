// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit reasons: the filters that the kernel is given, evaluated for every number, against the tables. The filters'
 * language is that of Documentation/trace/events.rst, 5.1: comparisons, "&" as "any of these bits", &&, ||, !, ().
 */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "vmm/x86/reasons.h"

#define LAST_REASON 0x1000

struct record {
	uint64_t exit_reason, intr_info, info1, info2;
};

struct parser {
	const char *at;
	const struct record *record;
};

static bool any(struct parser *parser);

static bool took(struct parser *parser, const char *text)
{
	parser->at += strspn(parser->at, " ");
	if (strncmp(parser->at, text, strlen(text)) != 0)
		return false;
	parser->at += strlen(text);
	return true;
}

static uint64_t field(struct parser *parser)
{
	if (took(parser, "exit_reason"))
		return parser->record->exit_reason;
	if (took(parser, "intr_info"))
		return parser->record->intr_info;
	if (took(parser, "info1"))
		return parser->record->info1;
	ck_assert_msg(took(parser, "info2"), "a field wanted at \"%s\"", parser->at);
	return parser->record->info2;
}

static uint64_t number(struct parser *parser)
{
	char *end;
	uint64_t value = strtoull(parser->at, &end, 0);

	ck_assert_msg(end != parser->at, "a number wanted at \"%s\"", parser->at);
	parser->at = end;
	return value;
}

static bool one(struct parser *parser)
{
	uint64_t value;
	bool result;

	if (took(parser, "!"))
		return !one(parser);
	if (took(parser, "(")) {
		result = any(parser);
		ck_assert_msg(took(parser, ")"), "a ) wanted at \"%s\"", parser->at);
		return result;
	}
	value = field(parser);
	if (took(parser, "!="))
		return value != number(parser);
	if (took(parser, "=="))
		return value == number(parser);
	ck_assert_msg(took(parser, "&"), "an operator wanted at \"%s\"", parser->at);
	return (value & number(parser)) != 0;
}

static bool all(struct parser *parser)
{
	bool result = one(parser);

	while (took(parser, "&&"))
		result &= one(parser);
	return result;
}

static bool any(struct parser *parser)
{
	bool result = all(parser);

	while (took(parser, "||"))
		result |= all(parser);
	return result;
}

static bool matches(const char *filter, struct record record)
{
	struct parser parser = { filter, &record };
	bool result = any(&parser);

	ck_assert_msg(!*parser.at, "\"%s\" is left over", parser.at);
	return result;
}

static const struct vendor *const vendors[] = { &vendor_amd, &vendor_intel };

START_TEST(strict_is_the_table)
{
	const struct vendor *vendor = vendors[_i];

	for (uint32_t number = 0; number < LAST_REASON; number++) {
		const struct exit_reason *reason = reason_find(vendor, number);
		bool host = reason && reason->host;

		ck_assert_msg(matches(vendor->strict_filter, (struct record){ number, 0, 0, 0 }) == !host, "%s exit %u",
			      vendor->name, number);
	}
	/* a failed entry: VMX sets bit 31, SVM's VMEXIT_INVALID is -1 */
	ck_assert(matches(vendor->strict_filter, (struct record){ UINT32_MAX, 0, 0, 0 }));
	ck_assert(matches(vendor->strict_filter, (struct record){ 0x80000021, 0, 0, 0 }));
}
END_TEST

/* All that passes, by number: what the table says is what DESIGN and the man page say. */
START_TEST(host_reasons)
{
	static const uint32_t amd[] = { 0x60, 0x61, 0x62, 0x63, 0x64 }, intel[] = { 1, 3, 7, 8, 41, 52 };
	const uint32_t *wanted = _i ? intel : amd;
	size_t count = _i ? ARRAY_SIZE(intel) : ARRAY_SIZE(amd), found = 0;

	for (size_t i = 0; i < vendors[_i]->count; i++) {
		const struct exit_reason *reason = &vendors[_i]->reasons[i];

		if (!reason->host)
			continue;
		ck_assert_uint_lt(found, count);
		ck_assert_uint_eq(reason->number, wanted[found++]);
	}
	ck_assert_uint_eq(found, count);
}
END_TEST

/* Reason 0 is an NMI of the host's, or an exception of the guest's: told apart by what came with it. */
START_TEST(intel_nmi)
{
	static const struct {
		uint64_t intr_info;
		bool dies;
	} cases[] = {
		{ 0x80000202, false }, /* NMI */
		{ 0x80001202, false }, /* NMI, and NMIs unblocked by IRET */
		{ 0x80000306, true },  /* #UD */
		{ 0x80000301, true },  /* #DB */
		{ 0x80000b11, true },  /* #AC with an error code */
		{ 0x80000312, true },  /* #MC */
		{ 0x80000302, true },  /* vector 2, but an exception */
		{ 0x00000202, true },  /* not valid */
		{ 0, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ck_assert_msg(matches(vendor_intel.strict_filter, (struct record){ 0, cases[i].intr_info, 0, 0 }) ==
				      cases[i].dies,
			      "0x%lx", cases[i].intr_info);
	/* and it says nothing about others */
	ck_assert(matches(vendor_intel.strict_filter, (struct record){ 10, 0x80000202, 0, 0 }));
}
END_TEST

static const struct {
	const struct vendor *vendor;
	struct record record;
	bool passes;
	enum except_kind kind; /* EOI, if not said */
} excepted[] = {
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee000b0 }, true },
	{ &vendor_amd, { 0x400, 0, 0x10000000f, 0xfee000b0 }, true },	/* of a page that is known to be a device's */
	{ &vendor_amd, { 0x400, 0, 0x100000004, 0xfee000b0 }, false },	/* a read */
	{ &vendor_amd, { 0x400, 0, 0x100000014, 0xfee000b0 }, false },	/* a fetch */
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee00380 }, false },	/* the timer */
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee00300 }, false },	/* an IPI */
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0x1fee000b0 }, false }, /* elsewhere */
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xb0 }, false },
	{ &vendor_amd, { 0x7c, 0, 2, 0xfee000b0 }, false },
	{ &vendor_intel, { 44, 0, 0x10b0, 0 }, true },
	{ &vendor_intel, { 44, 0, 0x00b0, 0 }, false }, /* a read */
	{ &vendor_intel, { 44, 0, 0x20b0, 0 }, false }, /* a fetch */
	{ &vendor_intel, { 44, 0, 0x1380, 0 }, false },
	{ &vendor_intel, { 44, 0, 0x1300, 0 }, false },
	{ &vendor_intel, { 48, 0, 0x10b0, 0 }, false },
	{ &vendor_intel, { 30, 0, 0x10b0, 0 }, false },

	{ &vendor_amd, { 0x72, 0, 0, 0 }, true, EXCEPT_CPUID },
	{ &vendor_amd, { 0x7b, 0, 0, 0 }, false, EXCEPT_CPUID },
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee000b0 }, false, EXCEPT_CPUID },
	{ &vendor_intel, { 10, 0, 0, 0 }, true, EXCEPT_CPUID },
	{ &vendor_intel, { 0x72, 0, 0, 0 }, false, EXCEPT_CPUID },
	{ &vendor_intel, { 0x8000000a, 0, 0, 0 }, false, EXCEPT_CPUID }, /* an entry that failed */

	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee00300 }, true, EXCEPT_IPI },
	{ &vendor_amd, { 0x400, 0, 0x100000004, 0xfee00300 }, true, EXCEPT_IPI }, /* Linux looks whether it is sent */
	{ &vendor_amd, { 0x400, 0, 0x10000000f, 0xfee00310 }, true, EXCEPT_IPI },
	{ &vendor_amd, { 0x401, 0, 0x10000040fd, 0 }, true, EXCEPT_IPI },
	{ &vendor_amd, { 0x402, 0, 0x10000040fd, 0xfee00300 }, false, EXCEPT_IPI },
	{ &vendor_amd, { 0x400, 0, 0x100000014, 0xfee00300 }, false, EXCEPT_IPI }, /* a fetch */
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee00380 }, false, EXCEPT_IPI },
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee000b0 }, false, EXCEPT_IPI },
	{ &vendor_amd, { 0x400, 0, 0x100000006, 0xfee00304 }, false, EXCEPT_IPI },
	{ &vendor_amd, { 0x7c, 0, 1, 0xfee00300 }, false, EXCEPT_IPI },
	{ &vendor_intel, { 44, 0, 0x1300, 0 }, true, EXCEPT_IPI },
	{ &vendor_intel, { 44, 0, 0x0300, 0 }, true, EXCEPT_IPI },
	{ &vendor_intel, { 44, 0, 0x1310, 0 }, true, EXCEPT_IPI },
	{ &vendor_intel, { 56, 0, 0x300, 0 }, true, EXCEPT_IPI },
	{ &vendor_intel, { 44, 0, 0x2300, 0 }, false, EXCEPT_IPI }, /* a fetch */
	{ &vendor_intel, { 44, 0, 0x1380, 0 }, false, EXCEPT_IPI },
	{ &vendor_intel, { 44, 0, 0x10b0, 0 }, false, EXCEPT_IPI },
	{ &vendor_intel, { 56, 0, 0x380, 0 }, false, EXCEPT_IPI },
	{ &vendor_intel, { 32, 0, 0x300, 0 }, false, EXCEPT_IPI },
};

START_TEST(exception_alone)
{
	ck_assert(matches(excepted[_i].vendor->except_filters[excepted[_i].kind], excepted[_i].record) ==
		  excepted[_i].passes);
	ck_assert((excepted[_i].vendor->except_kind((uint32_t)excepted[_i].record.exit_reason,
						    excepted[_i].record.info1, excepted[_i].record.info2) ==
		   (int)excepted[_i].kind) == excepted[_i].passes);
}
END_TEST

static const struct {
	const struct vendor *vendor;
	uint64_t info1;
	int port; /* -1: not one OUT of a byte */
} outs[] = {
	/* as the emulated host recorded them */
	{ &vendor_amd, 0x00800010, 0x80 },
	{ &vendor_amd, 0x06000010, 0x600 },
	{ &vendor_amd, 0x06040210, 0x604 }, /* with an address size, which means nothing here */
	{ &vendor_amd, 0xffff0010, 0xffff },
	{ &vendor_amd, 0x06040011, -1 }, /* IN */
	{ &vendor_amd, 0x06040020, -1 }, /* 2 bytes */
	{ &vendor_amd, 0x06040040, -1 }, /* 4 bytes */
	{ &vendor_amd, 0x06040014, -1 }, /* OUTS */
	{ &vendor_amd, 0x0604001c, -1 }, /* REP OUTS */
	{ &vendor_amd, 0x06040018, -1 }, /* REP alone */
	{ &vendor_amd, 0x06040000, -1 }, /* no size */
	/* SDM vol. 3, table 28-5; bit 6: the port was in the instruction */
	{ &vendor_intel, 0x06040000, 0x604 },
	{ &vendor_intel, 0x00800040, 0x80 },
	{ &vendor_intel, 0x06040001, -1 }, /* 2 bytes */
	{ &vendor_intel, 0x06040003, -1 }, /* 4 bytes */
	{ &vendor_intel, 0x06040008, -1 }, /* IN */
	{ &vendor_intel, 0x06040010, -1 }, /* OUTS */
	{ &vendor_intel, 0x06040030, -1 }, /* REP OUTS */
};

START_TEST(out_byte)
{
	uint16_t port = 0;
	bool is = outs[_i].vendor->is_out_byte(outs[_i].info1, &port);

	ck_assert_int_eq(is ? port : -1, outs[_i].port);
}
END_TEST

START_TEST(msr_access)
{
	ck_assert(vendor_amd.is_msr_write(0x7c, 1));
	ck_assert(!vendor_amd.is_msr_write(0x7c, 0));
	ck_assert(vendor_intel.is_msr_write(32, 0));
	ck_assert(!vendor_intel.is_msr_write(31, 0));
}
END_TEST

START_TEST(table_is_sound)
{
	const struct vendor *vendor = vendors[_i];

	for (size_t i = 0; i < vendor->count; i++) {
		const struct exit_reason *reason = &vendor->reasons[i];

		ck_assert_msg(!i || reason[-1].number != reason->number, "%s: twice", reason->name);
		ck_assert_ptr_eq(reason_find(vendor, reason->number), reason);
		ck_assert_uint_gt(strlen(reason->name), 1);
		ck_assert_uint_gt(strlen(reason->cause), 1);
		ck_assert_msg(reason->host == !reason->avoid, "%s: the guest can avoid what is its own", reason->name);
	}
	ck_assert_ptr_null(reason_find(vendor, 0xfff));
	ck_assert_ptr_eq(vendor_by_isa(vendor->isa), vendor);
	ck_assert_str_eq(reason_find(vendor, vendor->io_number)->name, "port I/O");
	ck_assert_ptr_nonnull(strstr(reason_find(vendor, vendor->msr_first)->name, "MSR"));
	ck_assert_ptr_nonnull(strstr(reason_find(vendor, vendor->msr_last)->name, "MSR"));
}
END_TEST

START_TEST(no_such_isa)
{
	ck_assert_ptr_null(vendor_by_isa(0));
	ck_assert_ptr_null(vendor_by_isa(3));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reasons");
	TCase *tc = tcase_create("reasons");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, strict_is_the_table, 0, ARRAY_SIZE(vendors));
	tcase_add_loop_test(tc, host_reasons, 0, ARRAY_SIZE(vendors));
	tcase_add_test(tc, intel_nmi);
	tcase_add_loop_test(tc, exception_alone, 0, ARRAY_SIZE(excepted));
	tcase_add_loop_test(tc, out_byte, 0, ARRAY_SIZE(outs));
	tcase_add_test(tc, msr_access);
	tcase_add_loop_test(tc, table_is_sound, 0, ARRAY_SIZE(vendors));
	tcase_add_test(tc, no_such_isa);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
