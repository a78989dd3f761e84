// SPDX-License-Identifier: GPL-2.0
/* Mode x event: the specification's part 3, written down again from its text. */
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "callbacks.h"
#include "judge.h"
#include "printing.h"
#include "quiet.h"

extern "C" {
extern struct policy_operations task_isolation_policy_absorb;
extern struct policy_operations task_isolation_policy_kill_own;
extern struct policy_operations task_isolation_policy_never_ready;
}

namespace task_isolation::test
{
namespace
{

constexpr u32 chosen = 10;

policy_event event_of(u32 kind, u32 mode, u32 state)
{
	policy_event event{};

	event.kind = kind;
	event.mode = mode;
	event.state = state;
	event.signal = mode == POLICY_MODE_SIGNAL ? chosen : 0;
	event.cause.cause = TASK_ISOLATION_CAUSE_UNKNOWN;
	return event;
}

std::string standard_words(const policy_event &event)
{
	policy_verdict verdict{};

	standard::judge(&event, &verdict);
	return words(verdict);
}

struct SpecRow {
	const char *promise;
	u32 kind;
	const char *strict, *signal, *persistent, *oneshot;
};

// clang-format off
const SpecRow spec_part_3[] = {
	{"3.1 system call", POLICY_EVENT_SYSCALL,
		"refuse lost own record signal9 log", "refuse lost own record signal10 log",
		"run isolated own debug wait", "run off own record"},
	{"3.2 fault", POLICY_EVENT_FAULT,
		"run lost own record signal9 log", "run lost own record signal10 log",
		"run isolated own debug wait", "run off own record"},
	{"3.3 interference", POLICY_EVENT_INTERFERENCE,
		"run lost foreign record signal9 log", "run lost foreign record signal10 log",
		"run isolated foreign debug", "run off foreign record"},
	{"3.4 delivery", POLICY_EVENT_DELIVERY,
		"run lost foreign record log", "run lost foreign record signal10 log",
		"run lost foreign record log", "run off foreign record"},
	{"3.5 stop, freezer, livepatch, task work", POLICY_EVENT_PASSING,
		"run lost foreign record log", "run lost foreign record signal10 log",
		"run isolated foreign debug wait", "run off foreign record"},
	{"3.6 NMI", POLICY_EVENT_NMI,
		"run lost foreign record signal9 log", "run lost foreign record signal10 log",
		"run isolated foreign debug", "run off foreign record"},
	{"3.7 absorbed", POLICY_EVENT_ABSORBED,
		"run isolated absorbed wait", "run isolated absorbed wait",
		"run isolated absorbed wait", "run isolated absorbed wait"},
	{"4.2 execve", POLICY_EVENT_EXEC,
		"run lost record signal9 log", "run lost record signal10 log",
		"run isolated wait", "run off record"},
	{"4.3 exit", POLICY_EVENT_EXIT, "run off", "run off", "run off", "run off"},
};
// clang-format on

TEST(Judge, p3_table_of_modes_and_events)
{
	std::set<u32> kinds;

	for (const SpecRow &row : spec_part_3) {
		const char *const expected[] = {row.strict, row.signal, row.persistent,
						row.oneshot};

		kinds.insert(row.kind);
		for (u32 mode = 0; mode < POLICY_MODES; mode++) {
			EXPECT_EQ(standard_words(event_of(row.kind, mode, TASK_ISOLATION_ISOLATED)),
				  expected[mode])
				<< row.promise << ", mode " << mode;
		}
	}
	EXPECT_EQ(kinds.size(), static_cast<size_t>(POLICY_EVENTS)) << "an event has no row";
}

TEST(Judge, p3_8_exempt_calls_execute_and_are_counted_in_every_mode)
{
	const std::vector<std::tuple<u32, u64>> exempt = {
		{POLICY_SYSCALL_PRCTL, 48},
		{POLICY_SYSCALL_PRCTL, 49},
		{POLICY_SYSCALL_PRCTL, 0x54495349},
		{POLICY_SYSCALL_PRCTL, 0xdeadbeef00000030}, /* prctl takes an int */
		{POLICY_SYSCALL_EXIT, 0},
		{POLICY_SYSCALL_EXIT_GROUP, 7},
		{POLICY_SYSCALL_RT_SIGRETURN, 0},
		{POLICY_SYSCALL_SIGRETURN, 0},
	};

	for (const auto &[syscall, argument] : exempt) {
		for (u32 mode = 0; mode < POLICY_MODES; mode++) {
			policy_event event =
				event_of(POLICY_EVENT_SYSCALL, mode, TASK_ISOLATION_ISOLATED);

			event.syscall = syscall;
			event.argument = argument;
			EXPECT_EQ(standard_words(event), "run isolated own wait")
				<< syscall << " " << argument << " mode " << mode;
		}
	}
}

TEST(Judge, p3_8_other_prctl_options_are_not_exempt)
{
	for (const u64 option : {0ULL, 15ULL, 47ULL, 50ULL, 0x5449534aULL, 0x3000000000ULL}) {
		policy_event event =
			event_of(POLICY_EVENT_SYSCALL, POLICY_MODE_STRICT, TASK_ISOLATION_ISOLATED);

		event.syscall = POLICY_SYSCALL_PRCTL;
		event.argument = option;
		EXPECT_EQ(standard_words(event), "refuse lost own record signal9 log") << option;
	}
}

TEST(Judge, p4_2_a_privileged_exec_ends_persistent_mode)
{
	policy_event event =
		event_of(POLICY_EVENT_EXEC, POLICY_MODE_PERSISTENT, TASK_ISOLATION_ISOLATED);

	event.privileged_exec = 1;
	EXPECT_EQ(standard_words(event), "run lost record log");
	event.mode = POLICY_MODE_ONESHOT;
	EXPECT_EQ(standard_words(event), "run off record");
}

TEST(Judge, p7_2_an_entry_is_counted_once)
{
	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		for (u32 kind = 0; kind < POLICY_EVENTS; kind++) {
			policy_event event = event_of(kind, mode, TASK_ISOLATION_ISOLATED);
			policy_verdict once{}, again{};

			standard::judge(&event, &once);
			event.counted = 1;
			standard::judge(&event, &again);
			EXPECT_EQ(again.count, u32{POLICY_COUNT_NONE});
			again.count = once.count;
			EXPECT_EQ(words(again), words(once));
		}
	}
}

TEST(Judge, p3_12_entries_while_late_are_counted_by_the_shell)
{
	const auto late = [](u32 kind) {
		return standard_words(event_of(kind, POLICY_MODE_PERSISTENT, TASK_ISOLATION_LATE));
	};

	EXPECT_EQ(late(POLICY_EVENT_SYSCALL), "run late wait");
	EXPECT_EQ(late(POLICY_EVENT_FAULT), "run late wait");
	EXPECT_EQ(late(POLICY_EVENT_INTERFERENCE), "run late");
	EXPECT_EQ(late(POLICY_EVENT_NMI), "run late");
	EXPECT_EQ(late(POLICY_EVENT_PASSING), "run late wait");
	EXPECT_EQ(late(POLICY_EVENT_ABSORBED), "run late wait");
	EXPECT_EQ(late(POLICY_EVENT_EXEC), "run late wait");
	EXPECT_EQ(late(POLICY_EVENT_DELIVERY), "run lost record log");
	EXPECT_EQ(late(POLICY_EVENT_EXIT), "run off");
}

TEST(Judge, p3_4_a_signal_of_its_own_fault_is_an_own_entry)
{
	policy_event event =
		event_of(POLICY_EVENT_DELIVERY, POLICY_MODE_STRICT, TASK_ISOLATION_ISOLATED);

	event.own = 1;
	EXPECT_EQ(standard_words(event), "run lost own record log");
	event.counted = 1;
	EXPECT_EQ(standard_words(event), "run lost record log");
}

TEST(Judge, p4_1_a_task_that_is_not_isolated_is_left_alone)
{
	for (const u32 state : {TASK_ISOLATION_OFF, TASK_ISOLATION_ENTERING, TASK_ISOLATION_LOST}) {
		for (u32 mode = 0; mode < POLICY_MODES; mode++) {
			for (u32 kind = 0; kind < POLICY_EVENTS; kind++) {
				std::string expected = "run " + state_name(state);

				if (kind == POLICY_EVENT_EXIT || (kind == POLICY_EVENT_DELIVERY &&
								  state == TASK_ISOLATION_ENTERING))
					expected = "run off";
				EXPECT_EQ(standard_words(event_of(kind, mode, state)), expected)
					<< kind << " mode " << mode;
			}
		}
	}
}

TEST(Judge, numbers_from_outside_the_border_change_nothing)
{
	EXPECT_EQ(standard_words(event_of(POLICY_EVENTS, 0, TASK_ISOLATION_ISOLATED)),
		  "run isolated");
	EXPECT_EQ(standard_words(event_of(0, POLICY_MODES, TASK_ISOLATION_ISOLATED)),
		  "run isolated");
	EXPECT_EQ(standard_words(event_of(0, 0, 77)), "run state77");
	EXPECT_EQ(standard_words(event_of(~0U, ~0U, TASK_ISOLATION_ISOLATED)), "run isolated");
}

/*
 * A task as the shell would carry it: every event and every end of a wait is
 * tried in every pair reached, until no new (state, invariant) pair appears.
 */
struct Walker {
	u32 mode;
	u32 state;
	bool recorded; /* the end of this stay has a record */
	bool signalled;
	bool entered; /* ever ready since it began to enter */

	auto operator<=>(const Walker &) const = default;
};

std::vector<Walker> successors(const Walker &from)
{
	std::vector<Walker> result;

	for (u32 kind = 0; kind < POLICY_EVENTS; kind++) {
		for (const u32 syscall : {POLICY_SYSCALL_OTHER, POLICY_SYSCALL_EXIT}) {
			policy_event event = event_of(kind, from.mode, from.state);
			policy_verdict verdict{};
			Walker to = from;

			event.syscall = syscall;
			standard::judge(&event, &verdict);
			to.state = verdict.state;
			to.recorded |= verdict.record != 0;
			to.signalled |= verdict.signal != 0;
			result.push_back(to);
		}
	}

	/* prctl, the final test, and every way a wait can end. */
	const State state = static_cast<State>(from.state);

	result.push_back({from.mode, number_of(next(state, Step::Enter)), false, false, false});
	Walker ready = from;
	ready.state = number_of(next(state, Step::Ready));
	ready.entered |= ready.state == TASK_ISOLATION_ISOLATED;
	result.push_back(ready);

	policy_quiet_facts facts{};
	facts.unmet = TASK_ISOLATION_UNMET_BATCH;
	facts.need = ~0U;
	facts.mode = from.mode;
	facts.state = from.state;
	facts.phase = POLICY_PHASE_EXIT;
	facts.may_wait = 1;
	facts.waited_ns = 2;
	facts.limit_ns = 1;

	policy_quiet_verdict verdict{};
	Walker over = from;
	standard::quiet(&facts, &verdict);
	switch (static_cast<Quiet>(verdict.quiet)) {
	case Quiet::Late:
		over.state = number_of(next(state, Step::Expire));
		break;
	case Quiet::Loss:
		over.state = number_of(next(state, Step::Lose));
		over.recorded = true;
		over.signalled = true;
		break;
	case Quiet::Off:
		over.state = number_of(next(state, Step::End));
		over.recorded = over.recorded || is_protected(state);
		break;
	case Quiet::Go:
	case Quiet::Quiesce:
	case Quiet::Yield:
	case Quiet::Rcu:
	case Quiet::Timer:
	case Quiet::Tick:
		ADD_FAILURE() << "waits beyond the limit";
		break;
	}
	result.push_back(over);
	return result;
}

TEST(States, walk_until_no_new_pair_appears)
{
	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		std::set<Walker> seen;
		std::vector<Walker> open{{mode, TASK_ISOLATION_OFF, false, false, false}};
		std::set<u32> reached;

		while (!open.empty()) {
			const Walker now = open.back();

			open.pop_back();
			if (!seen.insert(now).second)
				continue;
			reached.insert(now.state);

			/* Isolated or late only after a passed final test. */
			if (now.state == TASK_ISOLATION_ISOLATED ||
			    now.state == TASK_ISOLATION_LATE) {
				EXPECT_TRUE(now.entered);
				EXPECT_FALSE(now.signalled) << "a signal without a loss";
				EXPECT_FALSE(now.recorded) << "a record without an end";
			}
			if (now.state == TASK_ISOLATION_LOST) {
				EXPECT_TRUE(now.entered);
				EXPECT_TRUE(now.recorded) << "7.2: a loss without a record";
			}
			if (now.state == TASK_ISOLATION_LATE) {
				EXPECT_EQ(mode, u32{POLICY_MODE_PERSISTENT});
			}
			if (now.signalled) {
				EXPECT_NE(mode, u32{POLICY_MODE_PERSISTENT});
				EXPECT_NE(mode, u32{POLICY_MODE_ONESHOT});
			}
			for (const Walker &next_one : successors(now))
				open.push_back(next_one);
		}

		std::set<u32> expected{TASK_ISOLATION_OFF, TASK_ISOLATION_ENTERING,
				       TASK_ISOLATION_ISOLATED};
		if (mode == POLICY_MODE_PERSISTENT)
			expected.insert(TASK_ISOLATION_LATE);
		if (mode != POLICY_MODE_ONESHOT)
			expected.insert(TASK_ISOLATION_LOST);
		EXPECT_EQ(reached, expected) << "mode " << mode;
	}
}

TEST(States, the_table_has_only_these_ways)
{
	EXPECT_EQ(next(State::Off, Step::Enter), State::Entering);
	EXPECT_EQ(next(State::Entering, Step::Ready), State::Isolated);
	EXPECT_EQ(next(State::Isolated, Step::Expire), State::Late);
	EXPECT_EQ(next(State::Late, Step::Ready), State::Isolated);
	EXPECT_EQ(next(State::Isolated, Step::Lose), State::Lost);
	EXPECT_EQ(next(State::Isolated, Step::End), State::Off);
	EXPECT_EQ(next(State::Entering, Step::Lose), State::Off);
	EXPECT_EQ(next(State::Off, Step::Ready), State::Off);
	EXPECT_EQ(next(State::Lost, Step::Ready), State::Lost);
	EXPECT_EQ(next(State::Lost, Step::Enter), State::Entering);
}

TEST(Alternatives, absorb_counts_everything_as_absorbed)
{
	EXPECT_STREQ(task_isolation_policy_absorb.name, "absorb");
	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		for (u32 kind = 0; kind < POLICY_EVENTS; kind++) {
			const policy_event event = event_of(kind, mode, TASK_ISOLATION_ISOLATED);
			policy_verdict verdict{};

			task_isolation_policy_absorb.judge(&event, &verdict);
			if (kind == POLICY_EVENT_DELIVERY || kind == POLICY_EVENT_EXIT)
				EXPECT_EQ(words(verdict), standard_words(event));
			else
				EXPECT_EQ(words(verdict), "run isolated absorbed wait");
		}
	}
}

TEST(Alternatives, kill_own_kills_in_every_mode)
{
	EXPECT_STREQ(task_isolation_policy_kill_own.name, "kill_own");
	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		for (u32 kind = 0; kind < POLICY_EVENTS; kind++) {
			policy_event event = event_of(kind, mode, TASK_ISOLATION_ISOLATED);
			policy_verdict verdict{};

			task_isolation_policy_kill_own.judge(&event, &verdict);
			if (kind == POLICY_EVENT_SYSCALL)
				EXPECT_EQ(words(verdict), "refuse lost own record signal9 log");
			else if (kind == POLICY_EVENT_FAULT)
				EXPECT_EQ(words(verdict), "run lost own record signal9 log");
			else
				EXPECT_EQ(words(verdict), standard_words(event));
			event.syscall = POLICY_SYSCALL_EXIT;
			task_isolation_policy_kill_own.judge(&event, &verdict);
			if (kind == POLICY_EVENT_SYSCALL) {
				EXPECT_EQ(words(verdict), "run isolated own wait");
			}
		}
	}
}

TEST(Alternatives, never_ready_never_is)
{
	policy_quiet_facts facts{};
	policy_quiet_verdict verdict{};

	EXPECT_STREQ(task_isolation_policy_never_ready.name, "never_ready");
	facts.state = TASK_ISOLATION_ENTERING;
	facts.limit_ns = 1000;
	for (const u32 unmet : {0U, u32{TASK_ISOLATION_UNMET_BATCH}, 1U << 31}) {
		facts.unmet = unmet;
		task_isolation_policy_never_ready.quiet(&facts, &verdict);
		EXPECT_EQ(words(verdict), "off -11 18");
	}
}

TEST(Alternatives, ask_for_what_they_judge)
{
	policy_admit_facts facts{};

	facts.mode = POLICY_MODE_PERSISTENT;
	facts.privileged = facts.affinity = facts.listed = facts.nohz_full = 1;
	facts.out_of_balancing = facts.clock_stable = facts.allocated = 1;
	for (const policy_operations *policy :
	     {&task_isolation_policy_absorb, &task_isolation_policy_kill_own}) {
		policy_admit_verdict verdict{};

		policy->admit(&facts, &verdict);
		EXPECT_EQ(verdict.error, 0);
		EXPECT_EQ(verdict.count_syscalls, 0U) << policy->name;
	}

	policy_admit_verdict never{};
	task_isolation_policy_never_ready.admit(&facts, &never);
	EXPECT_EQ(never.need, 0x800017ffU);
	facts.listed = 0;
	task_isolation_policy_never_ready.admit(&facts, &never);
	EXPECT_EQ(never.error, -22);
	EXPECT_EQ(never.need, 0U);
}

TEST(Table, every_callback_is_there)
{
	for (const policy_operations *policy :
	     {&task_isolation_policy, &task_isolation_policy_absorb,
	      &task_isolation_policy_kill_own, &task_isolation_policy_never_ready}) {
		EXPECT_EQ(policy->abi_version, u32{POLICY_ABI_VERSION});
		EXPECT_EQ(policy->size, sizeof(policy_operations));
		EXPECT_EQ(policy->owner, nullptr);
		EXPECT_TRUE(policy->prctl && policy->admit && policy->quiet && policy->judge);
		EXPECT_TRUE(policy->cause_text && policy->loss_line && policy->refusal_text);
		EXPECT_TRUE(policy->state_text && policy->parse_cpulist);
		EXPECT_TRUE(policy->format_cpulist && policy->parse_number);
	}
	EXPECT_STREQ(task_isolation_policy.name, "standard");
}

} // namespace
} // namespace task_isolation::test
