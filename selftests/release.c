// SPDX-License-Identifier: GPL-2.0
/* Release: every task leaves, wherever it is, and the door is closed. */
#include "isolation.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include "kselftest_harness.h"

#define CGROUP "/sys/fs/cgroup/release"

/* Also before a test: one that fails at an assertion may leave all this behind. */
static void clean_up(void)
{
	write_text(FILE_TIMER_MIGRATION, "1");
	restore_switches();
	if (access(CGROUP, F_OK))
		return;
	write_text(CGROUP "/cgroup.freeze", "0");
	write_text(CGROUP "/cgroup.kill", "1");
	(void)UNTIL(!rmdir(CGROUP));
}

FIXTURE(modes) { struct stage *s; };
FOUR_MODES(modes);
FIXTURE_SETUP(modes)
{
	clean_up();
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->flags = variant->flags;
}
FIXTURE_TEARDOWN(modes)
{
	clean_up();
}

FIXTURE(release) { struct stage *s; };
FIXTURE_SETUP(release)
{
	clean_up();
	ASSERT_TRUE(settle());
	self->s = stage_new();
}
FIXTURE_TEARDOWN(release)
{
	clean_up();
}

/* The write returned: at that very moment nobody owns a CPU. */
#define RELEASE_ALL() do {						\
	EXPECT_EQ(0, write_text(FILE_RELEASE, "1"));			\
	EXPECT_EQ(0, owner_of(CPU_A));					\
	EXPECT_EQ(0, owner_of(CPU_B));					\
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));			\
	EXPECT_FALSE(cpu_state_is(CPU_B, "isolated"));			\
} while (0)

static const char *release_now(void)
{
	static char text[64];

	read_text(FILE_RELEASE, text, sizeof(text));
	return text;
}

/* The letter of /proc/PID/stat: R, S, D, T, t, Z. */
static char letter_of(pid_t pid)
{
	char path[64], text[512], *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_text(path, text, sizeof(text)) <= 0)
		return 0;
	at = strrchr(text, ')');
	return at ? at[2] : 0;
}

/* How often the task has gone to sleep: one more when somebody woke it. */
static long sleeps_of(pid_t pid)
{
	char path[64], text[8192], *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	read_text(path, text, sizeof(text));
	at = strstr(text, "\nvoluntary_ctxt_switches:");
	return at ? atol(at + strlen("\nvoluntary_ctxt_switches:")) : -1;
}

/* ---- owners that run ------------------------------------------------------- */

static void act_spin(struct stage *s)
{
	struct sched_param param = { .sched_priority = s->value[7] };

	if (s->value[7] && sched_setscheduler(0, SCHED_FIFO, &param))
		_exit(113);
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	/* the door is closed for this one too, and a refusal does no harm */
	s->value[0] = enter(s->flags) ? errno : 0;
	s->value[1] = flags_now();
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

static void release_runner(struct __test_metadata *_metadata, struct stage *s, enum mode mode)
{
	pid_t pid = actor(s, CPU_A, act_spin);

	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	RELEASE_ALL();
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, cpu_number(CPU_A, "own"));
	EXPECT_TRUE(alive(s)) TH_LOG("released and gone");
	if (mode == MODE_SIGNAL) {
		EXPECT_TRUE(UNTIL(s->hits == 1)) TH_LOG("no signal after it");
		EXPECT_EQ(0, s->flags_in_handler);
		EXPECT_EQ(CHOSEN, s->seen.si_signo);
		EXPECT_EQ(TASK_ISOLATION_LOSS, s->seen.si_code);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, s->seen.si_errno);
	}
	s->may = 1;
	ASSERT_TRUE(UNTIL(s->at > AT_ENTERED));
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(EPERM, s->value[0]);
	EXPECT_EQ(0, s->value[1]);
	EXPECT_NE(TASK_ISOLATION_ISOLATED, s->info.state);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, s->info.loss_cause);
	EXPECT_EQ(1, s->info.foreign);
	EXPECT_EQ(0, s->info.own);
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(mode == MODE_SIGNAL, s->hits) TH_LOG("hits %d", s->hits);
}

TEST_F_TIMEOUT(modes, p6_7_an_owner_that_runs, CASE_TIMEOUT)
{
	release_runner(_metadata, self->s, variant->mode);
}

TEST_F_TIMEOUT(modes, p6_7_an_owner_that_runs_as_fifo_99, CASE_TIMEOUT)
{
	self->s->value[7] = 99;
	release_runner(_metadata, self->s, variant->mode);
}

TEST_F_TIMEOUT(release, p3_4_the_default_action_of_the_signal_after_a_release, CASE_TIMEOUT)
{
	pid_t pid;

	/* chosen, but without a handler */
	self->s->flags = WITH_SIGNAL(SIGUSR2);
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	RELEASE_ALL();
	EXPECT_TRUE(killed_by(finish(pid), SIGUSR2));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
}

/* ---- owners that do not run ------------------------------------------------ */

static void act_read(struct stage *s)
{
	char byte = 0;

	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	s->value[0] = read(s->fd[0], &byte, 1);
	s->value[1] = byte;
	s->value[2] = errno;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(release, p6_7_a_sleeping_owner_is_detached_and_its_call_goes_on, CASE_TIMEOUT)
{
	long slept;
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_read);
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED || self->s->error));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(UNTIL(letter_of(pid) == 'S'));
	ASSERT_EQ(pid, owner_of(CPU_A));
	slept = sleeps_of(pid);
	ASSERT_GT(slept, 0);
	RELEASE_ALL();
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	/* nobody woke it, neither by then nor a while later */
	for (long end = now_ms() + 200; now_ms() < end;)
		rest();
	EXPECT_EQ('S', letter_of(pid));
	EXPECT_EQ(slept, sleeps_of(pid)) TH_LOG("its sleep was disturbed");
	EXPECT_EQ(AT_ENTERED + 1, self->s->at);
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->value[0]) TH_LOG("errno %ld", self->s->value[2]);
	EXPECT_EQ('x', self->s->value[1]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
	EXPECT_NE(TASK_ISOLATION_ISOLATED, self->s->info.state);
	/* the call was an own entry, whatever else the second reading costs */
	EXPECT_GE(self->s->info.own - self->s->before.own, 1);
	EXPECT_LE(self->s->info.own - self->s->before.own, 1 + self->s->toll);
	EXPECT_EQ(0, self->s->hits);
}

TEST_F_TIMEOUT(release, p6_7_the_door_opens_before_the_sleeper_wakes, CASE_TIMEOUT)
{
	struct stage *next = stage_new();
	pid_t pid, other;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, CPU_A, act_read);
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED || self->s->error));
	ASSERT_TRUE(UNTIL(letter_of(pid) == 'S'));
	ASSERT_EQ(pid, owner_of(CPU_A));
	RELEASE_ALL();
	ASSERT_EQ(0, write_text(FILE_RELEASE, "0"));
	/* its CPU has another owner by the time it wakes: they do not mix */
	next->flags = PERSISTENT;
	other = actor(next, CPU_A, act_spin);
	ASSERT_TRUE(UNTIL(next->at >= AT_ENTERED));
	ASSERT_EQ(0, next->error);
	ASSERT_TRUE(UNTIL(isolated(next, other)));
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
	EXPECT_TRUE(UNTIL(isolated(next, other)));
	EXPECT_EQ(other, owner_of(CPU_A));
	next->may = 2;
	EXPECT_TRUE(ended_well(finish(other)));
	EXPECT_EQ((long)PERSISTENT, next->flags_after);
}

TEST_F_TIMEOUT(release, p6_7_a_stopped_owner, CASE_TIMEOUT)
{
	int status = 0;
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_TRUE(UNTIL(waitpid(pid, &status, WNOHANG | WUNTRACED) == pid));
	ASSERT_TRUE(WIFSTOPPED(status));
	/* a persistent task goes on after a stop, so it is owner all the time */
	ASSERT_EQ(pid, owner_of(CPU_A));
	RELEASE_ALL();
	EXPECT_EQ('T', letter_of(pid)) TH_LOG("the release undid the stop");
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_TRUE(alive(self->s));
	EXPECT_EQ(0, owner_of(CPU_A));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
}

static void act_spin_in_cgroup(struct stage *s)
{
	if (write_number(CGROUP "/cgroup.procs", getpid()))
		_exit(114);
	act_spin(s);
}

static bool frozen_is(int value)
{
	char text[256], wanted[16];

	snprintf(wanted, sizeof(wanted), "frozen %d", value);
	read_text(CGROUP "/cgroup.events", text, sizeof(text));
	return strstr(text, wanted);
}

TEST_F_TIMEOUT(release, p6_7_a_frozen_owner, CASE_TIMEOUT)
{
	pid_t pid;

	ASSERT_EQ(0, mkdir(CGROUP, 0755));
	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin_in_cgroup);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, write_text(CGROUP "/cgroup.freeze", "1"));
	ASSERT_TRUE(UNTIL(frozen_is(1)));
	ASSERT_EQ(pid, owner_of(CPU_A));
	RELEASE_ALL();
	EXPECT_TRUE(frozen_is(1)) TH_LOG("the release thawed it");
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	ASSERT_EQ(0, write_text(CGROUP "/cgroup.freeze", "0"));
	EXPECT_TRUE(alive(self->s));
	EXPECT_EQ(0, owner_of(CPU_A));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
}

TEST_F_TIMEOUT(release, p6_7_a_traced_task_is_no_owner, CASE_TIMEOUT)
{
	int status = 0;
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_TRUE(UNTIL(waitpid(pid, &status, WNOHANG) == pid));
	ASSERT_TRUE(WIFSTOPPED(status));
	EXPECT_EQ(0, owner_of(CPU_A));
	RELEASE_ALL();
	EXPECT_EQ('t', letter_of(pid));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "ptrace"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	EXPECT_TRUE(alive(self->s));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_PTRACE, self->s->info.loss_cause);
}

static void *serve_page(void *arg)
{
	struct stage *s = arg;
	struct uffdio_zeropage zero = {
		.range = { .start = (unsigned long)s->page, .len = 4096 },
	};

	bind_to(HOUSE + 1);
	s->helper = 1;
	while (!s->order)
		rest();
	s->value[3] = ioctl(s->fd[0], UFFDIO_ZEROPAGE, &zero) ? errno : 0;
	s->helper = 2;
	return NULL;
}

/* A page that is there only when the test gives the order. */
static void lay_trap(struct stage *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->fd[0] = syscall(SYS_userfaultfd, O_CLOEXEC);
	range.range.start = (unsigned long)s->page;
	range.range.len = 4096;
	if (s->fd[0] < 0 || ioctl(s->fd[0], UFFDIO_API, &api) ||
	    ioctl(s->fd[0], UFFDIO_REGISTER, &range))
		_exit(115);
	start_thread(serve_page, s);
	while (!s->helper)
		rest();
	/* the new stack, not the page */
	prefault();
}

static void act_ask_into_trap(struct stage *s)
{
	lay_trap(s);
	if (enter_on_stage(s, s->flags))
		return;
	s->at = AT_ENTERED + 1;
	s->value[0] = read_info((struct task_isolation_info *)s->page) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void act_fall_into_trap(struct stage *s)
{
	lay_trap(s);
	if (enter_on_stage(s, s->flags))
		return;
	s->at = AT_ENTERED + 1;
	s->value[0] = *(volatile char *)s->page;
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void release_trapped(struct __test_metadata *_metadata, struct stage *s, act_fn act)
{
	pid_t pid = actor(s, CPU_A, act);
	int status;

	ASSERT_TRUE(UNTIL(s->at > AT_ENTERED || s->error));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(letter_of(pid) == 'S' || letter_of(pid) == 'D'));
	ASSERT_EQ(pid, owner_of(CPU_A));
	RELEASE_ALL();
	EXPECT_EQ(AT_ENTERED + 1, s->at) TH_LOG("the wait for the page was disturbed");
	s->order = 1;
	status = finish(pid);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, s->value[0]);
	EXPECT_EQ(0, s->value[3]) TH_LOG("page not served: errno %ld", s->value[3]);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, s->info.loss_cause);
}

TEST_F_TIMEOUT(release, p6_7_an_owner_that_waits_for_a_page_in_the_info_call, CASE_TIMEOUT)
{
	self->s->flags = PERSISTENT;
	release_trapped(_metadata, self->s, act_ask_into_trap);
}

/* The info call is exempt: a strict task is still isolated when it hangs in it. */
TEST_F_TIMEOUT(release, p6_7_a_strict_owner_that_waits_for_a_page_in_the_info_call, CASE_TIMEOUT)
{
	self->s->flags = STRICT;
	release_trapped(_metadata, self->s, act_ask_into_trap);
}

TEST_F_TIMEOUT(release, p6_7_an_owner_that_waits_for_a_page_in_a_fault, CASE_TIMEOUT)
{
	self->s->flags = PERSISTENT;
	release_trapped(_metadata, self->s, act_fall_into_trap);
}

static void act_vfork(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = vfork();
	if (!s->value[0]) {
		s->at = AT_ENTERED + 1;
		while (s->may < 1)
			rest();
		_exit(0);
	}
	s->flags_after = flags_now();
	read_info(&s->info);
	waitpid(s->value[0], NULL, 0);
}

TEST_F_TIMEOUT(release, p6_7_an_owner_that_waits_for_its_vfork_child, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_vfork);

	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED || self->s->error));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(UNTIL(letter_of(pid) == 'D'));
	ASSERT_EQ(pid, owner_of(CPU_A));
	RELEASE_ALL();
	EXPECT_EQ('D', letter_of(pid));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_GT(self->s->value[0], 0);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
}

/* ---- tasks on their way in -------------------------------------------------- */

static void act_wait_for_timer(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	arm_local_timer(15000);
	enter_on_stage(s, s->flags);
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void act_wait_for_company(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	enter_on_stage(s, s->flags);
	s->flags_after = flags_now();
	read_info(&s->info);
}

#define EXPECT_DOOR_CLOSED_ON_IT() do {					\
	EXPECT_TRUE(UNTIL(self->s->at >= AT_ENTERED)) TH_LOG("still waits"); \
	EXPECT_TRUE(ended_well(finish(pid)));				\
	EXPECT_EQ(EPERM, self->s->error);				\
	EXPECT_EQ(0, self->s->flags_after);				\
	EXPECT_EQ(0, self->s->hits) TH_LOG("it never was isolated");	\
	EXPECT_EQ(EPERM, self->s->info.refusal_errno);			\
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "release"))	\
		TH_LOG("'%s'", self->s->info.refusal);			\
} while (0)

TEST_F_TIMEOUT(modes, p6_7_who_waits_for_a_timer_while_entering_is_refused, CASE_TIMEOUT)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 60000);
	pid = actor(self->s, CPU_A, act_wait_for_timer);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY && cpu_state_is(CPU_A, "entering")));
	RELEASE_ALL();
	write_text(FILE_TIMER_MIGRATION, "1");
	EXPECT_DOOR_CLOSED_ON_IT();
}

TEST_F_TIMEOUT(modes, p6_7_who_waits_for_company_to_go_is_refused, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t other = actor(second, CPU_A, act_intruder);
	pid_t pid;

	ASSERT_TRUE(UNTIL(second->turns > 1));
	write_number(FILE_TIMEOUT, 60000);
	pid = actor(self->s, CPU_A, act_wait_for_company);
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY && cpu_state_is(CPU_A, "entering")));
	RELEASE_ALL();
	EXPECT_DOOR_CLOSED_ON_IT();
	second->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
}

/* ---- several at once --------------------------------------------------------- */

TEST_F_TIMEOUT(release, p6_7_two_owners_one_runs_and_one_sleeps, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid, other;

	ASSERT_EQ(0, pipe(second->fd));
	other = actor(second, CPU_B, act_read);
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(UNTIL(second->at > AT_ENTERED && letter_of(other) == 'S'));
	ASSERT_EQ(other, owner_of(CPU_B));
	RELEASE_ALL();
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"));
	EXPECT_TRUE(last_loss_is(CPU_B, other, "release"));
	EXPECT_TRUE(alive(self->s));
	ASSERT_EQ(1, write(second->fd[1], "x", 1));
	EXPECT_TRUE(ended_well(finish(other)));
	EXPECT_EQ(1, second->value[0]);
	EXPECT_EQ(0, second->flags_after);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_after);
}

static void act_release_itself(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = write_text(FILE_RELEASE, "1");
	s->flags_after = flags_now();
	read_info(&s->info);
	/* nobody's call any more */
	s->value[1] = syscall(SYS_getppid);
}

TEST_F_TIMEOUT(release, p6_7_by_an_owner_itself, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_release_itself);

	EXPECT_TRUE(ended_well(finish(pid)));
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(getpid(), self->s->value[1]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_RELEASE, self->s->info.loss_cause);
	EXPECT_EQ(0, self->s->info.foreign);
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "release"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(0, owner_of(CPU_A));
}

/* One that enters and leaves all the time, in all modes. */
static void act_come_and_go(struct stage *s)
{
	static const unsigned long flags[] = { STRICT, PERSISTENT, ONE_SHOT, WITH_SIGNAL(CHOSEN) };

	handle(CHOSEN, on_chosen, 0);
	for (int i = 0; s->may < 1; i++) {
		int error = enter(flags[i % 4]) ? errno : 0;

		s->turns++;
		/* refused or not: without it the emulator gives its time to this loop */
		for (int turn = 0; turn < 20; turn++)
			relax();
		if (!error) {
			s->entered++;
		} else if (error != EPERM && error != EAGAIN && error != EINTR) {
			s->value[0] = error;
		}
		leave();
		if (error && flags_now())
			s->value[1]++;
	}
}

TEST_F_TIMEOUT(release, p6_7_a_hundred_times_while_tasks_come_and_go, 120)
{
	struct stage *both[2] = { self->s, stage_new() };
	pid_t pid[2] = { actor(both[0], CPU_A, act_come_and_go),
			 actor(both[1], CPU_B, act_come_and_go) };

	for (int i = 0; i < 100; i++) {
		int before[2] = { both[0]->entered, both[1]->entered };

		/* the door is open: both enter, so each round has somebody to release */
		ASSERT_TRUE(UNTIL(both[0]->entered > before[0] && both[1]->entered > before[1]))
			TH_LOG("round %d", i);
		ASSERT_EQ(0, write_text(FILE_RELEASE, "1")) TH_LOG("round %d", i);
		for (int look = 0; look < 3; look++) {
			ASSERT_EQ(0, owner_of(CPU_A)) TH_LOG("round %d", i);
			ASSERT_EQ(0, owner_of(CPU_B)) TH_LOG("round %d", i);
			rest();
		}
		ASSERT_EQ(0, write_text(FILE_RELEASE, "0"));
	}
	for (int i = 0; i < 2; i++) {
		both[i]->may = 1;
		EXPECT_TRUE(ended_well(finish(pid[i])));
		EXPECT_EQ(0, both[i]->value[0]) TH_LOG("errno %ld", both[i]->value[0]);
		EXPECT_EQ(0, both[i]->value[1]) TH_LOG("refused and isolated");
	}
}

/* ---- the file ------------------------------------------------------------------ */

static void act_quick(struct stage *s)
{
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
	s->value[0] = leave() ? errno : 0;
}

TEST_F_TIMEOUT(release, p6_7_closed_and_open, CASE_TIMEOUT)
{
	EXPECT_STREQ("0", release_now());
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	EXPECT_STREQ("1", release_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_quick))));
	EXPECT_EQ(EPERM, self->s->error);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("leaving always succeeds");
	EXPECT_NE(NULL, strstr(self->s->info.refusal, FILE_RELEASE)) TH_LOG("'%s'", self->s->info.refusal);
	ASSERT_EQ(0, write_text(FILE_RELEASE, "0"));
	EXPECT_STREQ("0", release_now());
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_quick))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
}

static void act_wrong_in_two_ways(struct stage *s)
{
	s->value[0] = enter(STRICT | 1UL << 20) ? errno : 0;
	bind_to(HOUSE + 1);
	s->value[1] = enter(STRICT) ? errno : 0;
}

TEST_F_TIMEOUT(release, p2_7_a_closed_door_stands_after_flags_before_affinity, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_wrong_in_two_ways))));
	EXPECT_EQ(EINVAL, self->s->value[0]);
	EXPECT_EQ(EPERM, self->s->value[1]);
}

TEST_F_TIMEOUT(release, p6_7_writing_what_it_is_already, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(0, write_text(FILE_RELEASE, "0"));
	EXPECT_TRUE(isolated(self->s, pid));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_STREQ("0", release_now());
	EXPECT_EQ(0, write_text(FILE_RELEASE, "1\n"));
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(0, write_text(FILE_RELEASE, "1"));
	EXPECT_STREQ("1", release_now());
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, write_text(FILE_RELEASE, "0"));
	EXPECT_EQ(0, write_text(FILE_RELEASE, "0"));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(release, p6_7_garbage_changes_nothing, CASE_TIMEOUT)
{
	static const char *const bad[] = { "2", "-1", "x", "1x", "1 1", "on", "\n", " " };
	pid_t pid;

	self->s->flags = PERSISTENT;
	pid = actor(self->s, CPU_A, act_spin);
	AWAIT_ISOLATED(AT_ENTERED);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, write_text(FILE_RELEASE, bad[i])) TH_LOG("'%s'", bad[i]);
		EXPECT_STREQ("0", release_now());
	}
	/* cut to 32 bits this would be 1 */
	EXPECT_GT(0, write_text(FILE_RELEASE, "4294967297"));
	EXPECT_STREQ("0", release_now());
	EXPECT_EQ(pid, owner_of(CPU_A));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		EXPECT_EQ(-EINVAL, write_text(FILE_RELEASE, bad[i])) TH_LOG("'%s'", bad[i]);
		EXPECT_STREQ("1", release_now());
	}
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

TEST_F_TIMEOUT(release, p6_7_only_root_writes, CASE_TIMEOUT)
{
	struct stat st;
	int status;
	pid_t pid;

	ASSERT_EQ(0, stat(FILE_RELEASE, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	EXPECT_EQ(0, st.st_uid);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		if (strcmp(release_now(), "0"))
			_exit(2);
		_exit(write_text(FILE_RELEASE, "1") == -EACCES ? 0 : 3);
	}
	waitpid(pid, &status, 0);
	EXPECT_EQ(0, status) TH_LOG("status %#x", status);
	EXPECT_STREQ("0", release_now());
}

TEST_HARNESS_MAIN
