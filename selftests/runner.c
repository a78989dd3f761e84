// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the programs named on the command line one after the other, each with a
 * time limit, as one KTAP test whose subtests are theirs.
 *
 *   runner [-m MODULE.ko] [-t SECONDS] PROGRAM[:ARG[:ARG...]]...
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t running;
static volatile sig_atomic_t timed_out;

static void on_alarm(int sig)
{
	(void)sig;
	timed_out = 1;
	kill(-running, SIGKILL);
}

static int load_module(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		return errno == EEXIST ? 0 : -1;
	close(fd);
	return 0;
}

/*
 * The first cgroup with a controller and the last one that goes switch static
 * keys, the last one in the background, long after it was removed: text patching
 * that interrupts whoever is isolated by then. One more cgroup that stays, as on
 * any system with users, keeps the tests' own ones from being first or last.
 */
static void keep_controllers_in_use(void)
{
	int fd = open("/sys/fs/cgroup/cgroup.subtree_control", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "+cpuset +memory", 15) == 15)
		mkdir("/sys/fs/cgroup/stays", 0755);
	close(fd);
}

/* The program's output, each line behind two spaces; its wait status. */
static int run(char *word, int limit)
{
	char path[512], *argv[16];
	int ends[2], status, argc = 0;
	char *line = NULL;
	size_t size = 0;
	FILE *from;

	for (char *part = strtok(word, ":"); part && argc < 15; part = strtok(NULL, ":"))
		argv[argc++] = part;
	argv[argc] = NULL;
	snprintf(path, sizeof(path), "%s%s", strchr(argv[0], '/') ? "" : "./", argv[0]);
	if (pipe2(ends, O_CLOEXEC))
		exit(99);
	fflush(stdout);
	running = fork();
	if (!running) {
		setpgid(0, 0);
		dup2(ends[1], 1);
		dup2(ends[1], 2);
		execv(path, argv);
		printf("# cannot run %s: %s\n", path, strerror(errno));
		fflush(stdout);
		_exit(127);
	}
	close(ends[1]);
	timed_out = 0;
	alarm(limit);
	from = fdopen(ends[0], "r");
	while (getline(&line, &size, from) > 0) {
		/* of the chatter only what failed is worth the console's time */
		if (!strncmp(line, "#  RUN ", 7) || !strncmp(line, "#            OK ", 16))
			continue;
		if (!strncmp(line, "TAP version", 11))
			printf("  KTAP version 1\n");
		else
			printf("  %s", line);
		fflush(stdout);
	}
	fclose(from);
	free(line);
	while (waitpid(running, &status, 0) < 0 && errno == EINTR)
		;
	alarm(0);
	return status;
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };
	int opt, limit = 240, bad = 0;

	sigaction(SIGALRM, &action, NULL);
	while ((opt = getopt(argc, argv, "m:t:")) != -1) {
		if (opt == 't') {
			limit = atoi(optarg);
		} else if (opt != 'm') {
			return 2;
		} else if (load_module(optarg)) {
			printf("Bail out! cannot load %s: %s\n", optarg, strerror(errno));
			return 1;
		}
	}
	keep_controllers_in_use();
	printf("KTAP version 1\n1..%d\n", argc - optind);
	for (int i = optind; i < argc; i++) {
		struct timespec begin, end;
		char name[256];
		int status;

		snprintf(name, sizeof(name), "%s", argv[i]);
		for (char *c = name; *c; c++)
			if (*c == ':')
				*c = ' ';
		clock_gettime(CLOCK_MONOTONIC, &begin);
		status = run(argv[i], limit);
		clock_gettime(CLOCK_MONOTONIC, &end);
		if (timed_out)
			printf("# %s: killed after %d s\n", name, limit);
		else if (WIFSIGNALED(status))
			printf("# %s: killed by signal %d\n", name, WTERMSIG(status));
		printf("%sok %d %s\n", status ? "not " : "", i - optind + 1, name);
		printf("# %s: %ld s\n", name, (long)(end.tv_sec - begin.tv_sec));
		fflush(stdout);
		bad |= status;
	}
	return bad ? 1 : 0;
}
