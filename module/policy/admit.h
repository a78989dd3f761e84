/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: may the caller enter, before anything is waited for (2.7, 6.8).
 *
 * Example: policy_admit_verdict verdict = admit(facts);
 *
 * Invariants: the first objection in the order of 2.7 answers, whatever else
 * is wrong too.
 */
#pragma once

#include "mode.h"

namespace task_isolation
{

enum class Refusal : u32 {
	None = POLICY_REFUSAL_NONE,
	SwitchedOff = POLICY_REFUSAL_SWITCHED_OFF,
	Released = POLICY_REFUSAL_RELEASED,
	NotAllowed = POLICY_REFUSAL_NOT_ALLOWED,
	Affinity = POLICY_REFUSAL_AFFINITY,
	NotListed = POLICY_REFUSAL_NOT_LISTED,
	NotNohzFull = POLICY_REFUSAL_NOT_NOHZ_FULL,
	Balanced = POLICY_REFUSAL_BALANCED,
	Clock = POLICY_REFUSAL_CLOCK,
	Deadline = POLICY_REFUSAL_DEADLINE,
	Owned = POLICY_REFUSAL_OWNED,
	Memory = POLICY_REFUSAL_MEMORY,
	Traced = POLICY_REFUSAL_TRACED,
	Tick = POLICY_REFUSAL_TICK,
	Task = POLICY_REFUSAL_TASK,
	Timer = POLICY_REFUSAL_TIMER,
	Timeout = POLICY_REFUSAL_TIMEOUT,
	Signal = POLICY_REFUSAL_SIGNAL,
	Never = POLICY_REFUSAL_NEVER,
	Flags = POLICY_REFUSAL_FLAGS,
};

constexpr u32 refusals = number_of(Refusal::Flags) + 1;

[[nodiscard]] policy_admit_verdict admit(const policy_admit_facts &facts);

} // namespace task_isolation
