/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef DEVICES_PORTS_H
#define DEVICES_PORTS_H

/*
 * The I/O ports and pages of the boot devices: all that a guest can reach but memory. Nothing but numbers stands
 * here, since the guest's helper, the tests' guests and the ACPI source (vmm/boot/dsdt.asl) read it too.
 */
#define PORT_SERIAL	      0x3f8 /* 8250, 8 ports */
#define PORT_SERIAL_SIZE      8
#define PORT_PIT	      0x40  /* nothing is there */
#define PORT_KEYBOARD_STATUS  0x64  /* nor there */
#define PORT_CMOS	      0x70  /* the clock: index, then data */
#define PORT_PCI_ADDRESS      0xcf8 /* PCI configuration mechanism 1: address, then 4 ports of data */
#define PORT_PCI_DATA	      0xcfc
#define PORT_SEAL	      0x600 /* one OUT of a byte: the guest is ready; see seal_port.c */
#define PORT_POWER_OFF	      0x604 /* ACPI's sleep control register: one OUT of a byte with SLP_EN set */
#define PORT_POWER_OFF_STATUS 0x605 /* ACPI's sleep status register */
#define PORT_REBOOT	      0x608 /* ACPI's reset register */
#define PORT_PANIC	      0x60c /* for guests that can say that they panicked */

#define SEAL_PORT_HERE 0x4e /* what reading PORT_SEAL gives */
#define SEAL_LABEL_MAX 64   /* bytes that a guest may say of itself there */

/*
 * A stock kernel resets the machine for a reboot and after a panic alike. What tells them apart is the word that it
 * leaves for the BIOS first: 0x1234 for a warm reboot, 0 for a cold one (arch/x86/kernel/reboot.c,
 * native_machine_emergency_restart()), and `reboot=panic_warm`, which nohype puts on the command line, makes warm the
 * mode of a panic's reset alone (kernel/panic.c: panic_reboot_mode).
 */
#define BIOS_RESET_FLAG	 0x472
#define RESET_FLAG_PANIC 0x1234

#define REBOOT_VALUE 0x01 /* what ACPI says to write to PORT_REBOOT */
#define SLEEP_TYPE   5	  /* SLP_TYP of S5 in the DSDT's \_S5 */

#define IOAPIC_BASE 0xfec00000
#define IOAPIC_SIZE 0x1000
#define IOAPIC_PINS 24
#define LAPIC_BASE  0xfee00000

#define PCI_WINDOW_BASE 0xc0000000 /* the window of the PCI host bridge: up to the I/O APIC */
#define PCI_WINDOW_SIZE 0x3ec00000
#define RINGS_BASE	0xfe000000 /* the shared memory of rings/rings.h, in the window of the PCI host bridge */

#define SERIAL_GSI 4 /* pin of the I/O APIC, edge triggered */

#endif
