// SPDX-License-Identifier: GPL-2.0-only
/* Good configurations: what the struct holds afterwards. And that schema and parser know the same keys. */
#include <check.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/capture.h"
#include "base/util.h"
#include "disks/disks.h"
#include "vmm/config/config.h"
#include "vmm/core/handoff.h"

/* Compared where set: 0 and NULL stand for the default. */
static const struct good {
	const char *text;
	const char *name, *kernel, *initrd, *cmdline, *cores;
	uint64_t memory_size, page_size;
	enum smt smt;
	unsigned int vcpus;
	unsigned int level, words;
	uint64_t within, after, gpa;
	uint64_t settle;
	uint32_t except[EXCEPT_COUNT];
	enum tripwire_kind tripwire;
	const char *report;
	const char *folder; /* memory.folder */
} good[] = {
	{ .text = "{\"kernel\":\"k\"}", .kernel = "/vms/k" },
	{ .text = " \t\r\n{ \"kernel\" : \"k\" }\r\n", .kernel = "/vms/k" },
	{ .text = "{\"kernel\":\"/boot/k\"}", .kernel = "/boot/k" },
	{ .text = "{\"kernel\":\"../k\"}", .kernel = "/vms/../k" },
	{ .text = "{\"kernel\":\"\\u006b\"}", .kernel = "/vms/k" },
	{ .text = "{\"k\\u0065rnel\":\"k\"}", .kernel = "/vms/k" },
	{ .text = "{\"kernel\":\"a b\"}", .kernel = "/vms/a b" },
	{ .text = "{\"kernel\":\"größe\"}", .kernel = "/vms/größe" },
	{ .text = "{\"kernel\":\"k\",\"$schema\":\"any thing\"}" },
	{ .text = "{\"kernel\":\"k\",\"initrd\":\"i\"}", .initrd = "/vms/i" },
	{ .text = "{\"kernel\":\"k\",\"initrd\":\"/i\"}", .initrd = "/i" },
	{ .text = "{\"kernel\":\"k\",\"report\":\"r.json\"}", .report = "/vms/r.json" },
	{ .text = "{\"kernel\":\"k\",\"report\":\"/r.json\"}", .report = "/r.json" },
	{ .text = "{\"kernel\":\"k\",\"cmdline\":\"\"}", .cmdline = "" },
	{ .text = "{\"kernel\":\"k\",\"cmdline\":\"a=\\\"b c\\\" d\"}", .cmdline = "a=\"b c\" d" },
	{ .text = "{\"kernel\":\"k\",\"name\":\"a\"}", .name = "a" },
	{ .text = "{\"kernel\":\"k\",\"name\":\"0\"}", .name = "0" },
	{ .text = "{\"kernel\":\"k\",\"name\":\"Web-1.example_2\"}", .name = "Web-1.example_2" },
	{ .text = "{\"kernel\":\"k\",\"name\":\"a234567890123456789012345678901234567890123456789012345678901234\"}",
	  .name = "a234567890123456789012345678901234567890123456789012345678901234" },
	{ .text = "{\"kernel\":\"k\",\"vcpus\":1}", .vcpus = 1 },
	{ .text = "{\"kernel\":\"k\",\"vcpus\":255}", .vcpus = 255 },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"auto\"}", .cores = "" },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"auto\",\"vcpus\":3}", .cores = "", .vcpus = 3 },
	{ .text = "{\"kernel\":\"k\",\"cores\":[0]}", .cores = "0", .vcpus = 1 },
	{ .text = "{\"kernel\":\"k\",\"cores\":[3,1,2]}", .cores = "3,1,2", .vcpus = 3 },
	{ .text = "{\"kernel\":\"k\",\"cores\":[3,1],\"vcpus\":2}", .cores = "3,1", .vcpus = 2 },
	{ .text = "{\"kernel\":\"k\",\"cores\":[8191]}", .cores = "8191", .vcpus = 1 },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"7\"}", .cores = "7", .vcpus = 1 },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"1,3-5\"}", .cores = "1,3,4,5", .vcpus = 4 },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"4-4,2-3,0\"}", .cores = "4,2,3,0", .vcpus = 4 },
	{ .text = "{\"kernel\":\"k\",\"cores\":\"0-254\"}", .vcpus = 255 },
	{ .text = "{\"kernel\":\"k\",\"memory\":{}}" },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"64M\"}}", .memory_size = MIB(64) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"65536K\"}}", .memory_size = MIB(64) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"66M\"}}", .memory_size = MIB(66) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"5G\"}}", .memory_size = GIB(5) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"1T\"}}", .memory_size = GIB(1024) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"4096G\"}}", .memory_size = GIB(4096) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"size\":\"0512M\"}}", .memory_size = MIB(512) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"page_size\":\"4K\"}}", .page_size = KIB(4) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"page_size\":\"2M\"}}", .page_size = MIB(2) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"page_size\":\"1G\",\"size\":\"5G\"}}",
	  .page_size = GIB(1),
	  .memory_size = GIB(5) },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"page_size\":\"2M\",\"folder\":\"/huge/vms\"}}",
	  .page_size = MIB(2),
	  .folder = "/huge/vms" },
	{ .text = "{\"kernel\":\"k\",\"memory\":{\"folder\":\"/huge/"
		  "\",\"page_size\":\"1G\",\"size\":\"1G\"},\"rings\":false}",
	  .page_size = GIB(1),
	  .memory_size = GIB(1),
	  .folder = "/huge/" },
	{ .text = "{\"kernel\":\"k\",\"seal\":{}}" },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"level\":\"audit\"}}", .level = SEAL_AUDIT },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"level\":\"userspace\"}}", .level = SEAL_USERSPACE },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"level\":\"strict\"}}", .level = SEAL_STRICT },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"level\":\"silent\"}}", .level = SEAL_SILENT },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"within\":\"1ms\"}}", .within = 1 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"within\":\"168h\"}}", .within = 604800000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"within\":\"2m\",\"after\":\"30s\"}}",
	  .within = 120000,
	  .after = 30000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"after\":\"007s\"}}", .after = 7000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"evidence\":\"0x5000:4\"}}", .gpa = 0x5000, .words = 4 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"evidence\":\"0xFFffFFff00000008:64\"}}",
	  .gpa = 0xffffffff00000008,
	  .words = 64 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"evidence\":\"0x0:01\"}}", .words = 1 },
	{ .text = "{\"kernel\":\"k\",\"smt\":\"exclude\"}" },
	{ .text = "{\"kernel\":\"k\",\"smt\":\"whole-core\"}", .smt = SMT_WHOLE_CORE },
	{ .text = "{\"kernel\":\"k\",\"smt\":\"share\"}", .smt = SMT_SHARE },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"except\":{}}}" },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"except\":{\"eoi\":true}}}", .except[EXCEPT_EOI] = EXCEPT_ANY_RATE },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"except\":{\"eoi\":false}}}" },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"except\":{\"cpuid\":\"1000/s\",\"ipi\":true,\"eoi\":\"1/s\"}}}",
	  .except = { [EXCEPT_EOI] = 1, [EXCEPT_CPUID] = 1000, [EXCEPT_IPI] = EXCEPT_ANY_RATE } },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"except\":{\"ipi\":\"1000000/s\"}}}", .except[EXCEPT_IPI] = 1000000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"tripwire\":\"polled\"}}", .tripwire = TRIPWIRE_POLLED },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"tripwire\":\"kernel\",\"settle\":\"5s\"}}", .settle = 5000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"after\":\"5s\",\"within\":\"5s\"}}", .after = 5000, .within = 5000 },
	{ .text = "{\"kernel\":\"k\",\"seal\":{\"level\":\"silent\",\"except\":{\"eoi\":false}}}",
	  .level = SEAL_SILENT },
};

static void cores_print(char *out, const struct vm_config *cfg)
{
	*out = '\0';
	for (unsigned int i = 0; i < cfg->ncores; i++)
		out += sprintf(out, "%s%u", i ? "," : "", cfg->cores[i]);
}

/* Parse and finish @text as the file "vm.json"; nothing may be said. */
static void parse_good(struct vm_config *cfg, const char *text, const char *name)
{
	struct capture cap;
	char *said;
	int err;

	config_init(cfg);
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = config_parse(cfg, text, strlen(text), name, "/vms");
	if (!err)
		err = config_finish(cfg, name);
	said = capture_end(&cap);
	ck_assert_msg(!err && !*said, "%s: %d: %s", text, err, said);
	free(said);
}

START_TEST(good_text)
{
	const struct good *want = &good[_i];
	struct vm_config cfg;
	char cores[2048];

	parse_good(&cfg, want->text, "/vms/vm.json");
	cores_print(cores, &cfg);
	ck_assert_str_eq(cfg.name, want->name ? want->name : "vm");
	ck_assert_str_eq(cfg.kernel, want->kernel ? want->kernel : "/vms/k");
	ck_assert_pstr_eq(cfg.initrd, want->initrd);
	ck_assert_pstr_eq(cfg.report, want->report);
	ck_assert_pstr_eq(cfg.memory_folder, want->folder);
	ck_assert_str_eq(cfg.cmdline, want->cmdline ? want->cmdline : "");
	ck_assert_uint_eq(cfg.memory_size, want->memory_size ? want->memory_size : MIB(512));
	ck_assert_uint_eq(cfg.smt, want->smt);
	ck_assert_uint_eq(cfg.page_size, want->page_size ? want->page_size : KIB(4));
	ck_assert_uint_eq(cfg.vcpus, want->vcpus ? want->vcpus : 1);
	if (want->cores)
		ck_assert_str_eq(cores, want->cores);
	ck_assert_uint_eq(cfg.seal_level, want->level ? want->level : SEAL_STRICT);
	ck_assert_uint_eq(cfg.seal_within, want->within);
	ck_assert_uint_eq(cfg.seal_after, want->after);
	ck_assert_uint_eq(cfg.evidence_gpa, want->gpa);
	ck_assert_uint_eq(cfg.evidence_words, want->words);
	ck_assert_uint_eq(cfg.seal_settle, want->settle ? want->settle : 1000);
	ck_assert_int_eq(cfg.tripwire, want->tripwire);
	ck_assert_mem_eq(cfg.except, want->except, sizeof(cfg.except));
	config_free(&cfg);
}
END_TEST

static const struct {
	const char *file, *name;
} names[] = {
	{ "web.json", "web" },	    { "a/b/web.json", "web" },	 { "/web-1.json", "web-1" }, { "web", "web" },
	{ "web.conf", "web.conf" }, { "my vm.json", "vm" },	 { ".json", "vm" },	     { ".hidden.json", "vm" },
	{ "command line", "vm" },   { "a.json.json", "a.json" }, { "/dev/fd/63", "63" },
};

START_TEST(name_from_file)
{
	struct vm_config cfg;

	parse_good(&cfg, "{\"kernel\":\"k\"}", names[_i].file);
	ck_assert_str_eq(cfg.name, names[_i].name);
	config_free(&cfg);
}
END_TEST

START_TEST(longest_cmdline)
{
	char text[VM_CMDLINE_MAX + 64];
	struct vm_config cfg;

	sprintf(text, "{\"kernel\":\"k\",\"cmdline\":\"%0*d\"}", VM_CMDLINE_MAX, 0);
	parse_good(&cfg, text, "vm.json");
	ck_assert_uint_eq(strlen(cfg.cmdline), VM_CMDLINE_MAX);
	config_free(&cfg);
}
END_TEST

/* What an option sets stands over what the file said, whole lists included. */
START_TEST(options_override)
{
	static const char text[] = "{\"kernel\":\"k\",\"vcpus\":3,\"cores\":[5,6,7],\"memory\":{\"size\":\"1G\"}}";
	struct vm_config cfg;

	config_init(&cfg);
	ck_assert_int_eq(config_parse(&cfg, text, strlen(text), "vm.json", "/vms"), 0);
	ck_assert_int_eq(config_set(&cfg, "kernel", "other", "option -k"), 0);
	ck_assert_int_eq(config_set(&cfg, "vcpus", "2", "option -c"), 0);
	ck_assert_int_eq(config_set(&cfg, "cores", "1,0", "option --cores"), 0);
	ck_assert_int_eq(config_set(&cfg, "memory.size", "2G", "option -m"), 0);
	ck_assert_int_eq(config_set(&cfg, "memory.page_size", "2M", "option --page-size"), 0);
	ck_assert_int_eq(config_set(&cfg, "name", "7", "option -n"), 0);
	ck_assert_int_eq(config_set(&cfg, "initrd", "/tmp/\xff", "option -i"), 0);
	ck_assert_int_eq(config_finish(&cfg, "vm.json"), 0);
	ck_assert_str_eq(cfg.kernel, "other");
	ck_assert_str_eq(cfg.name, "7");
	ck_assert_str_eq(cfg.initrd, "/tmp/\xff");
	ck_assert_uint_eq(cfg.vcpus, 2);
	ck_assert_uint_eq(cfg.ncores, 2);
	ck_assert_uint_eq(cfg.cores[0], 1);
	ck_assert_uint_eq(cfg.memory_size, GIB(2));
	ck_assert_uint_eq(cfg.page_size, MIB(2));
	config_free(&cfg);
}
END_TEST

static const struct {
	const char *key, *text, *message;
} bad_options[] = {
	{ "vcpus", "0", "0: wanted a whole number from 1 to 255" },
	{ "vcpus", "four", "\"four\": wanted a whole number from 1 to 255" },
	{ "vcpus", "", "\"\": wanted a whole number from 1 to 255" },
	{ "vcpus", "2x", "\"2x\": wanted a whole number from 1 to 255" },
	{ "vcpus", "true", "\"true\": wanted a whole number from 1 to 255" },
	{ "vcpus", "1.5", "1.5: wanted a whole number from 1 to 255" },
	{ "vcpus", "-1", "-1: wanted a whole number from 1 to 255" },
	{ "memory.size", "512", "\"512\": wanted a size as \"512M\" or \"2G\" (a whole number and K, M, G or T)" },
	{ "memory.size", "1M", "\"1M\": wanted 64M to 4096G" },
	{ "memory.page_size", "8K", "\"8K\": wanted \"4K\", \"2M\" or \"1G\"" },
	{ "cores", "1,1", "\"1,1\": host CPU 1 is there twice: wanted each once, for one vCPU" },
	{ "seal.level", "hard", "\"hard\": wanted \"audit\", \"userspace\", \"strict\" or \"silent\"" },
	{ "seal.evidence", "0x8000:65",
	  "\"0x8000:65\": wanted ADDRESS:WORDS as \"0x5000:4\" (a multiple of 8; 1 to 64 words)" },
	{ "kernel", "", "\"\": wanted the path of a kernel image" },
	{ "cmdline", "a\nb", "\"a\\nb\": wanted one line without control characters" },
	{ "name", "\x1b[2J\xff",
	  "\"\\x1b[2J\\xff\": wanted 1 to 64 letters, digits, \".\", \"_\" or \"-\", the first a letter or a digit" },
};

START_TEST(bad_option)
{
	struct vm_config cfg;
	struct capture cap;
	char *said, wanted[256];
	int err;

	config_init(&cfg);
	ck_assert_int_eq(capture_begin(&cap), 0);
	err = config_set(&cfg, bad_options[_i].key, bad_options[_i].text, "option -x");
	said = capture_end(&cap);
	snprintf(wanted, sizeof(wanted), "nohype: error: option -x: %s\n", bad_options[_i].message);
	ck_assert_str_eq(said, wanted);
	ck_assert_int_eq(err, -EINVAL);
	free(said);
	config_free(&cfg);
}
END_TEST

static const struct {
	const char *text;
	uint64_t ms; /* 0: not a duration */
} durations[] = {
	{ "1ms", 1 },
	{ "500ms", 500 },
	{ "1s", 1000 },
	{ "30s", 30000 },
	{ "5m", 300000 },
	{ "1h", 3600000 },
	{ "168h", 604800000 },
	{ "604800000ms", 604800000 },
	{ "604800s", 604800000 },
	{ "10080m", 604800000 },
	{ "000000001s", 1000 },
	{ "169h", 0 },
	{ "604800001ms", 0 },
	{ "604801s", 0 },
	{ "999999999h", 0 },
	{ "0ms", 0 },
	{ "0s", 0 },
	{ "", 0 },
	{ "s", 0 },
	{ "1", 0 },
	{ "-1s", 0 },
	{ "+1s", 0 },
	{ " 1s", 0 },
	{ "1 s", 0 },
	{ "1s ", 0 },
	{ "1.5s", 0 },
	{ "1e3s", 0 },
	{ "0x1s", 0 },
	{ "1S", 0 },
	{ "1M", 0 },
	{ "1d", 0 },
	{ "1sec", 0 },
	{ "1m30s", 0 },
	{ "0000000001s", 0 },
	{ "1us", 0 },
	{ "ms", 0 },
	{ "18446744073709551617s", 0 },
};

START_TEST(duration)
{
	uint64_t ms = 0;
	int err = duration_parse(durations[_i].text, &ms);

	ck_assert_msg(err == (durations[_i].ms ? 0 : -EINVAL), "\"%s\": %d", durations[_i].text, err);
	if (durations[_i].ms)
		ck_assert_uint_eq(ms, durations[_i].ms);
}
END_TEST

START_TEST(examples_are_good)
{
	static const char *const files[] = { "minimal", "debian", "pinned", "sealed", "disk", "cache", "nvme" };
	char path[64];
	struct vm_config cfg;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		json_t *root;

		snprintf(path, sizeof(path), "examples/%s.json", files[i]);
		config_init(&cfg);
		ck_assert_int_eq(config_read(&cfg, path), 0);
		ck_assert_int_eq(config_finish(&cfg, path), 0);
		ck_assert_str_eq(cfg.name, files[i]);
		ck_assert_str_eq(cfg.kernel, "examples/../build/guests/kernel-6.12/bzImage");
		root = json_load_file(path, 0, NULL);
		ck_assert_str_eq(json_string_value(json_object_get(root, "$schema")), "../schemas/vm.schema.json");
		json_decref(root);
		config_free(&cfg);
	}
}
END_TEST

/* "disks": what each holds, and that an array replaces one before it. */
START_TEST(disks)
{
	static const char text[] =
		"{\"kernel\":\"k\",\"disks\":[{\"pmem\":{\"image\":\"a.img\"}},{\"pmem\":{\"image\":\"/b.qcow2\","
		"\"size\":\"1G\",\"save\":\"c.img\",\"save_after\":\"any\"}},{\"pmem\":{\"image\":\"d.gz\",\"format\":"
		"\"raw\",\"save\":\"on-stop\",\"save_after\":\"clean\"}}]}";
	struct vm_config cfg;

	parse_good(&cfg, text, "vm.json");
	ck_assert_uint_eq(cfg.ndisks, 3);
	ck_assert_str_eq(cfg.disks[0].image, "/vms/a.img");
	ck_assert(!cfg.disks[0].size && !cfg.disks[0].format && !cfg.disks[0].save && !cfg.disks[0].save_any);
	ck_assert_str_eq(cfg.disks[1].image, "/b.qcow2");
	ck_assert_uint_eq(cfg.disks[1].size, GIB(1));
	ck_assert_int_eq(cfg.disks[1].save, DISK_SAVE_PATH);
	ck_assert_str_eq(cfg.disks[1].save_path, "/vms/c.img");
	ck_assert(cfg.disks[1].save_any);
	ck_assert_uint_eq(cfg.disks[2].format, DISK_RAW);
	ck_assert_int_eq(cfg.disks[2].save, DISK_SAVE_IMAGE);
	ck_assert(!cfg.disks[2].save_any);
	config_free(&cfg);
	parse_good(&cfg, "{\"kernel\":\"k\",\"disks\":[]}", "vm.json");
	ck_assert_uint_eq(cfg.ndisks, 0);
	config_free(&cfg);
}
END_TEST

/* Strike each key of the schema, as a path, from @left; returns how many there were. */
static unsigned int schema_walk(const json_t *schema, const char *parent, json_t *left)
{
	json_t *properties = json_object_get(schema, "properties"), *value;
	unsigned int count = 0;
	const char *key;
	char path[128];

	json_object_foreach (properties, key, value) {
		snprintf(path, sizeof(path), "%s%s%s", parent, *parent ? "." : "", key);
		ck_assert_msg(json_object_del(left, path) == 0, "%s: in the schema, but no key of the parser", path);
		ck_assert_msg(json_object_get(value, "description"), "%s: no description in the schema", path);
		count += 1 + schema_walk(value, path, left);
		if (json_object_get(value, "items")) /* the keys of an array's elements are those below the array */
			count += schema_walk(json_object_get(value, "items"), path, left);
	}
	if (properties)
		ck_assert_msg(json_is_false(json_object_get(schema, "additionalProperties")), "%s: lets any key in",
			      parent);
	return count;
}

START_TEST(shares)
{
	static const char text[] =
		"{\"kernel\":\"k\",\"l3\":\"4 ways\",\"l2\":\"25%\",\"memory_bandwidth\":\"500MB/s\","
		"\"cache_exclusive\":true,\"require\":\"cache.own\"}";
	struct vm_config cfg;

	config_init(&cfg);
	ck_assert_int_eq(cfg.cache.l3.kind, SHARE_NONE);
	ck_assert_int_eq(config_parse(&cfg, text, strlen(text), "c.json", "/vms"), 0);
	ck_assert_int_eq(config_finish(&cfg, "c.json"), 0);
	ck_assert(cfg.cache.l3.kind == SHARE_WAYS && cfg.cache.l3.amount == 4);
	ck_assert(cfg.cache.l2.kind == SHARE_PERCENT && cfg.cache.l2.amount == 25);
	ck_assert(cfg.cache.bandwidth.kind == SHARE_MBPS && cfg.cache.bandwidth.amount == 500);
	ck_assert(cfg.cache.exclusive);
	ck_assert_uint_eq(cfg.require, 1U << GUARANTEE_CACHE);
	config_free(&cfg);
	ck_assert_int_eq(cfg.cache.l3.kind, SHARE_NONE);
}
END_TEST

START_TEST(schema_has_the_same_keys)
{
	json_t *schema = json_load_file("schemas/vm.schema.json", JSON_REJECT_DUPLICATES, NULL), *left = json_object();
	unsigned int keys = 0;
	const char *key;
	json_t *value;

	ck_assert_ptr_nonnull(schema);
	for (; config_key(keys); keys++)
		json_object_set_new(left, config_key(keys), json_true());
	ck_assert_uint_eq(schema_walk(schema, "", left), keys);
	json_object_foreach (left, key, value)
		ck_abort_msg("%s: a key of the parser, but not in the schema", key);
	json_decref(left);
	json_decref(schema);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, good_text, 0, ARRAY_SIZE(good));
	tcase_add_loop_test(tc, name_from_file, 0, ARRAY_SIZE(names));
	tcase_add_test(tc, longest_cmdline);
	tcase_add_test(tc, options_override);
	tcase_add_loop_test(tc, bad_option, 0, ARRAY_SIZE(bad_options));
	tcase_add_loop_test(tc, duration, 0, ARRAY_SIZE(durations));
	tcase_add_test(tc, disks);
	tcase_add_test(tc, examples_are_good);
	tcase_add_test(tc, shares);
	tcase_add_test(tc, schema_has_the_same_keys);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
