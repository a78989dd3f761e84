// SPDX-License-Identifier: GPL-2.0
/* The interface as a 32-bit program sees it; built with -m32. */
#include "isolation.h"
#include "kselftest_harness.h"

#if defined(__x86_64__)
#error "a 32-bit program is wanted: build with -m32"
#endif

FIXTURE(compat) { struct stage *s; };
FOUR_MODES(compat);
FIXTURE_SETUP(compat)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->flags = variant->flags;
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
}
FIXTURE_TEARDOWN(compat) { }

STAGE_FIXTURE(one)

static void act_calls(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 0; i < 100; i++) {
		if (flags_now() != (long)s->flags)
			s->value[0]++;
		if (read_info(&s->info) || s->info.state != TASK_ISOLATION_ISOLATED)
			s->value[1]++;
	}
	s->value[2] = leave();
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(compat, p2_6_none_of_the_calls_ends_isolation, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_calls))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(variant->flags, self->s->info.flags);
	EXPECT_EQ(CPU_A, self->s->info.cpu);
}

TEST_F_TIMEOUT(one, p2_3_the_structure_is_the_same, CASE_TIMEOUT)
{
	struct task_isolation_info info;

	EXPECT_EQ(440, sizeof(info));
	EXPECT_EQ(64, offsetof(struct task_isolation_info, loss_address));
	ASSERT_EQ(0, read_info(&info));
	EXPECT_EQ(440, info.size);
	EXPECT_EQ(TASK_ISOLATION_OFF, info.state);
	EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, &info, 100, 0, 0));
	EXPECT_EQ(E2BIG, errno);
	EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, NULL, sizeof(info), 0, 0));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 1, 0));
	EXPECT_EQ(EINVAL, errno);
}

static void act_write(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	s->value[0] = syscall(SYS_write, s->fd[1], "x", 1);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(compat, p3_1_a_system_call, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_write);
	int status = finish(pid);
	char byte;

	ASSERT_EQ(0, self->s->error);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		EXPECT_EQ(-1, read(self->s->fd[0], &byte, 1)) TH_LOG("the call was executed");
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(1, self->s->value[0]);
		EXPECT_EQ(1, read(self->s->fd[0], &byte, 1));
		EXPECT_EQ(-1, read(self->s->fd[0], &byte, 1)) TH_LOG("executed twice");
		EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	}
	EXPECT_EQ(variant->mode == MODE_PERSISTENT ? (long)variant->flags : 0, self->s->flags_after);
	if (variant->mode != MODE_PERSISTENT) {
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall 4"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	}
}

static void act_exit(struct stage *s)
{
	if (!enter_on_stage(s, s->flags))
		syscall(s->value[0], 36);
}

TEST_F_TIMEOUT(compat, p3_8_exit_and_exit_group, CASE_TIMEOUT)
{
	static const int calls[] = { SYS_exit, SYS_exit_group };

	for (int i = 0; i < 2; i++) {
		int status;

		self->s = stage_new();
		self->s->flags = variant->flags;
		self->s->value[0] = calls[i];
		status = finish(actor(self->s, CPU_A, act_exit));
		EXPECT_EQ(0, self->s->error);
		EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 36) TH_LOG("status %#x", status);
	}
}

static void on_plain_enter(int sig)
{
	if (enter(on_stage->flags))
		on_stage->error = errno;
	else
		on_stage->entered++;
}

static void on_info_enter(int sig, siginfo_t *si, void *context)
{
	on_plain_enter(sig);
}

static void act_return_from_handler(struct stage *s)
{
	struct sigaction plain = { .sa_handler = on_plain_enter };

	handle(CHOSEN, on_chosen, 0);
	/* without SA_SIGINFO the handler returns by sigreturn, with it by rt_sigreturn */
	sigaction(SIGUSR2, &plain, NULL);
	if (s->value[0])
		handle(SIGUSR2, on_info_enter, 0);
	raise(SIGUSR2);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(compat, p3_8_sigreturn_and_rt_sigreturn, CASE_TIMEOUT)
{
	for (int rt = 0; rt < 2; rt++) {
		int status;

		self->s = stage_new();
		self->s->flags = variant->flags;
		self->s->value[0] = rt;
		status = finish(actor(self->s, CPU_A, act_return_from_handler));
		EXPECT_EQ(0, self->s->error);
		EXPECT_TRUE(ended_well(status)) TH_LOG("rt %d: status %#x", rt, status);
		EXPECT_EQ((long)variant->flags, self->s->flags_after);
		EXPECT_EQ(0, self->s->hits);
	}
}

static void act_fault(struct stage *s)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(CHOSEN, on_chosen, 0);
	s->value[0] = (long)p;
	if (enter_on_stage(s, s->flags))
		return;
	p[0] = 5;
	s->value[1] = p[0];
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(compat, p3_2_a_page_fault, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_fault));

	ASSERT_EQ(0, self->s->error);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(5, self->s->value[1]);
		EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
		EXPECT_EQ(variant->mode == MODE_PERSISTENT ? (long)variant->flags : 0, self->s->flags_after);
	}
}

TEST_F_TIMEOUT(one, p3_11_what_the_signal_says, CASE_TIMEOUT)
{
	self->s->flags = WITH_SIGNAL(CHOSEN);
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_write))));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
	EXPECT_EQ(0, self->s->seen.si_pid);
}

TEST_HARNESS_MAIN
