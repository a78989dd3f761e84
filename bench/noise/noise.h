/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the sources of interruption, the harness and its poller share.
 *
 * Purpose: a source is a fixed amount of work on housekeeping CPUs. The harness
 * runs one after the other and counts what each does to a busy task elsewhere.
 *
 * Context: everything but the poller runs in the harness, bound to
 * HOUSEKEEPING_CPUS, or in its children. A source says by failed() what went
 * wrong; it never passes over work that was not done.
 */
#ifndef NOISE_H
#define NOISE_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "../readings.h"

#define HOUSEKEEPING_CPUS	2	/* 0 and 1 */
#define HOTPLUG_CPU		3
#define TRACING			"/sys/kernel/tracing/"
#define CGROUPS			"/sys/fs/cgroup/"

struct source {
	const char *name;
	const char *does;
	const char *unit;		/* of the work that is counted */
	int rounds;
	const char *reason;		/* why it cannot be prevented, or NULL */
	const char *advice;		/* with a reason */
	int first_use;			/* must not be warmed up */
	int (*prepare)(void);		/* 0 or failed(); may be NULL */
	int (*work)(int rounds);	/* units done, or failed() */
	void (*finish)(void);		/* undoes prepare(); may be NULL */
};

extern const struct source sources[];
extern const size_t source_count;

struct left_out {
	const char *name;
	const char *why;
};

extern const struct left_out left_out[];
extern const size_t left_out_count;

/* Set by the harness before anything is prepared. */
struct options {
	int cpu;			/* of the poller */
	const char *module;		/* a module to load and unload, or NULL */
};

extern struct options options;

/* ---- helpers.c ----------------------------------------------------------- */

struct failure {
	int error;			/* errno */
	char what[200];
};

extern struct failure failure;

/* Keeps errno and the text. Always -1, so that a source can return it. */
int __attribute__((format(printf, 1, 2))) failed(const char *format, ...);

/* Members of a JSON object about it, behind others. */
void print_failure(const struct failure *what);
/* The end of a line of results. */
void print_end(void);

double monotonic(void);
int bind_to(int cpu);
void sleep_ms(long ms);
/* The first number in a file; -1 and failed() when there is none. */
long read_number(const char *path);
int write_text(const char *path, const char *text);
/* Waits until the number in path is at least goal; failed() after 20 s. */
int wait_for_number(const char *path, long goal);

/* A child on a CPU; work(argument) returns 0 or failed(). Its pid, or failed(). */
pid_t start_on(int cpu, int (*work)(int argument), int argument);
int finish_child(pid_t pid);
/* The same work on both housekeeping CPUs at once. */
int on_both(int (*work)(int argument), int argument);
/* A child on CPU 0 that has a second thread on CPU 1. */
int with_sibling(int (*work)(int argument), int argument);

#define PAGE			4096
#define MIB			((size_t)1 << 20)

/* Anonymous memory, or NULL and failed(). */
char *map_memory(size_t size);
void touch(char *memory, size_t size);
/* An event that /proc/vmstat counts; -1 and failed() when it does not. */
long events(const char *name);
/* The proof that the kernel did what a source asked for. */
int must_have_grown(const char *name, long before);

/* ---- poller.c: the busy task --------------------------------------------- */

/* Memory that the task and the harness share. One writer each. */
struct page {
	uint32_t stop;			/* harness */
	uint32_t watch;			/* harness: look for pauses from now on */
	uint32_t ready;			/* task: polls, all its memory is there */
	uint32_t refused;		/* task: errno of prctl() */
	char refusal[96];		/* task: in words */
	uint64_t beats;			/* task: grows as long as it polls */
	uint64_t longest;		/* task: longest time between two beats, in TSC ticks */
};

#define LOAD(field)		__atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value)	__atomic_store_n(&(field), value, __ATOMIC_RELEASE)

enum mode { NOT_ISOLATED, PERSISTENT, STRICT };

/* NULL when it cannot be mapped. */
struct page *map_page(int fd);
int poller(int fd, int cpu, enum mode mode);

/* ---- task.c: the same, from the harness ---------------------------------- */

extern struct page *page;

void __attribute__((noreturn)) die(const char *what, const char *why);
/* A fresh task. Returns when it polls and its start is over. */
void start_task(enum mode mode);
void must_poll(const char *when);
int task_ended(siginfo_t *info);
/* A descriptor that is readable when the task has ended. */
int watch_task(void);
void read_task(const char *when, struct reading *reading);
void stop_task(void);
/* For one that has ended. */
void bury_task(void);

/* What was started may still be on its way when the last call returns. */
#define SETTLE_MS		300

/* ---- sent.c: what was sent to the task's CPU, by name -------------------- */

/* All return 0 or failed(). */
int record_sent(int cpu);
int forget_sent(void);
int read_sent(void);
/* The member "sent" of a JSON object. */
void print_sent(void);

/* ---- mix.c: all sources at once ------------------------------------------ */

int add_to_mix(const struct source *source);
/* 0 when nothing reached the task and all work was done. */
int run_mix(int seconds, int starts);
void finish_mix(void);

/* ---- the sources, by concept --------------------------------------------- */

/* patching.c */
int work_first_use(int rounds);
int work_trace_events(int rounds);
int work_function_tracer(int rounds);
int prepare_kprobes(void);
int work_kprobes(int rounds);
void finish_kprobes(void);
int work_static_keys(int rounds);
int prepare_static_calls(void);
int work_static_calls(int rounds);
void finish_static_calls(void);
int work_module_load(int rounds);
int work_ring_buffer(int rounds);

/* bpf.c */
int prepare_bpf_attach(void);
int work_bpf_attach(int rounds);
void finish_bpf_attach(void);
int work_bpf_load(int rounds);
int work_vmalloc(int rounds);

/* memory.c */
int work_drop_caches(int rounds);
int work_stat_refresh(int rounds);
int work_compaction(int rounds);
int work_pressure(int rounds);
int work_slab(int rounds);
int work_mmap(int rounds);

/* merging.c */
int work_ksm(int rounds);
int work_thp(int rounds);
int prepare_numa(void);
int work_numa(int rounds);
void finish_numa(void);

/* groups.c */
int prepare_memcg(void);
int work_memcg(int rounds);
int prepare_cpuset(void);
int work_cpuset(int rounds);
void finish_groups(void);

/* system.c */
int work_nothing(int rounds);
int work_membarrier(int rounds);
int work_hotplug(int rounds);
int work_clock_steps(int rounds);
int work_perf(int rounds);
int work_perf_frequency(int rounds);
int work_cross_call(int rounds);
int work_printk(int rounds);
int work_fork(int rounds);

/* net.c */
int prepare_network(void);
int work_network(int rounds);
void finish_network(void);
int prepare_namespaces(void);
int work_namespaces(int rounds);
void finish_namespaces(void);

#endif /* NOISE_H */
