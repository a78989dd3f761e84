// SPDX-License-Identifier: GPL-2.0
/*
 * The program whose system call bench/path/run steps through.
 *
 * usage: path CPU [persistent]
 *
 * The debugger stops it at the two marks, which no other program has mapped;
 * what runs between them is one getppid(). The calls before have warmed
 * everything. It ends by itself when nobody stops it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <linux/task_isolation.h>

#define ISOLATED	(PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)

int main(int argc, char **argv)
{
	cpu_set_t set;
	long result;

	if (argc < 2) {
		fprintf(stderr, "usage: path CPU [persistent]\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) || mlockall(MCL_CURRENT | MCL_FUTURE)) {
		fprintf(stderr, "path: cannot prepare: %s\n", strerror(errno));
		return 1;
	}
	if (argc > 2 && prctl(PR_SET_TASK_ISOLATION, ISOLATED)) {
		fprintf(stderr, "path: cannot enter: %s\n", strerror(errno));
		return 1;
	}
	for (int i = 0; i < 20; i++)
		__asm__ volatile("call path_begin\n"
				 "syscall\n"
				 "call path_end"
				 : "=a"(result) : "0"(SYS_getppid) : "rcx", "r11", "memory");
	return argc > 2 && prctl(PR_GET_TASK_ISOLATION) != ISOLATED;
}

/* Written in assembler: no stack frame, and nothing of it inlined. */
__asm__(".text\n"
	".globl path_begin, path_end\n"
	"path_begin: ret\n"
	"path_end: ret\n");
