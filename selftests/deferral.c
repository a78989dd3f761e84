// SPDX-License-Identifier: GPL-2.0
/*
 * What other CPUs do instead of interrupting an isolated one: text patching and
 * flushes of freed kernel addresses are made up for on the next entry, ordering
 * and chores are left out. A strict task is the judge: one interrupt kills it.
 */
#include <linux/perf_event.h>
#include "isolation.h"
#include "kselftest_harness.h"

#define TRACING		"/sys/kernel/tracing"
#define EVENT		TRACING "/events/sched/sched_process_exec/enable"
#define KPROBE		TRACING "/events/kprobes/selftest/enable"
#define KPROBE_INSIDE	TRACING "/events/kprobes/selftest_inside/enable"
#define KPROBES		TRACING "/kprobe_events"
#define TRACER		TRACING "/current_tracer"
#define STAT_REFRESH	"/proc/sys/vm/stat_refresh"
#define DEFER_TEXT	DIR_ADMIN "/defer_text_patching"
#define DEFER_FLUSHES	DIR_ADMIN "/defer_kernel_flushes"
#define SKIP_ORDERING	DIR_ADMIN "/skip_ordering"
#define SKIP_CHORES	DIR_ADMIN "/skip_chores"
#define ROUNDS		20

static void toggle_event(void)
{
	write_text(EVENT, "1");
	write_text(EVENT, "0");
}

static void toggle_kprobe(void)
{
	write_text(KPROBE, "1");
	write_text(KPROBE, "0");
}

/* A breakpoint: the function's entry, above, belongs to ftrace. */
static void toggle_kprobe_inside(void)
{
	write_text(KPROBE_INSIDE, "1");
	write_text(KPROBE_INSIDE, "0");
}

/* The kernel refuses an offset that is no start of an instruction. */
static bool add_kprobes(void)
{
	char text[64];

	if (write_text(KPROBES, "p:selftest vfs_write\n"))
		return false;
	for (int offset = 8; offset < 64; offset++) {
		int fd = open(KPROBES, O_WRONLY | O_APPEND);
		int length = snprintf(text, sizeof(text), "p:selftest_inside vfs_write+%d\n", offset);
		bool done = write(fd, text, length) == length;

		close(fd);
		if (done)
			return true;
	}
	return false;
}

static void toggle_tracer(void)
{
	write_text(TRACER, "function");
	write_text(TRACER, "nop");
}

static void refresh_vmstat(void)
{
	char text[16];

	read_text(STAT_REFRESH, text, sizeof(text));
}

FIXTURE(deferral) { struct stage *s; };
/* Also those of a test that did not come to its end. */
static void remove_kprobes(void)
{
	write_text(KPROBES, "-:selftest\n");
	write_text(KPROBES, "-:selftest_inside\n");
}

FIXTURE_SETUP(deferral)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	/*
	 * The first use of each since boot allocates buffers and text pages,
	 * whose attributes are changed by interrupting everybody.
	 */
	ASSERT_EQ(0, write_text(TRACING "/set_ftrace_filter", "schedule\nvfs_read\n"));
	remove_kprobes();
	ASSERT_TRUE(add_kprobes());
	toggle_event();
	toggle_kprobe();
	toggle_kprobe_inside();
	toggle_tracer();
	/* and what they left in the background is over */
	await_rest(CPU_A, 300);
}
FIXTURE_TEARDOWN(deferral)
{
	write_number(DEFER_TEXT, 1);
	write_number(DEFER_FLUSHES, 1);
	write_number(SKIP_ORDERING, 1);
	write_number(SKIP_CHORES, 1);
	disturb("unrearm", CPU_A);
	remove_kprobes();
	write_text(TRACING "/set_ftrace_filter", "!schedule\n!vfs_read\n");
	munmap(self->s, 65536);
}

static void act_stay(struct stage *s)
{
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	leave();
}

static pid_t stay(struct stage *s, unsigned long flags)
{
	s->flags = flags;
	return actor(s, CPU_A, act_stay);
}

/* A strict task lives through it, and its CPU took not one interrupt. */
static void survives(struct __test_metadata *_metadata, struct stage *s, void (*happen)(void),
		     const char *counter)
{
	pid_t pid = stay(s, STRICT);
	unsigned long before;
	long counted;

	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	before = interrupts(CPU_A, "all");
	counted = cpu_number(CPU_A, counter);
	for (int i = 0; i < ROUNDS; i++)
		happen();
	EXPECT_TRUE(isolated(s, pid)) TH_LOG("%s", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(before, interrupts(CPU_A, "all"));
	EXPECT_GE(cpu_number(CPU_A, counter), counted + ROUNDS);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* Switched off it is the interrupt that it always was, and known by its name. */
static void kills(struct __test_metadata *_metadata, struct stage *s, void (*happen)(void),
		  const char *file, const char *counter, const char *cause)
{
	long counted;
	int status;
	pid_t pid;

	ASSERT_EQ(0, write_text(file, "0"));
	pid = stay(s, STRICT);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	counted = cpu_number(CPU_A, counter);
	happen();
	status = finish(pid);
	EXPECT_EQ(counted, cpu_number(CPU_A, counter));
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_LAST_LOSS(pid, cause);
}

TEST_F_TIMEOUT(deferral, a_trace_event_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_event, "deferred");
}

TEST_F_TIMEOUT(deferral, a_kprobe_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_kprobe, "deferred");
}

TEST_F_TIMEOUT(deferral, a_kprobe_inside_a_function_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_kprobe_inside, "deferred");
}

TEST_F_TIMEOUT(deferral, the_function_tracer_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_tracer, "deferred");
}

TEST_F_TIMEOUT(deferral, ordering_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_tracer, "skipped");
}

static void order_all(void)
{
	disturb("order", 0);
}

TEST_F_TIMEOUT(deferral, kicking_all_cpus_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, order_all, "skipped");
}

/* What a BPF program that is detached waits for. */
static void await_readers(void)
{
	disturb("readers", 0);
}

TEST_F_TIMEOUT(deferral, rcu_tasks_trace_looks_instead, CASE_TIMEOUT)
{
	survives(_metadata, self->s, await_readers, "skipped");
}

/* The purge comes in the background, some time after enough was freed. */
static void churn_until_purged(void)
{
	long deferred = cpu_number(CPU_A, "deferred");

	disturb("churn", 0);
	UNTIL_MS(3000, cpu_number(CPU_A, "deferred") > deferred);
}

/* It flushes its own memory of freed addresses at each purge, from every CPU, and takes its time. */
#define NOT_WITH_KASAN() do {						\
	if (default_timeout_ms() > 1000)				\
		SKIP(return, "KASAN interrupts for purges of its own");	\
} while (0)

TEST_F_TIMEOUT(deferral, a_purge_of_vmalloc_space_is_deferred, CASE_TIMEOUT)
{
	NOT_WITH_KASAN();
	survives(_metadata, self->s, churn_until_purged, "deferred");
}

/* Speculation could use a stale address with old page attributes: who changes them waits for nobody's entry. */
TEST_F_TIMEOUT(deferral, a_change_of_attributes_flushes_what_is_left, CASE_TIMEOUT)
{
	long foreign, synchronised;
	pid_t pid;

	NOT_WITH_KASAN();
	pid = stay(self->s, PERSISTENT);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	churn_until_purged();
	await_rest(CPU_A, 300);
	foreign = cpu_number(CPU_A, "foreign");
	synchronised = cpu_number(CPU_A, "synchronised");
	ASSERT_EQ(0, disturb("unalias", 0));
	/* the interrupt was waited for, what its way out counts was not */
	EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") > foreign));
	EXPECT_EQ(foreign + 1, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(synchronised + 1, cpu_number(CPU_A, "synchronised"));
	/* and once is enough */
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	ASSERT_EQ(0, disturb("unalias", 0));
	EXPECT_EQ(foreign + 1, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void churn_until_lost(void)
{
	disturb("churn", 0);
	UNTIL_MS(3000, owner_of(CPU_A) == 0);
}

TEST_F_TIMEOUT(deferral, a_purge_interrupts_when_switched_off, CASE_TIMEOUT)
{
	NOT_WITH_KASAN();
	kills(_metadata, self->s, churn_until_lost, DEFER_FLUSHES, "deferred", "tlb flush");
}

TEST_F_TIMEOUT(deferral, refreshing_vmstat_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, refresh_vmstat, "skipped");
}

TEST_F_TIMEOUT(deferral, text_patching_interrupts_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, toggle_event, DEFER_TEXT, "deferred", "ipi do_sync_core");
}

TEST_F_TIMEOUT(deferral, ordering_interrupts_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, toggle_tracer, SKIP_ORDERING, "skipped", "ipi ftrace_sync_ipi");
}

TEST_F_TIMEOUT(deferral, chores_interrupt_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, refresh_vmstat, SKIP_CHORES, "skipped",
	      "work refresh_vm_stats");
}

/* ---- what RCU decided before ---- */

static void reschedule_as_rcu(void)
{
	disturb("resched", CPU_A);
}

/* It decides for many CPUs, then asks each: one that is in user space by now it sees there. */
TEST_F_TIMEOUT(deferral, what_rcu_decided_before_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, reschedule_as_rcu, "skipped");
}

TEST_F_TIMEOUT(deferral, what_rcu_decided_before_interrupts_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, reschedule_as_rcu, SKIP_CHORES, "skipped", "reschedule");
}

/* RCU's own of deferred wakeups is one. Who runs it looks for the next event itself. */
TEST_F_TIMEOUT(deferral, a_timer_armed_anew_elsewhere_is_skipped, CASE_TIMEOUT)
{
	long runs, skipped;
	pid_t pid;

	ASSERT_EQ(0, disturb("rearm", CPU_A));
	pid = stay(self->s, STRICT);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	skipped = cpu_number(CPU_A, "skipped");
	runs = disturbances_run();
	EXPECT_TRUE(UNTIL(disturbances_run() >= runs + ROUNDS || !alive(self->s)));
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("%s", cpu_text(CPU_A, "last_loss"));
	EXPECT_GE(cpu_number(CPU_A, "skipped"), skipped + ROUNDS - 1);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* The CPU was busy and quiet again without a timer, while its own ran: the new one is not lost. */
TEST_F_TIMEOUT(deferral, a_timer_armed_anew_elsewhere_is_not_lost, CASE_TIMEOUT)
{
	long runs;
	pid_t pid = stay(self->s, PERSISTENT);

	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	ASSERT_EQ(0, disturb("rearm-beside-tick", CPU_A));
	runs = disturbances_run();
	EXPECT_TRUE(UNTIL(disturbances_run() >= runs + ROUNDS));
	EXPECT_LT(1, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(deferral, a_timer_armed_anew_elsewhere_interrupts_when_switched_off, CASE_TIMEOUT)
{
	int status;
	pid_t pid;

	ASSERT_EQ(0, disturb("rearm", CPU_A));
	pid = stay(self->s, STRICT);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	ASSERT_EQ(0, write_text(SKIP_CHORES, "0"));
	status = finish(pid);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_LAST_LOSS(pid, "timer run_rearmed [task_isolation_disturb]");
}

/* ---- frequency events ---- */

static int open_frequency_event(pid_t pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CONTEXT_SWITCHES,
		.size = sizeof(attr),
		.freq = 1,
		.sample_freq = 100,
	};

	return syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static void use_frequency_event(void)
{
	int fd = open_frequency_event(-1, HOUSE);

	rest();
	close(fd);
}

TEST_F_TIMEOUT(deferral, a_frequency_event_elsewhere_needs_no_tick, CASE_TIMEOUT)
{
	pid_t pid;
	unsigned long before;

	use_frequency_event();
	await_rest(CPU_A, 300);
	pid = stay(self->s, STRICT);
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	before = interrupts(CPU_A, "all");
	for (int i = 0; i < ROUNDS; i++)
		use_frequency_event();
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("%s", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(before, interrupts(CPU_A, "all"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(deferral, a_frequency_event_elsewhere_keeps_nobody_out, CASE_TIMEOUT)
{
	int fd = open_frequency_event(-1, HOUSE);
	pid_t pid;

	ASSERT_GE(fd, 0);
	pid = stay(self->s, STRICT);
	EXPECT_TRUE(UNTIL(isolated(self->s, pid) || !alive(self->s)));
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("%s", self->s->info.refusal);
	close(fd);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_busy(struct stage *s)
{
	s->turns = 1;
	spin_until_may(s, 1);
}

static unsigned long ticks_in_a_second(void)
{
	unsigned long before = interrupts(CPU_A, "LOC");

	usleep(1000000);
	return interrupts(CPU_A, "LOC") - before;
}

/* The tick adjusts the event's period: it is there as long as the event is. */
static void keeps_tick(struct __test_metadata *_metadata, struct stage *s, bool of_the_task)
{
	pid_t pid = actor(s, CPU_A, act_busy);
	int fd;

	ASSERT_TRUE(UNTIL(s->turns));
	EXPECT_TRUE(UNTIL(ticks_in_a_second() < 20));
	fd = of_the_task ? open_frequency_event(pid, -1) : open_frequency_event(-1, CPU_A);
	ASSERT_GE(fd, 0);
	EXPECT_GT(ticks_in_a_second(), 50);
	close(fd);
	EXPECT_TRUE(UNTIL(ticks_in_a_second() < 20));
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(deferral, a_frequency_event_of_the_cpu_keeps_its_tick, CASE_TIMEOUT)
{
	keeps_tick(_metadata, self->s, false);
}

TEST_F_TIMEOUT(deferral, a_frequency_event_of_the_task_keeps_its_tick, CASE_TIMEOUT)
{
	keeps_tick(_metadata, self->s, true);
}

/* ---- NUMA balancing ---- */

#define NUMA_BALANCING	"/proc/sys/kernel/numa_balancing"

/* The remote tick would have the task scan its memory: once a second of its run time. */
TEST_F_TIMEOUT(deferral, numa_balancing_lets_it_alone, CASE_TIMEOUT)
{
	pid_t pid;
	long skipped;

	ASSERT_EQ(0, write_text(NUMA_BALANCING, "1"));
	pid = stay(self->s, STRICT);
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	skipped = cpu_number(CPU_A, "skipped");
	EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "skipped") > skipped + 1 || !alive(self->s)));
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("%s", cpu_text(CPU_A, "last_loss"));
	write_text(NUMA_BALANCING, "0");
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(deferral, the_switches, CASE_TIMEOUT)
{
	static const char *const files[] = { DEFER_TEXT, DEFER_FLUSHES, SKIP_ORDERING, SKIP_CHORES };
	char text[16];

	for (int i = 0; i < 4; i++) {
		read_text(files[i], text, sizeof(text));
		EXPECT_STREQ("1", text) TH_LOG("%s", files[i]);
		EXPECT_EQ(-EINVAL, write_text(files[i], "2"));
		EXPECT_EQ(-EINVAL, write_text(files[i], "x"));
		EXPECT_EQ(0, write_text(files[i], "0"));
		read_text(files[i], text, sizeof(text));
		EXPECT_STREQ("0", text) TH_LOG("%s", files[i]);
		EXPECT_EQ(0, write_text(files[i], "1"));
	}
}

static void act_busy_with_calls(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	while (s->may < 1) {
		/* through the patched functions, and a while in user space */
		s->value[0] += pread(s->fd[0], s->bytes, 1, 0) == 1;
		s->value[1]++;
		s->turns++;
		for (int i = 0; i < 100; i++)
			relax();
	}
	leave();
}

/*
 * Entries at any moment of the patching: a bit that an entry left behind is a
 * WARN in a kernel with DEBUG_ENTRY, and fails the run.
 */
TEST_F_TIMEOUT(deferral, entries_beside_patching, CASE_TIMEOUT)
{
	int rounds = default_timeout_ms() > 1000 ? ROUNDS : 3 * ROUNDS;
	pid_t pid;
	long deferred, synchronised;

	self->s->fd[0] = open("/proc/self/cmdline", O_RDONLY);
	ASSERT_GE(self->s->fd[0], 0);
	pid = actor(self->s, CPU_A, act_busy_with_calls);
	ASSERT_TRUE(UNTIL(self->s->turns > 10));
	deferred = cpu_number(CPU_A, "deferred");
	synchronised = cpu_number(CPU_A, "synchronised");
	for (int i = 0; i < rounds; i++) {
		toggle_event();
		toggle_tracer();
	}
	EXPECT_GT(cpu_number(CPU_A, "deferred"), deferred);
	EXPECT_GT(cpu_number(CPU_A, "synchronised"), synchronised);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(self->s->value[1], self->s->value[0]);
}

/* An NMI finds text that its CPU has not synchronised with yet, and leaves the bit for the entry. */
TEST_F_TIMEOUT(deferral, an_nmi_beside_patching, CASE_TIMEOUT)
{
	pid_t pid = stay(self->s, PERSISTENT);

	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	for (int i = 0; i < ROUNDS; i++) {
		long foreign = cpu_number(CPU_A, "foreign");
		long nmi = cpu_number(CPU_A, "synchronised_nmi"), entry = cpu_number(CPU_A, "synchronised");

		toggle_event();
		EXPECT_EQ(foreign, cpu_number(CPU_A, "foreign"));
		ASSERT_EQ(0, disturb("nmi", CPU_A));
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") == foreign + 1));
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
		EXPECT_EQ(nmi + 1, cpu_number(CPU_A, "synchronised_nmi"));
		EXPECT_EQ(entry + 1, cpu_number(CPU_A, "synchronised"));
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_HARNESS_MAIN
