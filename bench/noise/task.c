// SPDX-License-Identifier: GPL-2.0
/* The busy task, as the harness sees it: started, watched, read about, ended. The task itself is poller.c. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "noise.h"

/* Starting is over after this time, and so is what the warm-up left behind. */
#define START_MS	700

struct page *page;

static int page_fd = -1;
static enum mode task_mode;
static pid_t task_pid;

void die(const char *what, const char *why)
{
	fprintf(stderr, "noise: %s: %s\n", what, why);
	exit(1);
}

/* How it ended, or 0 while it lives. It stays a zombie, so that it can still be read about. */
int task_ended(siginfo_t *info)
{
	info->si_pid = 0;
	if (waitid(P_PID, (id_t)task_pid, info, WEXITED | WNOHANG | WNOWAIT))
		die("waitid", strerror(errno));
	return info->si_pid != 0;
}

static void must_live(const char *when)
{
	siginfo_t info;
	char loss[128];

	if (!task_ended(&info))
		return;
	fprintf(stderr, "noise: %s: the task ended, %s %d\n", when,
		info.si_code == CLD_EXITED ? "status" : "signal", info.si_status);
	if (LOAD(page->refused))
		fprintf(stderr, "noise: not isolated: %s: %s\n", strerror((int)LOAD(page->refused)), page->refusal);
	else if (task_mode != NOT_ISOLATED && read_isolation(options.cpu, "last_loss", loss, sizeof(loss)) > 0)
		fprintf(stderr, "noise: last loss: %s\n", loss);
	exit(1);
}

/* A persistent task may need a moment after an interruption. */
void must_poll(const char *when)
{
	uint64_t beats = LOAD(page->beats);
	int tries;

	for (tries = 0; tries < 500; tries++) {
		must_live(when);
		if (LOAD(page->beats) != beats && (task_mode == NOT_ISOLATED || is_isolated(options.cpu)))
			return;
		sleep_ms(10);
	}
	die(when, "the task makes no progress, or is not isolated");
}

static void map_shared(void)
{
	page_fd = memfd_create("noise", 0);
	if (page_fd < 0 || ftruncate(page_fd, sizeof(*page)))
		die("memfd_create", strerror(errno));
	page = map_page(page_fd);
	if (!page)
		die("the shared page", strerror(errno));
}

void start_task(enum mode mode)
{
	char fd[16], cpu[16], mode_text[16];

	if (page_fd < 0)
		map_shared();
	task_mode = mode;
	snprintf(fd, sizeof(fd), "%d", page_fd);
	snprintf(cpu, sizeof(cpu), "%d", options.cpu);
	snprintf(mode_text, sizeof(mode_text), "%d", mode);
	memset(page, 0, sizeof(*page));
	task_pid = fork();
	if (task_pid < 0)
		die("fork", strerror(errno));
	if (!task_pid) {
		/* Memory of its own: what the harness does to its mappings is none of its business. */
		execl("/proc/self/exe", "noise", "--poller", fd, cpu, mode_text, NULL);
		die("cannot start the task", strerror(errno));
	}
	while (!LOAD(page->ready)) {
		must_live("start");
		sleep_ms(10);
	}
	sleep_ms(START_MS);
	must_poll("start");
}

int watch_task(void)
{
	int fd = (int)syscall(SYS_pidfd_open, task_pid, 0);

	if (fd < 0)
		die("pidfd_open", strerror(errno));
	return fd;
}

void read_task(const char *when, struct reading *reading)
{
	if (take_reading(options.cpu, task_pid, task_mode != NOT_ISOLATED, reading))
		die(when, "the counters cannot be read");
}

void stop_task(void)
{
	int status;

	must_live("end");
	STORE(page->stop, 1);
	if (waitpid(task_pid, &status, 0) != task_pid || status)
		die("the task", "did not end well");
}

void bury_task(void)
{
	if (waitpid(task_pid, NULL, 0) != task_pid)
		die("waitpid", strerror(errno));
}
