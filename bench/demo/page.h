/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The page that demo, poller and noise share.
 *
 * Purpose: the poller and the one who watches it talk through memory only, so
 * that neither ever needs the kernel while the count runs.
 *
 * Context: demo makes it with memfd_create() and hands the descriptor down.
 * Each field has one writer, named beside it; all are read and written with
 * the two helpers below.
 */
#ifndef DEMO_PAGE_H
#define DEMO_PAGE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum noise_kind {
	NOISE_FORK_EXEC,
	NOISE_FILE_KIB,
	NOISE_UNIX_MESSAGES,
	NOISE_TCP_MESSAGES,
	NOISE_TIMERS,
	NOISE_MEMORY_MIB,
	NOISE_PRESSURE_MIB,
	NOISE_DROP_CACHES,
	NOISE_KINDS,
};

#define NOISE_NAMES { "fork_exec", "file_kib", "unix_messages", "tcp_messages", \
		      "timers", "memory_mib", "memory_pressure_mib", "drop_caches" }

#define NOISE_CPUS	2

struct page {
	uint64_t window;	/* demo: length of the count in TSC ticks */
	uint32_t go;		/* demo: start counting */
	uint32_t stop;		/* demo: end */
	uint32_t ready;		/* poller: polls, all its memory is there */
	uint32_t done;		/* poller: the window is over, still polling */
	uint64_t iterations;	/* poller: polls inside the window */
	uint64_t beats;		/* poller: grows as long as it polls */
	uint64_t noise[NOISE_CPUS][NOISE_KINDS];	/* noise: work done */
};

#define LOAD(field)		__atomic_load_n(&(field), __ATOMIC_ACQUIRE)
#define STORE(field, value)	__atomic_store_n(&(field), value, __ATOMIC_RELEASE)

static inline uint64_t read_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static inline void relax(void)
{
	__builtin_ia32_pause();
}

static inline struct page *map_page(const char *descriptor)
{
	struct page *page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_POPULATE, atoi(descriptor), 0);

	if (page == MAP_FAILED) {
		perror("cannot map the shared page");
		exit(1);
	}
	return page;
}

#endif /* DEMO_PAGE_H */
