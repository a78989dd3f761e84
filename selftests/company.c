// SPDX-License-Identifier: GPL-2.0
/*
 * Isolation in company of the rest of the kernel: rivals for a CPU, scheduling
 * policies, userfaultfd, io_uring, perf events, timers, rseq and core dumps.
 */
#include "isolation.h"
#include <elf.h>
#include <linux/io_uring.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/rseq.h>
#include <sys/time.h>
#include "kselftest_harness.h"

STAGE_FIXTURE(one)

MODES_FIXTURE(modes)

/* Isolated all the time, and nothing happens. */
#define EXPECT_SILENCE(ms) do {						\
	unsigned long all_ = interrupts(CPU_A, "all");			\
	for (long end_ = now_ms() + (ms); now_ms() < end_;)		\
		rest();							\
	EXPECT_EQ(all_, interrupts(CPU_A, "all"));			\
	EXPECT_TRUE(isolated(self->s, pid)) TH_LOG("state %s", cpu_text(CPU_A, "state")); \
} while (0)

/* Enter; with step 1 ask, which is an own entry and exempt; with step 2 leave. */
static void act_stay(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags)) {
		read_info(&s->info);
		return;
	}
	take_before(s);
	spin_until_may(s, 1);
	flags_now();
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
	s->flags_after = flags_now();
	read_info(&s->info);
	leave();
}

/* ---- 4.5 rivals ----------------------------------------------------------- */

static atomic_int *inside;	/* how many believe that they own the CPU */
static int stay;		/* how often an owner relaxes */

static void act_rival(struct stage *s)
{
	handle(CHOSEN, on_chosen, SA_NODEFER);
	while (s->may < 1) {
		int error = enter(s->flags) ? errno : 0;

		s->turns++;
		if (!error) {
			s->entered++;
			/* with a chosen signal it may have lost by now */
			if (s->flags == PERSISTENT && atomic_fetch_add(inside, 1))
				s->value[3]++;
			for (int i = 0; i < stay; i++)
				relax();
			if (s->flags == PERSISTENT)
				atomic_fetch_sub(inside, 1);
			if (leave())
				s->value[2]++;
			if (flags_now())
				s->value[2]++;
		} else if (error == EBUSY) {
			s->value[0]++;
		} else if (error != EAGAIN) {
			s->value[1] = error;
		}
		/* sleepers on one CPU, so that each finds it empty now and then */
		usleep(300 + s->turns % 7 * 100);
	}
}

static void rivals(struct __test_metadata *_metadata, unsigned long a, unsigned long b)
{
	struct stage *s[2] = { stage_new(), stage_new() };
	bool slow = default_timeout_ms() > 1000;
	int enough = slow ? 1 : 3;
	pid_t pid[2], strangers = 0;
	long begin;

	inside = (void *)((char *)s[0] + 32768);
	/* who waits for the other gives up soon; RCU callbacks take their time on a debug kernel */
	write_number(FILE_TIMEOUT, slow ? 1000 : 20);
	/* the emulator runs all other CPUs in between, for tens of ms on a debug kernel */
	stay = slow ? 20 : 500;
	s[0]->flags = a;
	s[1]->flags = b;
	for (int i = 0; i < 2; i++)
		pid[i] = actor(s[i], CPU_A, act_rival);
	begin = now_ms();
	EXPECT_TRUE(UNTIL(({
		pid_t owner = owner_of(CPU_A);

		if (owner && owner != pid[0] && owner != pid[1])
			strangers = owner;
		now_ms() > begin + 1000 && s[0]->entered >= enough && s[1]->entered >= enough;
	}))) TH_LOG("entered %d and %d times in %lu and %lu turns, CPU in use %ld and %ld times",
		s[0]->entered, s[1]->entered, s[0]->turns, s[1]->turns, s[0]->value[0],
		s[1]->value[0]);
	for (int i = 0; i < 2; i++)
		s[i]->may = 1;
	for (int i = 0; i < 2; i++) {
		EXPECT_TRUE(ended_well(finish(pid[i])));
		EXPECT_EQ(0, s[i]->value[1]) TH_LOG("errno %ld", s[i]->value[1]);
		EXPECT_EQ(0, s[i]->value[2]) TH_LOG("left, and isolated");
		EXPECT_EQ(0, s[i]->value[3]) TH_LOG("two owners at one time");
		EXPECT_LE(s[i]->hits, s[i]->entered) TH_LOG("more losses than stays");
	}
	EXPECT_EQ(0, strangers);
	restore_switches();
	NEXT_CAN_ENTER(STRICT);
}

TEST_F_TIMEOUT(one, p4_5_two_persistent_tasks_want_one_cpu, CASE_TIMEOUT)
{
	rivals(_metadata, PERSISTENT, PERSISTENT);
}

TEST_F_TIMEOUT(one, p4_5_two_tasks_with_signals_want_one_cpu, CASE_TIMEOUT)
{
	rivals(_metadata, WITH_SIGNAL(CHOSEN), WITH_SIGNAL(CHOSEN));
}

TEST_F_TIMEOUT(one, p4_5_two_tasks_of_different_modes_want_one_cpu, CASE_TIMEOUT)
{
	rivals(_metadata, PERSISTENT, WITH_SIGNAL(CHOSEN));
}

/* ---- 5.4 scheduling policies ----------------------------------------------- */

struct scheduling {
	__u32 size, policy;
	__u64 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime, deadline, period;
};

static int schedule_as(pid_t pid, int policy, int nice, int priority)
{
	struct scheduling attr = {
		.size = 48, .policy = policy, .nice = nice, .priority = priority,
	};

	if (policy == 6) {
		attr.runtime = 10000000;
		attr.deadline = attr.period = 100000000;
	}
	return syscall(SYS_sched_setattr, pid, &attr, 0);
}

FIXTURE(policy) { struct stage *s; };
FIXTURE_VARIANT(policy) { int policy, nice, priority; };
FIXTURE_VARIANT_ADD(policy, nice_19) { .policy = SCHED_OTHER, .nice = 19 };
FIXTURE_VARIANT_ADD(policy, nice_minus_20) { .policy = SCHED_OTHER, .nice = -20 };
FIXTURE_VARIANT_ADD(policy, batch) { .policy = SCHED_BATCH };
FIXTURE_VARIANT_ADD(policy, idle) { .policy = SCHED_IDLE };
FIXTURE_VARIANT_ADD(policy, rr_1) { .policy = SCHED_RR, .priority = 1 };
FIXTURE_VARIANT_ADD(policy, rr_99) { .policy = SCHED_RR, .priority = 99 };
FIXTURE_VARIANT_ADD(policy, fifo_99) { .policy = SCHED_FIFO, .priority = 99 };
FIXTURE_SETUP(policy)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->value[0] = variant->policy;
	self->s->value[1] = variant->nice;
	self->s->value[2] = variant->priority;
}
FIXTURE_TEARDOWN(policy)
{
	restore_switches();
}

static void act_stay_as(struct stage *s)
{
	if (schedule_as(0, s->value[0], s->value[1], s->value[2]))
		_exit(113);
	act_stay(s);
}

TEST_F_TIMEOUT(policy, p5_4_a_strict_owner, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->flags = STRICT;
	/* the policy is the question here, not the time that RCU callbacks take */
	write_number(FILE_TIMEOUT, 15000);
	pid = actor(self->s, CPU_A, act_stay_as);
	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_SILENCE(300);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)STRICT, self->s->flags_after);
	EXPECT_EQ(0, owner_of(CPU_A));
}

/*
 * A plain owner is interrupted. A real-time owner is not at once: who comes has to
 * wait for the fair server's time (fair_server.c), or is let in at the owner's next
 * own entry, which may be an exempt one.
 */
TEST_F_TIMEOUT(policy, p5_4_a_kworker_comes_to_an_isolated_owner, CASE_TIMEOUT)
{
	bool real_time = variant->policy == SCHED_FIFO || variant->policy == SCHED_RR;
	long before = disturbances_run();
	pid_t pid;

	self->s->flags = PERSISTENT;
	write_number(FILE_TIMEOUT, 15000);
	pid = actor(self->s, CPU_A, act_stay_as);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, disturb("work", CPU_A));
	if (real_time) {
		EXPECT_SILENCE(200);
		EXPECT_EQ(before, disturbances_run());
	} else {
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= 1));
	}
	self->s->may = 1;
	EXPECT_TRUE(UNTIL(self->s->at > AT_ENTERED));
	EXPECT_TRUE(UNTIL(isolated(self->s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	EXPECT_EQ(before + 1, disturbances_run());
	EXPECT_SILENCE(200);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)PERSISTENT, self->s->flags_after);
	EXPECT_EQ(!real_time, self->s->info.foreign > 0);
	EXPECT_EQ(0, owner_of(CPU_A));
}

/*
 * Somebody makes a deadline task of an owner. Its CPU needs a tick then, so it
 * cannot stay isolated; nor can it be isolated again before that is undone.
 */
TEST_F_TIMEOUT(modes, p7_1_an_owner_becomes_a_deadline_task, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid = actor(s, CPU_A, act_stay);
	char runtime[32];
	int error, status;
	long before;

	AWAIT_ISOLATED(AT_ENTERED);
	/* without bandwidth control a deadline task may be bound to one CPU */
	read_text(FILE_RT_RUNTIME, runtime, sizeof(runtime));
	ASSERT_EQ(0, write_text(FILE_RT_RUNTIME, "-1"));
	before = reserved_bandwidth(CPU_A);
	error = schedule_as(pid, 6, 0, 0) ? errno : 0;
	EXPECT_EQ(0, error);
	EXPECT_TRUE(UNTIL(!cpu_state_is(CPU_A, "isolated")));
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= 1));
		EXPECT_TRUE(alive(s));
		for (int i = 0; i < 100; i++) {
			EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
			rest();
		}
		EXPECT_EQ(pid, owner_of(CPU_A));
		EXPECT_EQ(0, schedule_as(pid, SCHED_OTHER, 0, 0));
		s->may = 1;
		EXPECT_TRUE(UNTIL(s->at > AT_ENTERED));
		EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	} else {
		EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));
	}
	s->may = 2;
	status = finish(pid);
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
		EXPECT_EQ(variant->mode == MODE_PERSISTENT ? (long)s->flags : 0, s->flags_after);
	}
	if (variant->mode != MODE_PERSISTENT) {
		EXPECT_NE(0, strcmp(cpu_text(CPU_A, "last_loss"), "none"));
		EXPECT_EQ(NULL, strstr(cpu_text(CPU_A, "last_loss"), "unknown"))
			TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	}
	EXPECT_TRUE(UNTIL(reserved_bandwidth(CPU_A) == before));
	EXPECT_EQ(0, write_text(FILE_RT_RUNTIME, runtime));
	NEXT_CAN_ENTER(STRICT);
}

/* ---- 3.2 userfaultfd -------------------------------------------------------- */

static void *page_giver(void *arg)
{
	struct stage *s = arg;
	struct uffdio_copy copy = { .len = 4096 };
	struct uffd_msg msg;
	static char page[4096] __attribute__((aligned(4096)));

	bind_to(HOUSE);
	memset(page, 'g', sizeof(page));
	s->helper = 1;
	while (read(s->fd[0], &msg, sizeof(msg)) != sizeof(msg))
		rest();
	s->value[1] = msg.arg.pagefault.address;
	copy.dst = (unsigned long)s->page;
	copy.src = (unsigned long)page;
	ioctl(s->fd[0], UFFDIO_COPY, &copy);
	s->helper = 2;
	return NULL;
}

static void act_missing_page(struct stage *s)
{
	struct uffdio_register area = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	handle(CHOSEN, on_chosen, 0);
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	s->fd[0] = syscall(SYS_userfaultfd, O_CLOEXEC);
	area.range.start = (unsigned long)s->page;
	area.range.len = 4096;
	if (s->fd[0] < 0 || ioctl(s->fd[0], UFFDIO_API, &api) ||
	    ioctl(s->fd[0], UFFDIO_REGISTER, &area))
		_exit(106);
	start_thread(page_giver, s);
	while (!s->helper)
		rest();
	prefault();
	if (enter_on_stage(s, s->flags))
		return;
	take_before(s);
	s->value[0] = *(volatile char *)s->page;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_2_a_fault_that_a_sibling_serves, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid = actor(s, CPU_A, act_missing_page);
	int status = finish(pid);

	ASSERT_EQ(0, s->error);
	EXPECT_EQ((long)s->page, s->value[1] & -4096L) TH_LOG("the fault was not served");
	if (variant->mode == MODE_STRICT) {
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
		EXPECT_EQ(0, s->value[0]);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		EXPECT_EQ('g', s->value[0]);
		EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
	}
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ((long)s->flags, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
		/* it slept in its fault: that is one entry, and the sibling's work none */
		EXPECT_EQ(1 + 2 * s->toll, s->info.own - s->before.own);
		EXPECT_EQ(0, s->info.foreign);
	} else {
		EXPECT_LAST_LOSS(pid, "page fault at");
	}
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	NEXT_CAN_ENTER(STRICT);
}

/* ---- io_uring --------------------------------------------------------------- */

struct ring {
	int fd;
	_Atomic unsigned int *sq_tail, *sq_flags, *cq_head, *cq_tail;
	unsigned int *sq_array, sq_mask, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes;
};

static struct ring ring;

static void set_up_ring(unsigned int flags)
{
	struct io_uring_params p = {
		/* not where the test waits: the thread is never idle, nor does it pause */
		.flags = flags, .sq_thread_cpu = HOUSE + 1, .sq_thread_idle = 60000,
	};
	char *at;

	ring.fd = syscall(SYS_io_uring_setup, 8, &p);
	if (ring.fd < 0 || !(p.features & IORING_FEAT_SINGLE_MMAP))
		_exit(114);
	at = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
		  IORING_OFF_SQ_RING);
	ring.sqes = mmap(NULL, 8 * sizeof(*ring.sqes), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
	if (at == MAP_FAILED) {
		/* the rings are smaller than that */
		at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
			  IORING_OFF_SQ_RING);
	}
	if (at == MAP_FAILED || ring.sqes == MAP_FAILED)
		_exit(115);
	ring.sq_tail = (void *)(at + p.sq_off.tail);
	ring.sq_flags = (void *)(at + p.sq_off.flags);
	ring.sq_array = (void *)(at + p.sq_off.array);
	ring.sq_mask = *(unsigned int *)(at + p.sq_off.ring_mask);
	ring.cq_head = (void *)(at + p.cq_off.head);
	ring.cq_tail = (void *)(at + p.cq_off.tail);
	ring.cq_mask = *(unsigned int *)(at + p.cq_off.ring_mask);
	ring.cqes = (void *)(at + p.cq_off.cqes);
}

/* Lays one request of one byte into the ring; nobody is told. */
static void put_request(int opcode, int fd, void *byte)
{
	unsigned int tail = *ring.sq_tail;
	struct io_uring_sqe *sqe = &ring.sqes[tail & ring.sq_mask];

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (unsigned long)byte;
	sqe->len = 1;
	sqe->user_data = tail + 1;
	ring.sq_array[tail & ring.sq_mask] = tail & ring.sq_mask;
	*ring.sq_tail = tail + 1;
}

/* The result of the next completion; waits for it in user space. */
static int take_completion(struct stage *s)
{
	unsigned int head = *ring.cq_head;
	int result;

	while (*ring.cq_tail == head && !s->value[4]) {
		s->turns++;
		relax();
	}
	result = ring.cqes[head & ring.cq_mask].res;
	*ring.cq_head = head + 1;
	return result;
}

#define REQUESTS 100
/* Each costs the emulator a time slice of the thread. */
#define POLLED_REQUESTS 10

static void act_submit(struct stage *s)
{
	set_up_ring(0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	for (int i = 0; i < REQUESTS; i++) {
		put_request(IORING_OP_WRITE, s->fd[1], "x");
		if (syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0) != 1)
			s->value[0]++;
		if (take_completion(s) != 1)
			s->value[1]++;
	}
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_1_a_persistent_task_submits_to_io_uring, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	int bytes = 0;

	ASSERT_EQ(0, pipe(s->fd));
	ASSERT_TRUE(ended_well(finish(actor(s, CPU_A, act_submit))));
	ASSERT_EQ(0, s->error);
	EXPECT_EQ(0, s->value[0]);
	EXPECT_EQ(0, s->value[1]);
	ioctl(s->fd[0], FIONREAD, &bytes);
	EXPECT_EQ(REQUESTS, bytes);
	EXPECT_EQ((long)PERSISTENT, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_ISOLATED, s->info.state);
	EXPECT_EQ(REQUESTS + 2 * s->toll, s->info.own - s->before.own);
	EXPECT_EQ(0, s->info.foreign);
	EXPECT_EQ(0, s->info.late);
	NEXT_CAN_ENTER(STRICT);
}

static void act_ring_only(struct stage *s)
{
	set_up_ring(IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF);
	/* one before: the thread is awake, for it may start asleep, and has touched what it needs */
	put_request(IORING_OP_WRITE, s->fd[1], "x");
	while (*(volatile unsigned int *)ring.cq_tail == *ring.cq_head) {
		if (*(volatile unsigned int *)ring.sq_flags & IORING_SQ_NEED_WAKEUP)
			syscall(SYS_io_uring_enter, ring.fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0);
		relax();
	}
	take_completion(s);
	be_resident(s);
	if (enter_on_stage(s, s->flags))
		return;
	for (int i = 1; i < POLLED_REQUESTS; i++) {
		put_request(IORING_OP_WRITE, s->fd[1], "x");
		if (take_completion(s) != 1)
			s->value[1]++;
		/* it would have to be woken, by a call */
		if (*ring.sq_flags & IORING_SQ_NEED_WAKEUP)
			s->value[0]++;
	}
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	leave();
}

/* The way to have the kernel work for a strict task: a thread of it elsewhere. */
TEST_F_TIMEOUT(modes, p3_1_a_ring_that_a_thread_elsewhere_polls_needs_no_entry, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	int bytes = 0;
	pid_t pid;

	ASSERT_EQ(0, pipe(s->fd));
	pid = actor(s, CPU_A, act_ring_only);
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(0, s->value[0]) TH_LOG("the thread fell asleep");
	EXPECT_EQ(0, s->value[1]);
	ioctl(s->fd[0], FIONREAD, &bytes);
	EXPECT_EQ(POLLED_REQUESTS, bytes);
	EXPECT_EQ((long)s->flags, s->flags_after);
	/* the two questions */
	EXPECT_EQ(2, s->info.own);
	EXPECT_EQ(0, s->info.foreign);
	EXPECT_EQ(0, s->info.late);
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	NEXT_CAN_ENTER(STRICT);
}

static void act_await_completion(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	set_up_ring(s->value[5]);
	/* nothing to read yet: the ring waits for it */
	put_request(IORING_OP_READ, s->fd[0], &s->bytes[0]);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0) != 1)
		_exit(116);
	be_resident(s);
	if (enter_on_stage(s, s->flags))
		return;
	s->value[1] = take_completion(s);
	s->value[2] = 1;
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 1);
	leave();
}

/* What the ring completes on its task's own time is task work, which passes. */
TEST_F_TIMEOUT(modes, p3_5_a_completion_of_io_uring_passes, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;

	ASSERT_EQ(0, pipe(s->fd));
	pid = actor(s, CPU_A, act_await_completion);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(1, write(s->fd[1], "y", 1));
	EXPECT_TRUE(UNTIL(s->at > AT_ENTERED));
	EXPECT_EQ(1, s->value[1]);
	EXPECT_EQ('y', s->bytes[0]);
	EXPECT_EQ(1, s->info.foreign);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
	if (variant->mode == MODE_PERSISTENT) {
		EXPECT_EQ((long)s->flags, s->flags_after);
		EXPECT_TRUE(UNTIL(isolated(s, pid))) TH_LOG("state %s", cpu_text(CPU_A, "state"));
	} else {
		EXPECT_EQ(0, s->flags_after);
		EXPECT_EQ(0, owner_of(CPU_A));
		EXPECT_LAST_LOSS(pid, "work");
	}
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	NEXT_CAN_ENTER(STRICT);
}

static void act_fetch_completion(struct stage *s)
{
	set_up_ring(IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
	put_request(IORING_OP_READ, s->fd[0], &s->bytes[0]);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 0, 0, NULL, 0) != 1)
		_exit(116);
	be_resident(s);
	if (enter_on_stage(s, PERSISTENT))
		return;
	take_before(s);
	spin_until_may(s, 1);
	syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	s->value[1] = take_completion(s);
	s->flags_after = flags_now();
	read_info(&s->info);
	s->at = AT_ENTERED + 1;
	spin_until_may(s, 2);
	leave();
}

TEST_F_TIMEOUT(one, p3_1_a_completion_that_is_fetched_interrupts_nobody, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;

	ASSERT_EQ(0, pipe(s->fd));
	pid = actor(s, CPU_A, act_fetch_completion);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(1, write(s->fd[1], "y", 1));
	EXPECT_SILENCE(200);
	s->may = 1;
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_EQ(1, s->value[1]);
	EXPECT_EQ('y', s->bytes[0]);
	EXPECT_EQ((long)PERSISTENT, s->flags_after);
	EXPECT_EQ(1 + 2 * s->toll, s->info.own - s->before.own);
	EXPECT_EQ(0, s->info.foreign);
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
}

/* ---- perf events -------------------------------------------------------------- */

static int open_event(pid_t pid, unsigned long what, unsigned long period)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = what,
		.size = sizeof(attr),
		.sample_period = period,
	};

	return syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static void act_counted(struct stage *s)
{
	static const unsigned long what[] = {
		PERF_COUNT_SW_PAGE_FAULTS, PERF_COUNT_SW_CONTEXT_SWITCHES, PERF_COUNT_SW_TASK_CLOCK,
	};
	volatile char *page;
	__u64 count[3] = { 0 };
	int fd[3];

	for (int i = 0; i < 3; i++) {
		fd[i] = open_event(0, what[i], 0);
		if (fd[i] < 0)
			_exit(117);
	}
	page = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 4; i++)
		page[i * 4096] = 1;
	act_stay(s);
	for (int i = 0; i < 3; i++) {
		if (read(fd[i], &count[i], sizeof(count[i])) != sizeof(count[i]))
			_exit(118);
		s->value[i] = count[i];
	}
}

TEST_F_TIMEOUT(modes, p5_2_events_that_only_count_keep_nobody_out, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_counted);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_SILENCE(300);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)variant->flags, self->s->flags_after);
	EXPECT_GE(self->s->value[0], 4) TH_LOG("page faults");
	EXPECT_GE(self->s->value[2], 300000000) TH_LOG("task clock: it did not run while isolated");
}

static void act_sampled(struct stage *s)
{
	/* every 10 ms of its own time */
	int fd = open_event(0, PERF_COUNT_SW_TASK_CLOCK, 10000000);

	if (fd < 0)
		_exit(117);
	s->error = enter(s->flags) ? errno : 0;
	s->flags_after = flags_now();
	read_info(&s->info);
	close(fd);
	s->value[0] = enter(s->flags) ? errno : 0;
	s->value[1] = flags_now();
}

TEST_F_TIMEOUT(modes, p2_7_an_event_that_samples_is_EAGAIN, CASE_TIMEOUT)
{
	struct stage *s = self->s;

	write_number(FILE_TIMEOUT, default_timeout_ms() / 3);
	ASSERT_TRUE(ended_well(finish(actor(s, CPU_A, act_sampled))));
	EXPECT_EQ(EAGAIN, s->error);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(EAGAIN, s->info.refusal_errno);
	EXPECT_NE(NULL, strstr(s->info.refusal, "perf")) TH_LOG("refusal '%s'", s->info.refusal);
	EXPECT_TRUE(s->info.refusal_unmet & TASK_ISOLATION_UNMET_TIMER)
		TH_LOG("unmet %#x", s->info.refusal_unmet);
	/* and without it the task may */
	EXPECT_EQ(0, s->value[0]);
	EXPECT_EQ((long)variant->flags, s->value[1]);
}

TEST_F_TIMEOUT(one, p7_1_somebody_samples_an_isolated_task, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid;
	int fd;

	s->flags = PERSISTENT;
	pid = actor(s, CPU_A, act_stay);
	AWAIT_ISOLATED(AT_ENTERED);
	fd = open_event(pid, PERF_COUNT_SW_TASK_CLOCK, 10000000);
	ASSERT_GE(fd, 0);
	EXPECT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= 1));
	for (int i = 0; i < 200; i++) {
		EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));
		rest();
	}
	EXPECT_EQ(pid, owner_of(CPU_A));
	close(fd);
	s->may = 1;
	AWAIT_ISOLATED(AT_ENTERED + 1);
	EXPECT_SILENCE(200);
	s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)PERSISTENT, s->flags_after);
}

/* ---- timers -------------------------------------------------------------------- */

enum { POSIX_TIMER, ITIMER, TIMERFD, ALARM };

static void arm(int kind, long ms)
{
	struct itimerspec due = { .it_value = { ms / 1000, ms % 1000 * 1000000 } };
	struct itimerval real = { .it_value = { ms / 1000, ms % 1000 * 1000 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
	timer_t timer;

	switch (kind) {
	case POSIX_TIMER:
		if (timer_create(CLOCK_MONOTONIC, &event, &timer) ||
		    timer_settime(timer, 0, &due, NULL))
			_exit(105);
		break;
	case ITIMER:
		if (setitimer(ITIMER_REAL, &real, NULL))
			_exit(105);
		break;
	case TIMERFD:
		if (arm_local_timer(ms) < 0)
			_exit(105);
		break;
	case ALARM:
		alarm(ms / 1000);
		break;
	}
}

FIXTURE(timer) { struct stage *s; };
FIXTURE_VARIANT(timer) { int kind; const char *function; };
FIXTURE_VARIANT_ADD(timer, posix) { .kind = POSIX_TIMER, .function = "posix_timer_fn" };
FIXTURE_VARIANT_ADD(timer, itimer) { .kind = ITIMER, .function = "it_real_fn" };
FIXTURE_VARIANT_ADD(timer, timerfd) { .kind = TIMERFD, .function = "timerfd" };
FIXTURE_VARIANT_ADD(timer, alarm) { .kind = ALARM, .function = "it_real_fn" };
FIXTURE_SETUP(timer)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->value[5] = variant->kind;
}
FIXTURE_TEARDOWN(timer)
{
	write_text(FILE_TIMER_MIGRATION, "1");
	restore_switches();
}

static void act_arm_and_stay(struct stage *s)
{
	arm(s->value[5], 3600 * 1000L);
	s->value[0] = now_ms();
	act_stay(s);
	s->value[0] = now_ms() - s->value[0];
}

static void act_tick(struct stage *s)
{
	s->at = AT_READY;
	spin_until_may(s, 1);
}

/*
 * As a nohz_full CPU is set up, its timers sit on housekeeping CPUs. The kernel leaves one
 * where it is armed when the other CPU waits for nothing earlier: busy, it waits for a tick.
 * Between both every housekeeping CPU is.
 */
static bool begin_ticks(struct stage *ticking[])
{
	bool begun = true;

	for (int cpu = 0; cpu < CPU_A; cpu++) {
		ticking[cpu] = stage_new();
		actor(ticking[cpu], cpu, act_tick);
		begun = UNTIL(ticking[cpu]->at == AT_READY) && begun;
	}
	return begun;
}

static bool end_ticks(struct stage *ticking[])
{
	bool ended = true;

	for (int cpu = 0; cpu < CPU_A; cpu++) {
		ticking[cpu]->may = 1;
		ended = UNTIL(ticking[cpu]->at == AT_DONE) && ended;
	}
	return ended;
}

TEST_F_TIMEOUT(timer, p5_2_a_timer_far_away_sits_elsewhere, CASE_TIMEOUT)
{
	struct stage *ticking[CPU_A];
	pid_t pid;

	ASSERT_TRUE(begin_ticks(ticking));
	self->s->flags = STRICT;
	pid = actor(self->s, CPU_A, act_arm_and_stay);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(end_ticks(ticking));
	EXPECT_SILENCE(200);
	self->s->may = 2;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ((long)STRICT, self->s->flags_after);
}

TEST_F_TIMEOUT(timer, p2_7_a_timer_far_away_on_this_cpu_is_EAGAIN, CASE_TIMEOUT)
{
	ASSERT_EQ(0, write_text(FILE_TIMER_MIGRATION, "0"));
	write_number(FILE_TIMEOUT, 30000);
	self->s->flags = STRICT;
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_arm_and_stay))));
	EXPECT_EQ(EAGAIN, self->s->error);
	EXPECT_LT(self->s->value[0], 15000) TH_LOG("it waited %ld ms", self->s->value[0]);
	EXPECT_TRUE(self->s->info.refusal_unmet & TASK_ISOLATION_UNMET_TIMER)
		TH_LOG("unmet %#x", self->s->info.refusal_unmet);
	EXPECT_NE(NULL, strstr(self->s->info.refusal, variant->function))
		TH_LOG("refusal '%s'", self->s->info.refusal);
	EXPECT_EQ(0, owner_of(CPU_A));
}

static void act_alarmed(struct stage *s)
{
	handle(SIGALRM, on_other, 0);
	arm(ITIMER, default_timeout_ms() + 1000);
	if (enter_on_stage(s, STRICT))
		return;
	while (!s->others)
		relax();
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(one, p3_4_a_timer_that_expires_is_a_delivery, CASE_TIMEOUT)
{
	struct stage *ticking[CPU_A];
	int status;
	pid_t pid;

	ASSERT_TRUE(begin_ticks(ticking));
	pid = actor(self->s, CPU_A, act_alarmed);
	EXPECT_TRUE(UNTIL(self->s->at >= AT_ENTERED));
	EXPECT_TRUE(end_ticks(ticking));
	status = finish(pid);
	ASSERT_EQ(0, self->s->error);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(1, self->s->others);
	EXPECT_EQ(0, self->s->flags_in_handler);
	EXPECT_EQ(0, self->s->flags_after);
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, cpu_number(CPU_A, "own"));
	EXPECT_LAST_LOSS(pid, "signal 14");
}

static void *arming_sibling(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	s->helper = 1;
	while (!s->order)
		rest();
	arm(ITIMER, 20);
	s->helper = 2;
	while (s->may < 2)
		rest();
	return NULL;
}

static void act_armed_by_sibling(struct stage *s)
{
	sigset_t set;

	handle(CHOSEN, on_chosen, 0);
	handle(SIGALRM, on_other, 0);
	/* the sibling does not want it */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	start_thread(arming_sibling, s);
	while (!s->helper)
		rest();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	be_resident(s);
	if (enter_on_stage(s, s->flags))
		return;
	while (!s->others) {
		s->turns++;
		relax();
	}
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(modes, p3_4_a_sibling_s_timer_expires, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid = actor(s, CPU_A, act_armed_by_sibling);
	int status;

	AWAIT_ISOLATED(AT_ENTERED);
	s->order = 1;
	EXPECT_TRUE(UNTIL(s->helper == 2));
	s->may = 2;
	status = finish(pid);
	EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	EXPECT_EQ(1, s->others);
	EXPECT_EQ(0, s->flags_in_handler);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(1, s->info.foreign);
	EXPECT_EQ(0, s->info.own);
	EXPECT_EQ(variant->mode == MODE_SIGNAL, s->hits);
	EXPECT_LAST_LOSS(pid, "signal 14");
}

/* ---- rseq ----------------------------------------------------------------------- */

static volatile struct rseq *my_rseq(void)
{
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static void act_rseq(struct stage *s)
{
	volatile struct rseq *area = my_rseq();

	if (!__rseq_size || area->cpu_id != (__u32)s->cpu)
		_exit(119);
	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[0] = area->cpu_id;
	s->value[1] = area->cpu_id_start;
	/* until it is moved, which it learns without asking */
	while (area->cpu_id == (__u32)s->cpu && s->may < 1) {
		s->turns++;
		relax();
	}
	s->value[2] = area->cpu_id;
	s->flags_after = flags_now();
	read_info(&s->info);
}

TEST_F_TIMEOUT(one, p3_4_rseq_knows_the_cpu_before_and_after_a_move, CASE_TIMEOUT)
{
	struct stage *s = self->s;
	pid_t pid = actor(s, CPU_A, act_rseq);

	AWAIT_ISOLATED(AT_ENTERED);
	EXPECT_EQ(CPU_A, s->value[0]);
	EXPECT_EQ(CPU_A, s->value[1]);
	ASSERT_EQ(0, bind_task(pid, HOUSE + 1));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(HOUSE + 1, s->value[2]);
	EXPECT_EQ(0, s->flags_after);
	EXPECT_EQ(TASK_ISOLATION_CAUSE_AFFINITY, s->info.loss_cause);
	EXPECT_EQ(1, s->info.foreign);
	EXPECT_EQ(0, s->info.own);
	EXPECT_LAST_LOSS(pid, "affinity");
	NEXT_CAN_ENTER(STRICT);
}

/* ---- 4.3 core dumps --------------------------------------------------------------- */

#define FILE_CORE_PATTERN	"/proc/sys/kernel/core_pattern"

FIXTURE(core) { struct stage *s; char pattern[128]; };
FOUR_MODES(core);
FIXTURE_SETUP(core)
{
	ASSERT_TRUE(settle());
	self->s = stage_new();
	self->s->flags = variant->flags;
	read_text(FILE_CORE_PATTERN, self->pattern, sizeof(self->pattern));
	ASSERT_EQ(0, write_text(FILE_CORE_PATTERN, "/tmp/core-%p"));
}
FIXTURE_TEARDOWN(core)
{
	write_text(FILE_CORE_PATTERN, self->pattern);
	restore_switches();
}

/* How many threads the core of @pid holds, and whether @tid is one; -1 without a core. */
static int threads_in_core(pid_t pid, pid_t tid, bool *there)
{
	static char bytes[1 << 20];
	Elf64_Ehdr *file = (void *)bytes;
	Elf64_Phdr *part;
	char path[64];
	int fd, threads = 0;
	ssize_t len;

	*there = false;
	snprintf(path, sizeof(path), "/tmp/core-%d", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	close(fd);
	unlink(path);
	if (len < (ssize_t)sizeof(*file) || memcmp(bytes, ELFMAG, SELFMAG) ||
	    file->e_type != ET_CORE)
		return -1;
	part = (void *)(bytes + file->e_phoff);
	for (int i = 0; i < file->e_phnum; i++, part++) {
		size_t at = part->p_offset, end = at + part->p_filesz;

		if (part->p_type != PT_NOTE || end > (size_t)len)
			continue;
		while (at + sizeof(Elf64_Nhdr) <= end) {
			Elf64_Nhdr *note = (void *)(bytes + at);
			size_t data = at + sizeof(*note) + (note->n_namesz + 3) / 4 * 4;

			if (note->n_type == NT_PRSTATUS) {
				struct elf_prstatus *status = (void *)(bytes + data);

				threads++;
				*there |= status->pr_pid == tid;
			}
			at = data + (note->n_descsz + 3) / 4 * 4;
		}
	}
	return threads;
}

static void allow_core(void)
{
	struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_CORE, &any))
		_exit(120);
}

#define DUMPED(threads, tid) do {					\
	bool there_;							\
	EXPECT_TRUE(killed_by(status, SIGSEGV)) TH_LOG("status %#x", status); \
	EXPECT_TRUE(WCOREDUMP(status));					\
	EXPECT_EQ(threads, threads_in_core(pid, tid, &there_));		\
	EXPECT_TRUE(there_) TH_LOG("the isolated thread is missing");	\
	EXPECT_EQ(0, self->s->hits);					\
	NEXT_CAN_ENTER(STRICT);						\
} while (0)

static int *volatile nowhere;

static void act_crash(struct stage *s)
{
	allow_core();
	if (!enter_on_stage(s, s->flags))
		*nowhere = 1;
	s->value[0] = 1;
}

TEST_F_TIMEOUT(core, p4_3_an_isolated_task_dumps_core, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_crash);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_LAST_LOSS(pid, "signal 11");
	DUMPED(1, pid);
}

static void *crashing_thread(void *arg)
{
	struct stage *s = arg;

	bind_to(HOUSE);
	s->helper = 1;
	while (!s->order)
		rest();
	*nowhere = 1;
	return NULL;
}

static void act_beside_crash(struct stage *s)
{
	allow_core();
	start_thread(crashing_thread, s);
	while (!s->helper)
		rest();
	be_resident(s);
	if (!enter_on_stage(s, s->flags))
		spin_until_may(s, 1);
}

TEST_F_TIMEOUT(core, p4_3_a_sibling_of_an_isolated_task_dumps_core, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_beside_crash);
	int status;

	AWAIT_ISOLATED(AT_ENTERED);
	self->s->order = 1;
	status = finish(pid);
	EXPECT_LAST_LOSS(pid, "signal ");
	DUMPED(2, pid);
}

static void *crash_isolated(void *arg)
{
	struct stage *s = arg;

	bind_to(CPU_A);
	s->value[3] = syscall(SYS_gettid);
	if (!enter_on_stage(s, s->flags))
		*nowhere = 1;
	s->value[0] = 1;
	return NULL;
}

static void act_thread_crashes(struct stage *s)
{
	allow_core();
	bind_to(HOUSE);
	start_thread(crash_isolated, s);
	while (s->may < 1)
		rest();
}

TEST_F_TIMEOUT(core, p4_3_an_isolated_thread_dumps_core, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_thread_crashes);
	int status = finish(pid);

	ASSERT_EQ(0, self->s->error);
	EXPECT_EQ(0, self->s->value[0]);
	EXPECT_LAST_LOSS(self->s->value[3], "signal 11");
	DUMPED(2, self->s->value[3]);
}

TEST_HARNESS_MAIN
