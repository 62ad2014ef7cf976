// SPDX-License-Identifier: GPL-2.0-only
/* The handoff as the core manager takes it: sound, or not at all. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "vmm/core/core.h"

static struct handoff handoff_make(void)
{
	struct handoff handoff = {
		.magic = HANDOFF_MAGIC,
		.version = HANDOFF_VERSION,
		.size = sizeof(handoff),
		.supervisor_pid = 4711,
		.uid = 0x6e000000,
		.vcpus = 2,
		.tsc_khz = 2600000,
		.seal_level = SEAL_STRICT,
		.cores = { 3, 1 },
		.entry = { .protocol = BOOT_LINUX64, .rip = 0x1000200, .rsi = 0x7000, .cr3 = 0x9000 },
	};

	layout_plan(&handoff.layout, GIB(5));
	return handoff;
}

typedef void spoil_fn(struct handoff *handoff);

/* @statement on a handoff h that is sound. */
#define SPOIL(name, statement)              \
	static void name(struct handoff *h) \
	{                                   \
		statement;                  \
	}

SPOIL(magic, h->magic++)
SPOIL(magic_none, h->magic = 0)
SPOIL(version_old, h->version--)
SPOIL(version_new, h->version++)
SPOIL(size_less, h->size--)
SPOIL(size_more, h->size++)
SPOIL(no_supervisor, h->supervisor_pid = 0)
SPOIL(no_vcpus, h->vcpus = 0)
SPOIL(vcpus_many, h->vcpus = VM_VCPUS_MAX + 1)
SPOIL(vcpus_wrap, h->vcpus = UINT32_MAX)
SPOIL(no_tsc, h->tsc_khz = 0)
SPOIL(level_none, h->seal_level = 0)
SPOIL(level_other, h->seal_level = SEAL_SILENT + 1)
SPOIL(step_odd, h->touch_step = 4095)
SPOIL(step_huge, h->touch_step = GIB(1))
SPOIL(protocol_none, h->entry.protocol = 0)
SPOIL(protocol_other, h->entry.protocol = BOOT_PVH + 1)
SPOIL(rings_many, h->rings = 2)
SPOIL(functions_many, h->functions = PCI_PASSED_MAX + 1)
SPOIL(no_memory, h->layout.count = 0)
SPOIL(ranges_many, h->layout.count = MEMORY_RANGES + 1)
SPOIL(ranges_wrap, h->layout.count = UINT32_MAX)
SPOIL(total_less, h->layout.size -= MIB(2))
SPOIL(total_more, h->layout.size += MIB(2))
SPOIL(total_none, h->layout.size = 0)
SPOIL(range_left_out, h->layout.count = 1)
SPOIL(range_of_no_kind, h->layout.ranges[1].kind = 0)
SPOIL(range_of_unknown_kind, h->layout.ranges[1].kind = MEMORY_DISK + 1)
SPOIL(range_empty, h->layout.ranges[1].size = 0; h->layout.size = GIB(3))
SPOIL(range_overlaps, h->layout.ranges[1].offset -= MIB(2))
SPOIL(range_gap, h->layout.ranges[1].offset += MIB(2))
SPOIL(range_first_late, h->layout.ranges[0].offset = MIB(2))
SPOIL(range_far, h->layout.ranges[1].gpa = MEMORY_GPA_MAX + 1)
SPOIL(range_huge, h->layout.ranges[1].size = MEMORY_MAX + 1; h->layout.size = GIB(3) + MEMORY_MAX + 1)
SPOIL(range_wraps, h->layout.ranges[1].size = -GIB(3); h->layout.size = 0)
SPOIL(total_huge, h->layout.ranges[1].size = MEMORY_MAX; h->layout.size = GIB(3) + MEMORY_MAX)

#define NAMED(name)         \
	{                   \
#name, name \
	}

static const struct {
	const char *name;
	spoil_fn *spoil;
} bad[] = {
	NAMED(level_none),     NAMED(level_other),	NAMED(magic),
	NAMED(magic_none),     NAMED(version_old),	NAMED(version_new),
	NAMED(size_less),      NAMED(size_more),	NAMED(no_supervisor),
	NAMED(no_vcpus),       NAMED(vcpus_many),	NAMED(vcpus_wrap),
	NAMED(no_tsc),	       NAMED(protocol_none),	NAMED(protocol_other),
	NAMED(no_memory),      NAMED(ranges_many),	NAMED(ranges_wrap),
	NAMED(total_less),     NAMED(total_more),	NAMED(total_none),
	NAMED(range_left_out), NAMED(range_empty),	NAMED(range_overlaps),
	NAMED(range_gap),      NAMED(range_first_late), NAMED(range_far),
	NAMED(range_huge),     NAMED(range_of_no_kind), NAMED(range_of_unknown_kind),
	NAMED(range_wraps),    NAMED(total_huge),	NAMED(step_odd),
	NAMED(step_huge),      NAMED(rings_many),	NAMED(functions_many),
};

START_TEST(refused)
{
	struct handoff handoff = handoff_make();

	bad[_i].spoil(&handoff);
	ck_assert_msg(handoff_check(&handoff) == -EPROTO, "%s: accepted", bad[_i].name);
}
END_TEST

START_TEST(accepted)
{
	static const uint64_t sizes[] = { MIB(64), MIB(512), GIB(3), GIB(5), MEMORY_MAX };
	struct handoff handoff = handoff_make();

	ck_assert_int_eq(handoff_check(&handoff), 0);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		layout_plan(&handoff.layout, sizes[i]);
		ck_assert_int_eq(handoff_check(&handoff), 0);
	}
	for (unsigned int i = 0; i < MEMORY_DISKS; i++) {
		layout_plan(&handoff.layout, GIB(5));
		for (unsigned int disk = 0; disk <= i; disk++)
			layout_add_disk(&handoff.layout, MIB(2));
		ck_assert_int_eq(handoff_check(&handoff), 0);
	}
	handoff.vcpus = VM_VCPUS_MAX;
	handoff.uid = 0;
	handoff.entry.protocol = BOOT_PVH;
	ck_assert_int_eq(handoff_check(&handoff), 0);
}
END_TEST

/* Send @len bytes of @bytes with @count fds, all of them /dev/null, and receive that. */
static int pass(const void *bytes, size_t len, int count, struct vm *vm)
{
	int fds[64], pair[2], err, null = open("/dev/null", O_RDONLY);
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)bytes, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (count) {
		struct cmsghdr *cmsg = &control.align;

		for (int i = 0; i < count; i++)
			fds[i] = null;
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
		*cmsg = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count),
					  .cmsg_level = SOL_SOCKET,
					  .cmsg_type = SCM_RIGHTS };
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * (size_t)count);
	}
	ck_assert_int_eq(sendmsg(pair[0], &msg, 0), (ssize_t)len);
	err = handoff_receive(pair[1], vm);
	close(pair[0]);
	close(pair[1]);
	close(null);
	return err;
}

static struct vm vm;

START_TEST(received)
{
	struct handoff handoff = handoff_make();
	const int *fds[] = { &vm.kvm_fd, &vm.memory_fd, &vm.console_fd };
	struct stat null, st;

	ck_assert_int_eq(pass(&handoff, sizeof(handoff), HANDOFF_FDS, &vm), 0);
	ck_assert_mem_eq(&vm.handoff, &handoff, sizeof(handoff));
	ck_assert_int_eq(stat("/dev/null", &null), 0);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		ck_assert_int_eq(fstat(*fds[i], &st), 0);
		ck_assert_uint_eq(st.st_rdev, null.st_rdev);
		ck_assert_int_eq(fcntl(*fds[i], F_GETFD), FD_CLOEXEC);
		for (size_t j = 0; j < i; j++)
			ck_assert_int_ne(*fds[i], *fds[j]);
	}
}
END_TEST

START_TEST(wrong_number_of_fds)
{
	struct handoff handoff = handoff_make();

	ck_assert_int_eq(pass(&handoff, sizeof(handoff), _i, &vm),
			 _i >= HANDOFF_FD_RINGS && _i <= HANDOFF_FDS ? 0 : -EPROTO);
}
END_TEST

START_TEST(wrong_length)
{
	struct {
		struct handoff handoff;
		char more[8];
	} message = { .handoff = handoff_make() };

	ck_assert_int_eq(pass(&message, sizeof(message.handoff) - 1, HANDOFF_FDS, &vm), -EPROTO);
	ck_assert_int_eq(pass(&message, sizeof(message.handoff) + 1, HANDOFF_FDS, &vm), -EPROTO);
	ck_assert_int_eq(pass(&message, 1, HANDOFF_FDS, &vm), -EPROTO);
	ck_assert_int_eq(pass(&message, sizeof(message.handoff), HANDOFF_FDS, &vm), 0);
}
END_TEST

START_TEST(spoiled_on_the_way)
{
	struct handoff handoff = handoff_make();

	handoff.version++;
	ck_assert_int_eq(pass(&handoff, sizeof(handoff), HANDOFF_FDS, &vm), -EPROTO);
}
END_TEST

START_TEST(nobody_there)
{
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[0]);
	ck_assert_int_eq(handoff_receive(pair[1], &vm), -EPROTO);
	ck_assert_int_eq(handoff_receive(-1, &vm), -EPROTO);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("handoff");
	TCase *tc = tcase_create("handoff");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, accepted);
	tcase_add_loop_test(tc, refused, 0, ARRAY_SIZE(bad));
	tcase_add_test(tc, received);
	tcase_add_loop_test(tc, wrong_number_of_fds, 0, 8);
	tcase_add_test(tc, wrong_length);
	tcase_add_test(tc, spoiled_on_the_way);
	tcase_add_test(tc, nobody_there);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
