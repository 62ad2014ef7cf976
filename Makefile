# SPDX-License-Identifier: GPL-2.0-only
# `make help` lists what there is to do. Everything that is made lies under build/ (or BUILD=dir).

# One spelling of one folder, or all would be compiled again for each.
BUILD          ?= build
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
PREFIX         ?= /usr/local
DESTDIR        ?=
CC             := $(if $(filter default,$(origin CC)),gcc,$(CC))
V              ?= 0
Q              := $(if $(filter 1,$(V)),,@)
say             = @echo "  $(1)	$(2)"
VERSION        := 0.1.0

BINDIR     := $(PREFIX)/bin
LIBEXECDIR := $(PREFIX)/libexec/nohype
DATADIR    := $(PREFIX)/share/nohype
MANDIR     := $(PREFIX)/share/man
UNITDIR    := $(PREFIX)/lib/systemd/system
SYSUSERSDIR := $(PREFIX)/lib/sysusers.d
TMPFILESDIR := $(PREFIX)/lib/tmpfiles.d

CPPFLAGS := -I. -I$(BUILD)/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DNOHYPE_VERSION='"$(VERSION)"' \
	    $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I libnl-route-3.0 2>/dev/null)) -DNOHYPE_LIBEXECDIR='"$(LIBEXECDIR)"'
CFLAGS   ?= -O2 -g
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough \
	    -Wpointer-arith -Wvla -Wno-missing-field-initializers
HARDEN   := -fstack-protector-strong -fcf-protection -ftrapv
ALL_CFLAGS = -std=gnu11 $(WARNINGS) $(HARDEN) $(CFLAGS) $(SANITIZE)

# What each program is made of: folders, not lists, so that a new file is just there.
NOHYPE_DIRS := base disks memmap pinning pinning/host pinning/noise pinning/resctrl sriov vmm/config vmm/boot vmm/report \
	       vmm/supervisor vmm/doctor vmm/recover vmm/cli
SYSTEM_DIRS := vmm/system
CORE_DIRS   := vmm/core vmm/x86 devices seccomp
CORE_BASE   := base/fd.c base/message.c memmap/layout.c vmm/jail/jail.c
RINGS_SRCS  := $(sort $(wildcard vmm/rings/*.c)) base/clock.c base/fd.c base/message.c seccomp/filter.c vmm/jail/jail.c

# The exit reasons are for whoever watches; the core manager has no use for them.
REASONS     := vmm/x86/reasons.c
NOHYPE_SRCS := $(sort $(foreach d,$(NOHYPE_DIRS),$(wildcard $(d)/*.c)) $(REASONS))
CORE_SRCS   := $(sort $(filter-out $(REASONS),$(foreach d,$(CORE_DIRS),$(wildcard $(d)/*.c)))) $(CORE_BASE)
SYSTEM_SRCS := $(sort $(foreach d,$(SYSTEM_DIRS),$(wildcard $(d)/*.c)))
UNIT_SRCS   := $(sort $(wildcard tests/unit/*.c))
FUZZ_SRCS   := $(sort $(wildcard tests/fuzz/fuzz_*.c))

NOHYPE_OBJS := $(NOHYPE_SRCS:%.c=$(BUILD)/nohype.d/%.o)
SYSTEM_OBJS := $(SYSTEM_SRCS:%.c=$(BUILD)/nohype.d/%.o)
CORE_OBJS   := $(CORE_SRCS:%.c=$(BUILD)/core.d/%.o)
RINGS_OBJS  := $(RINGS_SRCS:%.c=$(BUILD)/core.d/%.o)
REPLAY_BINS := $(FUZZ_SRCS:tests/fuzz/fuzz_%.c=$(BUILD)/unit/replay_%)
UNIT_BINS   := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/unit/%) $(REPLAY_BINS)
FUZZ_BINS   := $(FUZZ_SRCS:tests/fuzz/%.c=$(BUILD)/bin/%)
MAN_PAGES   := $(patsubst man/%.scd,$(BUILD)/man/%,$(sort $(wildcard man/*.scd))) \
	       $(BUILD)/man/nohype-exits.7 $(BUILD)/man/nohype-checks.7

NOHYPE_LIBS := -ljansson -lhwloc -luring -lz -llzma -lzstd -lnl-route-3 -lnl-3 -lm
SYSTEM_LIBS := -lmicrohttpd -lcurl -lnettle -lsystemd
CORE_LIBS   := -lseccomp
CHECK_LIBS   = $(shell pkg-config --libs check)

# A script of ours, with what it and the makes that it starts read.
script = @BUILD='$(abspath $(BUILD))' CC='$(CC)' V='$(V)' scripts/

all: $(BUILD)/nohype $(BUILD)/nohyped $(BUILD)/nohype-core $(BUILD)/nohype-rings man ## the programs and their man pages
	@:

deps: ## install what building and testing need, after saying what that is
	$(script)deps

demo: ## boot a Debian kernel under nohype, on an emulated host where this machine has no KVM
	$(script)demo

check: ## all tests; ends with "N passed, 0 failed"
	$(script)check

check-long: ## full matrices and soaks; goes on where it was interrupted
	$(script)check --long

bench: $(BUILD)/nohype $(BUILD)/nohype-core $(BUILD)/bench-memory ## exits, instructions, memory beside QEMU; BENCH=quick: short; BENCH=memory, BENCH=devices, BENCH=aborts: those parts
	@BUILD='$(abspath $(BUILD))' tests/bench/bench

lint: $(BUILD)/include/dsdt.h ## format, static analysis, shell scripts, man pages
	$(script)lint

# --- programs ---

$(BUILD)/nohype: $(NOHYPE_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -pie -o $@ $^ $(NOHYPE_LIBS)

# The system manager has nohype's code but for its command line.
$(BUILD)/nohyped: $(SYSTEM_OBJS) $(filter-out $(BUILD)/nohype.d/vmm/cli/%,$(NOHYPE_OBJS))
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -pie -o $@ $^ $(NOHYPE_LIBS) $(SYSTEM_LIBS)

# One file that needs nothing of the host's file system: it is executed by fd and opens nothing.
CORE_LINK = $(CC) $(ALL_CFLAGS) -static-pie $(CORE_OBJS) $(CORE_LIBS)

$(BUILD)/nohype-core: $(CORE_OBJS)
	$(call say,LINK,$@)
	$(Q)$(CORE_LINK) -o $@

RINGS_LINK = $(CC) $(ALL_CFLAGS) -static-pie $(RINGS_OBJS) $(CORE_LIBS)

$(BUILD)/nohype-rings: $(RINGS_OBJS)
	$(call say,LINK,$@)
	$(Q)$(RINGS_LINK) -o $@

$(BUILD)/nohype.d/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIE -MMD -MP -c -o $@ $<

$(BUILD)/core.d/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fPIE -MMD -MP -c -o $@ $<

# The DSDT is ACPI source, compiled into a C array.
$(BUILD)/include/dsdt.h: vmm/boot/dsdt.asl devices/ports.h $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,IASL,$<)
	$(Q)$(CC) -E -P -x c -I. $< -o $(BUILD)/dsdt.i
	$(Q)iasl -p $(BUILD)/dsdt -tc $(BUILD)/dsdt.i >$(BUILD)/dsdt.log || { cat $(BUILD)/dsdt.log; exit 1; }
	$(Q)sed 's/^unsigned char/static const unsigned char/' $(BUILD)/dsdt.hex >$@

$(NOHYPE_OBJS) $(UNIT_BINS): | $(BUILD)/include/dsdt.h

# Other flags, or another prefix, make all anew.
FLAGS := $(CC) $(CPPFLAGS) $(ALL_CFLAGS)
$(BUILD)/flags: $(if $(filter-out $(file <$(BUILD)/flags),$(FLAGS))$(filter-out $(FLAGS),$(file <$(BUILD)/flags)),FORCE)
	@mkdir -p $(@D)
	@CC='$(CC)' scripts/have $(CC) iasl hwloc.h jansson.h seccomp.h microhttpd.h curl/curl.h nettle/hmac.h systemd/sd-journal.h liburing.h zlib.h lzma.h zstd.h
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' >$@

man: $(MAN_PAGES)

$(BUILD)/man/%: man/%.scd
	@mkdir -p $(@D)
	@scripts/have scdoc
	$(call say,SCDOC,$<)
	$(Q)scdoc <$< >$@.new && mv $@.new $@

# Their tables are those that the program has.
$(BUILD)/man/nohype-%.7: $(BUILD)/nohype scripts/%-page
	@mkdir -p $(@D)
	@scripts/have scdoc
	$(call say,SCDOC,$@)
	$(Q)scripts/$*-page $< >$@.scd && scdoc <$@.scd >$@.new && mv $@.new $@ && rm $@.scd

SYSTEMD_UNITS := $(patsubst systemd/%.in,$(BUILD)/systemd/%,$(wildcard systemd/*.in))

$(BUILD)/systemd/%: systemd/%.in $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,SED,$@)
	$(Q)sed 's,@BINDIR@,$(BINDIR),' $< >$@

$(BUILD)/completions/nohype: completions/nohype.bash
	@mkdir -p $(@D)
	$(Q)cp $< $@

# --- tests ---

# One program a file, with all of nohype but its main, and the folders of the core manager that stand alone.
UNIT_OBJS := $(filter-out %/vmm/cli/main.o %/vmm/system/main.o,$(NOHYPE_OBJS) $(SYSTEM_OBJS)) \
	     $(patsubst %.c,$(BUILD)/core.d/%.o,$(sort $(filter-out $(REASONS),$(wildcard devices/*.c seccomp/*.c vmm/x86/*.c)) \
	     vmm/core/receive.c vmm/core/functions.c $(addprefix vmm/rings/,calls.c clients.c heart.c pump.c receive.c stream.c words.c) vmm/jail/jail.c))

unit: $(UNIT_BINS) ## build the unit tests, build/unit/*

$(BUILD)/unit/%: tests/unit/%.c $(UNIT_OBJS)
	@mkdir -p $(@D)
	@scripts/have check.h
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(UNIT_OBJS) $(NOHYPE_LIBS) $(SYSTEM_LIBS) $(CORE_LIBS) $(CHECK_LIBS)

# The fuzzers' corpora, with each fuzzer's own checks.
$(BUILD)/unit/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(UNIT_OBJS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) -DCORPUS='"tests/fuzz/corpus/$*"' $(ALL_CFLAGS) -o $@ $(filter %.c,$^) $(UNIT_OBJS) $(NOHYPE_LIBS) $(SYSTEM_LIBS) $(CORE_LIBS) $(CHECK_LIBS)

$(BUILD)/bench-memory: tests/bench/memory.c $(UNIT_OBJS)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -o $@ $< $(UNIT_OBJS) $(NOHYPE_LIBS) $(SYSTEM_LIBS) $(CORE_LIBS)

# What a host does is played.
$(BUILD)/unit/test_memory: private ALL_CFLAGS += -Wl,--wrap=madvise
$(BUILD)/unit/test_watch: private ALL_CFLAGS += -Wl,--wrap=clock_read,--wrap=guarantees_read

# Groups of resctrl are tried on a simulated one.
$(BUILD)/unit/test_resctrl_group $(BUILD)/unit/test_resctrl_life: $(BUILD)/resctrlfs
$(BUILD)/unit/test_resctrl_group $(BUILD)/unit/test_resctrl_life: CPPFLAGS += -DRESCTRLFS='"$(abspath $(BUILD))/resctrlfs"'

$(BUILD)/resctrlfs: tests/resctrl/resctrlfs.c
	@mkdir -p $(@D)
	@scripts/have fuse3/fuse_opt.h
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -o $@ $< -lfuse3

ASAN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

asan: asan-build ## build with ASan and UBSan, and run the unit tests so
	$(script)check --unit $(BUILD)/asan/unit

asan-build:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="-O1 -g1" SANITIZE="$(ASAN)" $(BUILD)/asan/nohype $(BUILD)/asan/nohyped unit

FUZZ_SECONDS ?= 600

fuzz: fuzz-build ## fuzz the parsers for FUZZ_SECONDS (600) each
	$(script)fuzz $(FUZZ_SECONDS)

fuzz-build:
	@scripts/have clang
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang CFLAGS="-O1 -g" \
		SANITIZE="$(ASAN) -fsanitize=fuzzer-no-link" $(FUZZ_SRCS:tests/fuzz/%.c=$(BUILD)/fuzz/bin/%)

FUZZ_OBJS := $(filter-out %/vmm/cli/main.o %/vmm/system/main.o,$(NOHYPE_OBJS) $(SYSTEM_OBJS)) \
	     $(patsubst %,$(BUILD)/core.d/vmm/rings/%.o,clients heart pump stream words) \
	     $(patsubst %.c,$(BUILD)/core.d/%.o,$(sort $(wildcard devices/*.c)))

$(BUILD)/bin/%: tests/fuzz/%.c $(FUZZ_OBJS)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< $(FUZZ_OBJS) $(NOHYPE_LIBS) $(SYSTEM_LIBS)

guests: ## the guests that demo and tests boot: kernels, initramfs, Debian
	$(script)guests

JAIL_TABLE = scripts/jail-table --link "$(CORE_LINK)" --rings-link "$(RINGS_LINK)" --rings '$(RINGS_OBJS:.o=.d)'

jail-table: $(BUILD)/nohype-core $(BUILD)/nohype-rings ## what a guest could attack, in numbers
	@$(JAIL_TABLE) $(CORE_OBJS:.o=.d)

readme: $(BUILD)/nohype-core $(BUILD)/nohype-rings ## put these numbers into README.md, where a test wants them
	@$(JAIL_TABLE) --into README.md $(CORE_OBJS:.o=.d)

# --- packages ---

dist: ## a tar of the tracked files, the same bytes for the same content: build/nohype-VERSION.tar.gz
	$(script)package dist

deb: ## Debian packages for this release of Debian, build/packages/*.deb
	$(script)package deb

# --- installing ---

# FOLDER:FILE: what is installed where.
INSTALL_PROGRAMS := $(BINDIR):$(BUILD)/nohype $(BINDIR):$(BUILD)/nohyped $(LIBEXECDIR):$(BUILD)/nohype-core \
		    $(LIBEXECDIR):$(BUILD)/nohype-rings $(DATADIR)/examples:examples/cloud-manager
INSTALL_DATA     := $(foreach page,$(MAN_PAGES),$(MANDIR)/man$(subst .,,$(suffix $(page))):$(page)) \
		    $(foreach file,$(SYSTEMD_UNITS),$(UNITDIR):$(file)) \
		    $(SYSUSERSDIR):systemd/sysusers.d/nohype.conf $(TMPFILESDIR):systemd/tmpfiles.d/nohype.conf \
		    $(PREFIX)/share/bash-completion/completions:$(BUILD)/completions/nohype \
		    $(PREFIX)/share/zsh/vendor-completions:completions/_nohype \
		    $(PREFIX)/share/fish/vendor_completions.d:completions/nohype.fish \
		    $(foreach file,$(wildcard schemas/*.json),$(DATADIR)/schemas:$(file)) \
		    $(foreach file,$(wildcard examples/*.json examples/*.conf),$(DATADIR)/examples:$(file))

install: all $(SYSTEMD_UNITS) $(BUILD)/completions/nohype ## to PREFIX (/usr/local) under DESTDIR
	$(call install_items,755,$(INSTALL_PROGRAMS))
	$(call install_items,644,$(INSTALL_DATA))

uninstall: ## remove what install put there, and nothing else
	$(Q)for item in $(INSTALL_PROGRAMS) $(INSTALL_DATA); do \
		rm -f "$(DESTDIR)$${item%%:*}/$${item##*/}"; \
	done
	$(Q)for folder in $(LIBEXECDIR) $(DATADIR)/schemas $(DATADIR)/examples $(DATADIR); do \
		[ ! -d "$(DESTDIR)$$folder" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$folder"; \
	done

define install_items
	$(Q)for item in $(2); do \
		echo "  INSTALL	$(DESTDIR)$${item%%:*}/$${item##*/}"; \
		install -D -m $(1) -t "$(DESTDIR)$${item%%:*}" "$${item#*:}" || exit; \
	done
endef

clean: ## remove what was compiled; what was downloaded stays (rm -r build removes that too)
	$(Q)rm -rf $(addprefix $(BUILD)/,nohype nohyped nohype-core nohype-rings bench-memory resctrlfs nohype.d core.d unit bin include man systemd completions flags asan fuzz lint) \
		$(BUILD)/dsdt.*

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  V=1 shows the commands, BUILD=dir builds elsewhere."

-include $(BUILD)/bench-memory.d $(NOHYPE_OBJS:.o=.d) $(SYSTEM_OBJS:.o=.d) $(CORE_OBJS:.o=.d) $(RINGS_OBJS:.o=.d) $(UNIT_BINS:=.d) $(FUZZ_BINS:=.d)

FORCE:
.PHONY: all deps demo check check-long bench lint man unit asan asan-build fuzz fuzz-build guests jail-table readme dist deb install \
	uninstall clean help FORCE
# A target whose recipe failed must not look made.
.DELETE_ON_ERROR:
