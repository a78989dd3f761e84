// SPDX-License-Identifier: GPL-2.0
/* Sources in networking. The VM has no network but loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "noise.h"

#define STEERING	"/sys/class/net/lo/queues/rx-0/rps_cpus"

int prepare_network(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int bad;

	if (fd < 0)
		return failed("socket");
	bad = ioctl(fd, SIOCGIFFLAGS, &request);
	request.ifr_flags |= IFF_UP;
	bad = bad || ioctl(fd, SIOCSIFFLAGS, &request);
	if (bad)
		failed("lo up");
	close(fd);
	/* Packets go round by the backlogs of both housekeeping CPUs. */
	return bad ? -1 : write_text(STEERING, "3");
}

void finish_network(void)
{
	write_text(STEERING, "0");
}

/* One message there, the same back. */
static int exchange(int from, int to, int count)
{
	char message[256] = { 0 };
	int i;

	for (i = 0; i < count; i++)
		if (send(from, message, sizeof(message), 0) != sizeof(message) ||
		    recv(to, message, sizeof(message), MSG_WAITALL) != sizeof(message))
			return failed("message %d", i);
	return 0;
}

static int open_pair(int type, int pair[2])
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	/* A packet that is lost must not be waited for without end. */
	struct timeval patience = { .tv_sec = 5 };
	socklen_t length = sizeof(address);
	int server = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	pair[0] = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	if (server < 0 || pair[0] < 0 || bind(server, (struct sockaddr *)&address, length) ||
	    getsockname(server, (struct sockaddr *)&address, &length) ||
	    (type == SOCK_STREAM && listen(server, 1)) ||
	    connect(pair[0], (struct sockaddr *)&address, length))
		return failed("connect");
	pair[1] = server;
	if (type == SOCK_STREAM) {
		pair[1] = accept(server, NULL, NULL);
		close(server);
	}
	if (pair[1] < 0 || setsockopt(pair[1], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return failed("accept");
	return 0;
}

static int traffic(int count)
{
	static const int types[] = { SOCK_DGRAM, SOCK_STREAM };
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		int pair[2] = { -1, -1 };
		int bad;

		if (open_pair(types[i], pair))
			return -1;
		bad = exchange(pair[0], pair[1], count);
		close(pair[0]);
		close(pair[1]);
		if (bad)
			return -1;
	}
	return 0;
}

int work_network(int rounds)
{
	return on_both(traffic, rounds) ? -1 : 2 * rounds * HOUSEKEEPING_CPUS;
}

/* ---- network namespaces -------------------------------------------------- */

#define LIMIT		"/proc/sys/user/max_net_namespaces"

static char usual_limit[24];

/* Room for one: the next can be had when the one before is gone, so none is counted that waits for its end. */
int prepare_namespaces(void)
{
	long usual = read_number(LIMIT);

	if (usual < 0)
		return -1;
	snprintf(usual_limit, sizeof(usual_limit), "%ld", usual);
	return write_text(LIMIT, "1");
}

void finish_namespaces(void)
{
	write_text(LIMIT, usual_limit);
}

/* A namespace goes with its last process, its loopback device with it: that flushes all backlogs. */
static int leave_behind(int unused)
{
	int tries;

	(void)unused;
	for (tries = 0; unshare(CLONE_NEWNET); tries++) {
		if (errno != ENOSPC || tries == 1000)
			return failed("unshare");
		sleep_ms(5);
	}
	return 0;
}

int work_namespaces(int rounds)
{
	int i;

	/* The last one is only there to wait for the one before. */
	for (i = 0; i < rounds + 1; i++)
		if (finish_child(start_on(i % HOUSEKEEPING_CPUS, leave_behind, 0)))
			return -1;
	return rounds;
}
