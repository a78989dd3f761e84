/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task that is isolated on some CPU while something is measured on another.
 *
 * Persistent: the modules were loaded a moment ago, and what that leaves to
 * clean up interrupts every CPU a while later.
 */
#ifndef BENCH_ISOLATED_H
#define BENCH_ISOLATED_H

#include <stdint.h>
#include <sys/types.h>

struct isolated {
	pid_t pid;			/* its parent writes it */
	volatile uint64_t rounds;	/* grow as long as it lives */
	volatile int stop;
	volatile int call;		/* make a system call, once */
	volatile int flags;		/* at its end */
};

/* Returns when the task is isolated; ends the program when it cannot be. */
struct isolated *start_isolated(int cpu);
/* The same task, which is not isolated. */
struct isolated *start_busy(int cpu);
/* Ends the task, and the program when it was not isolated to the end. */
void stop_isolated(struct isolated *isolated);
void stop_busy(struct isolated *busy);
/* The caller itself; both end the program when it is not, with what the kernel says of it. */
void isolate_persistent(void);
void isolated_still(void);

#endif /* BENCH_ISOLATED_H */
