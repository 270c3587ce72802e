# SPDX-License-Identifier: Apache-2.0
# Picket: one Makefile, all output in build/. `make help` lists the targets.

VERSION  := 0.1.0
PREFIX   ?= /usr
SYSCONF  ?= /etc
BUILD    := build$(if $(SAN),-san)
CC       ?= gcc
CLANG    ?= clang
# Ubuntu's /usr/sbin/bpftool only works for the running kernel: take the real one first.
BPFTOOL  ?= $(firstword $(wildcard /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool /usr/sbin/bpftool) bpftool)
STRIP    ?= $(firstword $(shell command -v llvm-strip llvm-strip-14 llvm-strip-15 llvm-strip-18 llvm-strip-19 2>/dev/null) llvm-strip)
WERROR   ?= -Werror
# For targets that build all first: as many at once as there are processors, unless the caller said so.
JOBS      = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-8s %s\n' '$(1)' '$(2)')

PKGS     := libbpf libelf zlib libzstd libnl-3.0 libnl-route-3.0 libevent libevent_openssl libseccomp libcurl jansson yaml-0.1 ncursesw openssl sqlite3 libidn2 libpsl libhs libpcre2-8 libnats
# Places of addresses; a distribution without it builds without them.
LIBLOC   := $(shell pkg-config --exists libloc && echo libloc)
PKGS     += $(LIBLOC)
# The hub's database server: the agent is not linked with it.
HUB_PKGS := libpq
CFLAGS   ?= -O2 -g
WARN     := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wundef
HARDEN   := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer,-D_FORTIFY_SOURCE=3) -fPIE -fstack-protector-strong
CPPFLAGS += -Iinclude -Iuser -I$(BUILD) -D_GNU_SOURCE $(if $(LIBLOC),-DPK_HAVE_LIBLOC) -DPK_VERSION='"$(VERSION)"' $(shell pkg-config --cflags $(PKGS) $(HUB_PKGS) 2>/dev/null)
ALL_CFLAGS := -std=gnu17 $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS  += -pie -Wl,-z,relro,-z,now $(if $(SAN),-fsanitize=$(SAN))
LIBS      = $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lpcap -lm -lpthread

ARCH     := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')
BPF_FLAGS := -g -O2 -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Wextra $(WERROR) -Iinclude -Ibpf \
	$(addprefix -idirafter ,$(shell $(CLANG) -print-resource-dir 2>/dev/null)/include /usr/include/$(shell gcc -print-multiarch 2>/dev/null) /usr/include)

# The definitions first: bpftool 7.1 leaves BTF offsets 0 where it meets an extern map before its definition.
BPF_SRC  := bpf/maps.bpf.c $(filter-out bpf/maps.bpf.c,$(wildcard bpf/*.bpf.c))
BPF_OBJ  := $(BPF_SRC:%.bpf.c=$(BUILD)/%.bpf.o)
SKEL     := $(BUILD)/picket.skel.h
LIB_SRC  := $(filter-out user/main.c,$(wildcard user/*.c user/*/*.c user/*/*/*.c))
LIB_OBJ  := $(LIB_SRC:%.c=$(BUILD)/%.o)
LIB      := $(BUILD)/libpicket.a
TOOL_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tools/*.c))
BIN      := $(if $(wildcard user/main.c),$(BUILD)/picketd) $(if $(TOOL_OBJ),$(BUILD)/picket)
MAN      := $(patsubst tools/man/%.scd,$(BUILD)/man/%,$(wildcard tools/man/*.scd))
UNIT     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/*/*.c tests/unit/*/*/*.c))
BPFTEST  := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bpf/*.c))
BENCH    := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c))
E2E      := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/e2e/*.c))
FUZZ     := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/*.c))
TEST_BPF := $(patsubst tests/%.bpf.c,$(BUILD)/tests/%.bpf.o,$(wildcard tests/*/*.bpf.c))
UNIT     := $(filter-out %.bpf,$(UNIT))
BPFTEST  := $(filter-out %.bpf,$(BPFTEST))
BENCH    := $(filter-out %.bpf,$(BENCH))
E2E      := $(filter-out %.bpf,$(E2E))

.PHONY: all run check test test-root test-kernels lint fuzz bench bench-block install clean help deps \
	test-programs bench-programs compile_commands.json
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BIN) $(MAN) ## build everything

$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/picket.bpf.o: $(BPF_OBJ)
	$(call say,LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^ && $(STRIP) -g $@

$(SKEL): $(BUILD)/picket.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name picket_bpf > $@

$(BUILD)/tests/%.bpf.o: tests/%.bpf.c
	$(call say,BPF,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_FLAGS) -MMD -MP -c $< -o $@ && $(STRIP) -g $@

$(BUILD)/%.o: %.c | $(SKEL)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(BUILD)/user/api/openapi.o: user/share/openapi.json
$(BUILD)/user/hub/db_sqlite.o: user/hub/sqlite.sql
$(BUILD)/user/hub/db_postgres.o: user/hub/postgres.sql

$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/picket $(BUILD)/tests/unit/hub/% $(BUILD)/tests/unit/tools/%: LIBS += $(shell pkg-config --libs $(HUB_PKGS) 2>/dev/null)

$(BUILD)/picketd: $(BUILD)/user/main.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/picket: $(TOOL_OBJ) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS)

# What a tool's file needs of its neighbours, for its unit test.
TOOL_LIB := $(BUILD)/libtools.a
$(TOOL_LIB): $(filter-out %/picket.o,$(TOOL_OBJ))
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/unit/tools/%: $(BUILD)/tests/unit/tools/%.o $(BUILD)/tools/%.o $(TOOL_LIB) $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(LIB)
	$(call say,LD,$@)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/tests/fuzz/%: tests/fuzz/%.c $(wildcard user/*/*.c user/*/*.h include/picket/*.h) | $(SKEL)
	$(call say,FUZZ,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG) $(CPPFLAGS) -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined $< \
		$(shell sed -n 's/^.*fuzz-links: *\([^*]*\).*$$/\1/p' $< 2>/dev/null) -o $@ $(LIBS)

$(BUILD)/man/%: tools/man/%.scd user/share/picket.yaml
	$(call say,MAN,$@)
	@mkdir -p $(@D)
	$(Q)sed -e '/^@CONFIG@$$/{r user/share/picket.yaml' -e 'd}' $< | scdoc > $@

deps: ## install what is missing (Debian, Ubuntu)
	$(Q)tests/check/deps.sh $(DEPS)

run: DEPS := build
check: DEPS := test
bench: DEPS := test bench
test-kernels: DEPS := test kernels

run: deps ## install what is missing, build, and watch this host's flows
	$(Q)$(MAKE) $(JOBS) --no-print-directory all
	$(Q)tools/run.sh $(BUILD)

test-programs: $(UNIT) $(BPFTEST) $(E2E) $(TEST_BPF)
bench-programs: $(BENCH) $(E2E) $(TEST_BPF)

test: all $(UNIT) $(FUZZ) ## unit tests and the fuzz corpora: no root, under a minute
	$(Q)tests/check/suite.sh $(BUILD) unit corpus

test-root: all test-programs ## kernel programs and end to end, as root
	$(Q)tests/check/suite.sh $(BUILD) bpf replay e2e

check: deps ## everything a release must pass; closes with one line of counts
	$(Q)$(MAKE) $(JOBS) --no-print-directory all test-programs $(FUZZ)
	$(Q)tests/check/suite.sh $(BUILD) lint unit corpus bpf replay e2e fuzz

test-kernels: deps ## the suite on Debian's 6.1 and 6.12 kernels in qemu
	$(Q)$(MAKE) $(JOBS) --no-print-directory all test-programs
	$(Q)tests/check/kernels.sh $(BUILD)

lint: $(SKEL) ## format, layers, headers, mirror, abi
	$(Q)tests/check/suite.sh $(BUILD) lint

fuzz: $(FUZZ) ## each fuzz target for FUZZ_SECONDS (60)
	$(Q)FUZZ_SECONDS=$${FUZZ_SECONDS:-60} tests/check/suite.sh $(BUILD) fuzz

bench: deps ## what it costs, beside other tools
	$(Q)$(MAKE) $(JOBS) --no-print-directory all bench-programs
	$(Q)tests/bench/run.sh $(BUILD)

bench-block: DEPS := test bench
bench-block: deps ## block lists by size: beside LPM trie and hash map, xdp-filter, nft and ipset
	$(Q)$(MAKE) $(JOBS) --no-print-directory all bench-programs
	$(Q)PICKET_BUILD=$(BUILD) $(BUILD)/tests/bench/block
	$(Q)tests/bench/block.sh $(BUILD)

compile_commands.json: ## for editors
	$(Q)$(MAKE) -nB V=1 all 2>/dev/null | tests/check/compdb.sh > $@

install: all ## DESTDIR= PREFIX=
	$(Q)tools/install.sh "$(BUILD)" "$(DESTDIR)" "$(PREFIX)" "$(SYSCONF)"

clean: ## remove build output
	rm -rf build build-san compile_commands.json

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1	\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 18

print-%: # what a variable holds, quoted for the shell, for scripts
	$(info $($*))@:

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
