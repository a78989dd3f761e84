// SPDX-License-Identifier: GPL-2.0
/* The three calls: numbers, flags, what they look at and what they answer. */
#include "isolation.h"
#include "kselftest_harness.h"

#define GARBAGE1 0xdeadbeefUL
#define GARBAGE2 (~0UL)
#define GARBAGE3 0x123456789UL

STAGE_FIXTURE(calls)

/* Run @act as an actor on the first task-isolation CPU and see it end well. */
#define PLAY(act) do {							\
	int status_ = finish(actor(self->s, CPU_A, act));		\
	ASSERT_TRUE(ended_well(status_)) TH_LOG("actor ended with status %#x", status_); \
} while (0)

static void act_enter_leave(struct stage *s)
{
	s->value[0] = enter(s->flags) ? -errno : 0;
	s->value[1] = flags_now();
	s->value[2] = leave() ? -errno : 0;
	s->value[3] = flags_now();
}

TEST_F_TIMEOUT(calls, p2_1_the_numbers_are_48_49_and_TISI, CASE_TIMEOUT)
{
	EXPECT_EQ(48, PR_SET_TASK_ISOLATION);
	EXPECT_EQ(48, PR_TASK_ISOLATION);
	EXPECT_EQ(49, PR_GET_TASK_ISOLATION);
	EXPECT_EQ(0x54495349, PR_TASK_ISOLATION_INFO);
	EXPECT_EQ(264, TASK_ISOLATION_INFO_SIZE_VER0);
	EXPECT_EQ(264, offsetof(struct task_isolation_info, unknown));
	EXPECT_EQ(440, TASK_ISOLATION_INFO_SIZE_VER1);
	EXPECT_EQ(440, sizeof(struct task_isolation_info));
}

TEST_F_TIMEOUT(calls, p2_1_48_enters_and_flags_0_leaves, CASE_TIMEOUT)
{
	self->s->flags = PERSISTENT;
	PLAY(act_enter_leave);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(PERSISTENT, self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(0, self->s->value[3]);
}

TEST_F_TIMEOUT(calls, p2_1_leaving_always_succeeds, CASE_TIMEOUT)
{
	/* never isolated, on a housekeeping CPU, any number of times */
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, leave());
	}
	EXPECT_EQ(0, flags_now());
}

static void act_garbage_set(struct stage *s)
{
	s->value[0] = prctl(48, PERSISTENT, GARBAGE1, GARBAGE2, GARBAGE3) ? -errno : 0;
	s->value[1] = flags_now();
	s->value[2] = prctl(48, 0UL, GARBAGE3, GARBAGE1, GARBAGE2) ? -errno : 0;
	s->value[3] = flags_now();
}

TEST_F_TIMEOUT(calls, p2_1_set_looks_at_argument_2_only, CASE_TIMEOUT)
{
	PLAY(act_garbage_set);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(PERSISTENT, self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(0, self->s->value[3]);
}

static void act_garbage_get(struct stage *s)
{
	s->value[0] = prctl(49, GARBAGE1, GARBAGE2, GARBAGE3, GARBAGE1);
	s->value[1] = enter(PERSISTENT);
	s->value[2] = prctl(49, GARBAGE2, GARBAGE1, GARBAGE2, GARBAGE3);
	leave();
	s->value[3] = prctl(49, GARBAGE3, GARBAGE3, GARBAGE3, GARBAGE3);
}

TEST_F_TIMEOUT(calls, p2_2_get_looks_at_no_argument, CASE_TIMEOUT)
{
	PLAY(act_garbage_get);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(PERSISTENT, self->s->value[2]);
	EXPECT_EQ(0, self->s->value[3]);
}

static void act_get_each(struct stage *s)
{
	const unsigned long each[] = {
		STRICT, STRICT | NOWAIT, WITH_SIGNAL(SIGUSR2), WITH_SIGNAL(SIGRTMAX) | NOWAIT,
		WITH_SIGNAL(SIGTERM) | PR_TASK_ISOLATION_USERSIG, PERSISTENT, ONE_SHOT,
	};

	for (size_t i = 0; i < sizeof(each) / sizeof(*each); i++) {
		int error = 0;

		/* a first failed test is an honest answer to NOWAIT: try again */
		while (enter(each[i]) && (error = errno) == EAGAIN && (each[i] & NOWAIT))
			;
		if (flags_now() != (long)each[i]) {
			s->value[0] = i + 1;
			s->value[1] = flags_now();
			s->value[2] = error;
			return;
		}
		leave();
	}
}

TEST_F_TIMEOUT(calls, p2_2_get_returns_the_flags_as_given, CASE_TIMEOUT)
{
	PLAY(act_get_each);
	EXPECT_EQ(0, self->s->value[0])
		TH_LOG("flags set %ld: got %#lx, errno %ld", self->s->value[0] - 1, self->s->value[1],
		       self->s->value[2]);
}

TEST_F_TIMEOUT(calls, p2_2_get_is_0_when_never_isolated, CASE_TIMEOUT)
{
	EXPECT_EQ(0, flags_now());
}

static void act_one_shot_over(struct stage *s)
{
	s->value[0] = enter(ONE_SHOT);
	s->value[1] = flags_now();
	getppid();
	syscall(SYS_getppid);
	s->value[2] = flags_now();
}

TEST_F_TIMEOUT(calls, p2_2_get_is_0_when_no_longer_isolated, CASE_TIMEOUT)
{
	PLAY(act_one_shot_over);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(ONE_SHOT, self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
}

TEST_F_TIMEOUT(calls, p2_3_info_of_a_task_that_never_entered, CASE_TIMEOUT)
{
	struct task_isolation_info info;

	memset(&info, 0xa5, sizeof(info));
	ASSERT_EQ(0, read_info(&info));
	EXPECT_EQ(sizeof(info), info.size);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(TASK_ISOLATION_OFF, info.state);
	EXPECT_EQ(-1, info.cpu);
	EXPECT_EQ(0, info.own);
	EXPECT_EQ(0, info.foreign);
	EXPECT_EQ(0, info.absorbed);
	EXPECT_EQ(0, info.late);
	EXPECT_EQ(0, info.refusal_errno);
	EXPECT_EQ(0, info.refusal_unmet);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, info.loss_cause);
	EXPECT_STREQ("", info.refusal);
	EXPECT_STREQ("", info.loss);
}

static void act_info_inside(struct stage *s)
{
	s->value[0] = enter(PERSISTENT);
	take_before(s);
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	s->value[2] = read_info(&s->info);
}

TEST_F_TIMEOUT(calls, p2_3_info_of_an_isolated_task, CASE_TIMEOUT)
{
	PLAY(act_info_inside);
	ASSERT_EQ(0, self->s->value[0]);
	ASSERT_EQ(0, self->s->value[1]);
	ASSERT_EQ(0, self->s->value[2]);
	EXPECT_EQ(PERSISTENT, self->s->before.flags);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->before.state);
	EXPECT_EQ(CPU_A, self->s->before.cpu);
	EXPECT_EQ(0, self->s->before.foreign);
	EXPECT_EQ(0, self->s->before.refusal_errno);
	EXPECT_EQ(10 + self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(0, self->s->info.late);
}

static void act_info_after_loss(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	s->value[0] = enter(WITH_SIGNAL(CHOSEN));
	syscall(SYS_getppid);
	read_info(&s->info);
}

TEST_F_TIMEOUT(calls, p2_3_info_tells_the_last_loss, CASE_TIMEOUT)
{
	char expected[32];

	PLAY(act_info_after_loss);
	ASSERT_EQ(0, self->s->value[0]);
	snprintf(expected, sizeof(expected), "syscall %d", SYS_getppid);
	EXPECT_EQ(0, self->s->info.flags);
	EXPECT_EQ(TASK_ISOLATION_LOST, self->s->info.state);
	EXPECT_EQ(CPU_A, self->s->info.cpu);
	EXPECT_EQ(1, self->s->info.own);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->info.loss_cause);
	EXPECT_EQ(SYS_getppid, self->s->info.loss_detail);
	EXPECT_NE(NULL, strstr(self->s->info.loss, expected)) TH_LOG("loss: '%s'", self->s->info.loss);
}

TEST_F_TIMEOUT(calls, p2_3_info_tells_the_last_refusal, CASE_TIMEOUT)
{
	struct task_isolation_info info;

	ASSERT_EQ(-1, enter(STRICT | 1UL << 20));
	ASSERT_EQ(0, read_info(&info));
	EXPECT_EQ(EINVAL, info.refusal_errno);
	EXPECT_EQ(0, info.flags);
	EXPECT_EQ(TASK_ISOLATION_OFF, info.state);
}

TEST_F_TIMEOUT(calls, p2_3_smaller_than_the_first_version_is_E2BIG, CASE_TIMEOUT)
{
	static const size_t sizes[] = { 0, 1, 4, 263 };
	unsigned char buffer[264];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		memset(buffer, 0xa5, sizeof(buffer));
		errno = 0;
		EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, buffer, sizes[i], 0, 0));
		EXPECT_EQ(E2BIG, errno) TH_LOG("size %zu", sizes[i]);
		for (size_t b = 0; b < sizeof(buffer); b++) {
			ASSERT_EQ(0xa5, buffer[b]) TH_LOG("size %zu wrote byte %zu", sizes[i], b);
		}
	}
}

TEST_F_TIMEOUT(calls, p2_3_larger_than_a_page_is_E2BIG, CASE_TIMEOUT)
{
	static char buffer[1 << 16];
	static const size_t sizes[] = { 4097, 65536, 1UL << 31, 1UL << 32 | 264 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		errno = 0;
		EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, buffer, sizes[i], 0, 0));
		EXPECT_EQ(E2BIG, errno) TH_LOG("size %#zx", sizes[i]);
	}
}

TEST_F_TIMEOUT(calls, p2_3_a_newer_caller_is_served_what_the_kernel_has, CASE_TIMEOUT)
{
	union {
		struct task_isolation_info info;
		char bytes[4096];
	} newer;

	memset(&newer, 0, sizeof(newer));
	ASSERT_EQ(0, prctl(PR_TASK_ISOLATION_INFO, &newer, sizeof(newer), 0, 0));
	EXPECT_GE(newer.info.size, TASK_ISOLATION_INFO_SIZE_VER0);
	EXPECT_LT(newer.info.size, sizeof(newer));
	for (size_t b = newer.info.size; b < sizeof(newer); b++) {
		ASSERT_EQ(0, newer.bytes[b]);
	}
}

TEST_F_TIMEOUT(calls, p2_3_nothing_is_written_behind_size, CASE_TIMEOUT)
{
	struct {
		struct task_isolation_info info;
		unsigned char behind[64];
	} two;

	memset(&two, 0xa5, sizeof(two));
	ASSERT_EQ(0, prctl(PR_TASK_ISOLATION_INFO, &two, TASK_ISOLATION_INFO_SIZE_VER0, 0, 0));
	EXPECT_EQ(TASK_ISOLATION_INFO_SIZE_VER0, two.info.size);
	for (size_t b = 0; b < sizeof(two.behind); b++) {
		ASSERT_EQ(0xa5, two.behind[b]);
	}
}

TEST_F_TIMEOUT(calls, p2_3_bad_pointers_are_EFAULT, CASE_TIMEOUT)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	void *bad[] = { NULL, (void *)~0xfffUL, page + 4096 - 100, page + 4096 };

	ASSERT_NE(MAP_FAILED, page);
	ASSERT_EQ(0, mprotect(page + 4096, 4096, PROT_READ));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		errno = 0;
		EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, bad[i], sizeof(struct task_isolation_info), 0, 0));
		EXPECT_EQ(EFAULT, errno) TH_LOG("pointer %p", bad[i]);
	}
}

TEST_F_TIMEOUT(calls, p2_3_spare_arguments_are_EINVAL, CASE_TIMEOUT)
{
	struct task_isolation_info info;
	static const unsigned long spare[][2] = { { 1, 0 }, { 0, 1 }, { 1UL << 63, 0 }, { 0, 1UL << 40 } };

	for (size_t i = 0; i < 4; i++) {
		memset(&info, 0xa5, sizeof(info));
		errno = 0;
		EXPECT_EQ(-1, prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), spare[i][0], spare[i][1]));
		EXPECT_EQ(EINVAL, errno);
		EXPECT_EQ(0xa5a5a5a5U, info.size);
	}
}

/* Refused flags: tried on a CPU where good flags would be accepted. */
static void act_try_flags(struct stage *s)
{
	s->error = enter(s->flags) ? errno : 0;
	s->value[0] = flags_now();
	leave();
	read_info(&s->info);
}

#define EXPECT_FLAGS(expected, tried) do {				\
	self->s->flags = (tried);					\
	PLAY(act_try_flags);						\
	EXPECT_EQ(expected, self->s->error) TH_LOG("flags %#lx", (unsigned long)(tried)); \
	EXPECT_EQ((expected) ? 0 : (long)(tried), self->s->value[0])	\
		TH_LOG("flags %#lx left %#lx", (unsigned long)(tried), self->s->value[0]); \
} while (0)

TEST_F_TIMEOUT(calls, p2_4_flag_values_are_the_established_ones, CASE_TIMEOUT)
{
	EXPECT_EQ(1, PR_TASK_ISOLATION_ENABLE);
	EXPECT_EQ(2, PR_TASK_ISOLATION_USERSIG);
	EXPECT_EQ(4, PR_TASK_ISOLATION_ONESHOT);
	EXPECT_EQ(8, PR_TASK_ISOLATION_NOWAIT);
	EXPECT_EQ(0x0a00, PR_TASK_ISOLATION_SET_SIG(10));
	EXPECT_EQ(0x7f00, PR_TASK_ISOLATION_SET_SIG(-1));
	EXPECT_EQ(10, PR_TASK_ISOLATION_GET_SIG(0xffff8a0fU));
	EXPECT_EQ(2, PR_TASK_ISOLATION_NOSIG);
}

TEST_F_TIMEOUT(calls, p2_4_unknown_bit_is_EINVAL, CASE_TIMEOUT)
{
	for (int bit = 4; bit < 64; bit++)
		if (bit < 8 || bit > 14)
			EXPECT_FLAGS(EINVAL, PERSISTENT | 1UL << bit);
}

TEST_F_TIMEOUT(calls, p2_4_flags_without_enable_are_EINVAL, CASE_TIMEOUT)
{
	EXPECT_FLAGS(EINVAL, PR_TASK_ISOLATION_USERSIG);
	EXPECT_FLAGS(EINVAL, PR_TASK_ISOLATION_ONESHOT);
	EXPECT_FLAGS(EINVAL, PR_TASK_ISOLATION_NOWAIT);
	EXPECT_FLAGS(EINVAL, PR_TASK_ISOLATION_SET_SIG(SIGUSR1));
	EXPECT_FLAGS(EINVAL, 1UL << 32);
}

TEST_F_TIMEOUT(calls, p2_4_one_shot_with_usersig_or_signal_is_EINVAL, CASE_TIMEOUT)
{
	EXPECT_FLAGS(EINVAL, ONE_SHOT | PR_TASK_ISOLATION_USERSIG);
	EXPECT_FLAGS(EINVAL, ONE_SHOT | PR_TASK_ISOLATION_SET_SIG(SIGUSR1));
	EXPECT_FLAGS(EINVAL, ONE_SHOT | PR_TASK_ISOLATION_USERSIG | PR_TASK_ISOLATION_SET_SIG(SIGUSR1));
}

TEST_F_TIMEOUT(calls, p2_4_every_mode_enters, CASE_TIMEOUT)
{
	EXPECT_FLAGS(0, STRICT);
	EXPECT_FLAGS(0, WITH_SIGNAL(SIGUSR1));
	EXPECT_FLAGS(0, WITH_SIGNAL(SIGUSR1) | PR_TASK_ISOLATION_USERSIG);
	EXPECT_FLAGS(0, PERSISTENT);
	EXPECT_FLAGS(0, ONE_SHOT);
}

/*
 * NOWAIT may be refused by an honest first test, but never as a bad flag, nor for
 * long: RCU callbacks that are lazy, and stay for ten seconds, are hurried.
 */
static void act_nowait(struct stage *s)
{
	long end = now_ms() + 3 * default_timeout_ms();

	/* what is in the way has its time in between */
	while ((s->error = enter(s->flags) ? errno : 0) == EAGAIN && now_ms() < end)
		usleep(2000);
	s->value[0] = flags_now();
}

TEST_F_TIMEOUT(calls, p2_4_nowait_goes_with_every_mode, CASE_TIMEOUT)
{
	static const unsigned long modes[] = { STRICT, WITH_SIGNAL(SIGUSR1), PERSISTENT, ONE_SHOT };

	for (size_t i = 0; i < 4; i++) {
		self->s->flags = modes[i] | NOWAIT;
		PLAY(act_nowait);
		EXPECT_EQ(0, self->s->error) TH_LOG("mode %zu", i);
		EXPECT_EQ((long)(modes[i] | NOWAIT), self->s->value[0]);
	}
}

static bool default_action_terminates(int sig)
{
	switch (sig) {
	case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
		return false;
	}
	return sig >= 1 && sig <= 64;
}

static void act_each_signal(struct stage *s)
{
	for (int sig = 1; sig < 128; sig++)
		for (int usersig = 0; usersig < 2; usersig++) {
			unsigned long flags = WITH_SIGNAL(sig) |
					      (usersig ? PR_TASK_ISOLATION_USERSIG : 0);
			int error = enter(flags) ? errno : 0;
			int expected = default_action_terminates(sig) ? 0 : EINVAL;
			long is = flags_now();

			leave();
			if (error != expected || is != (expected ? 0 : (long)flags)) {
				s->value[0] = sig;
				s->value[1] = usersig;
				s->value[2] = error;
				return;
			}
		}
}

TEST_F_TIMEOUT(calls, p2_5_only_signals_that_terminate, CASE_TIMEOUT)
{
	PLAY(act_each_signal);
	EXPECT_EQ(0, self->s->value[0])
		TH_LOG("signal %ld, usersig %ld: errno %ld", self->s->value[0], self->s->value[1],
		       self->s->value[2]);
}

static void act_chosen_by(struct stage *s)
{
	handle(SIGUSR2, on_chosen, 0);
	s->value[0] = enter(s->flags);
	syscall(SYS_getppid);
}

TEST_F_TIMEOUT(calls, p2_5_the_signal_counts_with_and_without_usersig, CASE_TIMEOUT)
{
	for (int usersig = 0; usersig < 2; usersig++) {
		self->s->hits = 0;
		self->s->flags = WITH_SIGNAL(SIGUSR2) | (usersig ? PR_TASK_ISOLATION_USERSIG : 0);
		PLAY(act_chosen_by);
		EXPECT_EQ(0, self->s->value[0]);
		EXPECT_EQ(1, self->s->hits) TH_LOG("usersig %d", usersig);
		EXPECT_EQ(SIGUSR2, self->s->seen.si_signo);
	}
}

MODES_FIXTURE(no_end)

static void act_call_and_stay(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 0; i < 100; i++) {
		if (flags_now() != (long)s->flags)
			s->value[0]++;
		if (read_info(&s->info) || s->info.flags != s->flags ||
		    s->info.state != TASK_ISOLATION_ISOLATED)
			s->value[1]++;
		/* bad calls are exempt as much as good ones */
		prctl(PR_TASK_ISOLATION_INFO, NULL, 1, 0, 0);
		prctl(PR_TASK_ISOLATION_INFO, NULL, sizeof(s->info), 0, 0);
		prctl(PR_SET_TASK_ISOLATION, 1UL << 40, 0, 0, 0);
		if (enter(s->flags))
			s->value[2]++;
	}
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(no_end, p2_6_none_of_the_calls_ends_isolation, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_call_and_stay);

	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED)) TH_LOG("at %d", self->s->at);
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]) TH_LOG("last state %u", self->s->info.state);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
}

TEST_HARNESS_MAIN
