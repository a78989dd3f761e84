// SPDX-License-Identifier: GPL-2.0
/*
 * Exempt calls and their way out, losses inside handlers, who sees a call
 * first, and the late state.
 */
#include "isolation.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include "kselftest_harness.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif

MODES_FIXTURE(exempt)

STAGE_FIXTURE(one)

/* ---- 3.8 exempt ------------------------------------------------------------ */

static void act_exit_group(struct stage *s)
{
	if (!enter_on_stage(s, s->flags))
		syscall(SYS_exit_group, 33);
}

TEST_F_TIMEOUT(exempt, p3_8_exit_group, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_exit_group));

	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(WIFEXITED(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(33, WEXITSTATUS(status));
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void act_exit(struct stage *s)
{
	if (!enter_on_stage(s, s->flags))
		syscall(SYS_exit, 34);
}

TEST_F_TIMEOUT(exempt, p3_8_exit, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_exit));

	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(WIFEXITED(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(34, WEXITSTATUS(status));
	EXPECT_EQ(0, owner_of(CPU_A));
}

#define X32_RT_SIGRETURN 513

static void act_number_of_another_table(struct stage *s)
{
	if (!enter_on_stage(s, STRICT))
		syscall(X32_RT_SIGRETURN);
}

/* What x32 calls rt_sigreturn is no call at all without its bit. */
TEST_F_TIMEOUT(one, p3_8_a_number_of_another_table_is_not_exempt, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_number_of_another_table);

	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
	EXPECT_EQ(0, self->s->error);
	EXPECT_LAST_LOSS(pid, "syscall 513");
}

static void on_other_enter(int sig, siginfo_t *si, void *context)
{
	on_other(sig, si, context);
	if (enter(on_stage->flags))
		on_stage->error = errno;
	else
		on_stage->entered++;
}

static void act_sigreturn(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	handle(SIGUSR2, on_other_enter, 0);
	raise(SIGUSR2);
	/* isolated since the handler; rt_sigreturn lies in between */
	s->value[0] = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(exempt, p3_8_rt_sigreturn, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_sigreturn);

	AWAIT_ISOLATED(AT_ENTERED);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->value[0]);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(0, self->s->info.foreign);
}

static long call_int80(long nr, long a, long b, long c)
{
	long result = -ENOSYS;

#if defined(__x86_64__)
	__asm__ volatile("int $0x80" : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
#endif
	return result;
}

static void act_compat_exempt(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 0; i < 100; i++)
		if (call_int80(172, PR_GET_TASK_ISOLATION, 0, 0) != (long)s->flags)
			s->value[0]++;
	s->flags_after = flags_now();
	call_int80(1, 35, 0, 0);	/* compat exit */
}

TEST_F_TIMEOUT(exempt, p3_8_compat_calls_through_int80, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_compat_exempt));

	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(WIFEXITED(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(35, WEXITSTATUS(status));
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
}

/* The numbers of exempt calls of the other ABI are not exempt in this one. */
static void act_wrong_abi(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	/* 252 is exit_group for int $0x80, ioprio_get for syscall */
	syscall(252, 0, 0);
	s->value[0] = 1;
}

TEST_F_TIMEOUT(one, p3_8_numbers_belong_to_their_abi, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_wrong_abi))));
	EXPECT_EQ(1, self->s->value[0]);
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
}

static void act_compat_call(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	s->value[0] = call_int80(64, 0, 0, 0);	/* compat getppid */
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(exempt, p3_1_a_compat_call_through_int80, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_compat_call);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(getpid(), self->s->value[0]) TH_LOG("not executed or not restarted");
		EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	}
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ((long)variant->flags, self->s->flags_after);
		/* this one, and the two exempt ones that ask */
		EXPECT_EQ(3, self->s->info.own);
	} else {
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall 64"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	}
}

/* ---- 3.8 not quiet on the way out ------------------------------------------- */

/*
 * An exempt call that sleeps: the info call writes to a page that userfaultfd
 * holds back. Meanwhile another task comes to the CPU and stays; then a sibling
 * gives the page, and the call wants to return to a CPU that is not quiet.
 */
static int held_back;

static void *page_giver(void *arg)
{
	struct uffdio_zeropage zero = { 0 };
	struct uffd_msg msg;
	struct stage *s = arg;

	bind_to(HOUSE);
	s->helper = 1;
	while (read(held_back, &msg, sizeof(msg)) != sizeof(msg))
		rest();
	s->helper = 2;
	while (s->order != 1)
		rest();
	zero.range.start = (unsigned long)s->page;
	zero.range.len = 4096;
	ioctl(held_back, UFFDIO_ZEROPAGE, &zero);
	return NULL;
}

static void act_info_held_back(struct stage *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	handle(CHOSEN, on_chosen, 0);
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	held_back = syscall(SYS_userfaultfd, O_NONBLOCK | O_CLOEXEC);
	area.range.start = (unsigned long)s->page;
	area.range.len = 4096;
	if (held_back < 0 || ioctl(held_back, UFFDIO_API, &api) ||
	    ioctl(held_back, UFFDIO_REGISTER, &area))
		_exit(106);
	start_thread(page_giver, s);
	while (!s->helper)
		rest();
	prefault();
	if (enter_on_stage(s, s->flags))
		return;
	s->value[0] = read_info((void *)s->page);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	leave();
}

TEST_F_TIMEOUT(exempt, p3_8_not_quiet_on_the_way_out, CASE_TIMEOUT)
{
	struct stage *second = stage_new();
	pid_t pid, other;
	int status;

	ASSERT_EQ(0, write_text(FILE_TIMEOUT, "300"));
	pid = actor(self->s, CPU_A, act_info_held_back);
	ASSERT_TRUE(UNTIL(self->s->helper == 2)) TH_LOG("helper %d", self->s->helper);
	ASSERT_EQ(0, self->s->error);
	/* the owner sleeps inside the exempt call */
	EXPECT_EQ(pid, owner_of(CPU_A));
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	other = actor(second, CPU_A, act_intruder);
	ASSERT_TRUE(UNTIL(second->turns > 1));
	self->s->order = 1;
	switch (variant->mode) {
	case MODE_STRICT:
		EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
		break;
	case MODE_SIGNAL:
		EXPECT_TRUE(UNTIL(self->s->hits == 1));
		EXPECT_EQ(TASK_ISOLATION_CAUSE_PREEMPTED, self->s->seen.si_errno);
		EXPECT_EQ(0, self->s->flags_in_handler);
		break;
	case MODE_PERSISTENT:
		EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
		EXPECT_EQ((long)variant->flags, self->s->flags_after);
		EXPECT_TRUE(UNTIL(cpu_state_is(CPU_A, "late")));
		break;
	case MODE_ONE_SHOT:
		EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
		EXPECT_EQ(0, self->s->flags_after);
		EXPECT_EQ(0, self->s->hits);
		break;
	}
	/* the call was counted as own, what is in the way is no entry */
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	if (variant->mode == MODE_STRICT || variant->mode == MODE_SIGNAL) {
		/* the cause is what is in the way */
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "preempted by"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
		EXPECT_NE(NULL, strstr(cpu_text(CPU_A, "last_loss"), "intruder"));
	}
	self->s->may = 1;
	second->may = 1;
	if (variant->mode != MODE_STRICT) {
		status = finish(pid);
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	}
	EXPECT_TRUE(ended_well(finish(other)));
}

/* ---- 3.8 losses inside the handler ------------------------------------------- */

#define LOSSES 1000

static void on_chosen_enter_again(int sig, siginfo_t *si, void *context)
{
	struct stage *s = on_stage;
	int hit = ++s->hits;

	if (si->si_code != TASK_ISOLATION_LOSS || si->si_errno != TASK_ISOLATION_CAUSE_IPI) {
		read_info(&s->info);
		s->value[0]++;
	}
	if (hit >= LOSSES)
		return;
	if (enter(s->flags)) {
		s->error = errno;
		return;
	}
	s->entered++;
	/* every tenth waits for the next loss right here, inside the handler */
	if (hit % 10 == 9)
		while (s->hits == hit)
			relax();
}

static void act_thousand_losses(struct stage *s)
{
	handle(CHOSEN, on_chosen_enter_again, SA_NODEFER);
	start_helper(s);
	if (enter_on_stage(s, s->flags))
		return;
	while (s->hits < LOSSES && !s->error) {
		s->turns++;
		relax();
	}
	s->flags_after = flags_now();
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(one, p3_8_a_thousand_losses_give_a_thousand_signals, 120)
{
	pid_t pid;

	self->s->flags = WITH_SIGNAL(CHOSEN);
	pid = actor(self->s, CPU_A, act_thousand_losses);
	for (int loss = 1; loss <= LOSSES; loss++) {
		/* one interference for each stay, sent when it has begun */
		ASSERT_TRUE(UNTIL(self->s->entered >= loss || self->s->error))
			TH_LOG("entered %d times, %d signals", self->s->entered, self->s->hits);
		ASSERT_EQ(0, self->s->error);
		ASSERT_TRUE(order(self->s, ORDER_IPI));
		ASSERT_TRUE(UNTIL(self->s->hits >= loss)) TH_LOG("loss %d without signal", loss);
	}
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(LOSSES, self->s->hits);
	EXPECT_EQ(LOSSES, self->s->entered);
	EXPECT_EQ(0, self->s->value[0])
		TH_LOG("%ld signals with a wrong cause: %s by %s/%d", self->s->value[0],
		       self->s->info.loss, self->s->info.loss_sender.comm,
		       self->s->info.loss_sender.pid);
	EXPECT_EQ(0, self->s->flags_after);
}

static void on_chosen_enter_and_call(int sig, siginfo_t *si, void *context)
{
	on_stage->hits++;
	if (!enter(on_stage->flags))
		syscall(SYS_getppid);
	on_stage->value[0] = 1;
}

static void act_loss_in_deferring_handler(struct stage *s)
{
	handle(CHOSEN, on_chosen_enter_and_call, 0);
	if (!enter_on_stage(s, s->flags))
		syscall(SYS_getppid);
	s->value[1] = 1;
}

TEST_F_TIMEOUT(one, p3_8_a_loss_inside_a_deferring_handler_takes_the_default, CASE_TIMEOUT)
{
	int status;

	self->s->flags = WITH_SIGNAL(CHOSEN);
	status = finish(actor(self->s, CPU_A, act_loss_in_deferring_handler));
	EXPECT_TRUE(killed_by(status, CHOSEN)) TH_LOG("status %#x", status);
	EXPECT_EQ(1, self->s->hits);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ(0, self->s->value[1]);
}

/* ---- 3.9 who sees a call first ------------------------------------------------ */

static int install_filter(unsigned int nr, unsigned int answer)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = 4, .filter = code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0);
}

static void act_filtered(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (install_filter(SYS_getppid, SECCOMP_RET_ERRNO | 77))
		_exit(107);
	if (enter_on_stage(s, s->flags))
		return;
	s->value[0] = syscall(SYS_getppid);
	s->value[1] = errno;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(exempt, p3_9_a_filter_cannot_slip_a_call_past_the_check, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_filtered);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	} else {
		/* nor is the call hidden from the filter when it is served */
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(-1, self->s->value[0]);
		EXPECT_EQ(77, self->s->value[1]);
		EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	}
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ((long)variant->flags, self->s->flags_after);
		EXPECT_GE(self->s->info.own, 1);
	} else {
		EXPECT_TRUE(last_loss_is(CPU_A, pid, "syscall 110"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	}
}

static void act_filtered_to_death(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (install_filter(SYS_getppid, SECCOMP_RET_KILL_PROCESS))
		_exit(107);
	if (enter_on_stage(s, s->flags))
		return;
	syscall(SYS_getppid);
	s->value[0] = 1;
}

TEST_F_TIMEOUT(exempt, p3_9_a_filter_that_kills_comes_after_the_check, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_filtered_to_death);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_TRUE(killed_by(status, variant->mode == MODE_STRICT ? SIGKILL : SIGSYS))
		TH_LOG("status %#x", status);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	EXPECT_EQ(0, owner_of(CPU_A));
}

static volatile char selector;

static void on_sigsys(int sig, siginfo_t *si, void *context)
{
	selector = 0;
	on_other(sig, si, context);
}

static void on_chosen_keep_dispatch_off(int sig, siginfo_t *si, void *context)
{
	selector = 0;
	on_chosen(sig, si, context);
	on_stage->value[2] = on_stage->others;
}

static void act_dispatched(struct stage *s)
{
	handle(CHOSEN, on_chosen_keep_dispatch_off, 0);
	handle(SIGSYS, on_sigsys, 0);
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 1, 0, 0, &selector))
		_exit(108);
	if (enter_on_stage(s, s->flags))
		return;
	selector = 1;
	s->value[0] = syscall(SYS_getppid);
	selector = 0;
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(exempt, p3_9_user_dispatch_comes_after_the_check, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_dispatched);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	switch (variant->mode) {
	case MODE_STRICT:
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, self->s->others);
		break;
	case MODE_SIGNAL:
		/* the chosen signal first; its handler turned dispatch off */
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(1, self->s->hits);
		EXPECT_EQ(0, self->s->value[2]);
		EXPECT_EQ(0, self->s->others);
		break;
	case MODE_PERSISTENT:
	case MODE_ONE_SHOT:
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(1, self->s->others) TH_LOG("the call was hidden from user dispatch");
		EXPECT_EQ(SYS_getppid, self->s->other.si_syscall);
		break;
	}
}

/* ---- 3.12 late ------------------------------------------------------------------ */

static void act_late(struct stage *s)
{
	struct itimerspec never = { 0 };
	int fd;

	s->value[2] = now_ms();
	if (enter_on_stage(s, PERSISTENT))
		return;
	fd = arm_local_timer(3600 * 1000L);
	s->flags_after = flags_now();
	s->value[3] = now_ms();
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	timerfd_settime(fd, 0, &never, NULL);
	close(fd);
	read_info(&s->before);
	s->at = AT_ENTERED + 2;
	spin_until_may(s, 2);
	read_info(&s->info);
	leave();
}

TEST_F_TIMEOUT(one, p3_12_late_is_said_and_ends_with_the_next_own_entry, CASE_TIMEOUT)
{
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 2000);
	pid = actor(self->s, CPU_A, act_late);
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	write_text(FILE_TIMER_MIGRATION, "1");
	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(PERSISTENT, self->s->flags_after);
	EXPECT_TRUE(UNTIL(cpu_state_is(CPU_A, "late"))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	EXPECT_EQ(pid, owner_of(CPU_A));
	EXPECT_TRUE(alive(self->s));
	EXPECT_TRUE(cpu_state_is(CPU_A, "late")) TH_LOG("it became %s by itself", cpu_text(CPU_A, "state"));
	self->s->may = 1;
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED + 1));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_GE(self->s->info.late, 1);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
	EXPECT_EQ(self->s->before.late, self->s->info.late);
}

static void act_late_fast(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = now_ms();
	arm_local_timer(3600 * 1000L);
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	s->value[0] = now_ms() - s->value[0];
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_12_what_cannot_clear_is_never_waited_for, CASE_TIMEOUT)
{
	int status;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 5000);
	status = finish(actor(self->s, CPU_A, act_late_fast));
	write_text(FILE_TIMER_MIGRATION, "1");
	ASSERT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	ASSERT_EQ(0, self->s->error);
	EXPECT_LT(self->s->value[0], 5000) TH_LOG("100 calls took %ld ms", self->s->value[0]);
	EXPECT_EQ(TASK_ISOLATION_LATE, self->s->info.state);
}

static void act_late_in_company(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	spin_until_may(s, 1);
	syscall(SYS_getppid);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
	leave();
}

static void act_company(struct stage *s)
{
	spin_until_may(s, 1);
}

/* What keeps it late could go any time; the ticks that others bring are not waited for. */
TEST_F_TIMEOUT(one, p3_12_a_late_task_has_its_share_beside_another, CASE_TIMEOUT)
{
	struct stage *other = stage_new();
	unsigned long owners, others;
	pid_t pid, company;

	write_number(FILE_TIMEOUT, 1000);
	pid = actor(self->s, CPU_A, act_late_in_company);
	AWAIT_ISOLATED(AT_ENTERED);
	company = actor(other, CPU_A, act_company);
	ASSERT_TRUE(UNTIL(other->turns > 0));
	self->s->may = 1;
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	owners = self->s->turns;
	others = other->turns;
	usleep(2000000);
	owners = self->s->turns - owners;
	others = other->turns - others;
	EXPECT_LT(0, others);
	EXPECT_GE(owners, others / 4) TH_LOG("%lu turns beside %lu", owners, others);
	/* "entering" while it is in the kernel, as for a tick of the two */
	EXPECT_TRUE(UNTIL(cpu_state_is(CPU_A, "late"))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	other->may = 1;
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(company)));
	EXPECT_TRUE(ended_well(finish(pid)));
}

static void act_with_cpu_timer(struct stage *s)
{
	start_helper(s);
	order(s, ORDER_CPU_TIMER);
	s->at = AT_READY;
	spin_until_may(s, 1);		/* first: not isolated, the timer armed */
	order(s, ORDER_STOP_TIMER);
	enter_on_stage(s, PERSISTENT);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);		/* then: isolated, the timer armed by the sibling */
	read_info(&s->info);
	leave();
	order(s, ORDER_STOP);
}

static unsigned long turns_in(struct stage *s, long ms)
{
	unsigned long turns = s->turns;
	long begin = now_ms();

	while (now_ms() < begin + ms)
		rest();
	return (s->turns - turns) / (now_ms() - begin);
}

/* The VM runs this one on a clock of instructions: see run-in-vm. */
TEST_F_TIMEOUT(one, p3_12_a_sibling_s_cpu_timer_costs_no_more_than_a_tenth, 120)
{
	unsigned long without = 0, with = 0;
	pid_t pid = actor(self->s, CPU_A, act_with_cpu_timer);

	ASSERT_TRUE(UNTIL(self->s->at == AT_READY && self->s->turns > 1));
	/* the best of several windows: whatever else runs takes time from both */
	for (int window = 0; window < 3; window++) {
		unsigned long rate = turns_in(self->s, 300);

		without = rate > without ? rate : without;
	}
	self->s->may = 1;
	ASSERT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(order(self->s, ORDER_CPU_TIMER));
	for (int window = 0; window < 6 && with * 10 < without * 9; window++) {
		unsigned long rate = turns_in(self->s, 300);

		with = rate > with ? rate : with;
	}
	EXPECT_GE(with * 10, without * 9) TH_LOG("%lu turns/ms isolated, %lu not", with, without);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(PERSISTENT, self->s->info.flags);
	EXPECT_GE(self->s->info.foreign, 1);
}

TEST_HARNESS_MAIN
