// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time of day, as a kernel reads it at boot: Motorola's MC146818, of which there is nothing but the clock, and that
 * can only be read. No alarm, no interrupt, no memory. Without it a guest starts in 1970, and looks for it for a
 * second: "update in progress", as all bits of a port where nothing is, reads as one (drivers/rtc/rtc-mc146818-lib.c:
 * mc146818_avoid_UIP()).
 */
#include "devices/device.h"

#include <time.h>

#include "devices/ports.h"

enum {
	CMOS_SECONDS = 0x00,
	CMOS_MINUTES = 0x02,
	CMOS_HOURS = 0x04,
	CMOS_WEEKDAY = 0x06,
	CMOS_DAY = 0x07,
	CMOS_MONTH = 0x08,
	CMOS_YEAR = 0x09,
	CMOS_STATUS_A = 0x0a,
	CMOS_STATUS_B = 0x0b,
	CMOS_STATUS_D = 0x0d,
	CMOS_CENTURY = 0x32,
};

#define STATUS_A_DIVIDER  0x26 /* 32,768 Hz; no update in progress */
#define STATUS_B_24_HOURS 0x02 /* and numbers in BCD */
#define STATUS_D_VALID	  0x80

struct cmos {
	uint8_t index;
	struct tm now; /* UTC, read when the seconds are asked for, so that one reading is of one moment */
};

static uint8_t bcd(int n)
{
	return (uint8_t)(n / 10 % 10 << 4 | n % 10);
}

static int is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* gmtime_r() would look for the time zone's file, and the jail's filter ends who opens one. */
static void date_of(time_t seconds, struct tm *date)
{
	static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int days = (int)(seconds / 86400), rest = (int)(seconds % 86400);
	int year = 1970, month = 0;

	date->tm_hour = rest / 3600;
	date->tm_min = rest / 60 % 60;
	date->tm_sec = rest % 60;
	date->tm_wday = (4 + days) % 7; /* 1970 began on a Thursday */
	for (; days >= 365 + is_leap(year); year++)
		days -= 365 + is_leap(year);
	for (; days >= month_days[month] + (month == 1 && is_leap(year)); month++)
		days -= month_days[month] + (month == 1 && is_leap(year));
	date->tm_year = year - 1900;
	date->tm_mon = month;
	date->tm_mday = days + 1;
}

static void cmos_read_clock(struct cmos *cmos)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	date_of(now.tv_sec, &cmos->now);
}

static uint8_t cmos_register(struct cmos *cmos)
{
	switch (cmos->index) {
	case CMOS_SECONDS:
		cmos_read_clock(cmos);
		return bcd(cmos->now.tm_sec);
	case CMOS_MINUTES:
		return bcd(cmos->now.tm_min);
	case CMOS_HOURS:
		return bcd(cmos->now.tm_hour);
	case CMOS_WEEKDAY:
		return bcd(cmos->now.tm_wday + 1);
	case CMOS_DAY:
		return bcd(cmos->now.tm_mday);
	case CMOS_MONTH:
		return bcd(cmos->now.tm_mon + 1);
	case CMOS_YEAR:
		return bcd(cmos->now.tm_year % 100);
	case CMOS_CENTURY:
		return bcd((cmos->now.tm_year + 1900) / 100);
	case CMOS_STATUS_A:
		return STATUS_A_DIVIDER;
	case CMOS_STATUS_B:
		return STATUS_B_24_HOURS;
	case CMOS_STATUS_D:
		return STATUS_D_VALID;
	default:
		return 0;
	}
}

static void cmos_read(struct device *dev, uint64_t offset, void *data, unsigned int len)
{
	if (offset == 1 && len == 1)
		*(uint8_t *)data = cmos_register(dev->state);
}

static void cmos_write(struct device *dev, uint64_t offset, const void *data, unsigned int len)
{
	struct cmos *cmos = dev->state;

	if (offset == 0 && len == 1)
		cmos->index = *(const uint8_t *)data & 0x7f; /* bit 7 masks NMIs, on other machines */
}

const struct boot_device cmos_device = {
	.name = "cmos",
	.space = SPACE_PIO,
	.base = PORT_CMOS,
	.size = 2,
	.state_size = sizeof(struct cmos),
	.read = cmos_read,
	.write = cmos_write,
};
