// SPDX-License-Identifier: GPL-2.0
/*
 * The table of part 3 as one matrix: every event in every mode, to a task that
 * is alone, that has an isolated thread beside it, or one that sleeps and wakes
 * on a housekeeping CPU.
 *
 * A CASE says how its event is brought about, which row it belongs to and what
 * it is called; outcomes[] is the table itself, and happens() holds one against
 * the other. Counters are read from outside, where reading costs no entry, so
 * all of them are exact.
 */
#include "isolation.h"
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include "kselftest_harness.h"

#define CGROUP		"/sys/fs/cgroup/matrix"
#define ELSEWHERE	(HOUSE + 1)	/* a housekeeping CPU to send the task to */

#define MAX_THREADS	2		/* isolated ones of one process */

enum setting { ALONE, BESIDE_ISOLATED, BESIDE_SLEEPER };

/* ---- the table ------------------------------------------------------------ */

enum row {
	UNTOUCHED, CALL, FAULT, INTERFERENCE, DELIVERY, PASSING, NMI, EXEMPT, ROWS,
};

enum end { STAYS, LOST, OFF };

struct outcome {
	enum end end;
	bool killed, told;	/* SIGKILL; the chosen signal */
};

#define STAY	{ .end = STAYS }
#define KILL	{ .end = LOST, .killed = true }
#define TELL	{ .end = LOST, .told = true }
#define LOSE	{ .end = LOST }
#define CEASE	{ .end = OFF }

static const struct outcome outcomes[ROWS][4] = {
	/*                         strict  signal  persistent  one-shot */
	[UNTOUCHED]		= { STAY,  STAY,   STAY,       STAY },
	[CALL]		/* 3.1 */ = { KILL,  TELL,   STAY,       CEASE },
	[FAULT]		/* 3.2 */ = { KILL,  TELL,   STAY,       CEASE },
	[INTERFERENCE]	/* 3.3 */ = { KILL,  TELL,   STAY,       CEASE },
	[DELIVERY]	/* 3.4 */ = { LOSE,  TELL,   LOSE,       CEASE },
	[PASSING]	/* 3.5 */ = { LOSE,  TELL,   STAY,       CEASE },
	[NMI]		/* 3.6 */ = { KILL,  TELL,   STAY,       CEASE },
	[EXEMPT]	/* 3.8 */ = { STAY,  STAY,   STAY,       STAY },
};

static bool is_own(enum row row)
{
	return row == CALL || row == FAULT || row == EXEMPT;
}

/* What an interruption is called; a text that ends in '/' goes on with a name. */
struct name {
	int cause;
	const char *text;
};

struct event {
	enum row row;
	struct name name;
	struct name or_name;			/* either is right */
	void (*prepare)(struct stage *s);	/* actor, before it enters */
	void (*own)(struct stage *s);		/* actor, isolated */
	bool (*provoke)(struct stage *s, pid_t pid, enum mode mode);	/* test */
	void (*restore)(void);			/* test, when the process is gone */
	/* A persistent task's own call is executed: what that brings, not counted again. */
	enum row brings;
	struct name brought;
	/* The isolated thread beside it is interrupted too: in this way, under this name. */
	enum row other;
	struct name other_name, or_other_name;
	bool other_often;			/* as often as it likes */
	bool may_be_late;			/* what is left of it takes its time */
};

struct expected {
	struct outcome outcome;
	long own, foreign;
	struct name name, or_name;
	bool often, may_be_late;
};

static struct expected expect(const struct event *event, enum mode mode)
{
	struct expected e = {
		.outcome = outcomes[event->row][mode],
		.own = is_own(event->row),
		.foreign = event->row != UNTOUCHED && !is_own(event->row),
		.name = event->name,
		.or_name = event->or_name,
		.may_be_late = event->may_be_late,
	};

	if (mode == MODE_PERSISTENT && event->brings) {
		e.outcome = outcomes[event->brings][mode];
		e.name = event->brought;
	}
	return e;
}

/* The other isolated thread; it dies with the process. */
static struct expected expect_other(const struct event *event, enum mode mode, bool killed)
{
	static const struct name death = { TASK_ISOLATION_CAUSE_SIGNAL, "signal 9" };
	struct event other = {
		.row = event->other,
		.name = event->other_name.text ? event->other_name : event->name,
		.or_name = event->other_name.text ? event->or_other_name : event->or_name,
	};
	struct expected e = expect(&other, mode);

	e.often = event->other_often;
	/* its own call was refused or executed, so nothing came of it for others */
	if (event->brings && mode == MODE_STRICT)
		e.outcome = outcomes[UNTOUCHED][mode];
	if (killed && !e.outcome.killed) {
		e.outcome = outcomes[DELIVERY][MODE_STRICT];
		e.own = 0;
		e.foreign = 1;
		e.name = death;
	}
	return e;
}

/* ---- the actor ------------------------------------------------------------- */

static const struct event *event;
static enum setting setting;
static struct stage *stages[MAX_THREADS];
static atomic_int thread_runs, may_enter;
static __thread struct stage *mine;

static void on_loss(int sig, siginfo_t *si, void *context)
{
	mine->seen = *si;
	mine->flags_in_handler = flags_now();
	mine->hits++;
}

static void on_delivered(int sig, siginfo_t *si, void *context)
{
	mine->other = *si;
	mine->flags_in_handler = flags_now();
	mine->others++;
}

static void stay(struct stage *s)
{
	mine = s;
	if (enter_on_stage(s, s->flags))
		return;
	while (!s->may) {
		if (s->order) {
			s->order = 0;
			event->own(s);
		}
		s->turns++;
		relax();
	}
	s->flags_after = flags_now();
	read_info(&s->info);
	leave();
}

static void *isolated_thread(void *arg)
{
	struct stage *s = arg;

	s->value[7] = syscall(SYS_gettid);
	bind_to(s->cpu);
	thread_runs = 1;
	while (!may_enter)
		rest();
	stay(s);
	s->at = AT_DONE;
	while (pause())
		;
	return NULL;
}

static void *sleeping_thread(void *arg)
{
	bind_to(ELSEWHERE);
	thread_runs = 1;
	while (true)
		usleep(1000);
	return NULL;
}

static void act(struct stage *s)
{
	s->value[7] = getpid();
	handle(CHOSEN, on_loss, 0);
	handle(SIGUSR2, on_delivered, 0);
	if (setting == BESIDE_ISOLATED)
		start_thread(isolated_thread, stages[1]);
	else if (setting == BESIDE_SLEEPER)
		start_thread(sleeping_thread, NULL);
	while (setting != ALONE && !thread_runs)
		rest();
	be_resident(s);
	be_resident(stages[1]);
	/* what it maps is not made resident */
	if (event->prepare)
		event->prepare(s);
	may_enter = 1;
	while (setting == BESIDE_ISOLATED && stages[1]->at < AT_ENTERED)
		rest();
	stay(s);
	while (setting == BESIDE_ISOLATED && stages[1]->at != AT_DONE)
		rest();
}

/* ---- one case -------------------------------------------------------------- */

static bool fits(const char *said, const struct name *name)
{
	size_t len = name->text ? strlen(name->text) : 0;

	return len && !strncmp(said, name->text, len) &&
	       (name->text[len - 1] == '/' || !said[len] || said[len] == ' ');
}

static bool is_called(const struct expected *e, int cause)
{
	return cause == e->name.cause || (e->or_name.text && cause == e->or_name.cause);
}

static bool gone(pid_t pid)
{
	siginfo_t seen = { 0 };

	return !waitid(P_PID, pid, &seen, WEXITED | WNOHANG | WNOWAIT) && seen.si_pid == pid;
}

/* The text behind "COMM/PID: ", or the whole when it is of somebody else. */
static const char *loss_of(int cpu, pid_t id)
{
	static char text[MAX_THREADS][256];
	char *to = text[cpu != CPU_A], who[24];
	const char *at;

	snprintf(to, sizeof(text[0]), "%s", cpu_text(cpu, "last_loss"));
	snprintf(who, sizeof(who), "/%d: ", id);
	at = strstr(to, who);
	return at ? at + strlen(who) : to;
}

static bool has_come(struct stage *s, pid_t id, const struct expected *e)
{
	if (e->outcome.end != STAYS)
		return !owner_of(s->cpu) && s->hits >= e->outcome.told;
	return cpu_number(s->cpu, "own") >= e->own && cpu_number(s->cpu, "foreign") >= e->foreign &&
	       cpu_state_is(s->cpu, "isolated") && owner_of(s->cpu) == id;
}

/* What the CPU's files say of it, while the task lives and afterwards. */
static void check_files(struct __test_metadata *_metadata, struct stage *s, pid_t id,
			const struct expected *e, long absorbed)
{
	static const char *const states[] = { "isolated", "lost", "off" };
	const char *said = loss_of(s->cpu, id);

	EXPECT_STREQ(states[e->outcome.end], cpu_text(s->cpu, "state"));
	EXPECT_EQ(e->outcome.end == STAYS ? id : 0, owner_of(s->cpu));
	EXPECT_EQ(e->own, cpu_number(s->cpu, "own"));
	if (e->often) {
		EXPECT_GE(cpu_number(s->cpu, "foreign"), e->foreign);
	} else {
		EXPECT_EQ(e->foreign, cpu_number(s->cpu, "foreign"));
		EXPECT_EQ(absorbed, cpu_number(s->cpu, "absorbed"));
	}
	if (!e->may_be_late && !e->often) {
		EXPECT_EQ(0, cpu_number(s->cpu, "late"));
	}
	if (e->outcome.end == STAYS) {
		EXPECT_STREQ("none", said);
	} else {
		EXPECT_TRUE(fits(said, &e->name) || fits(said, &e->or_name))
			TH_LOG("CPU %d: '%s' is not '%s'", s->cpu, said, e->name.text);
	}
	if (e->name.cause == TASK_ISOLATION_CAUSE_PAGE_FAULT && e->outcome.end != STAYS) {
		EXPECT_EQ((unsigned long)s->page, strtoul(said + strlen(e->name.text), NULL, 16))
			TH_LOG("'%s', not %p", said, s->page);
	}
}

static bool is_kernel_thread(pid_t pid)
{
	unsigned int flags = 0;
	char path[32], text[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return read_text(path, text, sizeof(text)) > 0 &&
	       sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       flags & 0x00200000;
}

/* This test, the other thread, the kernel on behalf of somebody; or it is not known. */
static bool may_have_sent(const struct stage *s, pid_t pid)
{
	return !pid || (pid != s->value[7] &&
			(pid == getpid() || pid == stages[0]->value[7] ||
			 pid == stages[1]->value[7] || is_kernel_thread(pid)));
}

/* What the task itself saw. */
static void check_task(struct __test_metadata *_metadata, struct stage *s, const struct expected *e)
{
	static const int states[] = { TASK_ISOLATION_ISOLATED, TASK_ISOLATION_LOST,
				      TASK_ISOLATION_OFF };

	EXPECT_EQ(e->outcome.told, s->hits);
	if (s->hits) {
		EXPECT_EQ(0, s->flags_in_handler);
		EXPECT_EQ(TASK_ISOLATION_LOSS, s->seen.si_code);
		EXPECT_TRUE(is_called(e, s->seen.si_errno)) TH_LOG("cause %d", s->seen.si_errno);
		EXPECT_EQ(s->info.loss_cause, s->seen.si_errno);
		EXPECT_TRUE(may_have_sent(s, s->seen.si_pid)) TH_LOG("sent by %d", s->seen.si_pid);
	}
	EXPECT_EQ(states[e->outcome.end], s->info.state);
	if (!e->often) {
		EXPECT_EQ(e->foreign, s->info.foreign);
	}
	if (e->outcome.end == STAYS) {
		EXPECT_EQ((long)s->flags, s->flags_after);
		EXPECT_EQ(TASK_ISOLATION_CAUSE_NONE, s->info.loss_cause);
	} else {
		EXPECT_EQ(0, s->flags_after);
		EXPECT_EQ(e->own, s->info.own);
		EXPECT_TRUE(is_called(e, s->info.loss_cause))
			TH_LOG("cause %u: %s", s->info.loss_cause, s->info.loss);
	}
}

static void happens(struct __test_metadata *_metadata, const struct event *what, enum mode mode)
{
	int threads = setting == BESIDE_ISOLATED ? MAX_THREADS : 1, status;
	struct expected e[MAX_THREADS];
	pid_t id[MAX_THREADS], pid;
	long absorbed[MAX_THREADS];
	bool killed;

	event = what;
	e[0] = expect(what, mode);
	e[1] = expect_other(what, mode, e[0].outcome.killed);
	killed = e[0].outcome.killed || (threads > 1 && e[1].outcome.killed);

	ASSERT_EQ(0, pipe2(stages[0]->fd, O_NONBLOCK));
	stages[1]->cpu = CPU_B;
	pid = actor(stages[0], CPU_A, act);
	for (int i = 0; i < threads; i++) {
		ASSERT_TRUE(UNTIL(stages[i]->at >= AT_ENTERED)) TH_LOG("at %d", stages[i]->at);
		ASSERT_EQ(0, stages[i]->error);
	}
	for (int i = 0; i < threads; i++) {
		id[i] = stages[i]->value[7];
		ASSERT_TRUE(UNTIL(isolated(stages[i], id[i])))
			TH_LOG("CPU %d %s: %s", stages[i]->cpu, cpu_text(stages[i]->cpu, "state"),
			       cpu_text(stages[i]->cpu, "last_loss"));
		EXPECT_EQ(0, cpu_number(stages[i]->cpu, "own"));
		EXPECT_EQ(0, cpu_number(stages[i]->cpu, "foreign"));
		absorbed[i] = cpu_number(stages[i]->cpu, "absorbed");
	}

	if (what->provoke) {
		ASSERT_TRUE(what->provoke(stages[0], pid, mode)) TH_LOG("errno %d", errno);
	} else {
		stages[0]->order = 1;
	}

	if (killed) {
		status = finish(pid);
		EXPECT_TRUE(killed_by(status, SIGKILL)) TH_LOG("status %#x", status);
	}
	for (int i = 0; i < threads && !killed; i++) {
		EXPECT_TRUE(UNTIL(has_come(stages[i], id[i], &e[i]) || gone(pid)))
			TH_LOG("CPU %d %s, owner %d, hits %d, own %ld, foreign %ld: %s",
			       stages[i]->cpu, cpu_text(stages[i]->cpu, "state"),
			       owner_of(stages[i]->cpu), stages[i]->hits,
			       cpu_number(stages[i]->cpu, "own"),
			       cpu_number(stages[i]->cpu, "foreign"),
			       cpu_text(stages[i]->cpu, "last_loss"));
		EXPECT_TRUE(!gone(pid) && alive(stages[i])) TH_LOG("the process is gone");
		check_files(_metadata, stages[i], id[i], &e[i], absorbed[i]);
	}
	if (!killed) {
		stages[0]->may = stages[1]->may = 1;
		status = finish(pid);
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
		for (int i = 0; i < threads; i++)
			check_task(_metadata, stages[i], &e[i]);
		EXPECT_EQ(what->name.cause == TASK_ISOLATION_CAUSE_SIGNAL, stages[0]->others);
		EXPECT_EQ(0, stages[1]->others);
	}
	if (what->restore)
		what->restore();
	if (killed && e[0].outcome.killed && threads > 1 && e[1].outcome.killed) {
		/* whoever is second may die of the first one's SIGKILL instead */
		const struct name death = { TASK_ISOLATION_CAUSE_SIGNAL, "signal 9" };

		EXPECT_TRUE(fits(loss_of(stages[0]->cpu, id[0]), &e[0].name) ||
			    fits(loss_of(stages[1]->cpu, id[1]), &e[1].name));
		e[0].or_name = e[1].or_name = death;
	}
	for (int i = 0; i < threads; i++)
		if (e[i].outcome.end != STAYS)
			check_files(_metadata, stages[i], id[i], &e[i], absorbed[i]);
	EXPECT_EQ(0, owner_of(CPU_A));
	EXPECT_EQ(0, owner_of(CPU_B));
}

FIXTURE(matrix) { int unused; };
FIXTURE_VARIANT(matrix) { enum mode mode; unsigned long flags; enum setting setting; };

#define IN_FOUR_MODES(name, value)							\
	FIXTURE_VARIANT_ADD(matrix, strict_##name)					\
		{ MODE_STRICT, STRICT, value };						\
	FIXTURE_VARIANT_ADD(matrix, signal_##name)					\
		{ MODE_SIGNAL, WITH_SIGNAL(CHOSEN), value };				\
	FIXTURE_VARIANT_ADD(matrix, persistent_##name)					\
		{ MODE_PERSISTENT, PERSISTENT, value };					\
	FIXTURE_VARIANT_ADD(matrix, one_shot_##name)					\
		{ MODE_ONE_SHOT, ONE_SHOT, value }

IN_FOUR_MODES(alone, ALONE);
IN_FOUR_MODES(beside_isolated, BESIDE_ISOLATED);
IN_FOUR_MODES(beside_sleeper, BESIDE_SLEEPER);

FIXTURE_SETUP(matrix)
{
	ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");
	setting = variant->setting;
	for (int i = 0; i < MAX_THREADS; i++) {
		stages[i] = stage_new();
		stages[i]->flags = variant->flags;
	}
}
FIXTURE_TEARDOWN(matrix)
{
	restore_switches();
}

/* A line of the matrix: twelve tests. */
#define CASE(test, ...)									\
	TEST_F_TIMEOUT(matrix, test, CASE_TIMEOUT)					\
	{										\
		static const struct event this_event = { __VA_ARGS__ };			\
		happens(_metadata, &this_event, variant->mode);				\
	}

#define TEXT_(x)	#x
#define TEXT(x)		TEXT_(x)

/* ---- 3.1, 3.2, 3.8: own ----------------------------------------------------- */

static void call(struct stage *s)
{
	syscall(SYS_getppid);
}

CASE(p3_1_system_call, .row = CALL, .own = call,
     .name = { TASK_ISOLATION_CAUSE_SYSCALL, "syscall " TEXT(__NR_getppid) })

#ifdef __x86_64__
/* getpid of the 32-bit table */
static void call_compat(struct stage *s)
{
	long nr = 20;

	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory", "r8", "r9", "r10", "r11");
}

CASE(p3_1_compat_call, .row = CALL, .own = call_compat,
     .name = { TASK_ISOLATION_CAUSE_SYSCALL, "syscall 20" })
#else
/* Not through the vDSO, which knows a faster way. */
static void call_by_interrupt(struct stage *s)
{
	long nr = __NR_getppid;

	__asm__ volatile("int $0x80" : "+a"(nr) : : "memory");
}

CASE(p3_1_int80, .row = CALL, .own = call_by_interrupt,
     .name = { TASK_ISOLATION_CAUSE_SYSCALL, "syscall " TEXT(__NR_getppid) })
#endif

static void map_page(struct stage *s)
{
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void touch_page(struct stage *s)
{
	*(volatile char *)s->page = 42;
}

CASE(p3_2_page_fault, .row = FAULT, .prepare = map_page, .own = touch_page,
     .name = { TASK_ISOLATION_CAUSE_PAGE_FAULT, "page fault at" })

/* With UMIP a general protection fault; the kernel answers in its place. */
static void store_gdt(struct stage *s)
{
	struct { __u16 limit; __u64 base; } __attribute__((packed)) gdt;

	__asm__ volatile("sgdt %0" : "=m"(gdt));
}

CASE(p3_2_served_trap, .row = FAULT, .own = store_gdt,
     .name = { TASK_ISOLATION_CAUSE_TRAP, "trap 13" })

static void call_exempt(struct stage *s)
{
	flags_now();
}

CASE(p3_8_exempt_call, .row = EXEMPT, .own = call_exempt)

/* ---- 3.3: interference ------------------------------------------------------- */

static bool send_call(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("ipi", s->cpu);
}

CASE(p3_3_cross_call, .row = INTERFERENCE, .provoke = send_call,
     .name = { TASK_ISOLATION_CAUSE_IPI, "ipi" })

static void register_barrier(struct stage *s)
{
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
}

/* One to every CPU that runs a registered process, whoever asks. */
static bool send_barrier(struct stage *s, pid_t pid, enum mode mode)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
}

CASE(p3_3_membarrier, .row = INTERFERENCE, .prepare = register_barrier, .provoke = send_barrier,
	.name = { TASK_ISOLATION_CAUSE_IPI, "ipi" }, .other = INTERFERENCE)

static void map_zeroes(struct stage *s)
{
	map_page(s);
	s->value[0] = *(volatile char *)s->page;
}

/* Another process writes to a page that is mapped read-only: it is replaced. */
static bool replace_page(struct stage *s, pid_t pid, enum mode mode)
{
	struct iovec from = { "x", 1 }, to = { s->page, 1 };

	return process_vm_writev(pid, &from, 1, &to, 1, 0) == 1;
}

CASE(p3_3_tlb_flush, .row = INTERFERENCE, .prepare = map_zeroes, .provoke = replace_page,
	.name = { TASK_ISOLATION_CAUSE_TLB_FLUSH, "tlb flush" }, .other = INTERFERENCE)

static bool send_kick(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("kick", s->cpu);
}

CASE(p3_3_reschedule, .row = INTERFERENCE, .provoke = send_kick,
	.name = { TASK_ISOLATION_CAUSE_RESCHEDULE, "reschedule" })

static bool arm_timer(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("timer", s->cpu);
}

/* The CPU has to be told of it; when the timer is due, a persistent task is not isolated. */
CASE(p3_3_timer, .row = INTERFERENCE, .provoke = arm_timer,
	.name = { TASK_ISOLATION_CAUSE_TIMER, "timer run_timer" }, .may_be_late = true)

static bool need_tick(struct stage *s, pid_t pid, enum mode mode)
{
	bool done = !disturb("tick", s->cpu);

	return !disturb("untick", s->cpu) && done;
}

CASE(p3_3_tick_dependency, .row = INTERFERENCE, .provoke = need_tick,
	.name = { TASK_ISOLATION_CAUSE_TICK, "tick (perf events)" }, .may_be_late = true)

static bool send_irq_work(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("irq-work", s->cpu);
}

CASE(p3_3_irq_work, .row = INTERFERENCE, .provoke = send_irq_work,
	.name = { TASK_ISOLATION_CAUSE_IRQ_WORK, "irq_work run_irq_work" })

static bool queue_work(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("work", s->cpu);
}

CASE(p3_3_work, .row = INTERFERENCE, .provoke = queue_work,
	.name = { TASK_ISOLATION_CAUSE_WORK, "work run_work" }, .may_be_late = true)

/* Another process comes to that CPU, and is gone at once. */
static bool send_intruder(struct stage *s, pid_t pid, enum mode mode)
{
	pid_t intruder = fork();

	if (!intruder) {
		prctl(PR_SET_NAME, "intruder", 0, 0, 0);
		bind_to(s->cpu);
		_exit(0);
	}
	return ended_well(finish(intruder));
}

CASE(p3_3_preemption, .row = INTERFERENCE, .provoke = send_intruder,
	.name = { TASK_ISOLATION_CAUSE_PREEMPTED, "preempted by intruder/" }, .may_be_late = true)

/* ---- 3.4: delivery ------------------------------------------------------------ */

static bool send_signal(struct stage *s, pid_t pid, enum mode mode)
{
	return !syscall(SYS_tgkill, pid, pid, SIGUSR2);
}

CASE(p3_4_signal, .row = DELIVERY, .provoke = send_signal,
     .name = { TASK_ISOLATION_CAUSE_SIGNAL, "signal 12" })

/* Signals get through to it, until the stop that was asked for: then it is free. */
static bool detach_at(pid_t pid, int stop)
{
	int status, cause;

	while (UNTIL(waitpid(pid, &status, WNOHANG) == pid) && WIFSTOPPED(status)) {
		cause = status >> 8;
		if (cause == stop)
			return !ptrace(PTRACE_DETACH, pid, 0, 0);
		if (ptrace(PTRACE_CONT, pid, 0, cause & 0xff))
			return false;
	}
	return false;
}

static bool attach(struct stage *s, pid_t pid, enum mode mode)
{
	return !ptrace(PTRACE_ATTACH, pid, 0, 0) && detach_at(pid, SIGSTOP);
}

CASE(p3_4_ptrace_attach, .row = DELIVERY, .provoke = attach,
     .name = { TASK_ISOLATION_CAUSE_PTRACE, "ptrace" })

/* Nothing stops it, and still it is told at once. */
static bool seize(struct stage *s, pid_t pid, enum mode mode)
{
	return !ptrace(PTRACE_SEIZE, pid, 0, 0) && UNTIL(!owner_of(s->cpu)) &&
	       !ptrace(PTRACE_INTERRUPT, pid, 0, 0) &&
	       detach_at(pid, SIGTRAP | PTRACE_EVENT_STOP << 8);
}

CASE(p3_4_ptrace_seize, .row = DELIVERY, .provoke = seize,
     .name = { TASK_ISOLATION_CAUSE_PTRACE, "ptrace" })

static void be_traced(struct stage *s)
{
	syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

CASE(p3_4_traceme, .row = CALL, .own = be_traced,
     .name = { TASK_ISOLATION_CAUSE_SYSCALL, "syscall " TEXT(__NR_ptrace) },
     .brings = DELIVERY, .brought = { TASK_ISOLATION_CAUSE_PTRACE, "ptrace" })

static bool move_away(struct stage *s, pid_t pid, enum mode mode)
{
	return !bind_task(pid, ELSEWHERE);
}

CASE(p3_4_affinity, .row = DELIVERY, .provoke = move_away,
	.name = { TASK_ISOLATION_CAUSE_AFFINITY, "affinity" })

/* It may stay where it is, but on one CPU alone it is no longer. */
static bool let_move(struct stage *s, pid_t pid, enum mode mode)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	CPU_SET(ELSEWHERE, &set);
	return !sched_setaffinity(pid, sizeof(set), &set);
}

CASE(p3_4_wider_affinity, .row = DELIVERY, .provoke = let_move,
	.name = { TASK_ISOLATION_CAUSE_AFFINITY, "affinity" })

static void join_cgroup(struct stage *s)
{
	if ((mkdir(CGROUP, 0755) && errno != EEXIST) || write_text(CGROUP "/cgroup.procs", "0"))
		_exit(103);
}

static void leave_cgroup(void)
{
	(void)UNTIL(!rmdir(CGROUP) || errno == ENOENT);
}

static bool shrink_cpuset(struct stage *s, pid_t pid, enum mode mode)
{
	return !write_text(CGROUP "/cpuset.cpus", "0-1");
}

CASE(p3_4_cpuset, .row = DELIVERY, .prepare = join_cgroup, .provoke = shrink_cpuset,
	.restore = leave_cgroup, .name = { TASK_ISOLATION_CAUSE_CPUSET, "cpuset" },
	.other = DELIVERY)

static const char *online_file(void)
{
	static char path[64];

	snprintf(path, sizeof(path), DIR_CPUS "/cpu%d/online", CPU_A);
	return path;
}

static bool take_offline(struct stage *s, pid_t pid, enum mode mode)
{
	return !write_text(online_file(), "0");
}

static void take_online(void)
{
	write_text(online_file(), "1");
}

/* All other CPUs stand still for a moment, the one with the other thread too. */
CASE(p3_4_hotplug, .row = DELIVERY, .provoke = take_offline, .restore = take_online,
	.name = { TASK_ISOLATION_CAUSE_HOTPLUG, "hotplug" }, .other = INTERFERENCE,
	.other_name = { TASK_ISOLATION_CAUSE_PREEMPTED, "preempted by migration/" },
	.or_other_name = { TASK_ISOLATION_CAUSE_TICK, "tick (rcu)" }, .other_often = true)

static bool release(struct stage *s, pid_t pid, enum mode mode)
{
	return !write_text(FILE_RELEASE, "1") && !owner_of(CPU_A) && !owner_of(CPU_B);
}

CASE(p3_4_release, .row = DELIVERY, .provoke = release,
     .name = { TASK_ISOLATION_CAUSE_RELEASE, "release" }, .other = DELIVERY)

/* ---- 3.5: passing ------------------------------------------------------------- */

static bool stopped(pid_t pid, int how)
{
	siginfo_t seen = { 0 };

	return UNTIL(!waitid(P_PID, pid, &seen, how | WNOHANG) && seen.si_pid == pid);
}

static bool stop(struct stage *s, pid_t pid, enum mode mode)
{
	return !kill(pid, SIGSTOP) && stopped(pid, WSTOPPED) && !kill(pid, SIGCONT) &&
	       stopped(pid, WCONTINUED);
}

CASE(p3_5_stop, .row = PASSING, .provoke = stop, .name = { TASK_ISOLATION_CAUSE_STOP, "stop" },
     .other = PASSING)

static void stop_itself(struct stage *s)
{
	syscall(SYS_tgkill, s->value[7], s->value[7], SIGSTOP);
}

/* A strict task does not get so far. */
static bool let_stop_itself(struct stage *s, pid_t pid, enum mode mode)
{
	s->order = 1;
	return mode == MODE_STRICT ||
	       (stopped(pid, WSTOPPED) && !kill(pid, SIGCONT) && stopped(pid, WCONTINUED));
}

CASE(p3_5_own_stop, .row = CALL, .own = stop_itself, .provoke = let_stop_itself,
     .name = { TASK_ISOLATION_CAUSE_SYSCALL, "syscall " TEXT(__NR_tgkill) },
     .brings = PASSING, .brought = { TASK_ISOLATION_CAUSE_STOP, "stop" },
     .other = PASSING, .other_name = { TASK_ISOLATION_CAUSE_STOP, "stop" })

static bool freeze(struct stage *s, pid_t pid, enum mode mode)
{
	char text[64];

	return !write_text(CGROUP "/cgroup.freeze", "1") &&
	       UNTIL(read_text(CGROUP "/cgroup.events", text, sizeof(text)) > 0 &&
		     strstr(text, "frozen 1")) &&
	       !write_text(CGROUP "/cgroup.freeze", "0");
}

CASE(p3_5_freezer, .row = PASSING, .prepare = join_cgroup, .provoke = freeze,
	.restore = leave_cgroup, .name = { TASK_ISOLATION_CAUSE_FREEZER, "freezer" },
	.other = PASSING)

/* One request to watch the pipe; what it brings is work for this very task. */
static void watch_pipe(struct stage *s)
{
	struct io_uring_params p = { 0 };
	int ring = syscall(SYS_io_uring_setup, 1, &p);
	char *queue = mmap(NULL, p.sq_off.array + p.sq_entries * sizeof(__u32),
			   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
			   IORING_OFF_SQ_RING);
	struct io_uring_sqe *request = mmap(NULL, sizeof(*request), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);

	if (ring < 0 || queue == MAP_FAILED || request == MAP_FAILED)
		_exit(104);
	*request = (struct io_uring_sqe){
		.opcode = IORING_OP_POLL_ADD, .fd = s->fd[0], .poll32_events = POLLIN,
	};
	*(__u32 *)(queue + p.sq_off.array) = 0;
	*(__u32 *)(queue + p.sq_off.tail) = 1;
	if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1)
		_exit(105);
}

static bool fill_pipe(struct stage *s, pid_t pid, enum mode mode)
{
	return write(s->fd[1], "x", 1) == 1;
}

CASE(p3_5_task_work, .row = PASSING, .prepare = watch_pipe, .provoke = fill_pipe,
	.name = { TASK_ISOLATION_CAUSE_WORK, "work tctx_task_work" })

/* ---- 3.6: NMI ------------------------------------------------------------------ */

static bool send_nmi(struct stage *s, pid_t pid, enum mode mode)
{
	return !disturb("nmi", s->cpu);
}

CASE(p3_6_nmi, .row = NMI, .provoke = send_nmi, .name = { TASK_ISOLATION_CAUSE_NMI, "nmi" })

TEST_HARNESS_MAIN
