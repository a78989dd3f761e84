/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an entry or an NMI notes is judged once, before the task runs again (docs/ordering.md, "Entered and judged").
 *
 * An NMI does not pass the exit loop. It raises an interrupt, which the CPU takes before it runs another instruction of
 * user space, but for one that enters the kernel itself. The failures: a note that nobody judged when the task runs; a
 * judge who finds a note that nothing from isolated user space left, or misses one.
 *
 * Entries, stays, late stays, NMIs and machine checks (which note nothing here, and stand for NMIs within NMIs) without
 * limit.
 *
 * Reached:
 *  reach Victim@judges && nmi && !entered: an NMI alone is left, the call was judged before
 *  reach Victim@judges && nmi && entered: the NMI and its interrupt, together
 *  reach Victim@judges && !nmi && entered: an entry alone
 *  reach Nmi@looks && Victim@leaves && (memory[STATE] & ISOLATED): an NMI before the task has left
 *  reach Nmi@looks && Victim@enters && (memory[STATE] & ISOLATED): an NMI before E
 *  reach Nmi@raises && interrupt: two NMIs, and one interrupt
 *
 * Found:
 *  break nmi_raises_nothing: it only notes
 *  break nmi_asks_only_for_isolated: whatever it came from
 *  break nmi_asks_only_for_user_mode: isolated or not
 *  break judge_asks_only_for_entered: an NMI alone is not judged
 *  break judge_clears_late: the notes are dropped in user space
 *  break call_clears_both: a call that is judged early drops the note of an NMI
 *  break call_is_judged_twice: it leaves the note of its entry
 *  break entry_notes_nothing: only the NMI does
 *
 * Superfluous here:
 *  spare entry_notes_early: before E
 *  spare nmi_raises_first: and notes after it
 */
#define WORDS	1
#include "context-tracking.pml"

bool entered, nmi;		/* struct task_isolation */
bool interrupt;			/* raised on this CPU */
bool in_user;			/* user_mode(), for who comes now */
bool from_user;			/* the same, of the NMI that runs */
bool due_entry, due_nmi;	/* what is to be judged */

inline drop_notes()
{
	d_step { entered = false; nmi = false }
}

/* ops->entry() */
inline judge()
{
	d_step {
		assert(entered == due_entry && nmi == due_nmi);
		due_entry = false;
		due_nmi = false
	}
#ifndef judge_clears_late
	; drop_notes()
#endif
}

inline note_entry()
{
#ifndef entry_notes_nothing
	entered = true
#else
	skip
#endif
}

/* The system call work: __task_isolation_syscall(), or the count of task_isolation_syscall(). */
inline call()
{
	if
	:: entered ->
		d_step {
			assert(due_entry);
			due_entry = false;
#ifdef call_clears_both
			nmi = false;
#endif
#ifndef call_is_judged_twice
			entered = false
#endif
		}
	:: else
	fi
}

proctype Victim() provided (running == TASK)
{
	byte word;
	bool isolated, is_call;

	do
	::	/* The kernel, interrupts on. */
		if
		:: interrupt -> interrupt = false
		:: true
		fi;
		if
		:: is_call -> call()
		:: else
		fi;
		is_call = false;
		/* The exit loop. */
		if
#ifdef judge_asks_only_for_entered
		:: entered ->
#else
		:: entered || nmi ->
#endif
judges:
			judge()
		:: else
		fi;
		/* Interrupts off: isolated, or late. */
		if
		:: become_isolated()
		:: true
		fi;
leaves:
		leave();
		in_user = true;
		do
		::	/* An instruction. Who has raised an interrupt gets it first. */
			d_step { !interrupt -> assert(!due_entry && !due_nmi) }
#ifdef judge_clears_late
		:: entered || nmi -> drop_notes()
#endif
		:: break
		od;
		skip;
		d_step {
			due_entry = (LOAD(VICTIM, STATE) & ISOLATED) != 0;
			in_user = false
		};
		/* The interrupt; anything else that is no call; a call. These two also before the interrupt. */
		if
		:: interrupt -> interrupt = false
		:: true
		:: is_call = true
		fi;
enters:
		skip;
#ifdef entry_notes_early
		if
		:: LOAD(VICTIM, STATE) & ISOLATED -> note_entry()
		:: else
		fi;
		enter();
#else
		enter();
		if
		:: isolated -> note_entry()
		:: else
		fi;
#endif
		isolated = false
	od
}

proctype Nmi() provided (running <= NMI)
{
	byte below, word;
	bool watches, counts;

	do
	:: d_step {
			running < NMI ->
			below = running;
			running = NMI;
			from_user = in_user;
			due_nmi = due_nmi || (in_user && (LOAD(VICTIM, STATE) & ISOLATED))
		};
		watch();
looks:
#if defined(nmi_asks_only_for_isolated)
		counts = (LOAD(VICTIM, STATE) & ISOLATED) != 0;
#elif defined(nmi_asks_only_for_user_mode)
		counts = from_user;
#else
		counts = from_user && (LOAD(VICTIM, STATE) & ISOLATED);
#endif
		if
		:: counts ->
#ifdef nmi_raises_first
			interrupt = true;
			nmi = true;
#else
			nmi = true;
#endif
raises:
#ifndef nmi_raises_nothing
			interrupt = true
#else
			skip
#endif
		:: else
		fi;
		counts = false;
		stop_watching();
		d_step { from_user = false; returns() }
	od
}

proctype MachineCheck() provided (running <= MACHINE_CHECK)
{
	byte below, word;
	bool watches;

	do
	:: interrupts(MACHINE_CHECK);
		watch();
		stop_watching();
		returns()
	od
}

init {
	memory[STATE] = WATCHING;
	atomic { run Victim(); run Nmi(); run MachineCheck() }
}
