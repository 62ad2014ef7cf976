// SPDX-License-Identifier: GPL-2.0-only
/* Configurations as they came, checked by the same code as a file's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capture.h"
#include "base/log.h"
#include "base/replace.h"
#include "vmm/system/system.h"

char *store_path(const struct manager *manager, const char *name)
{
	return path_make("%s/vms/%s.json", manager->folders.state, name);
}

/* A path that is relative to nothing. */
static int path_check(const char *key, const char *path)
{
	if (!path || *path == '/')
		return 0;
	return fail(-EINVAL, "body: %s: \"%s\": a relative path: wanted one that begins with \"/\"", key, path);
}

static int disk_check(const char *what, const struct disk_config *disk)
{
	char image[32], save[32];

	snprintf(image, sizeof(image), "%s.image", what);
	snprintf(save, sizeof(save), "%s.save", what);
	return path_check(image, disk->image) | path_check(save, disk->save_path);
}

static int config_check(struct vm_config *cfg, const char *name, const char *text, size_t len)
{
	int err = config_parse(cfg, text, len, "body", "");

	if (err)
		return err;
	if (cfg->name && strcmp(cfg->name, name) != 0)
		err = fail(-EINVAL, "body: name: \"%s\": wanted \"%s\" as in the request's path, or none", cfg->name,
			   name);
	err |= config_finish(cfg, "body");
	err |= path_check("kernel", cfg->kernel);
	err |= path_check("initrd", cfg->initrd);
	err |= path_check("report", cfg->report);
	for (unsigned int i = 0; i < cfg->ndisks; i++)
		err |= disk_check("disks.pmem", &cfg->disks[i]);
	for (unsigned int i = 0; i < cfg->nfunctions; i++)
		err |= disk_check("functions.nvme", &cfg->namespaces[i]);
	return err ? -EINVAL : 0;
}

/* Lines of messages into an array, each without what the log puts before it. */
static json_t *errors_take(char *text)
{
	static const char before[] = "nohype: error: ";
	json_t *errors = json_array();
	char *line, *rest = text;

	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, before, strlen(before)) == 0)
			line += strlen(before);
		if (*line)
			json_array_append_new(errors, json_string(line));
	}
	return errors;
}

static int text_write(const char *path, const char *text, size_t len)
{
	struct replacement file = { .folder = -1 };
	int err = replace_open(&file, path, "configuration");
	FILE *out;

	if (err)
		return err;
	out = replace_begin(&file);
	err = out ? 0 : -errno;
	if (out) {
		fwrite(text, 1, len, out);
		err = replace_commit(&file);
	}
	if (err)
		fail(err, "configuration: \"%s\": %s", path, strerror(-err));
	replace_close(&file);
	return err;
}

int store_put(struct manager *manager, const char *name, const char *text, size_t len, json_t **errors)
{
	struct capture capture;
	struct vm_config cfg;
	char *path, *messages;
	int err = capture_begin(&capture);

	*errors = NULL;
	if (err)
		return err;
	config_init(&cfg);
	err = config_check(&cfg, name, text, len);
	config_free(&cfg);
	messages = capture_end(&capture);
	if (err && messages)
		*errors = errors_take(messages);
	free(messages);
	if (err)
		return err;
	path = store_path(manager, name);
	err = path ? text_write(path, text, len) : -ENOMEM;
	free(path);
	return err;
}
