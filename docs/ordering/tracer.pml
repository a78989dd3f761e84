/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tracer, and a task that enters: one of both sees the other (docs/ordering.md).
 *
 * Each writes a word of its own and reads the other's: store buffering. The failure is that both read the old value.
 * Who changes the affinity writes the mask where the tracer writes ptrace; the task reads it in the readiness test.
 *
 * Reached:
 *  reach Tracer@done && Task@done && looks && !finds: only the tracer sees the other
 *  reach Tracer@done && Task@done && !looks && finds: only the task does
 *  reach Tracer@done && Task@done && looks && finds: both do
 *  reach Tracer@asks && stores[SENDER].used > 0: the task cannot see ptrace yet, and the tracer asks next
 *
 * Found:
 *  break tracer_has_no_barrier: between ptrace and the flag
 *  break task_has_no_barrier: between the flag and ptrace
 *  break tracer_looks_early: the flag is read before ptrace is written
 *  break task_looks_early: ptrace is read before the flag is written
 *  break mover_has_no_barrier: task_isolation_moved(), between the mask and the flag
 *
 * Superfluous here:
 *  spare task_sets_by_a_locked_instruction: and has no barrier: set_bit() of x86
 */
#define WORDS	2
#define PTRACE	0
#define FLAG	1
#include "x86-tso.pml"

bool looks;	/* the tracer made the task look up */
bool finds;	/* the task found its tracer by itself */
bool one_done;

/* Whoever is last. */
inline compare()
{
	d_step { assert(!one_done || looks || finds); one_done = true }
}

/* ptrace_link() */
active proctype Tracer()
{
#ifdef tracer_looks_early
	looks = LOAD(SENDER, FLAG);
	store(SENDER, PTRACE, 1);
	smp_mb(SENDER);
#else
	store(SENDER, PTRACE, 1);
asks:
#if !defined(tracer_has_no_barrier) && !defined(mover_has_no_barrier)
	smp_mb(SENDER);
#endif
	looks = LOAD(SENDER, FLAG);
#endif
	compare();
done:
	true
}

/* task_isolation_attach() */
active proctype Task()
{
#ifdef task_looks_early
	finds = LOAD(VICTIM, PTRACE);
	store(VICTIM, FLAG, 1);
	smp_mb(VICTIM);
#else
#ifdef task_sets_by_a_locked_instruction
	d_step { EMPTY(VICTIM) -> memory[FLAG] = 1 };
#else
	store(VICTIM, FLAG, 1);
#ifndef task_has_no_barrier
	smp_mb(VICTIM);
#endif
#endif
	finds = LOAD(VICTIM, PTRACE);
#endif
	compare();
done:
	true
}
