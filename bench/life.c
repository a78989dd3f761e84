// SPDX-License-Identifier: GPL-2.0
/*
 * What the life of a process costs: fork, from call to return; exit, from the
 * child's last instruction until another task has the CPU, with the context
 * switch in it.
 *
 * The child shares its parent's memory, as that of vfork() does. To copy memory
 * takes per-CPU memory, and what finding that costs is another at each boot.
 *
 * Both are SCHED_FIFO with one priority and on one CPU: the child runs when the
 * parent yields, and the parent when the child is gone. What one of many lives
 * has more than the cheaper ones is an interrupt, or an allocator or RCU that
 * fetched or gave back more than one thing at a time. Some have less, by a chance
 * that one boot has and another has not: the cost is that of the cheapest
 * twentieth. One boot may still have 3 more for a fork and 12 more for an exit
 * than another of the same kernel.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "cost.h"
#include "measure.h"

#define REPEATS	1500

static uint64_t forks[REPEATS], exits[REPEATS];

static volatile uint64_t child_ends;
static char stack[2 * PAGE] __attribute__((aligned(16)));

static int child_life(void *unused)
{
	(void)unused;
	child_ends = counter();
	return 0;
}

static void live_once(uint64_t *fork, uint64_t *exit)
{
	uint64_t start, forked, gone;
	pid_t child;

	child_ends = 0;
	start = counter();
	child = clone(child_life, stack + sizeof(stack), CLONE_VM, NULL);
	forked = counter();
	if (child < 0)
		die("fork");
	sched_yield();
	gone = counter();
	if (waitpid(child, NULL, __WCLONE) != child)
		die("wait");
	*fork = forked - start;
	*exit = gone - child_ends;
	/* The one did not wait for the other. */
	if (child_ends < forked || child_ends > gone)
		*fork = *exit = NOTHING;
}

static double cheapest_twentieth(uint64_t *costs)
{
	qsort(costs, REPEATS, sizeof(*costs), by_size);
	return costs[REPEATS / 20];
}

void life_cost(double *fork, double *exit)
{
	real_time(1);
	for (int i = 0; i < REPEATS; i++)
		live_once(forks + i, exits + i);
	real_time(0);
	*fork = cheapest_twentieth(forks);
	*exit = cheapest_twentieth(exits);
}
