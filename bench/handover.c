// SPDX-License-Identifier: GPL-2.0
/*
 * What a context switch costs: two processes of one CPU hand it to each other.
 *
 * Both are SCHED_FIFO with one priority: there a yield is always a switch to the
 * other one, and to nobody else. A repeat is there and back.
 */
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"
#include "measure.h"

#define REPEATS	2000

static volatile uint64_t *turns;	/* of the other process */

static uint64_t there_and_back(void)
{
	uint64_t before = *turns, start = counter(), cost;

	sched_yield();
	cost = counter() - start;
	return *turns == before + 1 ? cost : NOTHING;
}

double context_switch_cost(void)
{
	uint64_t cost;
	pid_t other;

	turns = share(PAGE);
	real_time(1);
	other = fork();
	if (other < 0)
		die("fork");
	if (!other) {
		for (;;) {
			++*turns;
			sched_yield();
		}
	}
	cost = smallest(there_and_back, REPEATS);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	real_time(0);
	return cost / 2.0;
}
