/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ISOLATED is written by load and store, and goes with the entry (docs/ordering.md, "ISOLATED and the entry").
 *
 * The failures: a crossing that the word does not count any more because the store undid it; an NMI or another CPU that
 * sees ISOLATED in a CPU that has entered the kernel; an NMI that does not know any more whether it made RCU watch. The
 * counter is cut to two bits: enough to see that one crossing was lost, or the two of an NMI.
 *
 * Entries, NMIs and machine checks without limit.
 *
 * Reached:
 *  reach Nmi@looks && Victim@ored: an NMI comes between the load and the store of ISOLATED
 *  reach Nmi@looks && exits && (memory[STATE] & ISOLATED) && !(memory[STATE] & USER): ISOLATED, not left yet
 *  reach Nmi@looks && exits && (stores[VICTIM].used > 0): the same, and no other CPU sees it yet
 *  reach Nmi@looks && Victim@enters && (memory[STATE] & ISOLATED): an NMI before E
 *  reach MachineCheck@looks && Nmi@looks: a machine check in an NMI
 *
 * Found:
 *  break exit_isolates_late: ISOLATED is written after leaving
 *  break entry_is_not_atomic: E is load and store
 *  break entry_takes_two_steps: USER is taken away first
 *  break nmi_watches_not_atomically: load and store
 *  break nmi_forgets_that_it_watches: it counts itself as one that found RCU watching
 *
 * Superfluous here:
 *  spare leaving_is_not_atomic: nobody else changes the word then
 *  spare nmi_end_is_not_atomic: nobody else changes the word then
 */
#define WORDS	1
#define COUNTER	48
#define CROSSED	count_crossing()
#define NONIDLE	8

#include "context-tracking.pml"

byte crossings;
byte nesting = NONIDLE;	/* nmi_nesting */
bool exits;	/* ISOLATED may be there without USER */

inline count_crossing()
{
	crossings = (crossings + 1) & (COUNTER / WATCHING);
	assert((LOAD(VICTIM, STATE) & COUNTER) == crossings * WATCHING)
}

/*
 * How ct_nmi_exit() knows whether this NMI made RCU watch. A machine check between the load and the store leaves the
 * nesting as it was.
 */
inline nest()
{
#ifdef nmi_forgets_that_it_watches
	by = 2 + nesting;
#else
	by = (watches -> 1 : 2) + nesting;
#endif
	d_step { nesting = by; by = 0 }
}

inline unnest()
{
	assert((nesting == 1) == watches);
	nesting = (nesting == 1 -> 0 : nesting - 2)
}

/* As an NMI sees it. */
inline isolated_rightly()
{
	assert(!(LOAD(VICTIM, STATE) & ISOLATED) || (LOAD(VICTIM, STATE) & USER) || exits)
}

/* Another CPU, which sees memory only: not what the CPU itself has done with already. */
proctype Observer()
{
	do
	:: assert(!(memory[STATE] & ISOLATED) || (LOAD(VICTIM, STATE) & ISOLATED))
	od
}

proctype Victim() provided (running == TASK)
{
	byte word;
	bool isolated;

	do
	::	nesting = 0;
		if
		:: true ->
#ifdef exit_isolates_late
			leave();
			become_isolated();
#else
			exits = true;
			become_isolated();
			leave();
			exits = false;
#endif
		:: leave()
		fi;
enters:
		enter();
		isolated = false;
		nesting = NONIDLE
	od
}

proctype Nmi() provided (running <= NMI)
{
	byte below, by, word;
	bool watches;

	do
	:: interrupts(NMI);
		watch();
		nest();
looks:
		isolated_rightly();
		unnest();
		stop_watching();
		returns()
	od
}

proctype MachineCheck() provided (running <= MACHINE_CHECK)
{
	byte below, by, word;
	bool watches;

	do
	:: interrupts(MACHINE_CHECK);
		watch();
		nest();
looks:
		isolated_rightly();
		unnest();
		stop_watching();
		returns()
	od
}

init {
	d_step { memory[STATE] = WATCHING; crossings = 1 };
	atomic { run Observer(); run Victim(); run Nmi(); run MachineCheck() }
}
