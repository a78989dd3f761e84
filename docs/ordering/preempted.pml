/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who preempted an owner is named by a pid and a name of the same task (docs/ordering.md).
 *
 * The switch hook notes who takes the CPU. The owner reads it when it runs again, or asks the run queue who waits
 * there. It runs with interrupts on, and may be switched out at every step. The failure is the pid of one task with the
 * name of another.
 *
 * One CPU, two other tasks; switches and questions without limit. One CPU runs it all, so there are no FIFOs here.
 *
 * Reached:
 *  reach Owner@says && by == 1 && taker == 2: another one took the CPU than waited when it was asked
 *  reach Owner@says && told_pid == waiting && taker == 0: nobody took it yet
 *  reach Owner@says && taker == 2: somebody took it
 *
 * Found:
 *  break hook_forgets_the_first: it notes the last one
 *  break hook_notes_after_the_switch: the name, when the owner may run again
 *  break pid_is_read_twice: describe_entry(), once for the pid and once for the name
 */
bool owner_runs = true;
byte waiting;		/* who is on the run queue */
byte taker, name;		/* preempted_pid, preempted_comm: 1 or 2 */
byte by;		/* who waited when the owner asked */
byte told_pid, told_name;

/* The run queue lock is held: one step, but for the breakage. */
active proctype Switch()
{
	byte next;

	do
	:: atomic {
			owner_runs ->
			owner_runs = false;
			if
			:: waiting -> next = waiting
			:: next = 1
			:: next = 2
			fi;
#ifndef hook_forgets_the_first
			if
			:: taker
			:: else ->
#endif
				taker = next;
#ifndef hook_notes_after_the_switch
				name = next;
#endif
#ifndef hook_forgets_the_first
			fi
#endif
		};
#ifdef hook_notes_after_the_switch
		owner_runs = true;
		name = next;
#endif
		d_step { owner_runs = true; next = 0; waiting = 0 }
	:: d_step { !waiting -> waiting = 1 }
	:: d_step { !waiting -> waiting = 2 }
	od
}

/* describe_entry() */
active proctype Owner() provided (owner_runs)
{
	byte seen;

	do
	:: by = waiting;
		seen = taker;
		if
		:: seen || by ->
			told_name = by;
			told_pid = (seen -> seen : by);
#ifdef pid_is_read_twice
			seen = taker;
#endif
			if
			:: seen -> told_name = name
			:: else
			fi;
says:
			assert(told_pid == told_name)
		:: else
		fi;
		d_step { seen = 0; by = 0; told_pid = 0; told_name = 0; taker = 0 }
	od
}
