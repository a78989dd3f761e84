/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the CPU is not quiet: do something, wait for something, or give up
 * (5.1 to 5.4, 3.8, 3.12).
 *
 * Example:
 *	unmet BATCH			-> Quiesce, then test again
 *	unmet TASK			-> Yield
 *	unmet TIMER due after the limit	-> give up at once
 *
 * Invariants: a wait is answered only for a condition that ends by itself, and
 * only before the limit; after a foreign entry there is none. Giving up never
 * leaves a strict task running unprotected without a word.
 */
#pragma once

#include "admit.h"
#include "state.h"

namespace task_isolation
{

enum class Quiet : u32 {
	Go = POLICY_QUIET_GO,
	Quiesce = POLICY_QUIET_QUIESCE,
	Yield = POLICY_QUIET_YIELD,
	Rcu = POLICY_QUIET_RCU,
	Timer = POLICY_QUIET_TIMER,
	Tick = POLICY_QUIET_TICK,
	Late = POLICY_QUIET_LATE,
	Off = POLICY_QUIET_OFF,
	Loss = POLICY_QUIET_LOSS,
};

[[nodiscard]] policy_quiet_verdict make_quiet(const policy_quiet_facts &facts);

} // namespace task_isolation
