// SPDX-License-Identifier: GPL-2.0-only
/* What of the host could be attacked, by a guest or beside it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/doctor/internal.h"

#define CPUINFO		 "/proc/cpuinfo"
#define VULNERABILITIES	 "/sys/devices/system/cpu/vulnerabilities"
#define LANDLOCK_VERSION 1 /* linux/landlock.h: LANDLOCK_CREATE_RULESET_VERSION */

struct flaws {
	struct names vulnerable, smt;
	unsigned int looked;
	int err;
};

/* Documentation/ABI/testing/sysfs-devices-system-cpu: "Not affected", "Vulnerable...", "Mitigation: ...". */
static void flaw_judge(const struct doctor *doctor, const char *name, void *ctx)
{
	struct flaws *flaws = ctx;
	char path[PATH_SIZE], text[256];
	ssize_t len;

	snprintf(path, sizeof(path), VULNERABILITIES "/%.64s", name);
	len = value_read(doctor, path, text, sizeof(text));
	if (len <= 0) {
		flaws->err = len < 0 ? (int)len : -EINVAL;
		return;
	}
	flaws->looked++;
	if (strncmp(text, "Vulnerable", strlen("Vulnerable")) == 0)
		name_add(&flaws->vulnerable, "%.40s", name);
	else if (strstr(text, "SMT vulnerable"))
		name_add(&flaws->smt, "%.40s", name);
}

void look_vulnerabilities(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct flaws flaws = { 0 };
	int count = entries_each(doctor, VULNERABILITIES, flaw_judge, &flaws);

	(void)check;
	if (count < 0 || flaws.err || !flaws.looked)
		found_unread(finding, VULNERABILITIES, count < 0 ? count : flaws.err ? flaws.err : -EINVAL);
	else if (flaws.vulnerable.count)
		found(finding, CHECK_BAD, "vulnerable: %s", names_end(&flaws.vulnerable));
	else if (flaws.smt.count)
		found(finding, CHECK_BAD, "vulnerable by siblings: %s", names_end(&flaws.smt));
	else
		found(finding, CHECK_OK, "%u known, none of them open", flaws.looked);
}

struct revisions {
	struct names names;
	char last[32];
};

static bool microcode_line(const char *line, void *ctx)
{
	struct revisions *revisions = ctx;
	char revision[32];

	if (sscanf(line, "microcode : %31s", revision) != 1 || strcmp(revision, revisions->last) == 0)
		return true;
	memcpy(revisions->last, revision, sizeof(revision));
	name_add(&revisions->names, "%s", revision);
	return true;
}

void look_microcode(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	struct revisions revisions = { 0 };
	int err = lines_each(doctor, CPUINFO, microcode_line, &revisions);

	if (err < 0 || !revisions.names.count)
		found_unread(finding, check->source, err < 0 ? err : -ENODATA);
	else
		found(finding, revisions.names.count == 1 ? CHECK_OK : CHECK_BAD, "%s", names_end(&revisions.names));
}

void look_landlock(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_VERSION);

	(void)doctor;
	(void)check;
	if (version > 0)
		found(finding, CHECK_OK, "version %ld", version);
	else
		found(finding, CHECK_BAD, "%s",
		      errno == EOPNOTSUPP ? "in this kernel, and not switched on" : strerror(errno));
}

/* The word by which the kernel says that a filter can end a process. */
void look_seccomp(const struct doctor *doctor, const struct check *check, struct finding *finding)
{
	char text[VALUE_MAX];
	ssize_t len = value_read(doctor, check->source, text, sizeof(text));

	if (len < 0 && len != -ENOENT)
		found_unread(finding, check->source, (int)len);
	else
		found(finding, strstr(text, "kill_process") ? CHECK_OK : CHECK_BAD, "%s",
		      strstr(text, "kill_process") ? "filters can kill" : "filters can't kill a process here");
}
