/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What ACPI tells a guest that its other tables don't: how to power off, the PCI host bridge and the serial port.
 * Goes through the C preprocessor for the numbers, then through iasl.
 */
#include "devices/ports.h"

DefinitionBlock ("", "DSDT", 2, "NOHYPE", "NOHYPE", 1)
{
	Name (_S5, Package () { SLEEP_TYPE, SLEEP_TYPE, 0, 0 })

	Scope (_SB)
	{
		/* Configuration by mechanism 1 only. The memory window ends where the I/O APIC is. */
		Device (PCI0)
		{
			Name (_HID, EisaId ("PNP0A03"))
			Name (_UID, 0)
			Name (_BBN, 0)
			Name (_SEG, 0)
			Name (_CRS, ResourceTemplate ()
			{
				WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, 0, 0, 0, 0, 1)
				IO (Decode16, PORT_PCI_ADDRESS, PORT_PCI_ADDRESS, 1, 8)
				WordIO (ResourceProducer, MinFixed, MaxFixed, PosDecode, EntireRange,
					0, 0x1000, 0xffff, 0, 0xf000)
				DWordMemory (ResourceProducer, PosDecode, MinFixed, MaxFixed, NonCacheable, ReadWrite,
					     0, PCI_WINDOW_BASE, 0xfebfffff, 0, PCI_WINDOW_SIZE)
			})
		}

		Device (COM1)
		{
			Name (_HID, EisaId ("PNP0501"))
			Name (_UID, 0)
			Name (_STA, 0x0f)
			Name (_CRS, ResourceTemplate ()
			{
				IO (Decode16, PORT_SERIAL, PORT_SERIAL, 1, PORT_SERIAL_SIZE)
				Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive) { SERIAL_GSI }
			})
		}
	}
}
