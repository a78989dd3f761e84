/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A release, and whoever owns (docs/ordering.md).
 *
 * Root closes the door and asks each owner to go, until there is none. One that sleeps outside of callbacks is detached
 * where it is. The failures: an owner when the write has returned; a callback that finds its task detached under it; a
 * record that is looked at when its task, at its exit, has freed it.
 *
 * One CPU, one task; entries, sleeps and releases without limit. Locks order all of it, so there are no FIFOs here.
 *
 * Reached:
 *  reach Root@detaches && asleep && !inside: the task is detached in its sleep
 *  reach Root@looks && flag && inside && asleep: it sleeps in a callback and is left there
 *  reach Root@looks && owns && !flag: it waits for a quiet CPU
 *  reach closed && Task@claims && Root@all_gone: it finds the door closed
 *  reach freed && Root@all_gone: it has exited
 *  reach Root@looks && Task@exits: it exits meanwhile
 *
 * Found:
 *  break root_ignores_callbacks: "inside" is not asked for
 *  break root_ignores_who_runs: the task need not sleep
 *  break root_does_not_hold_it_asleep: no task_call_func(): it may wake meanwhile
 *  break root_lets_go_of_the_lock: owners_lock, between the owner and its record
 *  break root_closes_without_lock: and looks for owners at once
 *  break claim_looks_before_it_locks: at the door
 *  break exit_frees_first: the record, then it leaves
 *  break exit_does_not_lock: it leaves without owners_lock
 *  break attaching_sleeps: at the end of the first call, which has no record to say "inside" in
 *
 * Superfluous here:
 *  spare first_call_is_not_inside: it does not sleep once it is attached
 *  spare callback_ends_early: "inside" goes while the callback still runs, and sleeps no more
 */
bool owners_lock;
bool held;		/* pi_lock, and what else task_call_func() takes */
bool closed;		/* released */
bool owns;		/* the CPU has an owner: cpu_records */
bool flag;		/* TIF_TASK_ISOLATION */
bool inside;
bool asleep;
bool freed;

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

/* For whatever; waking takes pi_lock. */
inline sleep()
{
	asleep = true;
	atomic { !held -> asleep = false }
}

/* owner_leave() */
inline owner_leave()
{
	flag = false;
#ifndef exit_does_not_lock
	lock(owners_lock);
#endif
	owns = false;
#ifndef exit_does_not_lock
	unlock(owners_lock)
#endif
}

active proctype Task()
{
	bool shut;

	do
	:: !flag ->	/* prctl() */
#if !defined(first_call_is_not_inside) && !defined(attaching_sleeps)
		inside = true;
#endif
#ifdef claim_looks_before_it_locks
		shut = closed;
#endif
		lock(owners_lock);
claims:
#ifndef claim_looks_before_it_locks
		shut = closed;
#endif
		owns = !shut;
		unlock(owners_lock);
		if
		:: shut
		:: else ->
			/* Until the CPU is quiet. */
			sleep();
			if
			:: closed -> owner_leave()
			:: !closed -> flag = true
#ifdef attaching_sleeps
				; asleep = true; atomic { !held -> asleep = false };
				assert(owns)
#endif
			fi
		fi;
		inside = false;
		shut = false
	:: true ->	/* Any other call, a fault, a stop. */
		sleep()
	:: flag ->	/* A callback. */
		inside = true;
		sleep();
		assert(owns);
		if
		:: owner_leave()
		:: true
		fi;
#ifdef callback_ends_early
		inside = false;
		assert(!flag || owns);
#endif
		inside = false
	:: true ->
exits:
#ifdef exit_frees_first
		freed = true;
#endif
		if
		:: flag -> inside = true; sleep(); assert(owns); owner_leave(); inside = false
		:: else
		fi;
		freed = true;
		break
	od
}

/* detach_if_asleep() */
inline detach()
{
	if
	:: flag ->
		assert(!freed);
		if
#ifdef root_ignores_callbacks
		:: asleep ->
#elif defined(root_ignores_who_runs)
		:: !inside ->
#else
		:: !inside && asleep ->
#endif
detaches:
			flag = false;
			/* part() */
			assert(!freed);
			owns = false
		:: else
		fi
	:: else
	fi
}

active proctype Root()
{
	bool anybody;

	do
	::
#ifdef root_closes_without_lock
		closed = true;
		anybody = owns;
		if
		:: !anybody -> goto all_gone
		:: else
		fi;
#else
		lock(owners_lock);
		closed = true;
		unlock(owners_lock);
#endif
		do
		:: lock(owners_lock);
			if
			:: !owns -> unlock(owners_lock); break
			:: else
			fi;
#ifdef root_lets_go_of_the_lock
			unlock(owners_lock);
#endif
looks:
#ifndef root_does_not_hold_it_asleep
			lock(held);
#endif
			detach();
#ifndef root_does_not_hold_it_asleep
			unlock(held);
#endif
#ifndef root_lets_go_of_the_lock
			unlock(owners_lock)
#endif
		od;
all_gone:
		assert(!owns);
		/* Some time later. */
		assert(!owns);
		anybody = false;
		closed = false
	od
}
