// SPDX-License-Identifier: GPL-2.0
#include "cause_text.h"

#include "condition.h"
#include "tick_dependency.h"

namespace task_isolation
{
namespace
{

/* "ipi", or "ipi FUNC" where the function is known. */
void write_named(TextWriter &writer, const char *word, const policy_cause &cause)
{
	const Span<char> name = until_nul(cause.name);

	writer.text(word);
	if (!name.empty())
		writer.text(" ").escaped(name);
}

/* "signal", or "signal 15" where the number is known. */
void write_numbered(TextWriter &writer, const char *word, s32 number, s32 lowest)
{
	writer.text(word);
	if (number >= lowest)
		writer.text(" ").signed_decimal(number);
}

void write_page_fault(TextWriter &writer, const policy_cause &cause)
{
	writer.text("page fault at ").hexadecimal(cause.address);
}

void write_tick(TextWriter &writer, const policy_cause &cause)
{
	writer.text("tick");
	if (cause.detail == 0)
		return;
	writer.text(" (");
	write_dependencies(writer, static_cast<u32>(cause.detail));
	writer.text(")");
}

void write_irq(TextWriter &writer, const policy_cause &cause)
{
	const Span<char> name = until_nul(cause.name);

	write_numbered(writer, "irq", cause.detail, 0);
	if (!name.empty())
		writer.text(" (").escaped(name).text(")");
}

void write_preempted(TextWriter &writer, const policy_cause &cause)
{
	const Span<char> name = until_nul(cause.name);

	writer.text("preempted");
	if (name.empty())
		return;
	writer.text(" by ");
	write_culprit(writer, {name, Pid{cause.detail}});
}

void write_unknown(TextWriter &writer, const policy_cause &cause)
{
	const bool vector = cause.detail > 0;
	const bool address = cause.address != 0;

	writer.text("unknown");
	if (!vector && !address)
		return;
	writer.text(" (");
	if (vector)
		writer.text("vector ").signed_decimal(cause.detail);
	if (vector && address)
		writer.text(" ");
	if (address)
		writer.text("at ").hexadecimal(cause.address);
	writer.text(")");
}

/* detail is the unmet bits here; for a task in the way, address is its pid. */
void write_not_quiet(TextWriter &writer, const policy_cause &cause)
{
	const u32 unmet = static_cast<u32>(cause.detail);
	const bool task = (unmet & TASK_ISOLATION_UNMET_TASK) != 0;

	writer.text("not quiet");
	if (unmet == 0)
		return;
	writer.text(" (");
	write_conditions(writer, unmet,
			 {until_nul(cause.name), Pid{task ? static_cast<s32>(cause.address) : 0}});
	writer.text(")");
}

} // namespace

void write_cause(TextWriter &writer, const policy_cause &cause)
{
	switch (static_cast<task_isolation_cause>(cause.cause)) {
	case TASK_ISOLATION_CAUSE_NONE:
		return;
	case TASK_ISOLATION_CAUSE_SYSCALL:
		return write_numbered(writer, "syscall", cause.detail, 0);
	case TASK_ISOLATION_CAUSE_PAGE_FAULT:
		return write_page_fault(writer, cause);
	case TASK_ISOLATION_CAUSE_TRAP:
		return write_numbered(writer, "trap", cause.detail, 0);
	case TASK_ISOLATION_CAUSE_TICK:
		return write_tick(writer, cause);
	case TASK_ISOLATION_CAUSE_TIMER:
		return write_named(writer, "timer", cause);
	case TASK_ISOLATION_CAUSE_IPI:
		return write_named(writer, "ipi", cause);
	case TASK_ISOLATION_CAUSE_RESCHEDULE:
		writer.text("reschedule");
		return;
	case TASK_ISOLATION_CAUSE_IRQ_WORK:
		return write_named(writer, "irq_work", cause);
	case TASK_ISOLATION_CAUSE_TLB_FLUSH:
		writer.text("tlb flush");
		return;
	case TASK_ISOLATION_CAUSE_IRQ:
		return write_irq(writer, cause);
	case TASK_ISOLATION_CAUSE_WORK:
		return write_named(writer, "work", cause);
	case TASK_ISOLATION_CAUSE_PREEMPTED:
		return write_preempted(writer, cause);
	case TASK_ISOLATION_CAUSE_NMI:
		writer.text("nmi");
		return;
	case TASK_ISOLATION_CAUSE_MACHINE_CHECK:
		writer.text("machine check");
		return;
	case TASK_ISOLATION_CAUSE_SIGNAL:
		return write_numbered(writer, "signal", cause.detail, 1);
	case TASK_ISOLATION_CAUSE_STOP:
		writer.text("stop");
		return;
	case TASK_ISOLATION_CAUSE_PTRACE:
		writer.text("ptrace");
		return;
	case TASK_ISOLATION_CAUSE_FREEZER:
		writer.text("freezer");
		return;
	case TASK_ISOLATION_CAUSE_AFFINITY:
		writer.text("affinity");
		return;
	case TASK_ISOLATION_CAUSE_CPUSET:
		writer.text("cpuset");
		return;
	case TASK_ISOLATION_CAUSE_HOTPLUG:
		writer.text("hotplug");
		return;
	case TASK_ISOLATION_CAUSE_RELEASE:
		writer.text("release");
		return;
	case TASK_ISOLATION_CAUSE_UNKNOWN:
		return write_unknown(writer, cause);
	case TASK_ISOLATION_CAUSE_NOT_QUIET:
		return write_not_quiet(writer, cause);
	}
	writer.text("unknown");
}

void write_loss_line(TextWriter &writer, const policy_task &task, const policy_cause &cause,
		     bool mode_lost)
{
	writer.escaped(until_nul(task.comm)).text("/").signed_decimal(task.pid);
	writer.text(mode_lost ? ": task_isolation mode lost due to "
			      : ": task_isolation interrupted by ");
	write_cause(writer, cause);
}

} // namespace task_isolation
