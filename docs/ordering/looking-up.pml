/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An owner that is made to look up sees what it is for (docs/ordering.md).
 *
 * Root writes a word (the affinity, ptrace), then sets the thread flag and, where it was clear, interrupts the owner.
 * The owner's callback reads the word before the exit loop clears the flag, and the readiness test reads it again. The
 * failure is an owner in user space, nothing on its way to it, that was not told.
 *
 * One word; exits, interrupts and others that set the same flag (task work, rseq) without limit.
 *
 * Reached:
 *  reach Root@finds_it_set && Owner@clears && !told: the flag is set already, and the callback is over
 *  reach Owner@test_tells: the test sees what the callback did not
 *  reach Owner@callback_tells: the callback sees it
 *  reach Owner@reread && memory[FLAG]: the flag comes between the first look and the second
 *  reach Owner@in_user && interrupt && !told: the flag came after the second look
 *  reach Owner@test_looks && stores[SENDER].used > 0: the word still waits in the FIFO
 *
 * Found:
 *  break exit_keeps_interrupts_on: the interrupt comes between the looks and user space
 *  break root_does_not_interrupt: the flag alone
 *  break root_looks_early: the flag is set before the word is written
 *  break nobody_asks_again: the test does not ask for a tracer
 *
 * Superfluous here:
 *  spare exit_does_not_look_again: at the flags, interrupts off; the test does, and who sets one interrupts
 *  spare callback_comes_after_clearing: and the test does not ask
 */
#define WORDS	2
#define WORD	0
#define FLAG	1
#include "x86-tso.pml"

#if defined(nobody_asks_again) || defined(callback_comes_after_clearing)
#define TEST_ASKS	false
#else
#define TEST_ASKS	true
#endif

bool interrupt;	/* pending on the owner's CPU */
bool coming;	/* somebody is about to raise it */
bool told;
bool finished;

/* set_notify_resume(); anybody's */
inline look(cpu)
{
	d_step {
		EMPTY(cpu) ->
		was = memory[FLAG];
		memory[FLAG] = 1
	};
	if
	:: was ->
finds_it_set:
		skip
#ifdef root_does_not_interrupt
	:: !was && cpu == SENDER
	:: !was && cpu != SENDER -> interrupt = true
#else
	:: !was -> interrupt = true
#endif
	fi;
	was = false
}

active proctype Root()
{
	bool was;

#ifdef root_looks_early
	look(SENDER);
	store(SENDER, WORD, 1);
	smp_mb(SENDER);
#else
	store(SENDER, WORD, 1);
	look(SENDER);
#endif
	finished = true
}

/* On its own CPU, or in the scheduler: only a locked instruction matters. */
active proctype Others()
{
	do
	:: d_step { coming = !memory[FLAG]; memory[FLAG] = 1 };
		d_step { interrupt = interrupt || coming; coming = false }
	od
}

inline interrupts_are_on()
{
	if
	:: interrupt -> interrupt = false
	:: true
	fi
}

inline callback()
{
	if
	:: LOAD(VICTIM, WORD) ->
callback_tells:
		told = true
	:: else
	fi
}

inline clear_flag()
{
	d_step { EMPTY(VICTIM) -> memory[FLAG] = 0 }
}

active proctype Owner()
{
	do
	::	/* The exit loop. */
		interrupts_are_on();
		if
		:: LOAD(VICTIM, FLAG) ->
#ifdef callback_comes_after_clearing
			clear_flag();
			callback()
#else
			callback();
			/* Signals are handled here: it may take long. */
			interrupts_are_on();
clears:
			clear_flag()
#endif
		:: else ->
			/* Interrupts off. */
reread:
#ifndef exit_does_not_look_again
			if
			:: LOAD(VICTIM, FLAG) -> goto again
			:: else
			fi;
#endif
test_looks:
			if
			:: TEST_ASKS && LOAD(VICTIM, WORD) ->
test_tells:
				told = true;
				goto again
			:: else
			fi;
#ifdef exit_keeps_interrupts_on
			interrupts_are_on();
#endif
in_user:
			/* Until something comes; whatever it is, its judge asks for the word first. */
			d_step {
				assert(told || !finished || interrupt || coming);
				interrupt = false
			};
			if
			:: LOAD(VICTIM, WORD) -> told = true
			:: else
			fi
		fi;
again:
		skip
	od
}
