/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What happened on a CPU between two moments, seen from another CPU with what
 * every Linux has: trace events and /proc/interrupts. Nothing here knows of task
 * isolation, so that it can judge it.
 *
 * Each entry from user space is one context_tracking:user_exit event, made by
 * the CPU itself. The events that follow it up to the next one say what kind of
 * entry it was, and which interrupts found the CPU in the kernel already.
 *
 * Context: tracefs at /sys/kernel/tracing, root. Call watch_begin() before the
 * CPU has to be left alone: buffers and events reach every CPU when they are set
 * up. Reading, starting and stopping do not.
 */
#ifndef BENCH_ORACLE_WATCH_H
#define BENCH_ORACLE_WATCH_H

#include <stdbool.h>

enum watch_kind {
	WATCH_SYSCALL,
	WATCH_PAGE_FAULT,
	WATCH_TIMER,
	WATCH_RESCHEDULE,
	WATCH_CALL,		/* function call, TLB flush included */
	WATCH_IRQ_WORK,
	WATCH_DEVICE,
	WATCH_OTHER_INTERRUPT,
	WATCH_OTHER,		/* no event names it: a trap */
	WATCH_KINDS,
};

/* A system call that limits what is counted: its number and first argument. */
struct watch_call {
	long number;
	unsigned long argument;
};

struct watch_verdict {
	/* Between the limits. */
	unsigned long entries;			/* from user space */
	unsigned long by_kind[WATCH_KINDS];	/* their sum is entries */
	unsigned long in_kernel[WATCH_KINDS];	/* interrupts that found it in the kernel */
	/* From the first to the last moment. */
	unsigned long events[WATCH_KINDS];	/* interrupts by trace event */
	unsigned long least[WATCH_KINDS];	/* by /proc/interrupts, at least */
	unsigned long most[WATCH_KINDS];	/* and at most: two readings at each end */
	unsigned long nmis;
	unsigned long dropped;			/* events that the buffer lost */
	unsigned long limits;			/* system calls seen that are a limit */
};

/* -1: watch_failure() says why. @cpu is not the CPU that calls. */
int watch_begin(int cpu);
/*
 * Counted is what comes after the first call that is @limit, up to the last one
 * and with it; without @limit everything.
 */
int watch_end(const struct watch_call *limit, struct watch_verdict *verdict);
/* Stop without a verdict, if it still goes on. */
void watch_abandon(void);
const char *watch_failure(void);

const char *watch_kind_name(enum watch_kind kind);
bool watch_kind_is_interrupt(enum watch_kind kind);
unsigned long watch_interrupts(const struct watch_verdict *verdict);
/* Nothing was dropped, and every interrupt that was counted has its event. */
bool watch_complete(const struct watch_verdict *verdict);

#endif /* BENCH_ORACLE_WATCH_H */
