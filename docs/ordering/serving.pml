/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which policy serves, who pins it, and what it said of system calls (docs/ordering.md).
 *
 * Policy A wants calls counted unasked, B wants to be asked for each. B is loaded, root lets one or the other serve, A
 * is removed. The failures: text of a policy that is gone; a serving policy that owners do not pin; an owner without a
 * policy; calls that are counted unasked while B serves and nobody is about to change that.
 *
 * One owner at a time, one removal of A; calls, entries and choices without limit. Locks and RCU order all of it.
 *
 * Reached:
 *  reach Root@asks && owns && counts && serving == B: B serves, and does not hear of calls yet
 *  reach Task@claims && asked == A && serving == B: the claim finds another policy than admitted the task
 *  reach Remover@waits && readers > 0 && Task:policy == A: A is called while it goes
 *  reach Remover@begins && owns && serving == A: A cannot go, because of an owner
 *  reach Task@refused && serving == A: the first owner would find its policy going
 *  reach Task@refused && serving == NONE: the last policy went after it had admitted the task
 *
 * Found:
 *  break caller_has_no_rcu: around the pointer and the call
 *  break remover_does_not_wait: no synchronize_rcu()
 *  break owner_does_not_pin: the serving policy
 *  break choice_leaves_the_pin: with the policy before
 *  break choice_does_not_lock: it swaps the pointer without serving_lock
 *  break claim_does_not_compare: the policy that admitted need not serve
 *  break claim_compares_early: before owners_lock
 *  break root_asks_first: for calls, then it swaps the pointer
 *  break claim_ignores_the_pin: a task becomes an owner although no policy could be pinned
 *  break removal_does_not_ask: another policy serves after a removal, and calls are not asked for
 *  break pin_takes_what_goes: it does not ask whether the module is being removed
 */
#define NONE	0
#define A	1
#define B	2

bool owners_lock, serving_lock, policies_mutex;
byte serving = A;
byte pins;		/* owners */
byte modules[3];	/* pins of a module */
bool going, gone;	/* A's */
bool a_loaded = true, b_loaded;
byte readers;		/* of RCU */
bool owns;
bool counts;		/* count_syscalls */
byte asked;
byte busy;		/* whoever lets another policy serve, until all is done */

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

inline rcu_read_lock()
{
#ifndef caller_has_no_rcu
	readers++
#else
	skip
#endif
}

inline rcu_read_unlock()
{
#ifndef caller_has_no_rcu
	readers--
#else
	skip
#endif
}

/* Anything may happen in between. */
inline call(policy)
{
	assert(policy != A || !gone);
	assert(policy != A || !gone)
}

/* try_module_get() */
inline get(policy)
{
	d_step {
#ifdef pin_takes_what_goes
		got = true;
#else
		got = policy != A || !going;
#endif
		if
		:: got -> modules[policy]++
		:: else
		fi
	}
}

inline put(policy)
{
	d_step { assert(policy != A || !gone); modules[policy]-- }
}

/* Under serving_lock. */
inline serve(policy)
{
	before = serving;
	got = true;
	if
#ifndef choice_leaves_the_pin
	:: pins > 0 && policy != NONE -> get(policy)
#endif
	:: else
	fi;
	if
	:: got ->
		serving = policy;
		if
#ifndef choice_leaves_the_pin
		:: pins > 0 && before != NONE -> put(before)
#endif
		:: else
		fi
	:: else
	fi;
	before = NONE
}

/* owner_ask_for_calls() */
inline ask_for_calls()
{
	lock(owners_lock);
	if
	:: owns -> counts = false
	:: else
	fi;
	unlock(owners_lock)
}

inline compare()
{
	rcu_read_lock();
#ifdef claim_does_not_compare
	count = asked == A;
#else
	count = asked == A && serving == A;
#endif
	rcu_read_unlock()
}

active proctype Task()
{
	byte policy;
	bool got, count, pinned;

	do
	:: true ->
		/* Admitted. */
		rcu_read_lock();
		policy = serving;
		if
		:: policy != NONE -> call(policy)
		:: else
		fi;
		d_step { asked = policy; policy = NONE };
		rcu_read_unlock();
#ifdef claim_compares_early
		compare();
#endif
		lock(owners_lock);
claims:
#ifndef claim_compares_early
		compare();
#endif
		counts = count;
		/* policy_pin() */
		lock(serving_lock);
		pinned = serving != NONE;
#ifndef owner_does_not_pin
		if
		:: pins == 0 && serving != NONE -> get(serving); pinned = got
		:: else
		fi;
#endif
#ifdef claim_ignores_the_pin
		pinned = true;
#endif
		if
		:: pinned -> pins++
		:: else
		fi;
		unlock(serving_lock);
		if
		:: !pinned ->
refused:
			unlock(owners_lock);
			goto left
		:: else
		fi;
		owns = true;
		unlock(owners_lock);
		do
		::	/* What it asks. */
			rcu_read_lock();
			policy = serving;
			if
			:: policy != NONE -> call(policy)
			:: else
			fi;
			policy = NONE;
			rcu_read_unlock()
		:: d_step { !serving_lock -> assert(serving == NONE || modules[serving] == 1) }
		:: d_step { !busy -> assert(!counts || serving != B) }
		:: d_step { !busy && gone -> assert(!b_loaded || serving == B) }
		:: assert(serving != NONE)
		:: break
		od;
		/* Leaves. */
		lock(owners_lock);
		owns = false;
		lock(serving_lock);
		pins--;
#ifndef owner_does_not_pin
		if
		:: pins == 0 && serving != NONE -> put(serving)
		:: else
		fi;
#endif
		unlock(serving_lock);
		unlock(owners_lock);
left:
		skip;
		d_step { asked = NONE; got = false; count = false; pinned = false; counts = false }
	od
}

/* policy_choose() */
active proctype Root()
{
	byte before, other;
	bool got;

	do
	:: lock(policies_mutex);
		atomic {
			if
			:: a_loaded -> other = A
			:: b_loaded -> other = B
			:: !a_loaded && !b_loaded
			fi
		};
		if
		:: other != NONE ->
			busy++;
#ifdef root_asks_first
			ask_for_calls();
#endif
#ifndef choice_does_not_lock
			lock(serving_lock);
#endif
			serve(other);
#ifndef choice_does_not_lock
			unlock(serving_lock);
#endif
asks:
#ifndef root_asks_first
			ask_for_calls();
#endif
			busy--
		:: else
		fi;
		unlock(policies_mutex);
		d_step { other = NONE; got = false }
	od
}

/* task_isolation_unregister_policy() of A, by its module's removal */
active proctype Remover()
{
	byte before;
	bool got;

begins:
	d_step { modules[A] == 0 -> going = true };
	lock(policies_mutex);
	busy++;
	a_loaded = false;
	lock(serving_lock);
	if
	:: serving == A ->
		if
		:: b_loaded -> serve(B)
		:: else -> serve(NONE)
		fi
	:: else
	fi;
	unlock(serving_lock);
#ifndef removal_does_not_ask
	ask_for_calls();
#endif
	unlock(policies_mutex);
waits:
#ifndef remover_does_not_wait
	readers == 0;
#endif
	gone = true;
	busy--
}

/* task_isolation_register_policy() of B; the removal may come first. */
active proctype Loader()
{
	byte before;
	bool got;

	lock(policies_mutex);
	busy++;
	b_loaded = true;
	lock(serving_lock);
	if
	:: serving == NONE -> serve(B)
	:: else
	fi;
	unlock(serving_lock);
	busy--;
	unlock(policies_mutex)
}
