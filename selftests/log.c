// SPDX-License-Identifier: GPL-2.0
/* The log, the texts of causes, and that no loss goes without either. */
#include "isolation.h"
#include "kselftest_harness.h"

STAGE_FIXTURE(log)

static void act_name_and_call(struct stage *s)
{
	prctl(PR_SET_NAME, s->bytes, 0, 0, 0);
	handle(CHOSEN, on_chosen, 0);
	if (enter_on_stage(s, s->flags))
		return;
	syscall(SYS_getppid);
	read_info(&s->info);
}

/*
 * Lines are limited per CPU, and the tests before us may have used that up:
 * lose again until a line comes. False when none comes at all.
 */
static bool lose_until_logged(struct stage *s, unsigned long flags, const char *name, int *level,
			      char *line, size_t size)
{
	int log = log_open();
	bool logged = false;

	for (int try = 0; try < 20 && !logged; try++) {
		char who[32];
		pid_t pid;

		memset(s, 0, sizeof(*s));
		s->flags = flags;
		snprintf(s->bytes, sizeof(s->bytes), "%s", name);
		pid = actor(s, CPU_A, act_name_and_call);
		finish(pid);
		snprintf(who, sizeof(who), "/%d: ", pid);
		*level = log_find(log, 1000, who, line, size);
		logged = *level >= 0;
	}
	close(log);
	return logged;
}

/* ---- 6.9 ------------------------------------------------------------------- */

TEST_F_TIMEOUT(log, p6_9_one_line_a_loss_at_warning_level, CASE_TIMEOUT)
{
	char line[1024], expected[128];
	const char *at;
	int level;

	ASSERT_TRUE(lose_until_logged(self->s, STRICT, "loser", &level, line, sizeof(line)));
	EXPECT_EQ(4, level);
	at = strstr(line, "loser/");
	ASSERT_NE(NULL, at) TH_LOG("'%s'", line);
	snprintf(expected, sizeof(expected), "loser/%ld: task_isolation mode lost due to syscall %d",
		 strtol(at + 6, NULL, 10), SYS_getppid);
	EXPECT_STREQ(expected, at);
}

TEST_F_TIMEOUT(log, p6_9_chosen_signals_are_logged_too, CASE_TIMEOUT)
{
	char line[1024];
	int level;

	ASSERT_TRUE(lose_until_logged(self->s, WITH_SIGNAL(CHOSEN), "chosen", &level, line, sizeof(line)));
	EXPECT_EQ(4, level);
	EXPECT_NE(NULL, strstr(line, ": task_isolation mode lost due to syscall ")) TH_LOG("'%s'", line);
}

TEST_F_TIMEOUT(log, p6_9_the_name_is_escaped, CASE_TIMEOUT)
{
	char line[1024];
	int level;

	ASSERT_TRUE(lose_until_logged(self->s, STRICT, "a\nfake: b\x1b[31m", &level, line, sizeof(line)));
	/* one record, no control character, and still recognisable */
	EXPECT_NE(NULL, strstr(line, "mode lost due to")) TH_LOG("'%s'", line);
	EXPECT_NE(NULL, strstr(line, "fake"));
	/*
	 * The device that is read here escapes a raw newline as \x0a, and a
	 * backslash as \x5c: ours, as \x5cx0a, means that the line had none.
	 */
	EXPECT_NE(NULL, strstr(line, "a\\x5cx0afake")) TH_LOG("'%s'", line);
	EXPECT_EQ(NULL, strstr(line, "\\x0a"));
	EXPECT_EQ(NULL, strstr(line, "\\x1b"));
	for (const char *c = line; *c; c++) {
		EXPECT_TRUE(*c >= ' ' && *c < 127);
	}
}

/* Nothing between the losses and our mark holds the word. */
static bool silent_about(int log, const char *word)
{
	char line[1024];
	bool mark = false, said = false;

	write_text("/dev/kmsg", "selftest: mark 6.9\n");
	(void)UNTIL(({
		while (!mark && log_next(log, line, sizeof(line)) >= 0) {
			said |= !!strstr(line, word);
			mark = strstr(line, "mark 6.9");
		}
		mark;
	}));
	return mark && !said;
}

TEST_F_TIMEOUT(log, p6_9_one_shot_ends_silently, CASE_TIMEOUT)
{
	int log = log_open();

	ASSERT_GE(log, 0);
	self->s->flags = ONE_SHOT;
	strcpy(self->s->bytes, "quietly");
	ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_name_and_call))));
	EXPECT_EQ(0, self->s->error);
	EXPECT_TRUE(silent_about(log, "quietly/"));
	close(log);
}

static void act_interrupted(struct stage *s)
{
	prctl(PR_SET_NAME, "steady", 0, 0, 0);
	start_helper(s);
	if (enter_on_stage(s, PERSISTENT))
		return;
	spin_until_may(s, 1);
	leave();
	order(s, ORDER_STOP);
}

TEST_F_TIMEOUT(log, p6_9_persistent_is_logged_with_debug_only, 120)
{
	pid_t pid = actor(self->s, CPU_A, act_interrupted);
	int log = log_open();
	bool logged = false;
	char line[1024];

	ASSERT_GE(log, 0);
	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(order(self->s, ORDER_IPI));
	ASSERT_TRUE(UNTIL(cpu_number(CPU_A, "foreign") == 1));
	EXPECT_TRUE(silent_about(log, "interrupted by"));
	ASSERT_EQ(0, write_text(FILE_DEBUG, "1"));
	for (int try = 0; try < 20 && !logged; try++) {
		ASSERT_TRUE(UNTIL(cpu_state_is(CPU_A, "isolated")));
		ASSERT_TRUE(order(self->s, ORDER_IPI));
		logged = log_find(log, 1000, "task_isolation interrupted by ipi", line, sizeof(line)) >= 0;
	}
	EXPECT_TRUE(logged);
	EXPECT_NE(NULL, strstr(line, "steady/")) TH_LOG("'%s'", line);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	close(log);
}

TEST_F_TIMEOUT(log, p6_9_a_flood_of_losses_is_limited, 120)
{
	int log = log_open(), lines = 0;
	char line[1024];
	bool mark = false;

	ASSERT_GE(log, 0);
	for (int i = 0; i < 60; i++) {
		self->s->flags = WITH_SIGNAL(CHOSEN);
		strcpy(self->s->bytes, "flood");
		ASSERT_TRUE(ended_well(finish(actor(self->s, CPU_A, act_name_and_call))));
		ASSERT_EQ(0, self->s->error);
	}
	write_text("/dev/kmsg", "selftest: mark flood\n");
	EXPECT_TRUE(UNTIL(({
		while (!mark && log_next(log, line, sizeof(line)) >= 0) {
			lines += !!strstr(line, "mode lost");
			mark = strstr(line, "mark flood");
		}
		mark;
	})));
	EXPECT_LT(lines, 60);
	close(log);
}

/* ---- 6.10 ------------------------------------------------------------------- */

static void act_be_disturbed(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	start_helper(s);
	if (enter_on_stage(s, WITH_SIGNAL(CHOSEN)))
		return;
	spin_until_may(s, 1);
	read_info(&s->info);
	leave();
	order(s, ORDER_STOP);
}

/* 7.2 and 7.3 for one loss: counted once, recorded, and all sources agree. */
#define EXPECT_WELL_RECORDED(expected_cause, expected_text) do {	\
	EXPECT_TRUE(UNTIL(self->s->hits >= 1)) TH_LOG("no loss");	\
	self->s->may = 1;						\
	EXPECT_TRUE(ended_well(finish(pid)));				\
	EXPECT_EQ(1, self->s->hits);					\
	EXPECT_EQ(TASK_ISOLATION_LOSS, self->s->seen.si_code);		\
	EXPECT_EQ(expected_cause, self->s->seen.si_errno);		\
	EXPECT_EQ(expected_cause, self->s->info.loss_cause);		\
	EXPECT_EQ(1, self->s->info.foreign);				\
	EXPECT_EQ(1, cpu_number(CPU_A, "foreign"));			\
	EXPECT_TRUE(last_loss_is(CPU_A, pid, expected_text))		\
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));	\
	EXPECT_NE(NULL, strstr(self->s->info.loss, expected_text))	\
		TH_LOG("info '%s'", self->s->info.loss);		\
} while (0)

TEST_F_TIMEOUT(log, p6_10_ipi, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, disturb("ipi", CPU_A));
	EXPECT_WELL_RECORDED(TASK_ISOLATION_CAUSE_IPI, "ipi");
}

TEST_F_TIMEOUT(log, p6_10_tlb_flush, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_TRUE(order(self->s, ORDER_TLB));
	EXPECT_WELL_RECORDED(TASK_ISOLATION_CAUSE_TLB_FLUSH, "tlb flush");
}

TEST_F_TIMEOUT(log, p6_10_nmi, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, disturb("nmi", CPU_A));
	EXPECT_WELL_RECORDED(TASK_ISOLATION_CAUSE_NMI, "nmi");
}

TEST_F_TIMEOUT(log, p6_10_reschedule, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);

	AWAIT_ISOLATED(AT_ENTERED);
	/* kick_process(): the reschedule vector, and no task behind it */
	ASSERT_EQ(0, disturb("kick", CPU_A));
	EXPECT_WELL_RECORDED(TASK_ISOLATION_CAUSE_RESCHEDULE, "reschedule");
}

TEST_F_TIMEOUT(log, p6_10_irq_work, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);
	bool named;

	AWAIT_ISOLATED(AT_ENTERED);
	/* a tick dependency: an irq_work, which another CPU sends as a cross call */
	ASSERT_EQ(0, disturb("tick", CPU_A));
	EXPECT_TRUE(UNTIL(self->s->hits >= 1));
	disturb("untick", CPU_A);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	named = last_loss_is(CPU_A, pid, "irq_work") || last_loss_is(CPU_A, pid, "tick") ||
		last_loss_is(CPU_A, pid, "ipi");
	EXPECT_TRUE(named) TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
	EXPECT_EQ(self->s->info.loss_cause, self->s->seen.si_errno);
}

TEST_F_TIMEOUT(log, p6_10_work, CASE_TIMEOUT)
{
	pid_t pid = actor(self->s, CPU_A, act_be_disturbed);

	AWAIT_ISOLATED(AT_ENTERED);
	ASSERT_EQ(0, disturb("work", CPU_A));
	EXPECT_WELL_RECORDED(TASK_ISOLATION_CAUSE_WORK, "work run_work");
}

TEST_F_TIMEOUT(log, p6_10_signal, CASE_TIMEOUT)
{
	pid_t pid;

	self->s->bytes[0] = 0;
	pid = actor(self->s, CPU_A, act_be_disturbed);
	AWAIT_ISOLATED(AT_ENTERED);
	kill(pid, SIGTERM);
	EXPECT_TRUE(killed_by(finish(pid), SIGTERM));
	EXPECT_TRUE(last_loss_is(CPU_A, pid, "signal 15"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
}

/* The serial port's interrupt, sent to the isolated CPU. */
static int serial_irq(void)
{
	char text[65536], *line, *save;

	read_text("/proc/interrupts", text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "ttyS0"))
			return atoi(line);
	return -1;
}

TEST_F_TIMEOUT(log, p6_10_irq, CASE_TIMEOUT)
{
	/* open first: only an open port has an interrupt */
	int tty = open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_NONBLOCK), irq;
	char path[64], saved[64], expected[64];
	pid_t pid;

	if (tty < 0)
		SKIP(return, "no serial port to make an interrupt with");
	irq = serial_irq();
	ASSERT_GE(irq, 0);
	snprintf(path, sizeof(path), "/proc/irq/%d/smp_affinity_list", irq);
	read_text(path, saved, sizeof(saved));
	/* the move takes effect with the next interrupt: send one before */
	ASSERT_EQ(0, write_number(path, CPU_A));
	ASSERT_EQ(1, write(tty, "\n", 1));
	pid = actor(self->s, CPU_A, act_be_disturbed);
	AWAIT_ISOLATED(AT_ENTERED);
	for (int i = 0; i < 50 && !self->s->hits; i++) {
		if (write(tty, "\n", 1) < 0 && errno != EAGAIN)
			break;
		(void)UNTIL_MS(100, self->s->hits);
	}
	write_text(path, saved);
	if (write(tty, "\n", 1) < 0)
		errno = 0;
	close(tty);
	snprintf(expected, sizeof(expected), "irq %d", irq);
	EXPECT_TRUE(self->s->hits >= 1);
	self->s->may = 1;
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(TASK_ISOLATION_CAUSE_IRQ, self->s->seen.si_errno);
	/* named with its number, or bare; never another number */
	EXPECT_TRUE(last_loss_is(CPU_A, pid, expected) ||
		    !strcmp(strrchr(cpu_text(CPU_A, "last_loss"), ':'), ": irq"))
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));
}

/* ---- 7.2, 7.3 ---------------------------------------------------------------- */

MODES_FIXTURE(loss)

static void act_lose_by_fault(struct stage *s)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	handle(CHOSEN, on_chosen, 0);
	if (!enter_on_stage(s, s->flags))
		p[0] = 1;
}

static void act_lose_by_exempt_look_alike(struct stage *s)
{
	handle(CHOSEN, on_chosen, 0);
	if (!enter_on_stage(s, s->flags))
		prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
}

TEST_F_TIMEOUT(loss, p7_2_no_loss_without_counter_and_record, CASE_TIMEOUT)
{
	static const struct { act_fn act; const char *cause; } ways[] = {
		{ act_name_and_call, "syscall 110" }, { act_lose_by_fault, "page fault at " },
		{ act_lose_by_exempt_look_alike, "syscall 157" },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		pid_t pid;

		self->s = stage_new();
		self->s->flags = variant->flags;
		strcpy(self->s->bytes, "counted");
		pid = actor(self->s, CPU_A, ways[i].act);
		finish(pid);
		EXPECT_EQ(0, self->s->error);
		EXPECT_GE(cpu_number(CPU_A, "own"), 1) TH_LOG("way %zu", i);
		EXPECT_EQ(0, cpu_number(CPU_A, "foreign"));
		if (variant->mode == MODE_PERSISTENT) {
			EXPECT_STREQ("none", cpu_text(CPU_A, "last_loss"));
		} else {
			EXPECT_TRUE(last_loss_is(CPU_A, pid, ways[i].cause))
				TH_LOG("way %zu: '%s'", i, cpu_text(CPU_A, "last_loss"));
		}
	}
}

TEST_F_TIMEOUT(log, p7_3_no_signal_without_a_cause, CASE_TIMEOUT)
{
	static const char *const kinds[] = { "ipi", "nmi", "work", "kick", "tick", "timer" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		pid_t pid;

		self->s = stage_new();
		pid = actor(self->s, CPU_A, act_be_disturbed);
		AWAIT_ISOLATED(AT_ENTERED);
		ASSERT_EQ(0, disturb(kinds[i], CPU_A)) TH_LOG("%s", kinds[i]);
		EXPECT_TRUE(UNTIL(self->s->hits >= 1)) TH_LOG("%s", kinds[i]);
		disturb("untick", CPU_A);
		self->s->may = 1;
		EXPECT_TRUE(ended_well(finish(pid)));
		EXPECT_EQ(1, self->s->hits) TH_LOG("%s", kinds[i]);
		EXPECT_NE(TASK_ISOLATION_CAUSE_NONE, self->s->seen.si_errno) TH_LOG("%s", kinds[i]);
		EXPECT_EQ(self->s->info.loss_cause, self->s->seen.si_errno) TH_LOG("%s", kinds[i]);
		EXPECT_NE(0, self->s->info.loss[0]) TH_LOG("%s", kinds[i]);
	}
}

TEST_F_TIMEOUT(log, p7_3_a_cause_is_never_guessed, CASE_TIMEOUT)
{
	/* one disturbance of each kind: the cause must fit it, or be bare */
	static const struct { const char *kind; int first, second, third; } fits[] = {
		{ "ipi", TASK_ISOLATION_CAUSE_IPI, 0, 0 },
		{ "nmi", TASK_ISOLATION_CAUSE_NMI, 0, 0 },
		{ "kick", TASK_ISOLATION_CAUSE_RESCHEDULE, 0, 0 },
		{ "work", TASK_ISOLATION_CAUSE_PREEMPTED, TASK_ISOLATION_CAUSE_WORK, 0 },
		/* armed from another CPU: the interrupt that tells of it comes first */
		{ "timer", TASK_ISOLATION_CAUSE_TIMER, TASK_ISOLATION_CAUSE_IPI,
		  TASK_ISOLATION_CAUSE_RESCHEDULE },
	};

	for (size_t i = 0; i < sizeof(fits) / sizeof(*fits); i++) {
		int cause;
		pid_t pid;

		self->s = stage_new();
		pid = actor(self->s, CPU_A, act_be_disturbed);
		AWAIT_ISOLATED(AT_ENTERED);
		ASSERT_EQ(0, disturb(fits[i].kind, CPU_A));
		EXPECT_TRUE(UNTIL(self->s->hits >= 1));
		self->s->may = 1;
		EXPECT_TRUE(ended_well(finish(pid)));
		cause = self->s->seen.si_errno;
		EXPECT_TRUE(cause == fits[i].first || (fits[i].second && cause == fits[i].second) ||
			    (fits[i].third && cause == fits[i].third))
			TH_LOG("%s called %s", fits[i].kind, self->s->info.loss);
	}
}

TEST_HARNESS_MAIN
