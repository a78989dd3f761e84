// SPDX-License-Identifier: GPL-2.0
/*
 * Who waits behind a real-time task gets to run on a task-isolation CPU as anywhere
 * else, by the fair server; and an owner that nobody waits behind hears nothing of it.
 *
 * The kernel gives ordinary tasks 50 ms of each second, and begins with the wait.
 */
#include "modules.h"
#include "kernel_threads.h"
#include "shot.h"
#include <sys/resource.h>
#include "kselftest_harness.h"

FIXTURE(behind) { struct stage *s, *waiter, *intruder; pid_t waits, intrudes; };

/* Goes to the CPU when the test says so, and says when it runs there. */
static void act_wait_behind(struct stage *s)
{
	prctl(PR_SET_NAME, "waiter", 0, 0, 0);
	s->at = AT_READY;
	while (s->may < 1)
		rest();
	bind_to(CPU_A);
	s->turns = sched_getcpu();
	s->at = AT_ENTERED;
	while (s->may < 2)
		rest();
}

/* Real-time before it gets there: whom it finds has no moment to look up. */
static void act_intrude(struct stage *s)
{
	s->at = AT_READY;
	while (s->may < 1)
		rest();
	be_fifo(50);
	bind_to(CPU_A);
	s->at = AT_ENTERED;
	spin_until_may(s, 2);
}

FIXTURE_SETUP(behind)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	self->s = stage_new();
	self->waiter = stage_new();
	self->intruder = stage_new();
	self->waits = actor(self->waiter, HOUSE, act_wait_behind);
	self->intrudes = actor(self->intruder, HOUSE, act_intrude);
	ASSERT_TRUE(UNTIL(self->waiter->at == AT_READY && self->intruder->at == AT_READY));
}
FIXTURE_TEARDOWN(behind)
{
	self->intruder->may = 2;
	self->waiter->may = 2;
	finish(self->intrudes);
	finish(self->waits);
	write_text(FILE_RELEASE, "0");
	restore_switches();
}

#define EXPECT_WAITER_RUNS() do {					\
	long begin_ = now_ms(), limit_ = default_timeout_ms() > 1000 ? 20000 : 2000; \
	self->waiter->may = 1;						\
	EXPECT_TRUE(UNTIL(self->waiter->at == AT_ENTERED)) {		\
		TH_LOG("it waits for ever");				\
		/* so would the rest of the test */			\
		self->intruder->may = 2;				\
	}								\
	EXPECT_EQ(CPU_A, self->waiter->turns);				\
	EXPECT_LE(now_ms() - begin_, limit_);				\
} while (0)

/* On the stage; pid is its. */
#define BEGIN_ISOLATED(act, how) do {					\
	self->s->flags = (how);						\
	pid = actor(self->s, CPU_A, act);				\
	AWAIT_ISOLATED(AT_ENTERED);					\
} while (0)

static void act_real_time_owner(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	be_fifo(99);
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 1);
}

TEST_F_TIMEOUT(behind, p4_4_an_isolated_real_time_task_is_told, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_real_time_owner, WITH_SIGNAL(CHOSEN));
	EXPECT_WAITER_RUNS();
	EXPECT_TRUE(UNTIL(self->s->hits == 1)) TH_LOG("no signal");
	EXPECT_EQ(TASK_ISOLATION_CAUSE_PREEMPTED, self->s->seen.si_errno);
	EXPECT_TRUE(strstr(cpu_text(CPU_A, "last_loss"), "preempted by waiter/"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(behind, p4_4_a_persistent_real_time_task_is_isolated_again, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_real_time_owner, PERSISTENT);
	EXPECT_WAITER_RUNS();
	self->waiter->may = 2;
	finish(self->waits);
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	EXPECT_LE(1, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(behind, p4_4_a_released_real_time_task, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_real_time_owner, PERSISTENT);
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	ASSERT_EQ(0, owner_of(CPU_A));
	EXPECT_WAITER_RUNS();
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(behind, p4_4_a_real_time_task_that_never_entered, CASE_TIMEOUT)
{
	self->intruder->may = 1;
	ASSERT_TRUE(UNTIL(self->intruder->at == AT_ENTERED));
	EXPECT_WAITER_RUNS();
}

static void act_ordinary_owner(struct stage *s)
{
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	leave();
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

TEST_F_TIMEOUT(behind, p4_4_a_real_time_task_over_an_isolated_one, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_ordinary_owner, PERSISTENT);
	self->intruder->may = 1;
	ASSERT_TRUE(UNTIL(self->intruder->at == AT_ENTERED));
	EXPECT_WAITER_RUNS();
	EXPECT_TRUE(alive(self->s)) TH_LOG("it got nothing");
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(behind, p4_4_a_real_time_task_over_one_that_left, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_ordinary_owner, PERSISTENT);
	self->s->may = 1;
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	self->intruder->may = 1;
	ASSERT_TRUE(UNTIL(self->intruder->at == AT_ENTERED));
	EXPECT_WAITER_RUNS();
	EXPECT_TRUE(alive(self->s)) TH_LOG("it got nothing");
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* Of the kind that takes the CPU from no ordinary task at once: woken, it waits. */
static void act_wake_behind(struct stage *s)
{
	struct sched_param param = { };
	char byte;

	if (sched_setscheduler(0, SCHED_IDLE, &param))
		_exit(113);
	s->at = AT_READY;
	s->value[0] = read(s->fd[0], &byte, 1);
	s->at = AT_ENTERED;
}

TEST_F_TIMEOUT(behind, p4_4_a_task_made_real_time_while_somebody_waits, CASE_TIMEOUT)
{
	struct sched_param param = { .sched_priority = 50 };
	struct stage *woken = stage_new();
	pid_t pid, wakes;

	ASSERT_EQ(0, pipe(woken->fd));
	wakes = actor(woken, CPU_A, act_wake_behind);
	ASSERT_TRUE(UNTIL(woken->at == AT_READY));
	BEGIN_ISOLATED(act_ordinary_owner, PERSISTENT);
	ASSERT_EQ(1, write(woken->fd[1], "x", 1));
	ASSERT_EQ(0, sched_setscheduler(pid, SCHED_FIFO, &param));
	EXPECT_TRUE(UNTIL(woken->at >= AT_ENTERED)) TH_LOG("it waits for ever");
	EXPECT_TRUE(ended_well(finish(wakes)));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* ---- RCU's threads are ordinary, and everybody waits for them ---------------------- */

static int bind_if_rcu(pid_t pid, const char *name, void *arg)
{
	return !strncmp(name, "rcu", 3) && !sched_setaffinity(pid, sizeof(cpu_set_t), arg);
}

TEST_F_TIMEOUT(behind, p4_4_modules_go_though_rcu_s_threads_wait_there, 2 * CASE_TIMEOUT)
{
	cpu_set_t there, home;
	long begin;
	pid_t pid;

	CPU_ZERO(&there);
	CPU_SET(CPU_A, &there);
	CPU_ZERO(&home);
	for (int cpu = 0; cpu < CPU_A; cpu++)
		CPU_SET(cpu, &home);
	BEGIN_ISOLATED(act_real_time_owner, PERSISTENT);
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	EXPECT_LT(0, kernel_threads(bind_if_rcu, &there));
	begin = now_ms();
	EXPECT_EQ(0, unload(STANDARD));
	EXPECT_EQ(0, unload(SHELL));
	EXPECT_LT(now_ms() - begin, default_timeout_ms() > 1000 ? 60000 : 20000);
	printf("# with RCU's threads behind it: %ld ms\n", now_ms() - begin);
	EXPECT_LT(0, kernel_threads(bind_if_rcu, &home));
	EXPECT_TRUE(alive(self->s)) TH_LOG("not alive");
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	ASSERT_EQ(0, load(SHELL, ""));
	ASSERT_EQ(0, load(STANDARD, ""));
	await_rest(CPU_A, 300);
}

/* ---- nobody waits ------------------------------------------------------------------ */

static void act_owner_that_sleeps(struct stage *s)
{
	char byte;

	if (s->value[0])
		be_fifo(1);
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[1] = read(s->fd[0], &byte, 1);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

/* The server's time comes within a second of an ordinary task's first moment. */
#define EXPECT_LEFT_IN_PEACE(meanwhile) do {				\
	unsigned long before_, foreign_;				\
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state")); \
	before_ = interrupts(CPU_A, "all");				\
	foreign_ = cpu_number(CPU_A, "foreign");			\
	meanwhile;							\
	for (long end_ = now_ms() + 2500; now_ms() < end_;)		\
		rest();							\
	EXPECT_EQ(before_, interrupts(CPU_A, "all"));			\
	EXPECT_EQ(foreign_, cpu_number(CPU_A, "foreign"));		\
	EXPECT_TRUE(isolated(self->s, pid));				\
	self->s->may = 2;						\
	EXPECT_TRUE(ended_well(finish(pid)));				\
} while (0)

TEST_F_TIMEOUT(behind, p5_2_an_ordinary_owner_that_slept, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_owner_that_sleeps);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_LEFT_IN_PEACE();
}

TEST_F_TIMEOUT(behind, p5_2_a_real_time_owner_that_had_a_visitor_while_it_slept, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	self->s->value[0] = true;
	pid = actor(self->s, CPU_A, act_owner_that_sleeps);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_WAITER_RUNS();
	self->waiter->may = 2;
	finish(self->waits);
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_LEFT_IN_PEACE();
}

/* A priority is changed by taking the task from its queue, and putting it back. */
TEST_F_TIMEOUT(behind, p5_2_an_owner_that_is_reniced, CASE_TIMEOUT)
{
	pid_t pid;

	BEGIN_ISOLATED(act_ordinary_owner, PERSISTENT);
	EXPECT_LEFT_IN_PEACE(EXPECT_EQ(0, setpriority(PRIO_PROCESS, pid, 5)));
}

/* Who is alone has it stopped; to stop it once more must not count its bandwidth twice. */
TEST_F_TIMEOUT(behind, p4_4_its_parameters_are_written, CASE_TIMEOUT)
{
	char path[96];
	long usual;
	int error;
	pid_t pid;

	BEGIN_ISOLATED(act_ordinary_owner, PERSISTENT);
	usual = fair_runtime(CPU_A);
	ASSERT_LT(0, usual) TH_LOG("parameters changed");
	snprintf(path, sizeof(path), FAIR_SERVER "/cpu%d/runtime", CPU_A);
	/* where a partition has been, the kernel may find no room; it has stopped it all the same */
	error = write_number(path, usual / 2);
	EXPECT_TRUE(!error || error == -EBUSY) TH_LOG("errno %d", -error);
	EXPECT_EQ(error ? usual : usual / 2, fair_runtime(CPU_A));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	EXPECT_EQ(0, write_number(path, usual));
	EXPECT_EQ(usual, fair_runtime(CPU_A));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_HARNESS_MAIN
