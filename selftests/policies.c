// SPDX-License-Identifier: GPL-2.0
/* Several policies: the first serves, a written name lets another serve. */
#include "modules.h"
#include "kselftest_harness.h"

FIXTURE(policies) { struct stage *s; };
FIXTURE_SETUP(policies)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	ASSERT_EQ(0, is_loaded(POLICY("absorb")) ? 0 : load(POLICY("absorb"), ""));
	ASSERT_EQ(0, is_loaded(POLICY("kill_own")) ? 0 : load(POLICY("kill_own"), ""));
	ASSERT_EQ(0, is_loaded(POLICY("never_ready")) ? 0 : load(POLICY("never_ready"), ""));
}
FIXTURE_TEARDOWN(policies)
{
	write_text(FILE_POLICY, "standard");
	unload(POLICY("absorb"));
	unload(POLICY("kill_own"));
	unload(POLICY("never_ready"));
}

static const char *serving(void)
{
	static char name[64];

	read_text(FILE_POLICY, name, sizeof(name));
	return name;
}

static void act_call_inside(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags)) {
		read_info(&s->info);
		return;
	}
	spin_until_may(s, 1);
	s->value[0] = syscall(SYS_getppid);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

TEST_F_TIMEOUT(policies, p6_11_loading_others_does_not_choose_them, CASE_TIMEOUT)
{
	EXPECT_STREQ("standard", serving());
}

TEST_F_TIMEOUT(policies, p6_11_a_written_name_serves, CASE_TIMEOUT)
{
	static const char *const names[] = { "absorb", "kill_own", "never_ready", "standard" };

	for (size_t i = 0; i < 4; i++) {
		EXPECT_EQ(0, write_text(FILE_POLICY, names[i]));
		EXPECT_STREQ(names[i], serving());
	}
	EXPECT_EQ(-ENOENT, write_text(FILE_POLICY, "task_isolation_policy"));
	EXPECT_STREQ("standard", serving());
}

TEST_F_TIMEOUT(policies, p6_11_absorb_keeps_a_strict_task_alive, CASE_TIMEOUT)
{
	int status;

	ASSERT_EQ(0, write_text(FILE_POLICY, "absorb"));
	self->s->flags = STRICT;
	self->s->may = 2;
	status = finish(actor(self->s, CPU_A, act_call_inside));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(getpid(), self->s->value[0]);
	EXPECT_EQ(STRICT, self->s->flags_after);
}

TEST_F_TIMEOUT(policies, p6_11_kill_own_kills_a_persistent_task, CASE_TIMEOUT)
{
	int status;

	ASSERT_EQ(0, write_text(FILE_POLICY, "kill_own"));
	self->s->flags = PERSISTENT;
	self->s->may = 2;
	status = finish(actor(self->s, CPU_A, act_call_inside));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(policies, p6_11_never_ready_refuses_every_entry, CASE_TIMEOUT)
{
	int status;

	ASSERT_EQ(0, write_text(FILE_POLICY, "never_ready"));
	self->s->flags = PERSISTENT;
	status = finish(actor(self->s, CPU_A, act_call_inside));
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_NE(0, self->s->error);
	EXPECT_EQ(self->s->error, self->s->info.refusal_errno);
	EXPECT_NE(0, self->s->info.refusal[0]);
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(policies, p6_11_choosing_disturbs_no_owner, CASE_TIMEOUT)
{
	static const char *const names[] = { "absorb", "kill_own", "standard" };
	unsigned long before;
	pid_t pid;

	/* loading a module is interference, and its clean-up comes a while later */
	await_rest(CPU_A, 1500);
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_call_inside);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	before = interrupts(CPU_A, "all");
	for (int i = 0; i < 30; i++) {
		ASSERT_EQ(0, write_text(FILE_POLICY, names[i % 3]));
		ASSERT_TRUE(isolated(self->s, pid));
	}
	EXPECT_EQ(before, interrupts(CPU_A, "all"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(pid, owner_of(CPU_A));
	/* the owner of before is judged by the policy of now */
	ASSERT_EQ(0, write_text(FILE_POLICY, "absorb"));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(getpid(), self->s->value[0]);
}

/* Its system calls were counted without asking anybody; the new policy is asked. */
TEST_F_TIMEOUT(policies, p6_11_the_policy_of_now_judges_a_persistent_owner, CASE_TIMEOUT)
{
	int status;
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_call_inside);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	ASSERT_EQ(0, write_text(FILE_POLICY, "kill_own"));
	self->s->may = 2;
	status = finish(pid);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall 110"));
	EXPECT_EQ(0, owner_of(CPU_A));
}

TEST_F_TIMEOUT(policies, p6_11_the_serving_policy_cannot_go_while_an_owner_is_there, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_call_inside);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	EXPECT_LT(unload(STANDARD), 0);
	EXPECT_LT(unload(SHELL), 0);
	EXPECT_EQ(pid, owner_of(CPU_A));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_STREQ("standard", serving());
}

TEST_F_TIMEOUT(policies, p6_11_the_same_policy_is_not_loaded_twice, CASE_TIMEOUT)
{
	EXPECT_EQ(-EEXIST, load(POLICY("absorb"), ""));
	EXPECT_STREQ("standard", serving());
}

TEST_HARNESS_MAIN
