// SPDX-License-Identifier: GPL-2.0
#include "refusal_text.h"

#include "condition.h"
#include "prctl.h"
#include "tick_dependency.h"

namespace task_isolation
{
namespace
{

using Facts = const policy_admit_facts &;

/* What names somebody: detail is a pid only where the cause is a task. */
Culprit culprit_of(const policy_cause *in_the_way)
{
	if (in_the_way == nullptr)
		return {{nullptr, 0}, Pid{0}};
	return {until_nul(in_the_way->name),
		Pid{in_the_way->cause == TASK_ISOLATION_CAUSE_PREEMPTED ? in_the_way->detail : 0}};
}

TextWriter &write_cpu(TextWriter &writer, Facts facts)
{
	return writer.text("CPU ").signed_decimal(facts.cpu);
}

void write_not_allowed(TextWriter &writer, Facts facts)
{
	if (facts.allow == POLICY_ALLOW_GROUP)
		writer.text("caller is not in the group of 'allow'; join it or write 'any' there");
	else
		writer.text("caller lacks CAP_SYS_NICE; grant it or write gid=N or any to 'allow'");
}

void write_affinity(TextWriter &writer, Facts facts)
{
	if (facts.affinity == 1)
		writer.text("affinity, CPU or list changed while entering; bind and call again");
	else
		writer.text("affinity is ")
			.decimal(facts.affinity)
			.text(" CPUs; bind the caller to one task-isolation CPU");
}

void write_boot_words(TextWriter &writer, Facts facts, const char *state, const char *word)
{
	write_cpu(writer, facts).text(state).text(word).signed_decimal(facts.cpu);
	writer.text(" or task_isolation=").signed_decimal(facts.cpu);
}

/* The checks of request_from(), in its order. */
void write_flags(TextWriter &writer, u64 flags)
{
	writer.text("flags ").hexadecimal(flags);
	if ((flags & ~known_flags) != 0)
		writer.text(" have unknown bits ")
			.hexadecimal(flags & ~known_flags)
			.text("; leave them out");
	else if ((flags & PR_TASK_ISOLATION_ENABLE) == 0)
		writer.text(" lack ENABLE; add it, or pass 0 to leave");
	else if ((flags & PR_TASK_ISOLATION_ONESHOT) != 0)
		writer.text(": ONESHOT goes with no signal; leave one out");
	else
		writer.text(": signal ")
			.decimal(PR_TASK_ISOLATION_GET_SIG(flags))
			.text(" ends no process by default; choose one that does");
}

void write_owned(TextWriter &writer, Facts facts)
{
	write_cpu(writer, facts).text(" is owned by ");
	/* The shell keeps tasks of others to itself. */
	if (facts.other_owner_pid > 0)
		writer.text("PID ").signed_decimal(facts.other_owner_pid);
	else
		writer.text("another task");
	writer.text("; use another CPU or end that task");
}

/* The dependency's own cure, where there is one. */
void write_tick_held(TextWriter &writer, Facts facts)
{
	write_cpu(writer, facts).text(" keeps its tick");
	if (facts.tick_dependency != 0) {
		writer.text(" (");
		write_dependencies(writer, facts.tick_dependency);
		writer.text(")");
	}
	if ((facts.tick_dependency & dependency_posix_timer) != 0)
		writer.text("; disarm the CPU timers");
	else if ((facts.tick_dependency & dependency_perf_events) != 0)
		writer.text("; close its perf events");
	else
		writer.text("; retry without NOWAIT");
}

void write_task(TextWriter &writer, Facts facts, const Culprit &culprit)
{
	write_cpu(writer, facts).text(" also runs ");
	if (culprit.name.empty())
		writer.text("another task");
	else
		write_culprit(writer, culprit);
	writer.text("; move it away and retry");
}

void write_timer(TextWriter &writer, Facts facts, const Culprit &culprit)
{
	writer.text("timer ");
	if (!culprit.name.empty())
		writer.escaped(culprit.name).text(" ");
	writer.text("on ");
	write_cpu(writer, facts).text(" is due too late; stop it or raise timeout_ms");
}

void write_timeout(TextWriter &writer, Facts facts, u32 unmet, const Culprit &culprit)
{
	write_cpu(writer, facts).text(" not quiet in time");
	if (unmet != 0) {
		writer.text(": ");
		write_conditions(writer, unmet, culprit);
	}
	writer.text("; raise timeout_ms");
}

} // namespace

void write_refusal(TextWriter &writer, const policy_admit_facts &facts, Refusal refusal, u32 unmet,
		   const policy_cause *in_the_way)
{
	const Culprit culprit = culprit_of(in_the_way);

	if (refusal == Refusal::None)
		return;
	writer.text("task_isolation: ");
	switch (refusal) {
	case Refusal::None:
		return;
	case Refusal::SwitchedOff:
		writer.text("booted with notaskisolation; boot without it");
		return;
	case Refusal::Released:
		writer.text("released; write 0 to /sys/kernel/task_isolation/release");
		return;
	case Refusal::NotAllowed:
		return write_not_allowed(writer, facts);
	case Refusal::Affinity:
		return write_affinity(writer, facts);
	case Refusal::NotListed:
		write_cpu(writer, facts)
			.text(" is not a task-isolation CPU; bind to one or add it to the list");
		return;
	case Refusal::NotNohzFull:
		return write_boot_words(writer, facts, " is not nohz_full; boot with ",
					"nohz_full=");
	case Refusal::Balanced:
		return write_boot_words(writer, facts, " is load balanced; boot with ",
					"isolcpus=domain,");
	case Refusal::Clock:
		writer.text("the clock of ");
		write_cpu(writer, facts).text(" is unstable; boot with tsc=reliable if it is not");
		return;
	case Refusal::Deadline:
		writer.text("caller is SCHED_DEADLINE; use SCHED_OTHER or SCHED_FIFO");
		return;
	case Refusal::Owned:
		return write_owned(writer, facts);
	case Refusal::Memory:
		writer.text("no memory for an owner; free some and retry");
		return;
	case Refusal::Traced:
		writer.text("caller is being traced; detach the tracer and retry");
		return;
	case Refusal::Tick:
		return write_tick_held(writer, facts);
	case Refusal::Task:
		return write_task(writer, facts, culprit);
	case Refusal::Timer:
		return write_timer(writer, facts, culprit);
	case Refusal::Timeout:
		return write_timeout(writer, facts, unmet, culprit);
	case Refusal::Signal:
		writer.text("a signal handler ran while waiting; call again");
		return;
	case Refusal::Never:
		writer.text("this policy never says ready; write another name to 'policy'");
		return;
	case Refusal::Flags:
		return write_flags(writer, in_the_way == nullptr ? 0 : in_the_way->address);
	}
}

} // namespace task_isolation
