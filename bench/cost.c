// SPDX-License-Identifier: GPL-2.0
/*
 * What a task that does something ordinary pays for it on one CPU, in guest
 * instructions: getppid(), a minor fault, a signal round trip, a context switch,
 * fork, exit, waking a sleeper.
 *
 * usage: cost CPU sleeper=CPU [isolate=OTHER]
 *        cost CPU persistent
 *        cost CPU interrupt=OTHER
 *
 * Each figure is the smallest of many repeats (measure.h). With isolate=OTHER a
 * second task is isolated on that CPU meanwhile, and is shown to be so before
 * and after. persistent: the task itself is isolated, and getppid() and the
 * fault are measured. interrupt: waking a task onto that CPU, where something runs, and
 * where something is isolated.
 *
 * Prints one JSON object: {"getppid":X,"fault":X,...}.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cost.h"
#include "isolated.h"
#include "measure.h"

#define REPEATS	40
#define CALLS	100
#define PAGES	256

static uint64_t getppid_once(void)
{
	uint64_t start = counter();
	long result;

	for (int i = 0; i < CALLS; i++)
		__asm__ volatile("syscall" : "=a"(result)
				 : "0"(SYS_getppid) : "rcx", "r11", "memory");
	return counter() - start;
}

/* Read faults on one page table: each maps the zero page. */
static char *pages;

static void map_pages(void)
{
	char *area = mmap(NULL, 4UL << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED)
		die("no memory");
	pages = (char *)(((uintptr_t)area + (2UL << 20) - 1) & ~((2UL << 20) - 1));
	if (madvise(pages, 2UL << 20, MADV_NOHUGEPAGE))
		die("no small pages");
	if (madvise(pages, 2UL << 20, MADV_DONTFORK))
		die("no pages of one's own");
	/* Keeps the page table in place while the others come and go. */
	pages[(PAGES + 8) * PAGE] = 1;
}

static uint64_t fault_once(void)
{
	uint64_t start;

	if (madvise(pages, PAGES * PAGE, MADV_DONTNEED))
		die("cannot unmap");
	start = counter();
	for (int i = 0; i < PAGES; i++)
		(void)*(volatile char *)(pages + i * PAGE);
	return counter() - start;
}

static void on_signal(int sig)
{
	(void)sig;
}

static uint64_t signal_once(void)
{
	pid_t pid = getpid(), tid = (pid_t)syscall(SYS_gettid);
	uint64_t start = counter();

	for (int i = 0; i < CALLS; i++)
		syscall(SYS_tgkill, pid, tid, SIGUSR1);
	return counter() - start;
}

/* Each over many calls: what the loop adds is far below an instruction. */
static double per_call(uint64_t (*once)(void), unsigned int calls)
{
	return (double)smallest(once, REPEATS) / calls;
}

/* Addresses chosen at random would make one run map one page table more than another. */
static void fixed_addresses(char **argv)
{
	int now = personality(0xffffffff);

	if (now & ADDR_NO_RANDOMIZE)
		return;
	if (personality((unsigned long)now | ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
	die("cannot start with fixed addresses");
}

static void usage(void)
{
	fprintf(stderr, "usage: cost CPU [persistent | interrupt=OTHER | sleeper=CPU] [isolate=OTHER]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	int persistent = 0, other_cpu = -1, sleeper_cpu = -1, interrupted_cpu = -1;
	struct sigaction action = { .sa_handler = on_signal };
	double getppid_cost, fault_cost, fork_cost, exit_cost;
	struct isolated *other = NULL;

	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "persistent"))
			persistent = 1;
		else if (!strncmp(argv[i], "isolate=", 8))
			other_cpu = atoi(argv[i] + 8);
		else if (!strncmp(argv[i], "sleeper=", 8))
			sleeper_cpu = atoi(argv[i] + 8);
		else if (!strncmp(argv[i], "interrupt=", 10))
			interrupted_cpu = atoi(argv[i] + 10);
		else
			usage();
	}
	if (argc < 2 || persistent + (sleeper_cpu >= 0) + (interrupted_cpu >= 0) != 1)
		usage();
	fixed_addresses(argv);
	bind_to(atoi(argv[1]));
	if (interrupted_cpu >= 0) {
		struct interrupting cost = interrupting_cost(interrupted_cpu);

		printf("{\"busy\":%.2f,\"owner\":%.2f}\n", cost.busy, cost.owner);
		return 0;
	}
	map_pages();
	sigaction(SIGUSR1, &action, NULL);
	/* Who exits looks at each mapping (acct_collect()): there must be as many without the other task. */
	if (other_cpu >= 0)
		other = start_isolated(other_cpu);
	else
		share(sizeof(*other));
	if (persistent)
		isolate_persistent();
	getppid_cost = per_call(getppid_once, CALLS);
	fault_cost = per_call(fault_once, PAGES);
	if (persistent)
		isolated_still();
	printf("{\"getppid\":%.2f,\"fault\":%.2f", getppid_cost, fault_cost);
	/* An isolated task has no others: a signal ends isolation, and who sleeps is not isolated. */
	if (!persistent) {
		printf(",\"signal\":%.2f", per_call(signal_once, CALLS));
		printf(",\"context_switch\":%.2f", context_switch_cost());
		life_cost(&fork_cost, &exit_cost);
		printf(",\"fork\":%.2f,\"exit\":%.2f", fork_cost, exit_cost);
		printf(",\"futex_wake\":%.2f", futex_wake_cost(sleeper_cpu));
	}
	printf("}\n");
	if (other)
		stop_isolated(other);
	return 0;
}
