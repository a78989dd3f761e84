// SPDX-License-Identifier: GPL-2.0
/*
 * How long prctl(PR_SET_TASK_ISOLATION) takes until the first isolated
 * instruction, in ns of guest time.
 *
 * usage: enter CPU RUNS
 *
 * Prints one JSON object: {"p50":N,"p99":N,"max":N,"runs":N}.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <linux/task_isolation.h>

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	unsigned long runs = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	uint64_t *took;
	cpu_set_t set;

	if (!runs) {
		fprintf(stderr, "usage: enter CPU RUNS\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	took = calloc(runs, sizeof(*took));
	if (!took || sched_setaffinity(0, sizeof(set), &set) || mlockall(MCL_CURRENT)) {
		fprintf(stderr, "enter: cannot prepare: %s\n", strerror(errno));
		return 1;
	}
	for (unsigned long i = 0; i < runs; i++) {
		uint64_t start = now();

		if (prctl(PR_SET_TASK_ISOLATION,
			  PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)) {
			fprintf(stderr, "enter: entry %lu refused: %s\n", i, strerror(errno));
			return 1;
		}
		took[i] = now() - start;
		prctl(PR_SET_TASK_ISOLATION, 0);
	}
	qsort(took, runs, sizeof(*took), by_size);
	printf("{\"p50\":%llu,\"p99\":%llu,\"max\":%llu,\"runs\":%lu}\n",
	       (unsigned long long)took[runs / 2], (unsigned long long)took[runs * 99 / 100],
	       (unsigned long long)took[runs - 1], runs);
	return 0;
}
