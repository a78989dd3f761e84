# SPDX-License-Identifier: GPL-2.0
#
# Targets of the modules and their host tests; included by the top Makefile.
#
#   make module [KDIR=...]	build against a kernel tree or installed headers
#   make module-clean
#   make install [KDIR=...]	modules_install and depmod
#   make check-host		policy and lib, on this machine
#   make check-style		clang-format, clang-tidy, names that must not appear
#
# Everything that is built goes below build/.

module-top := $(patsubst %/,%,$(dir $(abspath $(dir $(lastword $(MAKEFILE_LIST))))))

KDIR ?= /lib/modules/$(shell uname -r)/build

# ---- modules -------------------------------------------------------------------

# kbuild writes beside the sources, so it gets a tree of links to them.
module-release = $(or $(shell sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
		   $(KDIR)/include/generated/utsrelease.h 2>/dev/null),unknown)
module-build = $(module-top)/build/module-$(module-release)
module-make = $(MAKE) --no-print-directory -C $(KDIR) M=$(module-build) \
	      TASK_ISOLATION_ALTERNATIVES=y TASK_ISOLATION_TESTS=y

.PHONY: module module-links module-clean install
module: module-links
	+$(module-make) modules

module-links:
	@test -e $(KDIR)/Makefile || { echo "no kernel tree or headers at $(KDIR);" \
		"install linux-headers-$$(uname -r) or give KDIR=" >&2; exit 1; }
	@mkdir -p $(module-build)
	@find $(module-build) -xtype l -delete
	@cp -asf $(module-top)/Kbuild $(module-top)/module $(module-top)/uapi $(module-build)/

# Test modules and alternatives are for the VM: only the two of dkms are installed.
install: module-links
	+$(MAKE) --no-print-directory -C $(KDIR) M=$(module-build) modules
	+$(MAKE) --no-print-directory -C $(KDIR) M=$(module-build) modules_install
	depmod $(module-release)

module-clean:
	rm -rf $(module-top)/build/module-* $(module-top)/build/host

# ---- host tests ----------------------------------------------------------------

host-build := $(module-top)/build/host
host-policy := $(filter-out %/policy.cpp,$(wildcard $(module-top)/module/policy/*.cpp))
host-tests := $(wildcard $(module-top)/module/tests/*_test.cpp)
host-headers := $(wildcard $(addprefix $(module-top)/, module/lib/*.h module/policy/*.h \
			module/tests/*.h uapi/linux/*.h module/lib/freestanding/linux/*.h))
host-alternatives := $(wildcard $(module-top)/module/policy/alternatives/*.cpp)

host-include := $(addprefix -I$(module-top)/,module/lib/freestanding uapi module module/policy)
host-warnings := -Wall -Wextra -Werror -Wvla -Wold-style-cast -Wnon-virtual-dtor -Wswitch-enum \
		 -Wconversion -Wshadow
host-sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_CXX ?= g++
HOST_CC ?= gcc
# The kernel's own rules for language and sign of char; the sources are the same files.
host-policy-flags := -std=gnu++20 -O1 -g -fno-exceptions -fno-rtti -funsigned-char \
		     $(host-sanitize) $(host-warnings) $(host-include)
# Tests see libc, whose headers want the real <linux/types.h>.
host-test-flags := -std=gnu++20 -O0 -g $(host-sanitize) $(host-warnings) \
		   $(filter-out %/freestanding,$(host-include))

host-name = $(host-build)/$(subst /,-,$(patsubst $(module-top)/module/%.cpp,%.o,$(1)))
host-policy-objects := $(foreach file,$(host-policy),$(call host-name,$(file)))
host-test-objects := $(foreach file,$(host-tests),$(call host-name,$(file)))
host-alternative-objects := $(foreach file,$(host-alternatives),$(call host-name,$(file)))
host-standard := $(call host-name,$(module-top)/module/policy/policy.cpp)

define host-rule
$(call host-name,$(1)): $(1) $(host-headers) | $(host-build)
	@echo "  CXX     $$(notdir $$@)"
	@$(HOST_CXX) $(2) -c -o $$@ $$<
endef
$(foreach file,$(host-policy) $(module-top)/module/policy/policy.cpp,$(eval $(call \
	host-rule,$(file),$(host-policy-flags))))
# Each alternative defines the one name that a module registers: here it gets its own.
$(foreach file,$(host-alternatives),$(eval $(call host-rule,$(file),$(host-policy-flags) \
	-Dtask_isolation_policy=task_isolation_policy_$(basename $(notdir $(file))))))
$(foreach file,$(host-tests),$(eval $(call host-rule,$(file),$(host-test-flags))))

$(host-build):
	@mkdir -p $@

$(host-build)/policy_test: $(host-test-objects) $(host-policy-objects) $(host-standard) \
		$(host-alternative-objects)
	@echo "  LINK    $(notdir $@)"
	@$(HOST_CXX) $(host-sanitize) -o $@ $^ -lgtest -lgtest_main -lpthread

# The corpus of list texts, what our parser answers to it, and the program that
# compares that with the kernel's own parser in a VM; it carries both files.
cpulist-programs := $(addprefix $(host-build)/,cpulist_corpus cpulist_answers)
$(cpulist-programs): $(host-build)/%: $(module-top)/module/tests/%.cpp $(host-policy-objects) \
		$(host-headers) | $(host-build)
	@echo "  LINK    $(notdir $@)"
	@$(HOST_CXX) $(host-test-flags) -o $@ $< $(host-policy-objects)

$(host-build)/cpulist.corpus: $(host-build)/cpulist_corpus
	@$< > $@
$(host-build)/cpulist.answers: $(host-build)/cpulist_answers $(host-build)/cpulist.corpus
	@$< < $(host-build)/cpulist.corpus > $@

$(host-build)/cpulist_compare: $(module-top)/module/tests/cpulist_compare.c \
		$(host-build)/cpulist.corpus $(host-build)/cpulist.answers
	@echo "  CC      $(notdir $@)"
	@$(HOST_CC) -std=gnu11 -O2 -static -Wall -Wextra -Werror \
		-DCORPUS='"$(host-build)/cpulist.corpus"' \
		-DANSWERS='"$(host-build)/cpulist.answers"' -o $@ $<

.PHONY: check-host host-tests
host-tests: $(host-build)/policy_test $(host-build)/cpulist_compare

check-host: host-tests
	@sh $(module-top)/module/tests/run-host $(host-build)/policy_test \
		$(module-top)/build/results/host.json

# ---- style ---------------------------------------------------------------------

style-sources := $(sort $(host-policy) $(module-top)/module/policy/policy.cpp \
			$(host-alternatives))
style-formatted := $(style-sources) $(wildcard $(addprefix $(module-top)/module/, lib/*.h \
			tests/*.cpp tests/*.h lib/freestanding/linux/*.h)) \
		   $(filter-out %/policy/policy.h,$(wildcard $(module-top)/module/policy/*.h))

.PHONY: check-style
check-style:
	clang-format --dry-run -Werror $(style-formatted)
	@! grep -nE 'std::|\b(virtual|throw|try|catch|dynamic_cast|typeid|double|float)\b *[ (:&{*a-z]' \
		$(style-sources) $(wildcard $(module-top)/module/lib/*.h) | grep -vE '(/\*|^[^:]*:[0-9]+:	?\s*\*|//)'
	clang-tidy --quiet $(style-sources) -- -x c++ -std=gnu++20 -fno-exceptions -fno-rtti \
		-funsigned-char $(host-include)
