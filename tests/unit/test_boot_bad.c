// SPDX-License-Identifier: GPL-2.0-only
/* Kernels, initrds and command lines that must be refused: one thing spoiled each, and the message's end. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/capture.h"
#include "tests/unit/image.h"
#include "vmm/boot/boot.h"
#include "vmm/boot/plan.h"
#include "vmm/config/config.h"

#define WANTED ": wanted an x86-64 bzImage, or an ELF vmlinux with a PVH entry"

typedef void spoil_fn(struct image *image);

struct bad {
	spoil_fn *spoil;
	int err;
	const char *message;  /* after `kernel "PATH": ` */
	uint64_t memory_size; /* MiB; 0: 512 */
};

/* @statement on an image that make() has made. */
#define SPOIL(name, make, statement)          \
	static void name(struct image *image) \
	{                                     \
		make(image);                  \
		statement;                    \
	}

static void nothing_make(struct image *image)
{
	memset(image, 0, sizeof(*image));
	image->len = 4096;
}

#define BZ(name, statement)    SPOIL(name, bz_make, statement)
#define ELF(name, statement)   SPOIL(name, elf_make, statement)
#define OTHER(name, statement) SPOIL(name, nothing_make, statement)

OTHER(zeros, )
OTHER(empty, image->len = 0)
OTHER(tiny, image->len = 2; memcpy(image->bytes, "hi", 2))
OTHER(script, memcpy(image->bytes, "#!/bin/sh\n", 10))
OTHER(arm64_image, memcpy(image->bytes + 0x38, "ARM\x64", 4))
OTHER(gzip, memcpy(image->bytes, "\x1f\x8b\x08", 3))
OTHER(xz, memcpy(image->bytes,
		 "\xfd"
		 "7zXZ\0",
		 6))
OTHER(cpio, memcpy(image->bytes, "070701", 6))
OTHER(disk, memcpy(image->bytes + 0x1fe, "\x55\xaa", 2))
OTHER(efi, memcpy(image->bytes, "MZ", 2))

BZ(bz_no_flag, bz_header(image)->boot_flag = 0x55aa)
BZ(bz_no_magic, memset(image->bytes, 0xff, 0x206))
BZ(bz_old, bz_header(image)->version = 0x20b)
BZ(bz_ancient, bz_header(image)->version = 0x105)
BZ(bz_low, bz_header(image)->loadflags = 0)
BZ(bz_32, bz_header(image)->xloadflags = 0)
BZ(bz_short_header, bz_header(image)->jump = 0x30eb)
BZ(bz_cut_header, image->len = 0x210)
BZ(bz_cut_setup, image->len = 0x300)
BZ(bz_cut_code, image->len -= 1)
BZ(bz_syssize, bz_header(image)->syssize = UINT32_MAX)
BZ(bz_align_0, bz_header(image)->kernel_alignment = 0)
BZ(bz_align_odd, bz_header(image)->kernel_alignment = 0x300000)
BZ(bz_payload, bz_header(image)->payload_length = BZ_CODE)
BZ(bz_payload_far, bz_header(image)->payload_offset = UINT32_MAX)
BZ(bz_init_0, bz_header(image)->init_size = 0)
BZ(bz_cmdline_0, bz_header(image)->cmdline_size = 0)
BZ(bz_pref_low, bz_header(image)->pref_address = 0; bz_header(image)->relocatable_kernel = 0)
BZ(bz_pref_high, bz_header(image)->pref_address = UINT64_MAX)
BZ(bz_pref_4g, bz_header(image)->pref_address = GIB(3) - MIB(2))
BZ(bz_init_big, bz_header(image)->init_size = UINT32_MAX)
BZ(bz_debian_6_1, bz_header(image)->init_size = 66678784)
BZ(bz_big, bz_header(image)->init_size = MIB(100))
BZ(bz_pref_in_hole, bz_header(image)->pref_address = MIB(8))

ELF(elf_tiny, image->len = 40)
ELF(elf_arm64, elf_header(image)->e_machine = EM_AARCH64)
ELF(elf_386, elf_header(image)->e_machine = EM_386; elf_header(image)->e_ident[EI_CLASS] = ELFCLASS32)
ELF(elf_other, elf_header(image)->e_machine = 12345)
ELF(elf_x32, elf_header(image)->e_ident[EI_CLASS] = ELFCLASS32)
ELF(elf_big_endian, elf_header(image)->e_ident[EI_DATA] = ELFDATA2MSB)
ELF(elf_object, elf_header(image)->e_type = ET_REL)
ELF(elf_phentsize, elf_header(image)->e_phentsize = 32)
ELF(elf_no_segments, elf_header(image)->e_phnum = 0)
ELF(elf_many_segments, elf_header(image)->e_phnum = 33)
ELF(elf_phoff, elf_header(image)->e_phoff = UINT64_MAX - 10)
ELF(elf_no_note, elf_segment(image, 2)->p_type = PT_NULL)
ELF(elf_other_note, elf_segment(image, 2)->p_filesz = 20)
ELF(elf_note_cut, elf_segment(image, 2)->p_filesz -= 1)
ELF(elf_note_far, elf_segment(image, 2)->p_offset = UINT64_MAX)
ELF(elf_note_big, elf_segment(image, 2)->p_filesz = GIB(1))
ELF(elf_entry, elf_segment(image, 0)->p_paddr = MIB(18); elf_segment(image, 0)->p_memsz = 4096)
ELF(elf_offset, elf_segment(image, 1)->p_offset = UINT64_MAX)
ELF(elf_cut, image->len -= 1)
ELF(elf_memsz, elf_segment(image, 1)->p_memsz = 4095)
ELF(elf_paddr_0, elf_segment(image, 1)->p_paddr = 0)
ELF(elf_paddr_wrap, elf_segment(image, 1)->p_paddr = UINT64_MAX - 100)
ELF(elf_memsz_wrap, elf_segment(image, 1)->p_memsz = UINT64_MAX)
ELF(elf_overlap, elf_segment(image, 1)->p_paddr = MIB(16) + 4095)
ELF(elf_inside, elf_segment(image, 1)->p_paddr = MIB(16) - 4096)
ELF(elf_big, elf_segment(image, 1)->p_memsz = MIB(600))

static const struct bad bads[] = {
	{ zeros, -ENOEXEC, "is no kernel, it begins with 00 00 00 00 00 00 00 00" WANTED },
	{ empty, -ENOEXEC, "is empty" },
	{ tiny, -ENOEXEC, "is no kernel, it begins with 68 69" WANTED },
	{ script, -ENOEXEC, "is a script" WANTED },
	{ arm64_image, -ENOEXEC, "is an arm64 Image" WANTED },
	{ gzip, -ENOEXEC, "is compressed by gzip (unpack it first)" WANTED },
	{ xz, -ENOEXEC, "is compressed by xz (unpack it first)" WANTED },
	{ cpio, -ENOEXEC, "is a cpio archive, as initrds are" WANTED },
	{ disk, -ENOEXEC, "is a boot sector or disk image" WANTED },
	{ efi, -ENOEXEC, "is a program for EFI without a Linux boot header" WANTED },
	{ bz_no_flag, -ENOEXEC, "is no bzImage: boot flag 0x55aa, wanted 0xaa55" },
	{ bz_no_magic, -ENOEXEC, "is no kernel, it begins with ff ff ff ff ff ff ff ff" WANTED },
	{ bz_old, -ENOEXEC, "is too old: boot protocol 2.11, wanted 2.12 (Linux 3.8) or newer" },
	{ bz_ancient, -ENOEXEC, "is too old: boot protocol 1.05, wanted 2.12 (Linux 3.8) or newer" },
	{ bz_low, -ENOEXEC, "is a zImage, made to be loaded low: wanted a bzImage" },
	{ bz_32, -ENOEXEC, "is a 32-bit kernel: wanted an x86-64 one" },
	{ bz_short_header, -ENOEXEC, "is no bzImage: its header ends at 0x232, before 0x268" },
	{ bz_cut_header, -ENOEXEC, "is truncated: a bzImage of 768 bytes, of which it has 528" },
	{ bz_cut_setup, -ENOEXEC, "is truncated: a bzImage of 6656 bytes, of which it has 768" },
	{ bz_cut_code, -ENOEXEC, "is truncated: a bzImage of 6656 bytes, of which it has 6655" },
	{ bz_syssize, -ENOEXEC, "is truncated: a bzImage of 68719479280 bytes, of which it has 6656" },
	{ bz_align_0, -ENOEXEC, "is damaged: kernel_alignment 0x0, wanted a power of two" },
	{ bz_align_odd, -ENOEXEC, "is damaged: kernel_alignment 0x300000, wanted a power of two" },
	{ bz_payload, -ENOEXEC, "is damaged: payload of 4096 bytes at 716, in code of 4096 bytes" },
	{ bz_payload_far, -ENOEXEC, "is damaged: payload of 1024 bytes at 4294967295, in code of 4096 bytes" },
	{ bz_init_0, -ENOEXEC, "is damaged: init_size 0, cmdline_size 2047" },
	{ bz_cmdline_0, -ENOEXEC, "is damaged: init_size 58720256, cmdline_size 0" },
	{ bz_pref_low, -EFBIG, "wants to be at 0x0 to 0x3800000: kernels lie between 1 MiB and 3 GiB" },
	{ bz_pref_high, -ENOEXEC, "wants to be at 0xffffffffffffffff: kernels lie between 1 MiB and 3 GiB" },
	{ bz_pref_4g, -EFBIG, "wants to be at 0xbfe00000 to 0xc3600000: kernels lie between 1 MiB and 3 GiB" },
	{ bz_init_big, -EFBIG, "wants to be at 0x1000000 to 0x100ffffff: kernels lie between 1 MiB and 3 GiB" },
	{ bz_debian_6_1, -EFBIG,
	  "needs 64 MiB of memory from 16 MiB on: too big for memory.size \"64M\": give it \"66M\" or more", 64 },
	{ bz_big, -EFBIG,
	  "needs 100 MiB of memory from 16 MiB on: too big for memory.size \"100M\": give it \"102M\" or more", 100 },
	{ bz_pref_in_hole, -EFBIG,
	  "needs 56 MiB of memory from 8 MiB on: too big for memory.size \"64M\": give it \"128M\" or more", 64 },
	{ elf_tiny, -ENOEXEC, "is truncated: an ELF header is 64 bytes, it has 40" },
	{ elf_arm64, -ENOEXEC, "is an ELF file for arm64: wanted x86-64" },
	{ elf_386, -ENOEXEC, "is an ELF file for 32-bit x86: wanted x86-64" },
	{ elf_other, -ENOEXEC, "is an ELF file for machine 12345: wanted x86-64 (62)" },
	{ elf_x32, -ENOEXEC, "is an ELF file of class 1, byte order 1: wanted 64-bit (2), little-endian (1)" },
	{ elf_big_endian, -ENOEXEC, "is an ELF file of class 2, byte order 2: wanted 64-bit (2), little-endian (1)" },
	{ elf_object, -ENOEXEC, "is an ELF file of type 1: wanted a program (2)" },
	{ elf_phentsize, -ENOEXEC, "is damaged: program headers of 32 bytes, wanted 56" },
	{ elf_no_segments, -ENOEXEC, "has 0 program headers: wanted 1 to 32" },
	{ elf_many_segments, -ENOEXEC, "has 33 program headers: wanted 1 to 32" },
	{ elf_phoff, -ENOEXEC, "is truncated: program headers at byte 18446744073709551605, it has 12288 bytes" },
	{ elf_no_note, -ENOEXEC,
	  "is an ELF file without a PVH entry: wanted the Xen note 18, which kernels with CONFIG_PVH=y have" },
	{ elf_other_note, -ENOEXEC,
	  "is an ELF file without a PVH entry: wanted the Xen note 18, which kernels with CONFIG_PVH=y have" },
	{ elf_note_cut, -ENOEXEC,
	  "is an ELF file without a PVH entry: wanted the Xen note 18, which kernels with CONFIG_PVH=y have" },
	{ elf_note_far, -ENOEXEC, "is damaged: notes of 44 bytes at byte 18446744073709551615" },
	{ elf_note_big, -ENOEXEC, "is damaged: notes of 1073741824 bytes at byte 512" },
	{ elf_entry, -ENOEXEC, "is damaged: its PVH entry 0x1000100 is in none of its segments" },
	{ elf_offset, -ENOEXEC,
	  "is truncated: segment 1 is 4096 bytes at byte 18446744073709551615, it has 12288 bytes" },
	{ elf_cut, -ENOEXEC, "is truncated: segment 1 is 4096 bytes at byte 8192, it has 12287 bytes" },
	{ elf_memsz, -ENOEXEC, "is damaged: segment 1 is 4096 bytes in the file and 4095 in memory" },
	{ elf_paddr_0, -EFBIG, "segment 1 wants to be at 0x0, 1048576 bytes: kernels lie between 1 MiB and 3 GiB" },
	{ elf_paddr_wrap, -EFBIG,
	  "segment 1 wants to be at 0xffffffffffffff9b, 1048576 bytes: kernels lie between 1 MiB and 3 GiB" },
	{ elf_memsz_wrap, -EFBIG,
	  "segment 1 wants to be at 0x1100000, 18446744073709551615 bytes: kernels lie between 1 MiB and 3 GiB" },
	{ elf_overlap, -ENOEXEC, "is damaged: segments at 0x1000000 and 0x1000fff overlap" },
	{ elf_inside, -ENOEXEC, "is damaged: segments at 0x1000000 and 0xfff000 overlap" },
	{ elf_big, -EFBIG,
	  "needs 601 MiB of memory from 16 MiB on: too big for memory.size \"512M\": give it \"618M\" or more" },
};

/* What boot_check says of @req; boot_load must say the same. Freed by the caller. */
static char *refuse(const struct boot_request *req, uint64_t memory_size, int err)
{
	struct capture cap;
	struct boot_entry entry;
	struct memory mem;
	char *checked, *loaded;
	int got[2];

	capture_begin(&cap);
	got[0] = boot_check(req, memory_size);
	checked = capture_end(&cap);
	memory_sparse(&mem, memory_size);
	capture_begin(&cap);
	got[1] = boot_load(req, &mem, &entry, NULL);
	loaded = capture_end(&cap);
	memory_release(&mem);
	ck_assert_int_eq(got[0], err);
	ck_assert_int_eq(got[1], err);
	ck_assert_str_eq(checked, loaded);
	free(loaded);
	return checked;
}

static void refused(const struct boot_request *req, uint64_t memory_size, int err, const char *what, const char *path,
		    const char *message)
{
	char wanted[1024], *text = refuse(req, memory_size, err);

	snprintf(wanted, sizeof(wanted), "nohype: error: %s \"%s\": %s\n", what, path, message);
	ck_assert_str_eq(text, wanted);
	free(text);
}

START_TEST(bad_kernel)
{
	struct image *image = calloc(1, sizeof(*image));
	struct boot_request req = { .cmdline = "", .vcpus = 1 };
	uint64_t size = bads[_i].memory_size ? bads[_i].memory_size : 512;

	bads[_i].spoil(image);
	image_open(image, 0);
	req.kernel = image->path;
	refused(&req, MIB(size), bads[_i].err, "kernel", image->path, bads[_i].message);
	image_close(image);
	free(image);
}
END_TEST

/* Every truncation of a sound image ends in a message, never in a success. */
START_TEST(truncated_anywhere)
{
	struct image *image = calloc(1, sizeof(*image));
	struct boot_request req = { .cmdline = "", .vcpus = 1 };

	for (size_t cut = 1; cut < BZ_SETUP + BZ_CODE; cut += 97) {
		(_i ? elf_make : bz_make)(image);
		image->len -= cut;
		image_open(image, 0);
		req.kernel = image->path;
		free(refuse(&req, MIB(64), -ENOEXEC));
		image_close(image);
	}
	free(image);
}
END_TEST

static const struct {
	const char *path, *message;
	int err;
} paths[] = {
	{ "/nonexistent/vmlinuz", "No such file or directory", -ENOENT },
	{ "/", "is a directory: wanted a file", -EISDIR },
	{ "/dev/null", "is not a regular file", -EINVAL },
	{ "/dev/null/x", "Not a directory", -ENOTDIR },
	{ "", "No such file or directory", -ENOENT },
};

START_TEST(bad_paths)
{
	struct image *image = calloc(1, sizeof(*image));
	struct boot_request req = { .kernel = paths[_i].path, .cmdline = "", .vcpus = 1 };

	refused(&req, MIB(64), paths[_i].err, "kernel", paths[_i].path, paths[_i].message);
	bz_make(image);
	image_open(image, 0);
	req.kernel = image->path;
	req.initrd = paths[_i].path;
	refused(&req, MIB(64), paths[_i].err, "initrd", paths[_i].path, paths[_i].message);
	image_close(image);
	free(image);
}
END_TEST

/* A FIFO as kernel must not make us wait for its writer. */
START_TEST(fifo)
{
	char folder[] = "/tmp/nohype-test-XXXXXX", path[64];
	struct boot_request req = { .kernel = path, .cmdline = "", .vcpus = 1 };

	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	refused(&req, MIB(64), -EINVAL, "kernel", path, "is not a regular file");
	unlink(path);
	rmdir(folder);
}
END_TEST

START_TEST(unreadable)
{
	char path[] = "/tmp/nohype-test-XXXXXX";
	struct boot_request req = { .kernel = path, .cmdline = "", .vcpus = 1 };
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	fchmod(fd, 0);
	close(fd);
	if (!geteuid() && (setegid(65534) || seteuid(65534))) /* root reads everything */
		ck_abort_msg("can't become nobody");
	refused(&req, MIB(64), -EACCES, "kernel", path, "Permission denied");
	ck_assert_int_eq(seteuid(getuid()), 0);
	unlink(path);
}
END_TEST

static const struct {
	uint64_t memory, size;
	const char *message;
} initrds[] = {
	{ MIB(64), MIB(7),
	  "7 MiB: doesn't fit in memory.size \"64M\" beside the kernel (56 MiB from 16 MiB on): give it \"66M\" or "
	  "more" },
	{ MIB(512), MIB(500),
	  "500 MiB: doesn't fit in memory.size \"512M\" beside the kernel (56 MiB from 16 MiB on): give it \"572M\" or "
	  "more" },
	{ GIB(5), GIB(3), "3072 MiB: more than this kernel takes (1976 MiB)" },
	{ MIB(64), GIB(1) << 20, "1073741824 MiB: more than this kernel takes (1976 MiB)" },
};

START_TEST(bad_initrd)
{
	struct image *image = calloc(2, sizeof(*image));
	struct boot_request req = { .cmdline = "", .vcpus = 1 };

	bz_make(&image[0]);
	image_open(&image[0], 0);
	image_open(&image[1], initrds[_i].size);
	req.kernel = image[0].path;
	req.initrd = image[1].path;
	refused(&req, initrds[_i].memory, -EFBIG, "initrd", image[1].path, initrds[_i].message);
	image_close(&image[0]);
	image_close(&image[1]);
	free(image);
}
END_TEST

/* A file that gets shorter after it was opened: what is there no longer is not made up. */
START_TEST(changed)
{
	struct image *image = calloc(1, sizeof(*image));
	struct boot_file file;
	struct capture cap;
	char buffer[8192], *text;
	int err;

	bz_make(image);
	image_open(image, 0);
	ck_assert_int_eq(file_open(&file, "kernel", image->path), 0);
	ck_assert_int_eq(ftruncate(image->fd, 100), 0);
	capture_begin(&cap);
	err = file_read(&file, buffer, 0, file.size);
	text = capture_end(&cap);
	ck_assert_int_eq(err, -EIO);
	ck_assert_ptr_nonnull(strstr(text, ": changed while it was read: ends at byte 100, had 6656\n"));
	free(text);
	file_close(&file);
	image_close(image);
	free(image);
}
END_TEST

static char *cmdline_refused(const char *own, uint32_t max, int err)
{
	struct boot_request req = { .cmdline = own, .vcpus = 1, .tsc_khz = 2000000 };
	char *cmdline = NULL, *text;
	struct capture cap;
	int got;

	capture_begin(&cap);
	got = cmdline_build(&req, max, &cmdline);
	text = capture_end(&cap);
	ck_assert_int_eq(got, err);
	ck_assert_ptr_null(cmdline);
	return text;
}

START_TEST(cmdline_control)
{
	char *text = cmdline_refused("quiet\ninit=/bin/sh", VM_CMDLINE_MAX, -EINVAL);

	ck_assert_str_eq(text, "nohype: error: cmdline: character 0x0a at position 6: wanted no control characters\n");
	free(text);
}
END_TEST

/* To the byte: what just fits is taken, one more is not, and the message says whose part is how long. */
START_TEST(cmdline_length)
{
	struct boot_request req = { .vcpus = 1, .tsc_khz = 2000000 };
	char own[VM_CMDLINE_MAX + 2] = "", *cmdline, *text, wanted[256];
	size_t ours, room;

	req.cmdline = "";
	ck_assert_int_eq(cmdline_build(&req, VM_CMDLINE_MAX, &cmdline), 0);
	ours = strlen(cmdline) + 1; /* with the space that parts them */
	free(cmdline);
	room = VM_CMDLINE_MAX - ours;
	memset(own, 'x', room);
	req.cmdline = own;
	ck_assert_int_eq(cmdline_build(&req, VM_CMDLINE_MAX, &cmdline), 0);
	ck_assert_uint_eq(strlen(cmdline), VM_CMDLINE_MAX);
	free(cmdline);
	own[room] = 'x';
	text = cmdline_refused(own, VM_CMDLINE_MAX, -E2BIG);
	snprintf(wanted, sizeof(wanted),
		 "nohype: error: cmdline: %d characters, the guest's %zu + nohype's %zu: this kernel takes %d\n",
		 VM_CMDLINE_MAX + 1, room + 1, ours, VM_CMDLINE_MAX);
	ck_assert_str_eq(text, wanted);
	free(text);
}
END_TEST

/* The kernel's own limit counts too, where it is lower. */
START_TEST(cmdline_of_kernel)
{
	struct image *image = calloc(1, sizeof(*image));
	struct boot_request req = { .cmdline = "", .vcpus = 1 };
	char *text;

	bz_make(image);
	bz_header(image)->cmdline_size = 100;
	image_open(image, 0);
	req.kernel = image->path;
	text = refuse(&req, MIB(512), -E2BIG);
	ck_assert_ptr_nonnull(strstr(text, ": this kernel takes 100\n"));
	free(text);
	image_close(image);
	free(image);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("boot-bad");
	TCase *tc = tcase_create("boot-bad");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, bad_kernel, 0, ARRAY_SIZE(bads));
	tcase_add_loop_test(tc, truncated_anywhere, 0, 2);
	tcase_add_loop_test(tc, bad_paths, 0, ARRAY_SIZE(paths));
	tcase_add_test(tc, fifo);
	tcase_add_test(tc, unreadable);
	tcase_add_loop_test(tc, bad_initrd, 0, ARRAY_SIZE(initrds));
	tcase_add_test(tc, changed);
	tcase_add_test(tc, cmdline_control);
	tcase_add_test(tc, cmdline_length);
	tcase_add_test(tc, cmdline_of_kernel);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
