// SPDX-License-Identifier: GPL-2.0
/*
 * What other CPUs do instead of interrupting an isolated one: text patching is
 * made up for on the next entry, ordering and chores are left out. A strict task
 * is the judge: one interrupt kills it.
 */
#include "isolation.h"
#include "kselftest_harness.h"

#define TRACING		"/sys/kernel/tracing"
#define EVENT		TRACING "/events/sched/sched_process_exec/enable"
#define KPROBE		TRACING "/events/kprobes/selftest/enable"
#define TRACER		TRACING "/current_tracer"
#define STAT_REFRESH	"/proc/sys/vm/stat_refresh"
#define DEFER_TEXT	DIR_ADMIN "/defer_text_patching"
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
FIXTURE_SETUP(deferral)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	/*
	 * The first use of each since boot allocates buffers and text pages,
	 * whose attributes are changed by interrupting everybody.
	 */
	ASSERT_EQ(0, write_text(TRACING "/set_ftrace_filter", "schedule\nvfs_read\n"));
	if (access(KPROBE, W_OK))
		write_text(TRACING "/kprobe_events", "p:selftest vfs_write\n");
	ASSERT_EQ(0, access(KPROBE, W_OK));
	toggle_event();
	toggle_kprobe();
	toggle_tracer();
	/* and what they left in the background is over */
	await_rest(CPU_A, 300);
}
FIXTURE_TEARDOWN(deferral)
{
	write_number(DEFER_TEXT, 1);
	write_number(SKIP_ORDERING, 1);
	write_number(SKIP_CHORES, 1);
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

/* Switched off it is the interrupt that it always was. */
static void kills(struct __test_metadata *_metadata, struct stage *s, void (*happen)(void),
		  const char *file, const char *counter)
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
	EXPECT_NE(0, last_loss_is(CPU_A, pid, "ipi") || last_loss_is(CPU_A, pid, "reschedule") ||
		     last_loss_is(CPU_A, pid, "preempted")) TH_LOG("%s", cpu_text(CPU_A, "last_loss"));
}

TEST_F_TIMEOUT(deferral, a_trace_event_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_event, "deferred");
}

TEST_F_TIMEOUT(deferral, a_kprobe_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_kprobe, "deferred");
}

TEST_F_TIMEOUT(deferral, the_function_tracer_is_deferred, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_tracer, "deferred");
}

TEST_F_TIMEOUT(deferral, ordering_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, toggle_tracer, "skipped");
}

TEST_F_TIMEOUT(deferral, refreshing_vmstat_is_skipped, CASE_TIMEOUT)
{
	survives(_metadata, self->s, refresh_vmstat, "skipped");
}

TEST_F_TIMEOUT(deferral, text_patching_interrupts_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, toggle_event, DEFER_TEXT, "deferred");
}

TEST_F_TIMEOUT(deferral, ordering_interrupts_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, toggle_tracer, SKIP_ORDERING, "skipped");
}

TEST_F_TIMEOUT(deferral, chores_interrupt_when_switched_off, CASE_TIMEOUT)
{
	kills(_metadata, self->s, refresh_vmstat, SKIP_CHORES, "skipped");
}

TEST_F_TIMEOUT(deferral, the_switches, CASE_TIMEOUT)
{
	static const char *const files[] = { DEFER_TEXT, SKIP_ORDERING, SKIP_CHORES };
	char text[16];

	for (int i = 0; i < 3; i++) {
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
	pid_t pid;
	long deferred;

	self->s->fd[0] = open("/proc/self/cmdline", O_RDONLY);
	ASSERT_GE(self->s->fd[0], 0);
	pid = actor(self->s, CPU_A, act_busy_with_calls);
	ASSERT_TRUE(UNTIL(self->s->turns > 10));
	deferred = cpu_number(CPU_A, "deferred");
	for (int i = 0; i < 5 * ROUNDS; i++) {
		toggle_event();
		toggle_tracer();
	}
	EXPECT_GT(cpu_number(CPU_A, "deferred"), deferred);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(self->s->value[1], self->s->value[0]);
}

/* An NMI finds text that its CPU has not synchronised with yet. */
TEST_F_TIMEOUT(deferral, an_nmi_beside_patching, CASE_TIMEOUT)
{
	pid_t pid = stay(self->s, PERSISTENT);

	ASSERT_TRUE(UNTIL(isolated(self->s, pid)));
	for (int i = 0; i < ROUNDS; i++) {
		long foreign = cpu_number(CPU_A, "foreign");

		toggle_event();
		EXPECT_EQ(foreign, cpu_number(CPU_A, "foreign"));
		ASSERT_EQ(0, disturb("nmi", CPU_A));
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") == foreign + 1));
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_HARNESS_MAIN
