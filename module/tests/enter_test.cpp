// SPDX-License-Identifier: GPL-2.0
/* Entering: prctl flags (2.1 to 2.6), the order of refusals (2.7), the wait (5.x, 3.8, 3.12). */
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "callbacks.h"
#include "linux/task_isolation.h"
#include "printing.h"

namespace task_isolation::test
{
namespace
{

/* ---- prctl ------------------------------------------------------------- */

policy_call_facts call(u32 option, u64 arg2 = 0)
{
	policy_call_facts facts{};

	facts.option = option;
	facts.arg2 = arg2;
	/* Programs pass garbage behind what a call looks at. */
	facts.arg3 = 0xdead;
	facts.arg4 = 0xbeef;
	facts.arg5 = ~u64{0};
	return facts;
}

std::string answer(const policy_call_facts &facts)
{
	static const char *const modes[] = {"strict", "signal", "persistent", "oneshot"};
	policy_call_verdict verdict{};

	standard::prctl(&facts, &verdict);
	switch (verdict.call) {
	case POLICY_CALL_NOT_OURS:
		return "not ours";
	case POLICY_CALL_RETURN:
		return "return " + std::to_string(verdict.result);
	case POLICY_CALL_ENTER:
		return std::string("enter ") + modes[verdict.mode] + " " +
		       std::to_string(verdict.signal) + (verdict.nowait != 0 ? " nowait" : "");
	case POLICY_CALL_LEAVE:
		return "leave";
	case POLICY_CALL_INFO:
		return "info";
	default:
		return "?";
	}
}

std::string set(u64 flags)
{
	return answer(call(48, flags));
}

TEST(Prctl, p2_1_set_enters_and_leaves)
{
	EXPECT_EQ(set(0), "leave");
	EXPECT_EQ(set(1), "enter strict 9");
}

TEST(Prctl, p2_2_get_returns_the_flags_whatever_the_arguments)
{
	policy_call_facts facts = call(49, 0x1234);

	EXPECT_EQ(answer(facts), "return 0");
	facts.flags = 0xa01;
	EXPECT_EQ(answer(facts), "return 2561");
}

TEST(Prctl, p2_3_info_wants_empty_spare_arguments)
{
	policy_call_facts facts = call(0x54495349);

	EXPECT_EQ(answer(facts), "return -22");
	facts.arg4 = 0;
	EXPECT_EQ(answer(facts), "return -22");
	facts.arg5 = 0;
	EXPECT_EQ(answer(facts), "info");
	facts.arg4 = 1;
	EXPECT_EQ(answer(facts), "return -22");
}

TEST(Prctl, other_options_are_not_ours)
{
	for (const u32 option : {0U, 1U, 47U, 50U, 0x54495348U, ~0U})
		EXPECT_EQ(answer(call(option, 1)), "not ours") << option;
}

TEST(Prctl, p2_4_modes)
{
	EXPECT_EQ(set(1 | 8), "enter strict 9 nowait");
	EXPECT_EQ(set(1 | 2), "enter persistent 0");
	EXPECT_EQ(set(1 | 2 | 8), "enter persistent 0 nowait");
	EXPECT_EQ(set(1 | 4), "enter oneshot 0");
	EXPECT_EQ(set(1 | 4 | 8), "enter oneshot 0 nowait");
	EXPECT_EQ(set(1 | (10 << 8)), "enter signal 10");
	EXPECT_EQ(set(1 | (10 << 8) | 8), "enter signal 10 nowait");
	EXPECT_EQ(set(PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG), "enter persistent 0");
}

TEST(Prctl, p2_5_a_signal_means_the_same_with_and_without_usersig)
{
	EXPECT_EQ(set(1 | 2 | (10 << 8)), "enter signal 10");
	EXPECT_EQ(set(1 | 2 | (9 << 8)), "enter signal 9");
	EXPECT_EQ(set(1 | (64 << 8)), "enter signal 64");
}

TEST(Prctl, p2_4_every_flag_word_of_16_bits)
{
	for (u32 flags = 1; flags < 0x10000; flags++) {
		const u32 signal = (flags >> 8) & 0x7f;
		const bool unknown = (flags & ~0x7f0fU) != 0;
		const bool oneshot = (flags & 4) != 0;
		const bool terminates =
			signal <= 64 && !(signal >= 17 && signal <= 23) && signal != 28;
		const bool good = (flags & 1) != 0 && !unknown &&
				  !(oneshot && ((flags & 2) != 0 || signal != 0)) &&
				  (signal == 0 || terminates);

		ASSERT_EQ(set(flags) == "return -22", !good) << std::hex << flags;
	}
}

TEST(Prctl, p2_5_signals_that_do_not_terminate)
{
	for (const u64 signal : {17, 18, 19, 20, 21, 22, 23, 28, 65, 100, 127}) {
		EXPECT_EQ(set(1 | signal << 8), "return -22") << signal;
		EXPECT_EQ(set(3 | signal << 8), "return -22") << signal;
	}
	for (u64 signal = 32; signal <= 64; signal++)
		EXPECT_EQ(set(1 | signal << 8), "enter signal " + std::to_string(signal));
}

TEST(Prctl, p2_4_high_bits_are_unknown_bits)
{
	for (u32 bit = 15; bit < 64; bit++)
		EXPECT_EQ(set(1 | u64{1} << bit), "return -22") << bit;
}

/* ---- admit ------------------------------------------------------------- */

policy_admit_facts welcome()
{
	policy_admit_facts facts{};

	facts.privileged = 1;
	facts.affinity = 1;
	facts.cpu = 2;
	facts.listed = 1;
	facts.nohz_full = 1;
	facts.out_of_balancing = 1;
	facts.clock_stable = 1;
	facts.allocated = 1;
	return facts;
}

policy_admit_verdict admit(const policy_admit_facts &facts)
{
	policy_admit_verdict verdict{};

	standard::admit(&facts, &verdict);
	return verdict;
}

struct Obstacle {
	const char *name;
	void (*put)(policy_admit_facts &facts);
	s32 error;
	u32 refusal;
};

/* In the order of 2.7. */
// clang-format off
const Obstacle obstacles[] = {
	{"notaskisolation", [](auto &f) { f.switched_off = 1; }, -1, POLICY_REFUSAL_SWITCHED_OFF},
	{"released", [](auto &f) { f.released = 1; }, -1, POLICY_REFUSAL_RELEASED},
	{"not allowed", [](auto &f) { f.privileged = 0; }, -1, POLICY_REFUSAL_NOT_ALLOWED},
	{"affinity", [](auto &f) { f.affinity = 4; }, -22, POLICY_REFUSAL_AFFINITY},
	{"not listed", [](auto &f) { f.listed = 0; }, -22, POLICY_REFUSAL_NOT_LISTED},
	{"not nohz_full", [](auto &f) { f.nohz_full = 0; }, -22, POLICY_REFUSAL_NOT_NOHZ_FULL},
	{"balanced", [](auto &f) { f.out_of_balancing = 0; }, -22, POLICY_REFUSAL_BALANCED},
	{"clock", [](auto &f) { f.clock_stable = 0; }, -22, POLICY_REFUSAL_CLOCK},
	{"deadline", [](auto &f) { f.deadline = 1; }, -22, POLICY_REFUSAL_DEADLINE},
	{"owned", [](auto &f) { f.other_owner = 1; }, -16, POLICY_REFUSAL_OWNED},
	{"memory", [](auto &f) { f.allocated = 0; }, -12, POLICY_REFUSAL_MEMORY},
	{"traced", [](auto &f) { f.traced = 1; }, -11, POLICY_REFUSAL_TRACED},
	{"posix timer", [](auto &f) { f.tick_dependency |= 1; }, -11, POLICY_REFUSAL_TICK},
};
// clang-format on

TEST(Admit, p2_7_the_first_obstacle_answers)
{
	policy_admit_facts everything = welcome();

	for (size_t index = std::size(obstacles); index-- > 0;) {
		const Obstacle &obstacle = obstacles[index];
		policy_admit_facts alone = welcome();

		obstacle.put(alone);
		obstacle.put(everything);
		for (const policy_admit_facts &facts : {alone, everything}) {
			const policy_admit_verdict verdict = admit(facts);

			EXPECT_EQ(verdict.error, obstacle.error) << obstacle.name;
			EXPECT_EQ(verdict.refusal, obstacle.refusal) << obstacle.name;
			EXPECT_EQ(verdict.need, 0U);
		}
	}
}

TEST(Admit, the_core_is_asked_for_everything_but_rcu)
{
	policy_admit_facts facts = welcome();

	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		facts.mode = mode;
		const policy_admit_verdict verdict = admit(facts);

		EXPECT_EQ(verdict.error, 0);
		EXPECT_EQ(verdict.refusal, 0U);
		EXPECT_EQ(verdict.need, 0x17ffU);
		EXPECT_EQ(verdict.count_syscalls, mode == POLICY_MODE_PERSISTENT ? 1U : 0U);
	}
}

TEST(Admit, p2_7_only_lasting_tick_dependencies_refuse)
{
	policy_admit_facts facts = welcome();

	for (const u32 passing : {4U, 16U, 32U, 4U | 16U | 32U}) {
		facts.tick_dependency = passing;
		EXPECT_EQ(admit(facts).error, 0) << passing;
	}
	facts.tick_dependency = 2;
	EXPECT_EQ(admit(facts).error, -11);
	facts.tick_dependency = 8; /* the clock: never ends */
	EXPECT_EQ(admit(facts).error, -22);
	EXPECT_EQ(admit(facts).refusal, u32{POLICY_REFUSAL_CLOCK});
}

TEST(Admit, p6_8_who_may_enter)
{
	const auto may = [](u32 allow, u32 privileged, u32 in_group) {
		policy_admit_facts facts = welcome();

		facts.allow = allow;
		facts.privileged = privileged;
		facts.in_group = in_group;
		return admit(facts).error == 0;
	};

	EXPECT_TRUE(may(POLICY_ALLOW_PRIVILEGED, 1, 0));
	EXPECT_FALSE(may(POLICY_ALLOW_PRIVILEGED, 0, 1));
	EXPECT_TRUE(may(POLICY_ALLOW_GROUP, 0, 1));
	EXPECT_TRUE(may(POLICY_ALLOW_GROUP, 1, 0));
	EXPECT_FALSE(may(POLICY_ALLOW_GROUP, 0, 0));
	EXPECT_TRUE(may(POLICY_ALLOW_ANY, 0, 0));
	EXPECT_FALSE(may(99, 0, 1));
}

/* ---- quiet ------------------------------------------------------------- */

constexpr u64 second = 1'000'000'000;
constexpr u32 work = TASK_ISOLATION_UNMET_WORK;
constexpr u32 cpu = TASK_ISOLATION_UNMET_CPU;
constexpr u32 softirq = TASK_ISOLATION_UNMET_SOFTIRQ;
constexpr u32 task = TASK_ISOLATION_UNMET_TASK;
constexpr u32 tick = TASK_ISOLATION_UNMET_TICK;
constexpr u32 timer = TASK_ISOLATION_UNMET_TIMER;
constexpr u32 batch = TASK_ISOLATION_UNMET_BATCH;
constexpr u32 vmstat = TASK_ISOLATION_UNMET_VMSTAT;
constexpr u32 rcu = TASK_ISOLATION_UNMET_RCU;

policy_quiet_facts wait_in_call(u32 unmet)
{
	policy_quiet_facts facts{};

	facts.unmet = unmet;
	facts.need = 0x17ff;
	facts.state = TASK_ISOLATION_ENTERING;
	facts.phase = POLICY_PHASE_CALL;
	facts.may_wait = 1;
	facts.limit_ns = second;
	facts.timer_ns = ~u64{0};
	return facts;
}

policy_quiet_facts on_way_out(u32 unmet, u32 mode)
{
	policy_quiet_facts facts = wait_in_call(unmet);

	facts.mode = mode;
	facts.state = TASK_ISOLATION_ISOLATED;
	facts.phase = POLICY_PHASE_EXIT;
	return facts;
}

std::string decide(const policy_quiet_facts &facts)
{
	policy_quiet_verdict verdict{};

	standard::quiet(&facts, &verdict);
	return words(verdict);
}

/* Refusals as words() shows them. */
const std::string refused_affinity = "off -22 4";
const std::string refused_clock = "off -22 8";
const std::string refused_traced = "off -11 12";
const std::string refused_tick = "off -11 13";
const std::string refused_task = "off -11 14";
const std::string refused_timer = "off -11 15";
const std::string refused_timeout = "off -11 16";

TEST(Quiet, p5_1_each_condition_has_its_remedy)
{
	EXPECT_EQ(decide(wait_in_call(0)), "go");
	for (const u32 bit : {0, 2, 6, 7, 8, 9, 10})
		EXPECT_EQ(decide(wait_in_call(1U << bit)), "quiesce") << bit;
	EXPECT_EQ(decide(wait_in_call(task)), "yield");
	EXPECT_EQ(decide(wait_in_call(rcu)), "rcu");
	EXPECT_EQ(decide(wait_in_call(tick)), "tick");

	policy_quiet_facts facts = wait_in_call(timer);
	facts.timer_ns = second / 2;
	EXPECT_EQ(decide(facts), "timer");
}

TEST(Quiet, p5_1_cheap_things_first)
{
	policy_quiet_facts facts = wait_in_call(batch | task | rcu | timer | tick);

	facts.timer_ns = 1000;
	EXPECT_EQ(decide(facts), "quiesce");
	facts.unmet &= ~batch;
	EXPECT_EQ(decide(facts), "yield");
	facts.unmet &= ~task;
	EXPECT_EQ(decide(facts), "rcu");
	facts.unmet &= ~rcu;
	EXPECT_EQ(decide(facts), "tick"); /* the armed event is the tick's own */
	facts.unmet &= ~tick;
	EXPECT_EQ(decide(facts), "timer");
}

TEST(Quiet, p5_4_a_softirq_that_another_task_took_over_does_not_spin)
{
	policy_quiet_facts facts = wait_in_call(softirq | task);

	EXPECT_EQ(decide(facts), "quiesce");
	facts.quiesced = 1;
	EXPECT_EQ(decide(facts), "yield");
	facts.quiesced = 2;
	EXPECT_EQ(decide(facts), "quiesce");
}

TEST(Quiet, p5_1_rcu_is_waited_for_in_the_call_only)
{
	policy_quiet_facts facts = wait_in_call(rcu);

	facts.phase = POLICY_PHASE_EXIT;
	EXPECT_EQ(decide(facts), "go");
}

TEST(Quiet, what_was_not_asked_for_does_not_matter)
{
	policy_quiet_facts facts = on_way_out(batch | vmstat, POLICY_MODE_STRICT);

	facts.need = vmstat;
	facts.quiesced = 2;
	EXPECT_EQ(decide(facts), "quiesce");
	facts.unmet = batch;
	EXPECT_EQ(decide(facts), "go");
}

TEST(Quiet, p2_8_affinity_changed_while_entering)
{
	policy_quiet_facts facts = wait_in_call(cpu | batch);

	EXPECT_EQ(decide(facts), refused_affinity);
	facts.phase = POLICY_PHASE_EXIT;
	EXPECT_EQ(decide(facts), refused_affinity);
	EXPECT_EQ(decide(on_way_out(cpu, POLICY_MODE_PERSISTENT)), "off");
}

TEST(Quiet, p5_3_a_timer_due_after_the_limit_refuses_at_once)
{
	policy_quiet_facts facts = wait_in_call(timer);

	facts.timer_ns = second + 1;
	EXPECT_EQ(decide(facts), "quiesce") << "it may be the vmstat work's timer";
	facts.quiesced = 1;
	EXPECT_EQ(decide(facts), refused_timer);
	facts.timer_ns = second;
	EXPECT_EQ(decide(facts), "timer");
	facts.waited_ns = 1;
	EXPECT_EQ(decide(facts), refused_timer) << "the limit counts from the start";
	facts.unmet |= tick;
	EXPECT_EQ(decide(facts), refused_timer);

	facts = on_way_out(timer, POLICY_MODE_PERSISTENT);
	facts.timer_ns = 2 * second;
	facts.quiesced = 1;
	EXPECT_EQ(decide(facts), "late");
}

TEST(Quiet, p2_7_lasting_tick_dependency)
{
	for (const u32 dependency : {1U, 2U, 3U, 1U | 16U}) {
		policy_quiet_facts facts = wait_in_call(tick | batch);

		facts.tick_dependency = dependency;
		EXPECT_EQ(decide(facts), refused_tick);

		facts.mode = POLICY_MODE_PERSISTENT;
		facts.phase = POLICY_PHASE_EXIT;
		facts.state = TASK_ISOLATION_ISOLATED;
		EXPECT_EQ(decide(facts), "late") << "3.12: never waited for";
		facts.mode = POLICY_MODE_STRICT;
		EXPECT_EQ(decide(facts), "loss");
		facts.mode = POLICY_MODE_SIGNAL;
		EXPECT_EQ(decide(facts), "loss");
		facts.mode = POLICY_MODE_ONESHOT;
		EXPECT_EQ(decide(facts), "off");
	}

	policy_quiet_facts facts = wait_in_call(tick);
	facts.tick_dependency = 4 | 16 | 32;
	EXPECT_EQ(decide(facts), "tick") << "these end by themselves";
	facts.tick_dependency = 8;
	EXPECT_EQ(decide(facts), refused_clock);
}

TEST(Quiet, p2_7_traced_while_entering)
{
	policy_quiet_facts facts = wait_in_call(batch);

	facts.traced = 1;
	EXPECT_EQ(decide(facts), refused_traced);
}

TEST(Quiet, p5_4_bounded_by_time)
{
	for (u32 bit = 0; bit < 12; bit++) {
		policy_quiet_facts facts = wait_in_call(1U << bit);

		if ((1U << bit) == cpu)
			continue;
		facts.waited_ns = second;
		EXPECT_EQ(decide(facts), refused_timeout) << bit;
	}
}

TEST(Quiet, p3_8_not_quiet_in_time)
{
	const char *const expected[] = {"loss", "loss", "late", "off"};

	for (u32 mode = 0; mode < POLICY_MODES; mode++) {
		policy_quiet_facts facts = on_way_out(task, mode);

		EXPECT_EQ(decide(facts), "yield");
		facts.waited_ns = second + 5;
		EXPECT_EQ(decide(facts), expected[mode]);
	}
}

TEST(Quiet, p2_7_nowait_refuses_at_the_first_failed_test)
{
	for (const bool by_limit : {false, true}) {
		policy_quiet_facts facts = wait_in_call(batch | vmstat);

		facts.nowait = by_limit ? 0 : 1;
		facts.limit_ns = by_limit ? 0 : second;
		EXPECT_EQ(decide(facts), "quiesce") << "draining in place is not waiting";
		facts.quiesced = 1;
		EXPECT_EQ(decide(facts), refused_timeout);
		facts.quiesced = 0;
		facts.unmet = task | batch;
		EXPECT_EQ(decide(facts), refused_task);
		facts.unmet = tick;
		EXPECT_EQ(decide(facts), refused_tick);
		facts.unmet = timer;
		facts.quiesced = 1;
		EXPECT_EQ(decide(facts), refused_timer);
		facts.unmet = rcu;
		EXPECT_EQ(decide(facts), refused_timeout);
		facts.unmet = 0;
		EXPECT_EQ(decide(facts), "go");
	}
}

TEST(Quiet, nowait_is_about_entering)
{
	policy_quiet_facts facts = on_way_out(task, POLICY_MODE_PERSISTENT);

	facts.nowait = 1;
	EXPECT_EQ(decide(facts), "yield");
}

TEST(Quiet, p3_3_after_a_foreign_entry_it_drains_and_never_waits)
{
	policy_quiet_facts facts = on_way_out(batch | tick, POLICY_MODE_PERSISTENT);

	facts.may_wait = 0;
	for (const char *expected :
	     {"quiesce", "quiesce", "quiesce", "tick", "tick", "tick", "late"}) {
		EXPECT_EQ(decide(facts), expected) << facts.quiesced;
		facts.quiesced++;
	}
	facts.quiesced = 0;
	for (const u32 unmet : {task, timer, task | tick}) {
		facts.unmet = unmet;
		EXPECT_EQ(decide(facts), "late") << unmet;
	}
	facts.mode = POLICY_MODE_ONESHOT;
	EXPECT_EQ(decide(facts), "off");
}

TEST(Quiet, p6_6_a_limit_of_0_never_waits)
{
	policy_quiet_facts facts = on_way_out(batch, POLICY_MODE_PERSISTENT);

	facts.limit_ns = 0;
	EXPECT_EQ(decide(facts), "quiesce");
	facts.unmet = task;
	EXPECT_EQ(decide(facts), "late");
	facts.mode = POLICY_MODE_STRICT;
	EXPECT_EQ(decide(facts), "loss");
}

TEST(Quiet, a_condition_without_a_known_end_is_not_waited_for)
{
	policy_quiet_facts facts = wait_in_call(1U << 31);

	facts.need = ~0U;
	EXPECT_EQ(decide(facts), refused_timeout);
	facts.unmet = 1U << 13;
	EXPECT_EQ(decide(facts), refused_timeout);
}

TEST(Quiet, a_late_task_may_become_quiet_again)
{
	policy_quiet_facts facts = on_way_out(0, POLICY_MODE_PERSISTENT);

	facts.state = TASK_ISOLATION_LATE;
	EXPECT_EQ(decide(facts), "go");
	facts.unmet = work;
	EXPECT_EQ(decide(facts), "quiesce");
	facts.state = TASK_ISOLATION_LOST;
	EXPECT_EQ(decide(facts), "off");
}

/*
 * Whatever the facts are, there is an answer, and following it ends: a wait
 * that the time does not end would hang the task.
 */
TEST(Quiet, p5_4_every_wait_ends)
{
	for (u32 unmet = 0; unmet < 0x2000; unmet++) {
		for (u32 choice = 0; choice < 64; choice++) {
			policy_quiet_facts facts = wait_in_call(unmet);
			u32 rounds = 0;

			facts.mode = choice & 3U;
			facts.nowait = (choice >> 2) & 1U;
			facts.may_wait = (choice >> 3) & 1U;
			if (((choice >> 4) & 1U) != 0) {
				facts.phase = POLICY_PHASE_EXIT;
				facts.state = TASK_ISOLATION_ISOLATED;
			}
			facts.timer_ns = ((choice >> 5) & 1U) != 0 ? 1000 : 2 * second;
			for (;; rounds++) {
				policy_quiet_verdict verdict{};

				standard::quiet(&facts, &verdict);
				if (verdict.quiet == POLICY_QUIET_GO ||
				    verdict.quiet >= POLICY_QUIET_LATE)
					break;
				ASSERT_TRUE(facts.may_wait != 0 || facts.state != 2 ||
					    verdict.quiet == POLICY_QUIET_QUIESCE ||
					    verdict.quiet == POLICY_QUIET_TICK);
				facts.quiesced += verdict.quiet == POLICY_QUIET_QUIESCE ||
						  facts.may_wait == 0;
				facts.waited_ns += second / 10;
				ASSERT_LT(rounds, 20U) << unmet << " " << choice;
			}
		}
	}
}

} // namespace
} // namespace task_isolation::test
