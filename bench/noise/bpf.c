// SPDX-License-Identifier: GPL-2.0
/* Sources that go through bpf(2): attaching, loading, and maps as large areas of vmalloc. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/perf_event.h>

#include "noise.h"

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

/* A program that adds to r0 a number of times, to have the length that is wanted. */
static int load_program(enum bpf_prog_type type, size_t additions)
{
	size_t length = additions + 2;
	struct bpf_insn *program = calloc(length, sizeof(*program));
	union bpf_attr attr = {
		.prog_type = type,
		.insn_cnt = (uint32_t)length,
		.insns = (uintptr_t)program,
		.license = (uintptr_t)"GPL",
	};
	size_t i;
	int fd;

	if (!program)
		return failed("memory for a program");
	/* r0 = 1 lets packets pass and events be recorded. */
	program[0] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = 1 };
	for (i = 1; i <= additions; i++)
		program[i] = (struct bpf_insn){ .code = BPF_ALU64 | BPF_AND | BPF_K, .imm = 0x1001 };
	program[length - 1] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		failed("load a program of %zu instructions", length);
	free(program);
	return fd;
}

/* ---- attach -------------------------------------------------------------- */

static int event_program = -1;
static int packet_program = -1;

int prepare_bpf_attach(void)
{
	event_program = load_program(BPF_PROG_TYPE_TRACEPOINT, 0);
	packet_program = load_program(BPF_PROG_TYPE_CGROUP_SKB, 0);
	return event_program < 0 || packet_program < 0 ? -1 : 0;
}

static int attach_to_event(long id)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)id,
		.sample_period = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	int bad;

	if (fd < 0)
		return failed("open the event");
	bad = ioctl(fd, PERF_EVENT_IOC_SET_BPF, event_program) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
	if (bad)
		failed("attach to the event");
	close(fd);
	return bad ? -1 : 0;
}

static int attach_to_cgroup(int cgroup)
{
	union bpf_attr attr = {
		.target_fd = (uint32_t)cgroup,
		.attach_bpf_fd = (uint32_t)packet_program,
		.attach_type = BPF_CGROUP_INET_INGRESS,
	};

	if (bpf(BPF_PROG_ATTACH, &attr))
		return failed("attach to the cgroup");
	if (bpf(BPF_PROG_DETACH, &attr))
		return failed("detach from the cgroup");
	return 0;
}

int work_bpf_attach(int rounds)
{
	long id = read_number(TRACING "events/sched/sched_process_exec/id");
	int cgroup = open(CGROUPS, O_RDONLY | O_CLOEXEC);
	int done = 0;

	if (id >= 0 && cgroup < 0)
		failed("open " CGROUPS);
	while (id >= 0 && cgroup >= 0 && done < rounds) {
		if (attach_to_event(id) || attach_to_cgroup(cgroup))
			break;
		done++;
	}
	if (cgroup >= 0)
		close(cgroup);
	return done == rounds ? 2 * done : -1;
}

void finish_bpf_attach(void)
{
	close(event_program);
	close(packet_program);
}

/* ---- load ---------------------------------------------------------------- */

/* Together more than the 2 MiB that the kernel takes at once for translated programs. */
#define HELD		10
#define ADDITIONS	40000

int work_bpf_load(int rounds)
{
	int fds[HELD];
	int i, j, bad = 0;

	for (i = 0; i < rounds && !bad; i++) {
		for (j = 0; j < HELD; j++) {
			fds[j] = load_program(BPF_PROG_TYPE_SOCKET_FILTER, ADDITIONS);
			bad |= fds[j] < 0;
		}
		for (j = 0; j < HELD; j++)
			if (fds[j] >= 0)
				close(fds[j]);
	}
	return bad ? -1 : rounds * HELD;
}

/* ---- vmalloc ------------------------------------------------------------- */

#define MAP_MIB		8

/* A map of this size is an area of vmalloc. Closed maps are purged by the 100 MiB or so. */
int work_vmalloc(int rounds)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = 4096,
		.max_entries = MAP_MIB << 8,
	};
	int i;

	for (i = 0; i < rounds; i++) {
		int fd = bpf(BPF_MAP_CREATE, &attr);

		if (fd < 0)
			return failed("make map %d", i);
		close(fd);
	}
	return rounds * MAP_MIB;
}
