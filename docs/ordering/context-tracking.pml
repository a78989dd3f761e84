/* SPDX-License-Identifier: GPL-2.0 */
/*
 * context_tracking.state of the victim's CPU, how the CPU crosses between kernel and user space, and what runs on it:
 * the task, an NMI, or what interrupts an NMI too (machine check, debug exception). What is on top runs, the others
 * stand still. All but the task execute the same code, so two levels of it stand for NMIs within machine checks too.
 *
 * Of the RCU counter only odd or even is kept: every equal value that could fool an exchange does fool it here.
 */
#define STATE		0

#define USER		2
#define ISOLATED	4
#define SYNC		8
#define WATCHING	16
#ifndef COUNTER
#define COUNTER		WATCHING
#endif
#define ALL_BITS	(COUNTER | 15)

/* The sender's question: isolated_in_user(). */
#if defined(sender_ignores_watching)
#define ASKED		(ISOLATED | USER)
#elif defined(sender_ignores_isolated)
#define ASKED		(WATCHING | USER)
#else
#define ASKED		(WATCHING | ISOLATED | USER)
#endif
#define ISOLATED_IN_USER(state)	(((state) & ASKED) == (ASKED & ~WATCHING))

#define TASK		0
#define NMI		1
#define MACHINE_CHECK	2

#include "x86-tso.pml"

byte running;

#ifndef CROSSED
#define CROSSED		skip
#endif

/* ct_state_inc() */
inline cross(change)
{
	d_step { EMPTY(VICTIM) -> memory[STATE] = (memory[STATE] + (change)) & ALL_BITS; CROSSED }
}

/* What breakages do instead. */
inline cross_by_load_and_store(change)
{
	word = LOAD(VICTIM, STATE);
	d_step {
		ROOMY(VICTIM) ->
		put(VICTIM, STATE, (word + (change)) & ALL_BITS);
		word = 0;
		CROSSED
	}
}

/* The exit loop, interrupts off, the readiness test passed. */
inline become_isolated()
{
	word = LOAD(VICTIM, STATE);
ored:
	store(VICTIM, STATE, word | ISOLATED);
	word = 0
}

/* __ct_user_enter() */
inline leave()
{
#ifdef leaving_is_not_atomic
	cross_by_load_and_store(WATCHING + USER)
#else
	cross(WATCHING + USER)
#endif
}

/* __ct_user_exit() and ct_user_exit_isolated(); the atomic is E of docs/ordering.md. */
inline enter()
{
	isolated = (LOAD(VICTIM, STATE) & ISOLATED) != 0;
	if
	:: !isolated -> cross(WATCHING - USER)
	:: else ->
#if defined(entry_takes_two_steps)
		cross(WATCHING - USER);
		d_step { EMPTY(VICTIM) -> memory[STATE] = memory[STATE] & ~ISOLATED }
#elif defined(entry_is_not_atomic)
		cross_by_load_and_store(WATCHING - USER - ISOLATED)
#else
		cross(WATCHING - USER - ISOLATED)
#endif
	fi
}

/* At any moment, any number of times. */
inline interrupts(level)
{
	d_step { running < level -> below = running; running = level }
}

inline returns()
{
	d_step { running = below; below = 0 }
}

/* ct_nmi_enter(), ct_nmi_exit() */
inline watch()
{
#ifdef nmi_does_not_watch
	skip
#else
	if
	:: LOAD(VICTIM, STATE) & WATCHING
	:: else ->
#ifdef nmi_watches_not_atomically
		cross_by_load_and_store(WATCHING);
#else
		cross(WATCHING);
#endif
		watches = true
	fi
#endif
}

inline stop_watching()
{
	if
	:: watches ->
		watches = false;
#ifdef nmi_end_is_not_atomic
		cross_by_load_and_store(WATCHING)
#else
		cross(WATCHING)
#endif
	:: else
	fi
}
