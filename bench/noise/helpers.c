// SPDX-License-Identifier: GPL-2.0
/* Files, children and failures, for all sources. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "noise.h"

#define PATIENCE_MS	20000

struct failure failure;

int failed(const char *format, ...)
{
	va_list list;

	failure.error = errno;
	va_start(list, format);
	vsnprintf(failure.what, sizeof(failure.what), format, list);
	va_end(list);
	return -1;
}

void print_failure(const struct failure *what)
{
	printf(",\"failed\":");
	print_json(what->what);
	printf(",\"errno\":%d,\"error\":", what->error);
	print_json(strerror(what->error));
}

void print_end(void)
{
	printf("}\n");
	fflush(stdout);
}

double monotonic(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int bind_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

long read_number(const char *path)
{
	char text[64], *end;
	long number;

	if (read_text(path, text, sizeof(text)) < 0)
		return failed("read %s", path);
	number = strtol(text, &end, 10);
	if (end == text) {
		errno = EINVAL;
		return failed("%s holds no number", path);
	}
	return number;
}

int write_text(const char *path, const char *text)
{
	ssize_t length = (ssize_t)strlen(text);
	ssize_t done;
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return failed("open %s", path);
	done = write(fd, text, (size_t)length);
	if (done != length) {
		failed("write '%s' to %s", text, path);
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

int wait_for_number(const char *path, long goal)
{
	long number = 0;
	int ms;

	for (ms = 0; ms < PATIENCE_MS; ms += 20) {
		number = read_number(path);
		if (number < 0)
			return -1;
		if (number >= goal)
			return 0;
		sleep_ms(20);
	}
	errno = ETIMEDOUT;
	return failed("%s is %ld and not %ld", path, number, goal);
}

pid_t start_on(int cpu, int (*work)(int argument), int argument)
{
	pid_t pid = fork();

	if (pid < 0)
		return failed("fork");
	if (pid)
		return pid;
	/* Not left behind when the harness dies. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (bind_to(cpu))
		failed("bind to CPU %d", cpu);
	else if (!work(argument))
		_exit(0);
	fprintf(stderr, "noise: child on CPU %d: %s: %s\n", cpu, failure.what, strerror(failure.error));
	/* No errno of Linux is larger than 133. */
	_exit(failure.error ? failure.error : EIO);
}

int finish_child(pid_t pid)
{
	int status;

	if (pid < 0)
		return -1;
	if (waitpid(pid, &status, 0) != pid)
		return failed("waitpid");
	if (WIFSIGNALED(status)) {
		errno = EINTR;
		return failed("a child was ended by signal %d", WTERMSIG(status));
	}
	if (status) {
		errno = WEXITSTATUS(status);
		return failed("a child failed, see above");
	}
	return 0;
}

int on_both(int (*work)(int argument), int argument)
{
	pid_t first = start_on(0, work, argument);
	pid_t second = start_on(1, work, argument);
	int bad = finish_child(first);

	return finish_child(second) || bad ? -1 : 0;
}

/* ---- memory ------------------------------------------------------------- */

char *map_memory(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		failed("map %zu bytes", size);
		return NULL;
	}
	return memory;
}

void touch(char *memory, size_t size)
{
	size_t at;

	for (at = 0; at < size; at += PAGE)
		memory[at] = 1;
}

long events(const char *name)
{
	static char text[32768];
	char line[64];
	char *at;

	if (read_text("/proc/vmstat", text, sizeof(text)) < 0)
		return failed("read /proc/vmstat");
	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	if (!at) {
		errno = ENOENT;
		return failed("no %s in /proc/vmstat", name);
	}
	return strtol(at + strlen(line), NULL, 10);
}

int must_have_grown(const char *name, long before)
{
	long now = events(name);

	if (before < 0 || now < 0)
		return -1;
	if (now > before)
		return 0;
	errno = ENODATA;
	return failed("%s of /proc/vmstat did not grow", name);
}

/* ---- a process with two threads ------------------------------------------ */

static int (*sibling_work)(int argument);
static int sibling_stop;

static void *sibling(void *unused)
{
	if (bind_to(1))
		return sibling;
	while (!LOAD(sibling_stop))
		sched_yield();
	return unused;
}

static int work_beside_sibling(int argument)
{
	pthread_t thread;
	void *result;
	int bad;

	errno = pthread_create(&thread, NULL, sibling, NULL);
	if (errno)
		return failed("pthread_create");
	bad = sibling_work(argument);
	STORE(sibling_stop, 1);
	errno = pthread_join(thread, &result);
	if (bad)
		return -1;
	return errno || result ? failed("the other thread") : 0;
}

int with_sibling(int (*work)(int argument), int argument)
{
	sibling_work = work;
	return finish_child(start_on(0, work_beside_sibling, argument));
}
