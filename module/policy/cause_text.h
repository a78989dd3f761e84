/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: what interrupted a task, in words (6.10), and the log line that
 * says so (6.9).
 *
 * Example: "spin/812: task_isolation mode lost due to irq 7 (eth0)"
 *
 * Invariants: what is not known is left out, never guessed. Every name comes
 * from outside and is escaped.
 */
#pragma once

#include "lib/text_writer.h"
#include "policy.h"

namespace task_isolation
{

void write_cause(TextWriter &writer, const policy_cause &cause);

/* mode_lost false: an interruption that did not end isolation. */
void write_loss_line(TextWriter &writer, const policy_task &task, const policy_cause &cause,
		     bool mode_lost);

} // namespace task_isolation
