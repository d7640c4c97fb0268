# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
#   make           build build/netlog
#   make demo      set up and show netlog at work on two network namespaces, 30 s at most
#   make run       set up and log this machine until Ctrl-C
#   make check     format, house rules, unit tests: no root, no network, half a minute
#   make test      set up and run all tests; SANITIZE=1: the daemon under sanitizers, KEEP=1: a
#                  failed test's files stay
#   make test-vm   set up and run tests under older and newer kernels, in VMs; KERNELS="6.1" picks
#   make fuzz      set up and run the fuzz targets, each SECONDS=30; TARGETS="filter ssh" picks
#   make bench     the cost of a line, next to json-c, printf and writing alone; a minute or two
#   make bench-live   as root: next to bpftrace, tcpdump and tshark, and how much the ring takes
#   make install   with PREFIX=, SYSCONFDIR= and DESTDIR= as usual; make uninstall takes it away
#   make lint      set up and run clang-format, clang-tidy, cppcheck, shellcheck and both compilers

VERSION := 0.1.0
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
CLANG ?= clang
BPFTOOL ?= $(or $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool),bpftool)
CFLAGS ?= -O2 -g
BUILD := build
MACHINE := $(shell uname -m)

# Warnings are errors for us, never for users.
ifeq ($(CI),true)
WERROR := -Werror
endif
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes $(WERROR)

LIBRARIES := libbpf json-c libsystemd
LIBRARY_CFLAGS = $(shell pkg-config --cflags $(LIBRARIES))
LIBRARY_LIBS = $(shell pkg-config --libs $(LIBRARIES)) -pthread

ALL_CFLAGS = -std=gnu11 -D_GNU_SOURCE -DNETLOG_VERSION='"$(VERSION)"' -iquote src -iquote . \
	-I$(BUILD) $(WARNINGS) $(LIBRARY_CFLAGS) -MMD -MP $(CFLAGS)
# Where Debian keeps <asm/types.h>, which clang does not look for when it compiles for BPF
ASM_INCLUDE := $(firstword $(wildcard /usr/include/$(MACHINE)-linux-gnu \
	/usr/include/*-linux-gnu))
# As bpf_tracing.h calls it, for the registers of kprobes
BPF_ARCH := $(or $(patsubst x86_64,x86,$(filter x86_64,$(MACHINE))), \
	$(patsubst aarch64,arm64,$(filter aarch64,$(MACHINE))),$(patsubst ppc64le,powerpc, \
	$(patsubst riscv64,riscv,$(patsubst s390x,s390,$(MACHINE)))))
BPF_CFLAGS = -g -O2 -target bpf -D__TARGET_ARCH_$(BPF_ARCH) -mcpu=v2 -std=gnu11 \
	-fno-strict-aliasing -Wall -Wextra $(WERROR) \
	$(ASM_INCLUDE:%=-idirafter %) -MMD -MP

SOURCES := $(wildcard src/*/*.c)
# extable is an object by itself, which is asked before the events' is loaded
# The kernel is given their programs in this order, and all of them again after a refusal: the iterator in owner, which
# Linux before 5.11 refuses, is first.
EVENTS := bpf/owner.bpf.c $(filter-out bpf/owner.bpf.c bpf/extable.bpf.c,$(wildcard bpf/*.bpf.c))
UNIT_TESTS := $(wildcard tests/unit/*.c)
TOOLS := $(patsubst tests/live/%.c,$(BUILD)/%,$(filter-out %.bpf.c %/tool.c,$(wildcard tests/live/*.c)))

comma := ,

# Short lines; make V=1 shows the commands.
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $@)

.DELETE_ON_ERROR:
.SUFFIXES:

all: $(BUILD)/netlog

# Looked at before the first build, so that a missing tool is a clear line.
$(BUILD)/requirements:
	@tests/requirements.sh check build
	@mkdir -p $(BUILD)
	@touch $@

$(BUILD)/%.bpf.o: bpf/%.bpf.c | $(BUILD)/requirements
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

# One object of all events' programs: it shares the ring and the counters.
$(BUILD)/netlog.bpf.o: $(EVENTS:bpf/%.c=$(BUILD)/%.o)
	$(call say,LINK)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/netlog.skel.h: $(BUILD)/netlog.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name netlog_bpf > $@

$(BUILD)/extable.skel.h: $(BUILD)/extable.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name extable_bpf > $@

$(foreach build,$(BUILD) $(BUILD)/asan $(BUILD)/fuzz,$(build)/src/kernel/extable.o): $(BUILD)/extable.skel.h

$(foreach object,load object probe,$(foreach build,$(BUILD) $(BUILD)/asan $(BUILD)/fuzz,$(build)/src/kernel/$(object).o)) \
	$(BUILD)/unit/probe_test.o: $(BUILD)/netlog.skel.h

$(BUILD)/src/%.o: src/%.c | $(BUILD)/requirements
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@

$(BUILD)/netlog: $(BUILD)/src/main.o $(SOURCES:%.c=$(BUILD)/%.o)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ -o $@ $(LIBRARY_LIBS)

# ---- tests: the same sources again, with sanitizers

SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

$(BUILD)/asan/src/%.o: src/%.c | $(BUILD)/requirements
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZERS) -c $< -o $@

$(BUILD)/unit/%.o: tests/unit/%.c | $(BUILD)/requirements
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZERS) -c $< -o $@

$(BUILD)/unit/tests: $(UNIT_TESTS:tests/%.c=$(BUILD)/%.o) $(SOURCES:%.c=$(BUILD)/asan/%.o)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) $(LDFLAGS) $^ -o $@ $(LIBRARY_LIBS)

# The daemon likewise: SANITIZE=1 has the live tests run this one.
$(BUILD)/asan/netlog: $(BUILD)/asan/src/main.o $(SOURCES:%.c=$(BUILD)/asan/%.o)
	$(call say,LINK)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) $(LDFLAGS) $^ -o $@ $(LIBRARY_LIBS)

# And again, with the coverage that libFuzzer follows, which is clang's
FUZZ_TARGETS := $(patsubst tests/fuzz/%.c,%,$(wildcard tests/fuzz/*.c))
FUZZ_SANITIZERS := $(subst fsanitize=,fsanitize=fuzzer-no-link$(comma),$(SANITIZERS))

$(BUILD)/fuzz/src/%.o: src/%.c | $(BUILD)/requirements
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) $(FUZZ_SANITIZERS) -c $< -o $@

$(BUILD)/fuzz/%.o: tests/fuzz/%.c | $(BUILD)/requirements
	$(call say,CC)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(ALL_CFLAGS) $(FUZZ_SANITIZERS) -c $< -o $@

$(FUZZ_TARGETS:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: $(BUILD)/fuzz/%.o $(SOURCES:%.c=$(BUILD)/fuzz/%.o)
	$(call say,LINK)
	$(Q)$(CLANG) $(CFLAGS) $(subst -no-link,,$(FUZZ_SANITIZERS)) $(LDFLAGS) $^ -o $@ $(LIBRARY_LIBS)

TOOL_CFLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CFLAGS)

$(BUILD)/traffic: bpf/memory.h bpf/events.h

$(BUILD)/tool.o: tests/live/tool.c tests/live/tool.h | $(BUILD)/requirements
	$(call say,CC)
	$(Q)$(CC) $(TOOL_CFLAGS) -c $< -o $@

$(BUILD)/%: tests/live/%.c $(BUILD)/tool.o
	$(call say,CC)
	$(Q)$(CC) $(TOOL_CFLAGS) $(filter %.c %.o,$^) -o $@

$(BUILD)/witness.bpf.o: tests/live/witness.bpf.c bpf/kernel.h | $(BUILD)/requirements
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/witness: tests/live/witness.c $(BUILD)/tool.o $(BUILD)/witness.bpf.o
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter-out %.bpf.o,$^) -o $@ $(LIBRARY_LIBS)

$(BUILD)/%.so: tests/live/%.so.c | $(BUILD)/requirements
	$(call say,CC)
	$(Q)$(CC) $(TOOL_CFLAGS) -shared -fPIC $< -o $@

# Two that look into the kernel by BPF programs of their own
$(BUILD)/loads.bpf.o $(BUILD)/faults.bpf.o: $(BUILD)/%.bpf.o: tests/live/%.bpf.c tests/live/%.h | $(BUILD)/requirements
	$(call say,BPF)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/loads.skel.h $(BUILD)/faults.skel.h: $(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call say,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $*_bpf > $@

$(BUILD)/loads $(BUILD)/faults: $(BUILD)/%: tests/live/%.c $(BUILD)/tool.o $(BUILD)/%.skel.h \
		tests/live/%.h tests/live/programs.h
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $(filter %.c %.o,$^) -o $@ $(LIBRARY_LIBS)

# ---- benchmarks: the objects that are shipped, with the flags they are shipped with

$(BUILD)/bench/%: tests/bench/%.c tests/bench/records.h $(SOURCES:%.c=$(BUILD)/%.o)
	$(call say,LINK)
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $(filter %.c %.o,$^) -o $@ $(LIBRARY_LIBS)

# Linked last, so that netlog's own globals lie as they do in netlog
$(BUILD)/bench/produce.bpf.o: tests/bench/produce.bpf.c | $(BUILD)/requirements
	$(call say,BPF)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -c $< -o $@

$(BUILD)/bench/linked.bpf.o: $(EVENTS:bpf/%.c=$(BUILD)/%.o) $(BUILD)/bench/produce.bpf.o
	$(call say,LINK)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/bench/produce: tests/bench/produce.c $(BUILD)/bench/linked.bpf.o
	$(call say,CC)
	$(Q)$(CC) $(ALL_CFLAGS) $< -o $@ $(LIBRARY_LIBS)

unit-tests: $(BUILD)/unit/tests

tools: $(TOOLS)

# As many at once as there are processors, where make was not told otherwise
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

check:
	@tests/requirements.sh check build check
	@$(MAKE) $(PARALLEL) --no-print-directory --silent all unit-tests
	@tests/lint.sh format
	@tests/run.sh tests/unit/

test:
	@tests/requirements.sh install build test
	@$(MAKE) --no-print-directory --silent all unit-tests tools $(BUILD)/bench/bench \
		$(if $(filter 1,$(SANITIZE)),$(BUILD)/asan/netlog)
	@tests/run.sh

test-vm:
	@tests/requirements.sh install build test vm
	@$(MAKE) --no-print-directory --silent all tools
	@tests/vm/run.sh

SECONDS ?= 30
TARGETS ?= $(FUZZ_TARGETS)

fuzz:
	@tests/requirements.sh install build fuzz
	@$(MAKE) $(PARALLEL) --no-print-directory --silent $(TARGETS:%=$(BUILD)/fuzz/%)
	@tests/fuzz/run.sh $(SECONDS) $(TARGETS)

# ---- benchmarks

bench:
	@tests/requirements.sh install build test
	@$(MAKE) --no-print-directory --silent $(BUILD)/bench/bench
	@tests/bench/bench.sh

bench-live:
	@tests/requirements.sh install build test bench
	@$(MAKE) --no-print-directory --silent all tools $(BUILD)/bench/produce
	@. tests/root.sh && as_root tests/bench/live.sh $(ARGS)

# ---- for people

demo:
	@tests/requirements.sh install build demo
	@$(MAKE) --no-print-directory --silent all $(BUILD)/wire $(BUILD)/traffic
	@examples/demo.sh

run:
	@tests/requirements.sh install build
	@$(MAKE) --no-print-directory --silent all
	@. tests/root.sh && as_root $(BUILD)/netlog $(ARGS)

README.md: $(BUILD)/netlog examples/fields.jq
	examples/fields.sh $< README.md

lint:
	@tests/requirements.sh install build lint
	@$(MAKE) --no-print-directory --silent $(BUILD)/netlog.skel.h $(BUILD)/extable.skel.h
	@tests/lint.sh

# systemd reads all of these from /usr/lib and from /usr/local/lib, and from no other prefix.
SYSTEMD = $(PREFIX)/lib/systemd
CONF = $(SYSCONFDIR)/netlog/netlog.conf
INSTALLED = $(PREFIX)/sbin/netlog $(PREFIX)/share/man/man8/netlog.8 \
	$(SYSTEMD)/system/netlog.service $(SYSTEMD)/system-preset/80-netlog.preset \
	$(SYSTEMD)/catalog/netlog.catalog $(PREFIX)/lib/sysusers.d/netlog.conf \
	$(SYSCONFDIR)/logrotate.d/netlog

install: all
	install -D -m 0755 $(BUILD)/netlog $(DESTDIR)$(PREFIX)/sbin/netlog
	install -D -m 0644 src/man/netlog.8 $(DESTDIR)$(PREFIX)/share/man/man8/netlog.8
	sed 's|@SBINDIR@|$(PREFIX)/sbin|; s|@SYSCONFDIR@|$(SYSCONFDIR)|' systemd/netlog.service | \
		install -D -m 0644 /dev/stdin $(DESTDIR)$(SYSTEMD)/system/netlog.service
	install -D -m 0644 systemd/netlog.preset $(DESTDIR)$(SYSTEMD)/system-preset/80-netlog.preset
	install -D -m 0644 systemd/netlog.catalog $(DESTDIR)$(SYSTEMD)/catalog/netlog.catalog
	install -D -m 0644 systemd/netlog.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/netlog.conf
	install -D -m 0644 systemd/netlog.logrotate $(DESTDIR)$(SYSCONFDIR)/logrotate.d/netlog
	[ -e $(DESTDIR)$(CONF) ] || install -D -m 0644 systemd/netlog.conf $(DESTDIR)$(CONF)
	@cmp -s systemd/netlog.conf $(DESTDIR)$(CONF) || echo "netlog: $(DESTDIR)$(CONF) is yours, and stays"
	@[ -n "$(DESTDIR)" ] || echo "netlog: to make it a service: systemd-sysusers &&" \
		"journalctl --update-catalog && systemctl daemon-reload && systemctl enable --now netlog"
	@[ -n "$(DESTDIR)" ] || case $(PREFIX) in /usr | /usr/local) ;; \
		*) echo "netlog: systemd does not look into $(PREFIX)/lib: install with PREFIX=/usr/local" ;; esac

uninstall:
	@[ -n "$(DESTDIR)" ] || [ ! -e $(SYSTEMD)/system/netlog.service ] || \
		! command -v systemctl >/dev/null || case $(PREFIX) in /usr | /usr/local) \
		[ ! -d /run/systemd/system ] || systemctl stop netlog.service; \
		systemctl --quiet disable netlog.service ;; esac || true
	rm -f $(INSTALLED:%=$(DESTDIR)%)
	! cmp -s systemd/netlog.conf $(DESTDIR)$(CONF) || rm $(DESTDIR)$(CONF)
	@[ ! -e $(DESTDIR)$(CONF) ] || echo "netlog: $(DESTDIR)$(CONF) was changed, and stays"
	@rmdir $(DESTDIR)$(SYSCONFDIR)/netlog 2>/dev/null || true
	@[ -n "$(DESTDIR)" ] || echo "netlog: what is left is /var/log/netlog and the user netlog; next:" \
		"journalctl --update-catalog && systemctl daemon-reload"

clean:
	rm -rf $(BUILD)

.PHONY: all unit-tests tools check test test-vm fuzz bench bench-live demo run lint install uninstall clean README.md
.SECONDARY:

-include $(wildcard $(BUILD)/*.d $(BUILD)/src/*.d $(BUILD)/src/*/*.d $(BUILD)/unit/*.d \
	$(BUILD)/asan/src/*.d $(BUILD)/asan/src/*/*.d $(BUILD)/fuzz/*.d $(BUILD)/fuzz/src/*/*.d $(BUILD)/bench/*.d)
