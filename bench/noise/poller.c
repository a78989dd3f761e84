// SPDX-License-Identifier: GPL-2.0
/*
 * The busy task: it starts up as any program, then polls with all memory
 * locked and without a system call. It isolates itself when it is told to:
 * persistent, so that it goes on after an interruption, or strict with the
 * default signal, which ends it at the first one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/task_isolation.h>

#include "noise.h"

#define POLLS_PER_PAUSE	64
#define TRIES		10

static volatile uint64_t mailbox[16];

struct page *map_page(int fd)
{
	void *memory = mmap(NULL, sizeof(struct page), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void poll_mailbox(struct page *page, uint64_t beats)
{
	unsigned int i;

	for (i = 0; i < POLLS_PER_PAUSE; i++)
		if (mailbox[i % 16])
			__builtin_trap();
	STORE(page->beats, beats);
	/* Without this an emulator with one thread starves the other CPUs. */
	__builtin_ia32_pause();
}

/*
 * What programs do before they get to work, with all their memory locked
 * already. It leaves the CPU with pages and objects of its own, batches that
 * are not empty, and callbacks of RCU.
 */
static int start_up(void)
{
	char path[32], block[PAGE] = { 0 };
	int i, fd;

	for (i = 0; i < 8; i++) {
		int status;
		char *memory;
		pid_t pid;

		snprintf(path, sizeof(path), "/tmp/poller-%d", i);
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
		if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block))
			return -1;
		memory = mmap(NULL, sizeof(block), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
		if (memory == MAP_FAILED)
			return -1;
		memory[0] = 1;
		if (munmap(memory, sizeof(block)) || close(fd) || unlink(path))
			return -1;
		pid = fork();
		if (!pid)
			_exit(0);
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			return -1;
	}
	/* The file comes last: locking, unmapping and exiting would empty the batches. */
	fd = open("/tmp/poller-log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	for (i = 0; fd >= 0 && i < 3; i++)
		if (write(fd, block, sizeof(block)) != sizeof(block))
			return -1;
	return fd < 0 ? -1 : 0;
}

static int enter(struct page *page, unsigned long flags)
{
	struct task_isolation_info info = { 0 };
	int tries, error;

	for (tries = 0; tries < TRIES; tries++) {
		if (!prctl(PR_SET_TASK_ISOLATION, flags))
			return 0;
		if (errno != EAGAIN)
			break;
	}
	error = errno;
	prctl(PR_TASK_ISOLATION_INFO, &info, sizeof(info), 0, 0);
	memcpy(page->refusal, info.refusal, sizeof(page->refusal) - 1);
	STORE(page->refused, (uint32_t)error);
	return -1;
}

/* Polls until it is told to end, and keeps the longest pause. */
static void poll_and_watch(struct page *page, uint64_t beats)
{
	uint64_t last = 0;

	while (!LOAD(page->stop)) {
		uint64_t now;

		poll_mailbox(page, ++beats);
		if (!LOAD(page->watch))
			continue;
		now = __builtin_ia32_rdtsc();
		if (last && now - last > page->longest)
			STORE(page->longest, now - last);
		last = now;
	}
}

int poller(int fd, int cpu, enum mode mode)
{
	static const unsigned long flags[] = {
		[PERSISTENT] = PR_TASK_ISOLATION_ENABLE | PR_TASK_ISOLATION_NOSIG,
		[STRICT] = PR_TASK_ISOLATION_ENABLE,
	};
	struct page *page = map_page(fd);
	uint64_t beats = 0;

	/* For the log; else it would be "exe". */
	prctl(PR_SET_NAME, "poller");
	if (!page || bind_to(cpu) || mlockall(MCL_CURRENT | MCL_FUTURE)) {
		perror("noise: the task cannot start");
		return 1;
	}
	if (start_up()) {
		perror("noise: start-up of the task");
		return 1;
	}
	/* Past the first use of everything before the kernel is shut out. */
	poll_mailbox(page, ++beats);
	if (mode != NOT_ISOLATED && enter(page, flags[mode]))
		return 3;
	STORE(page->ready, 1);
	poll_and_watch(page, beats);
	/* Ending is its own business, also for a strict task. */
	prctl(PR_SET_TASK_ISOLATION, 0);
	return 0;
}
