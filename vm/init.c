// SPDX-License-Identifier: GPL-2.0
/*
 * init of the test VM: mounts, loads the modules, runs one program, reports how it ended.
 *
 * The runner (vm/run) packs two files beside it:
 *   /vm/settings    one "key value" a line, see read_settings()
 *   /vm/arguments   the program's argument vector, each string ended by a NUL
 *
 * Channels to the runner, each a virtio port:
 *   vm.output   what the program prints; written by this process from a pipe, so that the program itself never
 *               waits for a device
 *   vm.result   lines for the runner only: "started", "module NAME ERRNO", "status N", "taint N"
 * The kernel's console is a serial port of its own and carries nothing of these.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_MODULES 8
#define MAX_ENVIRONMENT 16
/* QEMU turns a byte N written here into its exit status (N << 1) | 1; see -device isa-debug-exit in vm/run. */
#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_CODE 0x10

struct module {
	char *path;
	char *arguments;
};

static struct module modules[MAX_MODULES];
static int module_count;
static char *environment[MAX_ENVIRONMENT + 1];
static int environment_count;
static bool interactive;
static char *arguments_text;
static int result_fd = -1;
static int output_fd = -1;

static void write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (done <= 0)
			return;
		data += done;
		size -= (size_t)done;
	}
}

static void __attribute__((format(printf, 1, 2))) report(const char *format, ...)
{
	char line[512];
	va_list list;
	int size;

	va_start(list, format);
	size = vsnprintf(line, sizeof(line), format, list);
	va_end(list);
	if (size > (int)sizeof(line) - 1)
		size = sizeof(line) - 1;
	if (result_fd >= 0)
		write_all(result_fd, line, (size_t)size);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	write_all(fd, text, strlen(text));
	close(fd);
}

static char *read_file(const char *path, size_t *size_out)
{
	size_t size = 0, room = 4096;
	char *data = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !data) {
		free(data);
		return NULL;
	}
	for (;;) {
		ssize_t got = read(fd, data + size, room - size - 1);

		if (got <= 0)
			break;
		size += (size_t)got;
		if (size + 1 == room) {
			char *more = realloc(data, room *= 2);

			if (!more)
				break;
			data = more;
		}
	}
	close(fd);
	data[size] = '\0';
	if (size_out)
		*size_out = size;
	return data;
}

/*
 * Memory that nothing points to any more, where the kernel looks for that. Found before the program: not its doing.
 * Found after it: a bad line in the log. A second scan settles what the first one is not sure of; younger than five
 * seconds is never said.
 */
static void look_for_leaks(bool before)
{
	const char *path = "/sys/kernel/debug/kmemleak";
	char *found, line[256];

	if (access(path, W_OK))
		return;
	if (!before)
		sleep(6);
	for (int scan = 0; scan < 2; scan++)
		write_file(path, "scan");
	if (before) {
		write_file(path, "clear");
		return;
	}
	found = read_file(path, NULL);
	for (char *at = found ? strtok(found, "\n") : NULL; at; at = strtok(NULL, "\n")) {
		snprintf(line, sizeof(line), "<3>vm: leak: %s\n", at);
		write_file("/dev/kmsg", line);
	}
	free(found);
}

/* The way out. Everything must have reached the host before the port is written: QEMU ends at that instant. */
static void __attribute__((noreturn)) leave(void)
{
	int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	/*
	 * Level 0 is printed whatever the program did to the console's level; the runner looks for this line.
	 * Without its newline the record would stay open for a continuation and never reach the console.
	 */
	write_file("/dev/kmsg", "<0>vm: end\n");
	if (console >= 0)
		tcdrain(console);
	sync();
	if (ioperm(DEBUG_EXIT_PORT, 1, 1) == 0)
		outb(DEBUG_EXIT_CODE, DEBUG_EXIT_PORT);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static void mount_one(const char *type, const char *target, unsigned long flags, const char *data)
{
	mkdir(target, 0755);
	if (mount(type, target, type, flags, data) && errno != EBUSY)
		fprintf(stderr, "vm: mount %s on %s: %m\n", type, target);
}

static void mount_all(void)
{
	mount_one("proc", "/proc", 0, NULL);
	mount_one("sysfs", "/sys", 0, NULL);
	mount_one("devtmpfs", "/dev", 0, NULL);
	mkdir("/dev/pts", 0755);
	mount_one("devpts", "/dev/pts", 0, "ptmxmode=0666");
	mount_one("tmpfs", "/dev/shm", 0, "mode=1777");
	mount_one("tmpfs", "/tmp", 0, "mode=1777");
	mount_one("tmpfs", "/run", 0, "mode=0755");
	mount_one("debugfs", "/sys/kernel/debug", 0, NULL);
	mount_one("tracefs", "/sys/kernel/tracing", 0, NULL);
	mount_one("cgroup2", "/sys/fs/cgroup", 0, NULL);
	/* No static nodes in a bare devtmpfs. */
	(void)!symlink("/proc/self/fd", "/dev/fd");
	(void)!symlink("/proc/self/fd/0", "/dev/stdin");
	(void)!symlink("/proc/self/fd/1", "/dev/stdout");
	(void)!symlink("/proc/self/fd/2", "/dev/stderr");
}

/* A virtio port has the name that vm/run gave it in sysfs, and a numbered node in /dev. */
static int open_port(const char *wanted)
{
	const char *class = "/sys/class/virtio-ports";
	DIR *ports = opendir(class);
	struct dirent *entry;
	int fd = -1;

	while (ports && fd < 0 && (entry = readdir(ports))) {
		char path[512], *name;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/name", class, entry->d_name);
		name = read_file(path, NULL);
		if (!name)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (strcmp(name, wanted) == 0) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		free(name);
	}
	if (ports)
		closedir(ports);
	return fd;
}

/* The ports are announced one by one by the device after its driver is bound. */
static int wait_for_port(const char *name)
{
	for (int try = 0; try < 500; try++) {
		int fd = open_port(name);

		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	fprintf(stderr, "vm: no virtio port named %s\n", name);
	return -1;
}

static void read_settings(void)
{
	char *text = read_file("/vm/settings", NULL);

	for (char *line = text ? strtok(text, "\n") : NULL; line; line = strtok(NULL, "\n")) {
		char *value = strchr(line, ' ');

		if (!value)
			continue;
		*value++ = '\0';
		if (!strcmp(line, "module") && module_count < MAX_MODULES) {
			char *arguments = strchr(value, ' ');

			if (arguments)
				*arguments++ = '\0';
			modules[module_count].path = value;
			modules[module_count++].arguments = arguments ? arguments : value + strlen(value);
		} else if (!strcmp(line, "environment") && environment_count < MAX_ENVIRONMENT) {
			environment[environment_count++] = value;
		} else if (!strcmp(line, "interactive")) {
			interactive = true;
		} else if (!strcmp(line, "hostname")) {
			(void)!sethostname(value, strlen(value));
		}
	}
}

static bool load_modules(void)
{
	for (int i = 0; i < module_count; i++) {
		int fd = open(modules[i].path, O_RDONLY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_finit_module, fd, modules[i].arguments, 0)) {
			report("module %s %s\n", modules[i].path, strerror(errno));
			return false;
		}
		close(fd);
	}
	return true;
}

static pid_t start_program(int output)
{
	size_t size = 0, count = 0;
	char **vector, *next;
	pid_t pid;

	arguments_text = read_file("/vm/arguments", &size);
	for (size_t i = 0; i < size; i++)
		count += arguments_text[i] == '\0';
	vector = calloc(count + 1, sizeof(*vector));
	if (!count || !vector)
		return -1;
	next = arguments_text;
	for (size_t i = 0; i < count; i++) {
		vector[i] = next;
		next += strlen(next) + 1;
	}

	pid = fork();
	if (pid == 0) {
		sigset_t none;
		int input;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		if (interactive) {
			input = open("/dev/hvc0", O_RDWR);
			output = input;
			ioctl(input, TIOCSCTTY, 0);
		} else {
			input = open("/dev/null", O_RDONLY);
		}
		dup2(input, 0);
		dup2(output, 1);
		dup2(output, 2);
		if (input > 2)
			close(input);
		if (output > 2 && output != input)
			close(output);
		if (chdir("/root")) {
			/* stays in / */
		}
		/* The packed environment is the whole of it; execvp looks the program up in that PATH. */
		environ = environment;
		execvp(vector[0], vector);
		fprintf(stderr, "vm: %s: %m\n", vector[0]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	return pid;
}

/* Relay the output and reap whatever ends until the program itself has ended. Returns its wait status. */
static int relay(pid_t program, int pipe_fd, int child_fd)
{
	static char buffer[65536];
	bool ended = false, open_output = pipe_fd >= 0;
	int status = 0;

	for (;;) {
		struct pollfd wait_for[2] = {
			{ .fd = child_fd, .events = POLLIN },
			{ .fd = open_output ? pipe_fd : -1, .events = POLLIN },
		};
		/* After the end: a background process may hold the pipe for ever; take what comes within 0.2 s. */
		int ready = poll(wait_for, 2, ended ? 200 : -1);

		if (ready == 0 || (ended && !open_output))
			return status;
		if (wait_for[1].revents) {
			ssize_t got = read(pipe_fd, buffer, sizeof(buffer));

			if (got > 0)
				write_all(output_fd, buffer, (size_t)got);
			else if (got == 0)
				open_output = false;
		}
		if (wait_for[0].revents) {
			struct signalfd_siginfo info;
			pid_t pid;
			int one;

			(void)!read(child_fd, &info, sizeof(info));
			while ((pid = waitpid(-1, &one, WNOHANG)) > 0) {
				if (pid == program) {
					status = one;
					ended = true;
				}
			}
		}
	}
}

int main(void)
{
	int pipes[2] = { -1, -1 }, child_fd, status;
	sigset_t child;
	char *taint;
	pid_t program;

	umask(022);
	mount_all();
	read_settings();

	result_fd = wait_for_port("vm.result");
	report("started\n");
	output_fd = interactive ? -1 : wait_for_port("vm.output");

	/* A stall or lockup ends the run at once, with its message in the log. */
	write_file("/proc/sys/kernel/panic_on_rcu_stall", "1");
	write_file("/proc/sys/kernel/softlockup_panic", "1");
	write_file("/proc/sys/kernel/hung_task_panic", "1");
	/* Tests read the kernel log and need real addresses; everything here is root anyway. */
	write_file("/proc/sys/kernel/kptr_restrict", "0");
	write_file("/proc/sys/kernel/printk_devkmsg", "on\n");

	look_for_leaks(true);
	if (!load_modules())
		leave();

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	child_fd = signalfd(-1, &child, SFD_CLOEXEC);
	if (child_fd < 0 || (!interactive && pipe2(pipes, O_CLOEXEC))) {
		report("failed %s\n", strerror(errno));
		leave();
	}
	program = start_program(pipes[1]);
	if (pipes[1] >= 0)
		close(pipes[1]);
	if (program < 0) {
		report("failed cannot start the program\n");
		leave();
	}
	status = relay(program, pipes[0], child_fd);
	if (interactive) {
		int terminal = open("/dev/hvc0", O_RDWR | O_NOCTTY | O_CLOEXEC);

		if (terminal >= 0)
			tcdrain(terminal);
	}

	look_for_leaks(false);
	taint = read_file("/proc/sys/kernel/tainted", NULL);
	report("taint %s", taint ? taint : "unknown\n");
	report("status %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	leave();
}
