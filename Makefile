# SPDX-License-Identifier: GPL-2.0
# The commands of the project. Each calls the script or makefile of the folder that owns it.
#
# KERNEL and ARCH choose the test kernel of the VM commands; KDIR the kernel that modules are built against.

KERNEL ?= 6.12
ARCH   ?= x86_64
# For our scripts only: kbuild has an ARCH of its own.
unexport ARCH KERNEL

.DEFAULT_GOAL := help
.PHONY: demo check check-host check-taskiso check-tools check-vm check-mutants check-install check-long check-style
.PHONY: check-scripts check-ordering check-regress check-stress check-all bench bench-growth oracle taskiso clean help

help:
	@echo 'make demo            see it work: one program without isolation, with nohz_full, with task isolation'
	@echo 'make check           all tests: on the host, then in the VM'
	@echo 'make check-host      tests that need no VM'
	@echo 'make check-vm        selftests in the VM; KERNEL=$(KERNEL) ARCH=$(ARCH)'
	@echo 'make check-mutants   every deliberate breakage must be found'
	@echo 'make check-install   DKMS: add, build, install, remove'
	@echo 'make check-regress   the kernel'\''s own selftests: on the unpatched kernel and on ours the same'
	@echo 'make check-stress    text patching while CPUs enter, also on the debug kernel'
	@echo 'make check-long      the same; modules loaded 200 times; long counts; 10 minutes among all noise'
	@echo 'make check-style     shell, C and C++ style, licence lines'
	@echo 'make check-all       all of these'
	@echo 'make oracle          an outsider who knows nothing of us counts what reaches a CPU, beside our counters'
	@echo 'make bench           cost of calls, faults, switches, forks, wakeups and entering, in guest instructions'
	@echo 'make bench-growth    the same with 1 to 64 task-isolation CPUs'
	@echo 'make module          both modules, against KDIR=$(KDIR)'
	@echo 'make install         install the modules'
	@echo 'make taskiso         the command line tool'
	@echo 'make clean           remove build/ (kernels stay in the cache, see vm/build-kernel)'

# module, install, and the parts of check-host and check-style that concern the modules
include module/module.mk

demo:
	vm/install-packages
	bench/demo/run

check:
	vm/check

check-host: check-taskiso check-tools check-ordering

check-taskiso:
	$(MAKE) -C userspace check

check-tools:
	vm/tests/run
	@mkdir -p build/results
	vm/config-difference >build/results/config-difference

check-ordering:
	docs/ordering/run

check-vm:
	vm/check vm --kernel $(KERNEL) --arch $(ARCH)

check-mutants:
	selftests/run-mutants --kernel $(KERNEL) --arch $(ARCH)

check-install:
	vm/check-install --kernel $(KERNEL) --arch $(ARCH)

check-regress:
	selftests/regress/run --kernel $(KERNEL) --arch $(ARCH)

check-stress:
	selftests/stress/run --kernel $(KERNEL) --arch $(ARCH)
	selftests/stress/run --kernel $(KERNEL) --arch $(ARCH) --debug-kernel

check-long: check-stress
	selftests/run-in-vm --kernel $(KERNEL) --arch $(ARCH) --append task_isolation_rounds=200 --only restore
	selftests/run-in-vm --kernel $(KERNEL) --arch $(ARCH) --append task_isolation_rounds=10 --only completeness
	selftests/run-in-vm --kernel $(KERNEL) --arch $(ARCH) --append task_isolation_rounds=25000 --only in_flight
	selftests/run-in-vm --kernel $(KERNEL) --arch $(ARCH) --append task_isolation_rounds=60 --only hostile
	selftests/run-in-vm --kernel $(KERNEL) --arch $(ARCH) --append task_isolation_rounds=30 --only reports
	bench/oracle/run
	bench/noise/run --mix 60 --starts 10
	bench/noise/run --mix 600

check-style: check-scripts

check-scripts:
	vm/install-packages --for check-style
	vm/check-scripts

check-all: check check-install check-style check-mutants check-regress check-long

bench:
	bench/run --kernel $(KERNEL) --arch $(ARCH)

oracle:
	bench/oracle/run

bench-growth:
	bench/growth/run --kernel $(KERNEL) --arch $(ARCH)

taskiso:
	$(MAKE) -C userspace

clean:
	rm -rf build
