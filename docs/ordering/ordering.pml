/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An interrupt that only orders memory is not sent (docs/ordering.md).
 *
 * Of the senders tlb_remove_table_sync_one() rests on it most: it unlinks a page table, waits until nobody can be
 * walking it with interrupts off, and frees it. The failure is a walk in a table that has been freed.
 *
 * One table; entries, NMIs and machine checks without limit.
 *
 * Reached:
 *  reach Sender@skips && Victim@enters: nothing is sent to a task that is on its way in
 *  reach Sender@waits && Victim@walks && Victim:table == LINKED: an interrupt awaits the end of a walk
 *  reach Sender@waits && Nmi@walks && Nmi:table == LINKED && (memory[STATE] & USER): the same, in an NMI
 *  reach freed && Victim@walks: a walk, when the table was freed
 *  reach freed && Nmi@walks: in an NMI
 *  reach freed && MachineCheck@walks && Nmi@begins: in a machine check before an NMI watches
 *
 * Found:
 *  break sender_has_no_barrier: no smp_mb() before the look at the word
 *  break sender_looks_early: the look comes before the write
 *  break sender_does_not_wait: the interrupt is not awaited
 *  break sender_ignores_watching: WATCHING may be set
 *  break entry_is_not_atomic: E is load and store
 *  break entry_reads_early: what is read after E is read before it
 *  break exit_reads_late: read after leaving
 *  break nmi_does_not_watch: it only reads
 *  break nmi_watches_not_atomically: load and store
 *
 * Superfluous here:
 *  spare sender_ignores_isolated: every entry is such a barrier
 *  spare nmi_end_is_not_atomic: x86 does not put a store before an earlier load
 *  spare leaving_is_not_atomic: the same
 */
#define WORDS		2
#define POINTER		1
#define LINKED		0
#define UNLINKED	1
#include "context-tracking.pml"

bool freed;
bool interrupt;	/* pending on the victim */

/* Interrupts are off from one to the other. */
inline read_pointer()
{
	table = LOAD(VICTIM, POINTER)
}

inline walk()
{
	assert(table == UNLINKED || !freed);
	table = LINKED
}

active proctype Sender()
{
	byte old;

#ifdef sender_looks_early
	old = LOAD(SENDER, STATE);
	store(SENDER, POINTER, UNLINKED);
	smp_mb(SENDER);
#else
	store(SENDER, POINTER, UNLINKED);
#ifndef sender_has_no_barrier
	smp_mb(SENDER);
#endif
	old = LOAD(SENDER, STATE);
#endif
	if
	:: ISOLATED_IN_USER(old) ->
skips:
		skip
	:: else ->
		interrupt = true;
waits:
#ifdef sender_does_not_wait
		skip
#else
		!interrupt
#endif
	fi;
	freed = true
}

proctype Victim() provided (running == TASK)
{
	byte word, table;
	bool isolated;

	do
	:: true ->
#ifndef entry_reads_early
		read_pointer();
#endif
walks:
		walk();
		/* Interrupts come on, here and there. */
		if
		:: interrupt -> interrupt = false
		:: true
		fi;
		/* The exit loop, interrupts off. The readiness test passes or fails. */
		if
		:: become_isolated()
		:: true
		fi;
		leave();
#ifdef exit_reads_late
		read_pointer();
		walk();
#endif
enters:
		skip;
#ifdef entry_reads_early
		read_pointer();
#endif
		enter();
		isolated = false
	od
}

proctype Nmi() provided (running <= NMI)
{
	byte below, word, table;
	bool watches;

	do
	:: interrupts(NMI);
begins:
		watch();
		read_pointer();
walks:
		walk();
		stop_watching();
		returns()
	od
}

proctype MachineCheck() provided (running <= MACHINE_CHECK)
{
	byte below, word, table;
	bool watches;

	do
	:: interrupts(MACHINE_CHECK);
		watch();
		read_pointer();
walks:
		walk();
		stop_watching();
		returns()
	od
}

init {
	memory[STATE] = WATCHING;
	atomic { run Victim(); run Nmi(); run MachineCheck() }
}
