// SPDX-License-Identifier: GPL-2.0
/*
 * What the housekeeping CPUs sent to the poller's CPU, by name: the function
 * that is to be called there, the work that is to run there, the place that
 * asked for a reschedule. The kernel's trace events say it, in an instance of
 * tracing that is all ours.
 *
 * Only the senders record, so the poller's CPU takes no part in it. Buffers and
 * events are set up before any task starts: both reach every CPU. Reading and
 * forgetting do not; they touch the buffers from here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "noise.h"

#define INSTANCE	TRACING "instances/noise/"
#define BUFFER_KIB	"8192"

enum kind { CALL, RESCHEDULING, WORK, KINDS };

/*
 * A function call is recorded when it is queued. The interrupt that rings for
 * it is not: several calls may share one. What has no function is a reschedule.
 */
static const struct {
	const char *name;
	const char *event;
	const char *mark;		/* what the name is behind */
	const char *filter;
} kinds[KINDS] = {
	[CALL] = { "call", "csd/csd_queue_cpu", " func=", "cpu == %d" },
	[RESCHEDULING] = { "reschedule", "ipi/ipi_send_cpu", " callsite=", "cpu == %d && callback == 0" },
	[WORK] = { "work", "workqueue/workqueue_queue_work", " function=", "cpu == %d" },
};

#define FRAMES	6
#define NAME	64

struct sent {
	enum kind kind;
	char what[NAME];
	char path[FRAMES * NAME];	/* callers, the nearest first */
	char sender[32];		/* task of the first of them */
	unsigned int count;
};

#define SENT	256

static struct sent sent[SENT];
static size_t sent_count;

/* ---- recording ----------------------------------------------------------- */

static int enable(enum kind kind, int cpu)
{
	char path[128], filter[64];

	snprintf(path, sizeof(path), INSTANCE "events/%s/filter", kinds[kind].event);
	snprintf(filter, sizeof(filter), kinds[kind].filter, cpu);
	if (write_text(path, filter))
		return -1;
	snprintf(path, sizeof(path), INSTANCE "events/%s/enable", kinds[kind].event);
	return write_text(path, "1");
}

int record_sent(int cpu)
{
	char path[96];
	int housekeeping, kind;

	if (mkdir(INSTANCE, 0700))
		return failed("mkdir " INSTANCE);
	for (housekeeping = 0; housekeeping < HOUSEKEEPING_CPUS; housekeeping++) {
		snprintf(path, sizeof(path), INSTANCE "per_cpu/cpu%d/buffer_size_kb", housekeeping);
		if (write_text(path, BUFFER_KIB))
			return -1;
	}
	snprintf(path, sizeof(path), "%x", (1U << HOUSEKEEPING_CPUS) - 1);
	if (write_text(INSTANCE "tracing_cpumask", path) || write_text(INSTANCE "options/stacktrace", "1"))
		return -1;
	for (kind = 0; kind < KINDS; kind++)
		if (enable(kind, cpu))
			return -1;
	return 0;
}

int forget_sent(void)
{
	int fd = open(INSTANCE "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return failed("empty " INSTANCE "trace");
	close(fd);
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

/* Up to the end of a symbol: "name+0x10/0x20 [module]" is name. */
static void copy_symbol(char *to, const char *from)
{
	size_t length = strcspn(from, " +\n");

	if (length >= NAME)
		length = NAME - 1;
	memcpy(to, from, length);
	to[length] = '\0';
}

/* An event of ours begins in this line; else -1. */
static int parse_event(const char *line, struct sent *event)
{
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		const char *name = strchr(kinds[kind].event, '/') + 1;
		const char *at = strstr(line, name);
		size_t length = strlen(name);

		if (!at || at[length] != ':')
			continue;
		at = strstr(at, kinds[kind].mark);
		if (!at)
			return -1;
		memset(event, 0, sizeof(*event));
		event->kind = kind;
		copy_symbol(event->what, at + strlen(kinds[kind].mark));
		line += strspn(line, " ");
		at = strstr(line, " [");
		snprintf(event->sender, sizeof(event->sender), "%.*s", at ? (int)(at - line) : 0, line);
		event->sender[strcspn(event->sender, " ")] = '\0';
		return 0;
	}
	return -1;
}

/* How every call is sent, and how every system call and kernel thread begins, says nothing. */
static int says_nothing(const char *name)
{
	static const char *const names[] = {
		"trace_event_raw_event_", "smp_call_function", "on_each_cpu_cond_mask", "__smp_call_single_queue",
		"generic_exec_single", "irq_work_queue_on", "do_syscall_64", "entry_SYSCALL", "ksys_write", "vfs_write",
		"queue_work_on", "__queue_work", "kthread", "ret_from_fork", "worker_thread", "process_one_work",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return 1;
	return 0;
}

static void add_frame(struct sent *event, const char *line)
{
	char name[NAME];
	size_t used = strlen(event->path);
	size_t frames = used != 0;
	const char *at;

	copy_symbol(name, line);
	for (at = event->path; *at; at++)
		frames += *at == '<';
	if (frames < FRAMES && !says_nothing(name))
		snprintf(event->path + used, sizeof(event->path) - used, "%s%s", used ? " < " : "", name);
}

static int count(const struct sent *event)
{
	size_t i;

	for (i = 0; i < sent_count; i++)
		if (sent[i].kind == event->kind && !strcmp(sent[i].what, event->what) &&
		    !strcmp(sent[i].path, event->path))
			break;
	if (i == SENT) {
		errno = ENOSPC;
		return failed("more than %d different things were sent", SENT);
	}
	if (i == sent_count)
		sent[sent_count++] = *event;
	sent[i].count++;
	return 0;
}

/* "# entries-in-buffer/entries-written: 12/34": what was overwritten cannot be named. */
static int check_lost(const char *line)
{
	unsigned long long kept, written;

	if (sscanf(line, "# entries-in-buffer/entries-written: %llu/%llu", &kept, &written) != 2 || kept == written)
		return 0;
	errno = EOVERFLOW;
	return failed("%llu events were lost, the trace buffer is too small", written - kept);
}

static int parse_trace(FILE *trace)
{
	struct sent event = { 0 };
	char *line = NULL;
	size_t size = 0;
	int have = 0, bad = 0;

	while (!bad && getline(&line, &size, trace) > 0) {
		const char *frame = line + strspn(line, " ");
		struct sent next;

		if (line[0] == '#') {
			bad = check_lost(line);
		} else if (!strncmp(frame, "=> ", 3)) {
			add_frame(&event, frame + 3);
		} else if (!parse_event(line, &next)) {
			bad = have && count(&event);
			event = next;
			have = 1;
		}
	}
	free(line);
	return bad || (have && count(&event)) ? -1 : 0;
}

int read_sent(void)
{
	FILE *trace = fopen(INSTANCE "trace", "re");
	int bad;

	sent_count = 0;
	if (!trace)
		return failed("open " INSTANCE "trace");
	bad = parse_trace(trace);
	fclose(trace);
	return bad;
}

void print_sent(void)
{
	size_t i;

	printf("\"sent\":[");
	for (i = 0; i < sent_count; i++) {
		printf("%s{\"kind\":\"%s\",\"what\":", i ? "," : "", kinds[sent[i].kind].name);
		print_json(sent[i].what);
		printf(",\"path\":");
		print_json(sent[i].path);
		printf(",\"sender\":");
		print_json(sent[i].sender);
		printf(",\"count\":%u}", sent[i].count);
	}
	printf("]");
}
