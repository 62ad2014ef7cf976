// SPDX-License-Identifier: GPL-2.0-only
/* Shares of cache and bandwidth: what is asked for, where ways are placed, and the kernel's schemata. */
#include <check.h>
#undef fail /* an old macro of Check: ours is in base/log.h */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "pinning/resctrl/resctrl.h"

static const struct {
	const char *text;
	int err;
	enum share_kind kind;
	unsigned int amount;
} caches[] = {
	{ "4 ways", 0, SHARE_WAYS, 4 },	     { "1 way", 0, SHARE_WAYS, 1 },	{ "64 ways", 0, SHARE_WAYS, 64 },
	{ "25%", 0, SHARE_PERCENT, 25 },     { "100%", 0, SHARE_PERCENT, 100 }, { "0%", -ERANGE, 0, 0 },
	{ "0 ways", -ERANGE, 0, 0 },	     { "101%", -ERANGE, 0, 0 },		{ "65 ways", -ERANGE, 0, 0 },
	{ "4294967297 ways", -ERANGE, 0, 0 }, { "99999999999999999999%", -ERANGE, 0, 0 },
	{ "", -EINVAL, 0, 0 },		     { "4", -EINVAL, 0, 0 },		{ "%", -EINVAL, 0, 0 },
	{ "4ways", -EINVAL, 0, 0 },	     { "4 ways ", -EINVAL, 0, 0 },	{ "-4 ways", -EINVAL, 0, 0 },
	{ " 4 ways", -EINVAL, 0, 0 },	     { "2.5%", -EINVAL, 0, 0 },		{ "25 %", -EINVAL, 0, 0 },
	{ "500MB/s", -EINVAL, 0, 0 },
}, bandwidths[] = {
	{ "20%", 0, SHARE_PERCENT, 20 },       { "500MB/s", 0, SHARE_MBPS, 500 },
	{ "10000000MB/s", 0, SHARE_MBPS, 10000000 }, { "10000001MB/s", -ERANGE, 0, 0 },
	{ "0MB/s", -ERANGE, 0, 0 },	       { "101%", -ERANGE, 0, 0 },
	{ "0%", -ERANGE, 0, 0 },	       { "4 ways", -EINVAL, 0, 0 },
	{ "500", -EINVAL, 0, 0 },	       { "500mb/s", -EINVAL, 0, 0 },
	{ "500MB/s\n", -EINVAL, 0, 0 },
};

START_TEST(share_of_cache)
{
	struct share share = { 0 };

	ck_assert_int_eq(share_parse_cache(caches[_i].text, &share), caches[_i].err);
	ck_assert_int_eq(share.kind, caches[_i].kind);
	ck_assert_uint_eq(share.amount, caches[_i].amount);
}
END_TEST

START_TEST(share_of_bandwidth)
{
	struct share share = { 0 };

	ck_assert_int_eq(share_parse_bandwidth(bandwidths[_i].text, &share), bandwidths[_i].err);
	ck_assert_int_eq(share.kind, bandwidths[_i].kind);
	ck_assert_uint_eq(share.amount, bandwidths[_i].amount);
}
END_TEST

START_TEST(ways_counted)
{
	struct cache_info info = { .cbm_mask = 0x7ff, .min_bits = 2 };
	struct share share = { SHARE_PERCENT, 25 };
	unsigned int ways = 0;

	ck_assert_int_eq(ways_count(&info, &share, &ways), 0);
	ck_assert_uint_eq(ways, 3); /* 2.75: what is promised is there */
	share.amount = 1;
	ck_assert_int_eq(ways_count(&info, &share, &ways), 0);
	ck_assert_uint_eq(ways, 2);
	share.amount = 100;
	ck_assert_int_eq(ways_count(&info, &share, &ways), 0);
	ck_assert_uint_eq(ways, 11);
	share = (struct share){ SHARE_WAYS, 12 };
	ck_assert_int_eq(ways_count(&info, &share, &ways), -ERANGE);
	share = (struct share){ SHARE_MBPS, 1 };
	ck_assert_int_eq(ways_count(&info, &share, &ways), -EINVAL);
}
END_TEST

START_TEST(masks_checked)
{
	struct cache_info info = { .cbm_mask = 0xfff, .min_bits = 2 };

	ck_assert_int_eq(ways_check(&info, 0x3c0), 0);
	ck_assert_int_eq(ways_check(&info, 0xfff), 0);
	ck_assert_int_eq(ways_check(&info, 0x5), -EDOM);
	ck_assert_int_eq(ways_check(&info, 0x1), -ENODATA);
	ck_assert_int_eq(ways_check(&info, 0), -ENODATA);
	ck_assert_int_eq(ways_check(&info, 0x1800), -ERANGE);
	info.sparse = true;
	ck_assert_int_eq(ways_check(&info, 0x5), 0);
	info = (struct cache_info){ .cbm_mask = UINT64_MAX, .min_bits = 1 };
	ck_assert_int_eq(ways_check(&info, UINT64_MAX), 0);
}
END_TEST

static const struct {
	uint64_t all, shareable, taken;
	unsigned int ways;
	int err;
	uint64_t mask;
} placed[] = {
	{ 0xfff, 0, 0, 4, 0, 0xf00 },	      { 0xfff, 0xc00, 0, 4, 0, 0x3c0 },	    /* apart from what devices fill */
	{ 0xfff, 0xc00, 0x3c0, 4, 0, 0x03c }, { 0xfff, 0xc00, 0x3ff, 2, 0, 0xc00 }, /* nothing else is left */
	{ 0xfff, 0xc00, 0, 11, 0, 0x7ff },					    /* as few of these as can be */
	{ 0xfff, 0, 0x0f0, 4, 0, 0xf00 },     { 0xfff, 0, 0x888, 4, -ENOSPC, 0 },   /* enough are free, but not together
										     */
	{ 0xfff, 0, 0xfff, 1, -ENOSPC, 0 },   { 0xfff, 0, 0, 13, -ENOSPC, 0 },	       { 0xfff, 0, 0, 65, -ENOSPC, 0 },
	{ 0xfff, 0, 0, 0, -EINVAL, 0 },	      { UINT64_MAX, 0, 0, 64, 0, UINT64_MAX },
};

START_TEST(ways_placed)
{
	struct cache_info info = { .cbm_mask = placed[_i].all, .shareable = placed[_i].shareable, .min_bits = 1 };
	uint64_t mask = 0;

	ck_assert_int_eq(ways_place(&info, placed[_i].taken, placed[_i].ways, &mask), placed[_i].err);
	ck_assert_uint_eq(mask, placed[_i].mask);
	ck_assert_uint_eq(mask & placed[_i].taken, 0);
	if (mask)
		ck_assert_int_eq(ways_check(&info, mask), 0);
}
END_TEST

START_TEST(bandwidth_values)
{
	struct bandwidth_info info = { .min = 10, .gran = 10 };
	struct share percent = { SHARE_PERCENT, 21 }, mbps = { SHARE_MBPS, 500 }, ways = { SHARE_WAYS, 4 };
	unsigned int value = 0;

	ck_assert_int_eq(bandwidth_value(&info, &percent, &value), 0);
	ck_assert_uint_eq(value, 30);
	percent.amount = 10;
	ck_assert_int_eq(bandwidth_value(&info, &percent, &value), 0);
	ck_assert_uint_eq(value, 10);
	percent.amount = 9;
	ck_assert_int_eq(bandwidth_value(&info, &percent, &value), -ERANGE);
	ck_assert_int_eq(bandwidth_value(&info, &mbps, &value), -ENOTSUP);
	ck_assert_int_eq(bandwidth_value(&info, &ways, &value), -EINVAL);
	info.mbps = true;
	ck_assert_int_eq(bandwidth_value(&info, &percent, &value), -ENOTSUP);
	ck_assert_int_eq(bandwidth_value(&info, &mbps, &value), 0);
	ck_assert_uint_eq(value, 500);
}
END_TEST

START_TEST(schemata_read)
{
	static struct schemata all;
	char text[64];
	uint64_t taken = 0x1;

	ck_assert_int_eq(schemata_parse("    MB:0=  100;1=   50\n    L3:0=fff;1=00f\n", &all), 0);
	ck_assert_uint_eq(all.count, 2);
	ck_assert_uint_eq(schemata_find(&all, "MB")->domains[1].value, 50);
	ck_assert_ptr_null(schemata_find(&all, "L2"));
	ck_assert(!schemata_is_cdp(&all));
	ck_assert(schemata_ways(&all, "L3", 1, &taken));
	ck_assert_uint_eq(taken, 0xf);
	ck_assert(!schemata_ways(&all, "L3", 2, &taken));
	ck_assert_int_eq(schemata_format(schemata_find(&all, "L3"), text, sizeof(text)), 13);
	ck_assert_str_eq(text, "L3:0=fff;1=f\n");
	ck_assert_int_eq(schemata_format(schemata_find(&all, "L3"), text, 13), -ENOSPC);
}
END_TEST

START_TEST(schemata_of_cdp)
{
	static struct schemata all;
	uint64_t taken = 0;

	ck_assert_int_eq(schemata_parse("L3DATA:0=f0\nL3CODE:0=0f\nL2:0=700\n", &all), 0);
	ck_assert(schemata_is_cdp(&all));
	ck_assert(schemata_ways(&all, "L3", 0, &taken));
	ck_assert_uint_eq(taken, 0xff);
}
END_TEST

static const char *const refused[] = {
	"",
	"L3",
	"L3:",
	"L3:\n",
	"L3:0\n",
	"L3:0=\n",
	"L3:0=f",
	"L3:0=f;\n",
	"L3:=f\n",
	"L3:0=g\n",
	"L3:0=F\n",
	"L3:0=0xf\n",
	"L3:0=-1\n",
	"MB:0=1f\n",
	"L3:0=f;0=f\n",
	"l3:0=f\n",
	":0=f\n",
	"L3:0=f\nL3:1=f\n",
	"L3:0=f\n\n",
	"L3:0=f;;1=f\n",
	"L3:4294967296=f\n",
	"L3:0=1ffffffffffffffff\n",
	"ABCDEFGHIJKLMNOP:0=1\n",
};

START_TEST(schemata_refused)
{
	static struct schemata all;

	ck_assert_int_eq(schemata_parse(refused[_i], &all), -EINVAL);
}
END_TEST

START_TEST(schemata_too_big)
{
	static struct schemata all;
	char text[1024];
	size_t used = 0;

	for (int i = 0; i <= SCHEMATA_LINES_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "X%d:0=1\n", i);
	ck_assert_int_eq(schemata_parse(text, &all), -E2BIG);
	used = (size_t)snprintf(text, sizeof(text), "L2:");
	for (int i = 0; i <= SCHEMATA_DOMAINS_MAX; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d=1", i ? ";" : "", i);
	snprintf(text + used, sizeof(text) - used, "\n");
	ck_assert_int_eq(schemata_parse(text, &all), -E2BIG);
}
END_TEST

/* A folder of text files stands for info: only reading is tried. */
static int folder_make(char *path)
{
	int root;

	ck_assert_ptr_nonnull(mkdtemp(path));
	root = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(root, 0);
	ck_assert_int_eq(mkdirat(root, "info", 0700), 0);
	ck_assert_int_eq(mkdirat(root, "info/L3", 0700), 0);
	ck_assert_int_eq(mkdirat(root, "info/MB", 0700), 0);
	return root;
}

static void file_make(int root, const char *path, const char *text)
{
	int fd = openat(root, path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void folder_remove(int root, const char *path)
{
	static const char *const files[] = { "info/L3/cbm_mask",       "info/L3/min_cbm_bits", "info/L3/shareable_bits",
					     "info/L3/num_closids",    "info/L3/sparse_masks", "info/MB/min_bandwidth",
					     "info/MB/bandwidth_gran", "info/MB/num_closids" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(root, files[i], 0);
	unlinkat(root, "info/L3", AT_REMOVEDIR);
	unlinkat(root, "info/MB", AT_REMOVEDIR);
	unlinkat(root, "info", AT_REMOVEDIR);
	close(root);
	ck_assert_int_eq(rmdir(path), 0);
}

START_TEST(info_of_cache)
{
	char path[] = "/tmp/resctrl-XXXXXX";
	int root = folder_make(path);
	struct cache_info info;

	ck_assert_int_eq(cache_info_read(root, "L3", &info), -ENOENT);
	ck_assert_int_eq(cache_info_read(root, "L2", &info), -ENOENT);
	file_make(root, "info/L3/cbm_mask", "7ff\n");
	file_make(root, "info/L3/min_cbm_bits", "2\n");
	file_make(root, "info/L3/shareable_bits", "600\n");
	file_make(root, "info/L3/num_closids", "16\n");
	ck_assert_int_eq(cache_info_read(root, "L3", &info), 0);
	ck_assert_uint_eq(info.cbm_mask, 0x7ff);
	ck_assert_uint_eq(info.min_bits, 2);
	ck_assert_uint_eq(info.shareable, 0x600);
	ck_assert_uint_eq(info.closids, 16);
	ck_assert(!info.sparse);
	file_make(root, "info/L3/sparse_masks", "1\n");
	ck_assert_int_eq(cache_info_read(root, "L3", &info), 0);
	ck_assert(info.sparse);
	for (const char *const *bad = (const char *const[]){ "", "7ff", "\n", "0\n", "7fg\n", "-1\n", " 7\n", NULL };
	     *bad; bad++) {
		file_make(root, "info/L3/cbm_mask", *bad);
		ck_assert_int_eq(cache_info_read(root, "L3", &info), -EINVAL);
	}
	file_make(root, "info/L3/cbm_mask", "1ffffffffffffffff\n");
	ck_assert_int_eq(cache_info_read(root, "L3", &info), -ERANGE);
	folder_remove(root, path);
}
END_TEST

START_TEST(info_of_bandwidth)
{
	char path[] = "/tmp/resctrl-XXXXXX";
	int root = folder_make(path);
	struct bandwidth_info info = { .mbps = true };

	ck_assert_int_eq(bandwidth_info_read(root, &info), -ENOENT);
	file_make(root, "info/MB/min_bandwidth", "10\n");
	file_make(root, "info/MB/bandwidth_gran", "5\n");
	file_make(root, "info/MB/num_closids", "8\n");
	ck_assert_int_eq(bandwidth_info_read(root, &info), 0);
	ck_assert_uint_eq(info.min, 10);
	ck_assert_uint_eq(info.gran, 5);
	ck_assert_uint_eq(info.closids, 8);
	ck_assert(info.mbps);
	file_make(root, "info/MB/min_bandwidth", "101\n");
	ck_assert_int_eq(bandwidth_info_read(root, &info), -EINVAL);
	folder_remove(root, path);
}
END_TEST

START_TEST(traffic)
{
	static const char *const folders[] = { "group", "group/mon_data", "group/mon_data/mon_L3_00",
					       "group/mon_data/mon_L3_01" };
	static const char first[] = "group/mon_data/mon_L3_00/mbm_total_bytes",
			  second[] = "group/mon_data/mon_L3_01/mbm_total_bytes";
	char path[] = "/tmp/resctrl-XXXXXX";
	int root = folder_make(path);
	uint64_t bytes = 0;

	ck_assert_int_eq(group_traffic(root, "group", &bytes), -ENOENT);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		ck_assert_int_eq(mkdirat(root, folders[i], 0700), 0);
	/* a processor that counts what is in its caches, and not this */
	ck_assert_int_eq(group_traffic(root, "group", &bytes), -ENOENT);
	file_make(root, first, "4096\n");
	file_make(root, second, "1000000000000\n");
	ck_assert_int_eq(group_traffic(root, "group", &bytes), 0);
	ck_assert_uint_eq(bytes, UINT64_C(1000000004096));
	file_make(root, second, "Unavailable\n");
	ck_assert_int_eq(group_traffic(root, "group", &bytes), -ENODATA);
	unlinkat(root, first, 0);
	unlinkat(root, second, 0);
	for (size_t i = ARRAY_SIZE(folders); i-- > 0;)
		ck_assert_int_eq(unlinkat(root, folders[i], AT_REMOVEDIR), 0);
	folder_remove(root, path);
}
END_TEST

START_TEST(mount_found)
{
	struct resctrl_mount mount;

	ck_assert_int_eq(resctrl_find("", &mount), -ENOENT);
	ck_assert_int_eq(resctrl_find("resctrl /sys/fs/resctrl fuse.resctrl rw 0 0\n", &mount), -ENOENT);
	ck_assert_int_eq(
		resctrl_find("proc /proc proc rw 0 0\nresctrl /sys/fs/resctrl resctrl rw,relatime 0 0\n", &mount), 0);
	ck_assert_str_eq(mount.path, "/sys/fs/resctrl");
	ck_assert(!mount.mbps);
	ck_assert_int_eq(resctrl_find("resctrl /r resctrl rw,cdp,mba_MBps 0 0\n", &mount), 0);
	ck_assert_str_eq(mount.path, "/r");
	ck_assert(mount.mbps);
	ck_assert_int_eq(resctrl_find("resctrl /r resctrl rw,mba_MBpsx 0 0\n", &mount), 0);
	ck_assert(!mount.mbps);
	ck_assert_int_eq(resctrl_find("resctrl /a\\040b resctrl rw 0 0\n", &mount), -ENOENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resctrl");
	TCase *tc = tcase_create("resctrl");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, share_of_cache, 0, ARRAY_SIZE(caches));
	tcase_add_loop_test(tc, share_of_bandwidth, 0, ARRAY_SIZE(bandwidths));
	tcase_add_test(tc, ways_counted);
	tcase_add_test(tc, masks_checked);
	tcase_add_loop_test(tc, ways_placed, 0, ARRAY_SIZE(placed));
	tcase_add_test(tc, bandwidth_values);
	tcase_add_test(tc, schemata_read);
	tcase_add_test(tc, schemata_of_cdp);
	tcase_add_loop_test(tc, schemata_refused, 0, ARRAY_SIZE(refused));
	tcase_add_test(tc, schemata_too_big);
	tcase_add_test(tc, info_of_cache);
	tcase_add_test(tc, info_of_bandwidth);
	tcase_add_test(tc, traffic);
	tcase_add_test(tc, mount_found);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
