// SPDX-License-Identifier: GPL-2.0
/*
 * How long prctl(PR_SET_TASK_ISOLATION) takes until the first isolated
 * instruction, in ns of guest time, and with "waits" what it waited for.
 *
 * usage: enter CPU RUNS [waits]
 *
 * Every second run enters after what a program does before it: files opened and
 * closed, memory mapped, used and given back, which leaves RCU callbacks and
 * batches on the CPU. The others enter after a sleep alone. Each sleeps, 0 to
 * 6 ms, so that the tick is at another point each time.
 *
 * waits: kprobes in the shell's step(), one step of waiting, say how long each
 * kind took. That costs time itself, so the plain figures are measured without.
 *
 * Prints one JSON object: {"p50":N,"p99":N,"max":N,"runs":N}, with waits also
 * "shares" of the whole time by kind, and "without_rcu_callbacks", the same
 * figures of the runs that waited for none.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <linux/task_isolation.h>

#include "measure.h"

#define TRACING "/sys/kernel/tracing/"

/* enum policy_quiet of module/policy/policy.h, what step() does. */
enum kind { TEST, DRAIN, YIELD, RCU_CALLBACKS, TIMER, TICK, KINDS };

static const char *const kind_names[KINDS] = {
	"test", "drain", "yield", "rcu_callbacks", "timer", "tick",
};

struct run {
	uint64_t start, end;
	uint64_t waited[KINDS];
};

static struct run *runs;
static unsigned long run_count;

/* ---- one run ---------------------------------------------------------------- */

static void work(void)
{
	unsigned long size = 64 * PAGE;
	char text[512], *memory;

	for (int i = 0; i < 4; i++) {
		int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
			die("cannot read /proc/self/status");
		close(fd);
	}
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("no memory");
	memset(memory, 1, size);
	munmap(memory, size);
}

static void enter_once(struct run *run, unsigned long number)
{
	if (number % 2)
		work();
	sleep_ms(number / 2 % 7);
	run->start = counter();
	if (prctl(PR_SET_TASK_ISOLATION, PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)) {
		fprintf(stderr, "enter: entry %lu refused: %s\n", number, strerror(errno));
		exit(1);
	}
	run->end = counter();
	prctl(PR_SET_TASK_ISOLATION, 0);
}

/* ---- what was waited for ----------------------------------------------------- */

static void write_trace(const char *name, const char *text)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), TRACING "%s", name);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void watch_steps(void)
{
	/* The clock of counter(). */
	write_trace("trace_clock", "x86-tsc");
	write_trace("buffer_size_kb", "4096");
	write_trace("kprobe_events", "p:enter/step task_isolation:step quiet=%si:u32\n");
	write_trace("kprobe_events", "r:enter/stepped task_isolation:step\n");
	write_trace("events/enter/enable", "1");
}

static struct run *run_at(uint64_t time)
{
	for (unsigned long i = 0; i < run_count; i++)
		if (time >= runs[i].start && time <= runs[i].end)
			return runs + i;
	return NULL;
}

/* "enter-78 [002] ..... 123456789: step: (step+0x0/0x1b0 [task_isolation]) quiet=3" */
static void read_steps(void)
{
	FILE *trace = fopen(TRACING "trace", "r");
	enum kind kind = KINDS;
	uint64_t began = 0;
	char line[512];

	if (!trace)
		die("cannot read the trace");
	while (fgets(line, sizeof(line), trace)) {
		char *end = strstr(line, ": stepped:"), *quiet = strstr(line, "quiet=");
		char *at = end ?: strstr(line, ": step:");
		struct run *run;
		uint64_t time;

		if (!at || line[0] == '#')
			continue;
		*at = '\0';
		at = strrchr(line, ' ');
		time = at ? strtoull(at, NULL, 10) : 0;
		if (!end) {
			kind = quiet ? (enum kind)atoi(quiet + 6) : KINDS;
			began = time;
			continue;
		}
		run = run_at(began);
		if (run && kind < KINDS)
			run->waited[kind] += time - began;
		kind = KINDS;
	}
	fclose(trace);
}

/* ---- figures ------------------------------------------------------------------ */

static void print_figures(int without_rcu)
{
	uint64_t *took = calloc(run_count, sizeof(*took));
	unsigned long count = 0;

	if (!took)
		die("no memory");
	for (unsigned long i = 0; i < run_count; i++)
		if (!without_rcu || !runs[i].waited[RCU_CALLBACKS])
			took[count++] = runs[i].end - runs[i].start;
	qsort(took, count, sizeof(*took), by_size);
	printf("\"p50\":%llu,\"p99\":%llu,\"max\":%llu,\"runs\":%lu",
	       (unsigned long long)took[count / 2], (unsigned long long)took[count * 99 / 100],
	       (unsigned long long)(count ? took[count - 1] : 0), count);
	free(took);
}

static void print_shares(void)
{
	uint64_t waited[KINDS] = { 0 }, whole = 0, all = 0;

	for (unsigned long i = 0; i < run_count; i++) {
		whole += runs[i].end - runs[i].start;
		for (int kind = DRAIN; kind < KINDS; kind++)
			waited[kind] += runs[i].waited[kind];
	}
	for (int kind = DRAIN; kind < KINDS; kind++) {
		all += waited[kind];
		printf("%s\"%s\":%.4f", kind == DRAIN ? "" : ",", kind_names[kind],
		       (double)waited[kind] / whole);
	}
	printf(",\"tests_and_call\":%.4f", (double)(whole - all) / whole);
}

int main(int argc, char **argv)
{
	int waits = argc > 3 && !strcmp(argv[3], "waits");

	run_count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	if (!run_count || argc > 3 + waits) {
		fprintf(stderr, "usage: enter CPU RUNS [waits]\n");
		return 2;
	}
	runs = calloc(run_count, sizeof(*runs));
	if (!runs || mlockall(MCL_CURRENT))
		die("no memory");
	if (waits)
		watch_steps();
	bind_to(atoi(argv[1]));
	for (unsigned long i = 0; i < run_count; i++)
		enter_once(runs + i, i);
	printf("{");
	if (waits) {
		write_trace("tracing_on", "0");
		read_steps();
	}
	print_figures(0);
	if (waits) {
		printf(",\"without_rcu_callbacks\":{");
		print_figures(1);
		printf("},\"shares\":{");
		print_shares();
		printf("}");
	}
	printf("}\n");
	return 0;
}
