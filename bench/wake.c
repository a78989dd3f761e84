// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs a sender to wake a sleeper on another CPU: one futex call, from
 * call to return, of the sender's own instructions. The other CPU is idle; it
 * does its part when the sender has done its.
 */
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"
#include "isolated.h"
#include "measure.h"

#define REPEATS	100

static struct {
	volatile uint32_t word;		/* the sender counts up */
	volatile uint32_t seen;		/* the sleeper follows */
} *shared;

static long futex(int operation, uint32_t value)
{
	return syscall(SYS_futex, &shared->word, operation, value, NULL, NULL, 0);
}

static uint64_t wake_once(void)
{
	uint64_t start, cost;
	long woken;

	/* Until the sleeper sleeps and its CPU is idle. */
	do
		sleep_ms(2);
	while (shared->seen != shared->word);
	shared->word++;
	start = counter();
	woken = futex(FUTEX_WAKE, 1);
	cost = counter() - start;
	return woken == 1 ? cost : NOTHING;
}

static pid_t start_sleeper(int cpu, int realtime)
{
	struct sched_param priority = { .sched_priority = 1 };
	pid_t sleeper;

	shared = share(PAGE);
	sleeper = fork();
	if (sleeper < 0)
		die("fork");
	if (!sleeper) {
		bind_to(cpu);
		if (realtime && sched_setscheduler(0, SCHED_FIFO, &priority))
			die("no real-time priority");
		for (;;) {
			shared->seen = shared->word;
			futex(FUTEX_WAIT, shared->seen);
		}
	}
	return sleeper;
}

static void end_sleeper(pid_t sleeper)
{
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
}

double futex_wake_cost(int sleeper_cpu)
{
	pid_t sleeper = start_sleeper(sleeper_cpu, 0);
	uint64_t cost = smallest(wake_once, REPEATS);

	end_sleeper(sleeper);
	return cost;
}

/* ---- onto a CPU where something runs ------------------------------------------ */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static int is_isolated(int cpu)
{
	char path[80], word[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/task_isolation/state", cpu);
	file = fopen(path, "r");
	if (!file || !fgets(word, sizeof(word), file))
		die("no state of the CPU");
	fclose(file);
	return !strcmp(word, "isolated\n");
}

/* Half of them cost no more: the least of all may have met the owner in the kernel. */
static double median_wake(int cpu, struct isolated *target, int isolate)
{
	pid_t sleeper = start_sleeper(cpu, 1);
	uint64_t costs[REPEATS];

	for (int i = 0; i < REPEATS; i++) {
		do {
			sleep_ms(2);
			target->call = isolate;
			while (target->call)
				relax();
		} while (isolate && !is_isolated(cpu));
		costs[i] = wake_once();
	}
	end_sleeper(sleeper);
	qsort(costs, REPEATS, sizeof(costs[0]), compare);
	return costs[REPEATS / 2];
}

struct interrupting interrupting_cost(int cpu)
{
	struct interrupting cost;
	struct isolated *target = start_busy(cpu);

	cost.busy = median_wake(cpu, target, 0);
	stop_busy(target);
	target = start_isolated(cpu);
	cost.owner = median_wake(cpu, target, 1);
	stop_isolated(target);
	return cost;
}
