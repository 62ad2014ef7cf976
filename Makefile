# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists what there is to do. Everything that is made lies under build/ (or BUILD=dir).

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
VERSION := 0.1.0

LIBEXECDIR := $(PREFIX)/libexec/nohype
DATADIR    := $(PREFIX)/share/nohype
MANDIR     := $(PREFIX)/share/man

CPPFLAGS := -I. -I$(BUILD)/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DNOHYPE_VERSION='"$(VERSION)"' \
	    -DNOHYPE_LIBEXECDIR='"$(LIBEXECDIR)"'
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough \
	    -Wpointer-arith -Wvla -Wno-missing-field-initializers
HARDEN   := -fstack-protector-strong -fcf-protection -ftrapv
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDEN) $(CFLAGS) $(SANITIZE)

# What each program is made of: folders, not lists, so that a new file is just there.
NOHYPE_DIRS := base memmap pinning vmm/config vmm/boot vmm/supervisor vmm/cli
CORE_DIRS   := vmm/core vmm/x86 devices seccomp
CORE_BASE   := base/message.c memmap/layout.c

# The exit reasons are for whoever watches; the core manager has no use for them.
REASONS     := vmm/x86/reasons.c
NOHYPE_SRCS := $(sort $(foreach d,$(NOHYPE_DIRS),$(wildcard $(d)/*.c)) $(REASONS))
CORE_SRCS   := $(sort $(filter-out $(REASONS),$(foreach d,$(CORE_DIRS),$(wildcard $(d)/*.c)))) $(CORE_BASE)
UNIT_SRCS   := $(sort $(wildcard tests/unit/*.c))
ALL_SRCS    := $(sort $(NOHYPE_SRCS) $(CORE_SRCS) $(UNIT_SRCS) $(wildcard tests/fuzz/*.c))
ALL_HDRS    := $(sort $(foreach d,$(NOHYPE_DIRS) $(CORE_DIRS) tests/unit,$(wildcard $(d)/*.h)))

NOHYPE_OBJS := $(NOHYPE_SRCS:%.c=$(BUILD)/nohype.d/%.o)
CORE_OBJS   := $(CORE_SRCS:%.c=$(BUILD)/core.d/%.o)
UNIT_BINS   := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/unit/%)

NOHYPE_LIBS := -ljansson -lcap-ng
CORE_LIBS   := -lseccomp
CHECK_LIBS  := $(shell pkg-config --libs check 2>/dev/null || echo -lcheck)

all: $(BUILD)/nohype $(BUILD)/nohype-core

$(BUILD)/nohype: $(NOHYPE_OBJS)
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -pie -o $@ $^ $(NOHYPE_LIBS)

# One file that needs nothing of the host's file system: it is executed by fd and opens nothing.
$(BUILD)/nohype-core: $(CORE_OBJS)
	@echo "  LINK $@"
	$(Q)$(CC) $(ALL_CFLAGS) -static-pie -o $@ $^ $(CORE_LIBS)

$(BUILD)/nohype.d/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIE -MMD -MP -c -o $@ $<

$(BUILD)/core.d/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIE -MMD -MP -c -o $@ $<

# The DSDT is ACPI source, compiled into a C array.
$(BUILD)/include/dsdt.h: vmm/boot/dsdt.asl devices/ports.h
	@mkdir -p $(@D)
	$(Q)$(CC) -E -P -x c -I. $< -o $(BUILD)/dsdt.i
	$(Q)iasl -p $(BUILD)/dsdt -tc $(BUILD)/dsdt.i >$(BUILD)/dsdt.log || { cat $(BUILD)/dsdt.log; exit 1; }
	sed 's/^unsigned char/static const unsigned char/' $(BUILD)/dsdt.hex >$@

$(BUILD)/nohype.d/vmm/boot/acpi.o $(BUILD)/unit/boot: $(BUILD)/include/dsdt.h

# Unit tests: one program a file, with all of nohype but its main, and the folders of the core manager that stand alone.
UNIT_OBJS := $(filter-out %/vmm/cli/main.o,$(NOHYPE_OBJS)) \
	     $(patsubst %.c,$(BUILD)/core.d/%.o,$(sort $(filter-out $(REASONS),$(wildcard devices/*.c seccomp/*.c vmm/x86/*.c))))

$(BUILD)/unit/%: tests/unit/%.c $(UNIT_OBJS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(UNIT_OBJS) $(NOHYPE_LIBS) $(CORE_LIBS) $(CHECK_LIBS)

unit: $(UNIT_BINS) ## build the unit tests

-include $(NOHYPE_OBJS:.o=.d) $(CORE_OBJS:.o=.d) $(UNIT_BINS:=.d)

.PHONY: all unit
