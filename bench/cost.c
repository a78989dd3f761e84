// SPDX-License-Identifier: GPL-2.0
/*
 * What a getppid(), a minor fault and a signal round trip cost on one CPU, in
 * guest instructions.
 *
 * usage: cost CPU [persistent] [isolate=OTHER]
 *
 * Runs under -icount, where the time stamp counter moves by one per
 * instruction. Each figure is the smallest of many repeats, each over many
 * calls: whatever a repeat has more than the smallest, an interrupt put there.
 * With isolate=OTHER a second task is isolated on that CPU meanwhile, and is
 * shown to be so before and after.
 *
 * Prints one JSON object: {"getppid":X,"fault":X,"signal":X,"repeats":N}.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/task_isolation.h>

#define REPEATS	40
#define CALLS	100
#define PAGES	256
#define PAGE	4096UL

static uint64_t counter(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void die(const char *what)
{
	fprintf(stderr, "cost: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot run on that CPU");
}

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

static double smallest(uint64_t (*once)(void), unsigned int calls)
{
	uint64_t best = UINT64_MAX;

	for (int i = 0; i < REPEATS; i++) {
		uint64_t cost = once();

		if (cost < best)
			best = cost;
	}
	return (double)best / calls;
}

/*
 * A task that is isolated on @cpu until it is told to stop. Persistent: the
 * modules were loaded a moment ago, and what that leaves to clean up interrupts
 * every CPU a while later.
 */
#define ISOLATED (PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)

struct other {
	volatile uint64_t rounds;
	volatile int stop;
	volatile int flags;
};

static struct other *other;

static pid_t start_other(int cpu)
{
	pid_t child;

	other = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (other == MAP_FAILED)
		die("no memory");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child) {
		bind_to(cpu);
		if (mlockall(MCL_CURRENT | MCL_FUTURE))
			die("mlockall");
		if (prctl(PR_SET_TASK_ISOLATION, ISOLATED)) {
			struct task_isolation_info info = { 0 };

			prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
			fprintf(stderr, "cost: the other task cannot enter: %s\n", info.refusal);
			_exit(1);
		}
		while (!other->stop) {
			other->rounds++;
			__asm__ volatile("pause");
		}
		other->flags = prctl(PR_GET_TASK_ISOLATION);
		_exit(0);
	}
	while (!other->rounds) {
		if (waitpid(child, NULL, WNOHANG) == child) {
			fprintf(stderr, "cost: the other task did not become isolated\n");
			exit(1);
		}
		sched_yield();
	}
	return child;
}

static void stop_other(pid_t child)
{
	uint64_t rounds = other->rounds;

	while (other->rounds == rounds)
		sched_yield();
	other->stop = 1;
	waitpid(child, NULL, 0);
	if (other->flags != ISOLATED) {
		fprintf(stderr, "cost: the other task was not isolated to the end\n");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int persistent = 0, other_cpu = -1;
	struct sigaction action = { .sa_handler = on_signal };
	double getppid_cost, fault_cost, signal_cost;
	struct task_isolation_info info;
	pid_t child = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: cost CPU [persistent] [isolate=OTHER]\n");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (!strcmp(argv[i], "persistent"))
			persistent = 1;
		else if (!strncmp(argv[i], "isolate=", 8))
			other_cpu = atoi(argv[i] + 8);
	}
	bind_to(atoi(argv[1]));
	map_pages();
	sigaction(SIGUSR1, &action, NULL);
	if (other_cpu >= 0)
		child = start_other(other_cpu);
	if (persistent && prctl(PR_SET_TASK_ISOLATION,
				PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)) {
		int error = errno;

		prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
		fprintf(stderr, "cost: cannot enter: %s: %s\n", strerror(error), info.refusal);
		return 1;
	}
	getppid_cost = smallest(getppid_once, CALLS);
	fault_cost = smallest(fault_once, PAGES);
	/* A delivered signal ends isolation: nothing to measure there. */
	signal_cost = persistent ? 0 : smallest(signal_once, CALLS);
	if (persistent && !prctl(PR_GET_TASK_ISOLATION)) {
		prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
		fprintf(stderr, "cost: isolation was lost: %s\n", info.loss);
		return 1;
	}
	if (child)
		stop_other(child);
	printf("{\"getppid\":%.2f,\"fault\":%.2f,\"signal\":%.2f,\"repeats\":%d}\n",
	       getppid_cost, fault_cost, signal_cost, REPEATS);
	return 0;
}
