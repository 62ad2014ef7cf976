// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: resctrlfs -f FOLDER: a simulated resctrl, where no processor at hand has any. It accepts and refuses as
 * Documentation/filesystems/resctrl.rst says: 12 ways of L3 and bandwidth in steps of 10 %, two domains, four groups.
 */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fuse3/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS	  4 /* num_closids, the default one too */
#define DOMAINS	  2
#define TASKS	  64
#define WAYS	  0xfffUL
#define MIN_BITS  2
#define TEXT_SIZE 4096

struct group {
	char name[80]; /* "": free; the first is the default one, "/" */
	unsigned long mask[DOMAINS], percent[DOMAINS];
	int tasks[TASKS]; /* 0: free */
};

static struct group groups[GROUPS] = { { .name = "/", .mask = { WAYS, WAYS }, .percent = { 100, 100 } } };
static char status[256] = "ok\n";

static const struct {
	const char *path, *text;
} infos[] = {
	{ "/info/L3/cbm_mask", "fff\n" },  { "/info/L3/min_cbm_bits", "2\n" },	 { "/info/L3/shareable_bits", "c00\n" },
	{ "/info/L3/num_closids", "4\n" }, { "/info/MB/min_bandwidth", "10\n" }, { "/info/MB/bandwidth_gran", "10\n" },
	{ "/info/MB/num_closids", "4\n" }, { "/info/last_cmd_status", status },
};
#define INFOS (sizeof(infos) / sizeof(infos[0]))

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

static int is_folder(const char *path)
{
	static const char *const folders[] = { "/info", "/info/L3", "/info/MB" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strcmp(path, folders[i]) == 0)
			return 1;
	return group_of(path, "") != NULL;
}

/* What a file holds; -ENOENT: it isn't there. */
static int text_of(const char *path, char *text)
{
	const struct group *group = group_of(path, "/schemata");
	int used = 0;

	for (size_t i = 0; i < INFOS; i++)
		if (strcmp(path, infos[i].path) == 0)
			return snprintf(text, TEXT_SIZE, "%s", infos[i].text);
	if (group)
		return snprintf(text, TEXT_SIZE, "    MB:0=%5lu;1=%5lu\n    L3:0=%lx;1=%lx\n", group->percent[0],
				group->percent[1], group->mask[0], group->mask[1]);
	group = group_of(path, "/tasks");
	if (!group)
		return -ENOENT;
	for (int i = 0; i < TASKS; i++)
		if (group->tasks[i])
			used += snprintf(text + used, (size_t)(TEXT_SIZE - used), "%d\n", group->tasks[i]);
	text[used] = '\0';
	return used;
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

static int fs_mkdir(const char *path, mode_t mode)
{
	(void)mode;
	strcpy(status, "ok\n");
	if (is_folder(path))
		return -EEXIST;
	if (strchr(path + 1, '/') || strlen(path) >= sizeof(groups[0].name))
		return -EPERM;
	for (int i = 1; i < GROUPS; i++) {
		if (groups[i].name[0])
			continue;
		groups[i] = (struct group){ .mask = { WAYS, WAYS }, .percent = { 100, 100 } };
		strcpy(groups[i].name, path);
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
	for (int i = 0; i < TASKS; i++)
		if (group->tasks[i])
			task_put(groups, group->tasks[i]);
	memset(group, 0, sizeof(*group));
	return 0;
}

static int mask_set(unsigned long *to, unsigned long mask)
{
	unsigned long low = mask ? mask >> __builtin_ctzl(mask) : 0;

	if (!mask || mask & ~WAYS)
		return refuse(-EINVAL, "Mask out of range");
	if (low & (low + 1))
		return refuse(-EINVAL, "The mask has non-consecutive 1-bits");
	if (__builtin_popcountl(mask) < MIN_BITS)
		return refuse(-EINVAL, "Need at least 2 bits in the mask");
	*to = mask;
	return 0;
}

static int percent_set(unsigned long *to, unsigned long percent)
{
	if (percent < 10 || percent > 100)
		return refuse(-EINVAL, "MB value out of range [10,100]");
	*to = (percent + 9) / 10 * 10;
	return 0;
}

/* "L3:0=f;1=f\n": nothing of a line is taken unless all of it is. */
static int schemata_put(struct group *group, const char *text)
{
	int is_l3 = strncmp(text, "L3:", 3) == 0, err = 0;
	struct group changed = *group;

	if (!is_l3 && strncmp(text, "MB:", 3) != 0)
		return refuse(-EINVAL, "Unknown or unsupported resource name");
	for (text += 3; !err; text++) {
		unsigned long id, value;
		char *end;

		id = strtoul(text, &end, 10);
		if (end == text || *end != '=')
			return refuse(-EINVAL, "Missing '=' or non-numeric domain");
		if (id >= DOMAINS)
			return refuse(-EINVAL, "Unknown domain");
		text = end + 1;
		value = strtoul(text, &end, is_l3 ? 16 : 10);
		if (end == text)
			return refuse(-EINVAL, "Non-numeric value");
		err = is_l3 ? mask_set(&changed.mask[id], value) : percent_set(&changed.percent[id], value);
		text = end;
		if (*text != ';')
			break;
	}
	if (!err)
		*group = changed;
	return err;
}

static int fs_write(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct group *group = group_of(path, "/schemata");
	char text[TEXT_SIZE];
	int err;

	(void)info;
	if (offset || !size || size >= sizeof(text) || bytes[size - 1] != '\n')
		return -EINVAL;
	memcpy(text, bytes, size);
	text[size] = '\0';
	strcpy(status, "ok\n");
	if (group) {
		err = schemata_put(group, text);
	} else {
		int tid = atoi(text);

		group = group_of(path, "/tasks");
		if (!group || tid < 0)
			return -EINVAL;
		err = kill(tid, 0) && errno == ESRCH ? refuse(-ESRCH, "No task") : task_put(group, tid);
	}
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
	return fuse_main(argc, argv, &operations, NULL);
}
