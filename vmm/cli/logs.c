// SPDX-License-Identifier: GPL-2.0-only
/* `nohype logs`: what the guest has logged, as it came or as an object a line. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/exit_code.h"
#include "base/log.h"
#include "vmm/cli/attach.h"
#include "vmm/rings/messages.h"

#define LINE_MAX_BYTES 4096 /* a longer one is several */

struct logs {
	bool follow, json;
	const char *name;
	char line[LINE_MAX_BYTES]; /* what has come of one */
	size_t len;
};

/* UTF-8 if it is that; else each byte is a character, as in Latin 1, so that none is lost. */
static json_t *text_json(const char *text, size_t len)
{
	json_t *json = json_stringn(text, len);
	char wide[2 * LINE_MAX_BYTES];
	size_t count = 0;

	for (size_t i = 0; !json && i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte >= 0x80)
			wide[count++] = (char)(0xc0 | byte >> 6);
		wide[count++] = (char)(byte < 0x80 ? byte : 0x80 | (byte & 0x3f));
	}
	return json ? json : json_stringn(wide, count);
}

static int line_end(struct logs *logs)
{
	json_t *line = json_pack("{s:s, s:o}", "vm", logs->name, "text", text_json(logs->line, logs->len));

	logs->len = 0;
	json_dumpf(line, stdout, JSON_COMPACT);
	json_decref(line);
	return putchar('\n') < 0 ? fail(-errno, "standard output: %s", strerror(errno)) : 0;
}

static int lines_write(struct logs *logs, const char *bytes, ssize_t len)
{
	int err = 0;

	for (ssize_t i = 0; i < len && !err; i++) {
		if (bytes[i] != '\n')
			logs->line[logs->len++] = bytes[i];
		if (bytes[i] == '\n' || logs->len == sizeof(logs->line))
			err = line_end(logs);
	}
	if (!err && fflush(stdout))
		err = fail(-errno, "standard output: %s", strerror(errno));
	return err;
}

/* Until the VM's end, or that of what there is: 0; negative errno, reported. */
static int packets_pass(struct logs *logs, int fd)
{
	char packet[RINGS_PACKET_MAX];
	ssize_t len;
	int err = 0;

	while (!err && ((len = recv(fd, packet, sizeof(packet), 0)) > 0 || (len < 0 && errno == EINTR)))
		if (len > 0)
			err = logs->json ? lines_write(logs, packet, len) : output_write(packet, len);
	if (!err && logs->len)
		err = lines_write(logs, "\n", 1);
	return err;
}

static int logs_parse(struct logs *logs, const struct command *cmd, int argc, char **argv)
{
	char quoted[64];

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "--follow") == 0)
			logs->follow = true;
		else if (strcmp(argv[i], "--json") == 0)
			logs->json = true;
		else if (!logs->name && argv[i][0] != '-')
			logs->name = argv[i];
		else
			return fail(-EINVAL, "%s: %s: unknown, or one too many: see nohype help %s", cmd->name,
				    quote_text(quoted, sizeof(quoted), argv[i], strlen(argv[i])), cmd->name);
	}
	return vm_name_check(cmd, logs->name) ? 0 : -EINVAL;
}

int logs_main(const struct command *cmd, int argc, char **argv)
{
	struct logs logs = { 0 };
	int fd, err;

	if (argc == 2 && help_asked(cmd, argv[1]))
		return EXIT_CLEAN;
	if (logs_parse(&logs, cmd, argc, argv))
		return EXIT_USAGE;
	fd = vm_attach(cmd, logs.name, logs.follow ? "follow" : "logs");
	if (fd < 0)
		return EXIT_ERROR;
	err = packets_pass(&logs, fd);
	close(fd);
	if (logs.follow && !err)
		err = vm_detached(logs.name);
	return err ? EXIT_ERROR : EXIT_CLEAN;
}
