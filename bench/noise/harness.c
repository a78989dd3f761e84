// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the sources one after the other beside a busy task, and counts what
 * each does to the task's CPU.
 *
 * usage: noise --cpu CPU [--isolate] [--module FILE] [--only SOURCE,...]
 *        noise --list
 *
 * For each source a line that begins with "NOISE-RESULT " and goes on in JSON;
 * the same with "NOISE-LEFT-OUT " for what does not run. Exit status 0 when
 * the task was alive through all of them; whether each did its work stands in
 * its line.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "noise.h"

/* What a source started may still be on its way when its last call returns. */
#define SETTLE_MS	300
#define START_MS	700

struct options options;

static int isolate;
static char *only;		/* names with commas, or NULL */
static struct page *page;
static int page_fd;
static pid_t poller_pid;

static void __attribute__((noreturn)) die(const char *what, const char *why)
{
	fprintf(stderr, "noise: %s: %s\n", what, why);
	exit(1);
}

static int wanted(const struct source *source)
{
	size_t length = strlen(source->name);
	const char *at = only;

	while (at && *at) {
		size_t this = strcspn(at, ",");

		if (this == length && !strncmp(at, source->name, length))
			return 1;
		at += this + (at[this] == ',');
	}
	return !only;
}

static void check_names(void)
{
	char *copy = strdup(only ? only : ""), *name;
	size_t i;

	for (name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < source_count && strcmp(sources[i].name, name); i++)
			;
		if (i == source_count)
			die(name, "is not a source; noise --list names them");
	}
	free(copy);
}

/* ---- the poller ---------------------------------------------------------- */

static void must_live(const char *when)
{
	int status;

	if (waitpid(poller_pid, &status, WNOHANG) == 0)
		return;
	fprintf(stderr, "noise: %s: the poller ended, %s %d\n", when,
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	if (LOAD(page->refused))
		fprintf(stderr, "noise: not isolated: %s: %s\n", strerror((int)LOAD(page->refused)), page->refusal);
	exit(1);
}

/* It polls, and is isolated where it must be. A persistent task may need a moment after an interruption. */
static void must_poll(const char *when)
{
	uint64_t beats = LOAD(page->beats);
	int tries;

	for (tries = 0; tries < 500; tries++) {
		must_live(when);
		if (LOAD(page->beats) != beats && (!isolate || is_isolated(options.cpu)))
			return;
		sleep_ms(10);
	}
	die(when, "the poller makes no progress, or is not isolated");
}

static void start_poller(void)
{
	char fd[16], cpu[16];

	snprintf(fd, sizeof(fd), "%d", page_fd);
	snprintf(cpu, sizeof(cpu), "%d", options.cpu);
	memset(page, 0, sizeof(*page));
	poller_pid = fork();
	if (poller_pid < 0)
		die("fork", strerror(errno));
	if (!poller_pid) {
		/* Memory of its own: what the harness does to its mappings is none of its business. */
		execl("/proc/self/exe", "noise", "--poller", fd, cpu, isolate ? "1" : "0", NULL);
		die("cannot start the poller", strerror(errno));
	}
	while (!LOAD(page->ready)) {
		must_live("start");
		sleep_ms(10);
	}
	/* Starting is over, and so is what the warm-up left behind. */
	sleep_ms(START_MS);
	must_poll("start");
}

static void stop_poller(void)
{
	int status;

	must_live("end");
	STORE(page->stop, 1);
	if (waitpid(poller_pid, &status, 0) != poller_pid || status)
		die("the poller", "did not end well");
}

/* ---- a source ------------------------------------------------------------ */

static double monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void print_start(const struct source *source)
{
	printf("NOISE-RESULT {\"source\":\"%s\",\"does\":", source->name);
	print_json(source->does);
	printf(",\"preventable\":%s", source->reason ? "false" : "true");
	if (source->reason) {
		printf(",\"reason\":");
		print_json(source->reason);
		printf(",\"advice\":");
		print_json(source->advice);
	}
	printf(",\"unit\":\"%s\"", source->unit);
}

static void print_failure(void)
{
	printf(",\"failed\":");
	print_json(failure.what);
	printf(",\"errno\":%d,\"error\":", failure.error);
	print_json(strerror(failure.error));
}

static void print_end(void)
{
	printf("}\n");
	fflush(stdout);
}

static void print_left_out(const char *name, const char *why)
{
	printf("NOISE-LEFT-OUT {\"source\":\"%s\",\"why\":", name);
	print_json(why);
	print_end();
}

static void read_or_die(const char *when, struct reading *reading)
{
	if (take_reading(options.cpu, poller_pid, isolate, reading))
		die(when, "the counters cannot be read");
}

/* A fresh task for each source, so that none finds the CPU tidied up by an earlier one. */
static void count_source(const struct source *source)
{
	struct reading first, last, delta;
	double began;
	int done;

	start_poller();
	read_or_die(source->name, &first);
	began = monotonic();
	done = source->work(source->rounds);
	sleep_ms(SETTLE_MS);
	read_or_die(source->name, &last);
	must_poll(source->name);
	delta = difference(&first, &last);
	stop_poller();

	print_start(source);
	printf(",\"work\":%d,\"seconds\":%.1f", done < 0 ? 0 : done, monotonic() - began);
	putchar(',');
	print_reading(&delta, isolate);
	if (done < 0)
		print_failure();
	print_end();
}

static void run_source(const struct source *source)
{
	if (source->work == work_module_load && !options.module) {
		print_left_out(source->name, "no module was given");
		return;
	}
	fprintf(stderr, "noise: %s\n", source->name);
	/* Warmed up: once used since boot. */
	if ((source->prepare && source->prepare()) || (!source->first_use && source->work(1) < 0)) {
		print_start(source);
		printf(",\"work\":0,\"when\":\"preparing\"");
		print_failure();
		print_end();
	} else {
		count_source(source);
	}
	if (source->finish)
		source->finish();
}

/* ---- the program --------------------------------------------------------- */

static void bind_to_housekeeping(void)
{
	cpu_set_t set;
	int cpu;

	CPU_ZERO(&set);
	for (cpu = 0; cpu < HOUSEKEEPING_CPUS; cpu++)
		CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("cannot bind to the housekeeping CPUs", strerror(errno));
}

static int list(void)
{
	size_t i;

	for (i = 0; i < source_count; i++)
		printf("%-20s %-16s %s\n", sources[i].name,
		       sources[i].reason ? "not preventable" : "preventable", sources[i].does);
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: noise --cpu CPU [--isolate] [--module FILE] [--only SOURCE,...]\n"
			"       noise --list\n");
	return 2;
}

int main(int argc, char **argv)
{
	size_t i;
	int at;

	if (argc == 5 && !strcmp(argv[1], "--poller"))
		return poller(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list();
	options.cpu = -1;
	for (at = 1; at < argc; at++) {
		if (!strcmp(argv[at], "--isolate"))
			isolate = 1;
		else if (!strcmp(argv[at], "--cpu") && at + 1 < argc)
			options.cpu = atoi(argv[++at]);
		else if (!strcmp(argv[at], "--module") && at + 1 < argc)
			options.module = argv[++at];
		else if (!strcmp(argv[at], "--only") && at + 1 < argc)
			only = argv[++at];
		else
			return usage();
	}
	if (options.cpu < HOUSEKEEPING_CPUS || options.cpu == HOTPLUG_CPU)
		return usage();
	check_names();
	bind_to_housekeeping();
	page_fd = memfd_create("noise", 0);
	if (page_fd < 0 || ftruncate(page_fd, sizeof(*page)))
		die("memfd_create", strerror(errno));
	page = map_page(page_fd);
	if (!page)
		die("the shared page", strerror(errno));

	for (i = 0; i < left_out_count && !only; i++)
		print_left_out(left_out[i].name, left_out[i].why);
	for (i = 0; i < source_count; i++)
		if (wanted(&sources[i]))
			run_source(&sources[i]);
	return 0;
}
