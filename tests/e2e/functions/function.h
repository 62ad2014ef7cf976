/* SPDX-License-Identifier: GPL-2.0-only */
/* Where an 82576's virtual function is, as the first of a guest: its registers, and the BAR with the MSI-X table. */
#include "tests/e2e/violations/guest.h"

#define FUNCTION  (0x80000000 | PCI_SLOT << 11) /* for the address register */
#define PCI_SLOT  2
#define REGISTERS PCI_WINDOW_BASE
#define STATUS	  (REGISTERS + 8)
#define TABLE	  (PCI_WINDOW_BASE + 0x4000)
#define VECTORS	  3
#define HOLE	  (TABLE + 16 * VECTORS) /* the rest of its page */
#define PBA	  (TABLE + 0x2000)
