// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the sources one after the other beside a busy task, and counts what
 * each does to the task's CPU; or all at once, as a mix.
 *
 * usage: noise --cpu CPU [--isolate] [--module FILE] [--only SOURCE,...] [--except SOURCE,...]
 *        noise --cpu CPU --mix SECONDS [--starts N] [--module FILE] [--only ...] [--except ...]
 *        noise --list
 *
 * For each source a line that begins with "NOISE-RESULT " and goes on in JSON;
 * the same with "NOISE-LEFT-OUT " for what does not run. Exit status 0 when
 * the task was alive through all of them; whether each did its work stands in
 * its line. A mix gives a line with "NOISE-MIX " for each start of the task,
 * and status 0 only when nothing reached it and all work was done.
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

struct options options;

static int isolate;
static char *only;		/* names with commas, or NULL */
static char *except;
static int mix_seconds;		/* 0: one source at a time */
static int starts = 1;

/* names: with commas. */
static int is_in(const char *names, const struct source *source)
{
	size_t length = strlen(source->name);

	while (names && *names) {
		size_t this = strcspn(names, ",");

		if (this == length && !strncmp(names, source->name, length))
			return 1;
		names += this + (names[this] == ',');
	}
	return 0;
}

/* In the mix is what can be prevented, and what is asked for by name. */
static int wanted(const struct source *source)
{
	if (is_in(except, source))
		return 0;
	if (only)
		return is_in(only, source);
	return !mix_seconds || (!source->reason && source->work != work_nothing);
}

static void check_names(const char *names)
{
	char *copy = strdup(names ? names : ""), *name;
	size_t i;

	for (name = strtok(copy, ","); name; name = strtok(NULL, ",")) {
		for (i = 0; i < source_count && strcmp(sources[i].name, name); i++)
			;
		if (i == source_count)
			die(name, "is not a source; noise --list names them");
	}
	free(copy);
}

/* ---- a source ------------------------------------------------------------ */

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

static void print_left_out(const char *name, const char *why)
{
	printf("NOISE-LEFT-OUT {\"source\":\"%s\",\"why\":", name);
	print_json(why);
	print_end();
}

/* A fresh task for each source, so that none finds the CPU tidied up by an earlier one. */
static void count_source(const struct source *source)
{
	struct reading first, last, delta;
	double began;
	int done;

	start_task(isolate ? PERSISTENT : NOT_ISOLATED);
	if (forget_sent())
		die(failure.what, strerror(failure.error));
	read_task(source->name, &first);
	began = monotonic();
	done = source->work(source->rounds);
	sleep_ms(SETTLE_MS);
	read_task(source->name, &last);
	must_poll(source->name);
	if (read_sent())
		die(failure.what, strerror(failure.error));
	delta = difference(&first, &last);
	stop_task();

	print_start(source);
	printf(",\"work\":%d,\"seconds\":%.1f", done < 0 ? 0 : done, monotonic() - began);
	putchar(',');
	print_reading(&delta, isolate);
	putchar(',');
	print_sent();
	if (done < 0)
		print_failure(&failure);
	print_end();
}

static void run_source(const struct source *source)
{
	fprintf(stderr, "noise: %s\n", source->name);
	/* Warmed up: once used since boot. */
	if ((source->prepare && source->prepare()) || (!source->first_use && source->work(1) < 0)) {
		print_start(source);
		printf(",\"work\":0,\"when\":\"preparing\"");
		print_failure(&failure);
		print_end();
	} else {
		count_source(source);
	}
	if (source->finish)
		source->finish();
}

static void run_or_mix(const struct source *source)
{
	if (source->work == work_module_load && !options.module)
		print_left_out(source->name, "no module was given");
	else if (!mix_seconds)
		run_source(source);
	else if (add_to_mix(source))
		die(source->name, failure.what);
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
	fprintf(stderr, "usage: noise --cpu CPU [--isolate] [--module FILE] [--only SOURCE,...] [--except SOURCE,...]\n"
			"       noise --cpu CPU --mix SECONDS [--starts N] [--module FILE] [--only ...] [--except ...]\n"
			"       noise --list\n");
	return 2;
}

static int parse(int argc, char **argv)
{
	int at;

	options.cpu = -1;
	for (at = 1; at < argc; at++) {
		if (!strcmp(argv[at], "--isolate"))
			isolate = 1;
		else if (at + 1 == argc)
			return -1;
		else if (!strcmp(argv[at], "--cpu"))
			options.cpu = atoi(argv[++at]);
		else if (!strcmp(argv[at], "--module"))
			options.module = argv[++at];
		else if (!strcmp(argv[at], "--only"))
			only = argv[++at];
		else if (!strcmp(argv[at], "--except"))
			except = argv[++at];
		else if (!strcmp(argv[at], "--mix"))
			mix_seconds = atoi(argv[++at]);
		else if (!strcmp(argv[at], "--starts"))
			starts = atoi(argv[++at]);
		else
			return -1;
	}
	return options.cpu < HOUSEKEEPING_CPUS || options.cpu == HOTPLUG_CPU || mix_seconds < 0 || starts < 1 ? -1 : 0;
}

int main(int argc, char **argv)
{
	size_t i;
	int bad = 0;

	if (argc == 5 && !strcmp(argv[1], "--poller"))
		return poller(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list();
	if (parse(argc, argv))
		return usage();
	check_names(only);
	check_names(except);
	bind_to_housekeeping();
	/*
	 * Compaction would move the task's locked pages like any others, and take
	 * them away from it for a moment. A real-time kernel leaves them alone too.
	 */
	if (write_text("/proc/sys/vm/compact_unevictable_allowed", "0") || record_sent(options.cpu))
		die(failure.what, strerror(failure.error));

	for (i = 0; i < left_out_count && !only && !mix_seconds; i++)
		print_left_out(left_out[i].name, left_out[i].why);
	for (i = 0; i < source_count; i++)
		if (wanted(&sources[i]))
			run_or_mix(&sources[i]);
	if (mix_seconds) {
		bad = run_mix(mix_seconds, starts);
		finish_mix();
	}
	return bad ? 1 : 0;
}
