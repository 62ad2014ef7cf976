// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/x86/reasons.h"

#include <stdio.h>
#include <unistd.h>

#include "base/util.h"
#include "devices/ports.h"

#define HOST NULL

/* Registers of the local APIC (SDM vol. 3, table 11-1). */
#define LAPIC_EOI      0xb0
#define LAPIC_ICR      0x300
#define LAPIC_ICR_HIGH 0x310

/* The processor lets go of a debug register at its first use; KVM then gives the guest all of them until the next exit.
 */
#define AMD_DEBUG_REGISTER(n)                                                                   \
	{ 0x20 + (n), "DR" #n " read", false, "MOV from DR" #n, "no debugger in the guest" },   \
	{                                                                                       \
		0x30 + (n), "DR" #n " write", false, "MOV to DR" #n, "no debugger in the guest" \
	}

/* AMD APM vol. 2, appendix C. */
static const struct exit_reason amd_reasons[] = {
	{ 0x00, "CR0 read", false, "MOV from CR0", "Linux reads its own copy" },
	{ 0x10, "CR0 write", false, "MOV to CR0, of bits that are watched", "none at run time in Linux" },
	{ 0x14, "CR4 write", false, "MOV to CR4: global TLB flushes toggle CR4.PGE without INVPCID",
	  "no vmalloc churn, no module loads, no BPF" },
	{ 0x18, "CR8 write", false, "MOV to CR8 while an interrupt is held back", "none at run time in Linux" },
	AMD_DEBUG_REGISTER(0),
	AMD_DEBUG_REGISTER(1),
	AMD_DEBUG_REGISTER(2),
	AMD_DEBUG_REGISTER(3),
	AMD_DEBUG_REGISTER(4),
	AMD_DEBUG_REGISTER(5),
	AMD_DEBUG_REGISTER(6),
	AMD_DEBUG_REGISTER(7),
	{ 0x41, "#DB", false, "single step, hardware breakpoints, INT1", "no debugger in the guest" },
	{ 0x43, "#BP", false, "only with a debugger on the host", "-" },
	{ 0x46, "#UD", false, "an undefined instruction; the kernel's WARN and BUG are UD2",
	  "no program that probes instructions" },
	{ 0x47, "#NM", false, "the first use of AMX's tiles", "AMX is hidden" },
	{ 0x4d, "#GP", false, "only with KVM's VMware backdoor", "-" },
	{ 0x4e, "#PF", false, "only with shadow paging", "nested paging" },
	{ 0x51, "#AC", false, "alignment check", "no user program that sets EFLAGS.AC" },
	{ 0x52, "#MC", false, "machine check", "hardware" },
	{ 0x60, "INTR", true, "an interrupt for the host on this core", HOST },
	{ 0x61, "NMI", true, "an NMI for the host", HOST },
	{ 0x62, "SMI", true, "the firmware's system management", HOST },
	{ 0x63, "INIT", true, "INIT from the host", HOST },
	{ 0x64, "VINTR", true, "KVM waits until the guest takes interrupts", HOST },
	{ 0x65, "CR0 selective write", false, "MOV to CR0 of more than TS and MP", "none at run time in Linux" },
	{ 0x66, "IDTR read", false, "SIDT, where UMIP is emulated", "no program that looks at it" },
	{ 0x67, "GDTR read", false, "SGDT, where UMIP is emulated", "no program that looks at it" },
	{ 0x68, "LDTR read", false, "SLDT, where UMIP is emulated", "no program that looks at it" },
	{ 0x69, "TR read", false, "STR, where UMIP is emulated", "no program that looks at it" },
	{ 0x6e, "RDTSC", false, "not watched by KVM", "-" },
	{ 0x6f, "RDPMC", false, "RDPMC", "no perf in the guest" },
	{ 0x72, "CPUID", false, "CPUID: each start of a glibc program executes it about 41 times",
	  "a musl user land, or no new programs" },
	{ 0x73, "RSM", false, "RSM", "-" },
	{ 0x74, "IRET", false, "the end of an NMI's handler, while KVM has another", "nothing sends NMIs" },
	{ 0x75, "SWINT", false, "not watched by KVM", "-" },
	{ 0x76, "INVD", false, "INVD", "no driver of hardware without coherent DMA" },
	{ 0x77, "PAUSE", false, "a spin loop, where the host can't let PAUSE be", "one vCPU" },
	{ 0x78, "HLT", false, "idle, where the host can't let HLT be", "idle=poll" },
	{ 0x79, "INVLPG", false, "only with shadow paging", "nested paging" },
	{ 0x7a, "INVLPGA", false, "INVLPGA", "no nested guests" },
	{ 0x7b, "port I/O", false, "IN or OUT", "no serial console, no poweroff but nohype-guest's" },
	{ 0x7c, "MSR", false, "RDMSR or WRMSR of one that isn't passed; x2APIC: timer, EOI, IPI",
	  "periodic timer, PV-EOI, one vCPU" },
	{ 0x7d, "task switch", false, "a far jump to a task state segment", "no 32-bit kernel" },
	{ 0x7e, "FERR freeze", false, "an x87 error in the way of the 8086", "none in 64-bit mode" },
	{ 0x7f, "shutdown", false, "triple fault", "a kernel that doesn't crash" },
	{ 0x80, "VMRUN", false, "VMRUN", "no nested guests" },
	{ 0x81, "VMMCALL", false, "a call to the hypervisor", "none of KVM's features but PV-EOI is offered" },
	{ 0x82, "VMLOAD", false, "VMLOAD", "no nested guests" },
	{ 0x83, "VMSAVE", false, "VMSAVE", "no nested guests" },
	{ 0x84, "STGI", false, "STGI", "no nested guests" },
	{ 0x85, "CLGI", false, "CLGI", "no nested guests" },
	{ 0x86, "SKINIT", false, "SKINIT", "-" },
	{ 0x87, "RDTSCP", false, "only if hidden from the guest", "-" },
	{ 0x89, "WBINVD", false, "WBINVD, WBNOINVD", "no driver that changes caching" },
	{ 0x8a, "MONITOR", false, "MONITOR, where the host can't let it be", "idle=poll" },
	{ 0x8b, "MWAIT", false, "MWAIT, where the host can't let it be", "idle=poll" },
	{ 0x8d, "XSETBV", false, "XSETBV", "at boot only" },
	{ 0x8e, "RDPRU", false, "RDPRU", "no program that reads APERF and MPERF" },
	{ 0xa2, "INVPCID", false, "only if hidden from the guest", "-" },
	{ 0xa5, "bus lock", false, "a locked access across two cache lines, where the host watches them", "-" },
	{ 0x400, "nested page fault", false,
	  "an access outside of memory, a device's register, or the host moved a page of the guest's",
	  "huge pages; no access to devices that were there at boot" },
	{ 0x401, "AVIC incomplete IPI", false, "an IPI to a vCPU that doesn't run", "one vCPU" },
	{ 0x402, "AVIC no acceleration", false, "an APIC register that AVIC doesn't do", "periodic timer" },
};

/* Intel SDM vol. 3, appendix C. */
static const struct exit_reason intel_reasons[] = {
	{ 0, "exception or NMI", false, "an exception that KVM watches (#UD, #DB, #AC); the host's NMI is let pass",
	  "no WARN, no debugger" },
	{ 1, "external interrupt", true, "an interrupt for the host on this core", HOST },
	{ 2, "triple fault", false, "triple fault", "a kernel that doesn't crash" },
	{ 3, "INIT", true, "INIT from the host", HOST },
	{ 7, "interrupt window", true, "KVM waits until the guest takes interrupts", HOST },
	{ 8, "NMI window", true, "KVM waits until the guest takes NMIs", HOST },
	{ 9, "task switch", false, "task switch", "no 32-bit kernel" },
	{ 10, "CPUID", false, "CPUID: each start of a glibc program executes it about 41 times",
	  "a musl user land, or no new programs" },
	{ 11, "GETSEC", false, "GETSEC", "-" },
	{ 12, "HLT", false, "idle, where the host can't let HLT be", "idle=poll" },
	{ 13, "INVD", false, "INVD", "no driver of hardware without coherent DMA" },
	{ 14, "INVLPG", false, "only with shadow paging", "EPT" },
	{ 15, "RDPMC", false, "RDPMC", "no perf in the guest" },
	{ 17, "RSM", false, "RSM", "-" },
	{ 18, "VMCALL", false, "a call to the hypervisor", "none of KVM's features but PV-EOI is offered" },
	{ 19, "VMCLEAR", false, "VMCLEAR", "no nested guests" },
	{ 20, "VMLAUNCH", false, "VMLAUNCH", "no nested guests" },
	{ 21, "VMPTRLD", false, "VMPTRLD", "no nested guests" },
	{ 22, "VMPTRST", false, "VMPTRST", "no nested guests" },
	{ 23, "VMREAD", false, "VMREAD", "no nested guests" },
	{ 24, "VMRESUME", false, "VMRESUME", "no nested guests" },
	{ 25, "VMWRITE", false, "VMWRITE", "no nested guests" },
	{ 26, "VMXOFF", false, "VMXOFF", "no nested guests" },
	{ 27, "VMXON", false, "VMXON", "no nested guests" },
	{ 28, "control register", false, "MOV to CR0, CR4 of bits that are watched", "none at run time in Linux" },
	{ 29, "debug register", false, "MOV to or from DR0-7", "no debugger in the guest" },
	{ 30, "port I/O", false, "IN or OUT", "no serial console, no poweroff but nohype-guest's" },
	{ 31, "RDMSR", false, "an MSR that isn't passed", "no msr module" },
	{ 32, "WRMSR", false, "an MSR that isn't passed; x2APIC: timer, EOI, IPI", "periodic timer, PV-EOI" },
	{ 36, "MWAIT", false, "MWAIT, where the host can't let it be", "idle=poll" },
	{ 39, "MONITOR", false, "MONITOR, where the host can't let it be", "idle=poll" },
	{ 40, "PAUSE", false, "a spin loop, where the host can't let PAUSE be", "one vCPU" },
	{ 41, "machine check at entry", true, "hardware", HOST },
	{ 43, "TPR below threshold", false, "MOV to CR8 while an interrupt is held back", "none at run time in Linux" },
	{ 44, "APIC access", false, "the local APIC's page", "x2APIC" },
	{ 45, "virtualized EOI", false, "EOI of a level-triggered interrupt", "MSI only" },
	{ 46, "descriptor table", false, "SGDT and the like, where UMIP is emulated", "-" },
	{ 47, "LDTR or TR", false, "SLDT and the like, where UMIP is emulated", "-" },
	{ 48, "EPT violation", false, "an access outside of memory, or the host moved a page of the guest's",
	  "huge pages; no access to devices that were there at boot" },
	{ 49, "EPT misconfiguration", false, "a device's register", "no device that was there at boot" },
	{ 50, "INVEPT", false, "INVEPT", "no nested guests" },
	{ 52, "preemption timer", true, "KVM's own timer for the guest's LAPIC", HOST },
	{ 53, "INVVPID", false, "INVVPID", "no nested guests" },
	{ 54, "WBINVD", false, "WBINVD", "no driver that changes caching" },
	{ 55, "XSETBV", false, "XSETBV", "at boot only" },
	{ 56, "APIC write", false, "an APIC register that APICv doesn't do", "periodic timer" },
	{ 60, "ENCLS", false, "ENCLS", "SGX is hidden" },
	{ 62, "page modification log full", false, "the host follows writes to memory", "no migration" },
	{ 74, "bus lock", false, "a locked access across two cache lines, where the host watches them", "-" },
	{ 75, "notify", false, "no interrupt could be taken for long, where the host watches that", "-" },
};

/* APM vol. 2, 15.10.2 (EXITINFO1): port in 31-16, SZ8 is bit 4, string bit 2, IN is bit 0. */
static bool amd_out_byte(uint64_t info1, uint16_t *port)
{
	*port = (uint16_t)(info1 >> 16);
	return (info1 & 0x7d) == 0x10;
}

static int amd_except_kind(uint32_t reason, uint64_t info1, uint64_t info2)
{
	if (reason == 0x72)
		return EXCEPT_CPUID;
	if (reason == 0x400 && info2 == LAPIC_BASE + LAPIC_EOI && info1 & 2)
		return EXCEPT_EOI;
	if (reason == 0x401)
		return EXCEPT_IPI;
	if (reason == 0x400 && (info2 == LAPIC_BASE + LAPIC_ICR || info2 == LAPIC_BASE + LAPIC_ICR_HIGH) &&
	    !(info1 & 16))
		return EXCEPT_IPI;
	return -1;
}

static int intel_except_kind(uint32_t reason, uint64_t info1, uint64_t info2)
{
	uint64_t offset = info1 & 0xfff, access = info1 >> 12;

	(void)info2;
	if (reason == 10)
		return EXCEPT_CPUID;
	if (reason == 44 && offset == LAPIC_EOI && access == 1)
		return EXCEPT_EOI;
	if ((offset == LAPIC_ICR || offset == LAPIC_ICR_HIGH) &&
	    ((reason == 44 && access <= 1) || (reason == 56 && access == 0)))
		return EXCEPT_IPI;
	return -1;
}

/* APM vol. 2, 15.11: EXITINFO1 is 1 for WRMSR. */
static bool amd_msr_write(uint32_t reason, uint64_t info1)
{
	return reason == 0x7c && (info1 & 1);
}

static bool intel_msr_write(uint32_t reason, uint64_t info1)
{
	(void)info1;
	return reason == 32;
}

/* SDM vol. 3, table 28-5: port in 31-16, size less 1 in 2-0, IN is bit 3, string bit 4, REP bit 5. */
static bool intel_out_byte(uint64_t info1, uint16_t *port)
{
	*port = (uint16_t)(info1 >> 16);
	return (info1 & 0x3f) == 0;
}

const struct vendor vendor_amd = {
	.name = "AMD SVM",
	.isa = 2,
	.module = "/sys/module/kvm_amd",
	.strict_filter = "exit_reason != 0x60 && exit_reason != 0x61 && exit_reason != 0x62 && "
			 "exit_reason != 0x63 && exit_reason != 0x64",
	/*
	 * info2: the address; info1: the page fault's error code, in which bit 1 is a write and bit 4 a fetch (APM vol.
	 * 2, 15.25.6). An IPI that AVIC could not deliver has a reason of its own (15.29.9.1).
	 */
	.except_filters = {
		[EXCEPT_EOI] = "exit_reason == 0x400 && info2 == 0xfee000b0 && info1 & 2",
		[EXCEPT_CPUID] = "exit_reason == 0x72",
		[EXCEPT_IPI] = "exit_reason == 0x401 || (exit_reason == 0x400 && "
			       "(info2 == 0xfee00300 || info2 == 0xfee00310) && !(info1 & 16))",
	},
	.io_number = 0x7b,
	.io_in = 1, /* APM vol. 2, 15.10.2 */
	.address_number = 0x400, /* 15.25.6 */
	.msr_first = 0x7c,
	.msr_last = 0x7c,
	.is_out_byte = amd_out_byte,
	.except_kind = amd_except_kind,
	.is_msr_write = amd_msr_write,
	.count = ARRAY_SIZE(amd_reasons),
	.reasons = amd_reasons,
};

/*
 * An NMI is reason 0 with this information: valid, type 2, vector 2; bit 12 when it unblocked NMIs (SDM vol. 3,
 * 25.9.2). The filter can't mask, so both are named.
 */
const struct vendor vendor_intel = {
	.name = "Intel VMX",
	.isa = 1,
	.module = "/sys/module/kvm_intel",
	.strict_filter = "exit_reason != 1 && exit_reason != 3 && exit_reason != 7 && exit_reason != 8 && "
			 "exit_reason != 41 && exit_reason != 52 && "
			 "(exit_reason != 0 || (intr_info != 0x80000202 && intr_info != 0x80001202))",
	/* SDM vol. 3, table 28-6: bits 15-12 are 0 for a read, 1 for a write, the others the register's offset; 56: the
	 * offset alone. */
	.except_filters = {
		[EXCEPT_EOI] = "exit_reason == 44 && info1 == 0x10b0",
		[EXCEPT_CPUID] = "exit_reason == 10",
		[EXCEPT_IPI] = "(exit_reason == 44 && (info1 == 0x300 || info1 == 0x1300 || info1 == 0x310 || "
			       "info1 == 0x1310)) || (exit_reason == 56 && (info1 == 0x300 || info1 == 0x310))",
	},
	.io_number = 30,
	.io_in = 8, /* SDM vol. 3, table 28-5 */
	.address_number = UINT32_MAX,
	.msr_first = 31,
	.msr_last = 32,
	.is_out_byte = intel_out_byte,
	.except_kind = intel_except_kind,
	.is_msr_write = intel_msr_write,
	.count = ARRAY_SIZE(intel_reasons),
	.reasons = intel_reasons,
};

static const struct vendor *const vendors[] = { &vendor_amd, &vendor_intel };

const struct vendor *vendor_by_isa(uint32_t isa)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (vendors[i]->isa == isa)
			return vendors[i];
	return NULL;
}

const struct vendor *vendor_of_host(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (!access(vendors[i]->module, F_OK))
			return vendors[i];
	return NULL;
}

const struct exit_reason *reason_find(const struct vendor *vendor, uint32_t number)
{
	for (size_t i = 0; i < vendor->count; i++)
		if (vendor->reasons[i].number == number)
			return &vendor->reasons[i];
	return NULL;
}
