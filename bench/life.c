// SPDX-License-Identifier: GPL-2.0
/*
 * What the life of a process costs its parent: fork, from call to return; exit,
 * from the child's last instruction until its parent has it, one context switch
 * and the wait in it.
 *
 * Both are SCHED_FIFO with one priority and on one CPU: the child runs when the
 * parent waits, and the parent when the child is gone. What one of many lives
 * has more than the smallest is an interrupt, or an allocator or RCU that fetched
 * or gave back more than one thing at a time.
 */
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"
#include "measure.h"

#define REPEATS	1500

static struct {
	uint64_t fork;
	uint64_t exit;
} cost;

static volatile uint64_t *child_ends;

static uint64_t live_once(void)
{
	uint64_t start, forked, gone;
	long child;

	*child_ends = 0;
	start = counter();
	/* As fork() does, without what the library does around it. */
	child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!child) {
		*child_ends = counter();
		syscall(SYS_exit_group, 0);
	}
	forked = counter();
	if (child < 0)
		die("fork");
	if (syscall(SYS_wait4, child, NULL, 0, NULL) != child)
		die("wait");
	gone = counter();
	if (*child_ends < forked)
		return NOTHING;		/* it did not wait for its parent */
	if (forked - start < cost.fork)
		cost.fork = forked - start;
	if (gone - *child_ends < cost.exit)
		cost.exit = gone - *child_ends;
	return gone - start;
}

void life_cost(double *fork, double *exit)
{
	child_ends = share(PAGE);
	cost.fork = cost.exit = NOTHING;
	real_time(1);
	smallest(live_once, REPEATS);
	real_time(0);
	*fork = cost.fork;
	*exit = cost.exit;
}
