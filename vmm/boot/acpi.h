/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef VMM_BOOT_ACPI_H
#define VMM_BOOT_ACPI_H

#include <stddef.h>
#include <stdint.h>

/* The tables that a guest gets, as the ACPI specification 6.3 lays them out (chapter 5.2); for acpi.c and its test. */
#define ACPI_SPACE_IO	  1
#define ACPI_ACCESS_BYTE  1
#define ACPI_RSDP_V1_SIZE 20 /* what the first checksum covers */

/* FADT, "IA-PC Boot Architecture Flags": of the rest "no 8042", "no legacy devices", "MSI supported" are 0. */
#define FADT_NO_VGA (1 << 2)
#define FADT_NO_RTC (1 << 5)

/* FADT, "Fixed Feature Flags": a button or RTC with the flag set is not fixed hardware. */
#define FADT_WBINVD	  (1 << 0)
#define FADT_POWER_BUTTON (1 << 4)
#define FADT_SLEEP_BUTTON (1 << 5)
#define FADT_FIX_RTC	  (1 << 6)
#define FADT_RESET_REG	  (1 << 10)
#define FADT_HW_REDUCED	  (1 << 20)

#define FADT_PROFILE_SERVER 4

#define MADT_LAPIC	0 /* entry types */
#define MADT_IOAPIC	1
#define MADT_ENABLED	1
#define MADT_LAPICS_MAX 255

struct acpi_rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t length;
	uint64_t xsdt;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

struct acpi_header {
	char signature[4];
	uint32_t length;
	uint8_t revision;
	uint8_t checksum;
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} __attribute__((packed));

#define XSDT_TABLES_MAX 4 /* FADT, MADT; SRAT and SLIT where the guest has several nodes */

struct acpi_xsdt {
	struct acpi_header header;
	uint64_t tables[XSDT_TABLES_MAX];
} __attribute__((packed));

/* Generic Address Structure. */
struct acpi_gas {
	uint8_t space;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access;
	uint64_t address;
} __attribute__((packed));

struct acpi_fadt {
	struct acpi_header header;
	uint32_t facs;
	uint32_t dsdt;
	uint8_t reserved;
	uint8_t preferred_profile;
	uint16_t sci_interrupt;
	uint8_t fixed_hardware[61]; /* ports and latencies of what hardware-reduced ACPI lacks */
	uint16_t boot_arch;
	uint8_t reserved2;
	uint32_t flags;
	struct acpi_gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_facs;
	uint64_t x_dsdt;
	struct acpi_gas fixed_registers[8];
	struct acpi_gas sleep_control_reg;
	struct acpi_gas sleep_status_reg;
	char hypervisor[8];
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type;
	uint8_t length;
	uint8_t id;
	uint8_t reserved;
	uint32_t address;
	uint32_t gsi_base;
} __attribute__((packed));

struct madt_lapic {
	uint8_t type;
	uint8_t length;
	uint8_t uid;
	uint8_t apic_id;
	uint32_t flags;
} __attribute__((packed));

struct acpi_madt {
	struct acpi_header header;
	uint32_t lapic_address;
	uint32_t flags; /* 0: no 8259 beside it */
	struct madt_ioapic ioapic;
	struct madt_lapic lapics[MADT_LAPICS_MAX];
} __attribute__((packed));

#define SRAT_CPU     0 /* entry types */
#define SRAT_MEMORY  1
#define SRAT_ENABLED 1

struct srat_cpu {
	uint8_t type;
	uint8_t length;
	uint8_t domain_low; /* bits 7:0 */
	uint8_t apic_id;
	uint32_t flags;
	uint8_t sapic_eid;
	uint8_t domain_high[3]; /* bits 31:8 */
	uint32_t clock_domain;
} __attribute__((packed));

struct srat_memory {
	uint8_t type;
	uint8_t length;
	uint32_t domain;
	uint16_t reserved;
	uint64_t base;
	uint64_t size;
	uint32_t reserved2;
	uint32_t flags;
	uint64_t reserved3;
} __attribute__((packed));

struct acpi_srat {
	struct acpi_header header;
	uint32_t one; /* "reserved to be 1 for backward compatibility" */
	uint64_t reserved;
	uint8_t entries[];
} __attribute__((packed));

struct acpi_slit {
	struct acpi_header header;
	uint64_t count;
	uint8_t distances[];
} __attribute__((packed));

/* For the files that write tables: they are written one behind the other. */
struct acpi_writer {
	uint8_t *base; /* of the area at BOOT_ACPI */
	size_t used;
};

/* Copy @len bytes, on a boundary of 16; returns their guest-physical address, 0 if they don't fit. */
uint64_t acpi_table_add(struct acpi_writer *writer, const void *table, size_t len);

/* Fill a table's header; sign it when the table is whole. */
void acpi_header_set(struct acpi_header *header, const char *signature, uint8_t revision, uint32_t len);
void acpi_header_sign(struct acpi_header *header);

/* srat.c: which node each vCPU and range of memory is of, and how far apart nodes are. Their addresses, or 0. */
struct guest_numa;
uint64_t srat_add(struct acpi_writer *writer, const struct guest_numa *numa, unsigned int vcpus);
uint64_t slit_add(struct acpi_writer *writer, const struct guest_numa *numa);

_Static_assert(sizeof(struct srat_cpu) == 16 && sizeof(struct srat_memory) == 40, "as their length says");
_Static_assert(sizeof(struct acpi_rsdp) == 36, "revision 2");
_Static_assert(sizeof(struct acpi_header) == 36, "description header");
_Static_assert(sizeof(struct acpi_fadt) == 276, "revision 6");
_Static_assert(sizeof(struct madt_ioapic) == 12 && sizeof(struct madt_lapic) == 8, "as their length says");

#endif
