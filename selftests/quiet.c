// SPDX-License-Identifier: GPL-2.0
/*
 * Quiescence: what is done before a task is isolated, and that nothing at all
 * happens to its CPU afterwards. Every count proves that the task was alive
 * and isolated from the first reading to the last.
 */
#include "fair_server.h"
#include "isolation.h"
#include "kselftest_harness.h"

STAGE_FIXTURE(one)

MODES_FIXTURE(quiet)

static const char *const rows[] = { "LOC", "RES", "CAL", "IWI", "TLB", "NMI", "all" };
#define ROWS (sizeof(rows) / sizeof(*rows))

static void read_rows(int cpu, unsigned long *count)
{
	for (size_t r = 0; r < ROWS; r++)
		count[r] = interrupts(cpu, rows[r]);
}

/* For @ms: isolated and alive all the time, and not one interrupt. */
#define EXPECT_SILENCE(ms) do {						\
	unsigned long first_[ROWS], last_[ROWS], turns_ = self->s->turns; \
	read_rows(CPU_A, first_);					\
	for (long end_ = now_ms() + (ms); now_ms() < end_;) {		\
		ASSERT_TRUE(isolated(self->s, pid)) TH_LOG("state %s", cpu_text(CPU_A, "state")); \
		rest();							\
	}								\
	read_rows(CPU_A, last_);					\
	for (size_t r_ = 0; r_ < ROWS; r_++) {				\
		EXPECT_EQ(first_[r_], last_[r_]) TH_LOG("row %s", rows[r_]); \
	}								\
	EXPECT_GT(self->s->turns, turns_);				\
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));			\
	EXPECT_EQ(0, cpu_number(CPU_A, "late"));			\
} while (0)

static void act_spin(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags)) {
		read_info(&s->info);
		return;
	}
	spin_until_may(s, 1);
	s->flags_after = flags_now();
}

/* Leave work for the CPU in every place that 5.1 names. */
static void litter(void)
{
	char path[64];

	for (int i = 0; i < 20; i++) {
		char *p = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int fd;
		pid_t pid;

		memset(p, 1, 16 * 4096);
		mlock(p, 4096);
		munlock(p, 4096);
		munmap(p, 16 * 4096);
		snprintf(path, sizeof(path), "/tmp/litter.%d.%d", getpid(), i);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd >= 0) {
			if (write(fd, path, sizeof(path)) < 0)
				_exit(112);
			close(fd);
		}
		unlink(path);
		if (i % 10 == 0) {
			pid = fork();
			if (!pid)
				_exit(0);
			waitpid(pid, NULL, 0);
		}
		usleep(100);
	}
}

static void act_litter_and_spin(struct stage *s)
{
	litter();
	be_resident(s);
	act_spin(s);
}

TEST_F_TIMEOUT(quiet, p5_1_what_would_interrupt_later_is_done_before, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_litter_and_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_SILENCE(2500);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
}

/* ---- 5.1 one by one ---------------------------------------------------- */

static long vmstat_value(const char *name)
{
	static char text[65536];
	char key[64];
	char *at;

	snprintf(key, sizeof(key), "\n%s ", name);
	read_text("/proc/vmstat", text, sizeof(text));
	at = strstr(text, key);
	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

#define FEW 3

static void act_take_few_shared_pages(struct stage *s)
{
	char *p = mmap(NULL, FEW * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	s->at = AT_READY;
	spin_until_may(s, 1);
	for (int i = 0; i < FEW; i++)
		p[i * 4096] = 1;
	s->at = AT_READY + 100;
	spin_until_may(s, 2);
	if (!s->flags) {
		s->at = AT_READY + 200;
		spin_until_may(s, 3);
		return;
	}
	s->error = enter(s->flags) ? errno : 0;
	s->at = AT_READY + 200;
	spin_until_may(s, 3);
}

/* How many of the few pages the global counter shows, before and after. */
static bool count_shared_pages(struct stage *s, unsigned long flags, long *before, long *after)
{
	long base;
	pid_t pid;

	s->flags = flags;
	pid = actor(s, CPU_A, act_take_few_shared_pages);
	if (!UNTIL(s->at == AT_READY))
		return false;
	write_text("/proc/sys/vm/stat_refresh", "1");
	base = vmstat_value("nr_shmem");
	s->may = 1;
	if (!UNTIL(s->at == AT_READY + 100))
		return false;
	*before = vmstat_value("nr_shmem") - base;
	s->may = 2;
	if (!UNTIL(s->at == AT_READY + 200))
		return false;
	*after = vmstat_value("nr_shmem") - base;
	s->may = 3;
	return ended_well(finish(pid)) && !s->error;
}

TEST_F_TIMEOUT(quiet, p5_1_vmstat_is_folded, CASE_TIMEOUT)
{
	long before = -1, after = -1;
	bool shown = false;

	/* until the pages were seen to wait in the CPU's own counter */
	for (int try = 0; try < 10 && !shown; try++) {
		self->s = stage_new();
		ASSERT_TRUE(count_shared_pages(self->s, variant->flags, &before, &after));
		shown = before < FEW;
	}
	EXPECT_TRUE(shown) TH_LOG("nothing was ever left to fold: the test proves nothing");
	EXPECT_EQ(FEW, after) TH_LOG("%ld before entering", before);
}

static bool on_lru(pid_t pid, unsigned long address)
{
	uint64_t entry = 0, flags = 0;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || pread(fd, &entry, 8, address / 4096 * 8) != 8)
		entry = 0;
	close(fd);
	fd = open("/proc/kpageflags", O_RDONLY);
	if (fd < 0 || pread(fd, &flags, 8, (entry & ((1ULL << 55) - 1)) * 8) != 8)
		flags = 0;
	close(fd);
	return (entry >> 63) && (flags >> 5 & 1);
}

static void act_take_a_page(struct stage *s)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(p, 4096, MADV_NOHUGEPAGE);
	p[0] = 1;
	s->page = p;
	s->at = AT_READY;
	spin_until_may(s, 1);
	enter_on_stage(s, s->flags);
	spin_until_may(s, 2);
}

TEST_F_TIMEOUT(quiet, p5_1_lru_batches_are_drained, CASE_TIMEOUT)
{
	bool waited = false;

	for (int try = 0; try < 10 && !waited; try++) {
		pid_t pid;

		self->s = stage_new();
		self->s->flags = variant->flags;
		pid = actor(self->s, CPU_A, act_take_a_page);
		ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
		waited = !on_lru(pid, (unsigned long)self->s->page);
		self->s->may = 1;
		ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
		ASSERT_EQ(0, self->s->error);
		EXPECT_TRUE(on_lru(pid, (unsigned long)self->s->page));
		self->s->may = 2;
		EXPECT_TRUE(ended_well(finish(pid)));
	}
	EXPECT_TRUE(waited) TH_LOG("no page ever waited in a batch: the test proves nothing");
}

static void act_short_company(struct stage *s)
{
	prctl(PR_SET_NAME, "short", 0, 0, 0);
	s->at = AT_READY;
	spin_until_may(s, 1);
	/* some work of its own is left, then it goes */
	for (int i = default_timeout_ms() > 1000 ? 1000 : 20000; i; i--)
		relax();
}

TEST_F_TIMEOUT(quiet, p5_1_other_runnable_tasks_finish_first, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t other = actor(second, CPU_A, act_short_company);
	pid_t pid;

	ASSERT_TRUE(UNTIL(second->turns > 1));
	write_number(FILE_TIMEOUT, 20000);
	pid = actor(self->s, CPU_A, act_spin);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY && cpu_state_is(CPU_A, "entering")));
	EXPECT_TRUE(alive(second)) TH_LOG("the wait does not give way");
	EXPECT_EQ(AT_READY, self->s->at);
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	AWAIT_ISOLATED(AT_ENTERED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* ---- 5.2 ------------------------------------------------------------------ */

static char timer_list[1 << 20];

/* The section of one CPU, from "cpu: N" or "Per CPU device: N" on. */
static char *section(const char *head, int cpu)
{
	char key[64];
	char *at, *end;

	snprintf(key, sizeof(key), "%s %d\n", head, cpu);
	at = strstr(timer_list, key);
	if (!at)
		return NULL;
	end = strstr(at + strlen(key), head);
	at = strdup(at);
	if (end)
		at[end - strstr(timer_list, key)] = 0;
	return at;
}

TEST_F_TIMEOUT(quiet, p5_2_tick_stopped_and_no_event_armed, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_litter_and_spin);
	char *cpu, *device;

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_GT(read_text("/proc/timer_list", timer_list, sizeof(timer_list)), 0);
	ASSERT_TRUE(isolated(self->s, pid));
	cpu = section("cpu:", CPU_A);
	device = section("Per CPU device:", CPU_A);
	ASSERT_NE(NULL, cpu);
	ASSERT_NE(NULL, device);
	EXPECT_TRUE(strstr(cpu, ".tick_stopped   : 1") || strstr(cpu, "TICK_STOPPED")) TH_LOG("%s", cpu);
	EXPECT_NE(NULL, strstr(device, "next_event:     9223372036854775807 nsecs")) TH_LOG("%s", device);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(quiet, p5_2_nothing_happens_afterwards, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_spin);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_SILENCE(2500);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
}

/* A persistent task that comes out of the kernel again and again. */
static void act_call_then_spin(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	for (int i = 0; i < 50; i++) {
		munmap(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
			    -1, 0), 8192);
		close(open("/proc/self/stat", O_RDONLY));
	}
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
}

TEST_F_TIMEOUT(one, p5_2_quiet_again_after_own_calls, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_call_then_spin);

	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_SILENCE(2500);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(one, p5_2_two_cpus_at_once, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid, other;
	unsigned long before;

	second->flags = self->s->flags = STRICT;
	other = actor(second, CPU_B, act_litter_and_spin);
	pid = actor(self->s, CPU_A, act_litter_and_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(UNTIL(isolated(second, other)));
	before = interrupts(CPU_B, "all");
	EXPECT_SILENCE(2000);
	EXPECT_EQ(before, interrupts(CPU_B, "all"));
	EXPECT_TRUE(isolated(second, other));
	self->s->may = second->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_TRUE(ended_well(finish(other)));
}

/* ---- 5.3 ------------------------------------------------------------------ */

#define TRACING "/sys/kernel/tracing"
#define CHECK_INTERVAL "/sys/devices/system/machinecheck/machinecheck0/check_interval"

static char trace_text[1 << 20];

static void trace_timers(bool on)
{
	write_text(TRACING "/tracing_on", "0");
	write_text(TRACING "/events/timer/timer_expire_entry/enable", on ? "1" : "0");
	if (on) {
		close(open(TRACING "/trace", O_WRONLY | O_TRUNC));
		write_text(TRACING "/tracing_on", "1");
	}
}

/* How often the timer function ran on a CPU since tracing began. */
static int runs_of(const char *function, int cpu)
{
	char where[16];
	char *line, *save;
	int n = 0;

	read_text(TRACING "/trace", trace_text, sizeof(trace_text));
	snprintf(where, sizeof(where), "[%03d]", cpu);
	for (line = strtok_r(trace_text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, function) && strstr(line, where))
			n++;
	return n;
}

TEST_F_TIMEOUT(one, p5_3_the_machine_check_poll_is_parked_while_listed, CASE_TIMEOUT)
{
	char interval[16], list[256], shorter[256];

	ASSERT_GT(read_text(CHECK_INTERVAL, interval, sizeof(interval)), 0)
		TH_LOG("no machine-check poll here; the test configuration has one");
	ASSERT_GT(read_text(FILE_LIST, list, sizeof(list)), 0);
	snprintf(shorter, sizeof(shorter), "%d", CPU_A);
	trace_timers(true);
	/* writing it restarts the poll everywhere, which must not reach listed CPUs */
	ASSERT_EQ(0, write_text(CHECK_INTERVAL, "1"));
	EXPECT_TRUE(UNTIL(runs_of("mce_timer_fn", HOUSE) >= 3)) TH_LOG("no poll on a housekeeping CPU");
	EXPECT_EQ(0, runs_of("mce_timer_fn", CPU_A));
	EXPECT_EQ(0, runs_of("mce_timer_fn", CPU_B));
	/* off the list: the poll is back */
	int b = CPU_B;

	EXPECT_EQ(0, write_text(FILE_LIST, shorter));
	EXPECT_TRUE(UNTIL(runs_of("mce_timer_fn", b) >= 1)) TH_LOG("not restored on CPU %d", b);
	EXPECT_EQ(0, runs_of("mce_timer_fn", CPU_A));
	/* and on it again: parked again */
	EXPECT_EQ(0, write_text(FILE_LIST, list));
	trace_timers(true);
	EXPECT_TRUE(UNTIL(runs_of("mce_timer_fn", HOUSE) >= 3));
	EXPECT_EQ(0, runs_of("mce_timer_fn", b));
	write_text(CHECK_INTERVAL, interval);
	trace_timers(false);
}

static void act_due_soon(struct stage *s)
{
	s->value[0] = now_ms();
	arm_local_timer(500);
	enter_on_stage(s, s->flags);
	s->value[0] = now_ms() - s->value[0];
	read_info(&s->info);
}

TEST_F_TIMEOUT(quiet, p5_3_an_event_due_in_time_is_waited_for, CASE_TIMEOUT)
{
	int status;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 20000);
	status = finish(actor(self->s, CPU_A, act_due_soon));
	write_text(FILE_TIMER_MIGRATION, "1");
	ASSERT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, self->s->error);
	EXPECT_GE(self->s->value[0], 500);
}

TEST_F_TIMEOUT(quiet, p5_3_an_event_due_in_time_is_not_waited_for_with_nowait, CASE_TIMEOUT)
{
	int status;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 20000);
	self->s->flags |= NOWAIT;
	status = finish(actor(self->s, CPU_A, act_due_soon));
	write_text(FILE_TIMER_MIGRATION, "1");
	ASSERT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(EAGAIN, self->s->error) TH_LOG("NOWAIT waited");
	/* RCU may hold the tick at that moment, which then has an event too */
	EXPECT_TRUE(self->s->info.refusal_unmet &
		    (TASK_ISOLATION_UNMET_TIMER | TASK_ISOLATION_UNMET_TICK));
}

/* ---- 5.4 ------------------------------------------------------------------ */

/*
 * Without the fair server nobody runs beside a real-time task that does not itself
 * give way. What CPUs outside of the scheduling domains reserve is not in the sum
 * that the kernel compares with the limit, so there is no limit meanwhile. The server
 * is written to only while nobody owns the CPU: that may start it.
 */
FIXTURE(fifo) { struct stage *s; char limit[32]; long fair; };
FIXTURE_VARIANT(fifo) { bool served; };
FIXTURE_VARIANT_ADD(fifo, served) { .served = true };
FIXTURE_VARIANT_ADD(fifo, not_served) { .served = false };
FIXTURE_SETUP(fifo)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	self->s = stage_new();
	ASSERT_LT(0, read_text(FILE_RT_RUNTIME, self->limit, sizeof(self->limit)));
	self->fair = fair_runtime(CPU_A);
	ASSERT_LT(0, self->fair);
	if (!variant->served) {
		ASSERT_EQ(0, write_text(FILE_RT_RUNTIME, "-1"));
		ASSERT_TRUE(set_fair_runtime(CPU_A, 0));
	}
}
FIXTURE_TEARDOWN(fifo)
{
	EXPECT_TRUE(settle());
	if (!variant->served) {
		EXPECT_TRUE(set_fair_runtime(CPU_A, self->fair));
		EXPECT_EQ(0, write_text(FILE_RT_RUNTIME, self->limit));
	}
}

static void act_fifo_99(struct stage *s)
{
	struct sched_param param = { .sched_priority = 99 };

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(113);
	s->at = AT_READY;
	while (!s->order)
		relax();
	act_spin(s);
}

TEST_F_TIMEOUT(fifo, p5_4_fifo_99_with_a_kworker_pending, CASE_TIMEOUT)
{
	long ran;
	pid_t pid;

	write_number(FILE_TIMEOUT, 15000);
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_fifo_99);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	ran = disturbances_run();
	ASSERT_EQ(0, disturb("work", CPU_A));
	self->s->order = 1;
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(ran + 1, disturbances_run()) TH_LOG("isolated before the worker ran");
	EXPECT_SILENCE(1000);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(fifo, p5_4_fifo_99_beside_a_plain_task, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t other = actor(second, CPU_A, act_short_company);
	pid_t pid;

	ASSERT_TRUE(UNTIL(second->turns > 1));
	write_number(FILE_TIMEOUT, 15000);
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_fifo_99);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	second->may = 1;
	self->s->order = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	AWAIT_ISOLATED(AT_ENTERED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_wait_in_vain(struct stage *s)
{
	s->value[0] = now_ms();
	s->error = enter(PERSISTENT) ? errno : 0;
	s->value[0] = now_ms() - s->value[0];
}

TEST_F_TIMEOUT(one, p5_4_the_wait_is_bounded_by_time, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t other = actor(second, CPU_A, act_intruder);

	ASSERT_TRUE(UNTIL(second->turns > 1));
	for (long limit = 200; limit <= 800; limit *= 2) {
		self->s = stage_new();
		write_number(FILE_TIMEOUT, limit);
		EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_wait_in_vain))));
		EXPECT_EQ(EAGAIN, self->s->error);
		EXPECT_GE(self->s->value[0], limit);
		EXPECT_LT(self->s->value[0], limit + 5000);
	}
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
}

/* ---- 5.5 ------------------------------------------------------------------ */

TEST_F_TIMEOUT(quiet, p5_5_no_boot_word_but_ours, CASE_TIMEOUT)
{
	static const char *const others[] = { "nohz_full=", "isolcpus=", "rcu_nocbs=", "rcu_nocb_poll",
					      "nosoftlockup", "nowatchdog", "skew_tick", "mce=" };
	char line[4096];
	pid_t pid;

	read_text("/proc/cmdline", line, sizeof(line));
	EXPECT_NE(NULL, strstr(line, "task_isolation="));
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		EXPECT_EQ(NULL, strstr(line, others[i])) TH_LOG("the boot line has %s", others[i]);
	}
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* ---- 7.1 ------------------------------------------------------------------ */

static void act_in_and_out(struct stage *s)
{
	while (s->may < 1) {
		s->error = enter(PERSISTENT) ? errno : 0;
		for (int i = 0; i < 50; i++) {
			s->turns++;
			relax();
		}
		litter();
	}
}

/*
 * A reader that sees "isolated" before and after it looked at the timers, with
 * the same count of entries, has looked at an isolated CPU.
 */
TEST_F_TIMEOUT(one, p7_1_never_isolated_with_a_tick_or_timer, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_in_and_out);
	int looks = 0, bad = 0;

	for (long end = now_ms() + 8000; now_ms() < end && looks < 20;) {
		long own, foreign;
		char *cpu;

		if (!cpu_state_is(CPU_A, "isolated"))
			continue;
		own = cpu_number(CPU_A, "own");
		foreign = cpu_number(CPU_A, "foreign");
		read_text("/proc/timer_list", timer_list, sizeof(timer_list));
		if (own != cpu_number(CPU_A, "own") || foreign != cpu_number(CPU_A, "foreign") ||
		    !cpu_state_is(CPU_A, "isolated"))
			continue;
		looks++;
		cpu = section("Per CPU device:", CPU_A);
		if (!cpu || !strstr(cpu, "next_event:     9223372036854775807 nsecs"))
			bad++;
		free(cpu);
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_GE(looks, 1) TH_LOG("never saw it isolated: the test proves nothing");
	EXPECT_EQ(0, bad) TH_LOG("%d of %d looks", bad, looks);
}

static void act_company_then_state(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	while (s->may < 1) {
		s->turns++;
		relax();
	}
}

TEST_F_TIMEOUT(one, p7_1_not_isolated_while_another_task_runs_there, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(self->s, CPU_A, act_company_then_state);
	pid_t other;

	AWAIT_ISOLATED(AT_ENTERED);
	other = actor(second, CPU_A, act_intruder);
	ASSERT_TRUE(UNTIL(second->turns > 1));
	for (int i = 0; i < 100; i++) {
		EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
		rest();
	}
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_HARNESS_MAIN
