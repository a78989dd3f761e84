// SPDX-License-Identifier: GPL-2.0
/* Sources in control groups, version 2. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noise.h"

#define PARENT		CGROUPS "noise/"
#define MEMORY		PARENT "memory/"
#define CPUSET		PARENT "cpuset/"
#define CHARGED		((size_t)4 << 20)

/* A parent of our own, so that the root keeps its processes where they are. */
static int prepare(const char *controller)
{
	if (write_text(CGROUPS "cgroup.subtree_control", controller))
		return -1;
	if (mkdir(PARENT, 0755) && errno != EEXIST)
		return failed("mkdir " PARENT);
	return write_text(PARENT "cgroup.subtree_control", controller);
}

int prepare_memcg(void)
{
	return prepare("+memory");
}

int prepare_cpuset(void)
{
	return prepare("+cpuset");
}

/* The second caller finds nothing any more. */
void finish_groups(void)
{
	rmdir(PARENT);
}

/* A group can be removed when its last process is gone, which takes a moment after the process was waited for. */
static int remove_group(const char *group)
{
	int tries;

	for (tries = 0; rmdir(group); tries++) {
		if (errno != EBUSY || tries == 2000)
			return failed("rmdir %s", group);
		sleep_ms(5);
	}
	return 0;
}

/* ---- memory -------------------------------------------------------------- */

/* Charges the group, and waits in it with what it has. */
static int charge(int ready_fd)
{
	char *memory;

	if (write_text(MEMORY "cgroup.procs", "0"))
		return -1;
	memory = mmap(NULL, CHARGED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED || write(ready_fd, "", 1) != 1)
		return failed("charge");
	for (;;)
		pause();
}

/*
 * Without swap there may be nothing to reclaim; the kernel says EAGAIN when it
 * has tried, drained everything and tried again.
 */
static int reclaim(void)
{
	if (!write_text(MEMORY "memory.reclaim", "1M") || failure.error == EAGAIN)
		return 0;
	return -1;
}

static int one_memory_group(int cpu)
{
	int ready[2];
	char byte;
	pid_t pid;
	int bad;

	if (pipe2(ready, O_CLOEXEC))
		return failed("pipe");
	pid = start_on(cpu, charge, ready[1]);
	close(ready[1]);
	/* The end of the pipe means that the child is gone, and has said why. */
	bad = pid < 0 || read(ready[0], &byte, 1) != 1;
	close(ready[0]);
	if (bad)
		return pid < 0 ? -1 : finish_child(pid) ? -1 : failed("no charge");
	bad = write_text(MEMORY "memory.high", "1M") || reclaim();
	kill(pid, SIGKILL);
	if (waitpid(pid, NULL, 0) != pid)
		return failed("waitpid");
	return bad ? -1 : 0;
}

int work_memcg(int rounds)
{
	int i, bad;

	for (i = 0; i < rounds; i++) {
		if (mkdir(MEMORY, 0755))
			return failed("mkdir " MEMORY);
		bad = one_memory_group(i % HOUSEKEEPING_CPUS);
		if (remove_group(MEMORY) || bad)
			return -1;
	}
	return rounds;
}

/* ---- cpuset -------------------------------------------------------------- */

static int in_cpuset(int unused)
{
	(void)unused;
	if (write_text(CPUSET "cgroup.procs", "0") || write_text(CPUSET "cpuset.cpus", "1"))
		return -1;
	sleep_ms(5);
	return write_text(CPUSET "cpuset.cpus", "0-1");
}

int work_cpuset(int rounds)
{
	int i, bad;

	for (i = 0; i < rounds; i++) {
		if (mkdir(CPUSET, 0755))
			return failed("mkdir " CPUSET);
		bad = write_text(CPUSET "cpuset.cpus", "0") || finish_child(start_on(0, in_cpuset, 0));
		if (remove_group(CPUSET) || bad)
			return -1;
	}
	return rounds;
}
