/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who interrupts an isolated CPU leaves a note first, and an interruption without one was sent before the stay
 * (docs/ordering.md, "Who interrupts").
 *
 * A sender publishes work, looks at the CPU and, where it finds it isolated, leaves its note; then it interrupts. The
 * owner looks for a note of the stay that ended. The failures:
 *
 * - a loss, and who is named, or whoever found no slot, had not read "isolated" in that stay;
 * - an interruption that is absorbed, and its sender published, or read "isolated", in the stay that it ended;
 * - a note that is not whole: half written, written over while it is read, or of another stay.
 *
 * One interrupt does not make two losses: its sender names one stay.
 *
 * Two senders without limit, and a third that is slow; one slot and one vector; two stays, and one that is over. What a
 * sender stores reaches memory before its next locked instruction or its interrupt, and it loads none of it until then:
 * waiting in a FIFO is being slow, and a sender is as slow as it likes. So only the owner's CPU has a FIFO.
 *
 * Reached:
 *  reach Victim@lost && must: a loss, by the note of who has interrupted
 *  reach Victim@lost && !must: by a note whose interrupt is yet to come; this one was sent before
 *  reach Victim@unknown && must: by a sender that found no slot
 *  reach Victim@absorbed && state == CLAIMED && of_stay == number: absorbed beside a note that is not finished
 *  reach Victim@absorbed && state == DONE && of_stay == number - 1 && of_stay > FIRST: beside one of the stay before
 *  reach Victim@absorbed && overflow == number - 1 && overflow > FIRST: the slot was missing in the stay before
 *  reach owed && !in_stay: the task's own call enters first, and the interrupt finds the kernel
 *  reach Sender[2]@looks && stores[VICTIM].used == 2: number and ISOLATED still wait in the FIFO
 *  reach Sender[2]@again && in_stay: the number changed while the sender read, and the CPU is isolated
 *  reach Sender[2]@claims && Sender[2]:old_stay > Sender[2]:stay: who is slow finds a note of a later stay
 *  reach Sender[2]@claims && Sender[2]:old == DONE && of_stay > Sender[2]:stay: one that came since it looked
 *
 * Found:
 *  break sender_looks_early: before it publishes
 *  break sender_reads_stay_once: before the word only
 *  break sender_reads_stay_late: after the word only
 *  break sender_interrupts_early: before the note
 *  break note_is_done_early: before it is written
 *  break claim_is_not_atomic: load and store
 *  break claim_takes_what_is_claimed: a note that is being written
 *  break claim_takes_this_stay: a note of the same stay
 *  break claim_takes_later_stays: who is slow takes a note of a later stay
 *  break overflow_lowers: it is stored, whatever was there
 *  break overflow_is_not_atomic: compared, then stored
 *  break overflow_does_not_retry: a failed exchange counts as done
 *  break owner_numbers_late: the number is written after leaving
 *  break owner_numbers_before_it_judges: the next stay begins, then the entry is judged
 *  break owner_compares_no_stay: of a note
 *  break owner_compares_no_overflow: with its stay
 *  break leaving_is_not_atomic: work is published in a stay that no sender can see yet
 *  break entry_is_not_atomic: E is load and store
 *  break sender_does_not_ask_again: a number that changed counts as "not isolated"
 *  break claim_compares_only_the_state: a note that is done, and one that came since and is done, are the same to it
 *
 * The code is like this, in an owner's first stay (docs/ordering.md says why):
 *  break call_asks_early: whether the CPU has an owner, before it publishes
 *
 * Superfluous here:
 *  spare owner_numbers_after_the_word: before leaving: ISOLATED alone is not asked for
 */
#define WORDS	2
#define STAY	1	/* page->stay, the number in it */
/* As send() asks: NMIs leave ISOLATED and USER as they are, so there are none here. */
#define sender_ignores_watching
#define CROSSED	in_stay = ((LOAD(VICTIM, STATE) & (ISOLATED | USER)) == (ISOLATED | USER) -> number : 0)
#include "context-tracking.pml"

#define FIRST	1	/* stay; over when the model begins */
#define LAST	3

#define CLAIMED	1
#define DONE	2	/* Of a stay that is over it is as good as FREE. */

/* The slot. State and stay are one word. */
byte state = CLAIMED, of_stay = FIRST;
byte who, what;
#define WHAT(who, stay)	((who) + 4 * (stay))

byte overflow;
bool owned;		/* task_isolation_owned */
bool interrupt;		/* pending on the victim */

byte number = FIRST;	/* of the stay, as the owner has it */
byte in_stay;		/* isolated in user space, or 0 */
bool read_it[3];	/* by sender: it read "isolated" in this stay */
bool no_room;		/* one that did found no slot */
bool owed;		/* the pending interrupt was sent in this stay */
bool must;		/* the one that entered was */

#define ME	(_pid - 1)

#if defined(claim_takes_this_stay)
#define MAY_CLAIM	(old != CLAIMED && old_stay <= stay)
#elif defined(claim_takes_later_stays)
#define MAY_CLAIM	(old != CLAIMED && old_stay != stay)
#elif defined(claim_takes_what_is_claimed)
#define MAY_CLAIM	(old_stay < stay)
#else
#define MAY_CLAIM	(old != CLAIMED && old_stay < stay)
#endif

#if defined(claim_is_not_atomic)
#define UNCHANGED	true
#elif defined(claim_compares_only_the_state)
#define UNCHANGED	(state == old)
#else
#define UNCHANGED	(state == old && of_stay == old_stay)
#endif

#if defined(owner_compares_no_stay)
#define NOTED	(state == DONE)
#elif defined(owner_numbers_before_it_judges)
#define NOTED	(state == DONE && of_stay == number + 1)
#else
#define NOTED	(state == DONE && of_stay == number)
#endif

#ifdef owner_compares_no_overflow
#define OVERFLOWED	(overflow > 0)
#else
#define OVERFLOWED	(overflow == number)
#endif

inline write_note()
{
#ifdef note_is_done_early
	state = DONE;
#endif
#ifdef claim_compares_only_the_state
	of_stay = stay;
#endif
	who = ME;
	what = WHAT(ME, stay);
#ifndef note_is_done_early
	state = DONE
#endif
}

inline overflows()
{
#ifdef overflow_lowers
	overflow = stay
#else
	old = overflow;
	do
	:: old >= stay -> break
	:: old < stay ->
#ifdef overflow_is_not_atomic
		overflow = stay;
		break
#else
		d_step { overflow = (overflow == old -> stay : overflow); old = overflow }
#ifdef overflow_does_not_retry
		; break
#endif
#endif
	od
#endif
}

inline leave_note()
{
#ifdef claim_compares_only_the_state
	/* The stay is in the note. */
	old = state;
	old_stay = of_stay;
#else
	d_step { old = state; old_stay = of_stay };
#endif
claims:
	if
	:: d_step {
			MAY_CLAIM && UNCHANGED ->
			state = CLAIMED;
#ifndef claim_compares_only_the_state
			of_stay = stay;
#endif
			old = 0;
			old_stay = 0
		};
		write_note()
	:: d_step {
			!(MAY_CLAIM && UNCHANGED) ->
			no_room = no_room || (read_it[ME] && stay == number);
			old = 0;
			old_stay = 0
		};
		overflows()
	fi
}

/* Raised after the stay that it was sent in, it finds the kernel or a later stay: nothing is owed. */
inline raise()
{
	interrupt = true;
	owed = owed || (due && due == in_stay);
	due = 0
}

/* send(), the number read once; a number that has changed is the first of the next try. */
inline look()
{
looks:
	do
	:: d_step { !ISOLATED_IN_USER(memory[STATE]) -> stay = 0 };
		break
	:: d_step {
			ISOLATED_IN_USER(memory[STATE]) ->
			due = (in_stay -> in_stay : due);
			read_it[ME] = in_stay > 0
		};
		if
#if defined(sender_reads_stay_once)
		:: true ->
#elif defined(sender_reads_stay_late)
		:: stay = memory[STAY] ->
#else
		:: memory[STAY] == stay ->
#endif
#ifdef sender_interrupts_early
			d_step { raise() };
#endif
			leave_note();
			break
#if !defined(sender_reads_stay_once) && !defined(sender_reads_stay_late)
		:: d_step { memory[STAY] != stay -> stay = memory[STAY] };
again:
#ifdef sender_does_not_ask_again
			break
#else
			skip
#endif
#endif
		fi
	od
}

/* A third one found the CPU isolated in the first stay, and may be slow for ever. */
active proctype Slow()
{
	state = DONE
}

/* Published and looked at in one step, which only owes more: had the stay ended in between, nothing would be owed. */
active [2] proctype Sender()
{
	byte stay, due, old, old_stay;

	do
	::
		if
#if defined(sender_looks_early)
		:: owned -> stay = memory[STAY]; look(); due = (in_stay -> in_stay : due)
#else
		:: d_step { owned -> due = in_stay; stay = memory[STAY] }; look()
#endif
#ifdef call_asks_early
		:: !owned -> due = in_stay
#else
		:: d_step { !owned -> due = in_stay }
#endif
		fi;
		atomic { raise(); stay = 0; old = 0 }
	od
}

/* The atomic of the entry. */
inline enter_isolated()
{
#ifdef entry_is_not_atomic
	cross_by_load_and_store(WATCHING - USER - ISOLATED)
#else
	cross(WATCHING - USER - ISOLATED)
#endif
}

active proctype Victim()
{
	byte word, by, about;

	d_step { memory[STATE] = WATCHING; memory[STAY] = number };
	/* task_isolation_attach() */
	owned = true;
	do
	:: number < LAST ->
		/* The kernel, interrupts on; what comes later waits until the task has left. */
		atomic {
			if
			:: interrupt -> interrupt = false
			:: true
			fi;
			d_step {
				by = 0;
				about = 0;
				must = false;
				owed = false;
				read_it[1] = false;
				read_it[2] = false;
				no_room = false
			};
			/* The exit loop, interrupts off, the test passed. */
			number++
		};
#if !defined(owner_numbers_late) && !defined(owner_numbers_after_the_word)
		store(VICTIM, STAY, number);
#endif
		become_isolated();
#ifdef owner_numbers_after_the_word
		store(VICTIM, STAY, number);
#endif
		leave();
#ifdef owner_numbers_late
		store(VICTIM, STAY, number);
#endif
		if
		::	/* The task's own call, a fault, a device. */
			enter_isolated()
		:: d_step { interrupt -> interrupt = false; must = owed; owed = false };
			enter_isolated();
			/* task_isolation_find_note(), before the task goes back. */
			if
			:: NOTED ->
				by = who;
				about = what;
lost:
				assert(by && read_it[by] && about == WHAT(by, number))
			:: else ->
				if
				:: OVERFLOWED ->
unknown:
					assert(no_room)
				:: else ->
absorbed:
					assert(!must)
				fi
			fi
		fi
	:: else -> break
	od
}
