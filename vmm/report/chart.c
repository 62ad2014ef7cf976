// SPDX-License-Identifier: GPL-2.0-only
/* Exits a second from boot to end, by the host and by the guest: one SVG, its colours the page's. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "vmm/report/report.h"

#define SPANS_MAX 512 /* as many as samples */

#define WIDTH  960
#define HEIGHT 340
#define LEFT   58
#define RIGHT  944
#define TOP    40
#define BOTTOM 292

/* Between two samples: seconds from the start, exits a second of all vCPUs. */
struct span {
	double from, to, host, guest;
};

struct chart {
	FILE *out;
	struct span spans[SPANS_MAX];
	size_t count;
	double end;    /* s, of the axis */
	double sealed; /* s, or less than 0 */
	double top;    /* of the rates' axis, as rate_place has it */
};

static double sum(const json_t *list)
{
	double all = 0;
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		all += (double)json_integer_value(one);
	return all;
}

static double seconds(json_int_t ns)
{
	return (double)ns / 1e9;
}

/* From 0 to 1 as it is, then one more for each power of ten: so that nothing has its place too. */
static double rate_place(double rate)
{
	return rate <= 1 ? MAX(rate, 0) : 1 + log10(rate);
}

static double x_of(const struct chart *chart, double s)
{
	return LEFT + (RIGHT - LEFT) * s / chart->end;
}

static double y_of(const struct chart *chart, double rate)
{
	return BOTTOM - (BOTTOM - TOP) * rate_place(rate) / chart->top;
}

static void span_add(struct chart *chart, const json_t *from, const json_t *to)
{
	double begin = seconds(told_number(from, "ns")), end = seconds(told_number(to, "ns"));
	double all = sum(told_get(to, "exits")) - sum(told_get(from, "exits"));
	double host = sum(told_get(to, "host")) - sum(told_get(from, "host"));

	if (chart->count < SPANS_MAX && end > begin)
		chart->spans[chart->count++] =
			(struct span){ begin, end, MAX(host, 0) / (end - begin), MAX(all - host, 0) / (end - begin) };
}

/*
 * Rates over less than half an interval would be noise, so those samples are taken together, but never over the seal.
 */
static void spans_find(struct chart *chart, const json_t *timeline)
{
	double least = seconds(told_number(timeline, "interval_ns")) / 2;
	const json_t *samples = told_get(timeline, "samples"), *one, *from = json_array_get(samples, 0);
	size_t i;

	json_array_foreach (samples, i, one) {
		double at = seconds(told_number(one, "ns"));
		const json_t *next = json_array_get(samples, i + 1);
		bool at_seal = next && at <= chart->sealed && seconds(told_number(next, "ns")) > chart->sealed;

		if (!i || (next && !at_seal && at - seconds(told_number(from, "ns")) < least))
			continue;
		span_add(chart, from, one);
		from = one;
	}
}

/* When the exits began to count as since the seal. */
static double sealed_find(const json_t *report)
{
	const json_t *times = told_get(report, "times");
	bool audit = strcmp(told_text(told_get(report, "config"), "level"), "audit") == 0;
	const json_t *at = told_get(times, audit ? "asked_ns" : "sealed_ns");

	return json_is_integer(at) ? seconds(json_integer_value(at)) : -1;
}

static void axes_find(struct chart *chart, const json_t *report)
{
	double most = 10;

	chart->end = seconds(told_number(told_get(report, "times"), "ended_ns"));
	for (size_t i = 0; i < chart->count; i++) {
		most = fmax(most, fmax(chart->spans[i].host, chart->spans[i].guest));
		chart->end = fmax(chart->end, chart->spans[i].to);
	}
	chart->end = fmax(chart->end, fmax(chart->sealed, 1e-3));
	chart->top = ceil(rate_place(most) - 1e-9);
}

static void rates_axis_write(const struct chart *chart)
{
	static const char *const labels[] = { "0", "1", "10", "100", "1k", "10k", "100k", "1M", "10M", "100M", "1G" };

	for (size_t i = 0; i <= (size_t)chart->top && i < ARRAY_SIZE(labels); i++) {
		double y = BOTTOM - (BOTTOM - TOP) * (double)i / chart->top;

		fprintf(chart->out,
			"<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" class=\"end\">%s</text>\n",
			LEFT, y, RIGHT, LEFT - 8, y + 4, labels[i]);
	}
	fprintf(chart->out,
		"<text class=\"end\" transform=\"translate(14 %d) rotate(-90)\">exits a second (log scale)</text>\n",
		TOP);
}

/* Of 1, 2 and 5 times a power of ten, or what minutes and hours are counted in, the least that makes ten ticks at most.
 */
static double tick_step(double end)
{
	static const double steps[] = { 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 172800, 604800 };
	double step = pow(10, floor(log10(end / 10)));

	for (size_t i = 0; end / 10 > 50 && i < ARRAY_SIZE(steps); i++)
		if (end / steps[i] <= 10)
			return steps[i];
	for (int i = 0; end / step > 10 && i < 3; i++)
		step *= i == 1 ? 2.5 : 2;
	return step;
}

static void time_axis_write(const struct chart *chart)
{
	double step = tick_step(chart->end);
	const char *unit = step >= 3600 ? "h" : step >= 60 ? "min" : step >= 0.5 ? "s" : "ms";
	double scale = step >= 3600 ? 3600 : step >= 60 ? 60 : step >= 0.5 ? 1 : 1e-3;

	for (int i = 0; i * step <= chart->end && i < 32; i++) {
		double x = x_of(chart, i * step);

		fprintf(chart->out,
			"<path class=\"tick\" d=\"M%.1f %dv5\"/><text x=\"%.1f\" y=\"%d\" class=\"mid\">%.3g</text>\n",
			x, BOTTOM, x, BOTTOM + 19, i * step / scale);
	}
	fprintf(chart->out, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n", LEFT, BOTTOM, RIGHT);
	fprintf(chart->out, "<text x=\"%d\" y=\"%d\" class=\"end\">time since the start (%s)</text>\n", RIGHT,
		HEIGHT - 10, unit);
}

static double rate_of(const struct span *span, bool host)
{
	return host ? span->host : span->guest;
}

/* One level a span; a gap where none is known. */
static void series_write(const struct chart *chart, const char *name, bool host, bool area)
{
	double end = -1;

	fprintf(chart->out, "<path class=\"%s\" d=\"", name);
	for (size_t i = 0; i < chart->count; i++) {
		const struct span *span = &chart->spans[i];
		double y = y_of(chart, rate_of(span, host));

		if (area)
			fprintf(chart->out, "M%.1f %dV%.1fH%.1fV%dZ", x_of(chart, span->from), BOTTOM, y,
				x_of(chart, span->to), BOTTOM);
		else if (span->from > end)
			fprintf(chart->out, "M%.1f %.1fH%.1f", x_of(chart, span->from), y, x_of(chart, span->to));
		else
			fprintf(chart->out, "V%.1fH%.1f", y, x_of(chart, span->to));
		end = span->to;
	}
	fputs("\"/>\n", chart->out);
}

/* A line over the whole height with a word on top, on the side where there is room. */
static void mark_write(const struct chart *chart, double s, const char *name, const char *word, bool to_the_left)
{
	double x = x_of(chart, s);

	fprintf(chart->out,
		"<path class=\"mark %s\" d=\"M%.1f %dV%d\"/><text x=\"%.1f\" y=\"%d\" class=\"%s %s\">%s</text>\n",
		name, x, TOP - 10, BOTTOM, x + (to_the_left ? -6 : 6), TOP - 14, name, to_the_left ? "end" : "begin",
		word);
}

static void marks_write(const struct chart *chart, const json_t *report)
{
	bool audit = strcmp(told_text(told_get(report, "config"), "level"), "audit") == 0;
	const json_t *violation = told_get(report, "violation");
	const json_t *at = told_get(violation, "ns");
	double ended = seconds(told_number(told_get(report, "times"), "ended_ns"));

	if (json_is_integer(at) && seconds(json_integer_value(at)) <= chart->end)
		ended = seconds(json_integer_value(at));
	if (chart->sealed >= 0)
		mark_write(chart, chart->sealed, "sealed", audit ? "audited" : "sealed",
			   x_of(chart, chart->sealed) > (LEFT + RIGHT) / 2.0);
	if (ended > 0)
		mark_write(chart, ended, json_is_object(violation) ? "violated" : "ended",
			   json_is_object(violation) ? "violation" : "ended", x_of(chart, ended) > LEFT + 120);
}

void chart_write(const json_t *report, FILE *out)
{
	struct chart chart = { .out = out, .sealed = sealed_find(report) };

	spans_find(&chart, told_get(report, "timeline"));
	axes_find(&chart, report);
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"chart-title\">\n", WIDTH, HEIGHT);
	fputs("<title id=\"chart-title\">Exits a second from the start to the end, by the host and by the "
	      "guest</title>\n",
	      out);
	if (chart.sealed >= 0)
		fprintf(out, "<rect class=\"boot\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", LEFT, TOP,
			x_of(&chart, chart.sealed) - LEFT, BOTTOM - TOP);
	rates_axis_write(&chart);
	series_write(&chart, "host-area", true, true);
	series_write(&chart, "host", true, false);
	series_write(&chart, "guest", false, false);
	time_axis_write(&chart);
	marks_write(&chart, report);
	fputs("</svg>\n", out);
}
