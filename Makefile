# SPDX-License-Identifier: GPL-3.0-or-later
# `make` leaves the program at ./obi; `make help` lists the rest.

VERSION := 0.1.0
SHELL := /bin/bash

# Each flavour has its own folder, so that objects never mix.
SAN ?=
ARCH ?= $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
HOST_ARCH := $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
ifeq ($(ARCH),$(HOST_ARCH))
OUT ?= .out
else
OUT ?= .out/$(ARCH)
endif
comma := ,
UNIT_SAN := -fsanitize=$(if $(filter thread,$(SAN)),thread,address$(comma)undefined)
UNIT_OUT := $(OUT)/unit$(if $(filter thread,$(SAN)),-thread)

PREFIX ?= /usr/local
DESTDIR ?=
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man/man1
DATADIR = $(DESTDIR)$(PREFIX)/share/obi
BASHDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSHDIR = $(DESTDIR)$(PREFIX)/share/zsh/site-functions
FISHDIR = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d

# ---- tools ----

CROSS_arm64 := aarch64-linux-gnu-
CROSS_amd64 := x86_64-linux-gnu-
CROSS := $(if $(filter-out $(HOST_ARCH),$(ARCH)),$(CROSS_$(ARCH)))
ifeq ($(origin CC),default)
CC := $(CROSS)gcc
endif
STRIP := $(CROSS)strip
CLANG ?= clang
BPFTOOL ?= $(firstword $(shell PATH=$$PATH:/usr/sbin:/sbin command -v bpftool) bpftool)
CLANG_FORMAT ?= clang-format

# A foreign architecture brings its headers and libraries in SYSROOT.
SYSROOT ?= $(if $(CROSS),.cache/$(ARCH))
TRIPLET := $(shell $(CC) -print-multiarch 2>/dev/null || $(CC) -dumpmachine 2>/dev/null)
SYSINC := $(if $(SYSROOT),-isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(TRIPLET))
SYSLIB := $(if $(SYSROOT),-L$(SYSROOT)/usr/lib/$(TRIPLET) -L$(SYSROOT)/lib/$(TRIPLET) \
	-Wl$(comma)-rpath-link=$(SYSROOT)/usr/lib/$(TRIPLET):$(SYSROOT)/lib/$(TRIPLET))

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wpointer-arith -Wwrite-strings -Wundef -Wimplicit-fallthrough
WARN_STRICT = $(if $(filter src/proto/% src/base/%,$<),-Wconversion)
# Hidden: a library that a test brings (jansson) may have functions of the same name.
VISIBLE := -fvisibility=hidden
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
CPPFLAGS_ALL = -D_GNU_SOURCE -DOBI_VERSION='"$(VERSION)"' -DOBI_TLS=$(TLS) -I. -Isrc -I$(OUT)/gen \
	-isystem $(OUT)/bpf $(SYSINC) $(CPPFLAGS)
CFLAGS ?= -O2 -g
CFLAGS_ALL = -std=gnu11 $(CFLAGS) $(VISIBLE) $(WARN) $(WARN_STRICT) -include base/banned.h
LINK_KIND := -pie
# https: OpenSSL makes a static program twice as large, so there it is asked for
TLS ?= $(if $(findstring static,$(LINK_KIND)),0,1)
LDFLAGS_ALL = $(LINK_KIND) -Wl,-z,relro,-z,now -Wl,--as-needed $(SYSLIB) $(LDFLAGS)
LDLIBS_ALL = -lbpf -lelf -lz -lzstd -lsqlite3 -levent_extra $(if $(filter 1,$(TLS)),-levent_openssl) -levent_core \
	$(if $(filter 1,$(TLS)),-lssl -lcrypto) -lreadline \
	-lncursesw -ltinfo -lm -lpthread $(LDLIBS)

BPF_ARCH := $(if $(filter arm64,$(ARCH)),arm64,x86)
BPF_CFLAGS := -O2 -g -Wall -Wextra -Werror -target bpf -mcpu=v3 -D__TARGET_ARCH_$(BPF_ARCH) \
	-I. $(SYSINC) -idirafter /usr/include/$(shell gcc -print-multiarch 2>/dev/null)

# ---- what there is: found by name, see `make list` ----

BPF_SRC := $(wildcard bpf/*.bpf.c)
SKELS := $(BPF_SRC:bpf/%.bpf.c=$(OUT)/bpf/%.skel.h)
LIB_SRC := $(sort $(wildcard src/*.c src/*/*.c))
APP_SRC := $(LIB_SRC) $(sort $(wildcard cmd/*.c ui/*.c))
CMD_SRC := $(shell grep -l '^const struct cmd cmd_' $(wildcard cmd/*.c) /dev/null)
UNIT_SRC := $(sort $(wildcard tests/unit/*.c))
SUITE_SRC := $(filter %_test.c,$(UNIT_SRC))
# what the commands are made of and can be tested without a terminal
UNIT_CMD_SRC := $(wildcard ui/grid.c ui/width.c ui/theme.c ui/keys.c ui/prompt.c cmd/opts.c cmd/args.c cmd/filter_expr.c cmd/suggest.c cmd/page.c \
	cmd/shell*.c cmd/table*.c)
QUERIES := $(sort $(wildcard queries/*.sql))
VIEW_SRC := $(shell grep -l '^const struct view view_' $(wildcard ui/view_*.c) /dev/null)
GEN := $(OUT)/gen/cmds.def $(OUT)/gen/views.def $(OUT)/gen/suites.def $(OUT)/gen/queries.inc

APP_OBJ := $(APP_SRC:%.c=$(OUT)/obj/%.o)
UNIT_OBJ := $(patsubst %.c,$(UNIT_OUT)/obj/%.o,$(LIB_SRC) $(UNIT_CMD_SRC) $(UNIT_SRC))

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' "$(1)" "$(patsubst $(OUT)/%,%,$@)";
MAKEFLAGS += --no-print-directory
endif

.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all

all: obi ## build ./obi

ifeq ($(CROSS),)
obi: $(OUT)/obi
	$(Q)cp $< $@.new && mv $@.new $@
else
obi: $(OUT)/obi
	@ls -l $<
endif

$(OUT)/obi: $(APP_OBJ)
	$(call msg,LINK)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

$(OUT)/obj/%.o: %.c | $(OUT)/deps.ok $(SKELS) $(GEN)
	$(call msg,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(HARDEN) -MMD -MP -c -o $@ $<

$(OUT)/bpf/%.bpf.o: bpf/%.bpf.c | $(OUT)/deps.ok
	$(call msg,BPF)
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@.tmp $<
	$(Q)llvm-strip -g $@.tmp 2>/dev/null || true
	$(Q)mv $@.tmp $@

$(OUT)/bpf/%.skel.h: $(OUT)/bpf/%.bpf.o
	$(call msg,SKEL)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst -,_,$*)_bpf >$@

# Lists made from file names: rewritten only when they change.
define gen
	@mkdir -p $(@D)
	@{ $(1); } >$@.new
	@cmp -s $@.new $@ && rm $@.new || { printf '  %-8s %s\n' GEN "$(patsubst $(OUT)/%,%,$@)"; mv $@.new $@; }
endef

$(OUT)/gen/cmds.def: always
	$(call gen,for f in $(patsubst cmd/%.c,%,$(CMD_SRC)); do echo "CMD($$f)"; done)

$(OUT)/gen/views.def: always
	$(call gen,for f in $(patsubst ui/view_%.c,%,$(VIEW_SRC)); do echo "VIEW($$f)"; done)

$(OUT)/gen/suites.def: always
	$(call gen,for f in $(patsubst tests/unit/%_test.c,%,$(SUITE_SRC)); do echo "SUITE($$f)"; done)

$(OUT)/gen/queries.inc: always $(QUERIES) $(wildcard queries/embed.sh)
	$(call gen,if [ -f queries/embed.sh ]; then sh queries/embed.sh $(QUERIES); fi)

$(OUT)/deps.ok: tests/setup/deps.sh
	@mkdir -p $(@D)
	@$(if $(CROSS),bash tests/setup/$(ARCH).sh $(SYSROOT))
	@CC="$(CC)" CLANG="$(CLANG)" BPFTOOL="$(BPFTOOL)" SYSINC="$(SYSINC)" sh tests/setup/deps.sh --check
	@touch $@

deps: ## install what the build and the tests need (apt, as root)
	@sh tests/setup/deps.sh

# ---- tests ----

# a program that a test needs, over all of src/
$(OUT)/tests/%: $(OUT)/obj/tests/%.o $(LIB_SRC:%.c=$(OUT)/obj/%.o)
	$(call msg,LINK)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS_ALL) -o $@ $^ $(LDLIBS_ALL)

# the same made-up rows as the unit tests
$(OUT)/tests/otlp/feed: $(OUT)/obj/tests/unit/rows.o

$(UNIT_OUT)/check: $(UNIT_OBJ)
	$(call msg,LINK)
	$(Q)$(CC) -g $(UNIT_SAN) -o $@ $^ \
		$(shell pkg-config --libs check 2>/dev/null || echo -lcheck -lsubunit -lrt) \
		-ljansson $(LDLIBS_ALL)

# the interface under the same sanitizers, for random keys
UI_FUZZ_OBJ := $(patsubst %.c,$(UNIT_OUT)/obj/%.o,$(LIB_SRC) $(wildcard ui/*.c) cmd/summary.c \
	tests/ui/ui_fuzz.c)
$(UNIT_OUT)/ui_fuzz: $(UI_FUZZ_OBJ)
	$(call msg,LINK)
	$(Q)$(CC) -g $(UNIT_SAN) -o $@ $^ $(LDLIBS_ALL)

$(UNIT_OUT)/obj/%.o: %.c | $(OUT)/deps.ok $(SKELS) $(GEN)
	$(call msg,CC)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) -std=gnu11 -O1 -g $(VISIBLE) $(WARN) $(WARN_STRICT) -include base/banned.h \
		$(UNIT_SAN) -fno-sanitize-recover=all \
		-fno-omit-frame-pointer -MMD -MP -c -o $@ $<

check: deps ## build, then every test that fits into 20 minutes; end to end too when root
	@$(MAKE) all
	@bash tests/run.sh check

check-all: deps ## check, then what needs more programs or more time
	@$(MAKE) all
	@bash tests/run.sh check-all

check-unit: $(UNIT_OUT)/check ## unit tests alone, on all processors (SAN=thread: with ThreadSanitizer)
	$(Q)$<

check-replay: obi ## recordings give the same output as before
	$(Q)bash tests/golden/run.sh

check-ui: obi $(UNIT_OUT)/ui_fuzz ## screens of the interface by key scripts, then some thousand random keys
	$(Q)bash tests/ui/run.sh

KEYS ?= 1000000
fuzz-ui: $(UNIT_OUT)/ui_fuzz ## random keys at the interface: make fuzz-ui KEYS=1000000
	$(Q)$< tests/golden/shop-text/in.obiraw $(KEYS)

check-otlp: obi $(OUT)/tests/otlp/feed ## recordings are read by the official protobuf classes
	$(Q)sh tests/otlp/run.sh

check-e2e: obi ## real servers, traced for real (root)
	$(Q)bash tests/e2e/run.sh

check-vm: obi ## other kernels in qemu (slow; kernels are downloaded once)
	$(Q)bash tests/vm/run.sh

golden-update: obi ## rewrite the expected output of tests/golden
	$(Q)bash tests/golden/run.sh --update

PROTO ?=
N ?= 1000000
T ?= 300
fuzz: obi ## fuzz each parser, or one: make fuzz PROTO=redis N=100000 T=60
	$(Q)N=$(N) T=$(T) sh tests/fuzz/run.sh $(PROTO)

bench: obi ## throughput and latency with and without obi, in one table (root)
	$(Q)bash tests/bench/run.sh

cov: ## line coverage of the unit tests
	$(Q)$(MAKE) OUT=.out/cov CPPFLAGS=--coverage LDLIBS=--coverage .out/cov/unit/check
	$(Q).out/cov/unit/check
	$(Q)gcovr -r . --object-directory .out/cov/unit/obj -f 'src/' -f 'cmd/' --sort-percentage

demo: ## trace a small real system: what it does is said first (root)
	@sh tests/demo/run.sh

# ---- style ----

C_FILES := $(wildcard bpf/*.[ch] src/*.[ch] src/*/*.[ch] cmd/*.[ch] ui/*.[ch] tests/*/*.[ch])

lint: obi ## format, layers, names, help against man pages, completions, examples
	@sh tests/lint/run.sh

fmt: ## format all C files
	$(Q)$(CLANG_FORMAT) -i $(C_FILES)

fmt-check: ## say which C files are not formatted
	@for f in $(C_FILES); do $(CLANG_FORMAT) --dry-run -Werror "$$f" 2>/dev/null || \
		{ echo "$$f: not formatted; run make fmt"; bad=1; }; done; [ -z "$$bad" ]

# ---- other products ----

STATIC_OUT := $(OUT)/static$(if $(filter command,$(origin TLS)),$(if $(filter 1,$(TLS)),-tls))
static: ## one static, stripped program: .out/static/obi (with https: TLS=1, .out/static-tls/obi)
	$(Q)set -o pipefail; $(MAKE) OUT=$(STATIC_OUT) LINK_KIND=-static-pie $(STATIC_OUT)/obi 2>&1 | \
		{ grep -v 'warning: Using .* in statically linked\|in function' || true; }
	$(Q)$(STRIP) -o $(STATIC_OUT)/obi.stripped $(STATIC_OUT)/obi
	$(Q)mv $(STATIC_OUT)/obi.stripped $(STATIC_OUT)/obi
	@ls -l $(STATIC_OUT)/obi

install: obi ## PREFIX=/usr/local DESTDIR=
	install -d $(BINDIR) $(MANDIR) $(BASHDIR) $(ZSHDIR) $(FISHDIR) $(DATADIR)/queries
	install -m 755 $(OUT)/obi $(BINDIR)/obi
	install -m 644 man/*.1 $(MANDIR)
	install -m 644 completions/obi.bash $(BASHDIR)/obi
	install -m 644 completions/_obi $(ZSHDIR)/_obi
	install -m 644 completions/obi.fish $(FISHDIR)/obi.fish
	install -m 644 $(QUERIES) $(DATADIR)/queries

clean: ## remove what was built
	rm -rf .out obi

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

list: $(GEN) ## what was found: commands, views, protocols, queries, suites, BPF objects
	@echo commands: $(patsubst cmd/%.c,%,$(CMD_SRC))
	@echo views: $(patsubst ui/view_%.c,%,$(VIEW_SRC))
	@echo protocols: $$(sed -n 's/^PROTO([0-9]*, [A-Z0-9_]*, \(.*\))/\1/p' src/proto/protos.def)
	@echo queries: $(patsubst queries/%.sql,%,$(QUERIES))
	@echo suites: $(patsubst tests/unit/%_test.c,%,$(SUITE_SRC))
	@echo bpf: $(patsubst bpf/%.bpf.c,%,$(BPF_SRC))

always:

.PHONY: all deps check check-all check-unit check-replay check-ui fuzz-ui check-otlp check-e2e check-vm golden-update \
	fuzz bench cov demo lint fmt fmt-check static install clean help list always

# skeletons are system headers, which dependency files leave out
$(OUT)/obj/src/capture/probes.o $(UNIT_OUT)/obj/src/capture/probes.o: $(SKELS)

-include $(wildcard $(OUT)/obj/tests/*/*.d) $(APP_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(UI_FUZZ_OBJ:.o=.d) $(BPF_SRC:bpf/%.bpf.c=$(OUT)/bpf/%.bpf.d)
