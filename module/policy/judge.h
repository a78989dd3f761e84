/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: what an interruption does to the task that suffered it (part 3 of
 * the specification, 4.2, 4.3).
 *
 * Example: a page fault of a strict task
 *	-> served, isolation lost, counted as own, recorded, logged, SIGKILL
 *
 * Invariants: whatever ends isolation of a task that does not end itself is
 * recorded; a signal is sent for a loss only; each entry of an isolated task
 * adds to exactly one counter. Entries while late are counted by the shell in
 * a counter of their own, so here they add to none.
 */
#pragma once

#include "mode.h"
#include "state.h"

namespace task_isolation
{

enum class Event : u32 {
	Syscall = POLICY_EVENT_SYSCALL,
	Fault = POLICY_EVENT_FAULT,
	Interference = POLICY_EVENT_INTERFERENCE,
	Delivery = POLICY_EVENT_DELIVERY,
	Passing = POLICY_EVENT_PASSING,
	Nmi = POLICY_EVENT_NMI,
	Absorbed = POLICY_EVENT_ABSORBED,
	Exec = POLICY_EVENT_EXEC,
	Exit = POLICY_EVENT_EXIT,
	/* Rows the table needs beside those of the border: */
	ExemptSyscall = POLICY_EVENTS,
	PrivilegedExec,
};

constexpr u32 event_rows = number_of(Event::PrivilegedExec) + 1;

[[nodiscard]] policy_verdict judge(const policy_event &event);

} // namespace task_isolation
