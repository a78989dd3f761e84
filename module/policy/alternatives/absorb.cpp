// SPDX-License-Identifier: GPL-2.0
/*
 * Absorb everything: no interruption is a loss in any mode, all are counted as
 * absorbed. Deliveries and the task's end are as in the standard policy.
 */
#include "callbacks.h"
#include "judge.h"

namespace task_isolation
{
namespace
{

/* The core must ask for every system call, or persistent tasks count their own. */
void admit(const policy_admit_facts *facts, policy_admit_verdict *verdict)
{
	standard::admit(facts, verdict);
	verdict->count_syscalls = 0;
}

void absorb(const policy_event *event, policy_verdict *verdict)
{
	if (event->kind == POLICY_EVENT_DELIVERY || event->kind == POLICY_EVENT_EXIT)
		return standard::judge(event, verdict);
	*verdict = {.execute = 1,
		    .state = event->state,
		    .count = event->counted != 0 ? u32{POLICY_COUNT_NONE}
						 : u32{POLICY_COUNT_ABSORBED},
		    .record = 0,
		    .signal = 0,
		    .log = 0,
		    .may_wait = 1};
}

consteval policy_operations operations()
{
	policy_operations table = standard::operations("absorb");

	table.admit = admit;
	table.judge = absorb;
	return table;
}

} // namespace
} // namespace task_isolation

constinit policy_operations task_isolation_policy = task_isolation::operations();
