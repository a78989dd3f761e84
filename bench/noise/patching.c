// SPDX-License-Identifier: GPL-2.0
/* Sources that patch kernel text, load modules or resize what tracing writes to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "noise.h"

#define EVENT		TRACING "events/sched/sched_process_exec/enable"

/* Writes two texts in turn; each write is a unit. */
static int toggle(const char *path, const char *on, const char *off, int rounds)
{
	int i;

	for (i = 0; i < rounds; i++)
		if (write_text(path, on) || write_text(path, off))
			return -1;
	return 2 * rounds;
}

int work_trace_events(int rounds)
{
	return toggle(EVENT, "1", "0", rounds);
}

/* The first event since boot makes the ring buffers of all CPUs large. */
int work_first_use(int rounds)
{
	return work_trace_events(rounds);
}

int work_function_tracer(int rounds)
{
	return toggle(TRACING "current_tracer", "function", "nop", rounds);
}

/* ---- kprobes ------------------------------------------------------------- */

#define PROBES		TRACING "kprobe_events"
#define PROBED		"vfs_statx"

static int add_probe(const char *name, int offset)
{
	char text[96];
	ssize_t length = snprintf(text, sizeof(text), "p:noise/%s " PROBED "+%d", name, offset);
	int fd = open(PROBES, O_WRONLY | O_APPEND | O_CLOEXEC);
	ssize_t done;

	if (fd < 0)
		return failed("open " PROBES);
	done = write(fd, text, (size_t)length);
	if (done != length)
		failed("'%s' to " PROBES, text);
	close(fd);
	return done == length ? 0 : -1;
}

/* One probe on the function's entry, which ftrace serves, and one inside, which is a breakpoint and then a jump. */
int prepare_kprobes(void)
{
	int offset;

	if (add_probe("entry", 0))
		return -1;
	/* The kernel refuses an offset that is no start of an instruction. */
	for (offset = 8; offset < 64; offset++)
		if (!add_probe("inside", offset))
			return 0;
	return -1;
}

int work_kprobes(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		if (write_text(TRACING "events/noise/entry/enable", "1") ||
		    write_text(TRACING "events/noise/inside/enable", "1"))
			return -1;
		/* A breakpoint becomes a jump some ticks later. */
		sleep_ms(60);
		if (write_text(TRACING "events/noise/entry/enable", "0") ||
		    write_text(TRACING "events/noise/inside/enable", "0"))
			return -1;
	}
	return 4 * rounds;
}

void finish_kprobes(void)
{
	write_text(PROBES, "-:noise/entry");
	write_text(PROBES, "-:noise/inside");
}

/* ---- static keys and calls ----------------------------------------------- */

int work_static_keys(int rounds)
{
	return toggle("/proc/sys/kernel/sched_schedstats", "1", "0", rounds);
}

#define PREEMPTION_MODEL	"/sys/kernel/debug/sched/preempt"

static char preemption_model[16];

/* The file shows all models, the one that holds in brackets. */
int prepare_static_calls(void)
{
	char text[64], *open_at, *end;

	if (read_text(PREEMPTION_MODEL, text, sizeof(text)) < 0)
		return failed("read " PREEMPTION_MODEL);
	open_at = strchr(text, '(');
	end = open_at ? strchr(open_at, ')') : NULL;
	if (!end || (size_t)(end - open_at) > sizeof(preemption_model)) {
		errno = EINVAL;
		return failed(PREEMPTION_MODEL " is '%s'", text);
	}
	*end = '\0';
	strcpy(preemption_model, open_at + 1);
	return 0;
}

int work_static_calls(int rounds)
{
	return toggle(PREEMPTION_MODEL, "none", "voluntary", rounds);
}

void finish_static_calls(void)
{
	write_text(PREEMPTION_MODEL, preemption_model);
}

/* ---- modules ------------------------------------------------------------- */

int work_module_load(int rounds)
{
	char name[64];
	const char *base = strrchr(options.module, '/');
	int i;

	snprintf(name, sizeof(name), "%s", base ? base + 1 : options.module);
	name[strcspn(name, ".")] = '\0';
	for (i = 0; i < rounds; i++) {
		int fd = open(options.module, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return failed("open %s", options.module);
		if (syscall(SYS_finit_module, fd, "", 0)) {
			failed("load %s", options.module);
			close(fd);
			return -1;
		}
		close(fd);
		if (syscall(SYS_delete_module, name, O_NONBLOCK))
			return failed("unload %s", name);
	}
	return 2 * rounds;
}

/* ---- ring buffer --------------------------------------------------------- */

int work_ring_buffer(int rounds)
{
	return toggle(TRACING "buffer_size_kb", "1024", "1408", rounds);
}
