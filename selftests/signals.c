// SPDX-License-Identifier: GPL-2.0
/* The chosen signal: when it is sent, what it says, whom it reaches. */
#include "isolation.h"
#include "kselftest_harness.h"

STAGE_FIXTURE(signals)

static void act_lose_by_call(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	syscall(SYS_getppid);
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	read_info(&s->info);
	s->flags_after = flags_now();
}

/* ---- 3.10 ------------------------------------------------------------------ */

TEST_F_TIMEOUT(signals, p3_10_a_loss_brings_no_second_one, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_by_call);
	char line[1024];
	int log = log_open();

	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->flags_in_handler);
	EXPECT_EQ(1, self->s->info.own + self->s->info.foreign);
	/* whatever the record, the line and the signal brought has happened by now */
	log_find(log, 2000, "mode lost", line, sizeof(line));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(1, self->s->info.own + self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->info.loss_cause);
	EXPECT_EQ(TASK_ISOLATION_LOST, self->s->info.state);
	EXPECT_EQ(0, self->s->flags_after);
	close(log);
}

static void act_lose_by_others(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	start_helper(s);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	spin_until_may(s, 1);
	read_info(&s->info);
	s->flags_after = flags_now();
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(signals, p3_10_disturbances_after_a_loss_are_nobody_s, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_by_others);

	AWAIT_ISOLATED(AT_ENTERED);
	for (int i = 0; i < 20; i++) {
		ASSERT_TRUE(order(self->s, i % 2 ? ORDER_IPI : ORDER_TLB));
	}
	EXPECT_TRUE(UNTIL(self->s->hits > 0));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(1, self->s->info.foreign);
	EXPECT_EQ(0, self->s->info.own);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_TLB_FLUSH, self->s->info.loss_cause);
}

/* ---- 3.11 ------------------------------------------------------------------ */

TEST_F_TIMEOUT(signals, p3_11_what_the_signal_says, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_by_call);

	self->s->may = 1;
	ASSERT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(CHOSEN, self->s->seen.si_signo);
	EXPECT_EQ(0x54, self->s->seen.si_code);
	EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
	EXPECT_EQ(0, self->s->seen.si_pid);
}

TEST_F_TIMEOUT(signals, p3_11_the_cause_of_a_foreign_loss, CASE_TIMEOUT)
{
	static const struct { int order, cause; } foreign[] = {
		{ ORDER_IPI, TASK_ISOLATION_CAUSE_IPI },
		{ ORDER_TLB, TASK_ISOLATION_CAUSE_TLB_FLUSH },
	};

	for (int i = 0; i < 2; i++) {
		pid_t pid;

		self->s = stage_new();
		pid = actor(self->s, CPU_A, act_lose_by_others);
		AWAIT_ISOLATED(AT_ENTERED);
		ASSERT_TRUE(order(self->s, foreign[i].order));
		EXPECT_TRUE(UNTIL(self->s->hits == 1));
		self->s->may = 1;
		EXPECT_TRUE(ended_well(finish(pid)));
		EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);
		EXPECT_EQ(foreign[i].cause, self->s->seen.si_errno);
		EXPECT_EQ(self->s->helper_tid, self->s->seen.si_pid);
	}
}

TEST_F_TIMEOUT(signals, p3_11_no_other_process_can_forge_it, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, HOUSE + 1, act_intruder);
	siginfo_t forged = { .si_signo = CHOSEN, .si_code = TASK_ISOLATION_LOSS };

	ASSERT_TRUE(UNTIL(self->s->turns > 1));
	EXPECT_EQ(-1, syscall(SYS_rt_sigqueueinfo, pid, CHOSEN, &forged));
	EXPECT_EQ(EPERM, errno);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_lose_blocked(struct stage *s)
{
	sigset_t set;

	handle(s->value[0], on_chosen, 0);
	if (s->value[1])
		signal(s->value[0], SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, s->value[0]);
	if (!s->value[1])
		sigprocmask(SIG_BLOCK, &set, NULL);
	if (enter_on_stage(s, WITH_SIGNAL(s->value[0])))
		return;
	syscall(SYS_getppid);
	s->value[2] = 1;
}

TEST_F_TIMEOUT(signals, p3_11_forced_when_blocked_or_ignored, CASE_TIMEOUT)
{
	static const int sigs[] = { SIGUSR1, SIGTERM, SIGALRM, SIGXCPU };

	for (int i = 0; i < 8; i++) {
		int status;

		self->s = stage_new();
		self->s->value[0] = sigs[i / 2];
		self->s->value[1] = i % 2;
		status = finish(actor(self->s, CPU_A, act_lose_blocked));
		EXPECT_EQ(0, self->s->error);
		EXPECT_TRUE(killed_by(status, sigs[i / 2]))
			TH_LOG("signal %d %s: status %#x", sigs[i / 2], i % 2 ? "ignored" : "blocked", status);
		EXPECT_EQ(0, self->s->value[2]);
		EXPECT_EQ(0, self->s->hits);
	}
}

static void act_lose_with_default(struct stage *s)
{
	start_helper(s);
	if (!enter_on_stage(s, s->flags))
		syscall(SYS_getppid);
	s->value[2] = 1;
}

TEST_F_TIMEOUT(signals, p3_11_the_default_action_ends_the_process, CASE_TIMEOUT)
{
	int status;

	/* the sibling thread goes too: waitpid() sees the whole process end */
	self->s->flags = STRICT;
	status = finish(actor(self->s, CPU_A, act_lose_with_default));
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	self->s = stage_new();
	self->s->flags = WITH_SIGNAL(SIGRTMIN + 3);
	status = finish(actor(self->s, CPU_A, act_lose_with_default));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(killed_by(status, SIGRTMIN + 3)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, self->s->value[2]);
}

/* ---- isolation belongs to a thread ------------------------------------------ */

static void *report_flags(void *arg)
{
	struct stage *s = arg;

	bind_to(s->value[5]);
	s->helper = 1;
	while (s->at < AT_ENTERED)
		rest();
	s->value[0] = flags_now();
	read_info(&s->info);
	syscall(SYS_getppid);
	s->helper = 2;
	return NULL;
}

static void act_isolate_beside_sibling(struct stage *s)
{
	s->value[5] = HOUSE;
	start_thread(report_flags, s);
	while (!s->helper)
		rest();
	be_resident(s);
	if (enter_on_stage(s, STRICT))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	s->at = AT_ENTERED + 1;
	leave();
	pause();
}

TEST_F_TIMEOUT(signals, p3_11_isolation_is_per_thread, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_isolate_beside_sibling);

	ASSERT_TRUE(UNTIL(self->s->at >= AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(UNTIL(self->s->helper == 2));
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(TASK_ISOLATION_OFF, self->s->info.state);
	EXPECT_EQ(0, self->s->info.own);
	self->s->may = 1;
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_EQ(STRICT, self->s->flags_after);
	kill(pid, SIGKILL);
	finish(pid);
}

static void *isolate_too(void *arg)
{
	struct stage *s = arg;

	bind_to(CPU_B);
	s->helper = 1;
	while (!s->order)
		relax();
	s->value[0] = enter(WITH_SIGNAL(SIGUSR2));
	s->helper = 2;
	while (s->may < 1)
		relax();
	s->value[1] = flags_now();
	syscall(SYS_getppid);
	s->value[2] = flags_now();
	s->helper = 3;
	while (s->may < 2)
		relax();
	return NULL;
}

static void act_two_isolated_threads(struct stage *s)
{
	handle(SIGUSR1, on_chosen, 0);
	handle(SIGUSR2, on_other, 0);
	start_thread(isolate_too, s);
	while (!s->helper)
		rest();
	be_resident(s);
	s->order = 1;
	while (s->helper < 2)
		rest();
	if (enter_on_stage(s, WITH_SIGNAL(SIGUSR1)))
		return;
	while (s->may < 2)
		relax();
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(signals, p3_11_the_signal_goes_to_the_thread_that_lost, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_two_isolated_threads);

	ASSERT_TRUE(UNTIL(self->s->at >= AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	ASSERT_EQ(0, self->s->value[0]);
	self->s->may = 1;
	ASSERT_TRUE(UNTIL(self->s->helper == 3));
	EXPECT_EQ((long)WITH_SIGNAL(SIGUSR2), self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(1, self->s->others);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_TRUE(cpu_state_is(CPU_A, "isolated"));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)WITH_SIGNAL(SIGUSR1), self->s->flags_after);
}

TEST_HARNESS_MAIN
