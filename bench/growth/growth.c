// SPDX-License-Identifier: GPL-2.0
/*
 * What the number of task-isolation CPUs costs: CPUs 1 to N are on the list, CPU 0
 * is the only housekeeping CPU.
 *
 * usage: growth N
 *
 * Prints one JSON object of guest instructions, each the smallest of many repeats:
 *   list_write     the list written as it is
 *   list_change    the list without its last CPU, and with it again: one of both
 *   futex_wake     CPU 0 wakes a sleeper on CPU 1; a task is isolated on each other
 *   getppid        of a persistent task on CPU 1, beside the same
 *   text_patching  CPU 0 switches a static key; a task is isolated on each CPU
 * A change of the list asks the CPU itself, and waits for it: there the figure holds what
 * both execute. The others are the caller's own instructions.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cost.h"
#include "../isolated.h"
#include "../measure.h"

#define REPEATS	40
#define CALLS	100
#define LIST	"/sys/devices/system/cpu/task_isolation"
#define KEY	"/proc/sys/kernel/sched_schedstats"

/* ---- the list ------------------------------------------------------------------ */

static int list_fd;
static char whole[16], without_last[16];

static uint64_t write_list(const char *list)
{
	size_t length = strlen(list);
	uint64_t start = counter();

	if (pwrite(list_fd, list, length, 0) != (ssize_t)length)
		die("cannot write " LIST);
	return counter() - start;
}

static uint64_t write_same(void)
{
	return write_list(whole);
}

static uint64_t write_change(void)
{
	return (write_list(without_last) + write_list(whole)) / 2;
}

/* ---- senders --------------------------------------------------------------------- */

static int key_fd;

/* On and off: both patch the same places. */
static uint64_t switch_key(void)
{
	static int on;
	uint64_t start;

	on = !on;
	start = counter();
	if (pwrite(key_fd, on ? "1" : "0", 1, 0) != 1)
		die("cannot write " KEY);
	return counter() - start;
}

/* ---- who returns to user space ----------------------------------------------------- */

static uint64_t getppid_once(void)
{
	uint64_t start = counter();

	for (int i = 0; i < CALLS; i++)
		syscall(SYS_getppid);
	return counter() - start;
}

static double getppid_cost(void)
{
	volatile uint64_t *cost = share(PAGE);
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (!child) {
		bind_to(1);
		if (mlockall(MCL_CURRENT | MCL_FUTURE))
			die("mlockall");
		isolate_persistent();
		*cost = smallest(getppid_once, REPEATS);
		isolated_still();
		_exit(0);
	}
	if (waitpid(child, NULL, 0) != child || !*cost)
		die("the isolated task on CPU 1 failed");
	return (double)*cost / CALLS;
}

int main(int argc, char **argv)
{
	int count = argc == 2 ? atoi(argv[1]) : 0;
	struct isolated **isolated = calloc((size_t)count + 1, sizeof(*isolated));
	double list_write, list_change, futex_wake, getppid;
	uint64_t text_patching;

	if (count < 1 || !isolated) {
		fprintf(stderr, "usage: growth N\n");
		return 2;
	}
	list_fd = open(LIST, O_WRONLY | O_CLOEXEC);
	key_fd = open(KEY, O_WRONLY | O_CLOEXEC);
	if (list_fd < 0 || key_fd < 0)
		die("cannot open " LIST " or " KEY);
	/* A CPU alone is taken away by an empty list. */
	snprintf(whole, sizeof(whole), "1-%d\n", count);
	if (count > 1)
		snprintf(without_last, sizeof(without_last), "1-%d\n", count - 1);
	else
		strcpy(without_last, "\n");
	bind_to(0);
	list_write = smallest(write_same, REPEATS);
	list_change = smallest(write_change, REPEATS);
	for (int cpu = 2; cpu <= count; cpu++)
		isolated[cpu] = start_isolated(cpu);
	futex_wake = futex_wake_cost(1);
	getppid = getppid_cost();
	isolated[1] = start_isolated(1);
	text_patching = smallest(switch_key, REPEATS);
	for (int cpu = 1; cpu <= count; cpu++)
		stop_isolated(isolated[cpu]);
	printf("{\"cpus\":%d,\"list_write\":%.0f,\"list_change\":%.0f,\"futex_wake\":%.0f,"
	       "\"getppid\":%.2f,\"text_patching\":%llu}\n", count, list_write, list_change,
	       futex_wake, getppid, (unsigned long long)text_patching);
	return 0;
}
