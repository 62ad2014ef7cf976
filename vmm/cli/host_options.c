// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/util.h"
#include "pinning/host/host.h"
#include "vmm/cli/host.h"

static const struct {
	const char *name;
	char letter; /* in @takes; 0: all take it */
	bool argument;
} known[] = {
	{ "--cores", 'c', true },  { "--dry-run", 'd', false }, { "--json", 'j', false },
	{ "--force", 'f', false }, { "--state", 0, true },
};

static bool wrong(const char *command, const char *word, const char *takes)
{
	struct nearest near = { .asked = word };
	char quoted[64];

	quote_text(quoted, sizeof(quoted), word, strlen(word));
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!known[i].letter || strchr(takes, known[i].letter))
			nearest_offer(&near, known[i].name, known[i].name);
	if (near.word && word[0] == '-')
		fail(-EINVAL, "host %s: %s: unknown: did you mean %s?", command, quoted, near.word);
	else
		fail(-EINVAL, "host %s: %s: unknown: see nohype host %s --help", command, quoted, command);
	return false;
}

static void option_set(struct host_options *options, char letter, const char *argument)
{
	switch (letter) {
	case 'c':
		options->cores = argument;
		break;
	case 'd':
		options->dry_run = true;
		break;
	case 'j':
		options->json = true;
		break;
	case 'f':
		options->force = true;
		break;
	default:
		options->state = argument;
	}
}

/* --NAME, --NAME ARGUMENT or --NAME=ARGUMENT at argv[*i], which moves past it. */
static bool option_take(struct host_options *options, const char *takes, const char *command, char **argv, int *i)
{
	const char *word = argv[(*i)++];

	for (size_t n = 0; n < ARRAY_SIZE(known); n++) {
		size_t len = strlen(known[n].name);
		const char *argument = NULL;

		if (strncmp(word, known[n].name, len) != 0 || (known[n].letter && !strchr(takes, known[n].letter)))
			continue;
		if (known[n].argument && word[len] == '=')
			argument = word + len + 1;
		else if (word[len])
			continue;
		else if (known[n].argument && argv[*i])
			argument = argv[(*i)++];
		if (known[n].argument && !argument) {
			fail(-EINVAL, "host %s: option %s: wanted an argument", command, word);
			return false;
		}
		option_set(options, known[n].letter, argument);
		return true;
	}
	return wrong(command, word, takes);
}

bool host_options_parse(struct host_options *options, const char *takes, int argc, char **argv)
{
	*options = (struct host_options){ .state = HOST_STATE };
	for (int i = 1; i < argc;)
		if (!option_take(options, takes, argv[0], argv, &i))
			return false;
	if (!strchr(takes, 'c') || options->cores)
		return true;
	fail(-EINVAL, "host %s: wanted --cores LIST, as 2-3,6: see nohype host topology for what there is", argv[0]);
	return false;
}
