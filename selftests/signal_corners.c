// SPDX-License-Identifier: GPL-2.0
/*
 * Signals at awkward moments: in every phase of entering, the chosen signal
 * under every habit of handling it, and signals that are taken without a frame.
 */
#include "isolation.h"
#include <setjmp.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include "kselftest_harness.h"

#ifndef PTRACE_SETSIGMASK
#define PTRACE_SETSIGMASK	0x420b
#endif

MODES_FIXTURE(corners)

STAGE_FIXTURE(one)

static void mask(int how, int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(how, &set, NULL);
}

/* ---- a signal before, in and after the entering call ------------------------- */

static void act_enter_with_pending(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGUSR2, on_other, 0);
	mask(SIG_BLOCK, SIGUSR2);
	kill(getpid(), SIGUSR2);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	s->value[0] = flags_now();
	s->value[1] = s->others;
	if (s->flags == PERSISTENT) {
		read_info(&s->before);
		/* its own call; the frame comes on its way out */
		mask(SIG_UNBLOCK, SIGUSR2);
		s->flags_after = flags_now();
		read_info(&s->info);
	}
}

TEST_F_TIMEOUT(corners, p3_4_pending_and_blocked_before_the_call, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_with_pending);

	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(0, self->s->hits);
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ(1, self->s->others);
		EXPECT_EQ(0, self->s->flags_in_handler);
		EXPECT_EQ(0, self->s->flags_after);
		EXPECT_EQ(1, self->s->info.own - self->s->before.own);
		EXPECT_EQ(0, self->s->info.foreign);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
		EXPECT_EQ(SIGUSR2, self->s->info.loss_detail);
	}
}

/* Afterwards it has no memory of isolation, and enters without trouble. */
static void look_and_enter(struct stage *s)
{
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED;
	spin_until_may(s, 1);
	s->value[0] = enter(s->flags) ? errno : 0;
	s->value[1] = flags_now();
	leave();
}

static void act_wait_to_enter(struct stage *s)
{
	handle(CHOSEN, on_chosen, s->value[4]);
	handle(SIGUSR2, on_other, s->value[4]);
	if (s->value[6])
		mask(SIG_BLOCK, s->value[6]);
	arm_local_timer(s->value[5]);
	s->at = AT_READY;
	s->error = enter(s->flags) ? errno : 0;
	look_and_enter(s);
}

/* An actor inside the wait, which a timer of its own CPU makes long. */
static pid_t waiter(struct stage *s, long ms)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 30000);
	s->value[5] = ms;
	pid = actor(s, CPU_A, act_wait_to_enter);
	(void)UNTIL(s->at >= AT_READY && cpu_state_is(CPU_A, "entering"));
	write_text(FILE_TIMER_MIGRATION, "1");
	return pid;
}

/* The call failed for a handler, and nothing else happened. */
static void check_interrupted(struct __test_metadata *_metadata, struct stage *s, pid_t pid)
{
	ASSERT_TRUE(UNTIL(s->at == AT_ENTERED));
	EXPECT_EQ(EINTR, s->error);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(TASK_ISOLATION_OFF, s->info.state);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, s->info.loss_cause);
	EXPECT_EQ(EINTR, s->info.refusal_errno);
	EXPECT_EQ(0, s->info.foreign);
	s->may = 1;
}

TEST_F_TIMEOUT(one, p2_7_the_chosen_signal_while_waiting_is_EINTR, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = WITH_SIGNAL(CHOSEN);
	/* also for a handler that wants calls to be restarted; the timer goes on to the end */
	self->s->value[4] = SA_RESTART;
	pid = waiter(self->s, 20000);
	ASSERT_EQ(AT_READY, self->s->at);
	ASSERT_EQ(0, kill(pid, CHOSEN));
	check_interrupted(_metadata, self->s, pid);
	ASSERT_EQ(1, self->s->hits);
	EXPECT_EQ(SI_USER, self->s->seen.si_code);
	EXPECT_EQ(0, self->s->flags_in_handler);
	kill(pid, SIGKILL);
	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
}

TEST_F_TIMEOUT(one, p2_7_signals_nobody_handles_do_not_end_the_wait, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = STRICT;
	self->s->value[6] = SIGUSR2;
	pid = waiter(self->s, 2000);
	ASSERT_EQ(0, kill(pid, SIGUSR2));	/* blocked */
	ASSERT_EQ(0, kill(pid, SIGWINCH));	/* by default ignored */
	ASSERT_EQ(0, kill(pid, SIGCONT));
	ASSERT_EQ(AT_READY, self->s->at);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(UNTIL(isolated(self->s, pid)));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(STRICT, self->s->flags_after);
	EXPECT_EQ(STRICT, self->s->value[1]);
	EXPECT_EQ(0, self->s->info.foreign);
	EXPECT_EQ(0, self->s->others);
}

static void act_be_interrupted_last(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGUSR2, on_other, 0);
	s->at = AT_READY;
	spin_until_may(s, 1);
	s->may = 0;
	s->error = enter(s->flags) ? errno : 0;
	look_and_enter(s);
}

/* The call itself has succeeded; the signal comes before user space is reached. */
TEST_F_TIMEOUT(corners, p2_7_a_signal_on_the_way_out_is_EINTR, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interrupted_last);

	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	ASSERT_EQ(0, disturb("signal-after-call", CPU_A));
	self->s->may = 1;
	check_interrupted(_metadata, self->s, pid);
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->others);
	EXPECT_EQ(0, self->s->flags_in_handler);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ((long)variant->flags, self->s->value[1]);
}

#define ROUNDS 100

/* What a signal may find, at whatever moment it comes: all other outcomes are counted. */
static void act_enter_under_fire(struct stage *s)
{
	struct task_isolation_info info;

	handle(CHOSEN, on_chosen, SA_NODEFER);
	handle(SIGUSR2, on_other, 0);
	s->at = AT_READY;
	for (int i = 0; i < ROUNDS; i++) {
		int others = s->others;

		s->turns++;
		if (enter(s->flags)) {
			s->value[0] += errno != EINTR || s->others == others;
			s->value[1]++;
		} else {
			/* till one comes, or when one came in between */
			while (s->others == others)
				relax();
			s->value[2] += flags_now() != 0;
			read_info(&info);
			s->value[3] += info.loss_cause != TASK_ISOLATION_CAUSE_SIGNAL ||
				       info.foreign > 1 || info.own;
			s->entered++;
		}
		s->value[4] += s->flags_in_handler != 0;
	}
	s->at = AT_ENTERED;
	spin_until_may(s, 1);
	s->error = enter(s->flags) ? errno : 0;
	s->flags_after = flags_now();
	leave();
}

TEST_F_TIMEOUT(corners, p3_4_signals_at_any_moment_of_entering, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_enter_under_fire);
	bool sent = true;

	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));
	/* every fourth meets an isolated task, the others whatever they find after some pause */
	for (unsigned int n = 0; self->s->at < AT_ENTERED && sent; n++) {
		int others = self->s->others;

		sent = !kill(pid, SIGUSR2);
		(void)UNTIL(self->s->others > others || self->s->at == AT_ENTERED);
		if (n % 4 == 3)
			(void)UNTIL(cpu_state_is(CPU_A, "isolated") || self->s->at == AT_ENTERED);
		for (unsigned int i = 0; i < n * 37 % 101; i++)
			relax();
	}
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED)) TH_LOG("round %lu", self->s->turns);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(ROUNDS, self->s->entered + self->s->value[1]);
	EXPECT_GE(self->s->entered, ROUNDS / 10);
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("refused for another reason, or without handler");
	EXPECT_EQ(0, self->s->value[2]) TH_LOG("isolated after a signal");
	EXPECT_EQ(0, self->s->value[3]) TH_LOG("wrong counts or cause");
	EXPECT_EQ(0, self->s->value[4]) TH_LOG("isolated in the handler");
	/* the chosen signal once for each stay that a signal ended */
	EXPECT_EQ(variant->mode == MODE_SIGNAL ? self->s->entered : 0, self->s->hits);
}

/* ---- signals that make no frame -------------------------------------------------- */

static void act_be_left_alone(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(corners, p3_4_ignored_by_default_reaches_nobody, CASE_TIMEOUT)
{
	static const int sigs[] = { SIGCHLD, SIGURG, SIGWINCH, SIGCONT };
	pid_t pid = actor(self->s, CPU_A, act_be_left_alone);

	AWAIT_ISOLATED(AT_ENTERED);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, kill(pid, sigs[i]));
		EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("signal %d", sigs[i]);
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->info.foreign);
	EXPECT_EQ(0, self->s->hits);
}

static void *waiting_thread(void *arg)
{
	struct stage *s = arg;
	siginfo_t info;
	sigset_t set;

	bind_to(HOUSE);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	s->value[7] = syscall(SYS_gettid);
	s->helper = 1;
	s->value[1] = sigwaitinfo(&set, &info);
	s->value[2] = info.si_code;
	s->helper = 2;
	while (s->may < 1)
		rest();
	return NULL;
}

static void act_beside_a_waiting_thread(struct stage *s)
{
	mask(SIG_BLOCK, SIGUSR2);	/* in both threads */
	start_thread(waiting_thread, s);
	while (!s->helper)
		rest();
	be_resident(s);
	act_be_left_alone(s);
}

static bool sleeps(pid_t pid, pid_t tid)
{
	char path[64], text[1024];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	return read_text(path, text, sizeof(text)) > 0 && (at = strrchr(text, ')')) && at[2] == 'S';
}

TEST_F_TIMEOUT(corners, p3_4_a_sibling_that_waits_takes_it, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_beside_a_waiting_thread);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(UNTIL(sleeps(pid, self->s->value[7])));
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	ASSERT_TRUE(UNTIL(self->s->helper == 2));
	EXPECT_EQ(SIGUSR2, self->s->value[1]);
	EXPECT_EQ(SI_USER, self->s->value[2]);
	EXPECT_TRUE(isolated(self->s, pid));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->info.foreign);
}

static void act_take_without_a_frame(struct stage *s)
{
	struct signalfd_siginfo from_file;
	siginfo_t info;
	sigset_t set;
	int fd;

	mask(SIG_BLOCK, SIGUSR2);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	memset(&from_file, 0, sizeof(from_file));
	memset(&info, 0, sizeof(info));
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	s->value[0] = syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8);
	s->value[1] = info.si_pid;
	s->at = AT_ENTERED + 2;
	s->value[2] = syscall(SYS_read, fd, &from_file, sizeof(from_file));
	s->value[3] = from_file.ssi_pid;
	s->at = AT_ENTERED + 3;
	spin_until_may(s, 1);
	read_info(&s->info);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(one, p3_4_a_signal_taken_by_a_call_is_no_delivery, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_take_without_a_frame);

	for (int step = AT_ENTERED + 1; step <= AT_ENTERED + 2; step++) {
		ASSERT_TRUE(UNTIL(self->s->at == step && sleeps(pid, pid))) TH_LOG("step %d", step);
		ASSERT_EQ(0, kill(pid, SIGUSR2));
	}
	AWAIT_ISOLATED(AT_ENTERED + 3);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(SIGUSR2, self->s->value[0]);
	EXPECT_EQ(getpid(), self->s->value[1]);
	EXPECT_EQ((long)sizeof(struct signalfd_siginfo), self->s->value[2]);
	EXPECT_EQ(getpid(), self->s->value[3]);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_EQ(2 + self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(0, self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
}

/* ---- the chosen signal, sent by somebody else --------------------------------------- */

static void act_loop_for_chosen(struct stage *s)
{
	handle(s->value[6], on_chosen, s->value[4]);
	if (enter_on_stage(s, WITH_SIGNAL(s->value[6])))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

/* The loss comes inside the handler: without SA_NODEFER it takes the default action. */
TEST_F_TIMEOUT(one, p3_8_the_chosen_signal_from_outside_defers_its_own_loss, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->value[6] = CHOSEN;
	pid = actor(self->s, CPU_A, act_loop_for_chosen);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, CHOSEN));
	EXPECT_TRUE(killed_by(finish(pid), CHOSEN));
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "signal 10"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
}

static void on_either(int sig, siginfo_t *si, void *context)
{
	struct stage *s = on_stage;

	s->value[si->si_code == TASK_ISOLATION_LOSS ? 0 : 1]++;
	s->value[2] += si->si_code == TASK_ISOLATION_LOSS ?
		       si->si_errno != TASK_ISOLATION_CAUSE_SIGNAL : si->si_code != SI_USER;
	s->value[3] += flags_now() != 0;
}

static void act_chosen_again_and_again(struct stage *s)
{
	handle(CHOSEN, on_either, SA_NODEFER);
	for (int i = 1; i <= 50; i++) {
		if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
			return;
		while (s->value[0] < i || s->value[1] < i) {
			s->turns++;
			relax();
		}
	}
}

TEST_F_TIMEOUT(one, p3_11_the_chosen_signal_from_outside_comes_beside_its_own, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_chosen_again_and_again);

	for (int i = 1; i <= 50; i++) {
		ASSERT_TRUE(UNTIL(self->s->entered == i && cpu_state_is(CPU_A, "isolated")))
			TH_LOG("stay %d, error %d", i, self->s->error);
		ASSERT_EQ(0, kill(pid, CHOSEN));
	}
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(50, self->s->value[0]);
	EXPECT_EQ(50, self->s->value[1]);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(0, self->s->value[3]);
}

static void act_lose_with_pending(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	mask(SIG_BLOCK, CHOSEN);
	kill(getpid(), CHOSEN);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	s->value[0] = flags_now();
	syscall(SYS_getppid);
	s->value[1] = 1;
}

/* Pending already, and blocked: it must not be lost in the one that waits. */
TEST_F_TIMEOUT(one, p3_11_forced_although_one_is_pending, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_with_pending);
	int status = finish(pid);

	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ((long)WITH_SIGNAL(CHOSEN), self->s->value[0]);
	EXPECT_TRUE(killed_by(status, CHOSEN)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall"));
}

/* ---- habits of handlers --------------------------------------------------------------- */

static void act_restart(struct stage *s)
{
	char byte = 0;

	handle(CHOSEN, on_chosen, s->value[4]);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	s->value[0] = syscall(SYS_read, s->fd[0], &byte, 1);
	s->value[1] = byte;
	s->flags_after = flags_now();
}

/* The call was never begun: it starts after the handler whatever that asked for. */
TEST_F_TIMEOUT(one, p3_1_a_refused_call_restarts_with_and_without_SA_RESTART, CASE_TIMEOUT)
{
	for (int flags = 0; ; flags = SA_RESTART) {
		self->s = stage_new();
		ASSERT_EQ(0, pipe2(self->s->fd, O_CLOEXEC));
		ASSERT_EQ(2, write(self->s->fd[1], "xy", 2));
		self->s->value[4] = flags;
		EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_restart))));
		EXPECT_EQ(1, self->s->hits);
		EXPECT_EQ(1, self->s->value[0]);
		EXPECT_EQ('x', self->s->value[1]);
		EXPECT_EQ(0, self->s->flags_after);
		close(self->s->fd[0]);
		close(self->s->fd[1]);
		if (flags)
			break;
	}
}

static void act_read_until_signalled(struct stage *s)
{
	char byte = 0;

	handle(SIGUSR2, on_other, s->value[4]);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	s->value[0] = syscall(SYS_read, s->fd[0], &byte, 1);
	s->value[1] = s->value[0] < 0 ? errno : 0;
	read_info(&s->info);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(one, p3_4_a_signal_in_a_call_obeys_SA_RESTART, CASE_TIMEOUT)
{
	for (int flags = 0; ; flags = SA_RESTART) {
		pid_t pid;

		self->s = stage_new();
		ASSERT_EQ(0, pipe2(self->s->fd, O_CLOEXEC));
		self->s->value[4] = flags;
		pid = actor(self->s, CPU_A, act_read_until_signalled);
		ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED + 1 && sleeps(pid, pid)));
		ASSERT_EQ(0, kill(pid, SIGUSR2));
		ASSERT_TRUE(UNTIL(self->s->others == 1));
		ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
		EXPECT_TRUE(ended_well(finish(pid)));
		EXPECT_EQ(flags ? 1 : -1, self->s->value[0]);
		EXPECT_EQ(flags ? 0 : EINTR, self->s->value[1]);
		EXPECT_EQ(0, self->s->flags_after);
		/* off since the frame: the restarted call is nobody's */
		EXPECT_EQ(1, self->s->info.own - self->s->before.own);
		EXPECT_EQ(self->s->before.foreign, self->s->info.foreign);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
		close(self->s->fd[0]);
		close(self->s->fd[1]);
		if (flags)
			break;
	}
}

static sigjmp_buf back;

static void on_chosen_jump(int sig, siginfo_t *si, void *context)
{
	on_chosen(sig, si, context);
	siglongjmp(back, 1);
}

static void act_jump_out(struct stage *s)
{
	handle(CHOSEN, on_chosen_jump, 0);
	while (s->hits < 20) {
		if (sigsetjmp(back, s->value[4]))
			continue;
		if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
			return;
		syscall(SYS_getppid);
		s->value[0]++;
	}
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(one, p3_8_a_handler_that_jumps_out_may_enter_again, CASE_TIMEOUT)
{
	self->s->value[4] = 1;
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_jump_out))));
	EXPECT_EQ(20, self->s->hits);
	EXPECT_EQ(20, self->s->entered);
	EXPECT_EQ(0, self->s->value[0]) TH_LOG("a refused call was executed");
	EXPECT_EQ(0, self->s->flags_after);
	/* without the mask restored it stays blocked, as inside the handler */
	self->s = stage_new();
	EXPECT_TRUE(killed_by(finish(actor(self->s, CPU_A, act_jump_out)), CHOSEN));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(2, self->s->entered);
}

static char other_stack[64 * 1024] __attribute__((aligned(64)));

static void on_chosen_elsewhere(int sig, siginfo_t *si, void *context)
{
	char here;

	on_chosen(sig, si, context);
	on_stage->value[0] += &here >= other_stack && &here < other_stack + sizeof(other_stack);
}

static void act_other_stack(struct stage *s)
{
	stack_t stack = { .ss_sp = other_stack, .ss_size = sizeof(other_stack) };

	sigaltstack(&stack, NULL);
	handle(CHOSEN, on_chosen_elsewhere, SA_ONSTACK);
	handle(SIGUSR2, on_other, SA_ONSTACK);
	start_helper(s);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	syscall(SYS_getppid);
	s->value[1] = enter(WITH_SIGNAL(CHOSEN)) ? errno : 0;
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(one, p3_11_on_an_alternate_stack, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_other_stack);

	/* once by its own call, then by a frame that others caused: both are on that stack */
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(1, self->s->hits);
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	ASSERT_TRUE(UNTIL(self->s->others == 1 && self->s->hits == 2));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ(2, self->s->value[0]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->seen.si_errno);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
	EXPECT_EQ(1, self->s->info.foreign);
}

static void act_lose_twice(struct stage *s)
{
	handle(CHOSEN, on_chosen, SA_RESETHAND);
	for (int i = 0; i < 2; i++) {
		if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
			return;
		syscall(SYS_getppid);
		s->value[0]++;
	}
}

TEST_F_TIMEOUT(one, p3_11_a_handler_for_once, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_lose_twice);
	char cause[32];

	EXPECT_TRUE(killed_by(finish(pid), CHOSEN));
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(2, self->s->entered);
	EXPECT_EQ(1, self->s->value[0]);
	snprintf(cause, sizeof(cause), "syscall %d", SYS_getppid);
	EXPECT_TRUE(last_loss_is(CPU_A, pid, cause))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
}

static void on_chosen_leave(int sig, siginfo_t *si, void *context)
{
	on_chosen(sig, si, context);
	on_stage->value[0] = leave();
}

static void on_chosen_enter_and_leave(int sig, siginfo_t *si, void *context)
{
	on_chosen(sig, si, context);
	on_stage->value[1] = enter(WITH_SIGNAL(CHOSEN));
	on_stage->value[2] = flags_now();
	on_stage->value[3] = leave();
}

static void act_leave_inside(struct stage *s)
{
	handle(CHOSEN, on_chosen_leave, 0);
	s->value[0] = s->value[3] = -2;
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	syscall(SYS_getppid);
	handle(CHOSEN, on_chosen_enter_and_leave, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	/* the handler was isolated for a while and is no more: this one is served */
	s->value[4] = syscall(SYS_getppid);
	s->flags_after = flags_now();
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
}

TEST_F_TIMEOUT(one, p2_1_leaving_inside_the_handler, CASE_TIMEOUT)
{
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_leave_inside))));
	EXPECT_EQ(2, self->s->hits);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
	EXPECT_EQ((long)WITH_SIGNAL(CHOSEN), self->s->value[2]);
	EXPECT_EQ(0, self->s->value[3]);
	EXPECT_EQ(getpid(), self->s->value[4]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(0, owner_of(CPU_A));
}

/* ---- other signals as the chosen one ----------------------------------------------------- */

static void act_lose_by_call_with(struct stage *s)
{
	handle(s->value[6], on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(s->value[6])))
		return;
	s->value[0] = syscall(SYS_getppid);
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_11_signals_of_every_kind, CASE_TIMEOUT)
{
	/* those of faults say the same when they are chosen */
	int sigs[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGIO, SIGHUP,
		       SIGRTMIN, SIGRTMAX };

	for (unsigned int i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++) {
		int status;

		self->s = stage_new();
		self->s->value[6] = sigs[i];
		status = finish(actor(self->s, CPU_A, act_lose_by_call_with));
		EXPECT_TRUE(ended_well(status)) TH_LOG("signal %d: status %#x", sigs[i], status);
		EXPECT_EQ(1, self->s->hits) TH_LOG("signal %d", sigs[i]);
		EXPECT_EQ(sigs[i], self->s->seen.si_signo);
		EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
		EXPECT_EQ(0, self->s->seen.si_pid);
		EXPECT_EQ(getpid(), self->s->value[0]);
		EXPECT_EQ(0, self->s->flags_after);
		munmap(self->s, 65536);
	}
	self->s = stage_new();
}

static void on_fault_and_loss(int sig, siginfo_t *si, void *context)
{
	struct stage *s = on_stage;

	if (si->si_code == TASK_ISOLATION_LOSS) {
		s->value[0]++;
		s->value[1] = si->si_errno;
		return;
	}
	s->value[2]++;
	s->value[3] = si->si_code;
	mprotect(si->si_addr, 4096, PROT_READ | PROT_WRITE);
}

static void act_fault_with_chosen_SIGSEGV(struct stage *s)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(SIGSEGV, on_fault_and_loss, SA_NODEFER);
	if (enter_on_stage(s, WITH_SIGNAL(SIGSEGV)))
		return;
	page[0] = 7;
	s->value[4] = page[0];
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_11_a_fault_of_its_own_and_SIGSEGV_chosen, CASE_TIMEOUT)
{
	EXPECT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_fault_with_chosen_SIGSEGV))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(1, self->s->value[0]);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->value[1]);
	EXPECT_EQ(1, self->s->value[2]);
	EXPECT_EQ(SEGV_ACCERR, self->s->value[3]);
	EXPECT_EQ(7, self->s->value[4]);
	EXPECT_EQ(0, self->s->flags_after);
}

static void on_queued(int sig, siginfo_t *si, void *context)
{
	struct stage *s = on_stage;

	if (si->si_code == TASK_ISOLATION_LOSS)
		s->hits++;
	else
		s->value[s->others++ == si->si_value.sival_int ? 0 : 1]++;
}

static void act_be_queued_up(struct stage *s)
{
	handle(s->value[6], on_queued, SA_NODEFER);
	if (enter_on_stage(s, WITH_SIGNAL(s->value[6])))
		return;
	while (s->others < 10) {
		s->turns++;
		relax();
	}
	s->flags_after = flags_now();
	read_info(&s->info);
}

/* None of a queue is lost for the one that isolation adds, and that comes once. */
TEST_F_TIMEOUT(one, p3_11_a_queue_of_real_time_signals, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->value[6] = SIGRTMIN;
	pid = actor(self->s, CPU_A, act_be_queued_up);
	AWAIT_ISOLATED(AT_ENTERED);
	for (int i = 0; i < 10; i++) {
		union sigval value = { .sival_int = i };

		ASSERT_EQ(0, sigqueue(pid, SIGRTMIN, value));
	}
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(10, self->s->others);
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(1, self->s->info.foreign);
	EXPECT_EQ(SIGRTMIN, self->s->info.loss_detail);
}

static void act_have_no_room(struct stage *s)
{
	struct rlimit none = { 0, 0 };
	sigset_t set;

	if (s->value[5]) {
		/* One of the same number is pending already: it must not stand for the loss. */
		sigemptyset(&set);
		sigaddset(&set, s->value[6]);
		sigprocmask(SIG_BLOCK, &set, NULL);
		raise(s->value[6]);
	}
	if (setrlimit(RLIMIT_SIGPENDING, &none))
		return;
	handle(s->value[6], on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(s->value[6])))
		return;
	spin_until_may(s, 1);
	getppid();
	s->value[4] = 1;
}

/* A real-time signal needs room in the task's queue; without it the task does not go on. */
TEST_F_TIMEOUT(one, p3_11_a_real_time_signal_without_room_kills, CASE_TIMEOUT)
{
	for (int pending = 0; pending < 2; pending++) {
		struct stage *s = stage_new();
		int status;
		pid_t pid;

		s->value[5] = pending;
		s->value[6] = SIGRTMIN;
		pid = actor(s, CPU_A, act_have_no_room);
		s->may = 1;
		status = finish(pid);
		EXPECT_EQ(0, s->error);
		EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
			TH_LOG("status %#x, %s", status, s->value[4] ? "it went on" : "it did not go on");
		EXPECT_EQ(0, s->hits);
	}
}

/* ---- the chosen signal through a tracer and a signalfd ---------------------------------- */

static void act_read_chosen_from_file(struct stage *s)
{
	struct signalfd_siginfo from_file = { 0 };
	sigset_t set;
	int fd;

	handle(CHOSEN, on_chosen, 0);
	sigemptyset(&set);
	sigaddset(&set, CHOSEN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	spin_until_may(s, 1);
	s->value[0] = read(fd, &from_file, sizeof(from_file));
	s->value[1] = from_file.ssi_signo;
	s->value[2] = from_file.ssi_code;
	s->value[3] = from_file.ssi_errno;
	s->value[4] = from_file.ssi_pid;
}

/*
 * A thread that blocks its chosen signal dies of it; only a tracer can block it
 * between the loss and the handler. Then it waits, with all it has to say.
 */
TEST_F_TIMEOUT(one, p3_11_the_same_through_a_tracer_and_a_signalfd, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_read_chosen_from_file);
	siginfo_t stop = { 0 }, said = { 0 };
	__u64 blocked = 1ULL << (CHOSEN - 1);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_TRUE(UNTIL(!waitid(P_PID, pid, &stop, WSTOPPED | WNOHANG | __WALL) && stop.si_pid));
	ASSERT_EQ(CHOSEN, stop.si_status);
	ASSERT_EQ(0, ptrace(PTRACE_GETSIGINFO, pid, 0, &said));
	EXPECT_EQ(CHOSEN, said.si_signo);
	EXPECT_EQ(TASK_ISOLATION_LOSS, said.si_code);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_PTRACE, said.si_errno);
	/* who traces it made it look up */
	EXPECT_EQ(gettid(), said.si_pid);
	ASSERT_EQ(0, ptrace(PTRACE_SETSIGMASK, pid, sizeof(blocked), &blocked));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, CHOSEN));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ((long)sizeof(struct signalfd_siginfo), self->s->value[0]);
	EXPECT_EQ(CHOSEN, self->s->value[1]);
	EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->value[2]);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_PTRACE, self->s->value[3]);
	EXPECT_EQ(gettid(), self->s->value[4]);
}

TEST_HARNESS_MAIN
