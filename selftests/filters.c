// SPDX-License-Identifier: GPL-2.0
/*
 * Seccomp filters, syscall user dispatch and tracers beside isolation: what
 * each sees of a call, what it may do to one, and that none of them isolates
 * a task or hides from one that is.
 */
#include "isolation.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/user.h>
#include "kselftest_harness.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

STAGE_FIXTURE(one)

MODES_FIXTURE(modes)

/* A child that a filter kills shall not leave a core behind. */
static void no_core(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
}

/* ---- filters ------------------------------------------------------------ */

#define FILTERED	77	/* the errno of a filter's refusal */

/* @answer for call @nr, with @first as first argument unless that is negative. */
static int install_filter(unsigned int nr, int first, unsigned int answer, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		/* a negative number: both ways lead to the answer */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, first < 0 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 6, .filter = code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

#define SUPERVISED	4242	/* what the supervisor answers */

/* Answers every call that it is asked about; counts them in others. */
static void *supervisor(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	s->helper = 1;
	for (;;) {
		struct seccomp_notif ask = { 0 };
		struct seccomp_notif_resp answer = { 0 };

		if (ioctl(s->fd[0], SECCOMP_IOCTL_NOTIF_RECV, &ask))
			return NULL;
		s->others++;
		s->value[6] = ask.data.nr;
		answer.id = ask.id;
		answer.val = SUPERVISED;
		ioctl(s->fd[0], SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* Actor: s->value[7] is the filter's answer to getppid. */
static void set_up_filter(struct stage *s)
{
	bool notify = s->value[7] == SECCOMP_RET_USER_NOTIF;
	int fd;

	no_core();
	fd = install_filter(SYS_getppid, -1, s->value[7],
			    notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
	if (fd < 0)
		_exit(107);
	if (!notify)
		return;
	s->fd[0] = fd;
	start_thread(supervisor, s);
	while (!s->helper)
		rest();
	be_resident(s);
}

static void act_filtered(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGSYS, on_other, 0);
	set_up_filter(s);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->value[0] = syscall(SYS_getppid);
	s->value[1] = s->value[0] == -1 ? errno : 0;
	s->value[2] = 1;
	s->flags_after = flags_now();
	read_info(&s->info);
}

FIXTURE(action) { struct stage *s; };
FIXTURE_VARIANT(action) { unsigned int answer; };
FIXTURE_VARIANT_ADD(action, allow) { .answer = SECCOMP_RET_ALLOW };
FIXTURE_VARIANT_ADD(action, log) { .answer = SECCOMP_RET_LOG };
FIXTURE_VARIANT_ADD(action, errno) { .answer = SECCOMP_RET_ERRNO | FILTERED };
FIXTURE_VARIANT_ADD(action, trace) { .answer = SECCOMP_RET_TRACE };
FIXTURE_VARIANT_ADD(action, user_notif) { .answer = SECCOMP_RET_USER_NOTIF };
FIXTURE_VARIANT_ADD(action, trap) { .answer = SECCOMP_RET_TRAP };
FIXTURE_VARIANT_ADD(action, kill_thread) { .answer = SECCOMP_RET_KILL_THREAD };
FIXTURE_VARIANT_ADD(action, kill_process) { .answer = SECCOMP_RET_KILL_PROCESS };
FIXTURE_SETUP(action)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->value[7] = variant->answer;
}
FIXTURE_TEARDOWN(action)
{
	restore_switches();
}

/* Counted once, whatever the filter answers; only a signal is a delivery. */
TEST_F_TIMEOUT(action, p3_9_a_call_of_a_persistent_task, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->flags = PERSISTENT;
	pid = actor(s, CPU_A, act_filtered);
	status = finish(pid);
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	switch (variant->answer) {
	case SECCOMP_RET_KILL_THREAD:
	case SECCOMP_RET_KILL_PROCESS:
		EXPECT_TRUE(killed_by(status, SIGSYS)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, s->value[2]);
		EXPECT_LAST_LOSS(pid, "signal 31");
		EXPECT_EQ(s->before.own + 1, cpu_number(CPU_A, "own"));
		return;
	case SECCOMP_RET_TRAP:
		EXPECT_EQ(1, s->others);
		EXPECT_EQ(SYS_getppid, s->other.si_syscall);
		EXPECT_EQ(0, s->flags_in_handler);
		EXPECT_EQ(0, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_LOST, s->info.state);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, s->info.loss_cause);
		EXPECT_EQ(SIGSYS, s->info.loss_detail);
		/* the signal is no second entry, and who is off is not counted */
		EXPECT_EQ(s->before.own + 1, s->info.own);
		EXPECT_EQ(0, s->info.foreign);
		EXPECT_LAST_LOSS(pid, "signal 31");
		break;
	case SECCOMP_RET_ALLOW:
	case SECCOMP_RET_LOG:
		EXPECT_EQ(getpid(), s->value[0]);
		break;
	case SECCOMP_RET_ERRNO | FILTERED:
		EXPECT_EQ(-1, s->value[0]);
		EXPECT_EQ(FILTERED, s->value[1]);
		break;
	case SECCOMP_RET_TRACE:
		EXPECT_EQ(-1, s->value[0]);
		EXPECT_EQ(ENOSYS, s->value[1]);
		break;
	case SECCOMP_RET_USER_NOTIF:
		EXPECT_EQ(SUPERVISED, s->value[0]);
		EXPECT_EQ(1, s->others);
		EXPECT_EQ(SYS_getppid, s->value[6]);
		break;
	}
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	if (variant->answer != SECCOMP_RET_TRAP) {
		EXPECT_EQ((long)PERSISTENT, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
		EXPECT_EQ(1 + 2 * s->toll, s->info.own - s->before.own);
		EXPECT_EQ(0, s->info.foreign);
		EXPECT_EQ(0, s->info.late);
	}
}

/* Nobody is asked about a call that is refused. */
TEST_F_TIMEOUT(action, p3_9_a_call_of_a_strict_task, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->flags = STRICT;
	pid = actor(s, CPU_A, act_filtered);
	status = finish(pid);
	ASSERT_EQ(0, s->error);
	EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, s->value[2]);
	EXPECT_EQ(0, s->others) TH_LOG("the filter's answer was carried out");
	EXPECT_LAST_LOSS(pid, "syscall 110");
	EXPECT_EQ(0, owner_of(CPU_A));
}

/* After the chosen signal the call starts again, and then the filter answers it. */
TEST_F_TIMEOUT(action, p3_9_a_call_of_a_task_with_a_chosen_signal, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->flags = WITH_SIGNAL(CHOSEN);
	pid = actor(s, CPU_A, act_filtered);
	status = finish(pid);
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(1, s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, s->seen.si_errno);
	EXPECT_LAST_LOSS(pid, "syscall 110");
	if (variant->answer == SECCOMP_RET_KILL_THREAD ||
	    variant->answer == SECCOMP_RET_KILL_PROCESS) {
		EXPECT_TRUE(killed_by(status, SIGSYS)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, s->value[2]);
		return;
	}
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(variant->answer == SECCOMP_RET_TRAP ||
		  variant->answer == SECCOMP_RET_USER_NOTIF, s->others);
	EXPECT_EQ(0, s->flags_after);
}

/* KILL_THREAD ends the isolated thread alone. */
static void *filtered_thread(void *arg)
{
	struct stage *s = arg;

	bind_to(CPU_A);
	s->value[3] = syscall(SYS_gettid);
	if (install_filter(SYS_getppid, -1, SECCOMP_RET_KILL_THREAD, 0))
		_exit(107);
	if (!enter_on_stage(s, PERSISTENT))
		syscall(SYS_getppid);
	s->value[2] = 1;
	return NULL;
}

static void act_filtered_thread(struct stage *s)
{
	bind_to(HOUSE);
	no_core();
	start_thread(filtered_thread, s);
	while (s->may < 1)
		rest();
}

TEST_F_TIMEOUT(one, p3_9_a_filter_kills_the_isolated_thread_alone, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_filtered_thread);

	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	EXPECT_EQ(0, kill(pid, 0));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_LAST_LOSS(self->s->value[3], "signal 31");
}

static void act_install_inside(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->value[0] = install_filter(SYS_getppid, -1, SECCOMP_RET_ERRNO | FILTERED, 0);
	s->value[1] = flags_now();
	s->value[2] = syscall(SYS_getppid);
	s->value[3] = errno;
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	leave();
}

TEST_F_TIMEOUT(one, p3_9_a_persistent_task_installs_a_filter, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_install_inside);

	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ((long)PERSISTENT, self->s->value[1]);
	EXPECT_EQ(-1, self->s->value[2]);
	EXPECT_EQ(FILTERED, self->s->value[3]);
	/* no_new_privs, the filter, the call */
	EXPECT_EQ(3 + 2 * self->s->toll, self->s->info.own - self->s->before.own);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* A sibling that gives filters to the whole process, as value[5] says. */
static void *filter_giver(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	/* the first one brings what the kernel needs once for all of them */
	if (install_filter(SYS_getpgrp, -1, SECCOMP_RET_ALLOW, 0))
		_exit(107);
	s->helper = 1;
	while (!s->order)
		rest();
	s->value[4] = s->value[5] ?
		install_filter(SYS_prctl, s->value[5], s->value[7], SECCOMP_FILTER_FLAG_TSYNC) :
		install_filter(SYS_getppid, -1, s->value[7], SECCOMP_FILTER_FLAG_TSYNC);
	s->helper = 2;
	return NULL;
}

static void prepare_giver(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGSYS, on_other, 0);
	no_core();
	/* TSYNC wants the others to have no filters of their own */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		_exit(107);
	start_thread(filter_giver, s);
	while (!s->helper)
		rest();
	be_resident(s);
}

static void act_given_a_filter(struct stage *s)
{
	prepare_giver(s);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->value[0] = syscall(SYS_getppid);
	s->value[1] = errno;
	s->value[2] = 1;
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(modes, p3_9_a_sibling_gives_a_filter, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->value[7] = SECCOMP_RET_ERRNO | FILTERED;
	pid = actor(s, CPU_A, act_given_a_filter);
	AWAIT_ISOLATED(AT_ENTERED);
	s->order = 1;
	ASSERT_TRUE(UNTIL(s->helper == 2));
	ASSERT_EQ(0, s->value[4]) TH_LOG("the filter was not taken");
	/* it is only noted: nothing is sent */
	EXPECT_TRUE(isolated(s, pid)) TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	s->may = 1;
	status = finish(pid);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, s->value[2]);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(-1, s->value[0]);
		EXPECT_EQ(FILTERED, s->value[1]);
		EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
		EXPECT_EQ(variant->mode == MODE_PERSISTENT ? (long)s->flags : 0, s->flags_after);
	}
	if (variant->mode != MODE_PERSISTENT) {
		EXPECT_LAST_LOSS(pid, "syscall 110");
	}
}

/* ---- filters on the calls of part 2 ------------------------------------- */

static void act_refused_by_filter(struct stage *s)
{
	if (install_filter(SYS_prctl, PR_SET_TASK_ISOLATION, SECCOMP_RET_ERRNO | FILTERED, 0))
		_exit(107);
	s->error = enter(s->flags) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_9_a_filter_refuses_entering, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_refused_by_filter))));
	EXPECT_EQ(FILTERED, self->s->error);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_OFF, self->s->info.state);
	/* the kernel was never asked */
	EXPECT_EQ(0, self->s->info.refusal_errno);
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void act_cannot_leave(struct stage *s)
{
	prepare_giver(s);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->value[0] = leave() ? errno : 0;
	s->value[1] = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
}

TEST_F_TIMEOUT(modes, p3_9_a_filter_refuses_leaving, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;

	s->value[5] = PR_SET_TASK_ISOLATION;
	s->value[7] = SECCOMP_RET_ERRNO | FILTERED;
	pid = actor(s, CPU_A, act_cannot_leave);
	AWAIT_ISOLATED(AT_ENTERED);
	s->order = 1;
	ASSERT_TRUE(UNTIL(s->helper == 2));
	ASSERT_EQ(0, s->value[4]);
	s->may = 1;
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(FILTERED, s->value[0]);
	EXPECT_EQ(FILTERED, s->value[1]);
	EXPECT_EQ((long)variant->flags, s->flags_after);
	/* refused, but exempt all the same */
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
	EXPECT_EQ(0, s->hits);
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void act_trapped_in_exempt(struct stage *s)
{
	struct task_isolation_info info;

	prepare_giver(s);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	/* the handlers ask with another call, which the filter lets through */
	read_info(&info);
	s->value[2] = 1;
	s->flags_after = flags_now();
}

/* The exempt call passes the check; the filter's signal is a delivery in every mode. */
TEST_F_TIMEOUT(modes, p3_9_a_filter_traps_an_exempt_call, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->value[5] = PR_TASK_ISOLATION_INFO;
	s->value[7] = SECCOMP_RET_TRAP;
	pid = actor(s, CPU_A, act_trapped_in_exempt);
	AWAIT_ISOLATED(AT_ENTERED);
	s->order = 1;
	ASSERT_TRUE(UNTIL(s->helper == 2));
	ASSERT_EQ(0, s->value[4]);
	s->may = 1;
	status = finish(pid);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(1, s->value[2]);
	EXPECT_EQ(1, s->others);
	EXPECT_EQ(SYS_prctl, s->other.si_syscall);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, s->seen.si_errno);
	}
	EXPECT_LAST_LOSS(pid, "signal 31");
	EXPECT_EQ(1, cpu_number(CPU_A, "own"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
}

/* ---- syscall user dispatch ---------------------------------------------- */

static volatile char selector;

static void on_dispatched(int sig, siginfo_t *si, void *context)
{
	selector = 0;
	on_other(sig, si, context);
}

/* It runs before the other handler does. */
static void on_chosen_undispatched(int sig, siginfo_t *si, void *context)
{
	selector = 0;
	on_chosen(sig, si, context);
}

static void act_dispatch(struct stage *s)
{
	handle(CHOSEN, on_chosen_undispatched, 0);
	handle(SIGSYS, on_dispatched, 0);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector))
		_exit(108);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	/* value[5]: which call; value[6]: the selector */
	selector = s->value[6];
	s->value[0] = s->value[5] ? flags_now() : syscall(SYS_getppid);
	selector = 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_9_a_dispatched_call_of_a_persistent_task_is_a_delivery, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;

	s->flags = PERSISTENT;
	s->value[6] = 1;
	pid = actor(s, CPU_A, act_dispatch);
	ASSERT_TRUE(ended_well(finish(pid)));
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(1, s->others);
	EXPECT_EQ(SYS_getppid, s->other.si_syscall);
	EXPECT_EQ(0, s->flags_in_handler);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, s->info.loss_cause);
	EXPECT_EQ(SIGSYS, s->info.loss_detail);
	/* the call was counted; its signal is no second entry */
	EXPECT_EQ(1, s->info.own - s->before.own);
	EXPECT_EQ(0, s->info.foreign);
	EXPECT_LAST_LOSS(pid, "signal 31");
}

TEST_F_TIMEOUT(one, p3_9_a_call_that_dispatch_lets_through_is_served, CASE_TIMEOUT)
{
	struct stage *s = self->s;

	s->flags = PERSISTENT;
	ASSERT_TRUE(ended_well(finish(actor(s, CPU_A, act_dispatch))));
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(getpid(), s->value[0]);
	EXPECT_EQ(0, s->others);
	EXPECT_EQ((long)PERSISTENT, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
	EXPECT_EQ(1 + 2 * s->toll, s->info.own - s->before.own);
}

TEST_F_TIMEOUT(modes, p3_9_a_dispatched_exempt_call_is_a_delivery, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int status;

	s->value[5] = 1;
	s->value[6] = 1;
	pid = actor(s, CPU_A, act_dispatch);
	status = finish(pid);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(1, s->others);
	EXPECT_EQ(SYS_prctl, s->other.si_syscall);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
	EXPECT_LAST_LOSS(pid, "signal 31");
}

/* ---- tracers ------------------------------------------------------------ */

/* What the tracer makes of one call of its tracee at the stop before it. */
typedef void (*rewrite_fn)(struct stage *s, struct user_regs_struct *regs);

static bool wait_stop(pid_t pid, int *status)
{
	return UNTIL(waitpid(pid, status, WNOHANG) == pid);
}

/*
 * Trace the calls of the seized @pid until it ends; its wait status, or -1.
 * Calls of getppid and of prctl 48 are counted in order and hits, the result
 * that the last prctl 48 had goes to value[3].
 */
static int trace_calls(struct stage *s, pid_t pid, rewrite_fn rewrite)
{
	struct __ptrace_syscall_info info;
	struct user_regs_struct regs;
	bool isolating = false;
	int status;

	for (;;) {
		if (!wait_stop(pid, &status)) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		if (!WIFSTOPPED(status))
			return status;
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			memset(&info, 0, sizeof(info));
			ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
				isolating = info.entry.nr == SYS_prctl &&
					    info.entry.args[0] == PR_SET_TASK_ISOLATION;
				s->hits += isolating;
				s->order += info.entry.nr == SYS_getppid;
				if (rewrite && !ptrace(PTRACE_GETREGS, pid, 0, &regs)) {
					rewrite(s, &regs);
					ptrace(PTRACE_SETREGS, pid, 0, &regs);
				}
			} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && isolating) {
				s->value[3] = info.exit.rval;
				isolating = false;
			}
			ptrace(PTRACE_SYSCALL, pid, 0, 0);
		} else {
			/* a stop of ours, or a signal: that goes on to the tracee */
			ptrace(PTRACE_SYSCALL, pid, 0, status >> 16 ? 0 : WSTOPSIG(status));
		}
	}
}

/* Seize, and let it run into the tracer's hands. */
static bool seize(pid_t pid)
{
	return !ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) &&
	       !ptrace(PTRACE_INTERRUPT, pid, 0, 0);
}

static void act_under_a_tracer(struct stage *s)
{
	s->at = AT_READY;
	spin_until_may(s, 1);
	s->error = enter(s->flags) < 0 ? errno : 0;
	s->value[0] = syscall(SYS_getppid);
	s->value[1] = s->value[0] == -1 ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
}

#define TRACE(rewrite) do {						\
	pid_t pid_ = actor(self->s, CPU_A, act_under_a_tracer);		\
	int status_;							\
	ASSERT_TRUE(UNTIL(self->s->at == AT_READY));			\
	ASSERT_TRUE(seize(pid_));					\
	self->s->may = 1;						\
	status_ = trace_calls(self->s, pid_, rewrite);			\
	ASSERT_TRUE(ended_well(status_)) TH_LOG("status %#x", status_);	\
	EXPECT_EQ(0, self->s->flags_after);				\
	EXPECT_NE(TASK_ISOLATION_ISOLATED, self->s->info.state);	\
	EXPECT_EQ(0, self->s->info.own + self->s->info.foreign);	\
	EXPECT_EQ(0, owner_of(CPU_A));					\
} while (0)

TEST_F_TIMEOUT(modes, p3_9_a_tracer_sees_entering_refused, CASE_TIMEOUT)
{
	TRACE(NULL);
	EXPECT_EQ(EAGAIN, self->s->error);
	EXPECT_EQ(-EAGAIN, self->s->value[3]);
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(1, self->s->order);
	EXPECT_EQ(getpid(), self->s->value[0]);
	EXPECT_EQ(EAGAIN, self->s->info.refusal_errno);
	EXPECT_NE(NULL, strstr(self->s->info.refusal, "trace"))
		TH_LOG("refusal '%s'", self->s->info.refusal);
}

static void entering_becomes_getppid(struct stage *s, struct user_regs_struct *regs)
{
	if (regs->orig_rax == SYS_prctl && regs->rdi == PR_SET_TASK_ISOLATION)
		regs->orig_rax = SYS_getppid;
}

/* The result is that of getppid, a positive number: prctl() returns it as it is. */
TEST_F_TIMEOUT(one, p3_9_a_tracer_makes_another_call_of_entering, CASE_TIMEOUT)
{
	self->s->flags = PERSISTENT;
	TRACE(entering_becomes_getppid);
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(getpid(), self->s->value[3]);
	EXPECT_EQ(0, self->s->info.refusal_errno) TH_LOG("the kernel was asked to isolate");
}

static void getppid_becomes_entering(struct stage *s, struct user_regs_struct *regs)
{
	if (regs->orig_rax == SYS_getppid) {
		regs->orig_rax = SYS_prctl;
		regs->rdi = PR_SET_TASK_ISOLATION;
		regs->rsi = s->flags;
	} else if (regs->orig_rax == SYS_prctl && regs->rdi == PR_SET_TASK_ISOLATION) {
		/* its own attempt becomes one to leave, which always succeeds */
		regs->rsi = 0;
	}
}

TEST_F_TIMEOUT(modes, p3_9_a_tracer_cannot_make_a_task_enter, CASE_TIMEOUT)
{
	TRACE(getppid_becomes_entering);
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[3]);
	EXPECT_EQ(-1, self->s->value[0]);
	EXPECT_EQ(EAGAIN, self->s->value[1]);
	EXPECT_EQ(EAGAIN, self->s->info.refusal_errno);
}

static void act_traced_later(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	for (int i = 0; i < 10; i++)
		syscall(SYS_getppid);
	s->flags_after = flags_now();
}

/* Attaching turns isolation off, so that no call is left to be refused. */
TEST_F_TIMEOUT(modes, p3_9_a_tracer_that_attaches_sees_every_call, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid = actor(s, CPU_A, act_traced_later);
	int status, signals;

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL));
	if (variant->mode == MODE_SIGNAL) {
		/* the chosen signal stops it on its way to the handler */
		ASSERT_TRUE(wait_stop(pid, &status));
		ASSERT_TRUE(WIFSTOPPED(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(CHOSEN, WSTOPSIG(status));
		ptrace(PTRACE_CONT, pid, 0, CHOSEN);
		EXPECT_TRUE(UNTIL(s->hits == 1));
	}
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
	EXPECT_LAST_LOSS(pid, "ptrace");
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	signals = s->hits;
	s->may = 1;
	status = trace_calls(s, pid, NULL);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(10, s->order) TH_LOG("of 10 calls the tracer saw %d", s->order);
	EXPECT_EQ(signals, s->hits);
	EXPECT_EQ(0, s->flags_after);
}

TEST_HARNESS_MAIN
