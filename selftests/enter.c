// SPDX-License-Identifier: GPL-2.0
/* Entering: every reason to be refused, its errno, its text, and no trace left. */
#include "isolation.h"
#include <sys/ptrace.h>
#include "kselftest_harness.h"

STAGE_FIXTURE(enter)

#define TEXT	(self->s->info.refusal)

#define SAYS(word) do {							\
	EXPECT_NE(NULL, strstr(TEXT, word)) TH_LOG("refusal: '%s' lacks '%s'", TEXT, (word)); \
} while (0)

/* What every refusal must leave behind. */
#define REFUSED_WITH(expected) do {					\
	EXPECT_EQ(expected, self->s->error);				\
	EXPECT_EQ(expected, self->s->info.refusal_errno);		\
	EXPECT_EQ(0, self->s->flags_after);				\
	EXPECT_NE(TASK_ISOLATION_ISOLATED, self->s->info.state);	\
	EXPECT_NE(0, TEXT[0]) TH_LOG("a mute refusal");			\
	EXPECT_EQ(0, owner_of(CPU_A));					\
} while (0)

#define PLAY(act) do {							\
	int status_ = finish(actor(self->s, CPU_A, act));		\
	ASSERT_TRUE(ended_well(status_)) TH_LOG("actor ended with status %#x", status_); \
} while (0)

static void try(struct stage *s, unsigned long flags)
{
	s->error = enter(flags) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void drop_privilege(void)
{
	if (setgid(65534) || setuid(65534))
		_exit(103);
}

static void set_affinity(int a, int b)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(a, &set);
	CPU_SET(b, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(104);
}

/* ---- the order of 2.7 -------------------------------------------------- */

static void act_bad_flags(struct stage *s)
{
	drop_privilege();
	set_affinity(CPU_A, CPU_B);
	try(s, STRICT | 1UL << 30);
}

TEST_F_TIMEOUT(enter, p2_7_bad_flags_come_before_privilege_and_affinity, CASE_TIMEOUT)
{
	PLAY(act_bad_flags);
	REFUSED_WITH(EINVAL);
}

static void act_unprivileged_elsewhere(struct stage *s)
{
	drop_privilege();
	set_affinity(CPU_A, CPU_B);
	try(s, STRICT);
}

TEST_F_TIMEOUT(enter, p2_7_privilege_comes_before_affinity, CASE_TIMEOUT)
{
	PLAY(act_unprivileged_elsewhere);
	REFUSED_WITH(EPERM);
}

static void act_unprivileged(struct stage *s)
{
	drop_privilege();
	try(s, PERSISTENT);
}

TEST_F_TIMEOUT(enter, p2_7_without_CAP_SYS_NICE_is_EPERM, CASE_TIMEOUT)
{
	PLAY(act_unprivileged);
	REFUSED_WITH(EPERM);
	SAYS("CAP_SYS_NICE");
}

static void act_two_cpus(struct stage *s)
{
	set_affinity(CPU_A, CPU_B);
	try(s, STRICT);
}

TEST_F_TIMEOUT(enter, p2_7_two_cpus_in_the_affinity_is_EINVAL, CASE_TIMEOUT)
{
	PLAY(act_two_cpus);
	REFUSED_WITH(EINVAL);
	SAYS("2");
	SAYS("affinity");
}

static void act_unlisted(struct stage *s)
{
	bind_to(HOUSE + 1);
	try(s, STRICT);
}

TEST_F_TIMEOUT(enter, p2_7_a_housekeeping_cpu_is_EINVAL, CASE_TIMEOUT)
{
	PLAY(act_unlisted);
	REFUSED_WITH(EINVAL);
	SAYS("CPU 1");
}

static void act_deadline(struct stage *s)
{
	struct {
		__u32 size, policy;
		__u64 flags;
		__s32 nice;
		__u32 priority;
		__u64 runtime, deadline, period;
	} attr = { 48, 6, 0, 0, 0, 10000000, 100000000, 100000000 };

	if (syscall(SYS_sched_setattr, 0, &attr, 0)) {
		s->value[0] = errno;
		return;
	}
	try(s, STRICT);
}

TEST_F_TIMEOUT(enter, p2_7_SCHED_DEADLINE_is_EINVAL, CASE_TIMEOUT)
{
	long before;
	char runtime[32];

	/* without bandwidth control a deadline task may be bound to one CPU */
	read_text("/proc/sys/kernel/sched_rt_runtime_us", runtime, sizeof(runtime));
	ASSERT_EQ(0, write_text("/proc/sys/kernel/sched_rt_runtime_us", "-1"));
	before = reserved_bandwidth(CPU_A);
	int status = finish(actor(self->s, CPU_A, act_deadline));

	EXPECT_TRUE(UNTIL(reserved_bandwidth(CPU_A) == before));
	EXPECT_EQ(0, write_text("/proc/sys/kernel/sched_rt_runtime_us", runtime));
	ASSERT_TRUE(ended_well(status));
	ASSERT_EQ(0, self->s->value[0]) TH_LOG("sched_setattr: errno %ld", self->s->value[0]);
	REFUSED_WITH(EINVAL);
	SAYS("DEADLINE");
}

static void act_sleeping_owner(struct stage *s)
{
	if (!enter_on_stage(s, PERSISTENT))
		pause();
}

static void act_try_persistent(struct stage *s)
{
	prctl(PR_SET_NAME, "second", 0, 0, 0);
	try(s, PERSISTENT);
}

TEST_F_TIMEOUT(enter, p2_7_another_owner_is_EBUSY, CASE_TIMEOUT)
{
	struct stage *first = stage_new();
	pid_t pid = actor(first, CPU_A, act_sleeping_owner);
	char name[16];

	ASSERT_TRUE(UNTIL(first->at == AT_ENTERED));
	ASSERT_EQ(0, first->error);
	PLAY(act_try_persistent);
	EXPECT_EQ(EBUSY, self->s->error);
	EXPECT_EQ(EBUSY, self->s->info.refusal_errno);
	EXPECT_EQ(0, self->s->flags_after);
	snprintf(name, sizeof(name), "%d", pid);
	SAYS(name);
	EXPECT_EQ(pid, owner_of(CPU_A));
	kill(pid, SIGKILL);
	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
	EXPECT_EQ(0, owner_of(CPU_A));
	/* and the CPU is free for the next at once */
	PLAY(act_try_persistent);
	EXPECT_EQ(0, self->s->error);
}

TEST_F_TIMEOUT(enter, p2_7_the_other_cpu_is_not_busy, CASE_TIMEOUT)
{
	struct stage *first = stage_new();
	pid_t pid = actor(first, CPU_B, act_sleeping_owner);

	ASSERT_TRUE(UNTIL(first->at == AT_ENTERED));
	ASSERT_EQ(0, first->error);
	PLAY(act_try_persistent);
	EXPECT_EQ(0, self->s->error);
	kill(pid, SIGKILL);
	finish(pid);
}

static void act_traced(struct stage *s)
{
	s->at = AT_READY;
	spin_until_may(s, 1);
	try(s, s->flags);
}

TEST_F_TIMEOUT(enter, p2_7_a_traced_caller_is_EAGAIN, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_traced);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	REFUSED_WITH(EAGAIN);
	SAYS("trace");
}

static void act_wait_for_timer(struct stage *s)
{
	arm_local_timer(1500);
	s->at = AT_READY;
	try(s, s->flags);
}

/* It is told when it looks up, here when the timer is over. */
TEST_F_TIMEOUT(enter, p2_7_a_tracer_that_comes_while_it_waits_is_EAGAIN, CASE_TIMEOUT)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 15000);
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_wait_for_timer);
	ASSERT_TRUE(UNTIL(owner_of(CPU_A) == pid));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	EXPECT_TRUE(ended_well(finish(pid)));
	write_text(FILE_TIMER_MIGRATION, "1");
	REFUSED_WITH(EAGAIN);
	SAYS("trace");
}

/* ---- it cannot become quiet now ---------------------------------------- */

TEST_F_TIMEOUT(enter, p2_7_another_runnable_task_is_EAGAIN_in_time, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(second, CPU_A, act_intruder);
	long begin;

	ASSERT_TRUE(UNTIL(second->turns > 1));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "300"));
	begin = now_ms();
	PLAY(act_try_persistent);
	EXPECT_GE(now_ms() - begin, 300);
	REFUSED_WITH(EAGAIN);
	EXPECT_TRUE(self->s->info.refusal_unmet & TASK_ISOLATION_UNMET_TASK)
		TH_LOG("unmet %#x", self->s->info.refusal_unmet);
	SAYS("intruder");
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	PLAY(act_try_persistent);
	EXPECT_EQ(0, self->s->error);
}

static void act_try_nowait(struct stage *s)
{
	try(s, PERSISTENT | NOWAIT);
}

TEST_F_TIMEOUT(enter, p2_7_nowait_refuses_at_the_first_failed_test, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(second, CPU_A, act_intruder);
	long begin;

	ASSERT_TRUE(UNTIL(second->turns > 1));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "60000"));
	begin = now_ms();
	PLAY(act_try_nowait);
	EXPECT_LT(now_ms() - begin, 30000);
	REFUSED_WITH(EAGAIN);
	EXPECT_NE(0, self->s->info.refusal_unmet);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(enter, p2_7_timeout_0_is_nowait, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(second, CPU_A, act_intruder);

	ASSERT_TRUE(UNTIL(second->turns > 1));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "0"));
	PLAY(act_try_persistent);
	REFUSED_WITH(EAGAIN);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_cpu_timer(struct stage *s)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
	struct itimerspec hour = { .it_value.tv_sec = 3600 };
	timer_t timer;

	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) || timer_settime(timer, 0, &hour, NULL))
		_exit(105);
	s->value[0] = now_ms();
	try(s, PERSISTENT);
	s->value[0] = now_ms() - s->value[0];
}

TEST_F_TIMEOUT(enter, p2_7_a_cpu_timer_is_EAGAIN_at_once, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "60000"));
	PLAY(act_cpu_timer);
	REFUSED_WITH(EAGAIN);
	EXPECT_TRUE(self->s->info.refusal_unmet & TASK_ISOLATION_UNMET_TICK);
	EXPECT_LT(self->s->value[0], 30000);
	SAYS("posix");
}

static void act_late_timer(struct stage *s)
{
	arm_local_timer(3600 * 1000L);
	s->value[0] = now_ms();
	try(s, PERSISTENT);
	s->value[0] = now_ms() - s->value[0];
}

TEST_F_TIMEOUT(enter, p2_7_a_timer_due_too_late_is_EAGAIN_at_once, CASE_TIMEOUT)
{
	/* without migration a timer stays on the CPU that arms it */
	ASSERT_EQ(0, write_text(FILE_TIMER_MIGRATION, "0"));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "10000"));
	int status = finish(actor(self->s, CPU_A, act_late_timer));

	write_text(FILE_TIMER_MIGRATION, "1");
	ASSERT_TRUE(ended_well(status));
	REFUSED_WITH(EAGAIN);
	EXPECT_TRUE(self->s->info.refusal_unmet & TASK_ISOLATION_UNMET_TIMER);
	EXPECT_LT(self->s->value[0], 5000);
	SAYS("timerfd");
}

static void act_waiter(struct stage *s)
{
	handle(SIGUSR2, on_other, 0);
	s->value[0] = now_ms();
	arm_local_timer(s->value[1]);
	s->at = AT_READY;
	try(s, s->flags);
	s->value[2] = now_ms() - s->value[0];
	s->value[3] = sched_getcpu();
	s->at = AT_ENTERED;
	spin_until_may(s, 1);
}

/* An actor inside the wait: a timer of its own CPU is due in @ms. */
static pid_t waiter(struct stage *s, unsigned long flags, long ms)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 30000);
	s->flags = flags;
	s->value[1] = ms;
	pid = actor(s, CPU_A, act_waiter);
	(void)UNTIL(s->at >= AT_READY && cpu_state_is(CPU_A, "entering"));
	write_text(FILE_TIMER_MIGRATION, "1");
	return pid;
}

TEST_F_TIMEOUT(enter, p2_7_a_signal_handler_while_waiting_is_EINTR, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, PERSISTENT, 20000);

	ASSERT_EQ(AT_READY, self->s->at);
	kill(pid, SIGUSR2);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	REFUSED_WITH(EINTR);
	EXPECT_EQ(1, self->s->others);
	EXPECT_LT(self->s->value[2], 15000) TH_LOG("the wait went on to its end");
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(enter, p2_7_a_stop_while_waiting_restarts_the_wait, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, PERSISTENT, 3000);
	int status;

	ASSERT_EQ(AT_READY, self->s->at);
	kill(pid, SIGSTOP);
	ASSERT_TRUE(UNTIL(waitpid(pid, &status, WNOHANG | WUNTRACED) == pid));
	ASSERT_TRUE(WIFSTOPPED(status));
	kill(pid, SIGCONT);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_GE(self->s->value[2], 3000);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

#define KEYCTL_GET_KEYRING_ID		0
#define KEYCTL_JOIN_SESSION_KEYRING	1
#define KEYCTL_SESSION_TO_PARENT	18
#define KEY_SPEC_SESSION_KEYRING	-3

static long session(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
}

/* Its child gives it work that only its way out can do, and goes on doing so. */
static void act_given_work(struct stage *s)
{
	pid_t child;

	syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		bind_to(HOUSE);
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
		while (s->at < AT_ENTERED) {
			if (s->at == AT_READY && !syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT))
				s->hits++;
			usleep(30000);
		}
		_exit(0);
	}
	be_resident(s);
	s->value[3] = session();
	s->value[0] = now_ms();
	s->at = AT_READY;
	try(s, s->flags);
	s->value[2] = now_ms() - s->value[0];
	s->value[4] = session();
	s->at = AT_ENTERED;
	waitpid(child, NULL, 0);
}

TEST_F_TIMEOUT(enter, p2_7_task_work_restarts_the_wait_within_its_limit, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid, other = actor(second, CPU_A, act_intruder);

	ASSERT_TRUE(UNTIL(second->turns > 1));
	write_number(FILE_TIMEOUT, 2000);
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_given_work);
	EXPECT_TRUE(ended_well(finish(pid)));
	REFUSED_WITH(EAGAIN);
	/* it was done, often, and the limit held all the same */
	EXPECT_GT(self->s->hits, 5);
	EXPECT_NE(self->s->value[3], self->s->value[4]);
	EXPECT_GE(self->s->value[2], 1900);
	EXPECT_LT(self->s->value[2], 6000) TH_LOG("it took %ld ms", self->s->value[2]);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
}

TEST_F_TIMEOUT(enter, p2_7_SIGKILL_ends_the_wait, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, STRICT, 20000);

	ASSERT_EQ(AT_READY, self->s->at);
	kill(pid, SIGKILL);
	EXPECT_TRUE(killed_by(finish_ms(pid, 10000), SIGKILL));
	EXPECT_EQ(0, owner_of(CPU_A));
}

/* ---- nothing is changed ------------------------------------------------- */

static void act_reenter_badly(struct stage *s)
{
	static const unsigned long bad[] = {
		STRICT | 1UL << 33, ONE_SHOT | PR_TASK_ISOLATION_USERSIG, PR_TASK_ISOLATION_USERSIG,
	};

	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 0; i < 3; i++) {
		if (!enter(bad[i]) || errno != EINVAL)
			s->value[0]++;
		if (flags_now() != (long)s->flags)
			s->value[1]++;
	}
	/* SIGCHLD cannot be chosen */
	if (!enter(WITH_SIGNAL(SIGCHLD)) || errno != EINVAL)
		s->value[0]++;
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
}

MODES_FIXTURE(keep)

TEST_F_TIMEOUT(keep, p2_8_an_isolated_task_keeps_mode_and_flags, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_reenter_badly);

	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(isolated(self->s, pid));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(variant->flags, self->s->info.flags);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
	EXPECT_EQ(EINVAL, self->s->info.refusal_errno);
}

static void act_reenter_in_vain(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	spin_until_may(s, 1);
	s->value[0] = enter(s->flags) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
	/* the way out of this call finds a quiet CPU again */
	flags_now();
	spin_until_may(s, 3);
	leave();
}

/* The call itself is done and the CPU was quiet: only the test on its way out fails. */
TEST_F_TIMEOUT(keep, p2_8_an_owner_keeps_its_mode_when_the_last_test_fails, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_reenter_in_vain);

	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	ASSERT_EQ(0, disturb("tick-after-call", CPU_A));
	self->s->may = 1;
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_EQ(EAGAIN, self->s->value[0]);
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
	EXPECT_EQ(EAGAIN, self->s->info.refusal_errno);
	EXPECT_EQ(PERSISTENT, self->s->info.flags);
	EXPECT_EQ(pid, owner_of(CPU_A));
	EXPECT_TRUE(UNTIL(cpu_state_is(CPU_A, "late")))
		TH_LOG("state %s, own %ld, foreign %ld, late %ld", cpu_text(CPU_A, "state"),
		       cpu_number(CPU_A, "own"), cpu_number(CPU_A, "foreign"), cpu_number(CPU_A, "late"));
	EXPECT_EQ(0, disturb("untick", CPU_A));
	self->s->may = 2;
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	self->s->may = 3;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->hits);
}

TEST_F_TIMEOUT(keep, p2_8_affinity_changed_while_waiting_is_EINVAL, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, variant->flags, 4000);

	ASSERT_EQ(AT_READY, self->s->at);
	ASSERT_EQ(0, bind_task(pid, HOUSE + 1));
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	REFUSED_WITH(EINVAL);
	EXPECT_EQ(HOUSE + 1, self->s->value[3]);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->hits);
}

TEST_F_TIMEOUT(keep, p2_8_affinity_widened_while_waiting_is_EINVAL, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, variant->flags, 4000);
	cpu_set_t set;

	ASSERT_EQ(AT_READY, self->s->at);
	CPU_ZERO(&set);
	CPU_SET(CPU_A, &set);
	CPU_SET(CPU_B, &set);
	ASSERT_EQ(0, sched_setaffinity(pid, sizeof(set), &set));
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	REFUSED_WITH(EINVAL);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(keep, p2_8_moved_to_another_task_isolation_cpu_while_waiting, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s, variant->flags, 4000);

	ASSERT_EQ(AT_READY, self->s->at);
	ASSERT_EQ(0, bind_task(pid, CPU_B));
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	EXPECT_TRUE(self->s->error == EINVAL || self->s->error == EAGAIN)
		TH_LOG("errno %d", self->s->error);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(0, owner_of(CPU_B));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_enter_under_fire(struct stage *s)
{
	prefault();
	while (!s->may) {
		int error = enter(PERSISTENT) ? errno : 0;

		s->turns++;
		if (error && error != EINVAL && error != EAGAIN && error != EINTR)
			s->value[0] = error;
		if (error && flags_now())
			s->value[1]++;
		leave();
	}
}

TEST_F_TIMEOUT(enter, p2_8_affinity_flipping_under_a_task_that_enters, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_under_fire);
	/* each turn may wait for RCU callbacks, which take their time on a debug kernel */
	int flips = default_timeout_ms() > 1000 ? 50 : 200;

	for (int i = 0; i < flips; i++) {
		unsigned long turns = self->s->turns;

		bind_task(pid, i & 1 ? CPU_A : HOUSE + 1);
		ASSERT_TRUE(UNTIL(self->s->turns > turns));
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("errno %ld", self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]) TH_LOG("%ld times refused and isolated", self->s->value[1]);
	EXPECT_EQ(0, owner_of(CPU_A));
}

/* ---- a refusal is never mute --------------------------------------------- */

TEST_F_TIMEOUT(enter, p2_9_the_info_call_names_the_flag, CASE_TIMEOUT)
{
	ASSERT_EQ(-1, enter(STRICT | 1UL << 20));
	ASSERT_EQ(0, read_info(&self->s->info));
	SAYS("0x100000");
}

TEST_F_TIMEOUT(enter, p2_9_with_debug_the_log_says_it_too, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(second, CPU_A, act_intruder);
	char line[1024];
	int log = log_open();
	int level = -1;

	ASSERT_GE(log, 0);
	ASSERT_TRUE(UNTIL(second->turns > 1));
	ASSERT_EQ(0, write_text(FILE_DEBUG, "1"));
	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "100"));
	/* A CPU has ten lines in five seconds; on a fast host the tests before have used them. */
	for (int tries = 0; tries < 8 && level < 0; tries++) {
		PLAY(act_try_persistent);
		EXPECT_EQ(EAGAIN, self->s->error);
		level = log_find(log, 1000, "intruder", line, sizeof(line));
	}
	EXPECT_GE(level, 0);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	close(log);
}

TEST_F_TIMEOUT(enter, p2_9_without_debug_the_log_stays_silent, CASE_TIMEOUT)
{
	char line[1024];
	int log = log_open();

	ASSERT_GE(log, 0);
	PLAY(act_two_cpus);
	EXPECT_EQ(EINVAL, self->s->error);
	/* whatever was queued before our own mark has been written by then */
	write_text("/dev/kmsg", "selftest: mark 2.9\n");
	EXPECT_TRUE(UNTIL(({
		int level;
		bool mark = false;

		while (!mark && (level = log_next(log, line, sizeof(line))) >= 0) {
			mark = strstr(line, "mark 2.9");
			if (strstr(line, "affinity"))
				self->s->value[7]++;
		}
		mark;
	})));
	EXPECT_EQ(0, self->s->value[7]);
	close(log);
}

TEST_HARNESS_MAIN
