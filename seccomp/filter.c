// SPDX-License-Identifier: GPL-2.0-only
#include "seccomp/filter.h"

#include <seccomp.h>
#include <string.h>

#include "base/log.h"

static unsigned int rule_compares(const struct rule *rule, struct scmp_arg_cmp *cmp)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < RULE_ARGS; i++) {
		const struct rule_arg *arg = &rule->args[i];

		if (!arg->used)
			continue;
		cmp[count++] = arg->low_word ? SCMP_CMP64(i, SCMP_CMP_MASKED_EQ, UINT32_MAX, arg->value)
					     : SCMP_CMP64(i, SCMP_CMP_EQ, arg->value);
	}
	return count;
}

static int filter_build(scmp_filter_ctx ctx, const struct rule_table *table)
{
	struct scmp_arg_cmp cmp[RULE_ARGS];
	int err = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);

	if (err)
		return fail(err, "seccomp: all threads at once: %s", strerror(-err));
	for (unsigned int i = 0; i < table->count; i++) {
		const struct rule *rule = &table->rules[i];

		err = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rule->nr, rule_compares(rule, cmp), cmp);
		if (err)
			return fail(err, "seccomp: \"%s\", rule \"%s\": %s", table->phase, rule->reason,
				    strerror(-err));
	}
	return 0;
}

int filter_apply(const struct rule_table *table)
{
	/* x32 and int 0x80 come as another architecture, which is refused like any other call */
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int err;

	if (!ctx)
		return fail(-12, "seccomp: no memory for a filter");
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!err)
		err = filter_build(ctx, table);
	if (!err) {
		err = seccomp_load(ctx);
		if (err)
			fail(err, "seccomp: filter \"%s\": %s", table->phase, strerror(-err));
	}
	seccomp_release(ctx);
	return err;
}
