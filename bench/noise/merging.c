// SPDX-License-Identifier: GPL-2.0
/* Sources that look at the pages of processes and change how they are mapped: KSM, huge pages, NUMA balancing. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "noise.h"

#define HUGE		(2 * MIB)

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* ---- KSM ----------------------------------------------------------------- */

#define KSM		"/sys/kernel/mm/ksm/"
#define MERGED_MIB	4

static int merge(int unused)
{
	size_t size = MERGED_MIB * MIB;
	char *memory = map_memory(size);
	long scans;

	(void)unused;
	if (!memory)
		return -1;
	memset(memory, 0x5a, size);
	if (madvise(memory, size, MADV_MERGEABLE))
		return failed("MADV_MERGEABLE");
	scans = read_number(KSM "full_scans");
	/* Equal pages meet in the second scan at the latest. */
	if (scans < 0 || write_text(KSM "run", "1") || wait_for_number(KSM "full_scans", scans + 3) ||
	    wait_for_number(KSM "pages_sharing", 1))
		return -1;
	/* 2 takes the merged pages apart again. */
	return write_text(KSM "run", "2") || write_text(KSM "run", "0") ? -1 : 0;
}

int work_ksm(int rounds)
{
	int i;

	if (write_text(KSM "pages_to_scan", "2000") || write_text(KSM "sleep_millisecs", "10"))
		return -1;
	for (i = 0; i < rounds; i++)
		if (finish_child(start_on(1, merge, 0)))
			return -1;
	return rounds * MERGED_MIB;
}

/* ---- THP ----------------------------------------------------------------- */

#define KHUGEPAGED	"/sys/kernel/mm/transparent_hugepage/khugepaged/"
#define HUGE_PAGES	4

/* A run of small pages in aligned places. */
static char *small_pages(size_t size)
{
	char *memory = map_memory(size + HUGE);

	if (!memory)
		return NULL;
	memory = (char *)(((uintptr_t)memory + HUGE - 1) & ~(HUGE - 1));
	if (madvise(memory, size, MADV_NOHUGEPAGE)) {
		failed("MADV_NOHUGEPAGE");
		return NULL;
	}
	touch(memory, size);
	return memory;
}

static int collapse(int by_daemon)
{
	size_t size = HUGE_PAGES * HUGE;
	char *memory = small_pages(size);
	long collapsed = read_number(KHUGEPAGED "pages_collapsed");
	int tries;

	if (!memory || collapsed < 0)
		return -1;
	if (madvise(memory, size, MADV_HUGEPAGE))
		return failed("MADV_HUGEPAGE");
	if (by_daemon)
		return wait_for_number(KHUGEPAGED "pages_collapsed", collapsed + HUGE_PAGES);
	/*
	 * A page may be in use for a moment (EAGAIN), or on the move by compaction
	 * (EINVAL), or no huge page can be had beside memory_pressure (ENOMEM).
	 */
	for (tries = 0; madvise(memory, size, MADV_COLLAPSE); tries++) {
		if ((errno != EAGAIN && errno != EINVAL && errno != ENOMEM) || tries == 2000)
			return failed("MADV_COLLAPSE");
		sleep_ms(10);
	}
	/* Split, then freed in parts. */
	return madvise(memory + PAGE, size / 2, MADV_DONTNEED) ? failed("MADV_DONTNEED") : 0;
}

int work_thp(int rounds)
{
	int i;

	if (write_text(KHUGEPAGED "scan_sleep_millisecs", "20") || write_text(KHUGEPAGED "alloc_sleep_millisecs", "20"))
		return -1;
	for (i = 0; i < rounds; i++)
		if (finish_child(start_on(0, collapse, 0)) || finish_child(start_on(1, collapse, 1)))
			return -1;
	if (write_text(KHUGEPAGED "scan_sleep_millisecs", "10000") ||
	    write_text(KHUGEPAGED "alloc_sleep_millisecs", "60000"))
		return -1;
	return 2 * rounds * HUGE_PAGES;
}

/* ---- NUMA balancing ------------------------------------------------------ */

#define NUMA		"/proc/sys/kernel/numa_balancing"
#define NUMA_SCAN	"/sys/kernel/debug/sched/numa_balancing/"
#define NUMA_WORK_MS	400

/* Eager scans, so that a short time is enough. */
static int set_numa_scan(const char *delay, const char *period)
{
	return write_text(NUMA_SCAN "scan_delay_ms", delay) || write_text(NUMA_SCAN "scan_period_min_ms", period);
}

int prepare_numa(void)
{
	return set_numa_scan("10", "10") ? -1 : 0;
}

void finish_numa(void)
{
	set_numa_scan("1000", "1000");
}

/* Uses memory without a pause: the kernel scans a process after so much time on the CPU. */
static int touch_often(int mib)
{
	size_t size = (size_t)mib * MIB;
	char *memory = map_memory(size);
	struct timespec began, now;

	if (!memory)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &began);
	do {
		touch(memory, size);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000 < NUMA_WORK_MS);
	return 0;
}

/* There is one node, and on one node the pages of a process with one thread are skipped. */
int work_numa(int rounds)
{
	long before = events("numa_pte_updates");
	int i, bad;

	for (i = 0; i < rounds; i++) {
		if (write_text(NUMA, "1"))
			return -1;
		bad = with_sibling(touch_often, 4);
		if (write_text(NUMA, "0") || bad)
			return -1;
	}
	return must_have_grown("numa_pte_updates", before) ? -1 : 2 * rounds;
}
