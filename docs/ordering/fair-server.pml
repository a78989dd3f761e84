/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An ordinary task that waits has a fair server, and an owner that is alone has none (docs/ordering.md).
 *
 * An owner, ordinary or real-time, stops the server when it is alone; an ordinary task and a real-time one come and go,
 * and the scheduler starts the server only when the first ordinary task becomes runnable. The failures: the real-time
 * task runs, an ordinary one waits, and no server will ever interrupt it; an owner goes isolated with the server running.
 *
 * One CPU; everything without limit. The run queue lock makes each change of the run queue one step, and one CPU runs
 * it all, so there are no FIFOs here.
 *
 * Reached:
 *  reach owner && current == real_time && waiter: all three are there
 *  reach isolated && !server && !waiter && !fifo: alone and left in peace
 *  reach owner && fifo && current == other: a real-time owner gives way
 *  reach owner && !queued && current == real_time && waiter: asleep, and somebody waits all the same
 *  reach Owner@left && current == real_time: taken off the CPU on the way out
 *
 * Found:
 *  break switch_forgets: who is switched away from leaves the server as it is
 *  break leaving_forgets: who is no owner any more does
 *  break leaving_is_preemptible: the flag goes first, and a switch comes before the start
 *  break stops_before_attaching: the task is no owner yet when it stops the server
 *  break changing_forgets: who is made real-time while somebody waits does
 *  break stops_with_others: without a look at who else is there
 *  break test_forgets: whether the server runs is not asked for again, interrupts off
 */
mtype = { idle, self, other, real_time };

mtype current = self;
bool queued = true;		/* self, the task that enters, is runnable */
bool waiter;			/* other is: ordinary, too */
bool intruder;			/* a real-time task is */
bool server = true;
bool raised;			/* the interrupt that starts it is pending */
bool owner;			/* self has the thread flag */
bool isolated;
bool fifo;			/* self is real-time, too; root changes it */

#define ordinary ((queued && !fifo) || waiter)
#define alone (!waiter && !intruder)
#ifndef test_forgets
#define quiet (alone && !raised && !server)
#else
#define quiet (alone && !raised)
#endif

/* dl_server_start() where the first ordinary task is queued */
inline enqueue(task, of_fifo)
{
	server = server || (!ordinary && !of_fifo);
	task = true
}

inline switch_to(next)
{
#ifndef switch_forgets
	raised = raised || (owner && current == self && ordinary && !server);
#endif
	isolated = isolated && current != self;
	current = next
}

inline pick()
{
	if
	:: intruder -> switch_to(real_time)
	:: else ->
		if
		:: queued -> switch_to(self)
		:: else ->
			if
			:: waiter -> switch_to(other)
			:: else -> switch_to(idle)
			fi
		fi
	fi
}

active proctype Others()
{
	do
	:: d_step { !waiter -> enqueue(waiter, false); if :: current == idle -> pick() :: else fi }
	:: d_step { waiter -> waiter = false; if :: current == other -> pick() :: else fi }
	:: d_step { waiter && current == self && (!fifo || server) -> switch_to(other) }
	:: d_step { current == other -> pick() }
	:: d_step { !intruder -> intruder = true; pick() }
	:: d_step { intruder -> intruder = false; pick() }
	/* Taken from its queue, and put into another one or the same; then the one it was in is looked at. */
	:: d_step {
			queued && current == self ->
			server = server || (fifo && !waiter && !owner);
#ifndef changing_forgets
			server = server || (!fifo && owner && waiter);
#endif
			fifo = !fifo
		}
	/* Its time has come, and nobody is there. */
	:: d_step { server && !ordinary -> server = false }
	:: d_step { raised -> raised = false; server = server || ordinary }
	od
}

active proctype Owner()
{
	atomic {
		if
		:: fifo = true; server = waiter
		:: true
		fi
	};
	do
	:: /* enters */
#ifndef stops_before_attaching
		atomic { current == self -> owner = true };
#endif
		do
		:: atomic {
				current == self ->
				if
#ifdef stops_with_others
				:: true -> server = false
#else
				:: alone -> server = false
				:: else
#endif
				fi
			}
		:: break
		od;
#ifdef stops_before_attaching
		atomic { current == self -> owner = true };
#endif
		do
		:: atomic { current == self && quiet -> isolated = true; assert(!server) }
		/* On the way out it finds somebody. */
		:: atomic { current == self && !alone -> isolated = false }
		/* An interrupt, a call. */
		:: atomic { current == self -> isolated = false }
		/* Sleeps, and is woken. */
		:: atomic { current == self && !isolated -> queued = false; pick() };
			atomic { enqueue(queued, fifo); if :: current == idle -> pick() :: else fi };
			current == self
		:: atomic {
				current == self ->
				if
				:: alone && !isolated -> server = false
				:: else
				fi
			}
		:: break
		od;
		/* leaves, or is told */
#ifdef leaving_is_preemptible
		atomic { current == self -> owner = false; isolated = false };
left:
		atomic { current == self -> server = server || ordinary }
#else
		atomic {
			current == self -> isolated = false; owner = false;
#ifndef leaving_forgets
			server = server || ordinary
#endif
		};
left:
		skip
#endif
	od
}

active proctype Result()
{
	do
	:: d_step { (current == real_time || (fifo && current == self)) && waiter -> assert(server || raised) }
	od
}
