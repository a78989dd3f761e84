// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs a sender to wake a sleeper on another CPU: one futex call, from
 * call to return, of the sender's own instructions. The other CPU is idle; it
 * does its part when the sender has done its.
 */
#include <linux/futex.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cost.h"
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

double futex_wake_cost(int sleeper_cpu)
{
	uint64_t cost;
	pid_t sleeper;

	shared = share(PAGE);
	sleeper = fork();
	if (sleeper < 0)
		die("fork");
	if (!sleeper) {
		bind_to(sleeper_cpu);
		for (;;) {
			shared->seen = shared->word;
			futex(FUTEX_WAIT, shared->seen);
		}
	}
	cost = smallest(wake_once, REPEATS);
	kill(sleeper, SIGKILL);
	waitpid(sleeper, NULL, 0);
	return cost;
}
