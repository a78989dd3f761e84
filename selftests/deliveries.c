// SPDX-License-Identifier: GPL-2.0
/*
 * Deliveries other than signals: ptrace, stop, the freezers, task work and a
 * live patch. What ends isolation and what only passes (3.4, 3.5), and that
 * the task is healthy afterwards and may enter again (4.6).
 */
#include "isolation.h"
#include <sys/mount.h>
#include <sys/ptrace.h>
#include "kselftest_harness.h"

MODES_FIXTURE(deliver)

STAGE_FIXTURE(one)

/* Where the actor stands: isolated, its counters read; then isolated a second time. */
#define AT_COUNTED	(AT_ENTERED + 1)
#define AT_AGAIN	(AT_ENTERED + 2)

/* As spin_until_may(); a call now and then for those who watch calls. */
static void spin_for_order(struct stage *s, int step)
{
	while (s->may < step) {
		s->turns++;
		relax();
		if (s->order == ORDER_IPI) {
			syscall(SYS_getppid);
			s->order = ORDER_NONE;
		}
	}
}

/* What is left of the first stay, then a second one. */
static void enter_again(struct stage *s)
{
	s->flags_after = flags_now();
	read_info(&s->info);
	s->value[0] = enter(s->flags) ? errno : 0;
	if (s->value[0])
		tell_refusal(s);
	s->value[1] = flags_now();
	s->at = AT_AGAIN;
	spin_until_may(s, 2);
	s->value[2] = flags_now();
	leave();
}

static void act_take_delivery(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (s->bytes[0] && write_number(s->bytes, getpid()))
		_exit(120);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->at = AT_COUNTED;
	spin_for_order(s, 1);
	enter_again(s);
}

/* It moves; at once false when it has ended, which finish() still sees. */
static bool survived(struct stage *s, pid_t pid)
{
	unsigned long turns = s->turns;
	siginfo_t info = { 0 };

	return UNTIL(s->turns > turns + 1 ||
		     (!waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid)) &&
	       !info.si_pid;
}

/* Healthy: it enters again, is isolated, and ends by itself. */
static void check_second_stay(struct __test_metadata *_metadata, struct stage *s, pid_t pid)
{
	s->may = 1;
	ASSERT_TRUE(UNTIL(s->at >= AT_AGAIN)) TH_LOG("at %d, may %d", s->at, s->may);
	EXPECT_EQ(0, s->value[0]) TH_LOG("entering again: errno %ld", s->value[0]);
	EXPECT_EQ((long)s->flags, s->value[1]);
	EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("state %s", cpu_text(s->cpu, "state"));
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)s->flags, s->value[2]);
	EXPECT_EQ(0, owner_of(s->cpu));
}

/*
 * The rows 3.4 and, with @passes, 3.5: after one delivery that came from
 * outside, was counted once, and is over.
 */
static void check_delivered(struct __test_metadata *_metadata, struct stage *s, pid_t pid,
			    enum mode mode, int cause, const char *text, bool passes)
{
	static const int left_as[] = {
		[MODE_STRICT] = TASK_ISOLATION_LOST, [MODE_SIGNAL] = TASK_ISOLATION_LOST,
		[MODE_PERSISTENT] = TASK_ISOLATION_LOST, [MODE_ONE_SHOT] = TASK_ISOLATION_OFF,
	};
	bool stays = passes && mode == MODE_PERSISTENT;

	if (stays) {
		EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("state %s", cpu_text(s->cpu, "state"));
		EXPECT_TRUE(!strcmp("none", cpu_text(s->cpu, "last_loss")))
			TH_LOG("last loss '%s'", cpu_text(s->cpu, "last_loss"));
	} else {
		EXPECT_TRUE(UNTIL(!owner_of(s->cpu))) TH_LOG("state %s", cpu_text(s->cpu, "state"));
		EXPECT_TRUE(last_loss_is(s->cpu, pid, text))
			TH_LOG("last loss '%s', not '%s'", cpu_text(s->cpu, "last_loss"), text);
		ASSERT_TRUE(survived(s, pid)) TH_LOG("it did not survive");
	}
	EXPECT_EQ(1, cpu_number(s->cpu, "foreign") - (long)s->before.foreign);
	if (mode == MODE_SIGNAL) {
		EXPECT_TRUE(UNTIL(s->hits == 1)) TH_LOG("hits %d", s->hits);
		EXPECT_EQ(TASK_ISOLATION_LOSS, s->seen.si_code);
		EXPECT_EQ(cause, s->seen.si_errno);
		EXPECT_EQ(0, s->flags_in_handler);
	}
	check_second_stay(_metadata, s, pid);
	EXPECT_EQ(mode == MODE_SIGNAL, s->hits) TH_LOG("hits %d", s->hits);
	EXPECT_EQ(1, s->info.foreign - s->before.foreign);
	if (stays) {
		EXPECT_EQ((long)s->flags, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, s->info.loss_cause);
		EXPECT_EQ(0, s->info.late);
	} else {
		EXPECT_EQ(0, s->flags_after);
		EXPECT_EQ(left_as[mode], s->info.state);
		EXPECT_EQ(cause, s->info.loss_cause);
		EXPECT_TRUE(!strncmp(s->info.loss, text, strlen(text)))
			TH_LOG("'%s'", s->info.loss);
		/* what asked came afterwards: nothing of it is the stay's */
		EXPECT_EQ(s->before.own, s->info.own);
	}
}

/* ---- stops of a child, traced or not ---------------------------------------- */

#define EVENT_STOP	128	/* PTRACE_EVENT_STOP, which libc does not name */

/* The child's next stop, signal | event << 8; 0: none. Its end is left to finish(). */
static int stop_of(pid_t pid)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, pid, &info, WSTOPPED | WNOHANG | __WALL))
		return 0;
	return info.si_pid == pid ? info.si_status : 0;
}

/* Let a tracee go on from its stop, if it is in one; signals reach it. True: it was this stop. */
static bool step_over(pid_t pid, int wanted)
{
	int stop = stop_of(pid);

	if (!stop || stop == wanted)
		return stop;
	ptrace(PTRACE_CONT, pid, 0, stop >> 8 || stop == SIGTRAP ? 0 : stop);
	return false;
}

/* The tracee stops this way, sooner or later. */
#define UNTIL_STOP(pid, wanted)		UNTIL(step_over(pid, wanted))

/* ---- 3.4 ptrace -------------------------------------------------------------- */

TEST_F_TIMEOUT(deliver, p3_4_ptrace_attach, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, 0, 0));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGSTOP));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_PTRACE,
			"ptrace", false);
}

TEST_F_TIMEOUT(deliver, p3_4_a_seized_task_is_told_at_once, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	/* seizing stops nobody; the chosen signal is shown to the tracer first */
	EXPECT_TRUE(UNTIL(step_over(pid, 0) ||
			  (!owner_of(CPU_A) && (variant->mode != MODE_SIGNAL || self->s->hits))))
		TH_LOG("state %s, hits %d", cpu_text(CPU_A, "state"), self->s->hits);
	EXPECT_TRUE(alive(self->s));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "ptrace"));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGTRAP | EVENT_STOP << 8));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_PTRACE,
			"ptrace", false);
}

TEST_F_TIMEOUT(deliver, p3_4_seize_and_interrupt_count_once, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGTRAP | EVENT_STOP << 8));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_PTRACE,
			"ptrace", false);
}

static void act_ask_to_be_traced(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGUSR2, on_other, 0);
	s->value[3] = -2;
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->value[3] = syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
	s->at = AT_COUNTED;
	spin_until_may(s, 1);
	enter_again(s);
}

TEST_F_TIMEOUT(deliver, p3_4_a_task_that_asks_to_be_traced, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_ask_to_be_traced);
	/* but for a persistent task the call ends isolation before there is a tracer */
	bool persistent = variant->mode == MODE_PERSISTENT;
	char call[32];

	snprintf(call, sizeof(call), persistent ? "ptrace" : "syscall %d", SYS_ptrace);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
		EXPECT_EQ(0, self->s->error);
		EXPECT_EQ(-2, self->s->value[3]);
		EXPECT_TRUE(last_loss_is(CPU_A, pid, call))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
		EXPECT_EQ(0, owner_of(CPU_A));
		return;
	}
	ASSERT_TRUE(UNTIL(self->s->at >= AT_COUNTED)) TH_LOG("at %d", self->s->at);
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[3]);
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, call))
		TH_LOG("last loss '%s', not '%s'", cpu_text(CPU_A, "last_loss"), call);
	EXPECT_TRUE(alive(self->s));
	/* it is traced indeed: its next signal is this process's to see */
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGUSR2));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	check_second_stay(_metadata, self->s, pid);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(0, self->s->others);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	EXPECT_EQ(persistent ? TASK_ISOLATION_CAUSE_PTRACE : TASK_ISOLATION_CAUSE_SYSCALL,
		  self->s->info.loss_cause);
	EXPECT_EQ(1, self->s->info.own - self->s->before.own);
	EXPECT_EQ(self->s->before.foreign, self->s->info.foreign);
}

/* ---- 4.6 under a tracer -------------------------------------------------------- */

TEST_F_TIMEOUT(deliver, p4_6_attach_step_trace_calls_detach, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);
	struct __ptrace_syscall_info call = { 0 };
	unsigned long turns;

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, ptrace(PTRACE_ATTACH, pid, 0, 0));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGSTOP));
	/* the chosen signal, if it is still to come, is stepped into, too */
	turns = self->s->turns;
	for (int i = 0, sig = 0; i < 200; i++) {
		int stop = 0;

		ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, pid, 0, sig));
		ASSERT_TRUE(UNTIL((stop = stop_of(pid)))) TH_LOG("step %d", i);
		sig = stop == SIGTRAP ? 0 : stop;
		ASSERT_TRUE(!sig || (variant->mode == MODE_SIGNAL && sig == CHOSEN))
			TH_LOG("step %d: stop %#x", i, stop);
	}
	EXPECT_GT(self->s->turns, turns);
	self->s->order = ORDER_IPI;
	ASSERT_EQ(0, ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD));
	/* whatever else a handler calls comes before */
	do {
		ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
		ASSERT_TRUE(UNTIL(stop_of(pid) == (SIGTRAP | 0x80)));
		ASSERT_LT(0, ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call));
	} while (call.op != PTRACE_SYSCALL_INFO_ENTRY || call.entry.nr != SYS_getppid);
	ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, pid, 0, 0));
	ASSERT_TRUE(UNTIL(stop_of(pid) == (SIGTRAP | 0x80)));
	ASSERT_LT(0, ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(call), &call));
	EXPECT_EQ(PTRACE_SYSCALL_INFO_EXIT, call.op);
	EXPECT_EQ(getpid(), call.exit.rval);
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	EXPECT_TRUE(UNTIL(self->s->order == ORDER_NONE));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_PTRACE,
			"ptrace", false);
}

static void act_enter_under_a_tracer(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	s->at = AT_READY;
	spin_until_may(s, 1);
	s->error = enter(s->flags) ? errno : 0;
	s->at = AT_ENTERED;
	spin_until_may(s, 1);
	enter_again(s);
}

TEST_F_TIMEOUT(deliver, p4_6_single_step_through_an_entering_call, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_under_a_tracer);
	int steps = 0;

	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_TRUE(UNTIL_STOP(pid, SIGTRAP | EVENT_STOP << 8));
	self->s->may = 1;
	for (; self->s->at < AT_ENTERED && steps < 5000; steps++) {
		int stop = 0;

		ASSERT_EQ(0, ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
		ASSERT_TRUE(UNTIL((stop = stop_of(pid)))) TH_LOG("step %d", steps);
		ASSERT_EQ(SIGTRAP, stop) TH_LOG("step %d", steps);
	}
	ASSERT_EQ(AT_ENTERED, self->s->at);
	EXPECT_GT(steps, 5);
	EXPECT_EQ(EAGAIN, self->s->error);
	EXPECT_EQ(0, owner_of(CPU_A));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	self->s->error = 0;
	check_second_stay(_metadata, self->s, pid);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_OFF, self->s->info.state);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
	EXPECT_EQ(EAGAIN, self->s->info.refusal_errno);
}

/* A tracer that dies lets go of its tracee: so may a task enter that had one. */
TEST_F_TIMEOUT(deliver, p4_6_a_tracer_that_ends, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid = actor(self->s, CPU_A, act_take_delivery), tracer;

	AWAIT_ISOLATED(AT_COUNTED);
	tracer = fork();
	if (!tracer) {
		if (ptrace(PTRACE_SEIZE, pid, 0, 0))
			_exit(121);
		second->at = AT_READY;
		/* hands the chosen signal over as long as it lives */
		while (!second->may) {
			step_over(pid, 0);
			rest();
		}
		_exit(0);
	}
	ASSERT_TRUE(UNTIL(second->at == AT_READY));
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A) && (variant->mode != MODE_SIGNAL || self->s->hits)));
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(tracer)));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_PTRACE,
			"ptrace", false);
}

/* ---- 3.5 stop ------------------------------------------------------------------ */

TEST_F_TIMEOUT(deliver, p3_5_SIGSTOP_and_SIGCONT, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(UNTIL(stop_of(pid) == SIGSTOP));
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_STOP,
			"stop", true);
}

/* Not orphaned: the group holds this process, whose parent is in another one. */
TEST_F_TIMEOUT(deliver, p3_5_SIGTSTP_and_SIGCONT, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, kill(pid, SIGTSTP));
	ASSERT_TRUE(UNTIL(stop_of(pid) == SIGTSTP));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_STOP,
			"stop", true);
}

static void *stopper_thread(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	s->value[4] = syscall(SYS_gettid);
	s->helper = 1;
	while (s->may < 2)
		rest();
	return NULL;
}

static void act_take_delivery_beside_sibling(struct stage *s)
{
	start_thread(stopper_thread, s);
	while (!s->helper)
		rest();
	be_resident(s);
	act_take_delivery(s);
}

/* The sibling takes the signal; the isolated thread is only asked to join the stop. */
TEST_F_TIMEOUT(deliver, p3_5_a_sibling_s_stop_stops_the_group, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_delivery_beside_sibling);

	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_EQ(0, syscall(SYS_tgkill, pid, self->s->value[4], SIGSTOP));
	ASSERT_TRUE(UNTIL(stop_of(pid) == SIGSTOP));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	check_delivered(_metadata, self->s, pid, variant->mode, TASK_ISOLATION_CAUSE_STOP,
			"stop", true);
}

static void act_stop_itself(struct stage *s)
{
	pid_t pid = getpid();

	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->value[3] = syscall(SYS_kill, pid, SIGSTOP);
	s->at = AT_COUNTED;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_5_a_stop_by_its_own_call_counts_as_own, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_stop_itself);

	ASSERT_TRUE(UNTIL(stop_of(pid) == SIGSTOP));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(pid, owner_of(CPU_A));
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	AWAIT_ISOLATED(AT_COUNTED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[3]);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	/* flags_now() stands between the two readings */
	EXPECT_EQ(1 + 2 * self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(self->s->before.foreign, self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
}

TEST_F_TIMEOUT(one, p3_5_persistent_goes_on_after_each_of_ten_stops, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_take_delivery);
	AWAIT_ISOLATED(AT_COUNTED);
	for (int i = 1; i <= 10; i++) {
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_TRUE(UNTIL(stop_of(pid) == SIGSTOP));
		ASSERT_EQ(0, kill(pid, SIGCONT));
		ASSERT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("after stop %d: %s", i,
								  cpu_text(CPU_A, "state"));
		ASSERT_EQ(i, cpu_number(CPU_A, "foreign") - (long)self->s->before.foreign);
	}
	check_second_stay(_metadata, self->s, pid);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_EQ(10, self->s->info.foreign - self->s->before.foreign);
	EXPECT_EQ(self->s->before.own + 2 * self->s->toll, self->s->info.own);
	EXPECT_EQ(0, self->s->info.late);
}

/* ---- 3.5 the freezers ------------------------------------------------------------ */

struct freezer {
	const char *dir;
	const char *file, *freeze, *thaw;	/* what is written where */
	const char *events, *frozen;		/* what stands where when all are frozen */
};

#define DIR_V2	"/sys/fs/cgroup/deliveries"
#define DIR_V1	"/run/freezer"

static const struct freezer v2 = {
	DIR_V2, DIR_V2 "/cgroup.freeze", "1", "0", DIR_V2 "/cgroup.events", "frozen 1",
};
static const struct freezer v1 = {
	DIR_V1 "/deliveries", DIR_V1 "/deliveries/freezer.state", "FROZEN", "THAWED",
	DIR_V1 "/deliveries/freezer.state", "FROZEN",
};

static bool is_frozen(const struct freezer *f)
{
	char text[128];

	return read_text(f->events, text, sizeof(text)) > 0 && strstr(text, f->frozen);
}

/*
 * A cgroup for the actor of the stage. The hierarchy of version 1 stays mounted;
 * a second cgroup, empty and frozen, keeps its static key from being switched on
 * while somebody is isolated.
 */
static bool freezer_ready(const struct freezer *f, struct stage *s)
{
	if (f == &v1) {
		mkdir(DIR_V1, 0755);
		if (access(DIR_V1 "/cgroup.procs", F_OK) &&
		    mount("freezer", DIR_V1, "cgroup", 0, "freezer"))
			return false;
		mkdir(DIR_V1 "/keep", 0755);
		if (write_text(DIR_V1 "/keep/freezer.state", "FROZEN"))
			return false;
	}
	if (mkdir(f->dir, 0755) && errno != EEXIST)
		return false;
	write_text(f->file, f->thaw);
	snprintf(s->bytes, sizeof(s->bytes), "%s/cgroup.procs", f->dir);
	return !access(s->bytes, W_OK);
}

static bool freezer_gone(const struct freezer *f)
{
	write_text(f->file, f->thaw);
	if (f == &v1) {
		write_text(DIR_V1 "/keep/freezer.state", "THAWED");
		rmdir(DIR_V1 "/keep");
	}
	return UNTIL(!rmdir(f->dir) || errno == ENOENT);
}

static void freeze_and_thaw(struct __test_metadata *_metadata, struct stage *s, pid_t pid,
			    const struct freezer *f)
{
	ASSERT_EQ(0, write_text(f->file, f->freeze));
	ASSERT_TRUE(UNTIL(is_frozen(f)));
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	ASSERT_EQ(0, write_text(f->file, f->thaw));
}

static void check_freezer(struct __test_metadata *_metadata, struct stage *s, enum mode mode,
			  const struct freezer *f)
{
	pid_t pid;

	ASSERT_TRUE(freezer_ready(f, s)) TH_LOG("%s: errno %d", f->dir, errno);
	pid = actor(s, CPU_A, act_take_delivery);
	ASSERT_TRUE(UNTIL(s->at >= AT_COUNTED)) TH_LOG("at %d", s->at);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	freeze_and_thaw(_metadata, s, pid, f);
	check_delivered(_metadata, s, pid, mode, TASK_ISOLATION_CAUSE_FREEZER, "freezer", true);
	EXPECT_TRUE(freezer_gone(f));
}

TEST_F_TIMEOUT(deliver, p3_5_the_freezer_of_cgroup_v2, CASE_TIMEOUT)
{
	check_freezer(_metadata, self->s, variant->mode, &v2);
}

TEST_F_TIMEOUT(deliver, p3_5_the_freezer_of_cgroup_v1, CASE_TIMEOUT)
{
	check_freezer(_metadata, self->s, variant->mode, &v1);
}

/* ---- 4.6 while it waits to enter --------------------------------------------------- */

static void act_enter_slowly(struct stage *s)
{
	if (s->bytes[0] && write_number(s->bytes, getpid()))
		_exit(120);
	handle(CHOSEN, on_chosen, 0);
	arm_local_timer(s->value[5]);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->at = AT_COUNTED;
	spin_until_may(s, 1);
	enter_again(s);
}

/* An actor inside the wait, which a timer of its own CPU makes long. */
static pid_t waiter(struct stage *s)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 30000);
	s->value[5] = 2 * default_timeout_ms();
	pid = actor(s, CPU_A, act_enter_slowly);
	(void)UNTIL(s->at >= AT_READY && cpu_state_is(CPU_A, "entering"));
	write_text(FILE_TIMER_MIGRATION, "1");
	return pid;
}

/* What came while it waited is nothing that happened to an isolated task. */
static void check_entered_after_all(struct __test_metadata *_metadata, struct stage *s, pid_t pid)
{
	ASSERT_TRUE(UNTIL_MS(s->value[5] + PATIENCE_MS, s->at >= AT_COUNTED))
		TH_LOG("at %d, error %d", s->at, s->error);
	EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	check_second_stay(_metadata, s, pid);
	EXPECT_EQ((long)s->flags, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, s->info.loss_cause);
	EXPECT_EQ(0, s->info.foreign);
	EXPECT_EQ(0, s->hits);
}

TEST_F_TIMEOUT(deliver, p4_6_stopped_while_waiting_to_enter, CASE_TIMEOUT)
{
	pid_t pid = waiter(self->s);

	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(UNTIL(stop_of(pid) == SIGSTOP));
	ASSERT_EQ(AT_READY, self->s->at);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	check_entered_after_all(_metadata, self->s, pid);
}

static void check_frozen_waiter(struct __test_metadata *_metadata, struct stage *s,
				const struct freezer *f)
{
	pid_t pid;

	ASSERT_TRUE(freezer_ready(f, s)) TH_LOG("%s: errno %d", f->dir, errno);
	pid = waiter(s);
	ASSERT_EQ(0, write_text(f->file, f->freeze));
	ASSERT_TRUE(UNTIL(is_frozen(f)));
	ASSERT_EQ(AT_READY, s->at);
	ASSERT_EQ(0, write_text(f->file, f->thaw));
	check_entered_after_all(_metadata, s, pid);
	EXPECT_TRUE(freezer_gone(f));
}

TEST_F_TIMEOUT(one, p4_6_frozen_by_cgroup_v2_while_waiting_to_enter, CASE_TIMEOUT)
{
	self->s->flags = STRICT;
	check_frozen_waiter(_metadata, self->s, &v2);
}

TEST_F_TIMEOUT(one, p4_6_frozen_by_cgroup_v1_while_waiting_to_enter, CASE_TIMEOUT)
{
	self->s->flags = STRICT;
	check_frozen_waiter(_metadata, self->s, &v1);
}

/* ---- 3.5 task work ------------------------------------------------------------------ */

static void check_task_work(struct __test_metadata *_metadata, struct stage *s, enum mode mode,
			    const char *kind)
{
	pid_t pid = actor(s, CPU_A, act_take_delivery);
	long before = disturbances_run();

	ASSERT_TRUE(UNTIL(s->at >= AT_COUNTED)) TH_LOG("at %d", s->at);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	ASSERT_LE(0, before);
	ASSERT_EQ(0, disturb(kind, pid));
	ASSERT_TRUE(UNTIL(disturbances_run() == before + 1)) TH_LOG("the work did not run");
	check_delivered(_metadata, s, pid, mode, TASK_ISOLATION_CAUSE_WORK, "work run_task_work",
			true);
	EXPECT_EQ(before + 1, disturbances_run());
}

TEST_F_TIMEOUT(deliver, p3_5_task_work_that_resumes, CASE_TIMEOUT)
{
	check_task_work(_metadata, self->s, variant->mode, "task-resume");
}

TEST_F_TIMEOUT(deliver, p3_5_task_work_that_signals, CASE_TIMEOUT)
{
	check_task_work(_metadata, self->s, variant->mode, "task-signal");
}

static void act_close_files(struct stage *s)
{
	int fd[10];

	for (int i = 0; i < 10; i++)
		fd[i] = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	/* the last close of a file is done by task work on the way out */
	for (int i = 0; i < 10; i++)
		s->value[3] += !syscall(SYS_close, fd[i]);
	read_info(&s->info);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(one, p3_5_task_work_of_its_own_call_counts_as_own, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_close_files))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(10, self->s->value[3]);
	EXPECT_EQ(10 + self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(self->s->before.foreign, self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
}
/* ---- 3.5 a live patch ------------------------------------------------------------------ */

#define LIVEPATCH	"task_isolation_livepatch"
#define DIR_LIVEPATCH	"/sys/kernel/livepatch/" LIVEPATCH

/* 15 s pass until the kernel urges those who have not passed through it by themselves. */
#define TRANSITION_MS	60000

static bool in_transition(void)
{
	char text[8];

	return read_text(DIR_LIVEPATCH "/transition", text, sizeof(text)) != 1 || text[0] != '0';
}

static bool patched(void)
{
	char text[256];

	return read_text("/proc/version", text, sizeof(text)) > 0 && !strcmp(text, LIVEPATCH);
}

static int load_livepatch(void)
{
	int fd = open(LIVEPATCH ".ko", O_RDONLY | O_CLOEXEC);
	int error = fd < 0 || syscall(SYS_finit_module, fd, "", 0) ? errno : 0;

	if (fd >= 0)
		close(fd);
	return error;
}

/*
 * Loading a module is interference by itself. So the patch is loaded while nobody
 * is isolated, and what isolated tasks meet is its withdrawal: the same transition
 * the other way, up to where all tasks have passed it. What comes then, when the
 * functions are taken out, is interference again: of the persistent task only the
 * least count is known.
 */
TEST_F_TIMEOUT(one, p3_5_a_live_patch, 120)
{
	struct stage *second = stage_new();
	int log = log_open(), error;
	pid_t pid, other;
	char line[1024];

	error = load_livepatch();
	ASSERT_EQ(0, error) TH_LOG(LIVEPATCH ".ko beside this program: %s", strerror(error));
	ASSERT_TRUE(UNTIL_MS(TRANSITION_MS, !in_transition()));
	ASSERT_TRUE(patched());
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_take_delivery);
	second->flags = PERSISTENT;
	other = actor(second, CPU_B, act_take_delivery);
	AWAIT_ISOLATED(AT_COUNTED);
	ASSERT_TRUE(UNTIL(second->at == AT_COUNTED && isolated(second, other)));
	write_number(FILE_DEBUG, 1);
	ASSERT_EQ(0, write_text(DIR_LIVEPATCH "/enabled", "0"));
	EXPECT_TRUE(UNTIL_MS(TRANSITION_MS, access(DIR_LIVEPATCH, F_OK)))
		TH_LOG("the transition hangs, on CPU %d or %d", CPU_A, CPU_B);
	EXPECT_FALSE(patched());
	EXPECT_LE(0, log_find(log, 5000, "task_isolation interrupted by work ", line,
			      sizeof(line)));
	write_number(FILE_DEBUG, 0);
	EXPECT_GE(cpu_number(CPU_B, "foreign") - (long)second->before.foreign, 1);
	EXPECT_TRUE(UNTIL(isolated(second, other))) TH_LOG("state %s", cpu_text(CPU_B, "state"));
	check_delivered(_metadata, self->s, pid, MODE_STRICT, TASK_ISOLATION_CAUSE_WORK, "work ",
			true);
	check_second_stay(_metadata, second, other);
	EXPECT_EQ(PERSISTENT, second->flags_after);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, second->info.state);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, second->info.loss_cause);
	EXPECT_TRUE(UNTIL(!syscall(SYS_delete_module, LIVEPATCH, O_NONBLOCK)))
		TH_LOG("errno %d", errno);
	close(log);
}

TEST_HARNESS_MAIN
