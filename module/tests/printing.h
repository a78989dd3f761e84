/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: verdicts of the border as short words, so that a test compares and
 * shows one line instead of a structure.
 *
 * Example: EXPECT_EQ(words(verdict), "run isolated own wait");
 *
 * Invariants: two verdicts have the same words only if they are the same.
 */
#pragma once

#include <string>

#include "policy.h"

namespace task_isolation::test
{

inline std::string state_name(u32 state)
{
	static const char *const names[] = {"off", "entering", "isolated", "late", "lost"};

	return state < 5 ? names[state] : "state" + std::to_string(state);
}

inline std::string words(const policy_verdict &verdict)
{
	static const char *const counts[] = {"", " own", " foreign", " absorbed"};
	static const char *const logs[] = {"", " log", " debug"};

	std::string text = verdict.execute != 0 ? "run " : "refuse ";

	text += state_name(verdict.state);
	text += counts[verdict.count];
	text += verdict.record != 0 ? " record" : "";
	text += verdict.signal != 0 ? " signal" + std::to_string(verdict.signal) : "";
	text += logs[verdict.log];
	text += verdict.may_wait != 0 ? " wait" : "";
	return text;
}

inline std::string words(const policy_quiet_verdict &verdict)
{
	static const char *const names[] = {"go",   "quiesce", "yield", "rcu", "timer",
					    "tick", "late",    "off",	"loss"};
	std::string text = names[verdict.quiet];

	if (verdict.error != 0 || verdict.refusal != 0)
		text += " " + std::to_string(verdict.error) + " " + std::to_string(verdict.refusal);
	return text;
}

} // namespace task_isolation::test
