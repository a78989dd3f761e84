// SPDX-License-Identifier: GPL-2.0
/* What root does to an isolated CPU or task goes through, and in time. */
#include "modules.h"
#include "kernel_threads.h"
#include <linux/kexec.h>
#include "kselftest_harness.h"

#define CGROUPS		"/sys/fs/cgroup"
#define HERE		CGROUPS "/isolated"
#define INNER		HERE "/partition"
#define THERE		CGROUPS "/elsewhere"
#define FILE_PM_TEST	"/sys/power/pm_test"
#define FILE_PM_DELAY	"/sys/module/suspend/parameters/pm_test_delay"

/* The two modes that survive what they are told of. */
FIXTURE(root) { struct stage *s; char list[256]; };
FIXTURE_VARIANT(root) { enum mode mode; unsigned long flags; };
FIXTURE_VARIANT_ADD(root, signal) { .mode = MODE_SIGNAL, .flags = WITH_SIGNAL(CHOSEN) };
FIXTURE_VARIANT_ADD(root, persistent) { .mode = MODE_PERSISTENT, .flags = PERSISTENT };

static const char *online_path(int cpu)
{
	static char path[64];

	snprintf(path, sizeof(path), DIR_CPUS "/cpu%d/online", cpu);
	return path;
}

static void remove_cgroup(const char *path)
{
	char file[128];

	if (access(path, F_OK))
		return;
	snprintf(file, sizeof(file), "%s/cgroup.freeze", path);
	write_text(file, "0");
	snprintf(file, sizeof(file), "%s/cgroup.kill", path);
	write_text(file, "1");
	(void)UNTIL(!rmdir(path));
}

static void restore_system(void)
{
	for (int cpu = 1; cpu < 64 && !access(online_path(cpu), F_OK); cpu++)
		write_text(online_path(cpu), "1");
	write_text(FILE_PM_TEST, "none");
	write_text(FILE_PM_DELAY, "5");
	remove_cgroup(INNER);
	remove_cgroup(HERE);
	remove_cgroup(THERE);
	restore_switches();
}

FIXTURE_SETUP(root)
{
	restore_system();
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->flags = variant->flags;
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
}
FIXTURE_TEARDOWN(root)
{
	restore_system();
}

FIXTURE(sleeper) { struct stage *s; char list[256]; };
FIXTURE_SETUP(sleeper)
{
	restore_system();
	ASSERT_TRUE(settle());
	self->s = stage_new();
	ASSERT_EQ(0, pipe(self->s->fd));
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
}
FIXTURE_TEARDOWN(sleeper)
{
	restore_system();
}

/* Root does not wait for a task longer than that. */
static long limit_ms(void)
{
	return default_timeout_ms() > 1000 ? 20000 : 2000;
}

#define IN_TIME(action) do {						\
	long begin_ = now_ms(), took_;					\
	EXPECT_EQ(0, action) TH_LOG("%s", #action);			\
	took_ = now_ms() - begin_;					\
	EXPECT_LE(took_, limit_ms()) TH_LOG("%s took %ld ms", #action, took_); \
} while (0)

/* ---- the task: a SCHED_FIFO 99 spinner ------------------------------------------ */

/*
 * Spins as what it is on its own CPU. Chased from there it may find itself on
 * the CPU of the test, which it must not keep for itself.
 */
static void spin_at_home(struct stage *s, int step)
{
	bool calm = false;

	while (s->may < step) {
		s->turns++;
		relax();
		if (!calm && sched_getcpu() != s->cpu) {
			be_fifo(0);
			calm = true;
		}
	}
}

static void on_chosen_at_home(int sig, siginfo_t *si, void *context)
{
	if (sched_getcpu() != on_stage->cpu)
		be_fifo(0);
	on_chosen(sig, si, context);
}

static void act_spin(struct stage *s)
{
	handle(CHOSEN, on_chosen_at_home, 0);
	sched_getcpu();
	if (!s->value[6])
		be_fifo(99);
	if (enter_on_stage(s, s->flags))
		return;
	spin_at_home(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_at_home(s, 2);
	/* healthy: once bound again it may enter again */
	be_fifo(0);
	s->value[0] = bind_to(s->cpu) ? errno : 0;
	s->value[1] = enter(s->flags) ? errno : 0;
	if (s->value[1])
		tell_refusal(s);
	s->value[2] = flags_now();
	s->at = AT_ENTERED + 2;
	spin_until_may(s, 3);
	leave();
}

static void act_spin_in_cgroup(struct stage *s)
{
	if (write_number(HERE "/cgroup.procs", getpid()))
		_exit(114);
	act_spin(s);
}

/* The task was told, lives, and isolation is off; the loss has its cause. */
#define EXPECT_TOLD(number, text) do {					\
	EXPECT_TRUE(UNTIL(owner_of(CPU_A) != pid)) TH_LOG("still owner");	\
	EXPECT_TRUE(alive(self->s)) TH_LOG("not alive");		\
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));			\
	EXPECT_TRUE(last_loss_is(CPU_A, pid, text))			\
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));	\
	if (variant->mode == MODE_SIGNAL) {				\
		EXPECT_TRUE(UNTIL(self->s->hits == 1)) TH_LOG("no signal after it"); \
		EXPECT_EQ(number, self->s->seen.si_errno);		\
		EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);	\
	}								\
	self->s->may = 1;						\
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));			\
	EXPECT_EQ(0, self->s->flags_after);				\
	EXPECT_EQ(number, self->s->info.loss_cause);			\
	EXPECT_EQ(1, self->s->info.foreign);				\
	EXPECT_EQ(0, self->s->info.own);				\
	EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);		\
} while (0)

/* It binds itself again, enters again, and is left in peace. */
#define EXPECT_HEALTHY() do {						\
	self->s->may = 2;						\
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED + 1));		\
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("binding: errno %ld", self->s->value[0]); \
	EXPECT_EQ(0, self->s->value[1]) TH_LOG("entering: errno %ld", self->s->value[1]); \
	EXPECT_EQ((long)variant->flags, self->s->value[2]);		\
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state")); \
	self->s->may = 3;						\
	EXPECT_TRUE(ended_well(finish(pid)));				\
	EXPECT_EQ(0, owner_of(CPU_A));					\
} while (0)

/*
 * Something in between, which a strict task must be told of and a persistent
 * one outlives: whatever it was, it has a name.
 */
#define EXPECT_REPORTED_OR_SPARED() do {				\
	EXPECT_TRUE(alive(self->s)) TH_LOG("not alive");		\
	if (variant->mode == MODE_PERSISTENT) {				\
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)))		\
			TH_LOG("state %s", cpu_text(CPU_A, "state"));	\
	} else if (strcmp(cpu_text(CPU_A, "last_loss"), "none")) {	\
		EXPECT_EQ(0, owner_of(CPU_A));				\
		EXPECT_EQ(NULL, strstr(cpu_text(CPU_A, "last_loss"), "unknown")) \
			TH_LOG("'%s'", cpu_text(CPU_A, "last_loss"));	\
		EXPECT_TRUE(UNTIL(self->s->hits == 1));			\
	} else {							\
		EXPECT_TRUE(isolated(self->s, pid));			\
	}								\
	self->s->may = 1;						\
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));			\
	EXPECT_EQ(self->s->hits ? 0 : (long)variant->flags, self->s->flags_after); \
	EXPECT_LE(self->s->hits, 1);					\
} while (0)

/* Nothing comes to the CPU for a second: no tick, no work that was left. */
#define EXPECT_QUIET_SECOND(who) do {					\
	unsigned long before_;						\
	EXPECT_TRUE(UNTIL(isolated(who, (who)->value[7])));		\
	before_ = interrupts((who)->cpu, "all");			\
	for (long end_ = now_ms() + 1000; now_ms() < end_;)		\
		rest();							\
	EXPECT_EQ(before_, interrupts((who)->cpu, "all"));		\
	EXPECT_EQ(0, cpu_number((who)->cpu, "foreign"));		\
	EXPECT_TRUE(isolated(who, (who)->value[7]));			\
} while (0)

static void act_next(struct stage *s)
{
	if (!enter_on_stage(s, STRICT))
		spin_until_may(s, 1);
}

/* The CPU is a task-isolation CPU like before: on the list, entered, quiet. */
static void expect_as_before(struct __test_metadata *_metadata, int cpu, const char *list)
{
	struct stage *next = stage_new();
	char now[256];
	pid_t pid;

	read_text(FILE_LIST, now, sizeof(now));
	EXPECT_STREQ(list, now);
	EXPECT_EQ(0, owner_of(cpu));
	pid = actor(next, cpu, act_next);
	next->value[7] = pid;
	ASSERT_TRUE(UNTIL(next->at >= AT_ENTERED));
	ASSERT_EQ(0, next->error) TH_LOG("nobody can enter CPU %d: errno %d", cpu, next->error);
	EXPECT_QUIET_SECOND(next);
	next->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* ---- hotplug -------------------------------------------------------------------- */

TEST_F_TIMEOUT(root, p4_4_its_cpu_goes_offline_and_comes_back, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(online_path(CPU_A), "0"));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_HOTPLUG, "hotplug");
	IN_TIME(write_text(online_path(CPU_A), "1"));
	expect_as_before(_metadata, CPU_A, self->list);
	EXPECT_HEALTHY();
}

/* For the kernel's threads of that CPU an ordinary task is no obstacle. */
TEST_F_TIMEOUT(root, p4_4_the_cpu_of_an_ordinary_task_goes_offline_and_comes_back, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->value[6] = 1;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(online_path(CPU_A), "0"));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_HOTPLUG, "hotplug");
	IN_TIME(write_text(online_path(CPU_A), "1"));
	expect_as_before(_metadata, CPU_A, self->list);
	EXPECT_HEALTHY();
}

/*
 * Who adds a hotplug state (the first virtual machine does) waits for an ordinary
 * thread of each CPU, and keeps all hotplug waiting meanwhile.
 */
TEST_F_TIMEOUT(root, p4_4_a_hotplug_thread_runs_beside_it, CASE_TIMEOUT)
{
	long before = disturbances_run();
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(disturb("callback", CPU_A));
	EXPECT_LT(before + CPU_A, disturbances_run());
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_TRUE(UNTIL(self->s->hits == 1)) TH_LOG("no signal");
		EXPECT_EQ(TASK_ISOLATION_CAUSE_PREEMPTED, self->s->seen.si_errno);
		EXPECT_TRUE(strstr(cpu_text(CPU_A, "last_loss"), "preempted by cpuhp/") ||
			    is_ksoftirqd_s(cpu_text(CPU_A, "last_loss")))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	} else {
		EXPECT_LE(1, cpu_number(CPU_A, "foreign"));
		EXPECT_EQ(pid, owner_of(CPU_A));
	}
	self->s->may = 1;
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_HEALTHY();
}

TEST_F_TIMEOUT(root, p4_4_a_housekeeping_cpu_goes_offline_and_comes_back, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(online_path(HOUSE + 1), "0"));
	IN_TIME(write_text(online_path(HOUSE + 1), "1"));
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
}

TEST_F_TIMEOUT(root, p4_4_the_other_isolation_cpu_goes_offline_and_comes_back, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(online_path(CPU_B), "0"));
	IN_TIME(write_text(online_path(CPU_B), "1"));
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
	expect_as_before(_metadata, CPU_B, self->list);
}

static void act_sleep(struct stage *s)
{
	char byte;

	handle(CHOSEN, on_chosen_at_home, 0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->at = AT_READY;
	s->value[3] = read(s->fd[0], &byte, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_at_home(s, 1);
}

/*
 * It has no user space to be told in, and when it wakes its CPU is there again:
 * nothing came to it, and it goes on.
 */
TEST_F_TIMEOUT(sleeper, p4_4_the_cpu_of_a_sleeping_owner_goes_offline, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_sleep);

	ASSERT_TRUE(UNTIL(self->s->entered && self->s->at == AT_READY));
	ASSERT_TRUE(UNTIL(cpu_state_is(CPU_A, "entering")));
	IN_TIME(write_text(online_path(CPU_A), "0"));
	EXPECT_EQ(AT_READY, self->s->at);
	IN_TIME(write_text(online_path(CPU_A), "1"));
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED + 1));
	EXPECT_EQ(1, self->s->value[3]);
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	expect_as_before(_metadata, CPU_A, self->list);
}

/* ---- affinity and cpusets ---------------------------------------------------------- */

TEST_F_TIMEOUT(root, p4_4_it_is_bound_to_another_cpu, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(bind_task(pid, HOUSE + 1));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_AFFINITY, "affinity");
	EXPECT_HEALTHY();
}

TEST_F_TIMEOUT(root, p4_4_it_may_run_on_more_cpus, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);
	cpu_set_t both;

	AWAIT_ISOLATED(AT_ENTERED);
	CPU_ZERO(&both);
	CPU_SET(CPU_A, &both);
	CPU_SET(HOUSE + 1, &both);
	/* no move, but no longer bound to one CPU either */
	IN_TIME(sched_setaffinity(pid, sizeof(both), &both));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_AFFINITY, "affinity");
	EXPECT_HEALTHY();
}

static int make_cpuset(const char *path, const char *cpus)
{
	char file[128];

	write_text(CGROUPS "/cgroup.subtree_control", "+cpuset");
	if (mkdir(path, 0755))
		return -errno;
	snprintf(file, sizeof(file), "%s/cpuset.cpus", path);
	return write_text(file, cpus);
}

TEST_F_TIMEOUT(root, p4_4_it_is_moved_to_another_cpuset, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, make_cpuset(HERE, self->list));
	ASSERT_EQ(0, make_cpuset(THERE, "0-1"));
	pid = actor(self->s, CPU_A, act_spin_in_cgroup);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_number(THERE "/cgroup.procs", pid));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_CPUSET, "cpuset");
	ASSERT_EQ(0, write_number(HERE "/cgroup.procs", pid));
	EXPECT_HEALTHY();
}

/* By its cpuset alone: it asked for all CPUs, and nobody changes that. */
static void act_spin_anywhere_in_cgroup(struct stage *s)
{
	cpu_set_t all;

	CPU_ZERO(&all);
	for (int cpu = 0; cpu < 8; cpu++)
		CPU_SET(cpu, &all);
	if (write_number(HERE "/cgroup.procs", getpid()) || sched_setaffinity(0, sizeof(all), &all))
		_exit(114);
	act_spin(s);
}

TEST_F_TIMEOUT(root, p4_4_the_cpuset_that_binds_it_changes, CASE_TIMEOUT)
{
	char one[8];
	pid_t pid;

	snprintf(one, sizeof(one), "%d", CPU_A);
	ASSERT_EQ(0, make_cpuset(HERE, one));
	pid = actor(self->s, CPU_A, act_spin_anywhere_in_cgroup);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(HERE "/cpuset.cpus", "0-1"));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_CPUSET, "cpuset");
	ASSERT_EQ(0, write_text(HERE "/cpuset.cpus", one));
	EXPECT_HEALTHY();
}

TEST_F_TIMEOUT(root, p4_4_its_cpuset_changes_under_it, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, make_cpuset(HERE, self->list));
	pid = actor(self->s, CPU_A, act_spin_in_cgroup);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(HERE "/cpuset.cpus", "0-1"));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_CPUSET, "cpuset");
	ASSERT_EQ(0, write_text(HERE "/cpuset.cpus", self->list));
	EXPECT_HEALTHY();
}

/*
 * A partition below a cgroup that is none: CPUs of isolcpus can be given away
 * in this way only, by name and as type "isolated".
 */
static int make_partition(const char *cpus)
{
	int error = make_cpuset(HERE, cpus);

	error = error ? error : write_text(HERE "/cpuset.cpus.exclusive", cpus);
	error = error ? error : write_text(HERE "/cgroup.subtree_control", "+cpuset");
	error = error ? error : make_cpuset(INNER, cpus);
	return error ? error : write_text(INNER "/cpuset.cpus.exclusive", cpus);
}

/* What kind it is; when the kernel did not make it one, it says why. */
static const char *partition_now(void)
{
	static char text[256];

	read_text(INNER "/cpuset.cpus.partition", text, sizeof(text));
	return text;
}

static void act_spin_in_partition(struct stage *s)
{
	if (write_number(INNER "/cgroup.procs", getpid()))
		_exit(114);
	act_spin(s);
}

/* The partition takes the CPU from everybody outside, so from this task. */
TEST_F_TIMEOUT(root, p4_4_a_partition_takes_its_cpu_away, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, make_partition(self->list));
	IN_TIME(write_text(INNER "/cpuset.cpus.partition", "isolated"));
	ASSERT_STREQ("isolated", partition_now());
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_CPUSET, "cpuset");
	IN_TIME(write_text(INNER "/cpuset.cpus.partition", "member"));
	EXPECT_HEALTHY();
}

/* Its own cgroup becomes one: it keeps its CPU. */
TEST_F_TIMEOUT(root, p4_4_its_cgroup_becomes_a_partition_and_none_again, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, make_partition(self->list));
	pid = actor(self->s, CPU_A, act_spin_in_partition);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(INNER "/cpuset.cpus.partition", "isolated"));
	EXPECT_STREQ("isolated", partition_now());
	IN_TIME(write_text(INNER "/cpuset.cpus.partition", "member"));
	EXPECT_STREQ("member", partition_now());
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
}

static int count_if_on_the_list(pid_t pid, const char *name, void *list)
{
	cpu_set_t cpus;

	if (sched_getaffinity(pid, sizeof(cpus), &cpus))
		return 0;
	CPU_AND(&cpus, &cpus, (cpu_set_t *)list);
	return CPU_COUNT(&cpus) > 0;
}

/* The kernel's threads that may run on CPUs of the list, other than those made for one CPU. */
static int kernel_threads_on_the_list(void)
{
	cpu_set_t list;

	CPU_ZERO(&list);
	CPU_SET(CPU_A, &list);
	CPU_SET(CPU_B, &list);
	return kernel_threads(count_if_on_the_list, &list);
}

/* A partition elsewhere is nothing to it, nor does it bring the kernel's threads when it goes. */
TEST_F_TIMEOUT(root, p4_4_a_partition_of_another_cpu_comes_and_goes, CASE_TIMEOUT)
{
	static const char *const types[] = { "root", "isolated" };
	pid_t pid = actor(self->s, CPU_A, act_spin);
	char cpus[2][16];

	snprintf(cpus[0], sizeof(cpus[0]), "%d", HOUSE + 1);
	snprintf(cpus[1], sizeof(cpus[1]), "%d", CPU_B);
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(0, kernel_threads_on_the_list());
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, make_partition(cpus[i]));
		IN_TIME(write_text(INNER "/cpuset.cpus.partition", types[i]));
		EXPECT_STREQ(types[i], partition_now());
		IN_TIME(write_text(INNER "/cpuset.cpus.partition", "member"));
		remove_cgroup(INNER);
		remove_cgroup(HERE);
		EXPECT_EQ(0, kernel_threads_on_the_list());
	}
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
}

static int move_if_reaper(pid_t pid, const char *name, void *to)
{
	return !strcmp(name, "oom_reaper") && !write_number(to, pid);
}

/* Nor does the way back to the root group, which knows of no list. */
TEST_F_TIMEOUT(root, p4_4_a_kernel_thread_in_a_cpuset_and_back, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);
	char cpu[16];

	snprintf(cpu, sizeof(cpu), "%d", HOUSE + 1);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, make_partition(cpu));
	EXPECT_EQ(1, kernel_threads(move_if_reaper, INNER "/cgroup.procs"));
	EXPECT_EQ(1, kernel_threads(move_if_reaper, CGROUPS "/cgroup.procs"));
	EXPECT_EQ(0, kernel_threads_on_the_list());
	remove_cgroup(INNER);
	remove_cgroup(HERE);
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
}

/* ---- the rest ------------------------------------------------------------------------ */

TEST_F_TIMEOUT(root, p4_4_release, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(FILE_RELEASE, "1"));
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_TOLD(TASK_ISOLATION_CAUSE_RELEASE, "release");
	IN_TIME(write_text(FILE_RELEASE, "0"));
	EXPECT_HEALTHY();
}

TEST_F_TIMEOUT(root, p4_4_modules_go_after_a_release, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(write_text(FILE_RELEASE, "1"));
	IN_TIME(unload(STANDARD));
	IN_TIME(unload(SHELL));
	EXPECT_TRUE(alive(self->s)) TH_LOG("not alive");
	ASSERT_EQ(0, load(SHELL, ""));
	ASSERT_EQ(0, load(STANDARD, ""));
	/* what the loading left behind is freed some time, which interrupts every CPU */
	await_rest(CPU_A, 300);
	self->s->may = 2;
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED + 1));
	EXPECT_EQ(0, self->s->value[1]) TH_LOG("entering: errno %ld", self->s->value[1]);
	self->s->may = 3;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(root, p4_4_kill_9, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);
	int status = 0;

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(({
		kill(pid, SIGKILL);
		status = finish(pid);
		killed_by(status, SIGKILL) ? 0 : -1;
	}));
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(0, self->s->hits);
}

static bool frozen_is(int value)
{
	char text[256], wanted[16];

	snprintf(wanted, sizeof(wanted), "frozen %d", value);
	read_text(HERE "/cgroup.events", text, sizeof(text));
	return strstr(text, wanted);
}

TEST_F_TIMEOUT(root, p4_4_the_freezer, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, make_cpuset(HERE, self->list));
	pid = actor(self->s, CPU_A, act_spin_in_cgroup);
	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(({
		int error = write_text(HERE "/cgroup.freeze", "1");

		error ? error : UNTIL(frozen_is(1)) ? 0 : -ETIMEDOUT;
	}));
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	if (variant->mode == MODE_SIGNAL) {
		/* the signal waits for the thaw */
		EXPECT_EQ(0, owner_of(CPU_A));
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "freezer"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
		EXPECT_EQ(0, self->s->hits);
	}
	IN_TIME(write_text(HERE "/cgroup.freeze", "0"));
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_TOLD(TASK_ISOLATION_CAUSE_FREEZER, "freezer");
	} else {
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
		EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));
		self->s->may = 1;
		ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
		EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
		EXPECT_EQ(1, self->s->info.foreign);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
	}
	EXPECT_HEALTHY();
}

/* ---- suspend --------------------------------------------------------------------------- */

static int suspend_to(const char *depth)
{
	int error = write_text(FILE_PM_DELAY, "0");

	error = error ? error : write_text(FILE_PM_TEST, depth);
	error = error ? error : write_text("/sys/power/state", "mem");
	write_text(FILE_PM_TEST, "none");
	return error;
}

TEST_F_TIMEOUT(root, p4_4_suspend_as_far_as_the_freezer, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(0, suspend_to("freezer"));
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_TOLD(TASK_ISOLATION_CAUSE_FREEZER, "freezer");
	} else {
		EXPECT_REPORTED_OR_SPARED();
		EXPECT_GE(self->s->info.foreign, 1);
	}
	EXPECT_HEALTHY();
}

/*
 * As far as the CPUs: every one but the first goes offline while the task is
 * frozen. The strict one was told by the freezer; a persistent owner finds its CPU
 * there again and goes on.
 */
TEST_F_TIMEOUT(root, p4_4_suspend_as_far_as_the_cpus, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(0, suspend_to("processors"));
	EXPECT_TRUE(alive(self->s));
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_TOLD(TASK_ISOLATION_CAUSE_FREEZER, "freezer");
	} else {
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)))
			TH_LOG("state %s", cpu_text(CPU_A, "state"));
		EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));
		self->s->may = 1;
		ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
		EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
		EXPECT_GE(self->s->info.foreign, 1);
	}
	EXPECT_HEALTHY();
	expect_as_before(_metadata, CPU_A, self->list);
}

/* ---- kexec ------------------------------------------------------------------------------- */

/* Loaded, never started: one page that would be copied to 256 MiB. */
static int load_image(void)
{
	static char page[4096] __attribute__((aligned(4096)));
	struct kexec_segment segment = {
		.buf = page, .bufsz = sizeof(page), .mem = (void *)0x10000000, .memsz = sizeof(page),
	};

	return syscall(SYS_kexec_load, 0x10000000, 1, &segment, KEXEC_ARCH_DEFAULT) ? -errno : 0;
}

static int unload_image(void)
{
	return syscall(SYS_kexec_load, 0, 0, NULL, KEXEC_ARCH_DEFAULT) ? -errno : 0;
}

static long image_loaded(void)
{
	char text[16];

	read_text("/sys/kernel/kexec_loaded", text, sizeof(text));
	return atol(text);
}

TEST_F_TIMEOUT(root, p4_4_kexec_loads_and_unloads_an_image, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	IN_TIME(load_image());
	EXPECT_EQ(1, image_loaded());
	IN_TIME(unload_image());
	EXPECT_EQ(0, image_loaded());
	EXPECT_REPORTED_OR_SPARED();
	EXPECT_HEALTHY();
}

TEST_HARNESS_MAIN
