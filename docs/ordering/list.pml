/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a CPU finds it on the list, and changed for it (docs/ordering.md).
 *
 * Root writes lists, a task claims the CPU and leaves it. The failures: an owner of a CPU that is not on the list, or
 * that is not made ready for it (its timers parked); timers that are not as the list has it when all is done.
 *
 * One CPU; everything without limit. Locks order all of it, so there are no FIFOs here.
 *
 * Reached:
 *  reach Root@busy: the list keeps a CPU that has an owner
 *  reach Task@refused && core_listed: the CPU is about to join, and not ready
 *  reach Root@puts_back && Task@refused: it is about to leave
 *
 * Found:
 *  break root_does_not_lock: it looks for an owner without owners_lock
 *  break root_locks_twice: once to look, once to write
 *  break claim_does_not_lock: it looks at the list before owners_lock
 *  break root_lists_early: the CPU joins before it is ready
 *  break root_puts_back_early: before the CPU has left
 */
bool owners_lock;
bool listed;		/* the module's, under owners_lock */
bool core_listed;	/* the core's, for the readiness test */
bool parked;
bool owns;
bool changing;		/* it is not done yet */

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

/* task_isolation_list_cpu(): the CPU looks at the list, in an interrupt that comes after the write */
inline list_cpu()
{
	core_listed = joins;
	parked = core_listed
}

/* apply(), one at a time: list_mutex */
active proctype Root()
{
	bool joins;

	do
	:: d_step { joins = !listed; changing = true };
#ifdef root_puts_back_early
		list_cpu();
#endif
#ifndef root_does_not_lock
		lock(owners_lock);
#endif
		if
		:: listed && !joins && owns ->
			/* EBUSY */
#ifndef root_does_not_lock
			unlock(owners_lock);
#endif
busy:
#ifdef root_puts_back_early
			joins = true;
			goto back
#else
			goto done
#endif
		:: else
		fi;
#ifdef root_locks_twice
		unlock(owners_lock);
		lock(owners_lock);
#endif
		listed = listed && joins;
#ifdef root_lists_early
		listed = joins;
#endif
#ifndef root_does_not_lock
		unlock(owners_lock);
#endif
puts_back:
#ifndef root_puts_back_early
		list_cpu();
#else
back:
#endif
		lock(owners_lock);
		listed = joins;
		unlock(owners_lock);
done:
		skip;
		d_step { joins = false; changing = false }
	od
}

active proctype Task()
{
	bool finds;

	do
	::
#ifdef claim_does_not_lock
		finds = listed;
#endif
		lock(owners_lock);
#ifndef claim_does_not_lock
		finds = listed;
#endif
		owns = finds;
		unlock(owners_lock);
		if
		:: finds ->
			do
			:: assert(listed);
				assert(core_listed);
				assert(parked)
			:: break
			od;
			lock(owners_lock);
			owns = false;
			unlock(owners_lock)
		:: else ->
refused:
			skip
		fi;
		finds = false
	od
}

active proctype Result()
{
	do
	:: d_step { !changing -> assert(parked == core_listed && core_listed == listed) }
	od
}
