/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who owns a CPU finds it on the list, and changed for it (docs/ordering.md).
 *
 * Root writes lists, a task claims the CPU and leaves it, the CPU goes offline and comes back. The failures: an owner
 * of a CPU that is not on the list, or that is not made ready for it; a fair server that is not as the list has it when
 * all is done.
 *
 * One CPU; everything without limit. Locks order all of it, so there are no FIFOs here.
 *
 * Reached:
 *  reach Root@busy: the list keeps a CPU that has an owner
 *  reach Task@refused && core_listed: the CPU is about to join, and not ready
 *  reach Root@puts_back && Task@refused: it is about to leave
 *  reach owns && going_down && fair_server: an owner while the CPU goes
 *  reach Hotplug@gives_back && Root@puts_back && core_listed && !Root:joins: it goes offline as it leaves the list
 *
 * Found:
 *  break root_does_not_lock: it looks for an owner without owners_lock
 *  break root_locks_twice: once to look, once to write
 *  break claim_does_not_lock: it looks at the list before owners_lock
 *  break root_lists_early: the CPU joins before it is ready
 *  break root_puts_back_early: before the CPU has left
 *  break root_forgets_hotplug: the fair server is written without the hotplug lock
 *  break root_lists_late: the core's list, after the fair server
 *  break hotplug_does_not_lock: it writes the fair server beside a list change
 */
bool owners_lock;
bool hotplug_lock;
bool listed;		/* the module's, under owners_lock */
bool core_listed;	/* the core's, for the readiness test and hotplug */
bool fair_server = true;
bool going_down;
bool owns;
bool changing, plugging;	/* it is not done yet */

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

/* task_isolation_list_cpu() */
inline list_cpu()
{
#ifndef root_lists_late
	core_listed = joins;
#endif
	skip;
#ifndef root_forgets_hotplug
	lock(hotplug_lock);
#endif
	/* A call that computes its argument, and then writes. */
	on = !joins;
	fair_server = on;
#ifndef root_forgets_hotplug
	unlock(hotplug_lock);
#endif
#ifdef root_lists_late
	core_listed = joins
#endif
}

/* apply(), one at a time: list_mutex */
active proctype Root()
{
	bool joins, on;

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
		d_step { joins = false; on = false; changing = false }
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
				assert(!fair_server || going_down)
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

/* task_isolation_hotplug(), under the hotplug lock from the beginning to the end */
active proctype Hotplug()
{
	bool on;

	do
	::
#ifndef hotplug_does_not_lock
		lock(hotplug_lock);
#endif
		plugging = true;
		if
		:: core_listed ->
			going_down = true;
gives_back:
			fair_server = true
		:: else
		fi;
		/* Offline, or refused; and back again. */
		on = !core_listed;
		fair_server = on;
		d_step { on = false; going_down = false; plugging = false };
#ifndef hotplug_does_not_lock
		unlock(hotplug_lock)
#endif
	od
}

active proctype Result()
{
	do
	:: d_step { !changing && !plugging -> assert(fair_server == !core_listed && core_listed == listed) }
	od
}
