// SPDX-License-Identifier: GPL-2.0
/* Sources that are system calls or switches of their own. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/membarrier.h>
#include <linux/perf_event.h>

#include "noise.h"

int work_nothing(int rounds)
{
	sleep_ms(rounds * 1000L);
	return rounds;
}

/* ---- membarrier ---------------------------------------------------------- */

static const struct {
	int registers;
	int command;
} barriers[] = {
	{ MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, MEMBARRIER_CMD_PRIVATE_EXPEDITED },
	{ MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, MEMBARRIER_CMD_GLOBAL_EXPEDITED },
};

#define BARRIERS	(int)(sizeof(barriers) / sizeof(barriers[0]))

static int send_barriers(int rounds)
{
	int i, round;

	for (i = 0; i < BARRIERS; i++) {
		if (syscall(SYS_membarrier, barriers[i].registers, 0, 0))
			return failed("membarrier %d", barriers[i].registers);
		for (round = 0; round < rounds; round++)
			if (syscall(SYS_membarrier, barriers[i].command, 0, 0))
				return failed("membarrier %d", barriers[i].command);
	}
	return 0;
}

int work_membarrier(int rounds)
{
	return with_sibling(send_barriers, rounds) ? -1 : rounds * BARRIERS;
}

/* ---- hotplug ------------------------------------------------------------- */

int work_hotplug(int rounds)
{
	char path[64];
	int i;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", HOTPLUG_CPU);
	for (i = 0; i < rounds; i++)
		if (write_text(path, "0") || write_text(path, "1"))
			return -1;
	return 2 * rounds;
}

/* ---- clock --------------------------------------------------------------- */

static int step_clock(long ns)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now))
		return failed("clock_gettime");
	now.tv_nsec += ns;
	if (now.tv_nsec >= 1000000000) {
		now.tv_nsec -= 1000000000;
		now.tv_sec++;
	} else if (now.tv_nsec < 0) {
		now.tv_nsec += 1000000000;
		now.tv_sec--;
	}
	return clock_settime(CLOCK_REALTIME, &now) ? failed("clock_settime") : 0;
}

/* As a time service does: a step, a step by adjtimex, a change of speed; all of it back. */
int work_clock_steps(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		struct timex offset = { .modes = ADJ_SETOFFSET | ADJ_NANO, .time.tv_usec = 50000000 };
		struct timex speed = { .modes = ADJ_FREQUENCY, .freq = 65536 };

		if (step_clock(100000000))
			return -1;
		if (adjtimex(&offset) < 0)
			return failed("adjtimex, offset");
		if (adjtimex(&speed) < 0)
			return failed("adjtimex, frequency");
		speed.modes = ADJ_FREQUENCY;
		speed.freq = 0;
		if (adjtimex(&speed) < 0)
			return failed("adjtimex, frequency");
		if (step_clock(-150000000))
			return -1;
	}
	return 3 * rounds;
}

/* ---- perf ---------------------------------------------------------------- */

/* Opens, lets it count, reads, closes. The VM has no hardware counters, so these are the kernel's own. */
static int count_event(uint64_t config, pid_t pid, int cpu, int frequency)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.freq = frequency != 0,
		.sample_freq = (uint64_t)frequency,
		.disabled = 1,
	};
	uint64_t count;
	int fd = (int)syscall(SYS_perf_event_open, &attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	int bad;

	if (fd < 0)
		return failed("open an event for CPU %d", cpu);
	bad = ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	sleep_ms(10);
	bad |= read(fd, &count, sizeof(count)) != sizeof(count);
	bad |= ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	if (bad)
		failed("use an event of CPU %d", cpu);
	close(fd);
	return bad ? -1 : 0;
}

int work_perf(int rounds)
{
	int i, cpu;

	for (i = 0; i < rounds; i++) {
		for (cpu = 0; cpu < HOUSEKEEPING_CPUS; cpu++)
			if (count_event(PERF_COUNT_SW_CONTEXT_SWITCHES, -1, cpu, 0) ||
			    count_event(PERF_COUNT_SW_CPU_CLOCK, -1, cpu, 1000))
				return -1;
		/* Of a task, wherever it is: this one stays on housekeeping CPUs. */
		if (count_event(PERF_COUNT_SW_CONTEXT_SWITCHES, 0, -1, 0))
			return -1;
	}
	return rounds * (2 * HOUSEKEEPING_CPUS + 1);
}

/*
 * Samples at a frequency, as perf record does, need the tick to adapt. (Not the
 * clock event above: the kernel gives it a fixed period.)
 */
int work_perf_frequency(int rounds)
{
	int i, cpu;

	for (i = 0; i < rounds; i++)
		for (cpu = 0; cpu < HOUSEKEEPING_CPUS; cpu++)
			if (count_event(PERF_COUNT_SW_CONTEXT_SWITCHES, -1, cpu, 1000))
				return -1;
	return rounds * HOUSEKEEPING_CPUS;
}

/* An event of the poller's CPU itself: each step is a call on that CPU. */
int work_cross_call(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++)
		if (count_event(PERF_COUNT_SW_CONTEXT_SWITCHES, -1, options.cpu, 0))
			return -1;
	return rounds;
}

/* ---- printk -------------------------------------------------------------- */

#define ON_CONSOLE	20	/* one line of so many */

static int print_lines(int count)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	int i;

	if (fd < 0)
		return failed("open /dev/kmsg");
	for (i = 0; i < count; i++) {
		char line[96];
		ssize_t length = snprintf(line, sizeof(line), "<%d>noise: line %d of a storm of printk\n",
					  i % ON_CONSOLE ? 6 : 4, i);

		if (write(fd, line, (size_t)length) != length) {
			failed("write to /dev/kmsg");
			break;
		}
	}
	close(fd);
	return i == count ? 0 : -1;
}

int work_printk(int rounds)
{
	return on_both(print_lines, rounds) ? -1 : rounds * HOUSEKEEPING_CPUS;
}

/* ---- fork ---------------------------------------------------------------- */

static int fork_often(int count)
{
	int i, status;

	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return failed("fork");
		if (!pid)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid || status)
			return failed("waitpid");
	}
	return 0;
}

int work_fork(int rounds)
{
	return on_both(fork_often, rounds) ? -1 : rounds * HOUSEKEEPING_CPUS;
}
