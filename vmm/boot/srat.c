// SPDX-License-Identifier: GPL-2.0-only
/* The guest's NUMA nodes: ACPI 6.3, 5.2.16 (SRAT) and 5.2.17 (SLIT). */
#include <string.h>

#include "vmm/boot/acpi.h"
#include "vmm/boot/boot.h"

#define SRAT_MAX                                                               \
	(sizeof(struct acpi_srat) + BOOT_VCPUS_MAX * sizeof(struct srat_cpu) + \
	 (BOOT_DOMAINS_MAX + MEMORY_RANGES) * sizeof(struct srat_memory))
#define SLIT_MAX (sizeof(struct acpi_slit) + BOOT_DOMAINS_MAX * BOOT_DOMAINS_MAX)

uint64_t srat_add(struct acpi_writer *writer, const struct guest_numa *numa, unsigned int vcpus)
{
	uint8_t table[SRAT_MAX] = { 0 };
	struct acpi_srat *srat = (struct acpi_srat *)table;
	size_t len = sizeof(*srat);

	if (vcpus > BOOT_VCPUS_MAX)
		return 0;
	srat->one = 1;
	for (uint32_t i = 0; i < numa->nmemory; i++, len += sizeof(struct srat_memory)) {
		const struct srat_memory entry = { .type = SRAT_MEMORY,
						   .length = sizeof(entry),
						   .domain = numa->memory[i].domain,
						   .base = numa->memory[i].gpa,
						   .size = numa->memory[i].size,
						   .flags = SRAT_ENABLED };

		memcpy(table + len, &entry, sizeof(entry));
	}
	for (unsigned int i = 0; i < vcpus; i++, len += sizeof(struct srat_cpu)) {
		const struct srat_cpu entry = { .type = SRAT_CPU,
						.length = sizeof(entry),
						.domain_low = (uint8_t)numa->vcpus[i],
						.apic_id = (uint8_t)i,
						.flags = SRAT_ENABLED };

		memcpy(table + len, &entry, sizeof(entry));
	}
	acpi_header_set(&srat->header, "SRAT", 3, (uint32_t)len);
	acpi_header_sign(&srat->header);
	return acpi_table_add(writer, table, len);
}

uint64_t slit_add(struct acpi_writer *writer, const struct guest_numa *numa)
{
	uint8_t table[SLIT_MAX] = { 0 };
	struct acpi_slit *slit = (struct acpi_slit *)table;
	size_t len = sizeof(*slit) + (size_t)numa->count * numa->count;

	slit->count = numa->count;
	for (uint32_t i = 0; i < numa->count; i++)
		memcpy(slit->distances + (size_t)i * numa->count, numa->distances[i], numa->count);
	acpi_header_set(&slit->header, "SLIT", 1, (uint32_t)len);
	acpi_header_sign(&slit->header);
	return acpi_table_add(writer, table, len);
}
