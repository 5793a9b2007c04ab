# SPDX-License-Identifier: BSD-3-Clause
#
# The whole build, in one file, without recursion.  Everything lands in $(O).
#
#   usr/<layer>/*.c          -> $(O)/lib<layer>.a   (order: scripts/check-layers)
#   usr/tgtd, tgtadm, tgtimg -> $(O)/tgtd, $(O)/tgtadm, $(O)/tgtimg
#   usr/modules/bs_X{,_*}.c  -> $(O)/modules/bs_X.so (with the parts it shares)
#   tests/unit/<layer>/*_test.c -> $(O)/tests/unit/<layer>/*_test
#
# Knobs: V=1, SAN=address,undefined or SAN=thread, WERROR=1, CC=clang, O=dir,
# PREFIX=, DESTDIR=, TESTS="part of a path ..." (make help says more).

VERSION := 1.0.0

PREFIX    := /usr/local
DESTDIR   ?=
SYSCONFDIR = $(if $(filter /usr,$(PREFIX)),/etc,$(PREFIX)/etc)
UNITDIR    = $(PREFIX)/lib/systemd/system
MODULE_DIR = $(PREFIX)/lib/tgt/backing-store
DOCDIR     = $(PREFIX)/share/doc/tgt
ZSHDIR     = $(PREFIX)/share/zsh/site-functions

empty :=
comma := ,
hash  := \#

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
.SUFFIXES:

# "make -n" installs and writes nothing.
dry := $(findstring n,$(firstword -$(MAKEFLAGS)))
# Use every CPU, unless the caller gave a -j, which wins.
MAKEFLAGS += --no-builtin-rules -j$(shell nproc)

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config

O := build$(if $(SAN),-$(subst $(comma),-,$(SAN)))

ifeq ($(V),1)
Q   :=
say  = @:
else
Q   := @
say  = @printf '  %-6s %s\n' '$1' '$2'
endif

# --- packages ---------------------------------------------------------------
#
# Targets that promise to install what is missing do so before anything below
# asks pkg-config.

deps_check      := --build --test
deps_check-fast := --build --test
deps_check-sheepdog := --build --test
deps_check-vm   := --build --test --vm
deps_unit       := --build --test
deps_demo       := --build --test
deps_lint       := --build --test --lint
deps_deb        := --build --package
deps_check-deb  := --build --package
deps_bench      := --build --bench
deps_bench-quick := --build --bench
deps_fmt        := --lint

goals := $(or $(MAKECMDGOALS),all)
deps  := $(sort $(foreach g,$(goals),$(deps_$g)))

ifneq ($(if $(dry),,$(deps)),)
ifneq ($(shell scripts/install-deps $(deps) >&2; echo $$?),0)
$(error packages are missing, see above)
endif
endif

# Targets for which nothing is compiled need no library.
no_build := clean help fmt demo-stop
building := $(filter-out $(no_build),$(goals))

has_header = $(shell echo '$(hash)include <$1>' | \
	       $(CC) -E -x c - >/dev/null 2>&1 && echo yes)

pkgs := liburcu-qsbr liburcu-cds libisal libcrypto jansson libsystemd

ifneq ($(building),)
ifneq ($(shell $(PKG_CONFIG) --exists $(pkgs) && echo yes),yes)
$(error missing: $(shell for p in $(pkgs); do $(PKG_CONFIG) --exists $$p || \
	echo $$p; done) (pkg-config names); scripts/install-deps --build gets them)
endif
ifneq ($(call has_header,sys/sdt.h),yes)
$(error missing: the header sys/sdt.h; scripts/install-deps --build gets it)
endif
pkg_cflags := $(shell $(PKG_CONFIG) --cflags $(pkgs))
pkg_libs   := $(shell $(PKG_CONFIG) --libs $(pkgs))
endif

# --- flags ------------------------------------------------------------------

warnings := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	    -Wno-missing-field-initializers
CFLAGS   ?= $(if $(SAN),-O1,-O2 -D_FORTIFY_SOURCE=2) -g
LDFLAGS  ?=

cppflags := -Iusr -Iusr/include -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	    -DURCU_INLINE_SMALL_FUNCTIONS -DSDT_USE_VARIADIC= \
	    -DTGT_VERSION='"$(VERSION)"' $(pkg_cflags)
# Lists are intrusive: the head that a node leads back to may lie in an object of any
# type, and gcc has been seen to keep what it had read of it across a deletion.
cflags   := -std=gnu17 -pthread -fvisibility=hidden -fstack-protector-strong \
	    -fno-strict-aliasing \
	    $(warnings) $(CFLAGS) $(if $(WERROR),-Werror)
ldflags  := -pthread -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)

# gcc's flow analysis gives false alarms in instrumented code.
ifneq ($(SAN),)
san     := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
cflags  += $(san) -Wno-maybe-uninitialized
ldflags += $(san)
endif

module_dir_flag := -DTGT_MODULE_DIR='"$(MODULE_DIR)"'

# --- layers -----------------------------------------------------------------
#
# The table of layers is in scripts/check-layers.  It tells, for each layer,
# which archives to link: the layer's own and those beneath it, topmost first.

obj = $(patsubst %.c,$(O)/obj/%.o,$1)

link_table := $(shell scripts/check-layers --link)
$(foreach row,$(link_table),$(eval \
	link_$(subst :, := ,$(subst $(comma), ,$(row)))))
layers := $(foreach row,$(link_table),$(firstword $(subst :, ,$(row))))

$(foreach l,$(layers) tgtd tgtadm tgtimg,$(eval \
	objs_$l := $(call obj,$(wildcard usr/$l/*.c))))
archives = $(foreach l,$1,$(if $(objs_$l),$(O)/lib$l.a))

# The symbols of bs_module.h are for modules: nothing in the program may call
# them, and they have to be there all the same.
linked = $(patsubst %/libbs.a,-Wl$(comma)--whole-archive %/libbs.a \
	   -Wl$(comma)--no-whole-archive,$(filter %.o %.a,$1))

# --- modules ----------------------------------------------------------------
#
# What several modules have in common is in usr/modules/bs_PART_*.c, and parts_X
# names those of module X.

parts_aio       := file
parts_rdwr      := file
parts_uring     := file

# What a module needs beyond libc: names for pkg-config or, for a library that
# has no .pc file, its header and its link flag.

needs_aio       := libaio.h:-laio
needs_uring     := liburing
needs_rbd       := rbd/librbd.h:-lrbd rados/librados.h:-lrados
needs_sheepdog  :=
needs_nbd       := libnbd
needs_swift     := libcurl jansson

# Linker flags of its own.  What waits for a cluster when the daemon ends still has to
# find its code.
ldflags_rbd     := -Wl,-z,nodelete

module_names := $(foreach f,$(patsubst usr/modules/bs_%.c,%,$(wildcard \
	usr/modules/bs_*.c)),$(if $(findstring _,$f),,$f))
module_srcs = $(wildcard usr/modules/bs_$1.c usr/modules/bs_$1_*.c)
module_objs = $(call obj,$(module_srcs) $(foreach p,$(parts_$1),$(wildcard \
	usr/modules/bs_$p_*.c)))

need_absent = $(if $(findstring :,$1),$(if $(call has_header,$(firstword \
	$(subst :, ,$1))),,$(firstword $(subst :, ,$1))),$(shell \
	$(PKG_CONFIG) --exists $1 || echo $1))
need_pc     = $(strip $(foreach n,$1,$(if $(findstring :,$n),,$n)))
need_libs   = $(foreach n,$1,$(if $(findstring :,$n),$(lastword $(subst :, ,$n))))

modules :=
ifneq ($(building),)
$(foreach m,$(module_names),$(eval \
	absent_$m := $(strip $(foreach n,$(needs_$m),$(call need_absent,$n)))))
$(foreach m,$(module_names),$(if $(absent_$m),$(info \
	$(empty)  SKIP   module bs_$m: not found: $(absent_$m)),$(eval modules += $m)))
endif
module_files := $(modules:%=$(O)/modules/bs_%.so)

# --- tests ------------------------------------------------------------------

unit_srcs  := $(wildcard tests/unit/*/*_test.c)
units      := $(patsubst tests/%.c,$(O)/tests/%,$(unit_srcs))
fakes      := $(call obj,$(wildcard tests/fake/*.c))
fake_lib   := $(if $(fakes),$(O)/tests/libfake.a)
test_mods  := $(patsubst tests/modules/%.c,$(O)/tests/modules/%.so, \
		$(wildcard tests/modules/*.c))
bench_common := $(call obj,$(wildcard tests/bench/common_*.c))
benches    := $(patsubst tests/bench/%.c,$(O)/bench/%, \
		$(filter-out tests/bench/common_%,$(wildcard tests/bench/*.c)))

# Servers that the tests have of their own: tests/services/NAME/*.c.
services   := sheep
service_of  = $(O)/tests/services/$1/$1
service_objs = $(call obj,$(wildcard tests/services/$1/*.c))

programs   := $(foreach p,tgtd tgtadm tgtimg,$(if $(objs_$p),$(O)/$p))

# --- completion of command lines --------------------------------------------

admin       := $(wildcard $(addprefix scripts/,tgt-admin tgt-setup-lun tgt-rbdmap))
completed   := $(programs) $(admin)
completions := $(foreach p,$(notdir $(completed)),$(addprefix $(O)/completion/,\
		 bash/$p zsh/_$p fish/$p.fish))

# --- what the outputs depend on besides files -------------------------------
#
# Each stamp holds one text and is rewritten only when that text changes, so
# that another compiler, flag or PREFIX, or a source file that went away,
# rebuilds what it must and nothing else.

stamp_flags := $(strip $(CC) $(cppflags) $(cflags) $(ldflags))
stamp_paths := $(module_dir_flag)
stamp_files := $(sort $(wildcard usr/*/*.c tests/*/*.c tests/unit/*/*.c \
		 tests/services/*/*.c))

# (The strip is for make 4.3, which may keep the newline that it read.)
stamp = $(if $(subst x$(strip $(file <$(O)/.$1))x,,x$(stamp_$1)x),$(file \
	>$(O)/.$1,$(stamp_$1)))

ifneq ($(if $(dry),,$(building)),)
$(shell mkdir -p $(O))
$(foreach s,flags paths files,$(call stamp,$s))
endif

# --- rules ------------------------------------------------------------------

.PHONY: all tests check check-fast check-sheepdog check-vm unit bench bench-quick lint fmt demo \
	demo-stop install clean help

all: $(programs) $(module_files) $(call archives,$(layers)) $(completions)
tests: all $(units) $(test_mods) $(benches) $(foreach s,$(services),$(call service_of,$s))

$(O)/.flags $(O)/.paths $(O)/.files: ;

$(O)/obj/%.o: %.c $(O)/.flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(cppflags) $(extra) $(cflags) $(pic) -MMD -MP -c -o $@ $<

$(O)/%.a: $(O)/.files
	$(call say,AR,$@)
	@mkdir -p $(@D) && rm -f $@
	$(Q)$(AR) rcs $@ $(filter %.o,$^)

link_program = $(Q)$(CC) -rdynamic -o $@ $(call linked,$^) $(ldflags) $(pkg_libs)
link_module  = $(Q)$(CC) -shared -o $@ $(filter %.o,$^) $(ldflags)

$(programs): $(O)/.files
	$(call say,LD,$@)
	$(link_program)

$(O)/modules/%.so: $(O)/.files
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(link_module) $(libs)

$(units): $(O)/tests/%: $(O)/obj/tests/%.o $(O)/.files
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(link_program) -lcmocka

$(test_mods): $(O)/tests/modules/%.so: $(O)/obj/tests/modules/%.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(link_module)

$(benches): $(O)/bench/%: $(O)/obj/tests/bench/%.o $(bench_common) \
		$(call archives,base) $(O)/.files
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(link_program)

define service_rules
$(call service_of,$1): $(call service_objs,$1) $(call archives,base) $(O)/.files
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(link_program)
endef
$(foreach s,$(services),$(eval $(call service_rules,$s)))

$(foreach l,$(layers),$(eval $(O)/lib$l.a: $(objs_$l)))
$(foreach l,$(layers),$(foreach t,$(filter $(O)/tests/unit/$l/%,$(units)),$(eval \
	$t: $(fake_lib) $(call archives,$(link_$l)))))
$(if $(fakes),$(eval $(fake_lib): $(fakes)))

# The tests of modules load them through the host, those of a program link all
# of it but its main().
not_main = $(filter-out %/main.o,$(objs_$1))
$(O)/tgtd: $(objs_tgtd) $(call archives,$(link_mgmt))
$(O)/tgtadm: $(objs_tgtadm) $(call archives,base)
$(O)/tgtimg: $(objs_tgtimg) $(call archives,$(link_bs))
$(filter $(O)/tests/unit/modules/%,$(units)): $(fake_lib) \
	$(call archives,$(link_bs)) | $(module_files)
$(filter $(O)/tests/unit/tgtd/%,$(units)): $(call not_main,tgtd) $(fake_lib) \
	$(call archives,$(link_mgmt))
$(filter $(O)/tests/unit/tgtadm/%,$(units)): $(call not_main,tgtadm) $(fake_lib) \
	$(call archives,base)
$(filter $(O)/tests/unit/tgtimg/%,$(units)): $(call not_main,tgtimg) $(fake_lib) \
	$(call archives,$(link_bs))

$(objs_bs) $(objs_tgtd): extra = $(module_dir_flag)
$(objs_bs) $(objs_tgtd): $(O)/.paths

$(O)/obj/usr/modules/%.o $(O)/obj/tests/modules/%.o: pic := -fPIC
define module_rules
$(O)/modules/bs_$1.so: $(call module_objs,$1)
$(O)/modules/bs_$1.so: libs := $(ldflags_$1) $(call need_libs,$(needs_$1)) $(if $(call \
	need_pc,$(needs_$1)),$(shell $(PKG_CONFIG) --libs $(call need_pc,$(needs_$1))))
$(call obj,$(call module_srcs,$1)): extra := $(if $(call \
	need_pc,$(needs_$1)),$(shell $(PKG_CONFIG) --cflags $(call need_pc,$(needs_$1))))
endef
$(foreach m,$(modules),$(eval $(call module_rules,$m)))

# $1: shell, $2: before the name, $3: after it
define completion_rules
$(foreach p,$(completed),$(O)/completion/$1/$2$(notdir $p)$3): \
		$(O)/completion/$1/$2%$3: scripts/completion/generate $(completed)
	$$(call say,GEN,$$@)
	@mkdir -p $$(@D)
	$$(Q)scripts/completion/generate $1 $$(filter %/$$*,$$^) >$$@
endef
$(eval $(call completion_rules,bash,,))
$(eval $(call completion_rules,zsh,_,))
$(eval $(call completion_rules,fish,,.fish))

-include $(shell find $(O)/obj -name '*.d' 2>/dev/null)

# --- check, demo, bench -----------------------------------------------------

run_tests = @BUILD=$(abspath $(O)) SAN=$(SAN) tests/run

check: tests
	$(run_tests) $(TESTS)

check-fast: tests
	$(run_tests) --fast $(TESTS)

# The tests with Sheepdog; SHEEP=unix:PATH or tcp:HOST:PORT: on that cluster.
check-sheepdog: tests
	@BUILD=$(abspath $(O)) SAN=$(SAN) SHEEP=$(SHEEP) tests/run $(or $(TESTS),sheep)

# A guest has it installed.
check-vm: DESTDIR := $(abspath $(O))/vm-installed
check-vm: all install
	@BUILD=$(abspath $(O)) SAN=$(SAN) tests/vm/check $(TESTS)

unit: $(units) $(module_files) $(test_mods)
	$(run_tests) --only unit $(TESTS)

demo: all
	@BUILD=$(abspath $(O)) scripts/demo

demo-stop:
	@BUILD=$(abspath $(O)) scripts/demo --stop

bench: all $(benches) $(call service_of,sheep)
	@BUILD=$(abspath $(O)) tests/bench/run $(BENCH)

bench-quick: all $(benches) $(call service_of,sheep)
	@BUILD=$(abspath $(O)) tests/bench/run --quick $(BENCH)

# --- lint -------------------------------------------------------------------
#
# A file that was clean is looked at again when its object was rebuilt.

tidy_srcs := $(filter-out $(foreach m,$(module_names),$(if \
	$(absent_$m),$(call module_srcs,$m))),$(stamp_files))
tidied    := $(patsubst %.c,$(O)/lint/%.tidy,$(tidy_srcs))
shells     = $(shell grep -lE '^$(hash)!.*[ /](ba|da)?sh( |$$)' .ci/run \
	       $$(find scripts tests -type f) 2>/dev/null)

ifneq ($(filter lint,$(goals)),)
# All findings, not only the first.
MAKEFLAGS += -k
endif

.PHONY: lint-layers lint-cppcheck lint-shell
lint: lint-layers lint-cppcheck lint-shell $(tidied)
	@echo 'lint: clean'

lint-layers: $(programs) $(module_files) $(call archives,$(layers))
	$(call say,LAYERS,usr)
	$(Q)scripts/check-layers $(O)

$(O)/lint/%.tidy: %.c $(O)/obj/%.o .clang-tidy
	$(call say,TIDY,$<)
	@mkdir -p $(@D)
	$(Q)clang-tidy --quiet $< -- -std=gnu17 $(warnings) $(cppflags) \
		$(module_dir_flag) >$@.log 2>&1 || \
		{ grep -v 'warnings generated' $@.log; exit 1; }
	@mv $@.log $@

# The two macros say in cppcheck's words what its version 2.10 does not know.
lint-cppcheck:
	$(call say,CPPCHK,usr tests)
	@mkdir -p $(O)/lint/cppcheck
	$(Q)cppcheck --quiet -j$(shell nproc) --std=c11 --language=c \
		--enable=warning,performance,portability --inline-suppr \
		--suppressions-list=.cppcheck --error-exitcode=1 \
		--cppcheck-build-dir=$(O)/lint/cppcheck \
		-D__linux__ -D__x86_64__ \
		'-D_Noreturn=__attribute__((noreturn))' \
		'-D__VA_OPT__(...)=__VA_ARGS__' \
		-Iusr -Iusr/include $(tidy_srcs)

lint-shell:
	$(call say,SHELL,scripts tests)
	$(Q)shellcheck -x $(shells)

fmt:
	clang-format -i $(shell find usr tests -name '*.[ch]')

# --- install, clean ---------------------------------------------------------

man_files  = $(wildcard doc/man/*.$1)
doc_files := $(wildcard README.md LICENSE doc/*.md doc/README.*)
units_conf := $(wildcard conf/*.service conf/*.socket)
# $1: mode, $2: directory, $3: files, maybe none
put = $(if $(strip $3),$(Q)install -d '$(DESTDIR)$2' && install -m $1 $3 '$(DESTDIR)$2/')

completions_of = $(filter $(O)/completion/$1/%,$(completions))

# $1: mode, $2: file, $3: its new name
put_as = $(Q)install -D -m $1 $2 '$(DESTDIR)$3'

install: all
	$(call say,INST,$(DESTDIR)$(PREFIX))
	$(call put,755,$(PREFIX)/sbin,$(programs) $(admin))
	$(call put,644,$(PREFIX)/share/tgt/perl/Tgt,$(wildcard scripts/lib/Tgt/*.pm))
	$(call put,644,$(MODULE_DIR),$(module_files))
	$(call put,644,$(PREFIX)/include/tgt,usr/include/tgt/bs_module.h)
	$(call put,644,$(PREFIX)/share/man/man5,$(call man_files,5))
	$(call put,644,$(PREFIX)/share/man/man8,$(call man_files,8))
	$(call put,644,$(DOCDIR),$(doc_files))
	$(call put,644,$(DOCDIR)/examples,$(wildcard conf/examples/*))
	$(call put,644,$(UNITDIR),$(units_conf))
	$(Q)sed -i 's|/usr/local/sbin/|$(PREFIX)/sbin/|; s|/etc/tgt/|$(SYSCONFDIR)/tgt/|' \
		$(patsubst conf/%,'$(DESTDIR)$(UNITDIR)/%',$(units_conf))
	$(call put,644,$(PREFIX)/share/bash-completion/completions,$(call completions_of,bash))
	$(call put,644,$(ZSHDIR),$(call completions_of,zsh))
	$(call put,644,$(PREFIX)/share/fish/vendor_completions.d,$(call completions_of,fish))
	$(call put_as,644,conf/tgt.sysusers,$(PREFIX)/lib/sysusers.d/tgt.conf)
	$(call put_as,644,conf/tgt.tmpfiles,$(PREFIX)/lib/tmpfiles.d/tgt.conf)
	$(Q)test -e '$(DESTDIR)/etc/default/tgt' || \
		install -D -m 644 conf/tgt.default '$(DESTDIR)/etc/default/tgt'
	$(if $(OPENRC),$(call put_as,755,conf/tgt.openrc,/etc/init.d/tgtd))
	$(if $(OPENRC),$(Q)sed -i 's|/usr/local/sbin/|$(PREFIX)/sbin/|; \
		s|/etc/tgt/|$(SYSCONFDIR)/tgt/|' '$(DESTDIR)/etc/init.d/tgtd')
	$(if $(wildcard conf/targets.conf),$(Q)install -d \
		'$(DESTDIR)$(SYSCONFDIR)/tgt/conf.d' && \
		{ test -e '$(DESTDIR)$(SYSCONFDIR)/tgt/targets.conf' || \
		install -m 600 conf/targets.conf '$(DESTDIR)$(SYSCONFDIR)/tgt/'; })

# --- packages for Debian ----------------------------------------------------

.PHONY: deb check-deb
deb: all
	@scripts/make-deb $(VERSION) build/deb

check-deb: deb $(benches)
	@BUILD=$(abspath $(O)) tests/package/debian.sh build/deb

ifneq ($(filter clean,$(goals)),)
.NOTPARALLEL:		# "make clean all"
endif

clean:
	$(call say,CLEAN,build)
	@BUILD=$(abspath $(O)) scripts/demo --stop --quiet
	@rm -rf build build-*/

help:
	@echo 'make              build everything into $(O)/'
	@echo 'make demo         serve a disk on a loopback port, copy a file system to it and back'
	@echo 'make demo-stop    end that'
	@echo 'make check        run every test; TESTS="chap wire/" runs those with that in their path'
	@echo 'make check-fast   the same without what is tagged "slow"'
	@echo 'make check-vm     tests with a Linux initiator in a virtual machine; needs root'
	@echo 'make check-sheepdog  tests with Sheepdog; SHEEP=unix:PATH/sock uses that cluster'
	@echo 'make unit         unit tests only'
	@echo 'make bench        compare with other targets and with the floors: 25 minutes'
	@echo 'make bench-quick  only what the promised figures need: 4 minutes; BENCH=--help for both'
	@echo 'make lint         layers, clang-tidy, cppcheck, shellcheck'
	@echo 'make fmt          lay out the C files with clang-format'
	@echo 'make install      PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'
	@echo '                  OPENRC=1 adds the script for OpenRC'
	@echo 'make deb          Debian packages, into build/deb/'
	@echo 'make check-deb    install, run (systemd), upgrade, remove and purge them in a Debian of their own'
	@echo 'make clean        remove build/ and build-*/'
	@echo
	@echo 'V=1 shows commands; SAN=address,undefined or SAN=thread builds into build-<san>/;'
	@echo 'WERROR=1 makes warnings errors; CC=clang; O=dir puts the outputs there.'
	@echo 'check, demo, bench and lint install what they need (scripts/install-deps).'
