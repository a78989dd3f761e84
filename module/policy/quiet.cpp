// SPDX-License-Identifier: GPL-2.0
#include "quiet.h"

#include "condition.h"
#include "tick_dependency.h"

namespace task_isolation
{
namespace
{

using Facts = const policy_quiet_facts &;

/* Passes in place, and passes that make the tick look again, when waiting is not allowed. */
constexpr u32 passes_in_place = 3;
constexpr u32 passes_at_all = passes_in_place + 3;

constexpr u64 no_timer = ~u64{0};

policy_quiet_verdict answer(Quiet quiet)
{
	return {.quiet = number_of(quiet), .error = 0, .refusal = number_of(Refusal::None)};
}

bool entering(Facts facts)
{
	return facts.phase == POLICY_PHASE_CALL || facts.state == TASK_ISOLATION_ENTERING;
}

policy_quiet_verdict refuse(Refusal refusal, Errno error)
{
	return {.quiet = number_of(Quiet::Off),
		.error = negative(error),
		.refusal = number_of(refusal)};
}

/* Not quiet, and nothing more to try: what that means for a task of this mode. */
policy_quiet_verdict give_up(Facts facts, Refusal refusal)
{
	if (entering(facts))
		return refuse(refusal, Errno::Again);

	const Result<Mode, Errno> mode = mode_from(facts.mode);

	if (!mode.ok())
		return answer(Quiet::Off);
	switch (mode.value()) {
	case Mode::Strict:
	case Mode::Signal:
		return answer(Quiet::Loss);
	case Mode::Persistent:
		return answer(Quiet::Late);
	case Mode::Oneshot:
		return answer(Quiet::Off);
	}
	return answer(Quiet::Off);
}

/* Names the condition that a caller who does not want to wait would have to wait for. */
Refusal first_obstacle(u32 unmet)
{
	if ((unmet & TASK_ISOLATION_UNMET_TASK) != 0)
		return Refusal::Task;
	if ((unmet & TASK_ISOLATION_UNMET_TICK) != 0)
		return Refusal::Tick;
	if ((unmet & TASK_ISOLATION_UNMET_TIMER) != 0)
		return Refusal::Timer;
	return Refusal::Timeout;
}

/*
 * Entering with NOWAIT: one pass of draining is no waiting, and may take an
 * armed event (that of the vmstat work) with it.
 */
policy_quiet_verdict enter_at_once(Facts facts, u32 unmet)
{
	constexpr u32 hopeful = conditions_in_place | TASK_ISOLATION_UNMET_TIMER;

	if (facts.quiesced == 0 && (unmet & hopeful) != 0 &&
	    (unmet & TASK_ISOLATION_UNMET_TASK) == 0)
		return answer(Quiet::Quiesce);
	return give_up(facts, first_obstacle(unmet));
}

/* Isolated before, and not allowed to wait: a bounded number of passes. */
policy_quiet_verdict drain_only(Facts facts, u32 unmet)
{
	constexpr u32 hopeless = TASK_ISOLATION_UNMET_TASK | TASK_ISOLATION_UNMET_RCU;

	if ((unmet & hopeless) != 0 && (unmet & conditions_in_place) == 0)
		return give_up(facts, first_obstacle(unmet));
	if ((unmet & conditions_in_place) != 0 && facts.quiesced < passes_in_place)
		return answer(Quiet::Quiesce);
	if ((unmet & TASK_ISOLATION_UNMET_TICK) != 0 && (unmet & hopeless) == 0 &&
	    facts.quiesced < passes_at_all)
		return answer(Quiet::Tick);
	return give_up(facts, first_obstacle(unmet));
}

/*
 * The armed event. While the tick runs, it is the tick's own event: the tick
 * looks again first, which shows what really comes next.
 */
policy_quiet_verdict await_timer(Facts facts, u32 unmet, Nanoseconds left)
{
	if (left < Nanoseconds{facts.timer_ns} && facts.timer_ns != no_timer) {
		/* Draining cancels the vmstat work, which may be this very event. */
		if (facts.quiesced == 0)
			return answer(Quiet::Quiesce);
		return give_up(facts, Refusal::Timer);
	}
	if ((unmet & TASK_ISOLATION_UNMET_TICK) != 0 || facts.timer_ns == no_timer)
		return answer(Quiet::Tick);
	return answer(Quiet::Timer);
}

/* Waiting is allowed: cheap things first, then what takes the longest last. */
policy_quiet_verdict await(Facts facts, u32 unmet, Nanoseconds left)
{
	const u32 in_place = unmet & conditions_in_place;
	const u32 others = unmet & conditions_to_await;

	/*
	 * A pass may fail to clear what only another task can (a softirq that
	 * ksoftirqd took over): every second time the others have their turn.
	 */
	if (in_place != 0 && (others == 0 || facts.quiesced % 2 == 0))
		return answer(Quiet::Quiesce);
	if ((others & TASK_ISOLATION_UNMET_TASK) != 0)
		return answer(Quiet::Yield);
	if ((others & TASK_ISOLATION_UNMET_RCU) != 0)
		return answer(Quiet::Rcu);
	if ((others & TASK_ISOLATION_UNMET_TIMER) != 0)
		return await_timer(facts, unmet, left);
	if ((others & TASK_ISOLATION_UNMET_TICK) != 0)
		return answer(Quiet::Tick);

	/* A condition of a newer core: it has no end that we know, so no wait. */
	return give_up(facts, Refusal::Timeout);
}

} // namespace

policy_quiet_verdict make_quiet(const policy_quiet_facts &facts)
{
	const Result<State, Errno> state = state_from(facts.state);

	if (!entering(facts) && (!state.ok() || !is_protected(state.value())))
		return answer(Quiet::Off);

	const u32 asked = facts.need |
			  (facts.phase == POLICY_PHASE_CALL ? u32{TASK_ISOLATION_UNMET_RCU} : 0U);
	const u32 unmet = facts.unmet & asked;
	const Nanoseconds left =
		remaining(Nanoseconds{facts.limit_ns}, Nanoseconds{facts.waited_ns});

	if (unmet == 0)
		return answer(Quiet::Go);
	if ((unmet & TASK_ISOLATION_UNMET_CPU) != 0)
		return entering(facts) ? refuse(Refusal::Affinity, Errno::Invalid)
				       : answer(Quiet::Off);
	if (entering(facts) && facts.traced != 0)
		return refuse(Refusal::Traced, Errno::Again);

	if ((unmet & TASK_ISOLATION_UNMET_TICK) != 0) {
		if (entering(facts) && (facts.tick_dependency & dependency_clock_unstable) != 0)
			return refuse(Refusal::Clock, Errno::Invalid);
		if ((facts.tick_dependency & (lasting_dependencies | dependency_clock_unstable)) !=
		    0)
			return give_up(facts, Refusal::Tick);
	}

	if (entering(facts) && (facts.nowait != 0 || facts.limit_ns == 0))
		return enter_at_once(facts, unmet);
	if (!entering(facts) && (facts.may_wait == 0 || facts.limit_ns == 0))
		return drain_only(facts, unmet);
	if (left == Nanoseconds{0})
		return give_up(facts, Refusal::Timeout);
	return await(facts, unmet, left);
}

} // namespace task_isolation
