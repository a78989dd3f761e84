/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every selftest needs: an actor that isolates itself, a stage on which
 * test and actor meet, and readers of what the kernel shows.
 *
 * The test process stays on a housekeeping CPU. The task that isolates is an
 * actor: a forked child bound to a task-isolation CPU, so that its end, by
 * whatever signal, is seen through waitpid(). Both meet in shared memory and
 * poll; nothing here sleeps for a time that somebody guessed.
 *
 * A busy actor executes `pause` all the time: under a single-threaded
 * emulator a CPU that does not keeps its time slice, and nothing that others
 * send would arrive while it lives.
 */
#ifndef SELFTESTS_ISOLATION_H
#define SELFTESTS_ISOLATION_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/membarrier.h>

#include <linux/task_isolation.h>

#define MAYBE_UNUSED		__attribute__((unused))

/* Patience: far above what anything takes; only a failure ever uses it up. */
#define PATIENCE_MS		20000
#define CASE_TIMEOUT		60	/* s, for TEST_F_TIMEOUT */

#define DIR_CPUS		"/sys/devices/system/cpu"
#define FILE_LIST		DIR_CPUS "/task_isolation"
#define DIR_ADMIN		"/sys/kernel/task_isolation"
#define FILE_TIMEOUT		DIR_ADMIN "/timeout_ms"
#define FILE_DEBUG		DIR_ADMIN "/debug"
#define FILE_POLICY		DIR_ADMIN "/policy"
#define FILE_ALLOW		DIR_ADMIN "/allow"
#define FILE_RELEASE		DIR_ADMIN "/release"
#define FILE_TIMER_MIGRATION	"/proc/sys/kernel/timer_migration"
#define FILE_DISTURB		"/sys/kernel/debug/task_isolation_disturb"

#define STRICT			PR_TASK_ISOLATION_ENABLE
#define WITH_SIGNAL(n)		(PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_SET_SIG(n))
#define PERSISTENT		(PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)
#define ONE_SHOT		(PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_ONESHOT)
#define NOWAIT			PR_TASK_ISOLATION_NOWAIT

/* The signal that the mode "chosen signal" uses throughout. */
#define CHOSEN			SIGUSR1

enum mode { MODE_STRICT, MODE_SIGNAL, MODE_PERSISTENT, MODE_ONE_SHOT };

/* One variant of a fixture per column of the table in part 3. */
#define FOUR_MODES(fixture) \
	FIXTURE_VARIANT(fixture) { enum mode mode; unsigned long flags; }; \
	FIXTURE_VARIANT_ADD(fixture, strict) { .mode = MODE_STRICT, .flags = STRICT }; \
	FIXTURE_VARIANT_ADD(fixture, signal) { .mode = MODE_SIGNAL, .flags = WITH_SIGNAL(CHOSEN) }; \
	FIXTURE_VARIANT_ADD(fixture, persistent) { .mode = MODE_PERSISTENT, .flags = PERSISTENT }; \
	FIXTURE_VARIANT_ADD(fixture, one_shot) { .mode = MODE_ONE_SHOT, .flags = ONE_SHOT }

/* ---- time and rest ---------------------------------------------------- */

static inline void relax(void)
{
	for (int i = 0; i < 16; i++)
#if defined(__x86_64__) || defined(__i386__)
		__asm__ volatile("pause");
#else
		__asm__ volatile("yield");
#endif
}

static inline long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static inline void rest(void)
{
	relax();
	sched_yield();
}

/* True as soon as the condition holds, false when patience ran out. */
#define UNTIL_MS(ms, condition) ({					\
	long end_ = now_ms() + (ms);					\
	bool holds_;							\
	while (!(holds_ = (condition)) && now_ms() < end_)		\
		rest();							\
	holds_; })
#define UNTIL(condition) UNTIL_MS(PATIENCE_MS, condition)

/* ---- the calls -------------------------------------------------------- */

static inline int enter(unsigned long flags)
{
	return prctl(PR_SET_TASK_ISOLATION, flags, 0, 0, 0);
}

static inline int leave(void)
{
	return prctl(PR_SET_TASK_ISOLATION, 0, 0, 0, 0);
}

static inline long flags_now(void)
{
	return prctl(PR_GET_TASK_ISOLATION, 0, 0, 0, 0);
}

static inline int read_info(struct task_isolation_info *info)
{
	return prctl(PR_TASK_ISOLATION_INFO, info, sizeof(*info), 0, 0);
}

/* ---- files ------------------------------------------------------------ */

/* Length of what the file holds without its last newline, or -errno. */
static inline int read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	text[0] = 0;
	if (fd < 0)
		return -errno;
	while (len + 1 < size && (n = read(fd, text + len, size - 1 - len)) > 0)
		len += n;
	close(fd);
	if (len && text[len - 1] == '\n')
		len--;
	text[len] = 0;
	return len;
}

static inline int write_bytes(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	n = n < 0 ? -errno : 0;
	close(fd);
	return n;
}

static inline int write_text(const char *path, const char *text)
{
	return write_bytes(path, text, strlen(text));
}

static inline int write_number(const char *path, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	return write_text(path, text);
}

static inline const char *cpu_path(int cpu, const char *name)
{
	static char path[2][128];
	static int turn;

	turn ^= 1;
	snprintf(path[turn], sizeof(path[turn]), DIR_CPUS "/cpu%d/task_isolation/%s", cpu, name);
	return path[turn];
}

/* The text of cpuN/task_isolation/NAME, "?" when it cannot be read. */
static inline const char *cpu_text(int cpu, const char *name)
{
	static char text[4][256];
	static int turn;

	turn = (turn + 1) % 4;
	if (read_text(cpu_path(cpu, name), text[turn], sizeof(text[turn])) < 0)
		strcpy(text[turn], "?");
	return text[turn];
}

static inline long cpu_number(int cpu, const char *name)
{
	return strtol(cpu_text(cpu, name), NULL, 10);
}

static inline bool cpu_state_is(int cpu, const char *state)
{
	return !strcmp(cpu_text(cpu, "state"), state);
}

/* 0: nobody ("none") */
static inline pid_t owner_of(int cpu)
{
	return cpu_number(cpu, "owner");
}

/* True when the last loss of this CPU is "COMM/PID: CAUSE...". */
static inline bool last_loss_is(int cpu, pid_t pid, const char *cause)
{
	const char *text = cpu_text(cpu, "last_loss");
	char who[24];
	const char *at;

	snprintf(who, sizeof(who), "/%d: ", pid);
	at = strstr(text, who);
	return at && !strncmp(at + strlen(who), cause, strlen(cause));
}

/* ---- which CPUs ------------------------------------------------------- */

#define MAX_CPUS 4096

/* Simple form only: "2-3,7". Returns how many were set in the array. */
static inline int parse_simple_list(const char *text, bool *set)
{
	int n = 0;

	memset(set, 0, MAX_CPUS * sizeof(*set));
	while (*text >= '0' && *text <= '9') {
		char *end;
		long a = strtol(text, &end, 10), b = a;

		if (*end == '-')
			b = strtol(end + 1, &end, 10);
		for (; a <= b && a < MAX_CPUS; a++, n++)
			set[a] = true;
		text = *end == ',' ? end + 1 : end;
	}
	return n;
}

/* The nth task-isolation CPU; 2 and 3 in the project's own VM. */
static inline int isolation_cpu(int nth)
{
	static bool set[MAX_CPUS];
	static int known = -1;
	char text[4096];

	if (known <= 0) {
		read_text(FILE_LIST, text, sizeof(text));
		known = parse_simple_list(text, set);
	}
	for (int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (set[cpu] && !nth--)
			return cpu;
	return 2;
}

#define CPU_A	isolation_cpu(0)
#define CPU_B	isolation_cpu(1)
#define HOUSE	0

static inline int bind_task(pid_t pid, int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(pid, sizeof(set), &set);
}

static inline int bind_to(int cpu)
{
	return bind_task(0, cpu);
}

/* Actor: real-time, or with 0 ordinary again. */
static inline void be_fifo(int priority)
{
	struct sched_param param = { .sched_priority = priority };

	if (sched_setscheduler(0, priority ? SCHED_FIFO : SCHED_OTHER, &param))
		_exit(113);
}

/* ---- the stage -------------------------------------------------------- */

enum {
	AT_START	= 0,
	AT_READY	= 1,	/* about to enter */
	AT_ENTERED	= 2,	/* the call returned; see error */
	AT_DONE		= 9,	/* nothing more will come */
};

struct stage {
	atomic_int at;			/* actor: how far it is */
	atomic_int may;			/* test: how far the actor may go */
	atomic_ulong turns;		/* actor: proof of life */
	atomic_int hits;		/* actor: chosen signals handled */
	atomic_int others;		/* actor: other signals handled */
	atomic_int entered;		/* actor: successful entries */
	atomic_int helper;		/* helper thread: how far it is */
	atomic_int order;		/* test: what the helper shall do */
	pid_t helper_tid;
	int error;			/* errno of entering, 0 */
	long flags_in_handler;
	long flags_after;
	int cpu;
	long value[8];
	unsigned long flags;
	siginfo_t seen;			/* of the last chosen signal */
	siginfo_t other;		/* of the last other signal */
	struct task_isolation_info before, info;
	long toll;			/* what the info call adds to own itself */
	char *page;			/* for helpers that change mappings */
	int fd[2];
	char bytes[256];
};

static struct stage *on_stage;	/* for signal handlers of actors */

static inline struct stage *stage_new(void)
{
	struct stage *s = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (s == MAP_FAILED)
		abort();
	memset(s, 0, sizeof(*s));
	s->cpu = CPU_A;
	s->fd[0] = s->fd[1] = -1;
	return s;
}

static inline void prefault(void)
{
	char stack[96 * 1024];

	memset(stack, 1, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
}

/*
 * Everything the actor has now is present and writable. Mappings made later
 * are not: they are for the tests that want a fault.
 */
static inline void be_resident(struct stage *s)
{
	prefault();
	mlockall(MCL_CURRENT);
	for (size_t i = 0; i < 65536; i += 4096)
		((volatile char *)s)[i] = ((volatile char *)s)[i];
	now_ms();
}

/* Actor: where the counters stand, and what asking for them costs. */
static inline void take_before(struct stage *s)
{
	struct task_isolation_info first;

	read_info(&first);
	read_info(&s->before);
	s->toll = s->before.own - first.own;
}

typedef void (*act_fn)(struct stage *s);

/* Fork the actor onto its CPU; it ends with its own _exit(0). */
static inline pid_t actor(struct stage *s, int cpu, act_fn act)
{
	pid_t pid;

	fflush(NULL);
	s->cpu = cpu;
	pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	on_stage = s;
	if (bind_to(cpu))
		_exit(101);
	be_resident(s);
	act(s);
	s->at = AT_DONE;
	_exit(0);
}

/* Wait status of the child, or -1 (after SIGKILL) when it does not end. */
static inline int finish_ms(pid_t pid, long ms)
{
	int status = -1;

	if (UNTIL_MS(ms, waitpid(pid, &status, WNOHANG) == pid))
		return status;
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static inline int finish(pid_t pid)
{
	return finish_ms(pid, PATIENCE_MS);
}

static inline bool ended_well(int status)
{
	return status != -1 && WIFEXITED(status) && !WEXITSTATUS(status);
}

static inline bool killed_by(int status, int sig)
{
	return status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

/* Actor: spin, showing life, until the test lets it go on to @step. */
static inline void spin_until_may(struct stage *s, int step)
{
	while (s->may < step) {
		s->turns++;
		relax();
	}
}

/* Actor: enter and say how it went. */
/* A refusal that the test does not expect is useless without its reason. */
static inline void tell_refusal(struct stage *s)
{
	struct task_isolation_info info;

	if (!prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0))
		printf("# CPU %d refused, errno %d, unmet %#x: %s\n", s->cpu, s->error,
		       info.refusal_unmet, info.refusal);
	fflush(stdout);
}

static inline int enter_on_stage(struct stage *s, unsigned long flags)
{
	s->at = AT_READY;
	s->error = enter(flags) ? errno : 0;
	if (!s->error)
		s->entered++;
	else
		tell_refusal(s);
	s->at = AT_ENTERED;
	return s->error;
}

/* Test: the actor is inside, and still moves. */
static inline bool alive(struct stage *s)
{
	unsigned long turns = s->turns;

	return UNTIL(s->turns > turns + 1);
}

static inline bool isolated(struct stage *s, pid_t pid)
{
	return s->at >= AT_ENTERED && !s->error && cpu_state_is(s->cpu, "isolated") &&
	       owner_of(s->cpu) == pid && alive(s);
}

/* ---- handlers --------------------------------------------------------- */

static inline void handle(int sig, void (*fn)(int, siginfo_t *, void *), int sa_flags)
{
	struct sigaction action = { .sa_sigaction = fn, .sa_flags = SA_SIGINFO | sa_flags };

	sigaction(sig, &action, NULL);
}

static MAYBE_UNUSED void on_chosen(int sig MAYBE_UNUSED, siginfo_t *si, void *context MAYBE_UNUSED)
{
	on_stage->seen = *si;
	on_stage->flags_in_handler = flags_now();
	on_stage->hits++;
}

static MAYBE_UNUSED void on_other(int sig MAYBE_UNUSED, siginfo_t *si, void *context MAYBE_UNUSED)
{
	on_stage->other = *si;
	on_stage->flags_in_handler = flags_now();
	on_stage->others++;
}

/* ---- disturbances ----------------------------------------------------- */

/* Orders of the helper thread of an actor, on a housekeeping CPU. */
enum { ORDER_NONE, ORDER_IPI, ORDER_TLB, ORDER_UNMAP, ORDER_EXIT_GROUP, ORDER_CPU_TIMER,
       ORDER_STOP_TIMER, ORDER_STOP };

static MAYBE_UNUSED void *helper_thread(void *arg)
{
	struct stage *s = arg;
	timer_t timer = NULL;

	bind_to(HOUSE);
	s->helper_tid = gettid();
	s->helper = 1;
	for (;;) {
		int order;

		while (!(order = s->order))
			rest();
		switch (order) {
		case ORDER_IPI:
			syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
			break;
		case ORDER_TLB:
			*(volatile char *)s->page = 1;
			mprotect(s->page, 4096, PROT_READ);
			mprotect(s->page, 4096, PROT_READ | PROT_WRITE);
			break;
		case ORDER_UNMAP:
			*(volatile char *)s->page = 1;
			munmap(s->page, 4096);
			break;
		case ORDER_EXIT_GROUP:
			syscall(SYS_exit_group, 0);
			break;
		case ORDER_CPU_TIMER: {
			struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2 };
			struct itimerspec in_an_hour = { .it_value.tv_sec = 3600 };

			timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer);
			timer_settime(timer, 0, &in_an_hour, NULL);
			break;
		}
		case ORDER_STOP_TIMER:
			timer_delete(timer);
			break;
		case ORDER_STOP:
			s->order = ORDER_NONE;
			s->helper++;
			return NULL;
		}
		s->order = ORDER_NONE;
		s->helper++;
	}
}

/* Actor: a sibling thread with a stack that is quickly made resident. */
static inline void start_thread(void *(*fn)(void *), void *arg)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 262144);
	if (pthread_create(&thread, &attr, fn, arg))
		_exit(102);
}

/* Actor: a sibling thread on a housekeeping CPU that takes orders. */
static inline void start_helper(struct stage *s)
{
	s->page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		       -1, 0);
	syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
	start_thread(helper_thread, s);
	while (!s->helper)
		rest();
	be_resident(s);
}

/* Test or actor: give one order and see it carried out. */
static inline bool order(struct stage *s, int what)
{
	int before = s->helper;

	s->order = what;
	return UNTIL(s->helper > before);
}

/* A timer that is due on this very CPU after @ms; returns its descriptor. */
static inline int arm_local_timer(long ms)
{
	struct itimerspec due = { .it_value = { ms / 1000, ms % 1000 * 1000000 } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	timerfd_settime(fd, 0, &due, NULL);
	return fd;
}

static MAYBE_UNUSED void act_intruder(struct stage *s)
{
	prctl(PR_SET_NAME, "intruder", 0, 0, 0);
	s->at = AT_READY;
	spin_until_may(s, 1);
}

/* One order for the test module; see disturb/. */
static inline int disturb(const char *what, int cpu)
{
	char text[64];

	snprintf(text, sizeof(text), "%s %d", what, cpu);
	return write_text(FILE_DISTURB, text);
}

/* How many works, task works, callbacks and timers of the test module have run, or -1. */
static MAYBE_UNUSED long disturbances_run(void)
{
	char text[32];

	return read_text(FILE_DISTURB, text, sizeof(text)) > 0 ? strtol(text, NULL, 10) : -1;
}

/* ---- deadline tasks ------------------------------------------------------ */

#define FILE_RT_RUNTIME	"/proc/sys/kernel/sched_rt_runtime_us"

/*
 * What deadline tasks have reserved in the domain of that CPU. It is given back a
 * while after such a task is gone. Await that before sched_rt_runtime_us is written
 * again: the kernel forgets all of it then, would count it below zero, and take no
 * CPU offline any more.
 */
static inline long reserved_bandwidth(int cpu)
{
	static char text[1 << 20];
	char name[16];
	char *at;

	snprintf(name, sizeof(name), "dl_rq[%d]:", cpu);
	read_text("/sys/kernel/debug/sched/debug", text, sizeof(text));
	at = strstr(text, name);
	at = at ? strstr(at, "total_bw") : NULL;
	at = at ? strchr(at, ':') : NULL;
	return at ? strtol(at + 1, NULL, 10) : -1;
}

/* ---- interrupts ------------------------------------------------------- */

/*
 * What /proc/interrupts says for one CPU: the row that begins with the label,
 * or the sum of all rows for the label "all".
 */
static inline unsigned long interrupts(int cpu, const char *label)
{
	static char text[262144];
	unsigned long sum = 0;
	int column = -1, columns = 0;
	char *line, *save;

	read_text("/proc/interrupts", text, sizeof(text));
	line = strtok_r(text, "\n", &save);
	for (char *at = line; at && (at = strstr(at, "CPU")); at += 3, columns++)
		if (atoi(at + 3) == cpu)
			column = columns;
	while ((line = strtok_r(NULL, "\n", &save))) {
		char *at = strchr(line, ':');
		char name[32] = "";
		unsigned long value = 0;
		int i;

		sscanf(line, " %31[^:]", name);
		if (!at || column < 0 || (strcmp(label, "all") && strcmp(label, name)))
			continue;
		for (at++, i = 0; i <= column; i++) {
			char *end;

			value = strtoul(at, &end, 10);
			if (end == at)
				break;
			at = end;
		}
		if (i > column)
			sum += value;
	}
	return sum;
}

/* Until no call-function interrupt has come to the CPU for that long. */
static inline void await_rest(int cpu, long ms)
{
	unsigned long seen = interrupts(cpu, "CAL"), now;
	long since = now_ms();

	while (now_ms() < since + ms) {
		now = interrupts(cpu, "CAL");
		if (now != seen) {
			seen = now;
			since = now_ms();
		}
		rest();
	}
}

/* ---- the kernel log --------------------------------------------------- */

static inline int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0) {
		mknod("/dev/kmsg", S_IFCHR | 0600, makedev(1, 11));
		fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* The next record: its level, or -1 when there is none. */
static inline int log_next(int fd, char *line, size_t size)
{
	char raw[8192];
	char *text;
	ssize_t n;

	do {
		n = read(fd, raw, sizeof(raw) - 1);
	} while (n < 0 && errno == EPIPE);
	if (n <= 0)
		return -1;
	raw[n] = 0;
	text = strchr(raw, ';');
	text = text ? text + 1 : raw;
	text[strcspn(text, "\n")] = 0;
	text[strnlen(text, size - 1)] = 0;
	memcpy(line, text, strlen(text) + 1);
	return atoi(raw) & 7;
}

/* Level of the first record that holds @what within @ms, or -1. */
static inline int log_find(int fd, long ms, const char *what, char *line, size_t size)
{
	int level = -1;

	(void)UNTIL_MS(ms, ({
		while ((level = log_next(fd, line, size)) >= 0 && !strstr(line, what))
			;
		level >= 0;
	}));
	return level;
}

/* ---- the state a test starts from ------------------------------------- */

/* The checkers of a debug kernel make everything slow, RCU callbacks most of all. */
static inline long default_timeout_ms(void)
{
	struct utsname name;

	return !uname(&name) && strstr(name.release, "-debug") ? 10000 : 1000;
}

/* There softirqs last, and are left to their thread, which runs before whoever was woken. */
static MAYBE_UNUSED bool is_ksoftirqd_s(const char *cause)
{
	return default_timeout_ms() > 1000 && strstr(cause, "preempted by ksoftirqd/");
}

/* How often a test does its work: a boot word gives it, or else @usual. */
static inline int rounds_or(int usual)
{
	static const char word[] = "task_isolation_rounds=";
	char line[4096], *at;

	read_text("/proc/cmdline", line, sizeof(line));
	at = strstr(line, word);
	return at ? atoi(at + strlen(word)) : usual;
}

static inline void restore_switches(void)
{
	write_number(FILE_TIMEOUT, default_timeout_ms());
	write_number(FILE_DEBUG, 0);
	write_number(FILE_RELEASE, 0);
	write_text(FILE_ALLOW, "privileged");
}

/* Defaults of every switch, and no owner on the task-isolation CPUs. */
static inline bool settle(void)
{
	bind_to(HOUSE);
	restore_switches();
	if (access(FILE_POLICY, W_OK) == 0) {
		char name[64];

		if (read_text(FILE_POLICY, name, sizeof(name)) > 0 && strcmp(name, "standard"))
			write_text(FILE_POLICY, "standard");
	}
	for (int nth = 0; nth < 2; nth++) {
		int cpu = isolation_cpu(nth);
		pid_t left_over = owner_of(cpu);

		if (left_over > 0)
			kill(left_over, SIGKILL);
		if (!UNTIL(!owner_of(cpu)))
			return false;
	}
	/* KASAN interrupts every CPU for a purge of freed addresses: now, not in the middle of a test. */
	if (default_timeout_ms() > 1000)
		disturb("unalias", 0);
	return true;
}

/* The fixture that most programs use. */
#define STAGE_FIXTURE(fixture)						\
	FIXTURE(fixture) { struct stage *s; };				\
	FIXTURE_SETUP(fixture)						\
	{								\
		ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");	\
		self->s = stage_new();					\
	}								\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		restore_switches();					\
		munmap(self->s, 65536);					\
	}

/* The same for each mode: the stage's flags are the mode's. */
#define MODES_FIXTURE(fixture)						\
	FIXTURE(fixture) { struct stage *s; };				\
	FOUR_MODES(fixture);						\
	FIXTURE_SETUP(fixture)						\
	{								\
		ASSERT_TRUE(settle()) TH_LOG("a CPU is still owned");	\
		self->s = stage_new();					\
		self->s->flags = variant->flags;			\
	}								\
	FIXTURE_TEARDOWN(fixture)					\
	{								\
		restore_switches();					\
	}

/* ---- what most tests say ------------------------------------------------ */

/* The actor @pid of self->s came to that step, and is isolated. */
#define AWAIT_ISOLATED(step) do {					\
	ASSERT_TRUE(UNTIL(self->s->at >= (step))) TH_LOG("at %d", self->s->at); \
	ASSERT_EQ(0, self->s->error);					\
	ASSERT_TRUE(UNTIL(isolated(self->s, pid)))			\
		TH_LOG("state %s", cpu_text(self->s->cpu, "state"));	\
} while (0)

#define EXPECT_LAST_LOSS(pid, cause) do {				\
	EXPECT_TRUE(last_loss_is(CPU_A, pid, cause))			\
		TH_LOG("last loss '%s'", cpu_text(CPU_A, "last_loss"));	\
} while (0)

static MAYBE_UNUSED void act_next_owner(struct stage *s)
{
	s->error = enter(s->flags) ? errno : 0;
	s->flags_after = flags_now();
}

/* Nothing leaked: the CPU is free, and the next task can enter at once. */
#define NEXT_CAN_ENTER(mode_flags) do {					\
	struct stage *next_ = stage_new();				\
	EXPECT_TRUE(UNTIL(!owner_of(CPU_A)));				\
	EXPECT_FALSE(cpu_state_is(CPU_A, "isolated"));			\
	next_->flags = (mode_flags);					\
	EXPECT_TRUE(ended_well(finish(actor(next_, CPU_A, act_next_owner)))); \
	EXPECT_EQ(0, next_->error) TH_LOG("the next task: errno %d", next_->error); \
	EXPECT_EQ((long)next_->flags, next_->flags_after);		\
} while (0)

#endif /* SELFTESTS_ISOLATION_H */
