// SPDX-License-Identifier: GPL-2.0
#include "condition.h"

namespace task_isolation
{
namespace
{

struct ConditionName {
	u32 bit;
	const char *name;
};

/* The culprit's name belongs to the first condition of this list that is unmet. */
constexpr ConditionName condition_names[] = {
	{TASK_ISOLATION_UNMET_TASK, "runnable task"},
	{TASK_ISOLATION_UNMET_TIMER, "timer"},
	{TASK_ISOLATION_UNMET_TICK, "tick"},
	{TASK_ISOLATION_UNMET_IRQ_WORK, "irq_work"},
	{TASK_ISOLATION_UNMET_CALL, "call-function work"},
	{TASK_ISOLATION_UNMET_CPU, "affinity"},
	{TASK_ISOLATION_UNMET_WORK, "exit work"},
	{TASK_ISOLATION_UNMET_SOFTIRQ, "softirq"},
	{TASK_ISOLATION_UNMET_BATCH, "batches"},
	{TASK_ISOLATION_UNMET_VMSTAT, "vmstat"},
	{TASK_ISOLATION_UNMET_INTERRUPT, "pending interrupt"},
	{TASK_ISOLATION_UNMET_RCU, "rcu callbacks"},
	{TASK_ISOLATION_UNMET_FAIR_SERVER, "fair server"},
};

consteval u32 named_conditions()
{
	u32 named = 0;

	for (const ConditionName &row : condition_names)
		named |= row.bit;
	return named;
}
static_assert(named_conditions() == conditions_all);

} // namespace

void write_culprit(TextWriter &writer, const Culprit &culprit)
{
	writer.escaped(culprit.name);
	if (Pid{0} < culprit.pid)
		writer.text("/").signed_decimal(culprit.pid.value());
}

void write_conditions(TextWriter &writer, u32 unmet, const Culprit &culprit)
{
	const char *separator = "";
	bool named = culprit.name.empty();

	for (const ConditionName &row : condition_names) {
		if ((unmet & row.bit) == 0)
			continue;
		writer.text(separator).text(row.name);
		if (!named) {
			writer.text(" ");
			write_culprit(writer, culprit);
			named = true;
		}
		separator = ", ";
		unmet &= ~row.bit;
	}
	if (unmet != 0)
		writer.text(separator).hexadecimal(unmet);
}

} // namespace task_isolation
