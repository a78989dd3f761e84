// SPDX-License-Identifier: GPL-2.0
/*
 * Text patched at full speed while isolated CPUs enter the kernel at random
 * moments: by system call, fault, interrupt and NMI. Each entry runs text that
 * checks itself (task_isolation_stress.c); the others on CPUs 0 and 1 patch it, and
 * beside it whatever bench/noise patches: trace events, the function tracer,
 * kprobes, static calls, BPF programs, modules.
 *
 * usage: stress --entries N --synchronised N --seconds MAX --module FILE.ko
 *
 * Exit status 0 when both numbers were reached in time, every context and every
 * subject was checked, and nothing stale was run.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/task_isolation.h>

#include "noise.h"

#define DEVICE		"/dev/task_isolation_stress"
#define SUBJECTS	6
#define PAUSE_MS	500
#define FIRST_CPU	2
#define LAST_CPU	3
#define TIMEOUT		"/sys/kernel/task_isolation/timeout_ms"

struct options options;

/* One writer each. */
static struct {
	int stop;
	int entered[LAST_CPU + 1];
} *shared;

static unsigned int random_state;

static unsigned int random_below(unsigned int limit)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % limit;
}

/* ---- children: 0 or failed() ---------------------------------------------- */

/* Enters the kernel at random moments, and stays away from it for random times. */
static int isolated_task(int cpu)
{
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	volatile char *page;
	unsigned int i;
	const unsigned long flags = PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG;
	int error = EAGAIN;

	if (device < 0)
		return failed("open " DEVICE);
	page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, device, 0);
	if (page == MAP_FAILED)
		return failed("map " DEVICE);
	for (i = 0; i < 100 && error == EAGAIN; i++)
		error = prctl(PR_SET_TASK_ISOLATION, flags) ? errno : 0;
	if (error) {
		errno = error;
		return failed("enter isolation on CPU %d", cpu);
	}
	STORE(shared->entered[cpu], 1);
	random_state = (unsigned int)cpu;
	while (!LOAD(shared->stop)) {
		switch (random_below(4)) {
		case 0:
			if (ioctl(device, 0))
				return failed("ioctl " DEVICE);
			break;
		case 1:
			madvise((void *)page, PAGE, MADV_DONTNEED);
			(void)page[0];
			break;
		default:
			break;
		}
		/* Under emulation by one thread a pause also hands over to the next CPU. */
		for (i = random_below(8); i; i--)
			__asm__ volatile("pause");
	}
	return prctl(PR_SET_TASK_ISOLATION, 0) ? failed("leave isolation") : 0;
}

static int command(int device, const char *text)
{
	ssize_t length = (ssize_t)strlen(text);

	return write(device, text, (size_t)length) == length ? 0 : failed("'%s' to " DEVICE, text);
}

/* Whoever keeps a housekeeping CPU busy leaves the kernel's own work its turn there. */
static void be_nice(void)
{
	setpriority(PRIO_PROCESS, 0, 19);
}

/*
 * The fast ones together; those that wait for RCU each for itself. The optimiser
 * of kprobes waits with text_mutex held: a pause lets the fast ones through.
 */
static int patcher(int first)
{
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	int last = first ? first : 1, i;
	char text[16];

	if (device < 0)
		return failed("open " DEVICE);
	be_nice();
	while (!LOAD(shared->stop))
		for (i = first; i <= last; i++) {
			snprintf(text, sizeof(text), "patch %d", i);
			if (command(device, text))
				return -1;
			if (first)
				sleep_ms(PAUSE_MS);
		}
	return 0;
}

static int interrupter(int unused)
{
	int device = open(DEVICE, O_RDWR | O_CLOEXEC);
	char text[16];

	(void)unused;
	if (device < 0)
		return failed("open " DEVICE);
	while (!LOAD(shared->stop)) {
		snprintf(text, sizeof(text), "%s %u", random_below(2) ? "call" : "nmi",
			 FIRST_CPU + random_below(LAST_CPU - FIRST_CPU + 1));
		if (command(device, text))
			return -1;
		usleep(random_below(500));
	}
	return 0;
}

static int (*const others[])(int rounds) = {
	work_trace_events, work_function_tracer, work_static_keys, work_static_calls,
	work_kprobes, work_bpf_attach, work_module_load,
};

/* Tracing is one system: whoever uses it takes turns. */
static int other_patcher(int unused)
{
	size_t i;

	(void)unused;
	be_nice();
	while (!LOAD(shared->stop))
		for (i = 0; i < sizeof(others) / sizeof(others[0]) && !LOAD(shared->stop); i++) {
			if (others[i](1) < 0)
				return -1;
			sleep_ms(PAUSE_MS);
		}
	return 0;
}

/* ---- counts ---------------------------------------------------------------- */

/* The sum of the counters whose names begin with a word; *least is the smallest of them. */
static long counts(const char *word, long *least)
{
	static char text[1024];
	long sum = 0, value;
	char *line;

	*least = -1;
	if (read_text(DEVICE, text, sizeof(text)) < 0)
		return -1;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, word, strlen(word)))
			continue;
		value = strtol(strchr(line, ' '), NULL, 10);
		sum += value;
		if (*least < 0 || value < *least)
			*least = value;
	}
	return sum;
}

static long of_cpus(const char *const *names, size_t count)
{
	char text[64];
	long sum = 0;
	size_t i;
	int cpu;

	for (cpu = FIRST_CPU; cpu <= LAST_CPU; cpu++)
		for (i = 0; i < count; i++)
			if (read_isolation(cpu, names[i], text, sizeof(text)) > 0)
				sum += strtol(text, NULL, 10);
	return sum;
}

static long entries_now(void)
{
	static const char *const names[] = { "own", "foreign", "absorbed", "late" };

	return of_cpus(names, 4);
}

static long one_count(const char *name)
{
	return of_cpus(&name, 1);
}

static long synchronised_now(void)
{
	return one_count("synchronised") + one_count("synchronised_nmi");
}

static void print_counts(double seconds)
{
	long least;

	printf("stress: %.0f s: %ld entries (late %ld), deferred %ld, synchronised %ld (in NMIs %ld), ",
	       seconds, entries_now(), one_count("late"), one_count("deferred"),
	       synchronised_now(), one_count("synchronised_nmi"));
	printf("checks %ld, stale %ld, changes %ld\n", counts("checked_", &least),
	       counts("stale_", &least), counts("changes", &least));
	fflush(stdout);
}

/* ---- the program ----------------------------------------------------------- */

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int bad = fd < 0 || syscall(SYS_finit_module, fd, "", 0) ? failed("load %s", path) : 0;

	if (fd >= 0)
		close(fd);
	return bad;
}

/* First uses since boot change page attributes, which interrupts everybody. */
static int prepare(void)
{
	size_t i;

	/* All functions at once keep a CPU busy for seconds on a debug kernel. */
	if (load("task_isolation_stress.ko") || write_text(TIMEOUT, "10000") ||
	    write_text(TRACING "set_ftrace_filter", "*sched*") || prepare_kprobes() ||
	    prepare_static_calls() || prepare_bpf_attach())
		return -1;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i](1) < 0)
			return -1;
	return 0;
}

static int complain(const char *what)
{
	printf("stress: FAILED: %s\n", what);
	return 1;
}

static int verdict(long entries, long synchronised)
{
	static char text[1024];
	long least;
	int bad = 0;

	if (read_text(DEVICE, text, sizeof(text)) > 0)
		printf("%s", text);
	if (counts("stale_", &least) || least < 0)
		bad = complain("something stale was run or read");
	counts("run_", &least);
	if (least <= 0)
		bad = complain("a context was never entered from");
	counts("checked_", &least);
	if (least <= 0)
		bad = complain("a subject was never checked");
	if (entries_now() < entries)
		bad = complain("not as many entries as wanted");
	if (synchronised_now() < synchronised)
		bad = complain("not as many synchronisations as wanted");
	if (counts("remapped", &least) <= 0)
		bad = complain("no address was used anew");
	if (!one_count("synchronised_nmi"))
		bad = complain("no NMI synchronised");
	return bad;
}

static int usage(void)
{
	fprintf(stderr, "usage: stress --entries N --synchronised N --seconds MAX --module FILE.ko\n");
	return 2;
}

int main(int argc, char **argv)
{
	long entries = 0, synchronised = 0, seconds = 0;
	pid_t children[2 + SUBJECTS + 2];
	int n = 0, at, cpu, bad = 0;
	double began, next;

	for (at = 1; at + 1 < argc; at += 2) {
		if (!strcmp(argv[at], "--entries"))
			entries = atol(argv[at + 1]);
		else if (!strcmp(argv[at], "--synchronised"))
			synchronised = atol(argv[at + 1]);
		else if (!strcmp(argv[at], "--seconds"))
			seconds = atol(argv[at + 1]);
		else if (!strcmp(argv[at], "--module"))
			options.module = argv[at + 1];
		else
			return usage();
	}
	if (at != argc || entries <= 0 || seconds <= 0 || !options.module)
		return usage();
	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || prepare()) {
		fprintf(stderr, "stress: %s: %s\n", failure.what, strerror(failure.error));
		return 1;
	}
	for (cpu = FIRST_CPU; cpu <= LAST_CPU; cpu++) {
		children[n++] = start_on(cpu, isolated_task, cpu);
		for (at = 0; at < 3000 && !LOAD(shared->entered[cpu]); at++)
			sleep_ms(10);
	}
	for (at = 0; at < SUBJECTS; at = at ? at + 1 : 2)
		children[n++] = start_on(0, patcher, at);
	children[n++] = start_on(1, interrupter, 0);
	children[n++] = start_on(1, other_patcher, 0);

	began = monotonic();
	next = 10;
	while (monotonic() - began < (double)seconds &&
	       (entries_now() < entries || synchronised_now() < synchronised)) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid > 0) {
			for (at = 0; at < n; at++)
				if (children[at] == pid)
					children[at] = -1;
			bad = complain("a child ended early");
			break;
		}
		sleep_ms(100);
		if (monotonic() - began >= next) {
			print_counts(monotonic() - began);
			next += 10;
		}
	}
	STORE(shared->stop, 1);
	for (at = 0; at < n; at++)
		if (children[at] > 0 && finish_child(children[at]))
			bad = complain(failure.what);
	print_counts(monotonic() - began);
	finish_kprobes();
	finish_static_calls();
	finish_bpf_attach();
	bad |= verdict(entries, synchronised);
	printf("stress: %s\n", bad ? "FAILED" : "nothing stale");
	return bad;
}
