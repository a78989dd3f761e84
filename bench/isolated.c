// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/task_isolation.h>

#include "isolated.h"
#include "measure.h"

#define PERSISTENT (PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG)

void isolate_persistent(void)
{
	struct task_isolation_info info = { 0 };
	int error;

	if (!prctl(PR_SET_TASK_ISOLATION, PERSISTENT))
		return;
	error = errno;
	prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
	fprintf(stderr, "%s: cannot enter: %s: %s\n", program_invocation_short_name,
		strerror(error), info.refusal);
	_exit(1);
}

void isolated_still(void)
{
	struct task_isolation_info info = { 0 };

	if (prctl(PR_GET_TASK_ISOLATION) == PERSISTENT)
		return;
	prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
	fprintf(stderr, "%s: isolation was lost: %s\n", program_invocation_short_name, info.loss);
	_exit(1);
}

static struct isolated *start(int cpu, int isolate)
{
	struct isolated *isolated = share(sizeof(*isolated));
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (!pid) {
		bind_to(cpu);
		/* Whoever exits looks at each process of its group. */
		if (setpgid(0, 0) || mlockall(MCL_CURRENT | MCL_FUTURE))
			die("cannot prepare");
		if (isolate)
			isolate_persistent();
		while (!isolated->stop) {
			isolated->rounds++;
			/* Lets an emulator go on to the next CPU, which takes it longer than all the rest. */
			if (!(isolated->rounds % 1024))
				relax();
			/* Who was late becomes quiet on its own call. */
			if (isolated->call) {
				isolated->call = 0;
				getppid();
			}
		}
		isolated->flags = prctl(PR_GET_TASK_ISOLATION);
		_exit(0);
	}
	isolated->pid = pid;
	while (!isolated->rounds) {
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid) {
			fprintf(stderr, "%s: the task on CPU %d did not become isolated: it ended with status %#x\n",
				program_invocation_short_name, cpu, status);
			exit(1);
		}
		sched_yield();
		relax();
	}
	return isolated;
}

struct isolated *start_isolated(int cpu)
{
	return start(cpu, 1);
}

struct isolated *start_busy(int cpu)
{
	return start(cpu, 0);
}

void stop_busy(struct isolated *busy)
{
	busy->stop = 1;
	waitpid(busy->pid, NULL, 0);
	munmap(busy, sizeof(*busy));
}

void stop_isolated(struct isolated *isolated)
{
	uint64_t rounds = isolated->rounds;

	while (isolated->rounds == rounds)
		relax();
	isolated->stop = 1;
	waitpid(isolated->pid, NULL, 0);
	if (isolated->flags != PERSISTENT) {
		fprintf(stderr, "%s: a task was not isolated to the end\n",
			program_invocation_short_name);
		exit(1);
	}
	munmap(isolated, sizeof(*isolated));
}
