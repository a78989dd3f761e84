// SPDX-License-Identifier: GPL-2.0
/*
 * Two persistent tasks among everything that administrators, tracers and neighbours do
 * at once: each of the interruptions is reported, to a reader that looks ten times a
 * second, none is unknown, and reports, counters and an outsider agree on how many
 * there were. The outsider is bench/oracle, which knows nothing of task isolation.
 *
 * A few seconds among all other tests; as many as the boot word says in make check-long.
 */
#include "reader.h"
#include "../bench/oracle/watch.h"
#include "kselftest_harness.h"

#define SECONDS		rounds_or(3)
#define DIR_INSTANCE	"/sys/kernel/tracing/instances/hostile"
#define THIRD_CPU	1
/* What one turn may take among all others; the checkers of a debug kernel make it long. */
#define TURN_MS		(60000 + 25 * default_timeout_ms())
/* All at once; as many as a debug kernel bears, one group after the other. */
#define AT_ONCE		(default_timeout_ms() > 1000 ? 2 : HOSTILITIES)
#define LEFT		(AT_ENTERED + 1)

static const struct watch_call isolation_call = {
	.number = SYS_prctl, .argument = PR_SET_TASK_ISOLATION,
};

/* ---- who does what; each until it is stopped ------------------------------------------ */

static int load(const char *file, const char *parameters)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	int result = syscall(SYS_finit_module, fd, parameters, 0);

	close(fd);
	return result;
}

static void toggle_events(struct stage *s)
{
	write_text(DIR_INSTANCE "/events/sched/sched_switch/enable", "1");
	write_text(DIR_INSTANCE "/events/sched/sched_switch/enable", "0");
}

static void toggle_tracer(struct stage *s)
{
	write_text(DIR_INSTANCE "/current_tracer", "function");
	write_text(DIR_INSTANCE "/current_tracer", "nop");
}

static void load_and_unload(struct stage *s)
{
	load("task_isolation_flight.ko", "");
	syscall(SYS_delete_module, "task_isolation_flight", O_NONBLOCK);
}

/* The kernel's own torture of cross calls, in doses. */
static void torture_calls(struct stage *s)
{
	load("scftorture.ko", "nthreads=1 stutter=0 stat_interval=0");
	usleep(200000);
	syscall(SYS_delete_module, "scftorture", O_NONBLOCK);
	usleep(500000);
}

static void use_membarrier(struct stage *s)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static void tend_memory(struct stage *s)
{
	write_text("/proc/sys/vm/stat_refresh", "1");
	write_text("/proc/sys/vm/compact_memory", "1");
	write_text("/proc/sys/vm/drop_caches", "3");
}

static void unplug(struct stage *s)
{
	char path[64];

	snprintf(path, sizeof(path), DIR_CPUS "/cpu%d/online", THIRD_CPU);
	write_text(path, "0");
	write_text(path, "1");
}

static void call(struct stage *s)
{
	disturb("ipi", CPU_A);
	disturb("ipi", CPU_B);
	disturb("irq-work", CPU_A);
	disturb("work", CPU_B);
	disturb("kick", CPU_A);
}

static void (*const hostilities[])(struct stage *s) = {
	toggle_events, toggle_tracer, load_and_unload, torture_calls, use_membarrier, tend_memory,
	unplug, call,
};
#define HOSTILITIES	(sizeof(hostilities) / sizeof(hostilities[0]))

static void act_hostile(struct stage *s)
{
	bind_to(HOUSE);
	s->at = AT_READY;
	while (!s->may) {
		hostilities[s->value[0]](s);
		s->turns++;
		rest();
	}
}

/* A sibling that maps and unmaps. */
static void *map_and_unmap(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	s->helper = 1;
	while (!s->order) {
		char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

		*(volatile char *)page = 1;
		munmap(page, 4096);
		rest();
	}
	return NULL;
}

static void act_bear_it(struct stage *s)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
	start_thread(map_and_unmap, s);
	while (!s->helper)
		rest();
	be_resident(s);
	if (enter_on_stage(s, PERSISTENT))
		return;
	spin_until_may(s, 1);
	leave();
	read_info(&s->info);
	s->at = LEFT;
	spin_until_may(s, 2);
}

/* ---- what a reader sees ------------------------------------------------------------------ */

struct seen {
	unsigned long own, foreign, absorbed, unknown, dropped, without_sender;
};

static void read_reports(int fd, struct seen *seen)
{
	static struct task_isolation_report reports[128];
	ssize_t n;

	while ((n = read(fd, reports, sizeof(reports))) > 0) {
		for (size_t i = 0; i < n / sizeof(reports[0]); i++) {
			struct seen *of = &seen[reports[i].cpu == CPU_B];

			of->own += !!(reports[i].flags & TASK_ISOLATION_REPORT_OWN);
			of->foreign += !!(reports[i].flags & TASK_ISOLATION_REPORT_FOREIGN);
			of->absorbed += !!(reports[i].flags & TASK_ISOLATION_REPORT_ABSORBED);
			of->dropped += reports[i].dropped;
			if (reports[i].cause == TASK_ISOLATION_CAUSE_UNKNOWN) {
				of->unknown++;
				printf("# %s\n", reports[i].text);
			}
		}
	}
}

static void compare_with_counters(struct __test_metadata *_metadata, const struct seen *seen,
				  const struct task_isolation_info *info)
{
	TH_LOG("CPU %d: own %lu, foreign %lu, absorbed %lu, late %llu", info->cpu, seen->own,
	       seen->foreign, seen->absorbed, info->late);
	EXPECT_EQ(0, seen->dropped);
	EXPECT_EQ(0, seen->unknown);
	EXPECT_EQ(0, cpu_number(info->cpu, "unnoted"));
	EXPECT_EQ(0, info->unknown);
	EXPECT_EQ(info->foreign, seen->foreign);
	EXPECT_EQ(info->absorbed, seen->absorbed);
	/* Calls of its own are counted only: the last one, by which it left. */
	EXPECT_LE(seen->own, info->own);
	EXPECT_GE(seen->own + 2, info->own);
	EXPECT_LT(0, seen->foreign);
}

FIXTURE(hostile) { struct stage *s[2]; struct stage *others[HOSTILITIES]; pid_t pids[HOSTILITIES]; };

FIXTURE_SETUP(hostile)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	mkdir(DIR_INSTANCE, 0755);
	ASSERT_EQ(0, load("torture.ko", "")) TH_LOG("errno %d", errno);
	for (int i = 0; i < 2; i++)
		self->s[i] = stage_new();
}

FIXTURE_TEARDOWN(hostile)
{
	char path[64];

	watch_abandon();
	for (size_t i = 0; i < HOSTILITIES; i++) {
		if (!self->pids[i])
			continue;
		kill(self->pids[i], SIGKILL);
		finish(self->pids[i]);
	}
	snprintf(path, sizeof(path), DIR_CPUS "/cpu%d/online", THIRD_CPU);
	write_text(path, "1");
	syscall(SYS_delete_module, "scftorture", O_NONBLOCK);
	syscall(SYS_delete_module, "torture", O_NONBLOCK);
	rmdir(DIR_INSTANCE);
	restore_switches();
}

/* What is hostile from @first to before @end, at once, until each had its turn. */
static void suffer(struct __test_metadata *_metadata, FIXTURE_DATA(hostile) *self, size_t first,
		   size_t end, int fd, struct seen seen[2])
{
	long until;

	for (size_t i = first; i < end; i++) {
		self->others[i] = stage_new();
		self->others[i]->value[0] = i;
		self->pids[i] = actor(self->others[i], HOUSE, act_hostile);
	}
	for (until = now_ms() + 1000L * SECONDS; now_ms() < until;) {
		usleep(100000);
		read_reports(fd, seen);
	}
	/* Each at least once; some of them wait for others. */
	for (size_t i = first; i < end; i++) {
		for (until = now_ms() + TURN_MS; now_ms() < until && !self->others[i]->turns;) {
			usleep(100000);
			read_reports(fd, seen);
		}
		EXPECT_LT(0, self->others[i]->turns) TH_LOG("hostility %zu never came", i);
	}
	for (size_t i = first; i < end; i++)
		self->others[i]->may = 1;
	for (size_t i = first; i < end; i++) {
		int status = -1;

		for (until = now_ms() + TURN_MS; now_ms() < until;) {
			usleep(100000);
			read_reports(fd, seen);
			if (waitpid(self->pids[i], &status, WNOHANG) == self->pids[i])
				break;
		}
		EXPECT_TRUE(ended_well(status)) TH_LOG("hostility %zu does not end", i);
		self->pids[i] = 0;
	}
}

TEST_F_TIMEOUT(hostile, p7_3_all_that_comes_is_reported_and_known, 1200)
{
	struct seen seen[2] = { 0 };
	struct watch_verdict verdict;
	int fd = reader_open(-1);
	pid_t pid[2];

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, watch_begin(CPU_A)) TH_LOG("%s", watch_failure());
	for (int i = 0; i < 2; i++) {
		pid[i] = actor(self->s[i], i ? CPU_B : CPU_A, act_bear_it);
		ASSERT_TRUE(UNTIL(isolated(self->s[i], pid[i]))) TH_LOG("errno %d", self->s[i]->error);
	}
	for (size_t first = 0; first < HOSTILITIES; first += AT_ONCE)
		suffer(_metadata, self, first, first + AT_ONCE, fd, seen);
	for (int i = 0; i < 2; i++) {
		self->s[i]->order = 1;
		EXPECT_TRUE(UNTIL(isolated(self->s[i], pid[i])));
		self->s[i]->may = 1;
		ASSERT_TRUE(UNTIL(self->s[i]->at == LEFT));
	}
	ASSERT_EQ(0, watch_end(&isolation_call, &verdict)) TH_LOG("%s", watch_failure());
	read_reports(fd, seen);
	for (int i = 0; i < 2; i++) {
		compare_with_counters(_metadata, &seen[i], &self->s[i]->info);
		self->s[i]->may = 2;
		EXPECT_TRUE(ended_well(finish(pid[i])));
	}
	EXPECT_EQ(0, verdict.dropped);
	EXPECT_TRUE(watch_complete(&verdict));
	EXPECT_EQ(verdict.entries, self->s[0]->info.own + self->s[0]->info.foreign +
				   self->s[0]->info.absorbed + self->s[0]->info.late);
	close(fd);
}

TEST_HARNESS_MAIN
