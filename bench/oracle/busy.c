// SPDX-License-Identifier: GPL-2.0
/*
 * The program that is judged: computes on one CPU for some seconds, without a
 * system call, isolated or not, and tells what the kernel's own counters say.
 *
 * usage: busy CPU SECONDS [isolate]
 *
 * The span to judge lies between two prctl(48, ...), both made through int $0x80:
 * an interrupt, so that the log of an emulator, which sees no SYSCALL
 * instruction, has the same two marks. Without "isolate" the first of the two
 * only leaves, which changes nothing.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include <linux/task_isolation.h>

#define IA32_PRCTL	172

static long prctl_by_interrupt(unsigned int option, unsigned int flags)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(IA32_PRCTL), "b"(option), "c"(flags), "d"(0), "S"(0), "D"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static double monotonic(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned int flags = PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG;
	struct task_isolation_info info = { 0 };
	int isolate = argc == 4 && !strcmp(argv[3], "isolate");
	unsigned long turns = 0;
	cpu_set_t set;
	double end;
	long error;
	int i;

	if (argc < 3 || argc > 4 || (argc == 4 && !isolate)) {
		fprintf(stderr, "usage: busy CPU SECONDS [isolate]\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) || mlockall(MCL_CURRENT | MCL_FUTURE)) {
		perror("busy");
		return 1;
	}
	/* The pages of the clock, too, are there before it counts. */
	end = monotonic() + atoi(argv[2]);
	error = prctl_by_interrupt(PR_SET_TASK_ISOLATION, isolate ? flags : 0);
	while (monotonic() < end) {
		for (i = 0; i < 1000; i++)
			__asm__ volatile("" : "+r"(turns));
		turns++;
		/* An emulator with one thread gives other CPUs their turn here. */
		__builtin_ia32_pause();
	}
	prctl_by_interrupt(PR_SET_TASK_ISOLATION, 0);

	if (isolate && error) {
		fprintf(stderr, "busy: not isolated: %s\n", strerror(-error));
		return 1;
	}
	printf("BUSY {\"isolated\":%s,\"turns\":%lu", isolate ? "true" : "false", turns);
	if (isolate && !prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0))
		printf(",\"own\":%llu,\"foreign\":%llu,\"absorbed\":%llu,\"late\":%llu", (unsigned long long)info.own,
		       (unsigned long long)info.foreign, (unsigned long long)info.absorbed,
		       (unsigned long long)info.late);
	printf("}\n");
	return 0;
}
