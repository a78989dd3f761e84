// SPDX-License-Identifier: GPL-2.0
/* The table of part 3: what each interruption does in each mode. */
#include "isolation.h"
#include <sys/ioctl.h>
#include "kselftest_harness.h"

FIXTURE(modes) { struct stage *s; };
FOUR_MODES(modes);
FIXTURE_SETUP(modes)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->flags = variant->flags;
	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
}
FIXTURE_TEARDOWN(modes)
{
	restore_switches();
}

/* flags_now() stands between the two readings: one more exempt call. */
#define GET_TOLL	(self->s->toll)

/* ---- 3.1 own: a system call ---------------------------------------------- */

static int bytes_in_pipe(struct stage *s)
{
	int n = -1;

	ioctl(s->fd[0], FIONREAD, &n);
	return n;
}

static void on_loss_look_at_pipe(int sig, siginfo_t *si, void *context)
{
	on_chosen(sig, si, context);
	on_stage->value[1] = bytes_in_pipe(on_stage);
}

static void act_write(struct stage *s)
{
	handle(CHOSEN, on_loss_look_at_pipe, 0);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->value[0] = syscall(SYS_write, s->fd[1], "x", 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_1_a_system_call, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_write);
	int status = finish(pid);
	char cause[32];

	ASSERT_GE(self->s->at, AT_ENTERED);
	ASSERT_EQ(0, self->s->error);
	snprintf(cause, sizeof(cause), "syscall %d", SYS_write);
	switch (variant->mode) {
	case MODE_STRICT:
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, bytes_in_pipe(self->s)) TH_LOG("the call was executed");
		break;
	case MODE_SIGNAL:
		EXPECT_TRUE(ended_well(status));
		EXPECT_EQ(1, self->s->hits);
		EXPECT_EQ(0, self->s->flags_in_handler);
		EXPECT_EQ(0, self->s->value[1]) TH_LOG("executed before the handler");
		EXPECT_EQ(1, self->s->value[0]) TH_LOG("not restarted: %ld", self->s->value[0]);
		EXPECT_EQ(1, bytes_in_pipe(self->s)) TH_LOG("restarted more or less than once");
		EXPECT_EQ(0, self->s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SYSCALL, self->s->seen.si_errno);
		break;
	case MODE_PERSISTENT:
		EXPECT_TRUE(ended_well(status));
		EXPECT_EQ(1, self->s->value[0]);
		EXPECT_EQ(1, bytes_in_pipe(self->s));
		EXPECT_EQ(1 + self->s->toll + GET_TOLL, self->s->info.own - self->s->before.own);
		EXPECT_EQ((long)variant->flags, self->s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
		break;
	case MODE_ONE_SHOT:
		EXPECT_TRUE(ended_well(status));
		EXPECT_EQ(1, self->s->value[0]);
		EXPECT_EQ(1, bytes_in_pipe(self->s));
		EXPECT_EQ(0, self->s->hits);
		EXPECT_EQ(0, self->s->flags_after);
		break;
	}
	if (variant->mode != MODE_PERSISTENT) {
		EXPECT_TRUE(last_loss_is(CPU_A, pid, cause))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
		EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
	}
}

static void on_loss_enter_again_twice(int sig, siginfo_t *si, void *context)
{
	on_chosen(sig, si, context);
	if (on_stage->hits < 3 && enter(on_stage->flags))
		on_stage->value[2] = errno;
}

static void act_write_with_entering_handler(struct stage *s)
{
	handle(CHOSEN, on_loss_enter_again_twice, 0);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	s->value[0] = syscall(SYS_write, s->fd[1], "x", 1);
	s->flags_after = flags_now();
}

STAGE_FIXTURE(one)

TEST_F_TIMEOUT(one, p3_1_a_restarted_call_is_a_new_loss_when_isolated_again, CASE_TIMEOUT)
{
	int status;

	ASSERT_EQ(0, pipe2(self->s->fd, O_NONBLOCK));
	self->s->flags = WITH_SIGNAL(CHOSEN);
	status = finish(actor(self->s, CPU_A, act_write_with_entering_handler));
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, self->s->value[2]);
	EXPECT_EQ(3, self->s->hits);
	EXPECT_EQ(1, self->s->value[0]);
	EXPECT_EQ(1, bytes_in_pipe(self->s));
	EXPECT_EQ(0, self->s->flags_after);
}

static void act_many_calls(struct stage *s)
{
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	for (int i = 0; i < 1000; i++)
		syscall(SYS_getppid);
	read_info(&s->info);
	/* a call number that no kernel has is a call all the same */
	s->value[0] = syscall(100000);
	s->value[1] = errno;
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_1_persistent_counts_each_call_once, CASE_TIMEOUT)
{
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_many_calls))));
	EXPECT_EQ(1001 + 2 * self->s->toll, self->s->info.own - self->s->before.own);
	EXPECT_EQ(-1, self->s->value[0]);
	EXPECT_EQ(ENOSYS, self->s->value[1]);
	EXPECT_EQ(0, self->s->info.late);
	EXPECT_EQ(0, self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
}

/* ---- 3.2 own: a fault or a trap ------------------------------------------- */

static void act_fault(struct stage *s)
{
	volatile char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(CHOSEN, on_chosen, 0);
	s->value[0] = (long)page;
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	page[100] = 42;
	s->value[1] = page[100];
	s->flags_after = flags_now();
	read_info(&s->info);
}

/* The rows 3.1 and 3.2 end alike. */
#define EXPECT_OWN(cause_number, cause_text) do {			\
	switch (variant->mode) {					\
	case MODE_STRICT:						\
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status); \
		break;							\
	case MODE_SIGNAL:						\
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status); \
		EXPECT_EQ(1, self->s->hits);				\
		EXPECT_EQ(0, self->s->flags_in_handler);		\
		EXPECT_EQ(0, self->s->flags_after);			\
		EXPECT_EQ(cause_number, self->s->seen.si_errno);	\
		EXPECT_EQ(cause_number, self->s->info.loss_cause);	\
		break;							\
	case MODE_PERSISTENT:						\
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status); \
		EXPECT_EQ(1 + self->s->toll + GET_TOLL, self->s->info.own - self->s->before.own);	\
		EXPECT_EQ(0, self->s->info.foreign);			\
		EXPECT_EQ((long)variant->flags, self->s->flags_after);	\
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state); \
		break;							\
	case MODE_ONE_SHOT:						\
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status); \
		EXPECT_EQ(0, self->s->hits);				\
		EXPECT_EQ(0, self->s->flags_after);			\
		break;							\
	}								\
	if (variant->mode != MODE_PERSISTENT) {				\
		EXPECT_TRUE(last_loss_is(CPU_A, pid, cause_text))	\
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss")); \
	}								\
} while (0)

TEST_F_TIMEOUT(modes, p3_2_a_page_fault, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_fault);
	int status = finish(pid);
	const char *at;

	ASSERT_GE(self->s->at, AT_ENTERED);
	ASSERT_EQ(0, self->s->error);
	EXPECT_OWN(TASK_ISOLATION_CAUSE_PAGE_FAULT, "page fault at ");
	if (variant->mode != MODE_STRICT) {
		EXPECT_EQ(42, self->s->value[1]) TH_LOG("the fault was not served");
	}
	if (variant->mode != MODE_PERSISTENT) {
		at = strstr(cpu_text(CPU_A, "last_loss"), "page fault at ");
		ASSERT_NE(NULL, at);
		EXPECT_EQ(self->s->value[0], (long)(strtoul(at + 14, NULL, 16) & ~0xfffUL))
			TH_LOG("'%s'", at);
	}
}

static void act_trap(struct stage *s)
{
	struct { __u16 limit; __u64 base; } __attribute__((packed)) gdt = { 0xffff, ~0ULL };

	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
#if defined(__x86_64__)
	/* with UMIP a general protection fault; the kernel answers in its place */
	__asm__ volatile("sgdt %0" : "+m"(gdt));
#endif
	s->value[1] = gdt.base != ~0ULL;
	s->flags_after = flags_now();
	read_info(&s->info);
}

static bool cpu_has(const char *flag)
{
	char text[16384];

	read_text("/proc/cpuinfo", text, sizeof(text));
	return strstr(text, flag);
}

TEST_F_TIMEOUT(modes, p3_2_a_trap_that_the_kernel_serves, CASE_TIMEOUT)
{
	pid_t pid;
	int status;

	if (!cpu_has(" umip"))
		SKIP(return, "no UMIP: no trap here ends without a signal");
	pid = actor(self->s, CPU_A, act_trap);
	status = finish(pid);
	ASSERT_GE(self->s->at, AT_ENTERED);
	ASSERT_EQ(0, self->s->error);
	EXPECT_OWN(TASK_ISOLATION_CAUSE_TRAP, "trap 13");
	if (variant->mode != MODE_STRICT) {
		EXPECT_EQ(1, self->s->value[1]);
	}
}

/* ---- 3.3 foreign: interference -------------------------------------------- */

static void act_be_interfered(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	start_helper(s);
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	leave();
	order(s, ORDER_STOP);
}

/* The row 3.3, after one interference; strict tasks are gone by themselves. */
#define EXPECT_FOREIGN(cause_number, cause_text) do {			\
	switch (variant->mode) {					\
	case MODE_STRICT:						\
		break;							\
	case MODE_SIGNAL:						\
		EXPECT_TRUE(UNTIL(self->s->hits == 1));			\
		EXPECT_EQ(0, self->s->flags_in_handler);		\
		EXPECT_EQ(cause_number, self->s->seen.si_errno);	\
		break;							\
	case MODE_PERSISTENT:						\
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= 1));	\
		EXPECT_TRUE(UNTIL(isolated(self->s, pid)));		\
		break;							\
	case MODE_ONE_SHOT:						\
		EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));			\
		EXPECT_TRUE(alive(self->s));				\
		break;							\
	}								\
	if (variant->mode != MODE_STRICT)				\
		self->s->may = 1;					\
	status = finish(pid);						\
	if (variant->mode == MODE_STRICT) {				\
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status); \
	} else {							\
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status); \
	}								\
	if (variant->mode == MODE_PERSISTENT) {				\
		EXPECT_EQ((long)variant->flags, self->s->flags_after);	\
		EXPECT_GE(self->s->info.foreign - self->s->before.foreign, 1); \
		EXPECT_EQ(self->s->before.own + self->s->toll + GET_TOLL, self->s->info.own);	\
		EXPECT_EQ(0, self->s->hits);				\
	} else {							\
		if (variant->mode != MODE_STRICT) {			\
			EXPECT_EQ(0, self->s->flags_after);		\
		}							\
		EXPECT_TRUE(last_loss_is(CPU_A, pid, cause_text))	\
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss")); \
	}								\
} while (0)

TEST_F_TIMEOUT(modes, p3_3_tlb_flush_by_a_sibling_mprotect, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	self->s->order = ORDER_TLB;
	EXPECT_FOREIGN(TASK_ISOLATION_CAUSE_TLB_FLUSH, "tlb flush");
}

TEST_F_TIMEOUT(modes, p3_3_tlb_flush_by_a_sibling_munmap, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	self->s->order = ORDER_UNMAP;
	EXPECT_FOREIGN(TASK_ISOLATION_CAUSE_TLB_FLUSH, "tlb flush");
}

TEST_F_TIMEOUT(modes, p3_3_a_cross_call_by_membarrier, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	self->s->order = ORDER_IPI;
	EXPECT_FOREIGN(TASK_ISOLATION_CAUSE_IPI, "ipi");
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ(1, self->s->info.foreign - self->s->before.foreign);
	}
}

TEST_F_TIMEOUT(modes, p3_3_a_cross_call_from_the_kernel, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	ASSERT_EQ(0, disturb("ipi", CPU_A));
	EXPECT_FOREIGN(TASK_ISOLATION_CAUSE_IPI, "ipi");
}

TEST_F_TIMEOUT(modes, p3_3_a_timer_of_the_kernel, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	/* arming it kicks the CPU: whatever comes first is foreign, and named */
	ASSERT_EQ(0, disturb("timer", CPU_A));
	if (variant->mode == MODE_PERSISTENT || variant->mode == MODE_ONE_SHOT) {
		EXPECT_FOREIGN(0, "");
	} else {
		EXPECT_TRUE(UNTIL(strcmp(cpu_text(CPU_A, "last_loss"), "none")));
		EXPECT_EQ(NULL, strstr(cpu_text(CPU_A, "last_loss"), "unknown"));
		self->s->may = 1;
		status = finish(pid);
		EXPECT_TRUE(variant->mode == MODE_STRICT ? killed_by(status, SIGKILL) :
							   ended_well(status));
	}
}

static void act_thousandfold(struct stage *s)
{
	start_helper(s);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	read_info(&s->info);
	leave();
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(one, p3_3_persistent_stays_through_a_hundred, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_thousandfold);

	AWAIT_ISOLATED(AT_ENTERED + 1);
	for (int i = 0; i < 100; i++) {
		ASSERT_TRUE(order(self->s, ORDER_IPI));
		ASSERT_TRUE(UNTIL(cpu_state_is(CPU_A, "isolated")));
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(100, self->s->info.foreign - self->s->before.foreign);
	EXPECT_EQ(0, self->s->info.late);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, self->s->info.state);
}

/* ---- 3.4 delivery: signals ------------------------------------------------- */

static void act_be_signalled(struct stage *s)
{
	sigset_t set;

	handle(CHOSEN, on_chosen, 0);
	handle(SIGUSR2, on_other, 0);
	handle(SIGSEGV, on_other, 0);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_4_a_signal_with_a_handler, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_signalled);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	ASSERT_TRUE(UNTIL(self->s->others == 1));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(0, self->s->flags_in_handler);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(SI_USER, self->s->other.si_code);
	EXPECT_EQ(getpid(), self->s->other.si_pid);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits) TH_LOG("hits %d", self->s->hits);
	if (variant->mode == MODE_SIGNAL) {
		EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->seen.si_errno);
	}
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
	EXPECT_EQ(SIGUSR2, self->s->info.loss_detail);
	EXPECT_EQ(1, self->s->info.foreign);
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "signal 12"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
}

static void act_pause(struct stage *s)
{
	handle(SIGUSR2, on_other, 0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	s->at = AT_ENTERED + 1;
	pause();
	read_info(&s->info);
}

/* It came with an entry that was counted as own already. */
TEST_F_TIMEOUT(one, p7_2_a_signal_in_a_call_is_counted_once, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_pause);

	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED + 1));
	ASSERT_TRUE(UNTIL(cpu_state_is(CPU_A, "entering")));
	ASSERT_EQ(0, kill(pid, SIGUSR2));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->others);
	EXPECT_EQ(1, self->s->info.own - self->s->before.own);
	EXPECT_EQ(self->s->before.foreign, self->s->info.foreign);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
}

TEST_F_TIMEOUT(modes, p3_4_an_ignored_signal_reaches_nobody, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_signalled);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, SIGHUP));
	EXPECT_TRUE(isolated(self->s, pid));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
}

TEST_F_TIMEOUT(modes, p3_4_a_blocked_signal_waits_outside, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_signalled);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, SIGALRM));
	EXPECT_TRUE(isolated(self->s, pid));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
}

TEST_F_TIMEOUT(modes, p3_4_a_signal_without_a_handler_takes_its_default, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_signalled);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, kill(pid, SIGTERM));
	EXPECT_TRUE(killed_by(finish(pid), SIGTERM));
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void on_segv_repair(int sig, siginfo_t *si, void *context)
{
	on_other(sig, si, context);
	mprotect(si->si_addr, 4096, PROT_READ | PROT_WRITE);
}

static void act_segv(struct stage *s)
{
	volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(CHOSEN, on_chosen, 0);
	handle(SIGSEGV, on_segv_repair, 0);
	if (enter_on_stage(s, s->flags))
		return;
	page[0] = 7;
	s->value[0] = page[0];
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_4_the_task_s_own_SIGSEGV_is_delivered, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_segv);
	int status = finish(pid);

	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(1, self->s->others);
	EXPECT_EQ(SIGSEGV, self->s->other.si_signo);
	EXPECT_EQ(7, self->s->value[0]);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_SIGNAL, self->s->info.loss_cause);
	EXPECT_EQ(SIGSEGV, self->s->info.loss_detail);
}

/* ---- 3.6 NMI ---------------------------------------------------------------- */

TEST_F_TIMEOUT(modes, p3_6_an_nmi_is_judged_at_once, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_interfered);
	int status;

	AWAIT_ISOLATED(AT_ENTERED + 1);
	ASSERT_EQ(0, disturb("nmi", CPU_A));
	EXPECT_FOREIGN(TASK_ISOLATION_CAUSE_NMI, "nmi");
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ(1, self->s->info.foreign - self->s->before.foreign)
			TH_LOG("the NMI and its self-interrupt count once");
	}
}

TEST_F_TIMEOUT(one, p3_6_a_hundred_nmis_count_a_hundred, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_thousandfold);

	AWAIT_ISOLATED(AT_ENTERED + 1);
	for (long i = 1; i <= 100; i++) {
		ASSERT_EQ(0, disturb("nmi", CPU_A));
		ASSERT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= i));
		ASSERT_TRUE(UNTIL(cpu_state_is(CPU_A, "isolated")));
	}
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(100, self->s->info.foreign - self->s->before.foreign);
}

/* ---- 3.7 what arrives while entering ----------------------------------------- */

static void act_enter_slowly(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	signal(SIGHUP, SIG_IGN);
	start_helper(s);
	arm_local_timer(1500 + 3 * default_timeout_ms() / 2);
	s->at = AT_READY;
	if (enter_on_stage(s, s->flags))
		return;
	spin_until_may(s, 1);
	s->flags_after = flags_now();
	read_info(&s->info);
	leave();
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(modes, p3_7_what_arrives_while_entering_is_no_loss, CASE_TIMEOUT)
{
	int during = 0;
	pid_t pid;

	write_text(FILE_TIMER_MIGRATION, "0");
	write_number(FILE_TIMEOUT, 60000);
	pid = actor(self->s, CPU_A, act_enter_slowly);
	EXPECT_TRUE(UNTIL(self->s->at == AT_READY && cpu_state_is(CPU_A, "entering")));
	while (self->s->at == AT_READY && during < 50) {
		ASSERT_TRUE(order(self->s, during % 2 ? ORDER_IPI : ORDER_TLB));
		ASSERT_EQ(0, disturb(during % 3 ? "ipi" : "nmi", CPU_A));
		kill(pid, SIGHUP);
		during++;
	}
	/* all of it must have come before the end of the wait */
	ASSERT_EQ(AT_READY, self->s->at) TH_LOG("only %d disturbances in time", during);
	write_text(FILE_TIMER_MIGRATION, "1");
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, self->s->info.loss_cause);
}

static void act_serve_fault_inside(struct stage *s)
{
	struct task_isolation_info *info = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
						MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 0; i < 100; i++)
		if (read_info(info))
			s->value[0]++;
	s->info = *info;
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(modes, p3_7_a_fault_inside_an_exempt_call_is_none, CASE_TIMEOUT)
{
	int status = finish(actor(self->s, CPU_A, act_serve_fault_inside));

	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_EQ(0, self->s->hits);
	EXPECT_EQ(0, self->s->info.foreign);
}

TEST_HARNESS_MAIN
