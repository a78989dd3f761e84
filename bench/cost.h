/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The costs that take more than a loop, a file each; in guest instructions. All
 * run on the CPU that the caller is bound to.
 */
#ifndef BENCH_COST_H
#define BENCH_COST_H

/* handover.c: one switch */
double context_switch_cost(void);
/* life.c */
void life_cost(double *fork, double *exit);
/* wake.c: the sender's part */
double futex_wake_cost(int sleeper_cpu);
/* The same onto a CPU where something runs: a sleeper of a higher class. */
struct interrupting {
	double busy;		/* an ordinary task */
	double owner;		/* one that is isolated: the sender leaves a note */
};
struct interrupting interrupting_cost(int cpu);

#endif /* BENCH_COST_H */
