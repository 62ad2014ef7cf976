// SPDX-License-Identifier: GPL-2.0-only
#include "seccomp/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

static unsigned int rule_compares(const struct rule *rule, struct scmp_arg_cmp *cmp)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		const struct rule_arg *arg = &rule->args[i];
		uint64_t value = arg->own_pid ? (uint64_t)getpid() : arg->value;

		if (!arg->used)
			continue;
		cmp[count++] = arg->low_word ? SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, UINT32_MAX, value)
					     : SCMP_CMP64(i, SCMP_CMP_EQ, value);
	}
	return count;
}

static int filter_fill(scmp_filter_ctx ctx, const struct rule_table *table)
{
	struct scmp_arg_cmp cmp[RULE_ARGS];

	for (unsigned int i = 0; i < table->count; i++) {
		const struct rule *rule = &table->rules[i];
		int err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rule->nr, rule_compares(rule, cmp), cmp);

		if (err)
			return fail(err, "seccomp: \"%s\", rule \"%s\": %s", table->phase, rule->reason,
				    strerror(-err));
	}
	return 0;
}

/* x32 and int 0x80 come as another architecture, which is refused like any other call. */
static scmp_filter_ctx filter_start(const struct rule_table *table)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!ctx) {
		fail(-ENOMEM, "seccomp: \"%s\": no memory for a filter", table->phase);
		return NULL;
	}
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) || filter_fill(ctx, table)) {
		seccomp_release(ctx);
		return NULL;
	}
	return ctx;
}

int filter_apply(const struct rule_table *table)
{
	scmp_filter_ctx ctx = filter_start(table);
	int err;

	if (!ctx)
		return -EINVAL;
	err = seccomp_load(ctx);
	if (err)
		fail(err, "seccomp: filter \"%s\": %s", table->phase, strerror(-err));
	seccomp_release(ctx);
	return err;
}

/* All that @fd holds, as a program; libseccomp writes one nowhere but to a file. */
static int prog_read(int fd, struct sock_fprog *prog)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size <= 0 || (size_t)size > BPF_MAXINSNS * sizeof(*prog->filter))
		return -EINVAL;
	prog->len = (unsigned short)((size_t)size / sizeof(*prog->filter));
	prog->filter = malloc((size_t)size);
	if (!prog->filter)
		return -ENOMEM;
	return pread(fd, prog->filter, (size_t)size, 0) == (ssize_t)size ? 0 : -EIO;
}

int filter_build(const struct rule_table *table, struct sock_fprog *prog)
{
	scmp_filter_ctx ctx = filter_start(table);
	int err, fd;

	if (!ctx)
		return -EINVAL;
	fd = memfd_create("filter", MFD_CLOEXEC);
	err = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
	if (!err)
		err = prog_read(fd, prog);
	if (err)
		fail(err, "seccomp: filter \"%s\": %s", table->phase, strerror(-err));
	if (fd >= 0)
		close(fd);
	seccomp_release(ctx);
	return err;
}

int filter_put(const struct sock_fprog *prog)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) ? -errno : 0;
}
