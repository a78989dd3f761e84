/* SPDX-License-Identifier: GPL-2.0 */
/*
 * No text of the module runs when it is gone (docs/ordering.md, "Unload").
 *
 * Who owns nothing is in the module under SRCU; an owner pins it, and lets go in a callback, whose text SRCU keeps; who
 * is in one of its files is waited for with the file. The failures: text that runs when the module is gone; an owner
 * who finds no table.
 *
 * One task, one writer of "release", one RCU callback; calls and stays without limit, one removal.
 *
 * Reached:
 *  reach Remover@waits && readers > 0: a caller is inside when the removal begins
 *  reach Remover@waits && Task@let_go: an owner has let go of the module and still runs there
 *  reach Task@refused: the module goes, and nobody becomes an owner
 *  reach Remover@waits_for_files && Root@in_the_file: somebody writes "release" meanwhile
 *  reach Remover@waits_for_callbacks && queued: a callback of an abandoned wait is on its way
 *
 * Found:
 *  break caller_has_no_srcu: it reads the table and calls
 *  break caller_reads_early: the table, before SRCU is held
 *  break owner_has_no_srcu: around a callback, in which it lets go
 *  break owner_does_not_pin: SRCU alone
 *  break pin_takes_what_goes: a pin that does not ask whether the module is being removed
 *  break remover_does_not_wait: no synchronize_srcu()
 *  break remover_clears_late: the table, after waiting
 *  break remover_leaves_the_files: to the end
 *  break remover_has_no_rcu_barrier: a callback is not waited for
 *  break rcu_barrier_comes_first: before the callers have left
 */
bool serving = true;	/* the table */
bool going;		/* the module's own state */
bool gone;
byte pins;
byte readers;		/* of SRCU */
byte writers;		/* in a file */
bool files = true;
bool queued;		/* an RCU callback with text of the module */
bool owner;

/* Of the module; anything may happen in between. */
inline run_text()
{
	assert(!gone);
	assert(!gone)
}

inline go_inside()
{
	readers++
}

inline come_out()
{
	readers--
}

/* try_module_get() */
inline pin()
{
#ifdef owner_does_not_pin
	got = true
#elif defined(pin_takes_what_goes)
	d_step { pins++; got = true }
#else
	d_step {
		got = !going;
		if
		:: got -> pins++
		:: else
		fi
	}
#endif
}

inline let_go_of_it()
{
#ifndef owner_does_not_pin
	pins--
#else
	skip
#endif
}

active proctype Task()
{
	bool table, got, owned;

	do
	:: !owner ->	/* prctl() */
#ifdef caller_reads_early
		table = serving;
		go_inside();
#else
#ifndef caller_has_no_srcu
		go_inside();
#endif
		table = serving;
#endif
		if
		:: table ->
			run_text();
			pin();
			if
			:: got -> owner = true
			:: else ->
refused:
				skip
			fi;
			if
			:: !queued -> queued = true
			:: true
			fi;
			run_text()
		:: else
		fi;
#ifndef caller_has_no_srcu
		come_out();
#endif
		d_step { table = false; got = false }
	:: atomic {	/* A callback: while the task is inside nobody else detaches it. */
			owner ->
			owned = true;
			assert(serving);
#ifndef owner_has_no_srcu
			go_inside();
#endif
			owner = false
		};
		run_text();
		if
		:: true ->
			owned = false;
			let_go_of_it();
let_go:
			run_text()
		:: true
		fi;
		d_step { owner = owned; owned = false };
#ifndef owner_has_no_srcu
		come_out()
#endif
	od
}

/* Somebody writes "release", and detaches an owner that sleeps. */
active proctype Root()
{
	bool detached;

	do
	:: d_step { files -> writers++ };
in_the_file:
		run_text();
		atomic { detached = owner; owner = false };
		if
		:: detached ->
			assert(serving);
			let_go_of_it();
			detached = false
		:: else
		fi;
		run_text();
		writers--
	:: !files -> break
	od
}

active proctype Callbacks()
{
end:
	do
	:: queued ->
		run_text();
		queued = false
	od
}

inline clear_table()
{
	serving = false
}

active proctype Remover()
{
	d_step { pins == 0 -> going = true };
#ifdef rcu_barrier_comes_first
	!queued;
#endif
#ifndef remover_clears_late
	clear_table();
#endif
waits:
#ifndef remover_does_not_wait
	readers == 0;
#endif
#ifdef remover_clears_late
	clear_table();
#endif
#ifndef remover_leaves_the_files
	files = false;
waits_for_files:
	writers == 0;
#endif
waits_for_callbacks:
#if !defined(remover_has_no_rcu_barrier) && !defined(rcu_barrier_comes_first)
	!queued;
#endif
	gone = true;
	files = false
}
