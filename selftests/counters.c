// SPDX-License-Identifier: GPL-2.0
/*
 * Counters and the last loss are always right (3.13): for each way in which a
 * task ends its isolation, or isolation its task, the CPU's files say exactly
 * what happened, until the next owner.
 *
 * The task first gathers a known number of interruptions as persistent, then
 * takes the mode that its end needs, and ends. One call more is counted each
 * time: the prctl() that changes the mode.
 */
#include "isolation.h"
#include <sys/resource.h>
#include "kselftest_harness.h"

#define OWN_BEFORE	7
#define FOREIGN_BEFORE	5

enum { GATHERED = AT_ENTERED + 1, SWITCHED };

struct numbers {
	long own, foreign, absorbed, late;
};

/* One way to end: what is done, and what it adds to what was counted before. */
struct way {
	unsigned long flags;			/* mode it ends in */
	void (*act)(struct stage *s);		/* by itself */
	bool (*end)(struct stage *s, pid_t pid);	/* by the test */
	int own, foreign;
	const char *state, *loss;
	int signal;				/* that the process dies of */
	bool lives;				/* on, un-isolated */
};

static const struct way *way;

static struct numbers numbers_of(int cpu)
{
	return (struct numbers){
		.own = cpu_number(cpu, "own"), .foreign = cpu_number(cpu, "foreign"),
		.absorbed = cpu_number(cpu, "absorbed"), .late = cpu_number(cpu, "late"),
	};
}

static void act_gather_and_end(struct stage *s)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	handle(SIGUSR2, on_other, 0);
	s->value[0] = getpid();
	start_helper(s);
	/* so that the bare instruction is enough to fault */
	s->page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (enter_on_stage(s, PERSISTENT))
		return;
	for (int i = 0; i < OWN_BEFORE; i++)
		syscall(SYS_getppid);
	s->at = GATHERED;
	spin_until_may(s, 1);
	s->error = enter(way->flags) ? errno : 0;
	s->at = SWITCHED;
	spin_until_may(s, 2);
	if (way->act)
		way->act(s);
	/* what ends by others ends here, what lives on goes on */
	s->at = AT_DONE;
	spin_until_may(s, 3);
	s->flags_after = flags_now();
	read_info(&s->info);
}

static void check(struct __test_metadata *_metadata, int cpu, pid_t pid, const struct numbers *n)
{
	char expected[64];
	const char *said, *end;

	EXPECT_EQ(n->own, cpu_number(cpu, "own"));
	EXPECT_EQ(n->foreign, cpu_number(cpu, "foreign"));
	EXPECT_EQ(n->absorbed, cpu_number(cpu, "absorbed"));
	EXPECT_EQ(n->late, cpu_number(cpu, "late"));
	EXPECT_STREQ(way->state, cpu_text(cpu, "state"));
	EXPECT_STREQ("none", cpu_text(cpu, "owner"));
	said = cpu_text(cpu, "last_loss");
	if (way->loss) {
		snprintf(expected, sizeof(expected), "counters/%d: %s", pid, way->loss);
		/* a page fault's address is its own affair */
		end = said + strnlen(said, strlen(expected));
		EXPECT_TRUE(!strncmp(expected, said, strlen(expected)) && (!*end || *end == ' '))
			TH_LOG("'%s', not '%s'", said, expected);
	} else {
		EXPECT_STREQ("none", said);
	}
}

static void act_refused(struct stage *s)
{
	s->value[0] = enter(STRICT | 1 << 20) ? errno : 0;
	/* due after the limit: gets as far as having the CPU */
	arm_local_timer(60000);
	s->value[1] = enter(STRICT) ? errno : 0;
	s->value[2] = enter(PERSISTENT | NOWAIT) ? errno : 0;
}

static void act_refused_on_the_way_out(struct stage *s)
{
	s->at = AT_READY;
	spin_until_may(s, 1);
	s->value[0] = enter(STRICT) ? errno : 0;
	read_info(&s->info);
}

static void act_ordinary(struct stage *s)
{
	for (int i = 0; i < 100; i++)
		syscall(SYS_getppid);
	s->at = AT_READY;
	spin_until_may(s, 1);
}

static void act_next(struct stage *s)
{
	if (!enter_on_stage(s, STRICT))
		spin_until_may(s, 1);
}

/* It stays, whatever else goes on, until the next owner; a refused one is none. */
static void check_keeping(struct __test_metadata *_metadata, pid_t pid, const struct numbers *n)
{
	struct stage *s = stage_new();
	pid_t other;

	/* an owner of the other CPU, who loses too */
	other = actor(s, CPU_B, act_next);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_TRUE(UNTIL(isolated(s, other)));
	ASSERT_EQ(0, disturb("ipi", CPU_B));
	EXPECT_TRUE(killed_by(finish(other), SIGKILL));
	check(_metadata, CPU_A, pid, n);
	EXPECT_EQ(0, cpu_number(CPU_B, "own"));
	EXPECT_EQ(1, cpu_number(CPU_B, "foreign"));

	/* somebody on the same CPU who owns nothing */
	s = stage_new();
	other = actor(s, CPU_A, act_ordinary);
	ASSERT_TRUE(UNTIL(s->at == AT_READY));
	ASSERT_EQ(0, disturb("ipi", CPU_A));
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	check(_metadata, CPU_A, pid, n);

	s = stage_new();
	write_text(FILE_TIMER_MIGRATION, "0");
	EXPECT_TRUE(ended_well(finish(actor(s, CPU_A, act_refused))));
	write_text(FILE_TIMER_MIGRATION, "1");
	EXPECT_EQ(EINVAL, s->value[0]);
	EXPECT_EQ(EAGAIN, s->value[1]);
	EXPECT_EQ(EAGAIN, s->value[2]);
	check(_metadata, CPU_A, pid, n);

	/* the call succeeds, and its way out does not */
	s = stage_new();
	other = actor(s, CPU_A, act_refused_on_the_way_out);
	ASSERT_TRUE(UNTIL(s->at == AT_READY));
	ASSERT_EQ(0, disturb("tick-after-call", CPU_A));
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
	EXPECT_EQ(0, disturb("untick", CPU_A));
	EXPECT_EQ(EAGAIN, s->value[0]);
	EXPECT_EQ(-1, s->info.cpu);
	EXPECT_EQ(TASK_ISOLATION_OFF, s->info.state);
	check(_metadata, CPU_A, pid, n);

	s = stage_new();
	other = actor(s, CPU_A, act_next);
	ASSERT_TRUE(UNTIL(s->at >= AT_ENTERED));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, other)));
	EXPECT_EQ(0, cpu_number(CPU_A, "own"));
	EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
	EXPECT_EQ(0, cpu_number(CPU_A, "late"));
	EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(other, owner_of(CPU_A));
	s->may = 1;
	EXPECT_TRUE(ended_well(finish(other)));
}

static void end_by(struct __test_metadata *_metadata, struct stage *s, const struct way *this_way)
{
	struct numbers n;
	pid_t pid;
	int status;

	way = this_way;
	pid = actor(s, CPU_A, act_gather_and_end);
	ASSERT_TRUE(UNTIL(s->at == GATHERED)) TH_LOG("at %d, errno %d", s->at, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	EXPECT_EQ(OWN_BEFORE, cpu_number(CPU_A, "own"));
	for (long i = 1; i <= FOREIGN_BEFORE; i++) {
		ASSERT_EQ(0, disturb("ipi", CPU_A));
		ASSERT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") >= i));
		ASSERT_TRUE(UNTIL(isolated(s, pid)));
	}
	EXPECT_EQ(FOREIGN_BEFORE, cpu_number(CPU_A, "foreign"));
	s->may = 1;
	ASSERT_TRUE(UNTIL(s->at == SWITCHED));
	ASSERT_EQ(0, s->error);
	ASSERT_TRUE(UNTIL(isolated(s, pid)));
	n = numbers_of(CPU_A);
	EXPECT_EQ(OWN_BEFORE + 1, n.own);
	EXPECT_EQ(FOREIGN_BEFORE, n.foreign);
	EXPECT_EQ(0, n.late);
	EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));

	if (way->act)
		s->may = 2;
	if (way->end) {
		ASSERT_TRUE(way->end(s, pid));
	}
	n.own += way->own;
	n.foreign += way->foreign;
	if (way->lives) {
		ASSERT_TRUE(UNTIL(!owner_of(CPU_A)));
		ASSERT_TRUE(alive(s));
		check(_metadata, CPU_A, pid, &n);
		/* what it does now is nobody's interruption */
		ASSERT_EQ(0, disturb("ipi", CPU_A));
		s->may = 3;
	}
	status = finish(pid);
	if (way->signal) {
		EXPECT_TRUE(killed_by(status, way->signal)) TH_LOG("status %#x", status);
	} else {
		EXPECT_TRUE(ended_well(status)) TH_LOG("status %#x", status);
	}
	if (way->lives) {
		EXPECT_EQ(0, s->flags_after);
		EXPECT_EQ(n.own, s->info.own);
		EXPECT_EQ(n.foreign, s->info.foreign);
		EXPECT_EQ(n.absorbed, s->info.absorbed);
		EXPECT_EQ(n.late, s->info.late);
	}
	check(_metadata, CPU_A, pid, &n);
	check_keeping(_metadata, pid, &n);
}

STAGE_FIXTURE(counters)

#define WAY(test, ...)									\
	TEST_F_TIMEOUT(counters, test, CASE_TIMEOUT)					\
	{										\
		static const struct way this_way = { __VA_ARGS__ };			\
		end_by(_metadata, self->s, &this_way);					\
	}

#define TEXT_(x)	#x
#define TEXT(x)		TEXT_(x)
#define GETPPID		"syscall " TEXT(__NR_getppid)

/* ---- by a loss --------------------------------------------------------------- */

static void call(struct stage *s)
{
	syscall(SYS_getppid);
}

static bool cross_call(struct stage *s, pid_t pid)
{
	return !disturb("ipi", CPU_A);
}

WAY(p3_13_killed_for_a_call, .flags = STRICT, .act = call, .own = 1, .state = "lost",
    .loss = GETPPID, .signal = SIGKILL)
WAY(p3_13_killed_for_a_cross_call, .flags = STRICT, .end = cross_call, .foreign = 1,
    .state = "lost", .loss = "ipi", .signal = SIGKILL)
WAY(p3_13_default_action_for_a_call, .flags = WITH_SIGNAL(CHOSEN), .act = call, .own = 1,
    .state = "lost", .loss = GETPPID, .signal = CHOSEN)
WAY(p3_13_default_action_for_a_cross_call, .flags = WITH_SIGNAL(CHOSEN), .end = cross_call,
    .foreign = 1, .state = "lost", .loss = "ipi", .signal = CHOSEN)
WAY(p3_13_one_shot_ended_by_a_call, .flags = ONE_SHOT, .act = call, .own = 1, .state = "off",
    .loss = GETPPID, .lives = true)
WAY(p3_13_one_shot_ended_by_a_cross_call, .flags = ONE_SHOT, .end = cross_call,
    .foreign = 1, .state = "off", .loss = "ipi", .lives = true)

/* ---- by a signal -------------------------------------------------------------- */

static bool send_kill(struct stage *s, pid_t pid)
{
	return !kill(pid, SIGKILL);
}

static bool send_term(struct stage *s, pid_t pid)
{
	return !kill(pid, SIGTERM);
}

static bool send_handled(struct stage *s, pid_t pid)
{
	return !syscall(SYS_tgkill, pid, pid, SIGUSR2);
}

static void crash(struct stage *s)
{
	*(volatile char *)s->page = 1;
}

static void abort_itself(struct stage *s)
{
	syscall(SYS_tgkill, s->value[0], s->value[0], SIGABRT);
}

static void sleep_long(struct stage *s)
{
	pause();
}

static bool kill_asleep(struct stage *s, pid_t pid)
{
	return UNTIL(cpu_state_is(CPU_A, "entering") && cpu_number(CPU_A, "own") == OWN_BEFORE + 2) &&
	       !kill(pid, SIGKILL);
}

WAY(p3_13_kill_9_strict, .flags = STRICT, .end = send_kill, .foreign = 1, .state = "lost",
    .loss = "signal 9", .signal = SIGKILL)
WAY(p3_13_kill_9_persistent, .flags = PERSISTENT, .end = send_kill, .foreign = 1, .state = "lost",
    .loss = "signal 9", .signal = SIGKILL)
WAY(p3_13_kill_9_asleep, .flags = PERSISTENT, .act = sleep_long, .end = kill_asleep, .own = 1,
    .state = "lost", .loss = "signal 9", .signal = SIGKILL)
WAY(p3_13_sigterm, .flags = PERSISTENT, .end = send_term, .foreign = 1, .state = "lost",
    .loss = "signal 15", .signal = SIGTERM)
WAY(p3_13_a_handled_signal, .flags = STRICT, .end = send_handled, .foreign = 1, .state = "lost",
    .loss = "signal 12", .lives = true)
/* its own instruction brought it: own, as part 1 has it */
WAY(p3_13_sigsegv, .flags = STRICT, .act = crash, .own = 1, .state = "lost", .loss = "signal 11",
    .signal = SIGSEGV)
/* the call was counted, so its signal is not */
WAY(p3_13_its_own_sigabrt, .flags = PERSISTENT, .act = abort_itself, .own = 1, .state = "lost",
    .loss = "signal 6", .signal = SIGABRT)

/* ---- by itself ------------------------------------------------------------------ */

static void exit_group(struct stage *s)
{
	syscall(SYS_exit_group, 0);
}

static void exit_thread(struct stage *s)
{
	s->order = ORDER_STOP;
	syscall(SYS_exit, 0);
}

static void leave_by_call(struct stage *s)
{
	leave();
}

static bool sibling_exits(struct stage *s, pid_t pid)
{
	s->order = ORDER_EXIT_GROUP;
	return true;
}

WAY(p3_13_exit_group, .flags = STRICT, .act = exit_group, .own = 1, .state = "off")
WAY(p3_13_exit_of_the_thread, .flags = PERSISTENT, .act = exit_thread, .own = 1, .state = "off")
WAY(p3_13_leaving, .flags = STRICT, .act = leave_by_call, .own = 1, .state = "off", .lives = true)
/* a thread is ended with SIGKILL, from outside */
WAY(p3_13_exit_group_of_a_sibling, .flags = STRICT, .end = sibling_exits, .foreign = 1,
    .state = "lost", .loss = "signal 9")

/* ---- by the administrator --------------------------------------------------------- */

static bool release(struct stage *s, pid_t pid)
{
	return !write_text(FILE_RELEASE, "1") && !owner_of(CPU_A) && !write_text(FILE_RELEASE, "0");
}

static bool move_away(struct stage *s, pid_t pid)
{
	return !bind_task(pid, HOUSE + 1);
}

WAY(p3_13_release, .flags = STRICT, .end = release, .foreign = 1, .state = "lost",
    .loss = "release", .lives = true)
WAY(p3_13_affinity, .flags = PERSISTENT, .end = move_away, .foreign = 1, .state = "lost",
    .loss = "affinity", .lives = true)

TEST_HARNESS_MAIN
