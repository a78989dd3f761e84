// SPDX-License-Identifier: GPL-2.0
/*
 * No entry is lost (7.2): what the counters say of a persistent task is exactly
 * what an outsider saw. The outsider is bench/oracle: it knows nothing of task
 * isolation and counts the entries from user space by the kernel's own trace
 * events, from the call that enters to the one that leaves.
 *
 * The task makes calls and faults, while others call its CPU, kick it, set
 * timers there, patch the kernel's text and send NMIs.
 */
#include "isolation.h"
#include "../bench/oracle/watch.h"
#include "kselftest_harness.h"

#define FILE_DEFER_TEXT	DIR_ADMIN "/defer_text_patching"

/* Text is patched in several steps, and each is an interrupt. */
#define PATCHES(wanted)	((wanted) / 4 + 1)

enum { OWN_DONE = AT_ENTERED + 1, LEFT };

/* What limits the count: prctl() with our option, the first and the last. */
static const struct watch_call isolation_call = {
	.number = SYS_prctl, .argument = PR_SET_TASK_ISOLATION,
};

/* ---- the task -------------------------------------------------------------- */

static void leave_and_tell(struct stage *s)
{
	leave();
	read_info(&s->info);
	s->at = LEFT;
	spin_until_may(s, 2);
}

/* Others come in between. */
static void linger(struct stage *s)
{
	relax();
	s->turns++;
}

/* So many calls and so many faults as value[0] says. */
static void act_own(struct stage *s)
{
	size_t size = s->value[0] * 4096;
	char *pages = mmap(NULL, size, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	/* a huge page would be one fault for many */
	if (pages == MAP_FAILED || madvise(pages, size, MADV_NOHUGEPAGE))
		_exit(103);
	if (enter_on_stage(s, PERSISTENT))
		return;
	for (size_t at = 0; at < size; at += 4096) {
		syscall(SYS_getppid);
		linger(s);
		((volatile char *)pages)[at] = 1;
		linger(s);
	}
	s->at = OWN_DONE;
	spin_until_may(s, 1);
	leave_and_tell(s);
}

/* The same number of calls, after two of which the second keeps it late: a timer far away. */
static void act_own_late(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	arm_local_timer(3600 * 1000L);
	for (int i = 0; i < s->value[0]; i++) {
		syscall(SYS_getppid);
		linger(s);
	}
	leave_and_tell(s);
}

/* ---- the others -------------------------------------------------------------- */

static long interruptions(void)
{
	return cpu_number(CPU_A, "foreign") + cpu_number(CPU_A, "late");
}

/* Each when something has come of the one before, or two would be one interrupt. */
static bool send(const char *kind, int count)
{
	while (count--) {
		long before = interruptions();

		if (disturb(kind, CPU_A))
			return false;
		/* it may have found the CPU in the kernel */
		(void)UNTIL_MS(2, interruptions() > before);
	}
	return true;
}

/* On another housekeeping CPU, beside what the test itself sends. */
static pid_t start_others(struct stage *s)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	bind_to(HOUSE + 1);
	while (!s->order)
		if (!send("patch", 1) || !send("nmi", 1) || !send("kick", 1))
			_exit(1);
	_exit(0);
}

/* ---- the comparison ------------------------------------------------------------ */

static unsigned long counted(const struct task_isolation_info *info)
{
	return info->own + info->foreign + info->absorbed + info->late;
}

static void show(const struct watch_verdict *v, const struct task_isolation_info *info)
{
	printf("# %lu entries:", v->entries);
	for (int kind = 0; kind < WATCH_KINDS; kind++)
		if (v->by_kind[kind])
			printf(" %lu %s,", v->by_kind[kind], watch_kind_name(kind));
	printf(" %lu NMIs; counted: own %llu, foreign %llu, absorbed %llu, late %llu\n", v->nmis,
	       (unsigned long long)info->own, (unsigned long long)info->foreign,
	       (unsigned long long)info->absorbed, (unsigned long long)info->late);
	fflush(stdout);
}

/* Entries of a late task are in one counter, whatever they were: it is the slack by class. */
static void compare(struct __test_metadata *_metadata, const struct watch_verdict *v,
		    const struct task_isolation_info *info)
{
	unsigned long own = v->by_kind[WATCH_SYSCALL] + v->by_kind[WATCH_PAGE_FAULT];
	unsigned long interrupts = watch_interrupts(v);

	show(v, info);
	/* the outsider saw all of it, and has a name for each */
	EXPECT_EQ(0, v->dropped);
	EXPECT_TRUE(watch_complete(v));
	EXPECT_EQ(2, v->limits);
	EXPECT_EQ(0, v->by_kind[WATCH_OTHER]);

	EXPECT_EQ(v->entries, counted(info));
	EXPECT_LE(info->own, own);
	EXPECT_GE(info->own + info->late, own);
	EXPECT_LE(info->foreign + info->absorbed, interrupts);
	EXPECT_GE(info->foreign + info->absorbed + info->late, interrupts);
}

FIXTURE(late) {
	struct stage *s;
};

FIXTURE_SETUP(late)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	/* else its timer goes to a housekeeping CPU */
	write_text(FILE_TIMER_MIGRATION, "0");
	self->s = stage_new();
}

FIXTURE_TEARDOWN(late)
{
	watch_abandon();
	write_text(FILE_TIMER_MIGRATION, "1");
}

FIXTURE(completeness) {
};

/* With real timers, which are due while the task is late; without, it hardly ever is. */
FIXTURE_VARIANT(completeness) {
	bool timers;
};

FIXTURE_VARIANT_ADD(completeness, timers) { .timers = true };
FIXTURE_VARIANT_ADD(completeness, no_timers) { .timers = false };

FIXTURE_SETUP(completeness)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	/* else it interrupts nobody */
	ASSERT_EQ(0, write_text(FILE_DEFER_TEXT, "0"));
}

FIXTURE_TEARDOWN(completeness)
{
	watch_abandon();
	write_text(FILE_DEFER_TEXT, "1");
	restore_switches();
}

static void mix(struct __test_metadata *_metadata, int each, bool timers)
{
	struct stage *s = stage_new();
	struct watch_verdict verdict;
	pid_t pid, others;
	long before;

	s->value[0] = each;
	ASSERT_EQ(0, watch_begin(CPU_A)) TH_LOG("%s", watch_failure());
	pid = actor(s, CPU_A, act_own);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_EQ(0, s->error);

	before = cpu_number(CPU_A, "foreign");
	ASSERT_TRUE(send("patch", PATCHES(each)));
	EXPECT_LE(each, cpu_number(CPU_A, "foreign") - before) TH_LOG("by text patching");
	others = start_others(s);
	ASSERT_TRUE(send("ipi", each));
	ASSERT_TRUE(send("kick", each));
	ASSERT_TRUE(UNTIL(s->at >= OWN_DONE));
	/* not before: a call waits for a timer, in the kernel; many are due there all the same */
	ASSERT_TRUE(!timers || send("alarm", (default_timeout_ms() > 1000 ? 5 : 2) * each));
	s->order = ORDER_STOP;
	EXPECT_TRUE(ended_well(finish(others)));
	s->may = 1;
	ASSERT_TRUE(UNTIL(s->at >= LEFT));
	ASSERT_EQ(0, watch_end(&isolation_call, &verdict)) TH_LOG("%s", watch_failure());
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));

	compare(_metadata, &verdict, &s->info);
	if (timers) {
		EXPECT_LE(each, verdict.by_kind[WATCH_TIMER]);
	} else {
		/* or the comparison by class would say little */
		EXPECT_GE(each / 20, s->info.late);
	}
	EXPECT_LE(each, verdict.by_kind[WATCH_SYSCALL]);
	EXPECT_LE(each, verdict.by_kind[WATCH_PAGE_FAULT]);
	EXPECT_LE(each, verdict.by_kind[WATCH_RESCHEDULE]);
	EXPECT_LE(2 * each, verdict.by_kind[WATCH_CALL]);
	munmap(s, 65536);
}

/* Once and short among all other tests; in make check-long ten times, 2,000 of each kind. */
TEST_F_TIMEOUT(completeness, p7_2_every_entry_is_counted, 1200)
{
	int runs = rounds_or(0);

	if (!runs)
		mix(_metadata, 200, variant->timers);
	for (int i = 0; i < runs; i++)
		mix(_metadata, 2000, variant->timers);
}

/* It leaves as it is: that call, too, found the state late. */
TEST_F_TIMEOUT(late, p7_2_every_entry_is_counted, CASE_TIMEOUT)
{
	struct watch_verdict verdict;
	pid_t pid;

	self->s->value[0] = 100;
	ASSERT_EQ(0, watch_begin(CPU_A)) TH_LOG("%s", watch_failure());
	pid = actor(self->s, CPU_A, act_own_late);
	EXPECT_TRUE(UNTIL(self->s->at >= LEFT));
	EXPECT_EQ(0, self->s->error);
	ASSERT_EQ(0, watch_end(&isolation_call, &verdict)) TH_LOG("%s", watch_failure());
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	compare(_metadata, &verdict, &self->s->info);
	EXPECT_EQ(2, self->s->info.own);
	EXPECT_LE(101, self->s->info.late);
}

TEST_HARNESS_MAIN
