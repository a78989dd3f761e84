/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What arrived on a CPU, by class: the readings that bench/demo and bench/noise
 * share, so that both mean the same by a word.
 *
 * Purpose: a reading is taken from outside, on another CPU; the difference of
 * two says what happened between them. bench/demo/README.md says what each
 * class is read from.
 *
 * Context: plain files of /proc and /sys; nothing of it reaches the CPU that is
 * read about. Errors are returned, with errno; the caller decides what they mean.
 */
#ifndef BENCH_READINGS_H
#define BENCH_READINGS_H

#include <stddef.h>
#include <sys/types.h>

enum cause {
	TICK_AND_TIMER,
	RESCHEDULE,
	IPI,
	TLB_FLUSH,
	IRQ_WORK,
	NMI,
	DEVICE,
	PREEMPTION,
	FAULT,
	OTHER,
	CAUSES,
};

/* The kernel's own counters of a task-isolation CPU. */
enum counter { OWN, FOREIGN, ABSORBED, LATE, COUNTERS };

struct reading {
	unsigned long long cause[CAUSES];
	unsigned long long counter[COUNTERS];
};

/* -1 when one of the files cannot be read. Without isolated the counters are 0. */
int take_reading(int cpu, pid_t pid, int isolated, struct reading *reading);
struct reading difference(const struct reading *first, const struct reading *last);
/* All classes together. */
unsigned long long entries(const struct reading *delta);
/* The members "entries" and "by_cause", with isolated also "counters", of a JSON object. */
void print_reading(const struct reading *delta, int isolated);

/* A file of cpuN/task_isolation, without its newline. Length or -1, as read_text(). */
ssize_t read_isolation(int cpu, const char *name, char *text, size_t size);
int is_isolated(int cpu);

/* Length, or -1; text is empty then. */
ssize_t read_text(const char *path, char *text, size_t size);
/* A JSON string, in ASCII. */
void print_json(const char *text);

#endif /* BENCH_READINGS_H */
