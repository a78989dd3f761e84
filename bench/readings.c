// SPDX-License-Identifier: GPL-2.0
/* What arrived on a CPU, by class, and how it is printed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "readings.h"

static const char *const cause_names[CAUSES] = {
	"tick_and_timer", "reschedule", "ipi", "tlb_flush", "irq_work",
	"nmi", "device", "preemption", "fault", "other",
};

static const char *const counter_names[COUNTERS] = { "own", "foreign", "absorbed", "late" };

ssize_t read_text(const char *path, char *text, size_t size)
{
	size_t length = 0;
	ssize_t got = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	text[0] = '\0';
	if (fd < 0)
		return -1;
	while (got > 0 && length < size - 1) {
		got = read(fd, text + length, size - 1 - length);
		if (got > 0)
			length += (size_t)got;
	}
	close(fd);
	text[length] = '\0';
	return got < 0 ? -1 : (ssize_t)length;
}

void print_json(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte == '"' || byte == '\\' || byte < 0x20 || byte > 0x7e)
			printf("\\u%04x", byte);
		else
			putchar(byte);
	}
	putchar('"');
}

/* The class of a row of /proc/interrupts, or CAUSES: counts no interrupt of a CPU. */
static enum cause row_cause(const char *label)
{
	static const struct {
		const char *label;
		enum cause cause;
	} rows[] = {
		{ "LOC", TICK_AND_TIMER }, { "RES", RESCHEDULE }, { "CAL", IPI },
		{ "TLB", TLB_FLUSH }, { "IWI", IRQ_WORK }, { "NMI", NMI },
		{ "PMI", CAUSES },	/* each is an NMI */
		{ "MCP", CAUSES },	/* polls, made from a timer */
		{ "ERR", CAUSES }, { "MIS", CAUSES },	/* of the whole machine */
	};
	size_t i;

	if (label[0] >= '0' && label[0] <= '9')
		return DEVICE;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(label, rows[i].label))
			return rows[i].cause;
	return OTHER;
}

/* Which number of a row belongs to the CPU: a CPU that is off has no column. */
static int column_of(char *heading, int cpu)
{
	char *word;
	int at = 0;

	for (word = strtok(heading, " \n"); word; word = strtok(NULL, " \n"), at++)
		if (!strncmp(word, "CPU", 3) && atoi(word + 3) == cpu)
			return at;
	return -1;
}

static int read_interrupts(int cpu, struct reading *reading)
{
	FILE *file = fopen("/proc/interrupts", "r");
	char *line = NULL;
	size_t size = 0;
	int column;

	if (!file || getline(&line, &size, file) < 0)
		return -1;
	column = column_of(line, cpu);
	while (column >= 0 && getline(&line, &size, file) > 0) {
		char *label = line + strspn(line, " ");
		char *rest = strchr(label, ':');
		unsigned long long value = 0;
		enum cause cause;
		int i;

		if (!rest)
			continue;
		*rest++ = '\0';
		cause = row_cause(label);
		if (cause == CAUSES)
			continue;
		for (i = 0; i <= column; i++)
			value = strtoull(rest, &rest, 10);
		reading->cause[cause] += value;
	}
	free(line);
	fclose(file);
	errno = column < 0 ? ENODEV : 0;
	return column < 0 ? -1 : 0;
}

static int read_own(pid_t pid, struct reading *reading)
{
	static const char switches[] = "nonvoluntary_ctxt_switches:";
	char path[64], text[4096], *at;
	unsigned long long minor, major;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %llu %*u %llu", &minor, &major) != 2)
		return -1;
	reading->cause[FAULT] = minor + major;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return -1;
	at = strstr(text, switches);
	if (!at)
		return -1;
	reading->cause[PREEMPTION] = strtoull(at + strlen(switches), NULL, 10);
	return 0;
}

ssize_t read_isolation(int cpu, const char *name, char *text, size_t size)
{
	char path[96];
	ssize_t length;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/task_isolation/%s", cpu, name);
	length = read_text(path, text, size);
	if (length > 0 && text[length - 1] == '\n')
		text[--length] = '\0';
	return length;
}

int take_reading(int cpu, pid_t pid, int isolated, struct reading *reading)
{
	char text[64];
	int i;

	memset(reading, 0, sizeof(*reading));
	if (read_own(pid, reading) || read_interrupts(cpu, reading))
		return -1;
	for (i = 0; isolated && i < COUNTERS; i++) {
		if (read_isolation(cpu, counter_names[i], text, sizeof(text)) < 0)
			return -1;
		reading->counter[i] = strtoull(text, NULL, 10);
	}
	return 0;
}

struct reading difference(const struct reading *first, const struct reading *last)
{
	struct reading delta;
	unsigned long long tlb;
	int i;

	for (i = 0; i < CAUSES; i++)
		delta.cause[i] = last->cause[i] - first->cause[i];
	for (i = 0; i < COUNTERS; i++)
		delta.counter[i] = last->counter[i] - first->counter[i];
	/* A TLB flush comes as a function call interrupt and stands in both rows. */
	tlb = delta.cause[TLB_FLUSH];
	if (tlb > delta.cause[IPI])
		tlb = delta.cause[IPI];
	delta.cause[TLB_FLUSH] = tlb;
	delta.cause[IPI] -= tlb;
	return delta;
}

unsigned long long entries(const struct reading *delta)
{
	unsigned long long sum = 0;
	int i;

	for (i = 0; i < CAUSES; i++)
		sum += delta->cause[i];
	return sum;
}

void print_reading(const struct reading *delta, int isolated)
{
	int i;

	printf("\"entries\":%llu,\"by_cause\":{", entries(delta));
	for (i = 0; i < CAUSES; i++)
		printf("%s\"%s\":%llu", i ? "," : "", cause_names[i], delta->cause[i]);
	printf("}");
	for (i = 0; isolated && i < COUNTERS; i++)
		printf("%s\"%s\":%llu", i ? "," : ",\"counters\":{", counter_names[i], delta->counter[i]);
	if (isolated)
		printf("}");
}

int is_isolated(int cpu)
{
	char text[64];

	return read_isolation(cpu, "state", text, sizeof(text)) >= 0 && !strcmp(text, "isolated");
}
