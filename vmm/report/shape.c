// SPDX-License-Identifier: GPL-2.0-only
/* What a report looks like: schemas/report.schema.json as a table. A test holds each to the other. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/util.h"
#include "vmm/report/report.h"

#define PATH_SIZE 160 /* bytes of "ledger[0].since_seal.reasons": what is longer is cut */

enum kind {
	END, /* of a table */
	TEXT,
	WORD,	/* one of .words */
	HEX,	/* "0x1f" */
	COUNT,	/* a whole number from 0 to .max; if that is 0, to COUNT_MAX */
	NUMBER, /* from 0 on */
	FLAG,
	OBJECT, /* of .members, all of which must be there that aren't optional */
	LIST,	/* of .members[0], at most .max */
	MAP,	/* from any name to .members[0] */
	RATE,	/* true or text */
};

struct shape {
	const char *key;
	enum kind kind;
	bool or_null;
	bool optional;
	json_int_t max;
	const char *words; /* " a|b| " */
	const struct shape *members;
};

#define CORE	  8191
#define COUNT_MAX (((json_int_t)1 << 53) - 1) /* what every JSON reader takes; 255 of them add up */
#define VCPU	  254

static const struct shape count = { "", COUNT };
static const struct shape core = { "", COUNT, .max = CORE };
static const struct shape rate = { "", RATE };

static const struct shape config[] = {
	{ "vcpus", COUNT, .max = 255 },
	{ "cores", LIST, .max = 255, .members = &core },
	{ "memory_bytes", COUNT },
	{ "page_bytes", COUNT, .max = 1 << 30 },
	{ "level", WORD, .words = "audit|userspace|strict|silent" },
	{ "tripwire", WORD, .words = "kernel|polled" },
	{ "exceptions", MAP, .members = &rate },
	{ NULL },
};

static const struct shape host[] = {
	{ "kernel", TEXT },
	{ "processor", TEXT, .or_null = true },
	{ NULL },
};

static const struct shape outcome[] = {
	{ "exit_code", COUNT, .max = 255 },
	{ "meaning", TEXT },
	{ "text", TEXT },
	{ NULL },
};

static const struct shape times[] = {
	{ "start", TEXT },
	{ "booting_ns", COUNT, .or_null = true },
	{ "asked_ns", COUNT, .or_null = true },
	{ "sealed_ns", COUNT, .or_null = true },
	{ "ended_ns", COUNT, .or_null = true },
	{ NULL },
};

static const struct shape state[] = {
	{ "state", WORD, .words = "planned|prepared|booting|sealed|stopping|aborting|gone" },
	{ "ns", COUNT },
	{ NULL },
};
static const struct shape states = { "", OBJECT, .members = state };

static const struct shape step[] = {
	{ "sequence", WORD, .words = "start|stop|abort|undo" },
	{ "step", TEXT },
	{ "ns", COUNT },
	{ NULL },
};
static const struct shape steps = { "", OBJECT, .members = step };

static const struct shape guarantee[] = {
	{ "name", TEXT },
	{ "state", WORD, .words = "held|not held|not to be had here" },
	{ "evidence", TEXT },
	{ NULL },
};
static const struct shape guarantees = { "", OBJECT, .members = guarantee };

static const struct shape change[] = {
	{ "ns", COUNT },      { "what", TEXT }, { "state", WORD, .words = "lost|held again|suspended|clock set" },
	{ "evidence", TEXT }, { NULL },
};
static const struct shape changes = { "", OBJECT, .members = change };

static const struct shape node[] = {
	{ "node", COUNT, .max = 1023 },
	{ "bytes", COUNT },
	{ NULL },
};
static const struct shape nodes = { "", OBJECT, .members = node };

static const struct shape memory[] = {
	{ "nodes", LIST, .or_null = true, .max = 16, .members = &nodes },
	{ "contiguous_runs", COUNT, .or_null = true },
	{ "pages_reserved", COUNT },
	{ NULL },
};

static const struct shape cache_use[] = {
	{ "cache", COUNT },
	{ "occupancy_bytes", COUNT, .or_null = true },
	{ "total_bytes", COUNT, .or_null = true },
	{ "local_bytes", COUNT, .or_null = true },
	{ "unread", TEXT, .or_null = true },
	{ NULL },
};
static const struct shape cache_uses = { "", OBJECT, .members = cache_use };

static const struct shape cache[] = {
	{ "group", TEXT },
	{ "simulated", FLAG },
	{ "l3", LIST, .max = 64, .members = &cache_uses },
	{ NULL },
};

static const struct shape settings[] = {
	{ "mac", TEXT },	{ "vlan", COUNT, .max = 4094 },
	{ "rate_mbit", COUNT }, { "spoof_check", FLAG },
	{ "trust", FLAG },	{ NULL },
};

static const struct shape function[] = {
	{ "address", TEXT },
	{ "card", TEXT, .or_null = true },
	{ "vectors", COUNT, .max = 32 },
	{ "settings", OBJECT, .or_null = true, .members = settings },
	{ "held", FLAG },
	{ "evidence", TEXT },
	{ NULL },
};
static const struct shape functions = { "", OBJECT, .members = function };

static const struct shape saved[] = {
	{ "to", TEXT }, { "written_bytes", COUNT }, { "changes_only", FLAG }, { "seconds", NUMBER }, { NULL },
};

static const struct shape disk[] = {
	{ "image", TEXT, .or_null = true },
	{ "controller", TEXT, .optional = true },
	{ "cleared", WORD, .or_null = true, .optional = true, .words = "write-zeroes|format|sanitize|overwrite" },
	{ "format", WORD, .words = "raw|gzip|xz|zstd|qcow2|vdi|vhdx|vhd" },
	{ "bytes", COUNT },
	{ "load_seconds", NUMBER },
	{ "save", WORD, .words = "not asked|no clean end|saved|lost" },
	{ "saved", OBJECT, .or_null = true, .members = saved },
	{ NULL },
};
static const struct shape disks = { "", OBJECT, .members = disk };

static const struct shape violation[] = {
	{ "vcpu", COUNT, .max = VCPU },
	{ "core", COUNT, .max = CORE },
	{ "ns", COUNT, .or_null = true },
	{ "source", WORD, .words = "kvm_exit|kvm_run" },
	{ "processor", TEXT, .or_null = true },
	{ "reason", COUNT, .max = UINT32_MAX },
	{ "reason_name", TEXT },
	{ "rip", HEX },
	{ "info1", HEX, .optional = true },
	{ "info2", HEX, .optional = true },
	{ "port", HEX, .optional = true },
	{ "msr", HEX, .optional = true },
	{ "value", HEX, .optional = true },
	{ "access", WORD, .optional = true, .words = "in|out|read|write" },
	{ "address", HEX, .optional = true },
	{ "text", TEXT },
	{ NULL },
};

static const struct shape reason[] = {
	{ "exits", COUNT },
	{ "first_rip", HEX },
	{ NULL },
};
static const struct shape reasons = { "", OBJECT, .members = reason };

static const struct shape before_seal[] = {
	{ "exits", COUNT },
	{ "host", COUNT },
	{ "counters", MAP, .members = &count },
	{ "reasons", MAP, .or_null = true, .members = &count },
	{ NULL },
};

static const struct shape since_seal[] = {
	{ "exits", COUNT },
	{ "host", COUNT },
	{ "guest", COUNT },
	{ "counters", MAP, .members = &count },
	{ "reasons", MAP, .or_null = true, .members = &reasons },
	{ "lost", COUNT },
	{ "exceptions", MAP, .members = &count },
	{ NULL },
};

static const struct shape vcpu[] = {
	{ "vcpu", COUNT, .max = VCPU },
	{ "core", COUNT, .max = CORE },
	{ "before_seal", OBJECT, .members = before_seal },
	{ "since_seal", OBJECT, .or_null = true, .members = since_seal },
	{ NULL },
};
static const struct shape ledger = { "", OBJECT, .members = vcpu };

static const struct shape sample[] = {
	{ "ns", COUNT },
	{ "exits", LIST, .max = 255, .members = &count },
	{ "host", LIST, .max = 255, .members = &count },
	{ NULL },
};
static const struct shape samples = { "", OBJECT, .members = sample };

static const struct shape timeline[] = {
	{ "interval_ns", COUNT },
	{ "samples", LIST, .max = 512, .members = &samples },
	{ NULL },
};

static const struct shape cleared[] = {
	{ "bytes", COUNT },
	{ "seconds", NUMBER },
	{ "verified", FLAG },
	{ "threads", COUNT, .optional = true, .max = 256 },
	{ "stores", TEXT, .optional = true },
	{ NULL },
};

static const struct shape report_members[] = {
	{ "report", COUNT },
	{ "nohype", TEXT },
	{ "name", TEXT },
	{ "label", TEXT },
	{ "config", OBJECT, .members = config },
	{ "host", OBJECT, .members = host },
	{ "outcome", OBJECT, .members = outcome },
	{ "times", OBJECT, .members = times },
	{ "states", LIST, .max = 16, .members = &states },
	{ "steps", LIST, .optional = true, .max = 64, .members = &steps },
	{ "guarantees", LIST, .max = 32, .members = &guarantees },
	{ "changes", LIST, .optional = true, .max = 64, .members = &changes },
	{ "memory", OBJECT, .optional = true, .members = memory },
	{ "cache", OBJECT, .optional = true, .or_null = true, .members = cache },
	{ "functions", LIST, .optional = true, .max = 4, .members = &functions },
	{ "disks", LIST, .optional = true, .max = 8, .members = &disks },
	{ "violation", OBJECT, .or_null = true, .members = violation },
	{ "ledger", LIST, .max = 255, .members = &ledger },
	{ "timeline", OBJECT, .members = timeline },
	{ "memory_cleared", OBJECT, .or_null = true, .members = cleared },
	{ NULL },
};
static const struct shape whole = { "", OBJECT, .members = report_members };

/* Where a value stands, for a message. */
struct spot {
	const char *file;
	char path[PATH_SIZE];
};

static int wrong(const struct spot *spot, const char *wanted)
{
	return fail(-EINVAL, "%s: %s: wanted %s", spot->file, *spot->path ? spot->path : "the whole", wanted);
}

/* The same place, one step down; names are escaped, since they may be anything. */
static struct spot spot_member(const struct spot *spot, const char *key)
{
	struct spot member = { .file = spot->file };
	char name[48];
	bool plain = strspn(key, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(key) && *key;

	if (plain)
		snprintf(name, sizeof(name), "%.40s", key);
	else
		quote_text(name, sizeof(name), key, strlen(key));
	snprintf(member.path, sizeof(member.path), "%.100s%s%s", spot->path, *spot->path ? "." : "", name);
	return member;
}

static struct spot spot_element(const struct spot *spot, size_t i)
{
	struct spot element = { .file = spot->file };

	snprintf(element.path, sizeof(element.path), "%.130s[%zu]", spot->path, i);
	return element;
}

/* Is @text one of "a|b|c"? */
static bool is_word(const char *text, const char *words)
{
	size_t len = strlen(text);

	while (*words) {
		size_t word = strcspn(words, "|");

		if (word == len && strncmp(words, text, len) == 0)
			return true;
		words += word;
		words += *words == '|';
	}
	return false;
}

static bool is_hex(const char *text)
{
	size_t digits = strncmp(text, "0x", 2) == 0 ? strspn(text + 2, "0123456789abcdef") : 0;

	return digits >= 1 && digits <= 16 && text[2 + digits] == '\0';
}

static int check(const json_t *value, const struct shape *shape, const struct spot *spot);

static const struct shape *member_find(const struct shape *members, const char *key)
{
	while (members->key && strcmp(members->key, key) != 0)
		members++;
	return members->key ? members : NULL;
}

static int check_object(const json_t *object, const struct shape *members, const struct spot *spot)
{
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return wrong(spot, "an object");
	json_object_foreach ((json_t *)object, key, value) {
		struct spot member = spot_member(spot, key);

		if (!member_find(members, key))
			return wrong(&member, "no such key");
	}
	for (const struct shape *shape = members; shape->key; shape++) {
		struct spot member = spot_member(spot, shape->key);
		const json_t *found = json_object_get(object, shape->key);
		int err = 0;

		if (found)
			err = check(found, shape, &member);
		else if (!shape->optional)
			err = wrong(&member, "this key, and it is missing");
		if (err)
			return err;
	}
	return 0;
}

static int check_list(const json_t *list, const struct shape *shape, const struct spot *spot)
{
	json_t *value;
	size_t i;

	if (!json_is_array(list))
		return wrong(spot, "an array");
	if (json_array_size(list) > (size_t)shape->max)
		return wrong(spot, "fewer elements");
	json_array_foreach (list, i, value) {
		struct spot element = spot_element(spot, i);
		int err = check(value, shape->members, &element);

		if (err)
			return err;
	}
	return 0;
}

static int check_map(const json_t *map, const struct shape *shape, const struct spot *spot)
{
	const char *key;
	json_t *value;

	if (!json_is_object(map))
		return wrong(spot, "an object");
	json_object_foreach ((json_t *)map, key, value) {
		struct spot member = spot_member(spot, key);
		int err = check(value, shape->members, &member);

		if (err)
			return err;
	}
	return 0;
}

static int check_text(const json_t *value, const struct shape *shape, const struct spot *spot)
{
	const char *text = json_string_value(value);

	if (!text)
		return wrong(spot, shape->kind == HEX ? "text as \"0x1f\"" : "text");
	if (shape->kind == HEX && !is_hex(text))
		return wrong(spot, "text as \"0x1f\"");
	if (shape->kind == WORD && !is_word(text, shape->words))
		return fail(-EINVAL, "%s: %s: wanted one of %s", spot->file, spot->path, shape->words);
	return 0;
}

static int check_count(const json_t *value, const struct shape *shape, const struct spot *spot)
{
	json_int_t max = shape->max ? shape->max : COUNT_MAX;

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return wrong(spot, "a whole number from 0 on");
	if (json_integer_value(value) > max)
		return fail(-EINVAL, "%s: %s: wanted at most %" JSON_INTEGER_FORMAT, spot->file, spot->path, max);
	return 0;
}

static int check(const json_t *value, const struct shape *shape, const struct spot *spot)
{
	if (shape->or_null && json_is_null(value))
		return 0;
	switch (shape->kind) {
	case TEXT:
	case WORD:
	case HEX:
		return check_text(value, shape, spot);
	case COUNT:
		return check_count(value, shape, spot);
	case NUMBER:
		return json_is_number(value) && json_number_value(value) >= 0 ? 0 : wrong(spot, "a number from 0 on");
	case FLAG:
		return json_is_boolean(value) ? 0 : wrong(spot, "true or false");
	case RATE:
		return json_is_true(value) || json_is_string(value) ? 0 : wrong(spot, "true, or text as \"10/s\"");
	case OBJECT:
		return check_object(value, shape->members, spot);
	case LIST:
		return check_list(value, shape, spot);
	default:
		return check_map(value, shape, spot);
	}
}

/* What no single value tells: one number for each vCPU, and time that goes on. */
static int check_timeline(const json_t *report, const char *name)
{
	json_int_t vcpus = told_number(told_get(report, "config"), "vcpus"), last = 0;
	const json_t *list = told_get(told_get(report, "timeline"), "samples"), *one;
	struct spot spot = { .file = name, .path = "timeline.samples" };
	size_t i;

	if ((json_int_t)json_array_size(told_get(told_get(report, "config"), "cores")) != vcpus)
		return fail(-EINVAL, "%s: config.cores: wanted one for each vCPU", name);
	json_array_foreach (list, i, one) {
		struct spot element = spot_element(&spot, i);

		if ((json_int_t)json_array_size(told_get(one, "exits")) != vcpus ||
		    (json_int_t)json_array_size(told_get(one, "host")) != vcpus)
			return wrong(&element, "as many numbers as vCPUs");
		if (told_number(one, "ns") < last)
			return wrong(&element, "a time that isn't before the last one's");
		last = told_number(one, "ns");
	}
	return 0;
}

int told_check(const json_t *report, const char *name)
{
	struct spot spot = { .file = name };
	const json_t *version = json_object_get(report, "report");
	int err;

	/* of another version nothing else is known */
	if (json_is_integer(version) && json_integer_value(version) != 1)
		return fail(-EINVAL, "%s: report: wanted version 1, found %" JSON_INTEGER_FORMAT, name,
			    json_integer_value(version));
	err = check(report, &whole, &spot);
	return err ? err : check_timeline(report, name);
}

const json_t *told_get(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

json_int_t told_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

const char *told_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}
