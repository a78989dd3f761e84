/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The last loss of a CPU is readable until its next owner (docs/ordering.md).
 *
 * Who loses leaves and records it, under owners_lock. Who enters takes it away when the call succeeds, and puts it back
 * when the way out is refused. The failures: a loss that is nowhere when nobody has entered since; an older one in its
 * place.
 *
 * Two tasks, which own the CPU in turn; without limit.
 *
 * Reached:
 *  reach owner && !entered && last_loss: a task claims the CPU, and the loss is readable
 *  reach last_loss && last_loss == owner: a task enters that lost before
 *  reach kept && !last_loss: the call succeeded, and the way out may be refused
 *
 * Found:
 *  break loser_looks_at_nobody: it records in a second critical section, whoever owns the CPU
 *  break claim_clears: what is known of the owner before goes before the next has entered
 *  break loser_records_late: in a second critical section, and not when somebody has claimed the CPU
 *  break refusal_brings_nothing_back: what the call took away, when its way out is refused
 *  break refusal_leaves_first: the CPU is free before the loss is back
 */
bool owners_lock;
byte owner;		/* of the CPU: 1, 2 */
bool entered;		/* its stay has begun */
byte last_loss;		/* whose */
byte loser;		/* whose it should be */
byte recording;
byte kept;		/* of last_loss, by who enters */

inline lock(which)
{
	atomic { !which -> which = true }
}

inline unlock(which)
{
	which = false
}

active [2] proctype Task()
{
	byte me = _pid + 1;

	do
	:: lock(owners_lock);
		if
		:: owner -> unlock(owners_lock)
		:: else ->
			owner = me;
#ifdef claim_clears
			last_loss = 0;
#endif
			unlock(owners_lock);
			/* Refused, or begin_stay(). */
			lock(owners_lock);
			if
			:: owner = 0; unlock(owners_lock)
			:: true ->
				recording++;
				kept = last_loss;
				last_loss = 0;
				unlock(owners_lock);
				/* The way out. */
				lock(owners_lock);
				if
				::	/* Refused. */
#ifdef refusal_leaves_first
					owner = 0;
					unlock(owners_lock);
					lock(owners_lock);
#endif
#ifndef refusal_brings_nothing_back
					last_loss = kept;
#endif
					kept = 0;
					owner = 0;
					recording--;
					unlock(owners_lock);
					goto out
				:: true
				fi;
				kept = 0;
				recording--;
				loser = 0;
				entered = true;
				unlock(owners_lock);
				/* Lost. */
				lock(owners_lock);
				owner = 0;
				entered = false;
				loser = me;
				recording++;
#if defined(loser_records_late) || defined(loser_looks_at_nobody)
				unlock(owners_lock);
				lock(owners_lock);
#endif
				if
#ifdef loser_records_late
				:: owner && owner != me
#endif
				:: else -> last_loss = me
				fi;
				recording--;
				unlock(owners_lock)
			fi
		fi;
out:
		skip
	od
}

active proctype Reader()
{
	do
	:: d_step { !owners_lock && !recording -> assert(last_loss == loser) }
	od
}
