// SPDX-License-Identifier: GPL-2.0-only
/* CPUID as each vCPU sees it, made from a host's table that has everything switched on. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/capture.h"
#include "base/util.h"
#include "vmm/x86/x86.h"

#define INDEXED KVM_CPUID_FLAG_SIGNIFCANT_INDEX
#define BIT(n)	(1U << (n))

static const struct kvm_cpuid_entry2 host[] = {
	{ 0x0, 0, 0, 0x20, 0x68747541, 0x444d4163, 0x69746e65 },
	{ 0x1, 0, 0, 0x00a20f12, 0x5a5a1234, 0xffffffff, 0xffffffff },
	{ 0x2, 0, 0, 0x11111111, 0x22222222, 0x33333333, 0x44444444 },
	{ 0x4, 0, INDEXED, 0xffffc121, 0x01c0003f, 0x3f, 0 },	/* data, level 1 */
	{ 0x4, 1, INDEXED, 0xffffc143, 0x03c0003f, 0x3ff, 0 },	/* unified, level 2 */
	{ 0x4, 2, INDEXED, 0xffffc163, 0x03c0003f, 0x3fff, 6 }, /* unified, level 3 */
	{ 0x4, 3, INDEXED, 0, 0, 0, 0 },
	{ 0x6, 0, 0, 0x4, 0, 0xffffffff, 0 },
	{ 0x7, 0, INDEXED, 2, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0x7, 1, INDEXED, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
	{ 0xa, 0, 0, 0x08300805, 0xff, 0, 0x603 },
	{ 0xb, 0, INDEXED, 1, 2, 0x100, 99 },
	{ 0xb, 1, INDEXED, 7, 128, 0x201, 99 },
	{ 0xd, 0, INDEXED, 7, 0x340, 0x340, 0 },
	{ 0xd, 1, INDEXED, 0xf, 0x340, 0x1800, 0 },
	{ 0x1f, 0, INDEXED, 1, 2, 0x100, 99 },
	{ 0x23, 0, 0, 1, 2, 3, 4 },
	{ 0x40000000, 0, 0, 0x40000001, 0x4b4d564b, 0x564b4d56, 0x4d },
	{ 0x40000001, 0, 0, 0x01007efb, 0, 0, 1 },
	{ 0x40000010, 0, 0, 1, 2, 3, 4 },
	{ 0x80000000, 0, 0, 0x80000022, 0x68747541, 0x444d4163, 0x69746e65 },
	{ 0x80000001, 0, 0, 0x00a20f12, 0x20000000, 0xffffffff, 0xffffffff },
	{ 0x80000008, 0, 0, 0x3030, 0x111ef657, 0x0000f0ff, 0x10007 },
	{ 0x8000000a, 0, 0, 1, 8, 0, 0xffff },
	{ 0x8000001d, 0, INDEXED, 0xffffc121, 0x01c0003f, 0x3f, 0 },
	{ 0x8000001d, 3, INDEXED, 0xffffc163, 0x03c0003f, 0x3fff, 1 },
	{ 0x8000001e, 0, 0, 99, 0x1ff, 0x301, 0 },
	{ 0x80000022, 0, 0, 1, 0x6, 0, 0 },
};

static struct cpuid_table table;

static void table_of_host(void)
{
	memset(&table, 0, sizeof(table));
	table.head.nent = ARRAY_SIZE(host);
	memcpy(table.entries, host, sizeof(host));
}

static void shape(unsigned int vcpu, unsigned int vcpus)
{
	table_of_host();
	ck_assert_int_eq(cpuid_shape(&table, vcpu, vcpus), 0);
}

/* The one entry that a CPU would answer with; there must not be a second one. */
static const struct kvm_cpuid_entry2 *get(uint32_t leaf, uint32_t index)
{
	const struct kvm_cpuid_entry2 *found = NULL;

	for (uint32_t i = 0; i < table.head.nent; i++) {
		const struct kvm_cpuid_entry2 *e = &table.entries[i];

		if (e->function != leaf || ((e->flags & INDEXED) && e->index != index))
			continue;
		ck_assert_msg(!found, "leaf 0x%x, index %u is there twice", leaf, index);
		found = e;
	}
	ck_assert_msg(found, "leaf 0x%x, index %u is gone", leaf, index);
	return found;
}

/* What sealed guests must not find, as the design says; by the manuals' bit numbers. */
static const struct {
	const char *name;
	uint32_t leaf;
	int reg; /* 1 EBX, 2 ECX, 3 EDX */
	unsigned int bit;
} hidden[] = {
	{ "MONITOR", 1, 2, 3 },
	{ "VMX", 1, 2, 5 },
	{ "SMX", 1, 2, 6 },
	{ "PDCM", 1, 2, 15 },
	{ "x2APIC", 1, 2, 21 },
	{ "TSC_DEADLINE", 1, 2, 24 },
	{ "APERFMPERF", 6, 2, 0 },
	{ "TSC_ADJUST", 7, 1, 1 },
	{ "AMX_BF16", 7, 3, 22 },
	{ "AMX_TILE", 7, 3, 24 },
	{ "AMX_INT8", 7, 3, 25 },
	{ "SVM", 0x80000001, 2, 2 },
	{ "PERFCTR_CORE", 0x80000001, 2, 23 },
	{ "PERFCTR_NB", 0x80000001, 2, 24 },
	{ "PERFCTR_LLC", 0x80000001, 2, 28 },
	{ "MWAITX", 0x80000001, 2, 29 },
};

static uint32_t reg(const struct kvm_cpuid_entry2 *e, int number)
{
	return number == 1 ? e->ebx : number == 2 ? e->ecx : e->edx;
}

START_TEST(features_hidden)
{
	shape(0, 1);
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		ck_assert_msg(!(reg(get(hidden[i].leaf, 0), hidden[i].reg) & BIT(hidden[i].bit)), "%s is shown",
			      hidden[i].name);
}
END_TEST

/* And no more than these: all other bits of the leaves are the host's. */
START_TEST(features_left_alone)
{
	shape(1, 2);
	for (size_t i = 0; i < ARRAY_SIZE(host); i++) {
		uint32_t want[4] = { host[i].eax, host[i].ebx, host[i].ecx, host[i].edx };
		const struct kvm_cpuid_entry2 *e;

		if (host[i].function != 1 && host[i].function != 6 && host[i].function != 7 &&
		    host[i].function != 0x80000001)
			continue;
		e = get(host[i].function, host[i].index);
		for (size_t j = 0; j < ARRAY_SIZE(hidden); j++)
			if (hidden[j].leaf == host[i].function && host[i].index == 0)
				want[hidden[j].reg] &= ~BIT(hidden[j].bit);
		ck_assert_uint_eq(e->eax, want[0]);
		ck_assert_uint_eq(e->ecx, want[2]);
		ck_assert_uint_eq(e->edx, want[3]);
		if (host[i].function != 1)
			ck_assert_uint_eq(e->ebx, want[1]);
	}
}
END_TEST

static bool shows_global_pages(uint32_t leaf_7_ebx, const char *vendor)
{
	table_of_host();
	for (size_t i = 0; i < ARRAY_SIZE(host); i++) {
		if (host[i].function == 7 && host[i].index == 0)
			table.entries[i].ebx = leaf_7_ebx;
		if (host[i].function == 0)
			memcpy(&table.entries[i].ebx, vendor, 4);
	}
	ck_assert_int_eq(cpuid_shape(&table, 0, 1), 0);
	ck_assert_uint_eq(get(1, 0)->edx >> 13 & 1, get(0x80000001, 0)->edx >> 13 & 1);
	return get(1, 0)->edx & BIT(13);
}

/* CR4 writes of an AMD guest exit, and without INVPCID it needs them for global pages. */
START_TEST(global_pages)
{
	ck_assert(!shows_global_pages(~BIT(10), "Auth"));
	ck_assert(!shows_global_pages(~BIT(10), "Hygo"));
	ck_assert(shows_global_pages(BIT(10), "Auth"));
	ck_assert(shows_global_pages(~BIT(10), "Genu"));
	ck_assert(shows_global_pages(BIT(10), "Genu"));
}
END_TEST

START_TEST(leaves_emptied)
{
	static const uint32_t leaves[] = { 0xa, 0x23, 0x8000000a, 0x80000022 };

	shape(0, 4);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct kvm_cpuid_entry2 *e = get(leaves[i], 0);

		ck_assert_uint_eq(e->eax | e->ebx | e->ecx | e->edx, 0);
	}
}
END_TEST

START_TEST(leaves_left_alone)
{
	static const struct {
		uint32_t leaf, index;
	} same[] = { { 0, 0 }, { 2, 0 }, { 7, 1 }, { 0xd, 0 }, { 0xd, 1 }, { 4, 3 }, { 0x80000000, 0 } };

	shape(1, 2);
	for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
		const struct kvm_cpuid_entry2 *e = get(same[i].leaf, same[i].index), *was = host;

		while (was->function != same[i].leaf || was->index != same[i].index)
			was++;
		ck_assert_mem_eq(e, was, sizeof(*e));
	}
}
END_TEST

/* Of KVM's paravirtual features PV-EOI (bit 6) alone, and nothing else in the hypervisors' range of leaves. */
START_TEST(kvm_leaves)
{
	const struct kvm_cpuid_entry2 *e;

	shape(0, 1);
	e = get(0x40000000, 0);
	ck_assert_uint_eq(e->eax, 0x40000001);
	ck_assert_mem_eq(&e->ebx, "KVMKVMKVM\0\0\0", 12);
	e = get(0x40000001, 0);
	ck_assert_uint_eq(e->eax, BIT(6));
	ck_assert_uint_eq(e->ebx | e->ecx | e->edx, 0);
	for (uint32_t i = 0; i < table.head.nent; i++)
		ck_assert(table.entries[i].function <= 0x40000001 || table.entries[i].function >= 0x40000100);
}
END_TEST

static const struct {
	unsigned int vcpus, bits, addressable;
} sizes[] = {
	{ 1, 0, 1 }, { 2, 1, 2 },   { 3, 2, 4 },     { 4, 2, 4 },
	{ 5, 3, 8 }, { 16, 4, 16 }, { 128, 7, 128 }, { 255, 8, 255 },
};

/* Leaf 1: this vCPU's APIC id, and how many ids there are (8 bits: 255 stands for more), if there is more than one. */
START_TEST(apic_ids)
{
	for (unsigned int vcpu = 0; vcpu < sizes[_i].vcpus; vcpu++) {
		const struct kvm_cpuid_entry2 *e;

		shape(vcpu, sizes[_i].vcpus);
		e = get(1, 0);
		ck_assert_uint_eq(e->ebx >> 24, vcpu);
		ck_assert_uint_eq(e->ebx >> 16 & 0xff, sizes[_i].addressable);
		ck_assert_uint_eq(e->ebx & 0xffff, 0x1234);
		ck_assert_uint_eq(e->edx >> 28 & 1, sizes[_i].vcpus > 1);
		ck_assert_uint_eq(e->ecx >> 31, 1);
		ck_assert_uint_eq(get(0xb, 0)->edx, vcpu);
		ck_assert_uint_eq(get(0x8000001e, 0)->eax, vcpu);
	}
}
END_TEST

/* One package of so many cores, of one thread each; the levels end. */
START_TEST(topology)
{
	static const uint32_t leaves[] = { 0xb, 0x1f };
	unsigned int vcpus = sizes[_i].vcpus;

	shape(vcpus - 1, vcpus);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct kvm_cpuid_entry2 *thread = get(leaves[i], 0), *core = get(leaves[i], 1),
					      *end = get(leaves[i], 2);

		ck_assert_uint_eq(thread->eax, 0);
		ck_assert_uint_eq(thread->ebx, 1);
		ck_assert_uint_eq(thread->ecx, 0x100);
		ck_assert_uint_eq(core->eax, sizes[_i].bits);
		ck_assert_uint_eq(core->ebx, vcpus);
		ck_assert_uint_eq(core->ecx, 0x201);
		ck_assert_uint_eq(end->eax | end->ebx, 0);
		ck_assert_uint_eq(end->ecx, 2);
		ck_assert_uint_eq(end->edx, vcpus - 1);
	}
}
END_TEST

/* AMD's ways to say the same. */
START_TEST(topology_of_amd)
{
	unsigned int vcpus = sizes[_i].vcpus;
	const struct kvm_cpuid_entry2 *e;

	shape(vcpus - 1, vcpus);
	e = get(0x80000008, 0);
	ck_assert_uint_eq(e->ecx & 0xff, vcpus - 1);
	ck_assert_uint_eq(e->ecx >> 12 & 0xf, sizes[_i].bits);
	ck_assert_uint_eq(e->ecx & ~0xf0ffu, 0);
	ck_assert_uint_eq(e->eax, 0x3030);
	ck_assert_uint_eq(e->ebx, 0x111ef657);
	e = get(0x8000001e, 0);
	ck_assert_uint_eq(e->ebx & 0xff, vcpus - 1);
	ck_assert_uint_eq(e->ebx >> 8 & 0xff, 0); /* one thread a core */
	ck_assert_uint_eq(e->ecx, 0);		  /* one node */
}
END_TEST

/* Bits 25-14: threads that share the cache, less one. Level 3 is all vCPUs', the others one's. */
START_TEST(caches)
{
	unsigned int vcpus = sizes[_i].vcpus;

	shape(0, vcpus);
	ck_assert_uint_eq(get(4, 0)->eax >> 14 & 0xfff, 0);
	ck_assert_uint_eq(get(4, 1)->eax >> 14 & 0xfff, 0);
	ck_assert_uint_eq(get(4, 2)->eax >> 14 & 0xfff, vcpus - 1);
	ck_assert_uint_eq(get(4, 2)->eax >> 26, MIN(vcpus - 1, 63U));
	ck_assert_uint_eq(get(4, 2)->eax & 0x3fff, 0xffffc163 & 0x3fff);
	ck_assert_uint_eq(get(0x8000001d, 0)->eax >> 14, 0);
	ck_assert_uint_eq(get(0x8000001d, 3)->eax >> 14, vcpus - 1);
}
END_TEST

/* A host without these leaves (an old one) gets none. */
START_TEST(short_table)
{
	memset(&table, 0, sizeof(table));
	table.head.nent = 1;
	table.entries[0] = host[0];
	ck_assert_int_eq(cpuid_shape(&table, 0, 1), 0);
	ck_assert_uint_eq(table.head.nent, 3); /* and KVM's two */
	ck_assert_mem_eq(&table.entries[0], &host[0], sizeof(host[0]));
}
END_TEST

START_TEST(full_table)
{
	struct capture cap;
	char *text;
	int err;

	memset(&table, 0, sizeof(table));
	table.head.nent = CPUID_ENTRIES_MAX;
	for (uint32_t i = 0; i < CPUID_ENTRIES_MAX; i++)
		table.entries[i] = (struct kvm_cpuid_entry2){ .function = 0x100 + i };
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = cpuid_shape(&table, 0, 1);
	text = capture_end(&cap);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_str_eq(text, "nohype: error: CPUID: more than 256 entries\n");
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cpuid");
	TCase *tc = tcase_create("cpuid");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, features_hidden);
	tcase_add_test(tc, features_left_alone);
	tcase_add_test(tc, global_pages);
	tcase_add_test(tc, leaves_emptied);
	tcase_add_test(tc, leaves_left_alone);
	tcase_add_test(tc, kvm_leaves);
	tcase_add_loop_test(tc, apic_ids, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(tc, topology, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(tc, topology_of_amd, 0, ARRAY_SIZE(sizes));
	tcase_add_loop_test(tc, caches, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tc, short_table);
	tcase_add_test(tc, full_table);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
