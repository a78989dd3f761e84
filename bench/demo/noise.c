// SPDX-License-Identifier: GPL-2.0
/*
 * Noise on a housekeeping CPU: a fixed amount of each kind of work, the same
 * in every column, spread evenly over the count.
 *
 * usage: noise DESCRIPTOR INDEX ROUNDS SECONDS
 *        noise --nothing          (what it executes as its own child)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "page.h"

/* Work of one round. */
#define FORKS		4
#define FILE_KIB	128
#define MESSAGES	20
#define TIMERS		10
#define MEMORY_MIB	2
/* Once in so many rounds, much memory at once. */
#define PRESSURE_EVERY	20
#define PRESSURE_MIB	48

static uint64_t *work_done;

static void check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "noise: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void fork_exec(void)
{
	int i;

	for (i = 0; i < FORKS; i++) {
		int status;
		pid_t pid = fork();

		check(pid >= 0, "fork");
		if (!pid) {
			execl("/proc/self/exe", "noise", "--nothing", NULL);
			_exit(1);
		}
		check(waitpid(pid, &status, 0) == pid && status == 0, "child");
		work_done[NOISE_FORK_EXEC]++;
	}
}

static void file_work(int index)
{
	static char block[1024];
	char path[32];
	int fd;
	int i;

	snprintf(path, sizeof(path), "/tmp/noise-%d", index);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	check(fd >= 0, path);
	for (i = 0; i < FILE_KIB; i++) {
		check(write(fd, block, sizeof(block)) == sizeof(block), "write");
		work_done[NOISE_FILE_KIB]++;
	}
	check(fsync(fd) == 0, "fsync");
	check(lseek(fd, 0, SEEK_SET) == 0, "lseek");
	for (i = 0; i < FILE_KIB; i++)
		check(read(fd, block, sizeof(block)) == sizeof(block), "read");
	close(fd);
	check(unlink(path) == 0, "unlink");
}

static void exchange(int from, int to, enum noise_kind kind)
{
	char message[256] = { 0 };
	int i;

	for (i = 0; i < MESSAGES; i++) {
		check(write(from, message, sizeof(message)) == sizeof(message), "send");
		check(recv(to, message, sizeof(message), MSG_WAITALL) == sizeof(message), "receive");
		work_done[kind]++;
	}
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	check(fd >= 0, "socket");
	check(ioctl(fd, SIOCGIFFLAGS, &request) == 0, "lo");
	request.ifr_flags |= IFF_UP;
	check(ioctl(fd, SIOCSIFFLAGS, &request) == 0, "lo up");
	close(fd);
}

static void socket_work(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int pair[2];
	int server, client, accepted;

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0, "socketpair");
	exchange(pair[0], pair[1], NOISE_UNIX_MESSAGES);
	close(pair[0]);
	close(pair[1]);

	server = socket(AF_INET, SOCK_STREAM, 0);
	check(server >= 0 && bind(server, (struct sockaddr *)&address, length) == 0 &&
	      listen(server, 1) == 0 &&
	      getsockname(server, (struct sockaddr *)&address, &length) == 0, "listen");
	client = socket(AF_INET, SOCK_STREAM, 0);
	check(client >= 0 && connect(client, (struct sockaddr *)&address, length) == 0, "connect");
	accepted = accept(server, NULL, NULL);
	check(accepted >= 0, "accept");
	exchange(client, accepted, NOISE_TCP_MESSAGES);
	close(client);
	close(accepted);
	close(server);
}

static void timer_work(void)
{
	struct itimerspec soon = { .it_value.tv_nsec = 500000 };
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	int i;

	check(fd >= 0, "timerfd_create");
	for (i = 0; i < TIMERS; i++) {
		uint64_t expired;

		check(timerfd_settime(fd, 0, &soon, NULL) == 0, "timerfd_settime");
		check(read(fd, &expired, sizeof(expired)) == sizeof(expired), "timer");
		work_done[NOISE_TIMERS]++;
	}
	close(fd);
}

static void memory_work(int mib, enum noise_kind kind)
{
	size_t size = (size_t)mib << 20;
	size_t at;
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED, "mmap");
	/* Whether a huge page can be had is luck; the work must be the same. */
	madvise(memory, size, MADV_NOHUGEPAGE);
	for (at = 0; at < size; at += 4096)
		memory[at] = 1;
	check(munmap(memory, size) == 0, "munmap");
	work_done[kind] += (uint64_t)mib;
}

static void drop_caches(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	check(fd >= 0 && write(fd, "3", 1) == 1, "drop_caches");
	close(fd);
	work_done[NOISE_DROP_CACHES]++;
}

static void sleep_until(const struct timespec *start, double seconds)
{
	int64_t ns = start->tv_nsec + (int64_t)(seconds * 1e9);
	struct timespec when = {
		.tv_sec = start->tv_sec + ns / 1000000000,
		.tv_nsec = ns % 1000000000,
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL) == EINTR)
		;
}

int main(int argc, char **argv)
{
	struct timespec start;
	struct page *page;
	double seconds;
	int index, rounds, i;

	if (argc == 2 && !strcmp(argv[1], "--nothing"))
		return 0;
	if (argc != 5) {
		fprintf(stderr, "usage: noise DESCRIPTOR INDEX ROUNDS SECONDS\n");
		return 2;
	}
	page = map_page(argv[1]);
	index = atoi(argv[2]);
	rounds = atoi(argv[3]);
	seconds = atof(argv[4]);
	work_done = page->noise[index];
	loopback_up();

	while (!LOAD(page->go))
		usleep(1000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (i = 0; i < rounds; i++) {
		sleep_until(&start, seconds * i / rounds);
		fork_exec();
		file_work(index);
		socket_work();
		timer_work();
		memory_work(MEMORY_MIB, NOISE_MEMORY_MIB);
		if (i % PRESSURE_EVERY == PRESSURE_EVERY / 2)
			memory_work(PRESSURE_MIB, NOISE_PRESSURE_MIB);
		drop_caches();
	}
	return 0;
}
