// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/boot/boot.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/log.h"
#include "devices/ports.h"
#include "dsdt.h"
#include "vmm/boot/acpi.h"

static uint8_t checksum(const void *table, size_t len)
{
	const uint8_t *bytes = table;
	uint8_t sum = 0;

	while (len--)
		sum += *bytes++;
	return -sum;
}

uint64_t acpi_table_add(struct acpi_writer *writer, const void *table, size_t len)
{
	size_t start = align_up(writer->used, 16);

	if (!range_fits(start, len, BOOT_ACPI_END - BOOT_ACPI))
		return 0;
	memcpy(writer->base + start, table, len);
	writer->used = start + len;
	return BOOT_ACPI + start;
}

void acpi_header_set(struct acpi_header *header, const char *signature, uint8_t revision, uint32_t len)
{
	*header = (struct acpi_header){ .length = len, .revision = revision, .oem_revision = 1, .creator_revision = 1 };
	memcpy(header->signature, signature, sizeof(header->signature));
	memcpy(header->oem_id, "NOHYPE", sizeof(header->oem_id));
	memcpy(header->oem_table_id, "NOHYPE  ", sizeof(header->oem_table_id));
	memcpy(header->creator_id, "NHYP", sizeof(header->creator_id));
}

void acpi_header_sign(struct acpi_header *header)
{
	header->checksum = 0;
	header->checksum = checksum(header, header->length);
}

static struct acpi_gas port_of_byte(uint16_t port)
{
	return (struct acpi_gas){ .space = ACPI_SPACE_IO, .bit_width = 8, .access = ACPI_ACCESS_BYTE, .address = port };
}

/*
 * Hardware-reduced: no fixed ACPI hardware, so no SCI, no power management timer; and Linux then leaves PIT, PIC and
 * RTC alone (arch/x86/kernel/acpi/boot.c, acpi_generic_reduced_hw_init()).
 */
static uint64_t fadt_add(struct acpi_writer *writer, uint64_t dsdt)
{
	struct acpi_fadt fadt = {
		.dsdt = dsdt,
		.x_dsdt = dsdt,
		.preferred_profile = FADT_PROFILE_SERVER,
		.boot_arch = FADT_NO_VGA | FADT_NO_RTC,
		.flags = FADT_WBINVD | FADT_POWER_BUTTON | FADT_SLEEP_BUTTON | FADT_FIX_RTC | FADT_RESET_REG |
			 FADT_HW_REDUCED,
		.reset_reg = port_of_byte(PORT_REBOOT),
		.reset_value = REBOOT_VALUE,
		.minor_version = 3,
		.sleep_control_reg = port_of_byte(PORT_POWER_OFF),
		.sleep_status_reg = port_of_byte(PORT_POWER_OFF_STATUS),
		.hypervisor = "NOHYPE",
	};

	acpi_header_set(&fadt.header, "FACP", 6, sizeof(fadt));
	acpi_header_sign(&fadt.header);
	return acpi_table_add(writer, &fadt, sizeof(fadt));
}

/* vCPU n has APIC id n; ids up to 254 are the xAPIC's (255 means all). */
static uint64_t madt_add(struct acpi_writer *writer, unsigned int vcpus)
{
	struct acpi_madt madt = { .lapic_address = LAPIC_BASE };

	if (vcpus > MADT_LAPICS_MAX)
		return 0;
	for (unsigned int i = 0; i < vcpus; i++)
		madt.lapics[i] = (struct madt_lapic){ MADT_LAPIC, sizeof(struct madt_lapic), i, i, MADT_ENABLED };
	madt.ioapic = (struct madt_ioapic){ MADT_IOAPIC, sizeof(madt.ioapic), 0, 0, IOAPIC_BASE, 0 };
	/* The I/O APIC stands before the CPUs, so that the table can end after as many as there are. */
	acpi_header_set(&madt.header, "APIC", 5, offsetof(struct acpi_madt, lapics) + vcpus * sizeof(madt.lapics[0]));
	acpi_header_sign(&madt.header);
	return acpi_table_add(writer, &madt, madt.header.length);
}

static uint64_t xsdt_add(struct acpi_writer *writer, const uint64_t *tables, size_t count)
{
	struct acpi_xsdt xsdt = { 0 };

	memcpy(xsdt.tables, tables, count * sizeof(*tables));
	acpi_header_set(&xsdt.header, "XSDT", 1, offsetof(struct acpi_xsdt, tables) + count * sizeof(*tables));
	acpi_header_sign(&xsdt.header);
	return acpi_table_add(writer, &xsdt, xsdt.header.length);
}

/* All that the XSDT names; false: one doesn't fit. */
static bool tables_add(struct acpi_writer *writer, unsigned int vcpus, const struct guest_numa *numa, uint64_t *tables,
		       size_t *count)
{
	uint64_t dsdt = acpi_table_add(writer, dsdt_aml_code, sizeof(dsdt_aml_code));
	bool fits = dsdt != 0;

	*count = 0;
	tables[(*count)++] = fadt_add(writer, dsdt);
	tables[(*count)++] = madt_add(writer, vcpus);
	if (numa && numa->count > 1)
		tables[(*count)++] = srat_add(writer, numa, vcpus);
	if (numa && numa->count > 1 && numa->distances[0][0])
		tables[(*count)++] = slit_add(writer, numa);
	for (size_t i = 0; i < *count; i++)
		fits &= tables[i] != 0;
	return fits;
}

static void rsdp_write(uint8_t *to, uint64_t xsdt)
{
	struct acpi_rsdp rsdp = {
		.signature = "RSD PTR ", .oem_id = "NOHYPE", .revision = 2, .length = sizeof(rsdp), .xsdt = xsdt
	};

	rsdp.checksum = checksum(&rsdp, ACPI_RSDP_V1_SIZE);
	rsdp.extended_checksum = checksum(&rsdp, sizeof(rsdp));
	memcpy(to, &rsdp, sizeof(rsdp));
}

int acpi_write(const struct memory *mem, unsigned int vcpus, const struct guest_numa *numa)
{
	struct acpi_writer writer = { .used = sizeof(struct acpi_rsdp) };
	uint64_t tables[XSDT_TABLES_MAX], xsdt = 0;
	size_t count;

	writer.base = memory_at(mem, BOOT_ACPI, BOOT_ACPI_END - BOOT_ACPI, "ACPI tables");
	if (!writer.base)
		return -EFAULT;
	if (tables_add(&writer, vcpus, numa, tables, &count))
		xsdt = xsdt_add(&writer, tables, count);
	if (!xsdt)
		return fail(-ENOSPC, "ACPI tables: %u vCPUs don't fit below 0x%x", vcpus, BOOT_ACPI_END);
	rsdp_write(writer.base, xsdt);
	return 0;
}
