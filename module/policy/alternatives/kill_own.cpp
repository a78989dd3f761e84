// SPDX-License-Identifier: GPL-2.0
/*
 * Kill on the first own entry: a system call that is not exempt, or a fault, is
 * SIGKILL in every mode. Everything else is as in the standard policy.
 */
#include "callbacks.h"
#include "judge.h"

namespace task_isolation
{
namespace
{

/* The core must ask for every system call instead of counting it by itself. */
void admit(const policy_admit_facts *facts, policy_admit_verdict *verdict)
{
	standard::admit(facts, verdict);
	verdict->count_syscalls = 0;
}

/* Strict tasks are killed on their own entries already: judge as if all were strict. */
void kill_own(const policy_event *event, policy_verdict *verdict)
{
	policy_event as_strict = *event;

	if (event->kind == POLICY_EVENT_SYSCALL || event->kind == POLICY_EVENT_FAULT)
		as_strict.mode = POLICY_MODE_STRICT;
	standard::judge(&as_strict, verdict);
}

consteval policy_operations operations()
{
	policy_operations table = standard::operations("kill_own");

	table.admit = admit;
	table.judge = kill_own;
	return table;
}

} // namespace
} // namespace task_isolation

constinit policy_operations task_isolation_policy = task_isolation::operations();
