// SPDX-License-Identifier: GPL-2.0
#include "admit.h"

#include "condition.h"
#include "tick_dependency.h"

namespace task_isolation
{
namespace
{

using Facts = const policy_admit_facts &;

/* A privileged caller may always enter: a group is let in beside it, not instead. */
constexpr bool allowed(Facts facts)
{
	switch (facts.allow) {
	case POLICY_ALLOW_ANY:
		return true;
	case POLICY_ALLOW_GROUP:
		return facts.in_group != 0 || facts.privileged != 0;
	default:
		return facts.privileged != 0;
	}
}

struct Objection {
	bool (*applies)(Facts facts);
	Refusal refusal;
	Errno error;
};

/* The order is promised by 2.7. */
// clang-format off
constexpr Objection objections[] = {
	{[](Facts facts) { return facts.switched_off != 0; },      Refusal::SwitchedOff, Errno::NotPermitted},
	{[](Facts facts) { return facts.released != 0; },          Refusal::Released,    Errno::NotPermitted},
	{[](Facts facts) { return !allowed(facts); },              Refusal::NotAllowed,  Errno::NotPermitted},
	{[](Facts facts) { return facts.affinity != 1; },          Refusal::Affinity,    Errno::Invalid},
	{[](Facts facts) { return facts.listed == 0; },            Refusal::NotListed,   Errno::Invalid},
	{[](Facts facts) { return facts.nohz_full == 0; },         Refusal::NotNohzFull, Errno::Invalid},
	{[](Facts facts) { return facts.out_of_balancing == 0; },  Refusal::Balanced,    Errno::Invalid},
	{[](Facts facts) { return facts.clock_stable == 0 ||
		(facts.tick_dependency & dependency_clock_unstable) != 0; }, Refusal::Clock, Errno::Invalid},
	{[](Facts facts) { return facts.deadline != 0; },          Refusal::Deadline,    Errno::Invalid},
	{[](Facts facts) { return facts.other_owner != 0; },       Refusal::Owned,       Errno::Busy},
	{[](Facts facts) { return facts.allocated == 0; },         Refusal::Memory,      Errno::NoMemory},
	{[](Facts facts) { return facts.traced != 0; },            Refusal::Traced,      Errno::Again},
	{[](Facts facts) { return (facts.tick_dependency & lasting_dependencies) != 0; },
		Refusal::Tick, Errno::Again},
};
// clang-format on

} // namespace

policy_admit_verdict admit(const policy_admit_facts &facts)
{
	for (const Objection &objection : objections) {
		if (objection.applies(facts))
			return {.error = negative(objection.error),
				.refusal = number_of(objection.refusal),
				.need = 0,
				.count_syscalls = 0};
	}
	return {.error = 0,
		.refusal = number_of(Refusal::None),
		.need = conditions_of_final_test,
		.count_syscalls = facts.mode == number_of(Mode::Persistent) ? 1U : 0U};
}

} // namespace task_isolation
