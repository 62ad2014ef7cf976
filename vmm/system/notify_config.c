// SPDX-License-Identifier: GPL-2.0-only
/* nohyped's own configuration: { "notify": [ ... ], "requests": { ... } }. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "vmm/config/parse.h"
#include "vmm/system/notify.h"

/* A file that others may read is no secret. */
static int secret_read(struct target *target)
{
	int fd = open(target->secret_file, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	ssize_t len;

	if (fd < 0 || fstat(fd, &st))
		err = fail(-errno, "notify \"%s\": secret_file \"%s\": %s", target->name, target->secret_file,
			   strerror(errno));
	else if (st.st_mode & 077)
		err = fail(-EINVAL, "notify \"%s\": secret_file \"%s\": mode %03o: wanted 600: chmod 600 it",
			   target->name, target->secret_file, st.st_mode & 0777);
	len = err || fd < 0 ? 0 : read(fd, target->secret, SECRET_MAX);
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	while (len > 0 && target->secret[len - 1] == '\n')
		len--;
	target->secret_len = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : fail(-EINVAL, "notify \"%s\": secret_file: nothing is in it", target->name);
}

static bool command_is_right(const json_t *command)
{
	const json_t *word;
	size_t i;

	json_array_foreach (command, i, word)
		if (!json_is_string(word))
			return false;
	return json_array_size(command) > 0 && *json_string_value(json_array_get(command, 0)) == '/';
}

static int target_check(const struct target *target)
{
	if (!name_is_valid(target->name))
		return fail(-EINVAL, "notify: name: \"%s\": wanted one as a VM's", target->name);
	if (!!target->url + !!target->command + !!target->journal != 1)
		return fail(-EINVAL, "notify \"%s\": wanted one of url, command and journal", target->name);
	if (target->url && strncmp(target->url, "http://", 7) != 0 && strncmp(target->url, "https://", 8) != 0)
		return fail(-EINVAL, "notify \"%s\": url: \"%s\": wanted http:// or https://", target->name,
			    target->url);
	if (!target->url && (target->unix_socket || target->secret_file))
		return fail(-EINVAL, "notify \"%s\": unix_socket and secret_file go with url", target->name);
	if (target->command && !command_is_right(target->command))
		return fail(-EINVAL, "notify \"%s\": command: wanted an array of texts, the first an absolute path",
			    target->name);
	return 0;
}

static int target_read(struct targets *targets, json_t *json)
{
	struct target *target = &targets->list[targets->count];
	json_error_t error;
	int err;

	if (targets->count == TARGETS_MAX)
		return fail(-EINVAL, "notify: more than %d targets", TARGETS_MAX);
	*target = (struct target){ 0 };
	if (json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s?s, s?s, s?s, s?o, s?b}", "name", &target->name, "url",
			   &target->url, "unix_socket", &target->unix_socket, "secret_file", &target->secret_file,
			   "command", &target->command, "journal", &target->journal))
		return fail(-EINVAL, "notify: %s", error.text);
	err = target_check(target);
	for (unsigned int i = 0; !err && i < targets->count; i++)
		if (strcmp(targets->list[i].name, target->name) == 0)
			err = fail(-EINVAL, "notify: name: \"%s\" is there twice", target->name);
	if (!err && target->secret_file)
		err = secret_read(target);
	targets->count += !err;
	return err;
}

int targets_read(struct targets *targets, const char *path)
{
	json_t *list = NULL, *json;
	json_error_t error;
	size_t i;
	int err = 0;

	*targets = (struct targets){ 0 };
	if (!path)
		return 0;
	targets->json = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!targets->json || json_unpack_ex(targets->json, &error, JSON_STRICT, "{s?o, s?o}", "notify", &list,
					     "requests", &targets->requests))
		return fail(-EINVAL, "%s:%d: %s", path, error.line, error.text);
	if (list && !json_is_array(list))
		return fail(-EINVAL, "%s: notify: wanted an array", path);
	json_array_foreach (list, i, json)
		err = err ? err : target_read(targets, json);
	return err;
}
