// SPDX-License-Identifier: GPL-2.0
/*
 * Never ready: nobody becomes isolated. The final test is asked for a condition
 * that never holds, and every wait is given up at once.
 */
#include "admit.h"
#include "callbacks.h"
#include "quiet.h"

namespace task_isolation
{
namespace
{

/* The core takes this bit as unmet, always. */
constexpr u32 condition_never_met = 1U << 31;

void admit(const policy_admit_facts *facts, policy_admit_verdict *verdict)
{
	standard::admit(facts, verdict);
	if (verdict->error == 0)
		verdict->need |= condition_never_met;
}

void never(const policy_quiet_facts *, policy_quiet_verdict *verdict)
{
	*verdict = {.quiet = number_of(Quiet::Off),
		    .error = negative(Errno::Again),
		    .refusal = number_of(Refusal::Never)};
}

consteval policy_operations operations()
{
	policy_operations table = standard::operations("never_ready");

	table.admit = admit;
	table.quiet = never;
	return table;
}

} // namespace
} // namespace task_isolation

constinit policy_operations task_isolation_policy = task_isolation::operations();
