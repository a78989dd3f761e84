/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: which prctl calls are ours, and what their flags ask for (2.1 to
 * 2.5).
 *
 * Example: Result<Request, Errno> request = request_from(arg2);
 *
 * Invariants: a Request exists only for flags that the interface allows; its
 * signal is 0 exactly in the modes that send none.
 */
#pragma once

#include "linux/task_isolation.h"
#include "mode.h"

namespace task_isolation
{

enum class Call : u32 {
	NotOurs = POLICY_CALL_NOT_OURS,
	Return = POLICY_CALL_RETURN,
	Enter = POLICY_CALL_ENTER,
	Leave = POLICY_CALL_LEAVE,
	Info = POLICY_CALL_INFO,
};

/* What PR_SET_TASK_ISOLATION asks for. */
struct Request {
	Mode mode{Mode::Strict};
	SignalNumber signal{no_signal};
	bool nowait{false};
};

/* Whether option, the first argument of prctl, is one of the three calls. */
[[nodiscard]] bool is_ours(u32 option);

constexpr u64 signal_field = PR_TASK_ISOLATION_SET_SIG(0x7fU);
constexpr u64 known_flags = PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_USERSIG |
			    PR_TASK_ISOLATION_ONESHOT | PR_TASK_ISOLATION_NOWAIT | signal_field;

/* Flags that are not 0. */
[[nodiscard]] Result<Request, Errno> request_from(u64 flags);

[[nodiscard]] policy_call_verdict dispatch(const policy_call_facts &facts);

} // namespace task_isolation
