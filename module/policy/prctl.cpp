// SPDX-License-Identifier: GPL-2.0
#include "prctl.h"

namespace task_isolation
{
namespace
{

constexpr u32 last_signal = 64;

/* Signals that do nothing or stop by default, in the numbering of x86 and arm64. */
constexpr u32 harmless_signals[] = {
	17, /* SIGCHLD */
	18, /* SIGCONT */
	19, /* SIGSTOP */
	20, /* SIGTSTP */
	21, /* SIGTTIN */
	22, /* SIGTTOU */
	23, /* SIGURG */
	28, /* SIGWINCH */
};

/*
 * A chosen signal is forced, which falls back to the default action; one that
 * does not terminate would let a task that ignores it run on unprotected.
 */
constexpr bool terminates(SignalNumber signal)
{
	if (signal.value() == 0 || signal.value() > last_signal)
		return false;
	for (const u32 harmless : harmless_signals) {
		if (signal.value() == harmless)
			return false;
	}
	return true;
}

static_assert(terminates(signal_kill) && terminates(SignalNumber{10}) &&
	      terminates(SignalNumber{64}));
static_assert(!terminates(no_signal) && !terminates(SignalNumber{17}) &&
	      !terminates(SignalNumber{65}));

policy_call_verdict returns(s64 result)
{
	return {.call = number_of(Call::Return),
		.mode = 0,
		.signal = 0,
		.nowait = 0,
		.result = result};
}

policy_call_verdict only(Call call)
{
	return {.call = number_of(call), .mode = 0, .signal = 0, .nowait = 0, .result = 0};
}

policy_call_verdict set(u64 flags)
{
	if (flags == 0)
		return only(Call::Leave);

	const Result<Request, Errno> request = request_from(flags);

	if (!request.ok())
		return returns(negative(request.error()));
	return {.call = number_of(Call::Enter),
		.mode = number_of(request.value().mode),
		.signal = request.value().signal.value(),
		.nowait = request.value().nowait ? 1U : 0U,
		.result = 0};
}

} // namespace

bool is_ours(u32 option)
{
	return option == PR_SET_TASK_ISOLATION || option == PR_GET_TASK_ISOLATION ||
	       option == PR_TASK_ISOLATION_INFO;
}

Result<Request, Errno> request_from(u64 flags)
{
	if ((flags & ~known_flags) != 0 || (flags & PR_TASK_ISOLATION_ENABLE) == 0)
		return Errno::Invalid;

	const bool usersig = (flags & PR_TASK_ISOLATION_USERSIG) != 0;
	const bool oneshot = (flags & PR_TASK_ISOLATION_ONESHOT) != 0;
	const bool nowait = (flags & PR_TASK_ISOLATION_NOWAIT) != 0;
	const SignalNumber chosen{static_cast<u32>(PR_TASK_ISOLATION_GET_SIG(flags))};
	const bool chose = !(chosen == no_signal);

	if (oneshot && (usersig || chose))
		return Errno::Invalid;
	if (chose && !terminates(chosen))
		return Errno::Invalid;

	if (oneshot)
		return Request{Mode::Oneshot, no_signal, nowait};
	if (chose)
		return Request{Mode::Signal, chosen, nowait};
	if (usersig)
		return Request{Mode::Persistent, no_signal, nowait};
	return Request{Mode::Strict, signal_kill, nowait};
}

policy_call_verdict dispatch(const policy_call_facts &facts)
{
	switch (facts.option) {
	case PR_SET_TASK_ISOLATION:
		return set(facts.arg2);
	case PR_GET_TASK_ISOLATION:
		return returns(static_cast<s64>(facts.flags));
	case PR_TASK_ISOLATION_INFO:
		if (facts.arg4 != 0 || facts.arg5 != 0)
			return returns(negative(Errno::Invalid));
		return only(Call::Info);
	default:
		return only(Call::NotOurs);
	}
}

} // namespace task_isolation
