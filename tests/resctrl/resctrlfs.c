// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: resctrlfs -f FOLDER: a simulated resctrl, where no processor at hand has any. It accepts and refuses as
 * Documentation/filesystems/resctrl.rst and fs/resctrl/rdtgroup.c say: 12 ways of L3 and bandwidth in steps of 10 %,
 * two domains, four groups, and some counters. RESCTRL in the environment makes it another: "l2" has L2 with 8 ways in
 * four domains too, "cdp" L3 for code and data apart, "unmonitored" no counters, "wide" four domains of L3 and
 * bandwidth. Of its own it has the file "fail": after "fail N" the Nth change from then on fails with EIO, after "kill
 * N" it is made and kills whoever made it.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse3/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS	  4 /* num_closids, the default one too */
#define DOMAINS	  4
#define TASKS	  64
#define MIN_BITS  2
#define TEXT_SIZE 4096

static struct resource {
	const char *name;
	unsigned int domains; /* 0: it isn't there */
	unsigned long all;    /* ways, or 0 for bandwidth */
	unsigned long shareable;
	int peer; /* code's is data's, and the other way round; else its own */
} resources[] = {
	{ "MB", 2, 0, 0, 0 },
	{ "L3", 2, 0xfff, 0xc00, 1 },
	{ "L3CODE", 0, 0xfff, 0xc00, 3 },
	{ "L3DATA", 0, 0xfff, 0xc00, 2 },
	{ "L2", 0, 0xff, 0, 4 },
};
#define RESOURCES (sizeof(resources) / sizeof(resources[0]))

struct group {
	char name[80]; /* "": free; the first is the default one, "/" */
	int exclusive;
	unsigned long value[RESOURCES][DOMAINS];
	int tasks[TASKS]; /* 0: free */
};

static struct group groups[GROUPS];
static char status[256] = "ok\n";
static char features[64] = "llc_occupancy\nmbm_total_bytes\n";

static const struct {
	const char *path, *text;
	int resource; /* whose it is, or -1 */
} infos[] = {
	{ "/info/L3/cbm_mask", "fff\n", 1 },
	{ "/info/L3/min_cbm_bits", "2\n", 1 },
	{ "/info/L3/shareable_bits", "c00\n", 1 },
	{ "/info/L3/num_closids", "4\n", 1 },
	{ "/info/L3CODE/cbm_mask", "fff\n", 2 },
	{ "/info/L3CODE/min_cbm_bits", "2\n", 2 },
	{ "/info/L3CODE/shareable_bits", "c00\n", 2 },
	{ "/info/L3CODE/num_closids", "4\n", 2 },
	{ "/info/L2/cbm_mask", "ff\n", 4 },
	{ "/info/L2/min_cbm_bits", "2\n", 4 },
	{ "/info/L2/shareable_bits", "0\n", 4 },
	{ "/info/L2/num_closids", "4\n", 4 },
	{ "/info/MB/min_bandwidth", "10\n", 0 },
	{ "/info/MB/bandwidth_gran", "10\n", 0 },
	{ "/info/MB/num_closids", "4\n", 0 },
	{ "/info/L3_MON/mon_features", features, -1 },
	{ "/info/last_cmd_status", status, -1 },
	{ "/fail", "", -1 },
};
#define INFOS (sizeof(infos) / sizeof(infos[0]))

/* The change that is to fail, or to be the last of its maker's: counted down. */
static int failing, killing;

static int change_fails(void)
{
	if (killing && !--killing)
		kill(fuse_get_context()->pid, SIGKILL);
	return failing && !--failing;
}

static int refuse(int err, const char *text)
{
	snprintf(status, sizeof(status), "%s\n", text);
	return err;
}

/* The group whose folder @path is, or with @file the group that @file stands in. */
static struct group *group_of(const char *path, const char *file)
{
	for (int i = 0; i < GROUPS; i++) {
		size_t len = i ? strlen(groups[i].name) : 0;

		if (!groups[i].name[0] || strncmp(path, i ? groups[i].name : "", len) != 0)
			continue;
		if (strcmp(path + len, file) == 0 || (!i && !*file && strcmp(path, "/") == 0))
			return &groups[i];
	}
	return NULL;
}

/* The domain whose counter @file (or, "", whose folder) of some group's @path is; -1: none. */
static int monitored(const char *path, const char *file)
{
	char name[64];

	for (unsigned int d = 0; d < DOMAINS; d++) {
		snprintf(name, sizeof(name), "/mon_data/mon_L3_%02u%s", d, file);
		if (*features && group_of(path, name))
			return (int)d;
	}
	return -1;
}

static int is_folder(const char *path)
{
	static const char *const folders[] = { "/info",	   "/info/L3", "/info/L3CODE",
					       "/info/L2", "/info/MB", "/info/L3_MON" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strcmp(path, folders[i]) == 0)
			return 1;
	return group_of(path, "") || group_of(path, "/mon_data") || monitored(path, "") >= 0;
}

static int schemata_text(const struct group *group, char *text)
{
	int used = 0;

	for (size_t r = 0; r < RESOURCES; r++) {
		if (!resources[r].domains)
			continue;
		used += sprintf(text + used, "%6s:", resources[r].name);
		for (unsigned int d = 0; d < resources[r].domains; d++)
			used += sprintf(text + used, resources[r].all ? "%s%u=%lx" : "%s%u=%5lu", d ? ";" : "", d,
					group->value[r][d]);
		used += sprintf(text + used, "\n");
	}
	return used;
}

static int tasks_text(const struct group *group, char *text)
{
	int used = 0;

	text[0] = '\0';
	for (int i = 0; i < TASKS; i++)
		if (group->tasks[i])
			used += sprintf(text + used, "%d\n", group->tasks[i]);
	return used;
}

/* What a file holds; -ENOENT: it isn't there. Only the first domain has a number of what was moved, just now. */
static int text_of(const char *path, char *text)
{
	const struct group *group;

	for (size_t i = 0; i < INFOS; i++)
		if (strcmp(path, infos[i].path) == 0 && (infos[i].resource < 0 ? infos[i].text != features || *features
									       : resources[infos[i].resource].domains))
			return sprintf(text, "%s", infos[i].text);
	if ((group = group_of(path, "/schemata")))
		return schemata_text(group, text);
	if ((group = group_of(path, "/tasks")))
		return tasks_text(group, text);
	if ((group = group_of(path, "/mode")))
		return sprintf(text, group->exclusive ? "exclusive\n" : "shareable\n");
	if (monitored(path, "/llc_occupancy") >= 0)
		return sprintf(text, "131072\n");
	if (monitored(path, "/mbm_total_bytes") >= 0)
		return sprintf(text, monitored(path, "/mbm_total_bytes") ? "Unavailable\n" : "98304000\n");
	return -ENOENT;
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	char text[TEXT_SIZE];

	(void)info;
	memset(st, 0, sizeof(*st));
	if (is_folder(path)) {
		st->st_mode = S_IFDIR | 0755;
		st->st_nlink = 2;
		return 0;
	}
	if (text_of(path, text) < 0)
		return -ENOENT;
	st->st_mode = S_IFREG | 0644;
	st->st_nlink = 1;
	return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
	char text[TEXT_SIZE];

	info->direct_io = 1;
	return text_of(path, text) < 0 ? -ENOENT : 0;
}

static int fs_read(const char *path, char *to, size_t size, off_t offset, struct fuse_file_info *info)
{
	char text[TEXT_SIZE];
	int len = text_of(path, text);

	(void)info;
	if (len < 0)
		return len;
	if (offset >= len)
		return 0;
	if (size > (size_t)(len - offset))
		size = (size_t)(len - offset);
	memcpy(to, text + offset, size);
	return (int)size;
}

/* rdtgroup_cbm_overlaps(): ways of another group's; without @exclusive those of devices too, with it only if that is.
 */
static int overlaps(const struct group *group, size_t r, unsigned int d, unsigned long mask, int exclusive)
{
	if (!exclusive && mask & resources[r].shareable)
		return 1;
	for (int i = 0; i < GROUPS; i++)
		if (groups[i].name[0] && &groups[i] != group && (!exclusive || groups[i].exclusive) &&
		    mask & (groups[i].value[r][d] | groups[i].value[resources[r].peer][d]))
			return 1;
	return 0;
}

/* __init_one_rdt_domain(): what groups share, what devices fill, and what nobody has: of that the first piece. */
static unsigned long mask_begin(size_t r, unsigned int d)
{
	unsigned long used = resources[r].shareable, mask = used, low;

	for (int i = 0; i < GROUPS; i++) {
		if (!groups[i].name[0])
			continue;
		used |= groups[i].value[r][d] | groups[i].value[resources[r].peer][d];
		if (!groups[i].exclusive)
			mask |= groups[i].value[r][d] | groups[i].value[resources[r].peer][d];
	}
	mask |= resources[r].all & ~used;
	low = mask & -mask;
	return mask & ~(mask + low);
}

static int group_begin(struct group *group)
{
	for (size_t r = 0; r < RESOURCES; r++)
		for (unsigned int d = 0; d < resources[r].domains; d++) {
			group->value[r][d] = resources[r].all ? mask_begin(r, d) : 100;
			if (resources[r].all && __builtin_popcountl(group->value[r][d]) < MIN_BITS)
				return refuse(-ENOSPC, "No space on L3");
		}
	return 0;
}

static int fs_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	strcpy(status, "ok\n");
	if (is_folder(path))
		return -EEXIST;
	if (strchr(path + 1, '/') || strlen(path) >= sizeof(groups[0].name))
		return -EPERM;
	if (change_fails())
		return -EIO;
	for (int i = 1; i < GROUPS; i++) {
		struct group group = { .name = "" };
		int err;

		if (groups[i].name[0])
			continue;
		err = group_begin(&group);
		if (err)
			return err;
		strcpy(group.name, path);
		groups[i] = group;
		return 0;
	}
	return refuse(-ENOSPC, "Out of CLOSIDs");
}

static int task_put(struct group *group, int tid)
{
	int *slot = NULL;

	for (int i = 0; i < GROUPS; i++)
		for (int j = 0; j < TASKS; j++)
			if (groups[i].tasks[j] == tid)
				groups[i].tasks[j] = 0;
	for (int j = TASKS - 1; j >= 0; j--)
		if (!group->tasks[j])
			slot = &group->tasks[j];
	if (!slot)
		return -ENOMEM;
	*slot = tid;
	return 0;
}

static int fs_rmdir(const char *path)
{
	struct group *group = group_of(path, "");

	if (!group || group == groups)
		return -EPERM;
	if (change_fails())
		return -EIO;
	for (int i = 0; i < TASKS; i++)
		if (group->tasks[i])
			task_put(groups, group->tasks[i]);
	memset(group, 0, sizeof(*group));
	return 0;
}

static int mask_check(size_t r, unsigned long mask)
{
	unsigned long low = mask ? mask >> __builtin_ctzl(mask) : 0;

	if (!mask || mask & ~resources[r].all)
		return refuse(-EINVAL, "Mask out of range");
	if (low & (low + 1))
		return refuse(-EINVAL, "The mask has non-consecutive 1-bits");
	if (__builtin_popcountl(mask) < MIN_BITS)
		return refuse(-EINVAL, "Need at least 2 bits in the mask");
	return 0;
}

/* parse_cbm() */
static int mask_set(struct group *changed, const struct group *group, size_t r, unsigned int d, unsigned long mask)
{
	int err = mask_check(r, mask);

	if (err)
		return err;
	if (overlaps(group, r, d, mask, 1))
		return refuse(-EINVAL, "Overlaps with exclusive group");
	if (group->exclusive && overlaps(group, r, d, mask, 0))
		return refuse(-EINVAL, "Overlaps with other group");
	changed->value[r][d] = mask;
	return 0;
}

static int percent_set(struct group *changed, unsigned int d, unsigned long percent)
{
	if (percent < 10 || percent > 100)
		return refuse(-EINVAL, "MB value out of range [10,100]");
	changed->value[0][d] = (percent + 9) / 10 * 10;
	return 0;
}

static int resource_of(const char *text)
{
	size_t len = strcspn(text, ":");

	for (size_t r = 0; r < RESOURCES; r++)
		if (resources[r].domains && strlen(resources[r].name) == len &&
		    strncmp(text, resources[r].name, len) == 0)
			return (int)r;
	return -1;
}

/* "L3:0=f;1=f\n": nothing of a line is taken unless all of it is. */
static int schemata_put(struct group *group, const char *text)
{
	int r = resource_of(text), err = 0;
	struct group changed = *group;

	if (r < 0)
		return refuse(-EINVAL, "Unknown or unsupported resource name");
	for (text += strlen(resources[r].name) + 1; !err; text++) {
		unsigned long id, value;
		char *end;

		id = strtoul(text, &end, 10);
		if (end == text || *end != '=')
			return refuse(-EINVAL, "Missing '=' or non-numeric domain");
		if (id >= resources[r].domains)
			return refuse(-EINVAL, "Unknown domain");
		text = end + 1;
		value = strtoul(text, &end, resources[r].all ? 16 : 10);
		if (end == text)
			return refuse(-EINVAL, "Non-numeric value");
		err = resources[r].all ? mask_set(&changed, group, (size_t)r, (unsigned int)id, value)
				       : percent_set(&changed, (unsigned int)id, value);
		text = end;
		if (*text != ';')
			break;
	}
	if (!err)
		*group = changed;
	return err;
}

/* rdtgroup_mode_write() */
static int mode_put(struct group *group, const char *text)
{
	int exclusive = strcmp(text, "exclusive\n") == 0;

	if (!exclusive && strcmp(text, "shareable\n") != 0)
		return refuse(-EINVAL, "Unknown or unsupported mode");
	for (size_t r = 0; exclusive && r < RESOURCES; r++)
		for (unsigned int d = 0; resources[r].all && d < resources[r].domains; d++)
			if (overlaps(group, r, d, group->value[r][d], 0))
				return refuse(-EINVAL, "Schemata overlaps");
	group->exclusive = exclusive;
	return 0;
}

static int task_write(struct group *group, const char *text)
{
	int tid = atoi(text);

	if (tid < 0)
		return -EINVAL;
	return kill(tid, 0) && errno == ESRCH ? refuse(-ESRCH, "No task") : task_put(group, tid);
}

static int text_put(const char *path, const char *text)
{
	struct group *group = group_of(path, "/schemata");

	if (group)
		return schemata_put(group, text);
	group = group_of(path, "/mode");
	if (group)
		return mode_put(group, text);
	group = group_of(path, "/tasks");
	return group ? task_write(group, text) : -EINVAL;
}

static int fs_write(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
	char text[TEXT_SIZE];
	int err;

	(void)info;
	if (offset || !size || size >= sizeof(text) || bytes[size - 1] != '\n')
		return -EINVAL;
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (strcmp(path, "/fail") == 0) {
		failing = strncmp(text, "fail ", 5) == 0 ? atoi(text + 5) : 0;
		killing = strncmp(text, "kill ", 5) == 0 ? atoi(text + 5) : 0;
		return (int)size;
	}
	strcpy(status, "ok\n");
	err = change_fails() ? -EIO : text_put(path, text);
	return err ? err : (int)size;
}

static int fs_readdir(const char *path, void *list, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
		      enum fuse_readdir_flags flags)
{
	(void)offset, (void)info, (void)flags;
	if (!group_of(path, ""))
		return -ENOENT;
	fill(list, "schemata", NULL, 0, 0);
	fill(list, "tasks", NULL, 0, 0);
	fill(list, "mode", NULL, 0, 0);
	fill(list, "mon_data", NULL, 0, 0);
	for (int i = 1; i < GROUPS && strcmp(path, "/") == 0; i++)
		if (groups[i].name[0])
			fill(list, groups[i].name + 1, NULL, 0, 0);
	return 0;
}

static const struct fuse_operations operations = {
	.getattr = fs_getattr,
	.open = fs_open,
	.read = fs_read,
	.write = fs_write,
	.mkdir = fs_mkdir,
	.rmdir = fs_rmdir,
	.readdir = fs_readdir,
};

int main(int argc, char **argv)
{
	const char *as = getenv("RESCTRL");

	if (!as)
		as = "";
	if (strstr(as, "l2"))
		resources[4].domains = 4;
	if (strstr(as, "wide"))
		resources[0].domains = resources[1].domains = 4;
	if (strstr(as, "cdp")) {
		resources[1].domains = 0;
		resources[2].domains = resources[3].domains = 2;
	}
	if (strstr(as, "unmonitored"))
		*features = '\0';
	strcpy(groups[0].name, "/");
	for (size_t r = 0; r < RESOURCES; r++)
		for (unsigned int d = 0; d < resources[r].domains; d++)
			groups[0].value[r][d] = resources[r].all ? resources[r].all : 100;
	return fuse_main(argc, argv, &operations, NULL);
}
