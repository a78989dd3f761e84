// SPDX-License-Identifier: GPL-2.0
#include "judge.h"

#include "prctl.h"

namespace task_isolation
{
namespace
{

enum class Sends : u32 { Nothing, WhatModeSays };

enum class Log : u32 { No = 0, Lost = 1, Interrupted = 2 };

enum class Count : u32 {
	None = POLICY_COUNT_NONE,
	Own = POLICY_COUNT_OWN,
	Foreign = POLICY_COUNT_FOREIGN,
	Absorbed = POLICY_COUNT_ABSORBED,
};

/* One field of the table. */
struct Answer {
	bool execute;
	Step step;
	Count count;
	bool record;
	Sends sends;
	Log log;
	bool may_wait;
};

// clang-format off
/*                      executes  step         counted as       recorded  sends                log               may wait */
constexpr Answer refused  {false, Step::Lose,  Count::Own,      true,     Sends::WhatModeSays, Log::Lost,        false};
constexpr Answer served   {true,  Step::Lose,  Count::Own,      true,     Sends::WhatModeSays, Log::Lost,        false};
constexpr Answer counted  {true,  Step::Stay,  Count::Own,      false,    Sends::Nothing,      Log::Interrupted, true};
constexpr Answer ended    {true,  Step::End,   Count::Own,      true,     Sends::Nothing,      Log::No,          false};
constexpr Answer exempt   {true,  Step::Stay,  Count::Own,      false,    Sends::Nothing,      Log::No,          true};

constexpr Answer disturbed{true,  Step::Lose,  Count::Foreign,  true,     Sends::WhatModeSays, Log::Lost,        false};
constexpr Answer drained  {true,  Step::Stay,  Count::Foreign,  false,    Sends::Nothing,      Log::Interrupted, false};
constexpr Answer stopped  {true,  Step::End,   Count::Foreign,  true,     Sends::Nothing,      Log::No,          false};
constexpr Answer delivered{true,  Step::Lose,  Count::Foreign,  true,     Sends::Nothing,      Log::Lost,        false};
constexpr Answer told     {true,  Step::Lose,  Count::Foreign,  true,     Sends::WhatModeSays, Log::Lost,        false};
constexpr Answer resumed  {true,  Step::Stay,  Count::Foreign,  false,    Sends::Nothing,      Log::Interrupted, true};
constexpr Answer absorbed {true,  Step::Stay,  Count::Absorbed, false,    Sends::Nothing,      Log::No,          true};

/* The execve itself was counted when it was a system call. */
constexpr Answer carried  {true,  Step::Stay,  Count::None,     false,    Sends::Nothing,      Log::No,          true};
constexpr Answer exec_lost{true,  Step::Lose,  Count::None,     true,     Sends::WhatModeSays, Log::Lost,        false};
constexpr Answer exec_off {true,  Step::End,   Count::None,     true,     Sends::Nothing,      Log::No,          false};
constexpr Answer gone     {true,  Step::End,   Count::None,     false,    Sends::Nothing,      Log::No,          false};

constexpr Table<Event, Table<Mode, Answer, modes>, event_rows> verdicts{{
	/*                         strict      signal      persistent  one-shot */
	/* 3.1 Syscall */        {{refused,    refused,    counted,    ended}},
	/* 3.2 Fault */          {{served,     served,     counted,    ended}},
	/* 3.3 Interference */   {{disturbed,  disturbed,  drained,    stopped}},
	/* 3.4 Delivery */       {{delivered,  told,       delivered,  stopped}},
	/* 3.5 Passing */        {{delivered,  told,       resumed,    stopped}},
	/* 3.6 Nmi */            {{disturbed,  disturbed,  drained,    stopped}},
	/* 3.7 Absorbed */       {{absorbed,   absorbed,   absorbed,   absorbed}},
	/* 4.2 Exec */           {{exec_lost,  exec_lost,  carried,    exec_off}},
	/* 4.3 Exit */           {{gone,       gone,       gone,       gone}},
	/* 3.8 ExemptSyscall */  {{exempt,     exempt,     exempt,     exempt}},
	/* 4.2 PrivilegedExec */ {{exec_lost,  exec_lost,  exec_lost,  exec_off}},
}};
// clang-format on

/* 3.10 and 7.2: what ends isolation is recorded; what does not, sends nothing. */
consteval bool every_end_is_recorded()
{
	for (u32 event = 0; event < event_rows; event++) {
		for (u32 mode = 0; mode < modes; mode++) {
			const Answer &answer = verdicts.rows[event].rows[mode];
			const bool ends = answer.step != Step::Stay;
			const bool recorded =
				answer.record || static_cast<Event>(event) == Event::Exit;

			if (ends != recorded)
				return false;
			if (!ends && (answer.sends != Sends::Nothing || answer.log == Log::Lost))
				return false;
		}
	}
	return true;
}
static_assert(every_end_is_recorded());

/*
 * 3.3 and 3.12: only the task's own entries, and what predates them, are waited
 * for; and a stop or its like (3.5), after which nothing is as it was.
 */
consteval bool foreign_never_waits()
{
	for (u32 event = 0; event < event_rows; event++) {
		for (const Answer &answer : verdicts.rows[event].rows) {
			if (answer.count == Count::Foreign && answer.may_wait &&
			    static_cast<Event>(event) != Event::Passing)
				return false;
		}
	}
	return true;
}
static_assert(foreign_never_waits());

/* 3.8; prctl takes its first argument as an int, so the upper half does not count. */
bool is_exempt(const policy_event &event)
{
	switch (event.syscall) {
	case POLICY_SYSCALL_EXIT:
	case POLICY_SYSCALL_EXIT_GROUP:
	case POLICY_SYSCALL_RT_SIGRETURN:
	case POLICY_SYSCALL_SIGRETURN:
		return true;
	case POLICY_SYSCALL_PRCTL:
		return is_ours(static_cast<u32>(event.argument));
	default:
		return false;
	}
}

Result<Event, Errno> row_of(const policy_event &event)
{
	if (event.kind >= POLICY_EVENTS)
		return Errno::Invalid;

	const Event kind = static_cast<Event>(event.kind);

	if (kind == Event::Syscall && is_exempt(event))
		return Event::ExemptSyscall;
	if (kind == Event::Exec && event.privileged_exec != 0)
		return Event::PrivilegedExec;
	return kind;
}

SignalNumber signal_of(Mode mode, SignalNumber chosen)
{
	switch (mode) {
	case Mode::Strict:
		return signal_kill;
	case Mode::Signal:
		return chosen;
	case Mode::Persistent:
	case Mode::Oneshot:
		return no_signal;
	}
	return no_signal;
}

/* An entry that isolation has no say in: it is served, and nothing else. */
policy_verdict neutral(u32 state)
{
	return {.execute = 1,
		.state = state,
		.count = number_of(Count::None),
		.record = 0,
		.signal = no_signal.value(),
		.log = number_of(Log::No),
		.may_wait = 0};
}

/* Off and lost tasks only end; one that is entering is cut short by a delivery too. */
policy_verdict unprotected(State state, Event row)
{
	if (row == Event::Exit || (row == Event::Delivery && state == State::Entering))
		return neutral(number_of(next(state, Step::End)));
	return neutral(number_of(state));
}

/* A signal that the task's own instruction brought came with an own entry. */
Count counted_as(const policy_event &event, Count count)
{
	if (event.counted != 0)
		return Count::None;
	return event.own != 0 && count == Count::Foreign ? Count::Own : count;
}

} // namespace

policy_verdict judge(const policy_event &event)
{
	const Result<Event, Errno> row = row_of(event);
	const Result<Mode, Errno> mode = mode_from(event.mode);
	const Result<State, Errno> state = state_from(event.state);

	if (!row.ok() || !mode.ok() || !state.ok())
		return neutral(event.state);
	if (!is_protected(state.value()))
		return unprotected(state.value(), row.value());

	const Answer &answer = verdicts[row.value()][mode.value()];
	const bool late = state.value() == State::Late;
	const SignalNumber sent = answer.sends == Sends::WhatModeSays
					  ? signal_of(mode.value(), SignalNumber{event.signal})
					  : no_signal;

	return {.execute = answer.execute ? 1U : 0U,
		.state = number_of(next(state.value(), answer.step)),
		.count = number_of(late ? Count::None : counted_as(event, answer.count)),
		.record = answer.record ? 1U : 0U,
		.signal = sent.value(),
		.log = number_of(late && answer.step == Step::Stay ? Log::No : answer.log),
		.may_wait = answer.may_wait ? 1U : 0U};
}

} // namespace task_isolation
