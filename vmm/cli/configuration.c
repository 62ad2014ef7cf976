// SPDX-License-Identifier: GPL-2.0-only
#include "vmm/cli/cli.h"

#include <errno.h>
#include <stddef.h>

#include "base/exit_code.h"

const char *configuration_name(const struct invocation *inv)
{
	return inv->file ? inv->file : "command line";
}

static int settings_apply(struct vm_config *cfg, const struct invocation *inv)
{
	int result = 0;

	for (size_t i = 0; i < OPTIONS_MAX; i++) {
		const struct setting *setting = &inv->settings[i];
		int err = setting->key ? config_set(cfg, setting->key, setting->value, setting->where) : 0;

		result = err ? err : result;
	}
	return result;
}

int configuration_load(struct vm_config *cfg, const struct invocation *inv)
{
	int file_err = 0, option_err;

	config_init(cfg);
	if (inv->file)
		file_err = config_read(cfg, inv->file);
	option_err = settings_apply(cfg, inv);
	if (file_err || option_err)
		return file_err ? file_err : option_err;
	return config_finish(cfg, configuration_name(inv));
}

int configuration_exit(int err)
{
	return err == -ENOMEM ? EXIT_ERROR : EXIT_USAGE;
}
