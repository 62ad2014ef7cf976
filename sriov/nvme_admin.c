// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to an NVMe controller, by the host's driver (linux/nvme_ioctl.h). Numbers and fields: NVM Express Base
 * Specification 2.0, chapter 5. Sanitize was not tested: no hardware, and QEMU hasn't got it.
 */
#include <errno.h>
#include <linux/nvme_ioctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "sriov/internal.h"

#define GET_LOG_PAGE	    0x02
#define IDENTIFY	    0x06
#define IDENTIFY_SIZE	    4096
#define IDENTIFY_NAMESPACE  0
#define IDENTIFY_CONTROLLER 1
#define FORMAT		    0x80
#define FORMAT_ERASE	    (1U << 9) /* SES: user data */
#define SANITIZE	    0x84
#define SANITIZE_LOG	    0x81
#define SECONDS_MAX	    3600
#define OACS		    256 /* controller: which commands there are; bit 1: Format NVM */
#define SANICAP		    328 /* bit 0: sanitizes by a new key, bit 1: by erasing blocks, bit 2: by overwriting */
#define ONCS		    520 /* bit 3: Write Zeroes */
#define FLBAS		    26	/* namespace: how it is formatted; bits 3:0 and 6:5: the index */

/* 0, a negative errno, or above 0 what the controller says (its status field). */
static int admin_run(const struct namespace *namespace, struct nvme_admin_cmd *command)
{
	int status = ioctl(namespace->fd, NVME_IOCTL_ADMIN_CMD, command);

	return status < 0 ? -errno : status;
}

static int identify(const struct namespace *namespace, uint32_t what, uint8_t found[IDENTIFY_SIZE])
{
	struct nvme_admin_cmd command = { .opcode = IDENTIFY,
					  .nsid = what == IDENTIFY_NAMESPACE ? namespace->nsid : 0,
					  .addr = (uint64_t)(uintptr_t)found,
					  .data_len = IDENTIFY_SIZE,
					  .cdw10 = what };
	int status = admin_run(namespace, &command);

	return status ? fail(status < 0 ? status : -EIO, "functions: namespace %s: Identify: status 0x%x",
			     namespace->name, (unsigned int)MAX(status, 0))
		      : 0;
}

int namespace_clear_check(const struct namespace *namespace, enum namespace_clear how)
{
	uint8_t controller[IDENTIFY_SIZE];
	int err;

	if (how == NAMESPACE_AUTO || how == NAMESPACE_OVERWRITE)
		return 0;
	err = identify(namespace, IDENTIFY_CONTROLLER, controller);
	if (err)
		return err;
	if (how == NAMESPACE_FORMAT && !(controller[OACS] & 1U << 1))
		return fail(-EOPNOTSUPP,
			    "functions: namespace %s: clear: \"format\": its controller has no Format NVM (OACS 0x%x): "
			    "wanted \"auto\"",
			    namespace->name, controller[OACS]);
	if (how == NAMESPACE_WRITE_ZEROES && !(controller[ONCS] & 1U << 3))
		return fail(-EOPNOTSUPP,
			    "functions: namespace %s: clear: \"write-zeroes\": its controller has no Write Zeroes "
			    "(ONCS 0x%x): wanted \"auto\"",
			    namespace->name, controller[ONCS]);
	if (how == NAMESPACE_SANITIZE && !(controller[SANICAP] & 7))
		return fail(
			-EOPNOTSUPP,
			"functions: namespace %s: clear: \"sanitize\": its controller has no Sanitize (SANICAP 0x%x): "
			"wanted \"auto\"",
			namespace->name, controller[SANICAP]);
	return 0;
}

/* All user data erased, the blocks' format as it is. The kernel looks at its namespaces anew after it. */
int namespace_format(const struct namespace *namespace)
{
	struct nvme_admin_cmd command = { .opcode = FORMAT, .nsid = namespace->nsid, .timeout_ms = SECONDS_MAX * 1000 };
	uint8_t found[IDENTIFY_SIZE];
	int err = identify(namespace, IDENTIFY_NAMESPACE, found), status;

	if (err)
		return err;
	command.cdw10 = FORMAT_ERASE | (found[FLBAS] & 0x1f) | (found[FLBAS] & 0x60U) << 7;
	status = admin_run(namespace, &command);
	if (status)
		return fail(status < 0 ? status : -EIO,
			    "functions: namespace %s: Format NVM: refused with status 0x%x by the controller",
			    namespace->name, (unsigned int)MAX(status, 0));
	return 0;
}

/* Which of the ways (SANACT) it has, the first that leaves no cell as it was. */
static uint32_t sanitize_action(uint8_t capabilities)
{
	if (capabilities & 1U << 1)
		return 2;
	if (capabilities & 1U << 2)
		return 3 | 1U << 4; /* one pass, of the pattern in dword 11: zeros */
	return 4;
}

/* The controller answers at once, and says in a log how far it is. */
static int sanitize_wait(const struct namespace *namespace)
{
	uint8_t found[512];
	struct nvme_admin_cmd command = { .opcode = GET_LOG_PAGE,
					  .nsid = UINT32_MAX,
					  .addr = (uint64_t)(uintptr_t)found,
					  .data_len = sizeof(found),
					  .cdw10 = SANITIZE_LOG | (sizeof(found) / 4 - 1) << 16 };

	for (unsigned int seconds = 0; seconds < SECONDS_MAX; seconds++) {
		int status = admin_run(namespace, &command);
		uint8_t state =
			found[2] & 7; /* SSTAT: 1, done; 2, being done; 3, not done; 4, done, nothing unmapped */

		if (status || state == 0 || state == 3)
			return fail(status < 0 ? status : -EIO,
				    "functions: namespace %s: Sanitize: not done: status 0x%x, state %u",
				    namespace->name, (unsigned int)MAX(status, 0), status ? 0 : state);
		if (state != 2)
			return 0;
		sleep(1);
	}
	return fail(-ETIMEDOUT, "functions: namespace %s: Sanitize: not done after %d s", namespace->name, SECONDS_MAX);
}

/* All of the subsystem's namespaces, spare blocks and caches too. */
int namespace_sanitize(const struct namespace *namespace)
{
	struct nvme_admin_cmd command = { .opcode = SANITIZE };
	uint8_t found[IDENTIFY_SIZE];
	int err = identify(namespace, IDENTIFY_CONTROLLER, found), status;

	if (err)
		return err;
	command.cdw10 = sanitize_action(found[SANICAP]);
	status = admin_run(namespace, &command);
	if (status)
		return fail(status < 0 ? status : -EIO,
			    "functions: namespace %s: Sanitize: refused with status 0x%x by the controller",
			    namespace->name, (unsigned int)MAX(status, 0));
	return sanitize_wait(namespace);
}
