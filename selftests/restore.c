// SPDX-License-Identifier: GPL-2.0
/*
 * What was changed for a CPU is put back, and modules come and go, whoever
 * enters meanwhile and whatever hostile tasks do. Loads and unloads the modules;
 * leaves the default state behind.
 */
#include "modules.h"
#include "shot.h"
#include <grp.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include "kselftest_harness.h"

#define NOBODY		65534
/* s; a debug kernel takes ten and more for a module. */
#define LOADING_TIMEOUT	300
#define TRACING		"/sys/kernel/tracing"
#define CHECK_INTERVAL	"/sys/devices/system/machinecheck/machinecheck0/check_interval"
#define UNPRIVILEGED_TRAPS "/proc/sys/vm/unprivileged_userfaultfd"

static int take_all_out(void)
{
	static const char *const all[] = {
		POLICY("absorb"), POLICY("kill_own"), POLICY("never_ready"), STANDARD, SHELL,
	};
	int error = 0;

	for (size_t i = 0; !error && i < sizeof(all) / sizeof(*all); i++)
		error = is_loaded(all[i]) ? unload(all[i]) : 0;
	return error;
}

static int put_back(void)
{
	int error = is_loaded(SHELL) ? 0 : load(SHELL, "");

	return error ? error : is_loaded(STANDARD) ? 0 : load(STANDARD, "");
}

FIXTURE(restore) { struct stage *s; char list[256], interval[16], traps[16]; int a, b; };

/*
 * A test that fails at an assertion may leave its list and its owners behind:
 * loading anew brings back the list of the boot.
 */
#define START_ANEW() do {						\
	ASSERT_EQ(0, put_back());					\
	ASSERT_TRUE(settle());						\
	ASSERT_EQ(0, take_all_out());					\
	ASSERT_EQ(0, put_back());					\
	/* what loading leaves behind is freed some time, which interrupts every CPU */ \
	await_rest(CPU_A, 300);						\
	restore_switches();						\
} while (0)

FIXTURE_SETUP(restore)
{
	START_ANEW();
	self->s = stage_new();
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
	ASSERT_GT(read_text(CHECK_INTERVAL, self->interval, sizeof(self->interval)), 0);
	ASSERT_GT(read_text(UNPRIVILEGED_TRAPS, self->traps, sizeof(self->traps)), 0);
	self->a = CPU_A;
	self->b = CPU_B;
}
FIXTURE_TEARDOWN(restore)
{
	char now[256];

	write_text(CHECK_INTERVAL, self->interval);
	write_text(UNPRIVILEGED_TRAPS, self->traps);
	write_text(TRACING "/events/timer/timer_expire_entry/enable", "0");
	(void)put_back();
	write_text(FILE_RELEASE, "1");
	read_text(FILE_LIST, now, sizeof(now));
	if (strcmp(now, self->list)) {
		EXPECT_TRUE(UNTIL(!write_text(FILE_LIST, self->list)));
	}
	restore_switches();
}

/* ---- what is changed for a listed CPU --------------------------------------------- */

static void trace_timers(bool on)
{
	write_text(TRACING "/tracing_on", "0");
	write_text(TRACING "/events/timer/timer_expire_entry/enable", on ? "1" : "0");
	if (on) {
		close(open(TRACING "/trace", O_WRONLY | O_TRUNC));
		write_text(TRACING "/tracing_on", "1");
	}
}

/* How often the machine-check poll ran on a CPU since tracing began. */
static int polls_of(int cpu)
{
	static char text[1 << 20];
	char where[16], *line, *save;
	int n = 0;

	read_text(TRACING "/trace", text, sizeof(text));
	snprintf(where, sizeof(where), "[%03d]", cpu);
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strstr(line, "mce_timer_fn") && strstr(line, where))
			n++;
	return n;
}

/* The poll runs each second; where it is parked it does not, however long others are. */
#define EXPECT_POLLED(on_a, on_b) do {					\
	trace_timers(true);						\
	ASSERT_EQ(0, write_text(CHECK_INTERVAL, "1"));			\
	EXPECT_TRUE(UNTIL(polls_of(HOUSE) >= 2)) TH_LOG("no poll on a housekeeping CPU"); \
	EXPECT_TRUE((on_a) ? UNTIL(polls_of(self->a) >= 1) : !polls_of(self->a)) \
		TH_LOG("poll on CPU %d: %d, wanted %d", self->a, polls_of(self->a), on_a); \
	EXPECT_TRUE((on_b) ? UNTIL(polls_of(self->b) >= 1) : !polls_of(self->b)) \
		TH_LOG("poll on CPU %d: %d, wanted %d", self->b, polls_of(self->b), on_b); \
	trace_timers(false);						\
} while (0)

/* The list changes nothing about them. */
#define EXPECT_USUAL_SERVERS() do {					\
	EXPECT_EQ(usual, fair_runtime(self->a));			\
	EXPECT_EQ(usual, fair_runtime(self->b));			\
} while (0)

TEST_F_TIMEOUT(restore, p4_8_a_cpu_that_leaves_the_list, LOADING_TIMEOUT)
{
	long usual = fair_runtime(HOUSE);
	struct shot listed;

	ASSERT_GT(usual, 0);
	shoot(&listed);
	EXPECT_POLLED(false, false);
	EXPECT_USUAL_SERVERS();
	ASSERT_EQ(0, write_text(FILE_LIST, number(self->a)));
	EXPECT_POLLED(false, true);
	EXPECT_USUAL_SERVERS();
	ASSERT_EQ(0, write_text(FILE_LIST, number(self->b)));
	EXPECT_POLLED(true, false);
	EXPECT_USUAL_SERVERS();
	ASSERT_EQ(0, write_text(FILE_LIST, "\n"));
	EXPECT_POLLED(true, true);
	EXPECT_USUAL_SERVERS();
	ASSERT_EQ(0, write_text(FILE_LIST, self->list));
	EXPECT_AS(listed);
}

TEST_F_TIMEOUT(restore, p4_8_an_unload, LOADING_TIMEOUT)
{
	struct shot listed, plain;
	long usual = fair_runtime(HOUSE);

	shoot(&listed);
	ASSERT_EQ(0, take_all_out());
	EXPECT_USUAL_SERVERS();
	EXPECT_POLLED(true, true);
	shoot(&plain);
	ASSERT_EQ(0, put_back());
	EXPECT_AS(listed);
	ASSERT_EQ(0, take_all_out());
	EXPECT_AS(plain);
}

TEST_F_TIMEOUT(restore, p4_8_a_failed_load, LOADING_TIMEOUT)
{
	/* the good ones first: they must not stay changed */
	static const struct { const char *list; int error; } bad[] = {
		{ "%d,%d,1", EINVAL }, { "%d-%d,99999", ERANGE }, { "%d,%d,two", EINVAL },
		{ "%d-%d,0", EINVAL },
	};
	struct shot plain;

	ASSERT_EQ(0, take_all_out());
	shoot(&plain);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char list[64], parameters[80];

		snprintf(list, sizeof(list), bad[i].list, self->a, self->b);
		snprintf(parameters, sizeof(parameters), "cpus=%s", list);
		EXPECT_EQ(-bad[i].error, load(SHELL, parameters)) TH_LOG("%s", parameters);
		EXPECT_FALSE(is_loaded(SHELL));
		EXPECT_AS(plain);
	}
	EXPECT_POLLED(true, true);
	EXPECT_EQ(0, put_back());
}

static void act_sleep(struct stage *s)
{
	char byte;

	if (enter_on_stage(s, PERSISTENT))
		return;
	s->value[1] = read(s->fd[0], &byte, 1);
	s->flags_after = flags_now();
	s->value[0] = errno;
}

static void act_enter(struct stage *s)
{
	s->error = enter(PERSISTENT) ? errno : 0;
	s->flags_after = flags_now();
}

TEST_F_TIMEOUT(restore, p4_8_a_refused_list, LOADING_TIMEOUT)
{
	static const struct { const char *list; int error; } bad[] = {
		{ "0,%d,%d", EINVAL }, { "%d-%d,1", EINVAL }, { "%d,%d,x", EINVAL },
		{ "%d,%d,99999", ERANGE },
	};
	struct shot one_listed;
	pid_t pid;

	ASSERT_EQ(0, write_text(FILE_LIST, number(self->a)));
	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, self->a, act_sleep);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	shoot(&one_listed);
	/* takes an owned CPU off and puts another one on: neither happens */
	EXPECT_EQ(-EBUSY, write_text(FILE_LIST, number(self->b)));
	EXPECT_AS(one_listed);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char list[64];

		snprintf(list, sizeof(list), bad[i].list, self->a, self->b);
		EXPECT_EQ(-bad[i].error, write_text(FILE_LIST, list)) TH_LOG("'%s'", list);
		EXPECT_AS(one_listed);
	}
	EXPECT_POLLED(false, true);
	kill(pid, SIGKILL);
	finish(pid);
	ASSERT_EQ(0, write_text(FILE_LIST, self->list));
}

/* ---- over and over ------------------------------------------------------------------ */

/* Enters and leaves all the time; what it is told must be one of the promised. */
static void act_come_and_go(struct stage *s)
{
	/* loading a module patches text, which would kill strict ones: all shall live */
	static const unsigned long flags[] = { PERSISTENT, ONE_SHOT, WITH_SIGNAL(CHOSEN) };

	/* a loss in the handler would be the default action */
	handle(CHOSEN, on_chosen, SA_NODEFER);
	for (int i = 0; s->may < 1; i++) {
		int error = enter(flags[i % 3]) ? errno : 0;

		s->turns++;
		/* refused or not: without it the emulator gives its time to this loop */
		for (int turn = 0; turn < 20; turn++)
			relax();
		if (!error) {
			s->entered++;
		} else if (error != EPERM && error != EAGAIN && error != EINTR && error != EINVAL) {
			s->value[0] = error;
		}
		if (leave() && errno != EINVAL)
			s->value[1] = errno;
		if (error && flags_now() > 0)
			s->value[2]++;
	}
}

static long references(void)
{
	char text[16];

	return read_text("/sys/module/" SHELL "/refcnt", text, sizeof(text)) > 0 ? atol(text) : -1;
}

#define COME_AND_GO()							\
	struct stage *both[2] = { self->s, stage_new() };		\
	pid_t pid[2] = { actor(both[0], self->a, act_come_and_go),	\
			 actor(both[1], self->b, act_come_and_go) };	\
	ASSERT_TRUE(UNTIL(both[0]->entered && both[1]->entered))

/* Both entered once more: each round has something to do. */
#define AWAIT_ENTRIES() do {						\
	int before_[2] = { both[0]->entered, both[1]->entered };	\
	ASSERT_TRUE(UNTIL(both[0]->entered > before_[0] && both[1]->entered > before_[1])) \
		TH_LOG("round %d: nobody enters any more", i);		\
} while (0)

#define END_COMING_AND_GOING() do {					\
	for (int i_ = 0; i_ < 2; i_++) {				\
		int status_;						\
		both[i_]->may = 1;					\
		status_ = finish(pid[i_]);				\
		EXPECT_TRUE(ended_well(status_)) TH_LOG("status %#x", status_); \
		EXPECT_EQ(0, both[i_]->value[0]) TH_LOG("entering: errno %ld", both[i_]->value[0]); \
		EXPECT_EQ(0, both[i_]->value[1]) TH_LOG("leaving: errno %ld", both[i_]->value[1]); \
		EXPECT_EQ(0, both[i_]->value[2]) TH_LOG("refused and isolated"); \
	}								\
	EXPECT_EQ(0, owner_of(self->a));				\
	EXPECT_EQ(0, owner_of(self->b));				\
} while (0)

/* A few among all other tests, 200 in make check-long. */
static int rounds(void)
{
	return rounds_or(8);
}

TEST_F_TIMEOUT(restore, p6_3_lists_change_under_tasks_that_enter, 1200)
{
	const char *const lists[] = { number(self->a), number(self->b), "\n", self->list };
	int done[2] = { 0, 0 };
	long usual = fair_runtime(HOUSE);

	COME_AND_GO();
	for (int i = 0; i < rounds(); i++) {
		const char *list = lists[i % 4];
		char now[256];
		int error;

		error = write_text(FILE_LIST, list);
		if (error) {
			ASSERT_EQ(-EBUSY, error) TH_LOG("round %d", i);
		}
		done[!error]++;
		read_text(FILE_LIST, now, sizeof(now));
		if (!error) {
			ASSERT_STREQ(strcmp(list, "\n") ? list : "", now);
		}
		ASSERT_EQ(usual, fair_runtime(self->a)) TH_LOG("round %d, list '%s'", i, now);
		rest();
	}
	EXPECT_GT(done[true], rounds() / 20) TH_LOG("always busy: the test proves nothing");
	(void)UNTIL(!write_text(FILE_LIST, self->list));
	for (int i = 0; i < 3; i++)
		AWAIT_ENTRIES();
	END_COMING_AND_GOING();
}

TEST_F_TIMEOUT(restore, p6_11_choices_change_under_tasks_that_enter, 1200)
{
	static const char *const names[] = { "absorb", "never_ready", "standard" };
	long before = references();

	ASSERT_EQ(0, load(POLICY("absorb"), ""));
	ASSERT_EQ(0, load(POLICY("never_ready"), ""));
	COME_AND_GO();
	for (int i = 0; i < rounds(); i++) {
		ASSERT_EQ(0, write_text(FILE_POLICY, names[i % 3]));
		if (i % 3 == 2 && i % 4 == 0)
			AWAIT_ENTRIES();
		else
			rest();
	}
	ASSERT_EQ(0, write_text(FILE_POLICY, "standard"));
	for (int i = 0; i < 3; i++)
		AWAIT_ENTRIES();
	END_COMING_AND_GOING();
	EXPECT_EQ(0, unload(POLICY("absorb")));
	EXPECT_EQ(0, unload(POLICY("never_ready")));
	EXPECT_EQ(before, references()) TH_LOG("somebody still holds the shell");
}

/* Once, without asking again: nobody has a claim on it any more. */
static int unload_now(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

TEST_F_TIMEOUT(restore, p6_11_policies_are_replaced_under_tasks_that_enter, 1200)
{
	long before = references();

	COME_AND_GO();
	for (int i = 0; i < rounds(); i++) {
		ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
		ASSERT_EQ(0, unload_now(STANDARD)) TH_LOG("round %d", i);
		ASSERT_EQ(0, load(STANDARD, "")) TH_LOG("round %d", i);
		ASSERT_EQ(0, write_text(FILE_RELEASE, "0"));
		if (i % 8 == 0)
			AWAIT_ENTRIES();
	}
	END_COMING_AND_GOING();
	EXPECT_EQ(before, references()) TH_LOG("somebody still holds the shell");
}

TEST_F_TIMEOUT(restore, p6_12_modules_are_loaded_again_under_tasks_that_enter, 1200)
{
	long before = references();
	struct shot listed;

	shoot(&listed);
	COME_AND_GO();
	for (int i = 0; i < rounds(); i++) {
		char text[16];

		ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
		ASSERT_EQ(0, unload_now(STANDARD)) TH_LOG("round %d", i);
		ASSERT_EQ(0, unload_now(SHELL)) TH_LOG("round %d", i);
		ASSERT_EQ(0, load(SHELL, "")) TH_LOG("round %d", i);
		ASSERT_GT(read_text(FILE_RELEASE, text, sizeof(text)), 0);
		ASSERT_STREQ("0", text);
		ASSERT_EQ(0, load(STANDARD, "")) TH_LOG("round %d", i);
		if (i % 8 == 0)
			AWAIT_ENTRIES();
	}
	END_COMING_AND_GOING();
	EXPECT_EQ(before, references()) TH_LOG("somebody still holds the shell");
	EXPECT_AS(listed);
}

/* ---- released tasks outlive the modules ---------------------------------------------- */

/* Root does not wait for a task longer than that. */
static long limit_ms(void)
{
	return default_timeout_ms() > 1000 ? 60000 : 3000;
}

#define IN_TIME(action) do {						\
	long begin_ = now_ms(), took_;					\
	EXPECT_EQ(0, action) TH_LOG("%s", #action);			\
	took_ = now_ms() - begin_;					\
	EXPECT_LE(took_, limit_ms()) TH_LOG("%s took %ld ms", #action, took_); \
} while (0)

static int unload_both_now(void)
{
	int error = unload_now(STANDARD);

	return error ? error : unload_now(SHELL);
}

TEST_F_TIMEOUT(restore, p6_11_the_modules_go_while_a_released_task_sleeps, LOADING_TIMEOUT)
{
	struct stage *next = stage_new();
	pid_t pid;

	ASSERT_EQ(0, pipe(self->s->fd));
	pid = actor(self->s, self->a, act_sleep);
	ASSERT_TRUE(UNTIL(self->s->at == AT_ENTERED));
	ASSERT_EQ(0, self->s->error);
	ASSERT_TRUE(UNTIL(cpu_state_is(self->a, "entering")));
	IN_TIME(write_text(FILE_RELEASE, "1"));
	IN_TIME(unload_both_now());
	/* others take the place of what it knew */
	ASSERT_EQ(0, put_back());
	EXPECT_TRUE(ended_well(finish(actor(next, self->a, act_enter))));
	EXPECT_EQ(0, next->error);
	ASSERT_EQ(0, write_text(FILE_RELEASE, "1"));
	ASSERT_EQ(0, unload_both_now());
	ASSERT_EQ(1, write(self->s->fd[1], "x", 1));
	EXPECT_TRUE(ended_well(finish(pid)));
	EXPECT_EQ(1, self->s->value[1]);
	/* without a policy nobody knows of flags (2.7) */
	EXPECT_EQ(-1, self->s->flags_after);
	EXPECT_EQ(EINVAL, self->s->value[0]);
}

/* ---- 7.7: hostile tasks ---------------------------------------------------------------- */

static void lay_trap(struct stage *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (unsigned long)s->page;
	range.range.len = 4096;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		_exit(115);
}

/* No privilege, and no signal but those that cannot be blocked. */
static void be_hostile(void)
{
	sigset_t all;

	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		_exit(122);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

static void act_hostile_spinner(struct stage *s)
{
	be_hostile();
	if (enter_on_stage(s, STRICT))
		return;
	for (;;)
		relax();
}

static void act_hostile_sleeper(struct stage *s)
{
	be_hostile();
	if (!enter_on_stage(s, PERSISTENT))
		pause();
}

static void act_hostile_stopped(struct stage *s)
{
	be_hostile();
	if (!enter_on_stage(s, PERSISTENT))
		raise(SIGSTOP);
	for (;;)
		relax();
}

static void act_hostile_vfork(struct stage *s)
{
	be_hostile();
	if (!enter_on_stage(s, PERSISTENT) && !vfork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		pause();
	}
}

static void act_hostile_in_info(struct stage *s)
{
	be_hostile();
	lay_trap(s);
	if (!enter_on_stage(s, STRICT))
		read_info((struct task_isolation_info *)s->page);
}

static void act_hostile_in_fault(struct stage *s)
{
	be_hostile();
	lay_trap(s);
	if (!enter_on_stage(s, PERSISTENT))
		*(volatile char *)s->page = 1;
}

/* Never an owner: asks, and hangs in the answer. */
static void act_hostile_asker(struct stage *s)
{
	be_hostile();
	lay_trap(s);
	enter(PERSISTENT);
	leave();
	s->at = AT_ENTERED;
	read_info((struct task_isolation_info *)s->page);
}

/* On its way in, for a minute, beside a second one that keeps it from arriving. */
static void act_hostile_entering(struct stage *s)
{
	be_hostile();
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		for (;;)
			relax();
	}
	s->at = AT_ENTERED;
	for (;;)
		enter(PERSISTENT);
}

/* Many that come, go, fork and begin again, on both CPUs. */
static void act_hostile_swarm(struct stage *s)
{
	static const unsigned long flags[] = { PERSISTENT, ONE_SHOT, PERSISTENT | NOWAIT };

	be_hostile();
	for (int n = 0; n < 5; n++)
		if (!fork())
			break;
		else if (n == 4)
			pause();
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (int i = 0;; i++) {
		bind_to(isolation_cpu(i & 1));
		if (!enter(flags[i % 3])) {
			s->entered++;
			s->at = AT_ENTERED;
		}
		if (i % 4 == 0) {
			pid_t child = fork();

			if (!child) {
				prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
				enter(STRICT);
				_exit(0);
			}
			waitpid(child, NULL, 0);
		}
	}
}

FIXTURE(hostile) { struct stage *s; char list[256], traps[16]; int a, b; };
FIXTURE_VARIANT(hostile) { act_fn act; bool owner; };
#define HOSTILE(name, owns) \
	FIXTURE_VARIANT_ADD(hostile, name) { .act = act_hostile_##name, .owner = owns }
HOSTILE(spinner, true);
HOSTILE(sleeper, true);
HOSTILE(stopped, true);
HOSTILE(vfork, true);
HOSTILE(in_info, true);
HOSTILE(in_fault, true);
HOSTILE(asker, false);
HOSTILE(entering, true);
HOSTILE(swarm, false);
FIXTURE_SETUP(hostile)
{
	START_ANEW();
	self->s = stage_new();
	ASSERT_GT(read_text(FILE_LIST, self->list, sizeof(self->list)), 0);
	ASSERT_GT(read_text(UNPRIVILEGED_TRAPS, self->traps, sizeof(self->traps)), 0);
	self->a = CPU_A;
	self->b = CPU_B;
}
FIXTURE_TEARDOWN(hostile)
{
	write_text(UNPRIVILEGED_TRAPS, self->traps);
	(void)put_back();
	write_text(FILE_RELEASE, "1");
	write_text(FILE_LIST, self->list);
	restore_switches();
}

TEST_F_TIMEOUT(hostile, p7_7_cannot_stop_root, LOADING_TIMEOUT)
{
	struct stage *next = stage_new();
	pid_t pid;

	ASSERT_EQ(0, write_text(FILE_ALLOW, "any"));
	ASSERT_EQ(0, write_text(UNPRIVILEGED_TRAPS, "1"));
	ASSERT_EQ(0, write_number(FILE_TIMEOUT, 60000));
	pid = actor(self->s, self->a, variant->act);
	ASSERT_TRUE(UNTIL(self->s->at >= AT_ENTERED)) TH_LOG("at %d", self->s->at);
	ASSERT_EQ(0, self->s->error);
	if (variant->owner) {
		ASSERT_TRUE(UNTIL(owner_of(self->a) == pid));
	}
	/* it goes on to where it wants to be: off its CPU, or round and round */
	for (long end = now_ms() + 100; now_ms() < end;)
		rest();
	IN_TIME(write_text(FILE_RELEASE, "1"));
	EXPECT_EQ(0, owner_of(self->a));
	EXPECT_EQ(0, owner_of(self->b));
	IN_TIME(write_text(FILE_LIST, "\n"));
	IN_TIME(write_text(FILE_LIST, self->list));
	IN_TIME(unload_both_now());
	IN_TIME(put_back());
	/* the door is open again: what is left of it does not keep others out */
	IN_TIME(kill(pid, SIGKILL));
	EXPECT_TRUE(killed_by(finish(pid), SIGKILL));
	write_number(FILE_TIMEOUT, default_timeout_ms());
	EXPECT_TRUE(UNTIL(({
		next->error = -1;
		EXPECT_TRUE(ended_well(finish(actor(next, self->a, act_enter))));
		next->error != EAGAIN && next->error != EBUSY;
	})));
	EXPECT_EQ(0, next->error);
}

TEST_HARNESS_MAIN
