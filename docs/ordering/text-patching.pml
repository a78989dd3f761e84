/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Text patching without an interrupt (docs/ordering.md).
 *
 * The text is a version number. The victim runs the version that it fetched last, however old, and fetches a newer one
 * only in sync_core(); a real CPU does so at other times too, which only helps. The failure is to run text that may be
 * patched in an older version than one whose text_poke_sync() has returned.
 *
 * Three patches; entries, stays, NMIs and machine checks without limit.
 *
 * Reached:
 *  reach Victim@in_user && fetched < finished: old text, in user space
 *  reach Victim@synchronises && fetched < finished: the entry finds the bit, its text is old
 *  reach Victim@synchronises && finished == fetched + 2: two patches were left in one stay
 *  reach Victim@synchronises && fetched > 0 && fetched < finished: again, after an earlier synchronisation
 *  reach Victim@enters && Sender@exchanged: the exchange hits a task that is on its way in
 *  reach Sender@exchange_failed && Victim@looks: the exchange comes after E
 *  reach Sender@exchange_failed && ISOLATED_IN_USER(Sender:old): an exchange fails and is made again
 *  reach Sender@waits && Nmi@handles && (memory[STATE] & ISOLATED): an interrupt, because of an NMI in user space
 *  reach Sender@asks && (stores[VICTIM].used > 0): the sender asks while ISOLATED waits in the victim's FIFO
 *  reach Nmi@nmi_synchronises && Victim@in_user && fetched < finished: an NMI in user space, old text
 *  reach Nmi@nmi_synchronises && Victim@synchronises && fetched < finished: an NMI between E and sync_core(), old text
 *  reach Nmi@nmi_synchronises && Victim@clears: an NMI between sync_core() and the clearing
 *  reach MachineCheck@nmi_synchronises && Nmi@begins && fetched < finished: a machine check before an NMI watches
 *  reach MachineCheck@nmi_synchronises && Nmi@looks && fetched < finished: a machine check in an NMI that watches
 *
 * Found:
 *  break sender_patches_late: the text is written after the exchange
 *  break sender_leaves_nothing: no bit is left
 *  break sender_does_not_exchange: load and store
 *  break sender_trusts_the_bit: no exchange where the bit is set already
 *  break sender_exchange_is_no_barrier: the exchange overtakes the write of the text
 *  break sender_does_not_retry: a failed exchange counts as done
 *  break sender_does_not_wait: the interrupt is not awaited
 *  break sender_ignores_watching: WATCHING may be set
 *  break sender_ignores_isolated: ISOLATED need not be set
 *  break entry_does_not_synchronise: the bit is cleared, no more
 *  break entry_clears_first: cleared, then synchronised
 *  break entry_looks_early: the bit is looked at before E
 *  break entry_runs_early: patchable text between E and sync_core()
 *  break entry_is_not_atomic: E is load and store
 *  break exit_runs_late: patchable text after leaving
 *  break nmi_does_not_watch: it only looks
 *  break nmi_looks_early: the bit is looked at before it watches
 *  break nmi_does_not_synchronise: it only watches
 *  break nmi_looks_only_when_it_watches: no look where RCU watched already
 *  break nmi_watches_not_atomically: load and store
 *  break nmi_clears_first: cleared, then synchronised
 *  break nmi_runs_late: patchable text after it stopped watching
 *  break machine_check_does_nothing: only NMIs watch and look
 *
 * Superfluous here:
 *  spare entry_clears_not_atomically: nobody else writes the word then
 *  spare nmi_clears: after synchronising
 *  spare nmi_end_is_not_atomic: nobody else writes the word then
 *  spare leaving_is_not_atomic: x86 keeps stores in order
 */
#define WORDS	2
#define TEXT	1
#include "context-tracking.pml"

#define PATCHES	3

byte fetched;	/* version that the victim runs */
byte finished;	/* text_poke_sync() has returned for it */
bool interrupt;	/* pending on the victim */

/* First and last instruction; anything may happen in between. */
inline run_patchable()
{
	assert(fetched >= finished);
	assert(fetched >= finished)
}

inline sync_core()
{
	d_step { EMPTY(VICTIM) -> fetched = memory[TEXT] }
}

inline clear_bit()
{
	d_step { EMPTY(VICTIM) -> memory[STATE] = memory[STATE] & ~SYNC }
}

/* text_poke_sync() and must_sync_now(). Sending an interrupt is a full barrier: it is queued by an atomic. */
inline text_poke_sync()
{
	old = LOAD(SENDER, STATE);
	do
	:: !ISOLATED_IN_USER(old) ->
		smp_mb(SENDER);
		interrupt = true;
waits:
#ifndef sender_does_not_wait
		!interrupt;
#endif
		break
#ifdef sender_leaves_nothing
	:: else -> break
#elif defined(sender_does_not_exchange)
	:: else -> store(SENDER, STATE, old | SYNC); break
#else
#ifdef sender_trusts_the_bit
	:: ISOLATED_IN_USER(old) && (old & SYNC) -> break
	:: ISOLATED_IN_USER(old) && !(old & SYNC) ->
#else
	:: else ->
#endif
#ifndef sender_exchange_is_no_barrier
		smp_mb(SENDER);
#endif
		d_step {
			equal = memory[STATE] == old;
			old = memory[STATE];
			memory[STATE] = (equal -> old | SYNC : old)
		};
		if
		:: equal -> break
		:: else ->
exchange_failed:
#ifdef sender_does_not_retry
			break
#else
			skip
#endif
		fi
#endif
	od;
exchanged:
	skip
}

active proctype Sender()
{
	byte old, patch;
	bool equal;

	do
	:: patch < PATCHES ->
		patch++;
#ifdef sender_patches_late
		text_poke_sync();
		store(SENDER, TEXT, patch);
#else
		store(SENDER, TEXT, patch);
asks:
		text_poke_sync();
#endif
		finished = patch;
		d_step { old = 0; equal = false }
	:: else -> break
	od
}

/* Right after the atomic of the entry. */
inline task_isolation_sync()
{
#ifdef entry_runs_early
	run_patchable();
#endif
	if
	:: !(LOAD(VICTIM, STATE) & SYNC)
	:: else ->
#ifdef entry_clears_first
		clear_bit();
#endif
synchronises:
#ifndef entry_does_not_synchronise
		sync_core();
#endif
clears:
#ifdef entry_clears_not_atomically
		word = LOAD(VICTIM, STATE);
		store(VICTIM, STATE, word & ~SYNC);
		word = 0
#else
		clear_bit()
#endif
	fi
}

proctype Victim() provided (running == TASK)
{
	byte word;
	bool isolated, was_set;

	do
	::	/* The kernel. Interrupts come on, here and there. */
		run_patchable();
		if
		:: interrupt -> sync_core(); interrupt = false; run_patchable()
		:: true
		fi;
		/* The exit loop, interrupts off. The readiness test passes or fails. */
		if
		:: become_isolated()
		:: true
		fi;
		run_patchable();
		leave();
#ifdef exit_runs_late
		run_patchable();
#endif
in_user:
		skip;
enters:
#ifdef entry_looks_early
		was_set = (LOAD(VICTIM, STATE) & SYNC) != 0;
		enter();
		if
		:: isolated && was_set -> sync_core(); clear_bit()
		:: else
		fi;
		was_set = false;
#else
		enter();
		if
		:: isolated ->
looks:
			task_isolation_sync()
		:: else
		fi;
#endif
		isolated = false
	od
}

/* irqentry_nmi_enter(): nothing that may be patched comes before this has ended. */
inline nmi_enter()
{
#ifdef nmi_looks_early
	was_set = (LOAD(VICTIM, STATE) & SYNC) != 0;
	watch();
	if
	:: was_set ->
#elif defined(nmi_looks_only_when_it_watches)
	watch();
	if
	:: watches && (LOAD(VICTIM, STATE) & SYNC) ->
#else
	watch();
looks:
	if
	:: LOAD(VICTIM, STATE) & SYNC ->
#endif
#ifdef nmi_clears_first
		clear_bit();
#endif
nmi_synchronises:
#ifdef nmi_does_not_synchronise
		skip
#else
		sync_core()
#endif
#ifdef nmi_clears
		; clear_bit()
#endif
	:: else
	fi;
	was_set = false
}

/* irqentry_nmi_exit() */
inline nmi_exit()
{
	stop_watching();
#ifdef nmi_runs_late
	run_patchable()
#endif
}

proctype Nmi() provided (running <= NMI)
{
	byte below, word;
	bool watches, was_set;

	do
	:: interrupts(NMI);
begins:
		nmi_enter();
handles:
		run_patchable();
		nmi_exit();
		returns()
	od
}

proctype MachineCheck() provided (running <= MACHINE_CHECK)
{
	byte below, word;
	bool watches, was_set;

	do
	:: interrupts(MACHINE_CHECK);
#ifdef machine_check_does_nothing
		run_patchable();
#else
		nmi_enter();
		run_patchable();
		nmi_exit();
#endif
		returns()
	od
}

init {
	memory[STATE] = WATCHING;
	atomic { run Victim(); run Nmi(); run MachineCheck() }
}
