// SPDX-License-Identifier: GPL-2.0
/*
 * What runs inside the VM: one column of the comparison, or the caught cases.
 *
 * usage: demo column NAME CPU SECONDS POLLER NOISE [TASKISO]
 *        demo caught CPU
 *
 * The result is one line that begins with "DEMO-RESULT " and goes on in JSON.
 * With TASKISO the poller is started by "taskiso run", else it is only bound.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/task_isolation.h>

#include "../readings.h"
#include "page.h"

#define NOISE_ROUNDS	20

static void die(const char *what, const char *why)
{
	fprintf(stderr, "demo: %s: %s\n", what, why);
	exit(1);
}

static void bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot bind to the CPU", strerror(errno));
}

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

/* ---- a column ------------------------------------------------------------ */

static double monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* One pair of clock and TSC, as close together as they can be had. */
static void clock_pair(double *clock, uint64_t *tsc)
{
	uint64_t best = ~0ULL;
	int i;

	for (i = 0; i < 50; i++) {
		uint64_t before = read_tsc();
		double now = monotonic();
		uint64_t after = read_tsc();

		if (after - before < best) {
			best = after - before;
			*clock = now;
			*tsc = before + best / 2;
		}
	}
}

static double ticks_per_second(void)
{
	double first_clock, last_clock;
	uint64_t first_tsc, last_tsc;

	clock_pair(&first_clock, &first_tsc);
	sleep_ms(1000);
	clock_pair(&last_clock, &last_tsc);
	return (double)(last_tsc - first_tsc) / (last_clock - first_clock);
}

static void must_live(pid_t pid, const char *when)
{
	int status;

	if (waitpid(pid, &status, WNOHANG) == 0)
		return;
	fprintf(stderr, "demo: the poller ended %s, %s %d\n", when,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	exit(1);
}

static void must_progress(struct page *page, const char *when)
{
	uint64_t beats = LOAD(page->beats);
	int i;

	for (i = 0; i < 500; i++) {
		sleep_ms(10);
		if (LOAD(page->beats) != beats)
			return;
	}
	die("the poller makes no progress", when);
}

static void must_be_isolated(int cpu, const char *when)
{
	char text[64];
	int i;

	for (i = 0; i < 100; i++) {
		if (is_isolated(cpu))
			return;
		sleep_ms(50);
	}
	read_isolation(cpu, "state", text, sizeof(text));
	fprintf(stderr, "demo: the state of CPU %d is '%s' and not 'isolated' %s\n", cpu, text, when);
	exit(1);
}

static pid_t start(char *const arguments[], int cpu)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork", strerror(errno));
	if (!pid) {
		if (cpu >= 0)
			bind_to(cpu);
		execv(arguments[0], arguments);
		die(arguments[0], strerror(errno));
	}
	return pid;
}

static void read_or_die(int cpu, pid_t pid, int isolated, struct reading *reading)
{
	if (take_reading(cpu, pid, isolated, reading))
		die("the counters cannot be read; is the module loaded?", strerror(errno));
}

static void print_column(const char *name, const struct reading *delta, const struct page *page,
			 double seconds, int isolated)
{
	static const char *const noise_names[] = NOISE_NAMES;
	int i;

	printf("DEMO-RESULT {\"column\":\"%s\",", name);
	print_reading(delta, isolated);
	printf(",\"iterations\":%llu,\"guest_seconds\":%.2f,\"noise\":{",
	       (unsigned long long)page->iterations, seconds);
	for (i = 0; i < NOISE_KINDS; i++) {
		unsigned long long sum = 0;
		int cpu;

		for (cpu = 0; cpu < NOISE_CPUS; cpu++)
			sum += page->noise[cpu][i];
		printf("%s\"%s\":%llu", i ? "," : "", noise_names[i], sum);
	}
	printf("}}\n");
	fflush(stdout);
}

static int column(char **argv, char *taskiso)
{
	const char *name = argv[0];
	char *cpu_text = argv[1];
	int cpu = atoi(cpu_text);
	double seconds = atof(argv[2]);
	char *poller = argv[3];
	char *noise = argv[4];
	char descriptor[16], index[16], rounds[16];
	struct reading first, last, delta;
	pid_t poller_pid, noise_pid[NOISE_CPUS];
	int fd = memfd_create("demo", 0);
	struct page *page;
	int status, i;

	if (fd < 0 || ftruncate(fd, sizeof(struct page)))
		die("memfd_create", strerror(errno));
	snprintf(descriptor, sizeof(descriptor), "%d", fd);
	page = map_page(descriptor);
	bind_to(0);
	page->window = (uint64_t)(ticks_per_second() * seconds);

	if (taskiso) {
		char *arguments[] = { taskiso, "run", "-c", cpu_text, "--", poller, descriptor, NULL };

		poller_pid = start(arguments, -1);
	} else {
		char *arguments[] = { poller, descriptor, NULL };

		poller_pid = start(arguments, cpu);
	}
	for (i = 0; i < NOISE_CPUS; i++) {
		snprintf(index, sizeof(index), "%d", i);
		snprintf(rounds, sizeof(rounds), "%d", NOISE_ROUNDS);
		noise_pid[i] = start((char *[]){ noise, descriptor, index, rounds, argv[2], NULL }, i);
	}
	while (!LOAD(page->ready)) {
		must_live(poller_pid, "before it was ready");
		sleep_ms(10);
	}
	/* Starting is over for everybody, in every column. */
	sleep_ms(1000);
	if (taskiso)
		must_be_isolated(cpu, "before the count");
	must_progress(page, "before the count");

	printf("the poller is alive on CPU %d; the count begins\n", cpu);
	fflush(stdout);
	sleep_ms(100);
	read_or_die(cpu, poller_pid, taskiso != NULL, &first);
	STORE(page->go, 1);
	for (i = 0; i < NOISE_CPUS; i++)
		if (waitpid(noise_pid[i], &status, 0) < 0 || status)
			die("noise", "did not do its work");
	while (!LOAD(page->done)) {
		must_live(poller_pid, "during the count");
		sleep_ms(10);
	}
	read_or_die(cpu, poller_pid, taskiso != NULL, &last);

	must_live(poller_pid, "before the last reading");
	must_progress(page, "after the last reading");
	if (taskiso) {
		must_be_isolated(cpu, "after the last reading");
		waitpid(start((char *[]){ taskiso, "status", NULL }, 1), &status, 0);
	}
	STORE(page->stop, 1);
	if (waitpid(poller_pid, &status, 0) < 0 || status)
		die("the poller", "did not end well");
	delta = difference(&first, &last);
	print_column(name, &delta, page, seconds, taskiso != NULL);
	return 0;
}

/* ---- the caught cases ---------------------------------------------------- */

#define TRACE_EVENT	"/sys/kernel/tracing/events/sched/sched_process_exec/enable"

#define DEFER_TEXT	"/sys/kernel/task_isolation/defer_text_patching"

struct scene {
	uint32_t entered;
	uint32_t disturb;	/* the sibling's turn */
	uint32_t survived;
	uint32_t refused;
	char refusal[TASK_ISOLATION_TEXT_LEN];
	int pipe[2];
	char *memory;
};

static struct scene *scene;

static void spin_ms(unsigned int ms)
{
	/* 1 GHz at least is fine here: the length does not matter. */
	uint64_t begin = read_tsc();
	unsigned int reads = 0;

	while (read_tsc() - begin < ms * 1000000ULL)
		if (++reads % 64 == 0)
			relax();
}

static void act_write(void)
{
	spin_ms(100);
	if (write(scene->pipe[1], "x", 1) < 0)
		return;
}

static void act_fault(void)
{
	spin_ms(100);
	*(volatile char *)scene->memory = 1;
}

static void *sibling(void *unused)
{
	bind_to(1);
	while (!LOAD(scene->disturb))
		sleep_ms(5);
	munmap(scene->memory, 4096);
	pause();
	return unused;
}

static void write_event(const char *value)
{
	int fd = open(TRACE_EVENT, O_WRONLY);

	if (fd < 0 || write(fd, value, 1) != 1)
		die(TRACE_EVENT, strerror(errno));
	close(fd);
}

/* Held back by default: the case shows what happens without that. */
static void defer_text_patching(const char *value)
{
	int fd = open(DEFER_TEXT, O_WRONLY);

	if (fd < 0 || write(fd, value, 1) != 1)
		die(DEFER_TEXT, strerror(errno));
	close(fd);
}

static void disturb_text(void)
{
	defer_text_patching("0");
	write_event("1");
	write_event("0");
	defer_text_patching("1");
}

static const struct violation {
	const char *name;
	const char *comm;
	const char *causes[4];		/* how the log may call it */
	int has_sibling;		/* who unmaps memory, on CPU 1 */
	void (*act)(void);		/* by the isolated task */
	void (*disturb)(void);		/* by us, on CPU 0 */
} violations[] = {
	{ "write", "writer", { "syscall 1" }, 0, act_write, NULL },
	{ "page_fault", "faulter", { "page fault at" }, 0, act_fault, NULL },
	{ "sibling_munmap", "unmapper", { "tlb flush", "ipi" }, 1, NULL, NULL },
	{ "text_patching", "patched", { "ipi" }, 0, NULL, disturb_text },
};

#define VIOLATIONS	(sizeof(violations) / sizeof(violations[0]))

static void play(const struct violation *violation, int cpu)
{
	volatile char stack[65536];
	int tries;

	stack[0] = stack[sizeof(stack) - 1] = 1;
	prctl(PR_SET_NAME, violation->comm);
	if (violation->has_sibling) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, sibling, NULL))
			_exit(3);
	}
	bind_to(cpu);
	if (mlockall(MCL_CURRENT))
		_exit(3);
	scene->memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (violation->has_sibling)
		scene->memory[0] = 1;
	/* Past the first use, so that nothing of it is paged in later. */
	spin_ms(1);

	for (tries = 0; prctl(PR_SET_TASK_ISOLATION, PR_TASK_ISOLATION_ENABLE, 0, 0, 0); tries++) {
		struct task_isolation_info info = { 0 };

		if (errno == EAGAIN && tries < 5)
			continue;
		prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
		memcpy(scene->refusal, info.refusal, sizeof(info.refusal) - 1);
		STORE(scene->refused, (uint32_t)errno);
		_exit(3);
	}
	STORE(scene->entered, 1);
	if (violation->act)
		violation->act();
	spin_ms(10000);
	STORE(scene->survived, 1);
	_exit(4);
}

/* The line about this process, or an empty text. */
static void find_log(int kmsg, pid_t pid, char *log, size_t size)
{
	char mark[64];
	char record[8192];
	int i;

	snprintf(mark, sizeof(mark), "/%d: task_isolation mode lost due to ", pid);
	log[0] = '\0';
	for (i = 0; i < 100; i++) {
		ssize_t got = read(kmsg, record, sizeof(record) - 1);
		char *message;

		if (got < 0) {
			if (errno == EAGAIN)
				sleep_ms(50);
			continue;
		}
		record[got] = '\0';
		message = strchr(record, ';');
		if (!message || !strstr(message, mark))
			continue;
		message[1 + strcspn(message + 1, "\n")] = '\0';
		snprintf(log, size, "%s", message + 1);
		return;
	}
}

static int named_cause(const struct violation *violation, const char *cause)
{
	size_t i;

	for (i = 0; i < 4 && violation->causes[i]; i++)
		if (!strncmp(cause, violation->causes[i], strlen(violation->causes[i])))
			return 1;
	return 0;
}

struct outcome {
	char log[512];
	const char *cause;		/* in log, or empty */
	const char *signal;
	int caught;
};

static void catch(const struct violation *violation, int cpu, struct outcome *outcome)
{
	int kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	char byte;
	int status = 0;
	int i;
	pid_t pid, ended = 0;

	if (kmsg < 0 || lseek(kmsg, 0, SEEK_END) < 0)
		die("/dev/kmsg", strerror(errno));
	memset(scene, 0, sizeof(*scene));
	if (pipe2(scene->pipe, O_NONBLOCK))
		die("pipe", strerror(errno));
	fflush(stdout);
	pid = fork();
	if (!pid)
		play(violation, cpu);
	for (i = 0; i < 1500 && !ended; i++) {
		if (!violation->act && LOAD(scene->entered) && !LOAD(scene->disturb)) {
			sleep_ms(200);
			STORE(scene->disturb, 1);
			if (violation->disturb)
				violation->disturb();
		}
		sleep_ms(10);
		ended = waitpid(pid, &status, WNOHANG);
	}
	if (!ended) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		STORE(scene->survived, 1);
	}
	if (LOAD(scene->refused))
		fprintf(stderr, "demo: %s: could not enter isolation: %s: %s\n", violation->name,
			strerror((int)LOAD(scene->refused)), scene->refusal);

	find_log(kmsg, pid, outcome->log, sizeof(outcome->log));
	close(kmsg);
	outcome->cause = strstr(outcome->log, " due to ");
	outcome->cause = outcome->cause ? outcome->cause + strlen(" due to ") : "";
	outcome->signal = !WIFSIGNALED(status) ? "none" :
			  WTERMSIG(status) == SIGKILL ? "SIGKILL" : strsignal(WTERMSIG(status));
	outcome->caught = LOAD(scene->entered) && !LOAD(scene->survived) && WIFSIGNALED(status) &&
			  WTERMSIG(status) == SIGKILL && named_cause(violation, outcome->cause);
	/* A refused call is not executed. */
	if (read(scene->pipe[0], &byte, 1) == 1)
		outcome->caught = 0;
	close(scene->pipe[0]);
	close(scene->pipe[1]);
	printf("%s: %s\n", violation->name, outcome->caught ? "caught" : "not caught");
}

static int caught_cases(int cpu)
{
	static struct outcome outcomes[VIOLATIONS];
	size_t i;
	int all = 1;

	scene = mmap(NULL, sizeof(*scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (scene == MAP_FAILED)
		die("mmap", strerror(errno));
	bind_to(0);
	/* The first use of a trace event ever sets up its buffers on all CPUs. */
	disturb_text();
	sleep_ms(500);

	for (i = 0; i < VIOLATIONS; i++) {
		catch(&violations[i], cpu, &outcomes[i]);
		all &= outcomes[i].caught;
	}
	fflush(stderr);
	printf("DEMO-RESULT {\"caught\":[");
	for (i = 0; i < VIOLATIONS; i++) {
		printf("%s{\"case\":\"%s\",\"cause\":", i ? "," : "", violations[i].name);
		print_json(outcomes[i].cause);
		printf(",\"signal\":\"%s\",\"log\":", outcomes[i].signal);
		print_json(outcomes[i].log);
		printf(",\"caught\":%s}", outcomes[i].caught ? "true" : "false");
	}
	printf("]}\n");
	fflush(stdout);
	return !all;
}

int main(int argc, char **argv)
{
	if ((argc == 7 || argc == 8) && !strcmp(argv[1], "column"))
		return column(argv + 2, argc == 8 ? argv[7] : NULL);
	if (argc == 3 && !strcmp(argv[1], "caught"))
		return caught_cases(atoi(argv[2]));
	fprintf(stderr, "usage: demo column NAME CPU SECONDS POLLER NOISE [TASKISO]\n"
			"       demo caught CPU\n");
	return 2;
}
