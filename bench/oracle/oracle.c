// SPDX-License-Identifier: GPL-2.0
/*
 * Says what happened on a CPU while a command ran, or for some seconds. It needs
 * nothing of task isolation: any Linux that has context tracking will do.
 *
 * usage: oracle [--json FILE] [--between CALL:ARGUMENT] CPU SECONDS
 *        oracle [--json FILE] [--between CALL:ARGUMENT] CPU -- COMMAND [ARGUMENT]...
 *
 * --between: count from the first system call of that number with that first
 * argument, made on that CPU, to the last one.
 *
 * Exit status: 0 when what is said is complete, 1 when it is not, 2 when it was
 * not called well, 3 when it could not watch or the command failed.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "watch.h"

struct options {
	int cpu;
	unsigned int seconds;		/* 0: there is a command */
	char **command;
	const char *json;
	struct watch_call limit;
	bool limited;
};

static int stay_away_from(int cpu)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return -1;
	CPU_CLR(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* The command's exit status, 0 after the seconds; -1 when it did not end by itself. */
static int let_it_happen(const struct options *options)
{
	struct timespec left = { .tv_sec = options->seconds };
	int status;
	pid_t pid;

	if (!options->command) {
		while (nanosleep(&left, &left) && errno == EINTR)
			;
		return 0;
	}
	pid = fork();
	if (!pid) {
		execvp(options->command[0], options->command);
		fprintf(stderr, "oracle: %s: %s\n", options->command[0], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static const char *objection(const struct options *options, const struct watch_verdict *v)
{
	if (v->dropped)
		return "events were dropped";
	if (!watch_complete(v))
		return "an interrupt has no event, or an event no interrupt";
	if (options->limited && v->limits < 2)
		return "the calls to count between were not both made";
	if (!v->entries && v->events[WATCH_TIMER])
		return "no entry from user space at all: nobody ran there, or the CPU is not nohz_full";
	return NULL;
}

static void print(const struct options *options, const struct watch_verdict *v, double seconds)
{
	const char *wrong = objection(options, v);
	int kind;

	printf("CPU %d, %.1f s", options->cpu, seconds);
	if (options->limited)
		printf(", between the first and the last call %ld(%lu)", options->limit.number,
		       options->limit.argument);
	printf("\n  %-34s %10lu\n", "entries from user space", v->entries);
	for (kind = 0; kind < WATCH_KINDS; kind++)
		if (v->by_kind[kind])
			printf("    %-32s %10lu\n", watch_kind_name(kind), v->by_kind[kind]);
	for (kind = 0; kind < WATCH_KINDS; kind++)
		if (v->in_kernel[kind])
			printf("  %-23s in kernel  %10lu\n", watch_kind_name(kind), v->in_kernel[kind]);
	printf("  %-34s %10lu\n", "NMIs, which are no such entries", v->nmis);
	printf("  %-34s %10lu\n", "events dropped", v->dropped);
	printf("  verdict: %s%s\n", wrong ? "incomplete: " : "complete", wrong ? wrong : "");
	fflush(stdout);
}

static void print_kinds(FILE *file, const char *name, const unsigned long *count)
{
	int kind;

	fprintf(file, ",\"%s\":{", name);
	for (kind = 0; kind < WATCH_KINDS; kind++)
		fprintf(file, "%s\"%s\":%lu", kind ? "," : "", watch_kind_name(kind), count[kind]);
	fprintf(file, "}");
}

static int write_json(const struct options *options, const struct watch_verdict *v, double seconds)
{
	FILE *file = fopen(options->json, "we");

	if (!file)
		return -1;
	fprintf(file, "{\"cpu\":%d,\"seconds\":%.3f,\"entries\":%lu", options->cpu, seconds, v->entries);
	print_kinds(file, "by_kind", v->by_kind);
	print_kinds(file, "in_kernel", v->in_kernel);
	fprintf(file, ",\"nmis\":%lu,\"dropped\":%lu,\"complete\":%s}\n", v->nmis, v->dropped,
		objection(options, v) ? "false" : "true");
	return fclose(file);
}

static int usage(void)
{
	fprintf(stderr, "usage: oracle [--json FILE] [--between CALL:ARGUMENT] CPU SECONDS\n"
			"       oracle [--json FILE] [--between CALL:ARGUMENT] CPU -- COMMAND [ARGUMENT]...\n");
	return 2;
}

static int parse(int argc, char **argv, struct options *options)
{
	char *end;
	int at = 1;

	for (; at + 1 < argc && !strncmp(argv[at], "--", 2); at += 2) {
		if (!strcmp(argv[at], "--json")) {
			options->json = argv[at + 1];
		} else if (!strcmp(argv[at], "--between")) {
			options->limited = true;
			if (sscanf(argv[at + 1], "%ld:%lu", &options->limit.number, &options->limit.argument) != 2)
				return -1;
		} else {
			return -1;
		}
	}
	if (at + 1 >= argc)
		return -1;
	options->cpu = strtol(argv[at++], &end, 10);
	if (*end || options->cpu < 0)
		return -1;
	if (!strcmp(argv[at], "--")) {
		options->command = argv + at + 1;
		return *options->command ? 0 : -1;
	}
	options->seconds = strtoul(argv[at++], &end, 10);
	return *end || !options->seconds || at != argc ? -1 : 0;
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	struct watch_verdict verdict;
	double began;
	int status;

	if (parse(argc, argv, &options))
		return usage();
	if (stay_away_from(options.cpu)) {
		fprintf(stderr, "oracle: no other CPU than %d to watch from: %s\n", options.cpu, strerror(errno));
		return 3;
	}
	if (watch_begin(options.cpu)) {
		fprintf(stderr, "oracle: %s\n", watch_failure());
		return 3;
	}
	began = monotonic();
	status = let_it_happen(&options);
	if (watch_end(options.limited ? &options.limit : NULL, &verdict)) {
		fprintf(stderr, "oracle: %s\n", watch_failure());
		return 3;
	}
	print(&options, &verdict, monotonic() - began);
	if (options.json && write_json(&options, &verdict, monotonic() - began)) {
		fprintf(stderr, "oracle: %s: %s\n", options.json, strerror(errno));
		return 3;
	}
	if (status) {
		fprintf(stderr, "oracle: the command ended with %d\n", status);
		return 3;
	}
	return objection(&options, &verdict) ? 1 : 0;
}
