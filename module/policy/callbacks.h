/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the callbacks of the standard policy, in the form the border wants,
 * for the tables of this policy and of those that change a part of it.
 *
 * Example: constinit policy_operations table = {... .judge = standard::judge ...};
 *
 * Context: as policy.h says for each callback.
 */
#pragma once

#include "policy.h"

namespace task_isolation::standard
{

void prctl(const policy_call_facts *facts, policy_call_verdict *verdict);
void admit(const policy_admit_facts *facts, policy_admit_verdict *verdict);
void quiet(const policy_quiet_facts *facts, policy_quiet_verdict *verdict);
void judge(const policy_event *event, policy_verdict *verdict);
u32 cause_text(const policy_cause *cause, char *text, u32 size);
u32 loss_line(const policy_task *task, const policy_cause *cause, u32 log, char *text, u32 size);
u32 refusal_text(const policy_admit_facts *facts, u32 refusal, u32 unmet,
		 const policy_cause *in_the_way, char *text, u32 size);
u32 state_text(u32 state, char *text, u32 size);
s32 parse_cpulist(const char *text, u32 len, unsigned long *bits, u32 nbits);
u32 format_cpulist(const unsigned long *bits, u32 nbits, char *text, u32 size);
s32 parse_number(const char *text, u32 len, u32 max, u32 *value);
s32 parse_allow(const char *text, u32 len, u32 *allow, u32 *group);
u32 allow_text(u32 allow, u32 group, char *text, u32 size);

/* The standard policy under another name, to change a part of. */
[[nodiscard]] consteval policy_operations operations(const char *name)
{
	return {.abi_version = POLICY_ABI_VERSION,
		.size = sizeof(policy_operations),
		.owner = nullptr,
		.name = name,
		.prctl = prctl,
		.admit = admit,
		.quiet = quiet,
		.judge = judge,
		.cause_text = cause_text,
		.loss_line = loss_line,
		.refusal_text = refusal_text,
		.state_text = state_text,
		.parse_cpulist = parse_cpulist,
		.format_cpulist = format_cpulist,
		.parse_number = parse_number,
		.parse_allow = parse_allow,
		.allow_text = allow_text};
}

} // namespace task_isolation::standard

/* What module.c registers; not const because it fills in the owner. */
extern "C" struct policy_operations task_isolation_policy;
