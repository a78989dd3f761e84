/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: why a task may not enter: what is in the way, its value, and the
 * cure (2.9).
 *
 * Example: "task_isolation: CPU 5 is not nohz_full; boot with nohz_full=5 or
 * task_isolation=5"
 *
 * Invariants: with short names every text fits the info call's field, cure
 * included.
 */
#pragma once

#include "admit.h"
#include "lib/text_writer.h"

namespace task_isolation
{

/* in_the_way may be null: the name is then left out. */
void write_refusal(TextWriter &writer, const policy_admit_facts &facts, Refusal refusal, u32 unmet,
		   const policy_cause *in_the_way);

} // namespace task_isolation
