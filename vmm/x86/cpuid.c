// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID as a guest sees it. Leaves as in Intel's SDM vol. 2A (CPUID) and AMD's APM vol. 3, appendix E; KVM's own in
 * Documentation/virt/kvm/x86/cpuid.rst.
 */
#include "vmm/x86/x86.h"

#include <errno.h>
#include <linux/kvm_para.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/log.h"
#include "base/util.h"

#define BIT(n)		      (1U << (n))
#define FIELD(high, low)      (((1ULL << ((high) - (low) + 1)) - 1) << (low))
#define PUT(high, low, value) ((uint32_t)((uint64_t)(value) << (low)&FIELD(high, low)))

#define LEAF_KVM	  0x40000000
#define LEAF_KVM_FEATURES 0x40000001

enum reg { EAX, EBX, ECX, EDX };

/* Features that a guest could only use by exiting, or that mean nothing to it. */
struct hidden {
	uint32_t leaf;
	uint32_t index;
	enum reg reg;
	uint32_t bits;
	const char *why;
};

static const struct hidden hidden[] = {
	{ 1, 0, ECX, BIT(3), "MONITOR/MWAIT exits unless the host gives it away" },
	{ 1, 0, ECX, BIT(5) | BIT(6), "VMX, SMX: no nested guests" },
	{ 1, 0, ECX, BIT(15), "PDCM: the PMU's capabilities MSR" },
	{ 1, 0, ECX, BIT(21),
	  "x2APIC: its MSRs look all the same in the exit's record; xAPIC's registers have addresses" },
	{ 1, 0, ECX, BIT(24), "TSC deadline: each write of it exits; the periodic timer needs none" },
	{ 6, 0, ECX, BIT(0), "APERF and MPERF: reads exit" },
	{ 7, 0, EBX, BIT(1), "TSC_ADJUST: Linux reads it once a second, and that exits" },
	{ 7, 0, EDX, BIT(22) | BIT(24) | BIT(25), "AMX: its first use raises #NM, which KVM intercepts" },
	{ 0x80000001, 0, ECX, BIT(2), "SVM: no nested guests" },
	{ 0x80000001, 0, ECX, BIT(23) | BIT(24) | BIT(28), "AMD's performance counters: reads exit" },
	{ 0x80000001, 0, ECX, BIT(29), "MWAITX: as MWAIT" },
};

/* Leaves that are empty for the guest. */
static const uint32_t emptied[] = {
	0xa,	    /* architectural PMU: RDPMC exits */
	0x23,	    /* the same, continued */
	0x8000000a, /* SVM */
	0x80000022, /* AMD's PMU, version 2 */
};

int cpuid_read_supported(int kvm_fd, struct cpuid_table *table)
{
	memset(table, 0, sizeof(*table));
	table->head.nent = CPUID_ENTRIES_MAX;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, &table->head))
		return fail(-errno, "KVM_GET_SUPPORTED_CPUID: %s", strerror(errno));
	return 0;
}

static struct kvm_cpuid_entry2 *cpuid_find(struct cpuid_table *table, uint32_t leaf, uint32_t index)
{
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];

		if (e->function == leaf && (e->index == index || !(e->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX)))
			return e;
	}
	return NULL;
}

static void cpuid_remove(struct cpuid_table *table, uint32_t first, uint32_t last)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < table->head.nent; i++)
		if (table->entries[i].function < first || table->entries[i].function > last)
			table->entries[kept++] = table->entries[i];
	table->head.nent = kept;
}

static int cpuid_add(struct cpuid_table *table, const struct kvm_cpuid_entry2 *entry)
{
	if (table->head.nent >= CPUID_ENTRIES_MAX)
		return -ENOSPC;
	table->entries[table->head.nent++] = *entry;
	return 0;
}

static uint32_t *entry_reg(struct kvm_cpuid_entry2 *e, enum reg reg)
{
	switch (reg) {
	case EAX:
		return &e->eax;
	case EBX:
		return &e->ebx;
	case ECX:
		return &e->ecx;
	default:
		return &e->edx;
	}
}

static void cpuid_hide(struct cpuid_table *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		struct kvm_cpuid_entry2 *e = cpuid_find(table, hidden[i].leaf, hidden[i].index);

		if (e)
			*entry_reg(e, hidden[i].reg) &= ~hidden[i].bits;
	}
	for (size_t i = 0; i < ARRAY_SIZE(emptied); i++) {
		struct kvm_cpuid_entry2 *e = cpuid_find(table, emptied[i], 0);

		if (e)
			e->eax = e->ebx = e->ecx = e->edx = 0;
	}
}

static void reg_clear(struct cpuid_table *table, uint32_t leaf, enum reg reg, uint32_t bits)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, leaf, 0);

	if (e)
		*entry_reg(e, reg) &= ~bits;
}

/*
 * To flush global pages Linux without INVPCID writes CR4.PGE twice, and SVM watches all of CR4 (arch/x86/kvm/svm/svm.c:
 * INTERCEPT_CR4_WRITE); VMX leaves that bit to the guest. Where there are no global pages a write of CR3 does.
 */
static void shape_global_pages(struct cpuid_table *table)
{
	const struct kvm_cpuid_entry2 *vendor = cpuid_find(table, 0, 0), *features = cpuid_find(table, 7, 0);
	bool is_amd = vendor && (!memcmp(&vendor->ebx, "Auth", 4) || !memcmp(&vendor->ebx, "Hygo", 4));

	if (!is_amd || (features && features->ebx & BIT(10)))
		return;
	reg_clear(table, 1, EDX, BIT(13));
	reg_clear(table, 0x80000001, EDX, BIT(13));
}

/* Bits that hold the numbers 0 to @count - 1. */
static unsigned int id_bits(unsigned int count)
{
	unsigned int bits = 0;

	while (1U << bits < count)
		bits++;
	return bits;
}

static void shape_features(struct cpuid_table *table, unsigned int vcpu, unsigned int vcpus)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, 1, 0);

	if (!e)
		return;
	/* how many ids, a power of two: but the field has 8 bits, and 256 must not become none */
	e->ebx = (e->ebx & 0xffff) | PUT(31, 24, vcpu) | PUT(23, 16, MIN(1U << id_bits(vcpus), 255U));
	e->ecx |= BIT(31); /* there is a hypervisor: the guest shall look for KVM's leaves */
	e->edx &= ~BIT(28);
	if (vcpus > 1)
		e->edx |= BIT(28); /* HTT: the count in EBX means something */
}

/* Intel's leaf 4 and AMD's 0x8000001d: caches up to level 2 are a core's own, the last one is everybody's. */
static void shape_caches(struct cpuid_table *table, unsigned int vcpus)
{
	for (uint32_t i = 0; i < table->head.nent; i++) {
		struct kvm_cpuid_entry2 *e = &table->entries[i];
		unsigned int level = e->eax >> 5 & 7;

		if ((e->function != 4 && e->function != 0x8000001d) || !(e->eax & 0x1f))
			continue;
		e->eax &= 0x3fff;
		e->eax |= PUT(25, 14, level >= 3 ? vcpus - 1 : 0);
		if (e->function == 4)
			e->eax |= PUT(31, 26, MIN(vcpus - 1, 63U));
	}
}

/* Leaves 0xb and 0x1f: one thread a core, then all cores of the package, then the end. */
static int shape_topology(struct cpuid_table *table, uint32_t leaf, unsigned int vcpu, unsigned int vcpus)
{
	struct kvm_cpuid_entry2 levels[] = {
		{ .index = 0, .eax = 0, .ebx = 1, .ecx = 0x100 },
		{ .index = 1, .eax = id_bits(vcpus), .ebx = vcpus, .ecx = 0x201 },
		{ .index = 2, .ecx = 2 },
	};

	if (!cpuid_find(table, leaf, 0))
		return 0;
	cpuid_remove(table, leaf, leaf);
	for (size_t i = 0; i < ARRAY_SIZE(levels); i++) {
		levels[i].function = leaf;
		levels[i].flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		levels[i].edx = vcpu;
		if (cpuid_add(table, &levels[i]))
			return -ENOSPC;
	}
	return 0;
}

static void shape_amd(struct cpuid_table *table, unsigned int vcpu, unsigned int vcpus)
{
	struct kvm_cpuid_entry2 *e = cpuid_find(table, 0x80000008, 0);

	if (e) {
		e->ecx &= ~(uint32_t)(FIELD(15, 12) | FIELD(7, 0));
		e->ecx |= PUT(15, 12, id_bits(vcpus)) | PUT(7, 0, vcpus - 1);
	}
	e = cpuid_find(table, 0x8000001e, 0);
	if (e) {
		e->eax = vcpu;
		e->ebx = PUT(7, 0, vcpu); /* core id; bits 15-8: threads a core, less one */
		e->ecx = 0;		  /* one node */
	}
}

/* Of all that KVM offers, the one feature that saves an exit (EOI) and needs none. */
static int shape_kvm(struct cpuid_table *table)
{
	struct kvm_cpuid_entry2 signature = { .function = LEAF_KVM, .eax = LEAF_KVM_FEATURES };
	struct kvm_cpuid_entry2 features = { .function = LEAF_KVM_FEATURES, .eax = BIT(KVM_FEATURE_PV_EOI) };

	memcpy(&signature.ebx, "KVMK", 4);
	memcpy(&signature.ecx, "VMKV", 4);
	memcpy(&signature.edx, "M\0\0", 4);
	cpuid_remove(table, LEAF_KVM, LEAF_KVM + 0xff);
	if (cpuid_add(table, &signature) || cpuid_add(table, &features))
		return -ENOSPC;
	return 0;
}

int cpuid_shape(struct cpuid_table *table, unsigned int vcpu, unsigned int vcpus)
{
	cpuid_hide(table);
	shape_global_pages(table);
	shape_features(table, vcpu, vcpus);
	shape_caches(table, vcpus);
	shape_amd(table, vcpu, vcpus);
	if (shape_topology(table, 0xb, vcpu, vcpus) || shape_topology(table, 0x1f, vcpu, vcpus) || shape_kvm(table))
		return fail(-ENOSPC, "CPUID: more than %d entries", CPUID_ENTRIES_MAX);
	return 0;
}
