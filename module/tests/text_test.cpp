// SPDX-License-Identifier: GPL-2.0
/* Every text exactly: causes (6.10), log lines (6.9), refusals (2.9), states, numbers, lists. */
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "callbacks.h"
#include "lib/bitmap.h"
#include "lib/text_writer.h"
#include "linux/task_isolation.h"

namespace task_isolation::test
{
namespace
{

policy_cause cause_of(u32 cause, s32 detail = 0, u64 address = 0, const std::string &name = "")
{
	policy_cause result{};

	result.cause = cause;
	result.detail = detail;
	result.address = address;
	memcpy(result.name, name.data(), std::min(name.size(), sizeof(result.name)));
	return result;
}

std::string cause_text(const policy_cause &cause)
{
	char text[256];
	const u32 length = standard::cause_text(&cause, text, sizeof(text));

	EXPECT_EQ(length, strlen(text));
	return text;
}

TEST(CauseText, p6_10_each_cause)
{
	const struct {
		policy_cause cause;
		const char *text;
	} rows[] = {
		{cause_of(TASK_ISOLATION_CAUSE_NONE), ""},
		{cause_of(TASK_ISOLATION_CAUSE_SYSCALL, 39), "syscall 39"},
		{cause_of(TASK_ISOLATION_CAUSE_SYSCALL, 0), "syscall 0"},
		{cause_of(TASK_ISOLATION_CAUSE_PAGE_FAULT, 0, 0x7f0012345000),
		 "page fault at 0x7f0012345000"},
		{cause_of(TASK_ISOLATION_CAUSE_PAGE_FAULT), "page fault at 0x0"},
		{cause_of(TASK_ISOLATION_CAUSE_TRAP, 3), "trap 3"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 1), "tick (posix timer)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 2), "tick (perf events)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 4), "tick (scheduler)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 8), "tick (clock unstable)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 16), "tick (rcu)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 32), "tick (rcu expedited)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 5), "tick (posix timer, scheduler)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 0x41), "tick (posix timer, 0x40)"},
		{cause_of(TASK_ISOLATION_CAUSE_TICK, 0), "tick"},
		{cause_of(TASK_ISOLATION_CAUSE_TIMER, 0, 0, "mce_timer_fn"), "timer mce_timer_fn"},
		{cause_of(TASK_ISOLATION_CAUSE_TIMER), "timer"},
		{cause_of(TASK_ISOLATION_CAUSE_IPI, 0, 0, "ipi_mb"), "ipi ipi_mb"},
		{cause_of(TASK_ISOLATION_CAUSE_IPI), "ipi"},
		{cause_of(TASK_ISOLATION_CAUSE_RESCHEDULE), "reschedule"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ_WORK, 0, 0, "wake_up_klogd_work_func"),
		 "irq_work wake_up_klogd_work_func"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ_WORK), "irq_work"},
		{cause_of(TASK_ISOLATION_CAUSE_TLB_FLUSH), "tlb flush"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ, 27, 0, "virtio0-input"),
		 "irq 27 (virtio0-input)"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ, 27), "irq 27"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ, -1), "irq"},
		{cause_of(TASK_ISOLATION_CAUSE_IRQ, -1, 0, "eth0"), "irq (eth0)"},
		{cause_of(TASK_ISOLATION_CAUSE_WORK, 0, 0, "vmstat_update"), "work vmstat_update"},
		{cause_of(TASK_ISOLATION_CAUSE_WORK), "work"},
		{cause_of(TASK_ISOLATION_CAUSE_PREEMPTED, 117, 0, "kworker/2:1"),
		 "preempted by kworker/2:1/117"},
		{cause_of(TASK_ISOLATION_CAUSE_PREEMPTED, 0, 0, "spin"), "preempted by spin"},
		{cause_of(TASK_ISOLATION_CAUSE_PREEMPTED), "preempted"},
		{cause_of(TASK_ISOLATION_CAUSE_NMI), "nmi"},
		{cause_of(TASK_ISOLATION_CAUSE_MACHINE_CHECK), "machine check"},
		{cause_of(TASK_ISOLATION_CAUSE_SIGNAL, 15), "signal 15"},
		{cause_of(TASK_ISOLATION_CAUSE_SIGNAL), "signal"},
		{cause_of(TASK_ISOLATION_CAUSE_STOP), "stop"},
		{cause_of(TASK_ISOLATION_CAUSE_PTRACE), "ptrace"},
		{cause_of(TASK_ISOLATION_CAUSE_FREEZER), "freezer"},
		{cause_of(TASK_ISOLATION_CAUSE_AFFINITY), "affinity"},
		{cause_of(TASK_ISOLATION_CAUSE_CPUSET), "cpuset"},
		{cause_of(TASK_ISOLATION_CAUSE_HOTPLUG), "hotplug"},
		{cause_of(TASK_ISOLATION_CAUSE_RELEASE), "release"},
		{cause_of(TASK_ISOLATION_CAUSE_UNKNOWN, 236, 0x401000),
		 "unknown (vector 236 at 0x401000)"},
		{cause_of(TASK_ISOLATION_CAUSE_UNKNOWN, 236), "unknown (vector 236)"},
		{cause_of(TASK_ISOLATION_CAUSE_UNKNOWN, -1, 0x401000), "unknown (at 0x401000)"},
		{cause_of(TASK_ISOLATION_CAUSE_UNKNOWN, -1), "unknown"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 8, 117, "kworker/2:1"),
		 "not quiet (runnable task kworker/2:1/117)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 8), "not quiet (runnable task)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 0x20, 0xffffffff81000000, "poll_fn"),
		 "not quiet (timer poll_fn)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 0xc0), "not quiet (batches, vmstat)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 0x1fff),
		 "not quiet (runnable task, timer, tick, irq_work, call-function work, affinity, "
		 "exit work, softirq, batches, vmstat, pending interrupt, rcu callbacks, fair "
		 "server)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET, 0x2000), "not quiet (0x2000)"},
		{cause_of(TASK_ISOLATION_CAUSE_NOT_QUIET), "not quiet"},
		{cause_of(99), "unknown"},
	};

	for (const auto &row : rows)
		EXPECT_EQ(cause_text(row.cause), row.text);
}

TEST(CauseText, names_are_escaped_and_bounded)
{
	EXPECT_EQ(cause_text(cause_of(TASK_ISOLATION_CAUSE_PREEMPTED, 5, 0, "a\nb\\c\xc3\xa4")),
		  "preempted by a\\x0ab\\x5cc\\xc3\\xa4/5");
	EXPECT_EQ(cause_text(cause_of(TASK_ISOLATION_CAUSE_IPI, 0, 0, std::string(80, 'f'))),
		  "ipi " + std::string(64, 'f'))
		<< "a name without NUL ends with its field";
}

std::string loss_line(const char *comm, s32 pid, u32 log)
{
	policy_task task{};
	const policy_cause cause = cause_of(TASK_ISOLATION_CAUSE_SYSCALL, 39);
	char text[256];

	task.pid = pid;
	memcpy(task.comm, comm, std::min(strlen(comm), sizeof(task.comm)));
	const u32 length = standard::loss_line(&task, &cause, log, text, sizeof(text));

	EXPECT_EQ(length, strlen(text));
	return text;
}

TEST(LossLine, p6_9_both_forms)
{
	EXPECT_EQ(loss_line("spin", 812, 1),
		  "spin/812: task_isolation mode lost due to syscall 39");
	EXPECT_EQ(loss_line("spin", 812, 2), "spin/812: task_isolation interrupted by syscall 39");
	EXPECT_EQ(loss_line("spin", 812, 0), "");
}

TEST(LossLine, p6_9_comm_is_escaped)
{
	EXPECT_EQ(loss_line("a\n<0>x\x7f\\", 1, 1),
		  "a\\x0a<0>x\\x7f\\x5c/1: task_isolation mode lost due to syscall 39");
	EXPECT_EQ(loss_line("0123456789abcdefghij", 1, 1),
		  "0123456789abcdef/1: task_isolation mode lost due to syscall 39");
}

TEST(TextWriter, every_size_gives_a_beginning_of_the_whole)
{
	const policy_cause cause = cause_of(TASK_ISOLATION_CAUSE_PREEMPTED, 117, 0, "\x01kworker");
	const std::string whole = cause_text(cause);

	for (u32 size = 0; size < whole.size() + 4; size++) {
		std::vector<char> text(size + 1, '#');
		const u32 length = standard::cause_text(&cause, text.data(), size);

		EXPECT_EQ(text[size], '#') << "wrote behind its size";
		if (size == 0) {
			EXPECT_EQ(length, 0U);
			continue;
		}
		EXPECT_LT(length, size);
		EXPECT_EQ(strlen(text.data()), length);
		EXPECT_EQ(whole.compare(0, length, text.data()), 0);
		/* An escape is whole or not there. */
		EXPECT_TRUE(length <= 13 || length >= 17) << length;
	}
	EXPECT_EQ(whole, "preempted by \\x01kworker/117");
}

TEST(TextWriter, numbers)
{
	char text[64];

	EXPECT_EQ(TextWriter(text, 64).decimal(~u64{0}).length(), 20U);
	EXPECT_STREQ(text, "18446744073709551615");
	TextWriter(text, 64).signed_decimal(-9223372036854775807 - 1);
	EXPECT_STREQ(text, "-9223372036854775808");
	TextWriter(text, 64).hexadecimal(0xfedcba9876543210);
	EXPECT_STREQ(text, "0xfedcba9876543210");
	TextWriter(text, 64).hexadecimal(0x10);
	EXPECT_STREQ(text, "0x10");
}

policy_admit_facts facts_of_cpu_5()
{
	policy_admit_facts facts{};

	facts.cpu = 5;
	facts.affinity = 1;
	return facts;
}

std::string refusal(const policy_admit_facts &facts, u32 refusal, u32 unmet = 0,
		    const policy_cause *in_the_way = nullptr)
{
	char text[256];
	const u32 length =
		standard::refusal_text(&facts, refusal, unmet, in_the_way, text, sizeof(text));

	EXPECT_EQ(length, strlen(text));
	EXPECT_LT(length, u32{TASK_ISOLATION_TEXT_LEN}) << text;
	return text;
}

TEST(RefusalText, p2_9_thing_value_and_cure)
{
	policy_admit_facts facts = facts_of_cpu_5();

	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NONE), "");
	EXPECT_EQ(refusal(facts, 99), "");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_SWITCHED_OFF),
		  "task_isolation: booted with notaskisolation; boot without it");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_RELEASED),
		  "task_isolation: released; write 0 to /sys/kernel/task_isolation/release");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NOT_ALLOWED),
		  "task_isolation: caller lacks CAP_SYS_NICE; grant it or write gid=N or any to "
		  "'allow'");
	facts.allow = POLICY_ALLOW_GROUP;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NOT_ALLOWED),
		  "task_isolation: caller is not in the group of 'allow'; join it or write 'any' "
		  "there");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_AFFINITY),
		  "task_isolation: affinity, CPU or list changed while entering; bind and call "
		  "again");
	facts.affinity = 4;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_AFFINITY),
		  "task_isolation: affinity is 4 CPUs; bind the caller to one task-isolation CPU");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NOT_LISTED),
		  "task_isolation: CPU 5 is not a task-isolation CPU; bind to one or add it to "
		  "the list");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NOT_NOHZ_FULL),
		  "task_isolation: CPU 5 is not nohz_full; boot with nohz_full=5 or "
		  "task_isolation=5");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_BALANCED),
		  "task_isolation: CPU 5 is load balanced; boot with isolcpus=domain,5 or "
		  "task_isolation=5");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_CLOCK),
		  "task_isolation: the clock of CPU 5 is unstable; boot with tsc=reliable if it "
		  "is not");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_DEADLINE),
		  "task_isolation: caller is SCHED_DEADLINE; use SCHED_OTHER or SCHED_FIFO");
	facts.other_owner_pid = 4711;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_OWNED),
		  "task_isolation: CPU 5 is owned by PID 4711; use another CPU or end that task");
	facts.other_owner_pid = 0;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_OWNED),
		  "task_isolation: CPU 5 is owned by another task; use another CPU or end that "
		  "task");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_MEMORY),
		  "task_isolation: no memory for an owner; free some and retry");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TRACED),
		  "task_isolation: caller is being traced; detach the tracer and retry");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_SIGNAL),
		  "task_isolation: a signal handler ran while waiting; call again");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_NEVER),
		  "task_isolation: this policy never says ready; write another name to 'policy'");
}

TEST(RefusalText, p2_9_names_the_flag)
{
	const struct {
		u64 flags;
		const char *text;
	} rows[] = {
		{0x100001,
		 "task_isolation: flags 0x100001 have unknown bits 0x100000; leave them out"},
		{0x2, "task_isolation: flags 0x2 lack ENABLE; add it, or pass 0 to leave"},
		{0x7, "task_isolation: flags 0x7: ONESHOT goes with no signal; leave one out"},
		{0x1101,
		 "task_isolation: flags 0x1101: signal 17 ends no process by default; choose one "
		 "that does"},
	};

	for (const auto &row : rows) {
		policy_cause flags{};

		flags.address = row.flags;
		EXPECT_EQ(refusal({}, POLICY_REFUSAL_FLAGS, 0, &flags), row.text);
	}
}

TEST(RefusalText, p2_9_names_who_is_in_the_way)
{
	policy_admit_facts facts = facts_of_cpu_5();
	const policy_cause worker = cause_of(TASK_ISOLATION_CAUSE_PREEMPTED, 117, 0, "kworker/5:1");
	const policy_cause function = cause_of(TASK_ISOLATION_CAUSE_TIMER, 0, 0, "poll_fn");

	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TASK, 8, &worker),
		  "task_isolation: CPU 5 also runs kworker/5:1/117; move it away and retry");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TASK, 8),
		  "task_isolation: CPU 5 also runs another task; move it away and retry");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TIMER, 32, &function),
		  "task_isolation: timer poll_fn on CPU 5 is due too late; stop it or raise "
		  "timeout_ms");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TIMER, 32),
		  "task_isolation: timer on CPU 5 is due too late; stop it or raise timeout_ms");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TIMEOUT, 8, &worker),
		  "task_isolation: CPU 5 not quiet in time: runnable task kworker/5:1/117; "
		  "raise timeout_ms");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TIMEOUT, 0xc0),
		  "task_isolation: CPU 5 not quiet in time: batches, vmstat; raise timeout_ms");
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TICK, 16),
		  "task_isolation: CPU 5 keeps its tick; retry without NOWAIT");
	facts.tick_dependency = 1;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TICK, 16),
		  "task_isolation: CPU 5 keeps its tick (posix timer); disarm the CPU timers");
	facts.tick_dependency = 2;
	EXPECT_EQ(refusal(facts, POLICY_REFUSAL_TICK, 16),
		  "task_isolation: CPU 5 keeps its tick (perf events); close its perf events");
}

TEST(StateText, one_word_each)
{
	const char *const expected[] = {"off", "entering", "isolated", "late", "lost", ""};
	char text[16];

	for (u32 state = 0; state < 6; state++) {
		EXPECT_EQ(standard::state_text(state, text, sizeof(text)), strlen(expected[state]));
		EXPECT_STREQ(text, expected[state]);
	}
}

/* ---- who may enter --------------------------------------------------------- */

TEST(Allow, p6_8_three_forms)
{
	const struct {
		std::string text;
		s32 error;
		u32 allow, group;
		std::string shown;
	} rows[] = {
		{"privileged", 0, POLICY_ALLOW_PRIVILEGED, 0, "privileged"},
		{"any\n", 0, POLICY_ALLOW_ANY, 0, "any"},
		{"gid=0", 0, POLICY_ALLOW_GROUP, 0, "gid=0"},
		{"gid=1000\n", 0, POLICY_ALLOW_GROUP, 1000, "gid=1000"},
		{"gid=4294967294", 0, POLICY_ALLOW_GROUP, 4294967294U, "gid=4294967294"},
		{"gid=4294967295", -22, 0, 0, ""},
		{"gid=99999999999999999999", -22, 0, 0, ""},
		{"gid=", -22, 0, 0, ""},
		{"gid=-1", -22, 0, 0, ""},
		{"gid=7x", -22, 0, 0, ""},
		{"gid 7", -22, 0, 0, ""},
		{"7", -22, 0, 0, ""},
		{"", -22, 0, 0, ""},
		{"\n", -22, 0, 0, ""},
		{"Any", -22, 0, 0, ""},
		{"anyone", -22, 0, 0, ""},
		{"an", -22, 0, 0, ""},
		{"any\n\n", -22, 0, 0, ""},
		{" any", -22, 0, 0, ""},
		{"privileged ", -22, 0, 0, ""},
		{"privilege", -22, 0, 0, ""},
	};

	for (const auto &row : rows) {
		u32 allow = 77, group = 77;
		char text[32] = "?";

		EXPECT_EQ(standard::parse_allow(row.text.data(), static_cast<u32>(row.text.size()),
						&allow, &group),
			  row.error)
			<< row.text;
		EXPECT_EQ(allow, row.error == 0 ? row.allow : 77) << row.text;
		EXPECT_EQ(group, row.error == 0 ? row.group : 77) << row.text;
		if (row.error != 0)
			continue;
		EXPECT_EQ(standard::allow_text(allow, group, text, sizeof(text)), row.shown.size());
		EXPECT_EQ(text, row.shown);
	}
}

/* ---- numbers and lists --------------------------------------------------- */

s32 number(const std::string &text, u32 max, u32 *value)
{
	return standard::parse_number(text.data(), static_cast<u32>(text.size()), max, value);
}

TEST(Number, as_kstrtouint)
{
	const struct {
		std::string text;
		u32 max;
		s32 error;
		u32 value;
	} rows[] = {
		{"0", 60000, 0, 0},
		{"1000\n", 60000, 0, 1000},
		{"+7", 60000, 0, 7},
		{"0060000", 60000, 0, 60000},
		{"60001", 60000, -22, 0},
		{"4294967295", ~0U, 0, ~0U},
		{"4294967296", ~0U, -34, 0},
		{"99999999999999999999", ~0U, -34, 0},
		{"99999999999999999999x", ~0U, -34, 0},
		{"4294967296x", ~0U, -22, 0},
		{"", 9, -22, 0},
		{"\n", 9, -22, 0},
		{"+", 9, -22, 0},
		{"-1", 9, -22, 0},
		{" 1", 9, -22, 0},
		{"1 ", 9, -22, 0},
		{"1\n\n", 9, -22, 0},
		{"++1", 9, -22, 0},
		{"0x1", 9, -22, 0},
		{std::string("1\0x", 3), 9, 0, 1},
	};

	for (const auto &row : rows) {
		u32 value = 77;

		EXPECT_EQ(number(row.text, row.max, &value), row.error) << row.text;
		EXPECT_EQ(value, row.error == 0 ? row.value : 77) << row.text;
	}
}

std::string list(const std::string &text, u32 nbits = 64)
{
	/* Exactly as large as the text: the sanitizer sees a read behind it. */
	const std::vector<char> exact(text.begin(), text.end());
	std::vector<bitmap_word> bits(words_for(nbits), ~0UL);
	const s32 error = standard::parse_cpulist(exact.data(), static_cast<u32>(exact.size()),
						  bits.data(), nbits);
	char answer[1024];

	if (error != 0)
		return std::to_string(error);

	const u32 length = standard::format_cpulist(bits.data(), nbits, answer, sizeof(answer));

	EXPECT_EQ(length, strlen(answer));
	return answer;
}

TEST(Cpulist, p6_4_what_is_accepted)
{
	EXPECT_EQ(list(""), "");
	EXPECT_EQ(list("\n"), "");
	EXPECT_EQ(list(" , \t,"), "");
	EXPECT_EQ(list("0"), "0");
	EXPECT_EQ(list("2-5,8-30:2/4"), "2-5,8-9,12-13,16-17,20-21,24-25,28-29");
	EXPECT_EQ(list("all"), "0-63");
	EXPECT_EQ(list("ALL"), "0-63");
	EXPECT_EQ(list("all:1/2", 8), "0,2,4,6");
	EXPECT_EQ(list("N"), "63");
	EXPECT_EQ(list("0-N:N/N", 8), "0-7");
	EXPECT_EQ(list("3,1,2 , 1"), "1-3");
	EXPECT_EQ(list("1 2\t3"), "1-3");
	EXPECT_EQ(list("\v1\f2\r3\xa0"
		       "4"),
		  "1-4");
	EXPECT_EQ(list("007"), "7");
	EXPECT_EQ(list("0-3:0/2"), "");
	EXPECT_EQ(list("63-63"), "63");
	EXPECT_EQ(list("0,2"), "0,2");
	EXPECT_EQ(list("128,255-256", 257), "128,255-256");
}

TEST(Cpulist, p6_4_where_a_newline_ends_the_list)
{
	EXPECT_EQ(list("1\n2"), "1");
	EXPECT_EQ(list("\n2"), "2");
	EXPECT_EQ(list("1,\n2"), "1-2");
	EXPECT_EQ(list("0-3:1/2\n7"), "0,2,7");
	EXPECT_EQ(list(std::string("1\0,2", 4)), "1");
}

TEST(Cpulist, p6_4_what_is_refused)
{
	for (const char *text :
	     {"x",	"-1",	   "1-",      "1-2-3",	    "1:2/3", "1-3:", "1-3:1", "1-3:1/",
	      "1-3:/2", "1-3:3/2", "1-3:1/0", "5-2",	    "1-2x",  "0x1",  "1.2",   "al",
	      "allx",	"n",	   "1;2",     "4294967295", "+1",    "1--2"})
		EXPECT_EQ(list(text), "-22") << text;
	for (const char *text : {"64", "0-64", "4294967294", "1,64", "60-70:1/2"})
		EXPECT_EQ(list(text), "-34") << text;
	for (const char *text : {"4294967296", "0-4294967296", "99999999999999999999999",
				 "0-3:4294967296/2", "0-3:1/18446744073709551616"})
		EXPECT_EQ(list(text), "-75") << text;
}

TEST(Cpulist, p6_4_a_pattern_needs_no_separator_behind_it)
{
	EXPECT_EQ(list("0-3:1/2all", 8), "0-7");
	EXPECT_EQ(list("0-3:1/2x"), "-22");
	EXPECT_EQ(list("0-1:1/N5", 8), "0,5");
}

TEST(Cpulist, p6_4_a_group_that_wraps_walks_down)
{
	EXPECT_EQ(list("5-6:1/4294967295"), "0-5");
	EXPECT_EQ(list("5-6:1/4294967294"), "1,3,5");
	EXPECT_EQ(list("5-6:1/2147483648"), "5");
}

TEST(Cpulist, unused_bits_of_the_last_word_are_clear)
{
	bitmap_word word = ~0UL;

	EXPECT_EQ(standard::parse_cpulist("all", 3, &word, 5), 0);
	EXPECT_EQ(word, 0x1fUL);
}

TEST(Cpulist, formatting_is_cut_cleanly)
{
	const bitmap_word word = 0x8000000000000ff1UL;
	char text[8];

	EXPECT_EQ(standard::format_cpulist(&word, 64, text, sizeof(text)), 7U);
	EXPECT_STREQ(text, "0,4-11,");
}

} // namespace
} // namespace task_isolation::test
