// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text_file.h"

static int text_parse(struct vm_config *cfg, const char *text, size_t len, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder;
	int err;

	if (!slash)
		return config_parse(cfg, text, len, path, "");
	folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	if (!folder)
		return fail(-ENOMEM, "%s: no memory for its path", path);
	err = config_parse(cfg, text, len, path, folder);
	free(folder);
	return err;
}

int config_read(struct vm_config *cfg, const char *path)
{
	char *text;
	ssize_t len;
	int err;

	if (*path == '\0')
		return fail(-EINVAL, "\"\": wanted a configuration file's name");
	len = text_file_read(path, VM_CONFIG_MAX, "a configuration", "a configuration file", &text);
	if (len < 0)
		return (int)len;
	err = text_parse(cfg, text, (size_t)len, path);
	free(text);
	return err;
}
