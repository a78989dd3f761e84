/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the conditions of a quiet CPU (TASK_ISOLATION_UNMET_*, 5.2): which
 * can be met by doing work in place, which must hold, what they are called.
 *
 * Example: write_conditions(writer, unmet, culprit);
 *
 * Invariants: each bit of the uapi header is in exactly one of the groups
 * below (asserted).
 */
#pragma once

#include "lib/strong.h"
#include "lib/text_writer.h"
#include "linux/task_isolation.h"

namespace task_isolation
{

/* Ended by draining, folding and serving what is pending, without waiting. */
constexpr u32 conditions_in_place =
	TASK_ISOLATION_UNMET_WORK | TASK_ISOLATION_UNMET_SOFTIRQ | TASK_ISOLATION_UNMET_BATCH |
	TASK_ISOLATION_UNMET_VMSTAT | TASK_ISOLATION_UNMET_IRQ_WORK | TASK_ISOLATION_UNMET_CALL |
	TASK_ISOLATION_UNMET_INTERRUPT | TASK_ISOLATION_UNMET_FAIR_SERVER;

/* Each has an end of its own that can be waited for. */
constexpr u32 conditions_to_await = TASK_ISOLATION_UNMET_TASK | TASK_ISOLATION_UNMET_RCU |
				    TASK_ISOLATION_UNMET_TIMER | TASK_ISOLATION_UNMET_TICK;

/* Never ends by itself. */
constexpr u32 conditions_for_good = TASK_ISOLATION_UNMET_CPU;

constexpr u32 conditions_all = (TASK_ISOLATION_UNMET_FAIR_SERVER << 1) - 1;

/* RCU callbacks only delay entering: an offloaded CPU never runs them itself. */
constexpr u32 conditions_of_final_test = conditions_all & ~TASK_ISOLATION_UNMET_RCU;

static_assert((conditions_in_place ^ conditions_to_await ^ conditions_for_good) == conditions_all);

/* Who is in the way, as far as it is known. */
struct Culprit {
	Span<char> name; /* empty: not known */
	Pid pid;	 /* 0: not known */
};

/* Names of all bits, e.g. "runnable task kworker/2:1/117, vmstat". */
void write_conditions(TextWriter &writer, u32 unmet, const Culprit &culprit);

/* COMM/PID; COMM alone without a pid. */
void write_culprit(TextWriter &writer, const Culprit &culprit);

} // namespace task_isolation
