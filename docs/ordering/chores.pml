/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A chore is not queued on a CPU that has done it before it became quiet (docs/ordering.md).
 *
 * The CPU counts events in a difference of its own and folds it into a total that all see. Who wants the total leaves
 * out CPUs that are isolated in user space. The failure is a total that lacks what such a CPU counted.
 *
 * Three events; entries and stays without limit.
 *
 * Reached:
 *  reach Sender@skips && due == EVENTS: the CPU is left out, with all that it counted
 *  reach Sender@skips && work > due: it counts again while the total is read
 *  reach Victim@fails: an interrupt counted after the folding, and the test finds it
 *  reach Sender@looks && stores[VICTIM].used == 2: the total and ISOLATED are still in the CPU's FIFO
 *
 * Found:
 *  break sender_reads_early: the total is read before the word
 *  break sender_ignores_isolated: ISOLATED need not be set
 *  break exit_does_not_test: the folding alone
 *  break exit_folds_late: after leaving
 *  break entry_is_not_atomic: E is load and store
 *
 * Superfluous here:
 *  spare leaving_is_not_atomic: x86 keeps stores in order
 *  spare sender_ignores_watching: an NMI counts nothing of this
 */
#define WORDS	2
#define TOTAL	1
#include "context-tracking.pml"

#define EVENTS	3

byte work;	/* events so far */
byte due;	/* events before the sender looked at the word */

/* Anything that runs in the kernel counts, or does not. */
inline count()
{
	if
	:: work < EVENTS -> d_step { work++; difference++ }
	:: true
	fi
}

/* The stores wait in the FIFO, which is less than the atomics that the kernel has there. */
inline fold()
{
	word = LOAD(VICTIM, TOTAL) + difference;
	difference = 0;
	store(VICTIM, TOTAL, word);
	word = 0
}

active proctype Sender()
{
	byte old, total;

	do
	:: true ->
#ifdef sender_reads_early
		total = LOAD(SENDER, TOTAL);
#endif
looks:
		d_step { old = LOAD(SENDER, STATE); due = work };
		if
		:: ISOLATED_IN_USER(old) ->
skips:
#ifndef sender_reads_early
			total = LOAD(SENDER, TOTAL);
#endif
			assert(total >= due)
		:: else	/* The chore is queued as ever. */
		fi;
		d_step { old = 0; total = 0; due = 0 }
	od
}

active proctype Victim()
{
	byte word, difference;
	bool isolated;

	memory[STATE] = WATCHING;
	do
	::	/* The kernel, interrupts on. */
		count();
#ifndef exit_folds_late
		fold();
#endif
		count();
		/* The exit loop, interrupts off. The test passes, or the task tries again or goes late. */
		if
#if defined(exit_does_not_test) || defined(exit_folds_late)
		:: become_isolated(); leave()
#else
		:: difference == 0 -> become_isolated(); leave()
#endif
		:: leave()
		:: difference > 0 ->
fails:
			goto again
		fi;
#ifdef exit_folds_late
		fold();
#endif
		enter();
again:
		isolated = false
	od
}
