// SPDX-License-Identifier: GPL-2.0-only
/* The ACPI tables as a guest finds them: from the RSDP on, by their checksums, for every number of vCPUs. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <stdlib.h>

#include "base/capture.h"
#include "devices/ports.h"
#include "tests/unit/image.h"
#include "vmm/boot/acpi.h"
#include "vmm/boot/boot.h"
#include "vmm/config/config.h"

static const unsigned int vcpu_counts[] = { 1, 2, 4, 64, 254, VM_VCPUS_MAX };

static uint8_t sum(const void *at, size_t len)
{
	const uint8_t *bytes = at;
	uint8_t total = 0;

	while (len--)
		total += *bytes++;
	return total;
}

/* The table at @gpa, of which signature and checksum are right. */
static const void *table_at(const struct memory *mem, uint64_t gpa, const char *signature)
{
	const struct acpi_header *header;

	ck_assert_uint_ge(gpa, BOOT_ACPI);
	ck_assert_uint_lt(gpa, BOOT_ACPI_END);
	header = memory_at(mem, gpa, sizeof(*header), signature);
	ck_assert_mem_eq(header->signature, signature, 4);
	ck_assert_uint_le(gpa + header->length, BOOT_ACPI_END);
	ck_assert_uint_eq(sum(header, header->length), 0);
	return header;
}

static const struct acpi_xsdt *xsdt_find(const struct memory *mem)
{
	const struct acpi_rsdp *rsdp = memory_at(mem, BOOT_ACPI, sizeof(*rsdp), "RSDP");

	ck_assert_mem_eq(rsdp->signature, "RSD PTR ", 8);
	ck_assert_uint_eq(rsdp->revision, 2);
	ck_assert_uint_eq(sum(rsdp, 20), 0);
	ck_assert_uint_eq(sum(rsdp, 36), 0);
	return table_at(mem, rsdp->xsdt, "XSDT");
}

static void tables_make(struct memory *mem, unsigned int vcpus)
{
	memory_sparse(mem, MIB(64));
	ck_assert_int_eq(acpi_write(mem, vcpus, NULL), 0);
}

START_TEST(fadt_fields)
{
	const struct acpi_fadt *fadt;
	struct memory mem;

	tables_make(&mem, 1);
	fadt = table_at(&mem, xsdt_find(&mem)->tables[0], "FACP");
	ck_assert_uint_eq(fadt->header.revision, 6);
	ck_assert_uint_eq(fadt->header.length, 276);
	ck_assert_uint_eq(fadt->flags & (FADT_HW_REDUCED | FADT_RESET_REG), FADT_HW_REDUCED | FADT_RESET_REG);
	ck_assert_uint_eq(fadt->reset_reg.space, ACPI_SPACE_IO);
	ck_assert_uint_eq(fadt->reset_reg.address, PORT_REBOOT);
	ck_assert_uint_eq(fadt->reset_value, REBOOT_VALUE);
	ck_assert_uint_eq(fadt->sleep_control_reg.address, PORT_POWER_OFF);
	ck_assert_uint_eq(fadt->sleep_status_reg.address, PORT_POWER_OFF_STATUS);
	ck_assert_uint_eq(fadt->dsdt, fadt->x_dsdt);
	table_at(&mem, fadt->x_dsdt, "DSDT");
	memory_release(&mem);
}
END_TEST

START_TEST(madt_entries)
{
	const unsigned int vcpus = vcpu_counts[_i];
	const struct acpi_madt *table;
	struct memory mem;

	tables_make(&mem, vcpus);
	table = table_at(&mem, xsdt_find(&mem)->tables[1], "APIC");
	ck_assert_uint_eq(table->header.length, 44 + 12 + 8 * vcpus);
	ck_assert_uint_eq(table->lapic_address, LAPIC_BASE);
	ck_assert_uint_eq(table->flags, 0);
	ck_assert_uint_eq(table->ioapic.type, 1);
	ck_assert_uint_eq(table->ioapic.length, 12);
	ck_assert_uint_eq(table->ioapic.address, IOAPIC_BASE);
	ck_assert_uint_eq(table->ioapic.gsi_base, 0);
	for (unsigned int i = 0; i < vcpus; i++) {
		ck_assert_uint_eq(table->lapics[i].type, 0);
		ck_assert_uint_eq(table->lapics[i].length, 8);
		ck_assert_uint_eq(table->lapics[i].apic_id, i);
		ck_assert_uint_eq(table->lapics[i].flags, 1);
	}
	memory_release(&mem);
}
END_TEST

/* Two nodes of which one has two pieces of memory, and three vCPUs. */
static const struct guest_numa two_nodes = {
	.count = 2,
	.nmemory = 3,
	.memory = { { 0, MIB(2), 0 }, { MIB(16), MIB(30), 0 }, { MIB(46), MIB(32), 1 } },
	.vcpus = { 0, 1, 1 },
	.distances = { { 10, 21 }, { 21, 10 } }
};

START_TEST(nodes)
{
	const struct acpi_xsdt *xsdt;
	const struct acpi_srat *srat;
	const struct acpi_slit *slit;
	const struct srat_memory *ranges;
	const struct srat_cpu *cpus;
	struct memory mem;

	memory_sparse(&mem, MIB(64));
	ck_assert_int_eq(acpi_write(&mem, 3, &two_nodes), 0);
	xsdt = xsdt_find(&mem);
	ck_assert_uint_eq(xsdt->header.length, 36 + 4 * 8);
	srat = table_at(&mem, xsdt->tables[2], "SRAT");
	ck_assert_uint_eq(srat->header.length, 48 + 3 * 40 + 3 * 16);
	ranges = (const struct srat_memory *)srat->entries;
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(ranges[i].type, 1);
		ck_assert_uint_eq(ranges[i].length, 40);
		ck_assert_uint_eq(ranges[i].base, two_nodes.memory[i].gpa);
		ck_assert_uint_eq(ranges[i].size, two_nodes.memory[i].size);
		ck_assert_uint_eq(ranges[i].domain, two_nodes.memory[i].domain);
		ck_assert_uint_eq(ranges[i].flags, 1);
	}
	cpus = (const struct srat_cpu *)(ranges + 3);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(cpus[i].type, 0);
		ck_assert_uint_eq(cpus[i].length, 16);
		ck_assert_uint_eq(cpus[i].apic_id, i);
		ck_assert_uint_eq(cpus[i].domain_low, two_nodes.vcpus[i]);
		ck_assert_uint_eq(cpus[i].flags, 1);
	}
	slit = table_at(&mem, xsdt->tables[3], "SLIT");
	ck_assert_uint_eq(slit->count, 2);
	ck_assert_mem_eq(slit->distances, "\x0a\x15\x15\x0a", 4);
	memory_release(&mem);
}
END_TEST

/* One node is none: the guest is told of nothing. Of nodes without distances there is no SLIT. */
START_TEST(nodes_of_less)
{
	struct guest_numa numa = two_nodes;
	struct memory mem;

	memory_sparse(&mem, MIB(64));
	numa.distances[0][0] = 0;
	ck_assert_int_eq(acpi_write(&mem, 3, &numa), 0);
	ck_assert_uint_eq(xsdt_find(&mem)->header.length, 36 + 3 * 8);
	numa.count = 1;
	ck_assert_int_eq(acpi_write(&mem, 3, &numa), 0);
	ck_assert_uint_eq(xsdt_find(&mem)->header.length, 36 + 2 * 8);
	memory_release(&mem);
}
END_TEST

START_TEST(too_many)
{
	struct capture cap;
	struct memory mem;
	char *text;
	int err;

	memory_sparse(&mem, MIB(64));
	capture_begin(&cap);
	err = acpi_write(&mem, VM_VCPUS_MAX + 1, NULL);
	text = capture_end(&cap);
	ck_assert_int_eq(err, -ENOSPC);
	ck_assert_str_eq(text, "nohype: error: ACPI tables: 256 vCPUs don't fit below 0xff000\n");
	free(text);
	memory_release(&mem);
}
END_TEST

static void table_save(const char *folder, const char *name, const struct acpi_header *table)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.aml", folder, name);
	file = fopen(path, "wbe");
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(table, table->length, 1, file), 1);
	fclose(file);
}

/* iasl takes our tables apart without a complaint; it was there to build us. */
START_TEST(disassembles)
{
	char folder[] = "/tmp/nohype-test-XXXXXX", command[512];
	const struct acpi_fadt *fadt_table;
	struct memory mem;

	memory_sparse(&mem, MIB(64));
	ck_assert_int_eq(acpi_write(&mem, 3, &two_nodes), 0);
	ck_assert_ptr_nonnull(mkdtemp(folder));
	fadt_table = table_at(&mem, xsdt_find(&mem)->tables[0], "FACP");
	table_save(folder, "facp", &fadt_table->header);
	table_save(folder, "apic", table_at(&mem, xsdt_find(&mem)->tables[1], "APIC"));
	table_save(folder, "srat", table_at(&mem, xsdt_find(&mem)->tables[2], "SRAT"));
	table_save(folder, "slit", table_at(&mem, xsdt_find(&mem)->tables[3], "SLIT"));
	table_save(folder, "dsdt", table_at(&mem, fadt_table->x_dsdt, "DSDT"));
	snprintf(command, sizeof(command),
		 "cd %s && for t in facp apic srat slit dsdt; do iasl -d $t.aml >$t.log 2>&1 || exit 1; "
		 "grep -iE 'error|invalid|incorrect|unknown' $t.dsl $t.log | grep -v '0 Errors' && exit 1; done; rm -r "
		 "%s",
		 folder, folder);
	ck_assert_int_eq(system(command), 0);
	memory_release(&mem);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("acpi");
	TCase *tc = tcase_create("acpi");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, fadt_fields);
	tcase_add_loop_test(tc, madt_entries, 0, ARRAY_SIZE(vcpu_counts));
	tcase_add_test(tc, nodes);
	tcase_add_test(tc, nodes_of_less);
	tcase_add_test(tc, too_many);
	tcase_add_test(tc, disassembles);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
