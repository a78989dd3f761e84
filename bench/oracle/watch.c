// SPDX-License-Identifier: GPL-2.0
/* See watch.h. An instance of tracing of its own, removed at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch.h"

#define TRACING		"/sys/kernel/tracing/"
#define INSTANCE	TRACING "instances/oracle/"
#define BUFFER_KIB	"32768"
#define TRIES		100

static const struct {
	const char *name;
	const char *row;	/* of /proc/interrupts that the events must equal */
} kinds[WATCH_KINDS] = {
	[WATCH_SYSCALL] = { "system calls" },
	[WATCH_PAGE_FAULT] = { "page faults" },
	[WATCH_TIMER] = { "timer interrupts", "LOC" },
	[WATCH_RESCHEDULE] = { "reschedule interrupts", "RES" },
	[WATCH_CALL] = { "function call interrupts", "CAL" },
	[WATCH_IRQ_WORK] = { "irq_work interrupts", "IWI" },
	/* Several handlers may share a line, and each has an event: no row. */
	[WATCH_DEVICE] = { "device interrupts" },
	[WATCH_OTHER_INTERRUPT] = { "other interrupts" },
	[WATCH_OTHER] = { "other entries" },
};

static const struct {
	const char *group, *name;
	enum watch_kind kind;
} events[] = {
	{ "raw_syscalls", "sys_enter", WATCH_SYSCALL },
	{ "exceptions", "page_fault_user", WATCH_PAGE_FAULT },
	{ "irq_vectors", "local_timer_entry", WATCH_TIMER },
	{ "irq_vectors", "reschedule_entry", WATCH_RESCHEDULE },
	{ "irq_vectors", "call_function_entry", WATCH_CALL },
	{ "irq_vectors", "call_function_single_entry", WATCH_CALL },
	{ "irq_vectors", "irq_work_entry", WATCH_IRQ_WORK },
	{ "irq", "irq_handler_entry", WATCH_DEVICE },
	{ "irq_vectors", "spurious_apic_entry", WATCH_OTHER_INTERRUPT },
	{ "irq_vectors", "error_apic_entry", WATCH_OTHER_INTERRUPT },
	{ "irq_vectors", "x86_platform_ipi_entry", WATCH_OTHER_INTERRUPT },
	{ "irq_vectors", "threshold_apic_entry", WATCH_OTHER_INTERRUPT },
	{ "irq_vectors", "deferred_error_apic_entry", WATCH_OTHER_INTERRUPT },
	{ "irq_vectors", "thermal_apic_entry", WATCH_OTHER_INTERRUPT },
	/* The one that counts. */
	{ "context_tracking", "user_exit", WATCH_KINDS },
};

#define EVENTS	(sizeof(events) / sizeof(events[0]))

/* What /proc/interrupts says of the CPU. */
struct rows {
	unsigned long count[WATCH_KINDS];
	unsigned long nmis;
};

static int watched;
static struct rows before[2];	/* around the first moment */
static char failure[160];

static int __attribute__((format(printf, 1, 2))) failed(const char *format, ...)
{
	int error = errno;
	va_list list;
	size_t used;

	va_start(list, format);
	vsnprintf(failure, sizeof(failure), format, list);
	va_end(list);
	used = strlen(failure);
	if (error)
		snprintf(failure + used, sizeof(failure) - used, ": %s", strerror(error));
	return -1;
}

const char *watch_failure(void)
{
	return failure;
}

const char *watch_kind_name(enum watch_kind kind)
{
	return kinds[kind].name;
}

bool watch_kind_is_interrupt(enum watch_kind kind)
{
	return kind != WATCH_SYSCALL && kind != WATCH_PAGE_FAULT && kind != WATCH_OTHER;
}

unsigned long watch_interrupts(const struct watch_verdict *verdict)
{
	unsigned long sum = 0;
	int kind;

	for (kind = 0; kind < WATCH_KINDS; kind++)
		if (watch_kind_is_interrupt(kind))
			sum += verdict->by_kind[kind];
	return sum;
}

bool watch_complete(const struct watch_verdict *verdict)
{
	int kind;

	for (kind = 0; kind < WATCH_KINDS; kind++)
		if (kinds[kind].row && (verdict->events[kind] < verdict->least[kind] ||
					verdict->events[kind] > verdict->most[kind]))
			return false;
	return !verdict->dropped;
}

/* ---- files ----------------------------------------------------------------- */

static int put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (!good)
		failed("write '%s' to %s", text, path);
	if (fd >= 0)
		close(fd);
	return good ? 0 : -1;
}

/* A CPU that is off has no column. */
static int column_of(char *heading)
{
	char *word, *rest;
	int at = 0;

	for (word = strtok_r(heading, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest), at++)
		if (!strncmp(word, "CPU", 3) && atoi(word + 3) == watched)
			return at;
	return -1;
}

static void take_row(struct rows *rows, const char *label, unsigned long count)
{
	int kind;

	for (kind = 0; kind < WATCH_KINDS; kind++)
		if (kinds[kind].row && !strcmp(kinds[kind].row, label))
			rows->count[kind] = count;
	if (!strcmp(label, "NMI"))
		rows->nmis = count;
}

static int read_rows(struct rows *rows)
{
	FILE *file = fopen("/proc/interrupts", "re");
	char *line = NULL;
	size_t size = 0;
	int column = -1;

	memset(rows, 0, sizeof(*rows));
	if (file && getline(&line, &size, file) > 0)
		column = column_of(line);
	while (column >= 0 && getline(&line, &size, file) > 0) {
		char *label = line + strspn(line, " ");
		char *at = strchr(label, ':');
		unsigned long count = 0;
		int i;

		if (!at)
			continue;
		*at++ = '\0';
		for (i = 0; i <= column; i++)
			count = strtoul(at, &at, 10);
		take_row(rows, label, count);
	}
	free(line);
	if (file)
		fclose(file);
	errno = 0;
	return column < 0 ? failed("/proc/interrupts has no column for CPU %d", watched) : 0;
}

/* ---- recording --------------------------------------------------------------- */

static int switch_events(const char *on)
{
	char path[128];
	size_t i;

	for (i = 0; i < EVENTS; i++) {
		snprintf(path, sizeof(path), INSTANCE "events/%s/%s/enable", events[i].group, events[i].name);
		/* What this kernel lacks cannot happen on it. */
		if (access(path, F_OK) && events[i].kind == WATCH_OTHER_INTERRUPT)
			continue;
		if (put(path, on))
			return -1;
	}
	return 0;
}

static int set_up(void)
{
	char path[96], mask[32];
	int digits;

	snprintf(path, sizeof(path), INSTANCE "per_cpu/cpu%d/buffer_size_kb", watched);
	/* Hexadecimal, in words of 32 bits. */
	digits = snprintf(mask, sizeof(mask), "%x", 1U << watched % 32);
	for (int i = 0; i < watched / 32 && digits < (int)sizeof(mask); i++)
		digits += snprintf(mask + digits, sizeof(mask) - digits, ",00000000");
	if (put(INSTANCE "tracing_on", "0") || put(path, BUFFER_KIB) || put(INSTANCE "tracing_cpumask", mask) ||
	    put(INSTANCE "options/overwrite", "0") || put(INSTANCE "options/context-info", "0"))
		return -1;
	return switch_events("1");
}

static void clean_up(void)
{
	char kept[sizeof(failure)];

	memcpy(kept, failure, sizeof(kept));
	switch_events("0");
	rmdir(INSTANCE);
	memcpy(failure, kept, sizeof(kept));
}

void watch_abandon(void)
{
	if (!access(INSTANCE, F_OK))
		clean_up();
}

static bool same(const struct rows *first, const struct rows *second)
{
	return !memcmp(first, second, sizeof(*first));
}

/* Opening for writing forgets what is there. */
static int forget(void)
{
	int fd = open(INSTANCE "trace", O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0)
		return failed("empty " INSTANCE "trace");
	close(fd);
	return 0;
}

/* Between two readings that say the same, if there is such a moment. */
static int start(void)
{
	int i;

	for (i = 0; i < TRIES; i++) {
		if (read_rows(&before[0]) || put(INSTANCE "tracing_on", "1") || read_rows(&before[1]))
			return -1;
		if (same(&before[0], &before[1]))
			break;
		if (i + 1 < TRIES && (put(INSTANCE "tracing_on", "0") || forget()))
			return -1;
	}
	return 0;
}

int watch_begin(int cpu)
{
	watched = cpu;
	/* Whoever was ended in the middle left it behind. */
	watch_abandon();
	failure[0] = '\0';
	if (mkdir(INSTANCE, 0700))
		return failed("mkdir " INSTANCE);
	if (set_up() || start()) {
		clean_up();
		return -1;
	}
	return 0;
}

/* ---- reading ------------------------------------------------------------------- */

/* What is known while events are read. */
struct reading {
	const struct watch_call *limit;
	struct watch_verdict now;	/* so far */
	struct watch_verdict limited;	/* up to the last limit */
	enum watch_kind kind;		/* of the entry that the last user_exit was */
	bool entered;			/* there was one that counts */
};

static bool is_limit(const struct watch_call *limit, const char *text)
{
	unsigned long argument;
	long number;

	return sscanf(text, " NR %ld (%lx", &number, &argument) == 2 &&
	       number == limit->number && argument == limit->argument;
}

static void count_entry(struct reading *r, enum watch_kind kind)
{
	r->now.by_kind[r->kind]--;
	r->now.by_kind[kind]++;
	r->kind = kind;
}

static void at_limit(struct reading *r)
{
	if (!r->limited.limits++) {
		memset(r->now.by_kind, 0, sizeof(r->now.by_kind));
		memset(r->now.in_kernel, 0, sizeof(r->now.in_kernel));
		r->now.entries = 0;
		r->entered = false;
	}
	memcpy(r->limited.by_kind, r->now.by_kind, sizeof(r->now.by_kind));
	memcpy(r->limited.in_kernel, r->now.in_kernel, sizeof(r->now.in_kernel));
	r->limited.entries = r->now.entries;
}

/*
 * The first interrupt behind a user_exit is what entered. Not so when a system
 * call follows: they are enabled between its entry and its event.
 */
static void take_event(struct reading *r, enum watch_kind kind, const char *text)
{
	bool names_entry = r->entered && r->kind == WATCH_OTHER;

	if (kind == WATCH_KINDS) {
		r->now.entries++;
		r->now.by_kind[WATCH_OTHER]++;
		r->kind = WATCH_OTHER;
		r->entered = true;
		return;
	}
	if (watch_kind_is_interrupt(kind)) {
		r->now.events[kind]++;
		if (names_entry)
			count_entry(r, kind);
		else
			r->now.in_kernel[kind]++;
		return;
	}
	if (r->entered && watch_kind_is_interrupt(r->kind)) {
		r->now.in_kernel[r->kind]++;
		names_entry = true;
	}
	if (names_entry)
		count_entry(r, kind);
	if (kind == WATCH_SYSCALL && r->limit && is_limit(r->limit, text))
		at_limit(r);
}

static void take_line(struct reading *r, const char *line)
{
	size_t length = strcspn(line, ":");
	size_t i;

	for (i = 0; line[length] && i < EVENTS; i++) {
		if (length != strlen(events[i].name) || strncmp(line, events[i].name, length))
			continue;
		take_event(r, events[i].kind, line + length + 1);
		return;
	}
}

static int read_trace(struct reading *r)
{
	char path[96], *line = NULL;
	size_t size = 0;
	FILE *file;

	snprintf(path, sizeof(path), INSTANCE "per_cpu/cpu%d/trace", watched);
	file = fopen(path, "re");
	if (!file)
		return failed("open %s", path);
	while (getline(&line, &size, file) > 0)
		take_line(r, line);
	free(line);
	fclose(file);
	return 0;
}

static int read_dropped(unsigned long *dropped)
{
	static const char *const names[] = { "overrun: %lu", "commit overrun: %lu", "dropped events: %lu" };
	char path[96], line[128];
	unsigned long count;
	FILE *file;
	size_t i;

	snprintf(path, sizeof(path), INSTANCE "per_cpu/cpu%d/stats", watched);
	file = fopen(path, "re");
	if (!file)
		return failed("open %s", path);
	while (fgets(line, sizeof(line), file))
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (sscanf(line, names[i], &count) == 1)
				*dropped += count;
	fclose(file);
	return 0;
}

static int conclude(const struct watch_call *limit, struct watch_verdict *verdict)
{
	struct reading r = { .limit = limit };
	struct rows after[2];
	int kind;

	if (read_rows(&after[0]) || put(INSTANCE "tracing_on", "0") || read_rows(&after[1]) ||
	    read_trace(&r) || read_dropped(&r.now.dropped))
		return -1;
	*verdict = r.now;
	for (kind = 0; kind < WATCH_KINDS; kind++) {
		verdict->least[kind] = after[0].count[kind] - before[1].count[kind];
		verdict->most[kind] = after[1].count[kind] - before[0].count[kind];
	}
	verdict->nmis = after[1].nmis - before[0].nmis;
	if (!limit)
		return 0;
	verdict->entries = r.limited.entries;
	verdict->limits = r.limited.limits;
	memcpy(verdict->by_kind, r.limited.by_kind, sizeof(verdict->by_kind));
	memcpy(verdict->in_kernel, r.limited.in_kernel, sizeof(verdict->in_kernel));
	return 0;
}

int watch_end(const struct watch_call *limit, struct watch_verdict *verdict)
{
	int error = conclude(limit, verdict);

	clean_up();
	return error;
}
