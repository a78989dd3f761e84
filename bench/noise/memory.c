// SPDX-License-Identifier: GPL-2.0
/* Sources in memory management: caches, compaction, reclaim, mappings of other processes. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "noise.h"

static int write_often(const char *path, const char *text, int rounds)
{
	int i;

	for (i = 0; i < rounds; i++)
		if (write_text(path, text))
			return -1;
	return rounds;
}

/* ---- chores that an administrator starts --------------------------------- */

/* Something to drop: names and pages of files that were just made. */
static int make_files(int count)
{
	char path[48], block[PAGE] = { 0 };
	int i;

	for (i = 0; i < count; i++) {
		int fd;
		ssize_t done;

		snprintf(path, sizeof(path), "/tmp/noise-%d-%d", (int)getpid(), i);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return failed("make %s", path);
		done = write(fd, block, sizeof(block));
		close(fd);
		if (unlink(path) || done != (ssize_t)sizeof(block))
			return failed("write and unlink %s", path);
	}
	return 0;
}

int work_drop_caches(int rounds)
{
	long before = events("drop_slab");
	int i;

	for (i = 0; i < rounds; i++)
		if (on_both(make_files, 20) || write_text("/proc/sys/vm/drop_caches", "3"))
			return -1;
	return must_have_grown("drop_slab", before) ? -1 : rounds;
}

int work_stat_refresh(int rounds)
{
	return write_often("/proc/sys/vm/stat_refresh", "1", rounds);
}

int work_compaction(int rounds)
{
	long before = events("compact_migrate_scanned");

	if (write_often("/proc/sys/vm/compact_memory", "1", rounds) < 0)
		return -1;
	return must_have_grown("compact_migrate_scanned", before) ? -1 : rounds;
}

/* Caches of things that every process uses; some stand for others that were merged with them. */
int work_slab(int rounds)
{
	static const char *const caches[] = { "dentry", "filp", "task_struct", "vm_area_struct", "kmalloc-256" };
	char path[64];
	size_t i;

	for (i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", caches[i]);
		if (write_often(path, "1", rounds) < 0)
			return -1;
	}
	return rounds * (int)i;
}

/* ---- pressure ------------------------------------------------------------ */

#define WATERMARK	"/proc/sys/vm/watermark_scale_factor"
#define GIVEN_MIB	200	/* a process gives back when the kernel asks */
#define KEPT_MIB	250

/* How many of the children hold all their memory. */
static uint32_t *have_memory;

static char *small_memory(size_t size)
{
	char *memory = map_memory(size);

	/* Whether a huge page can be had is luck; the work must be the same. */
	if (memory && madvise(memory, size, MADV_NOHUGEPAGE)) {
		failed("madvise");
		return NULL;
	}
	if (memory)
		touch(memory, size);
	return memory;
}

/* There is no swap and no disk: pages that are free when the kernel wants them are what it can reclaim. */
static int press(int unused)
{
	char *given = small_memory(GIVEN_MIB * MIB);
	int ms;

	(void)unused;
	if (!given)
		return -1;
	if (madvise(given, GIVEN_MIB * MIB, MADV_FREE))
		return failed("MADV_FREE");
	if (!small_memory(KEPT_MIB * MIB))
		return -1;
	__atomic_add_fetch(have_memory, 1, __ATOMIC_RELEASE);
	for (ms = 0; LOAD(*have_memory) < HOUSEKEEPING_CPUS && ms < 10000; ms++)
		sleep_ms(1);
	return 0;
}

/* The kernel is told to keep 10 % free: it reclaims in good time, and nobody is killed. */
int work_pressure(int rounds)
{
	long usual = read_number(WATERMARK);
	long before = events("pgsteal_kswapd");
	char text[24];
	int i, bad;

	if (!have_memory)
		have_memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (have_memory == MAP_FAILED)
		return failed("mmap");
	if (usual < 0 || before < 0 || write_text(WATERMARK, "1000"))
		return -1;
	for (i = 0, bad = 0; i < rounds && !bad; i++) {
		STORE(*have_memory, 0);
		bad = on_both(press, 0);
	}
	snprintf(text, sizeof(text), "%ld", usual);
	if (write_text(WATERMARK, text) || bad)
		return -1;
	if (must_have_grown("pgsteal_kswapd", before))
		return -1;
	return rounds * (GIVEN_MIB + KEPT_MIB) * HOUSEKEEPING_CPUS;
}

/* ---- mappings of others -------------------------------------------------- */

static int map_and_unmap(int rounds)
{
	int i;

	for (i = 0; i < rounds; i++) {
		char *memory = map_memory(64 * PAGE);

		if (!memory)
			return -1;
		touch(memory, 64 * PAGE);
		if (mprotect(memory, 32 * PAGE, PROT_READ) || munmap(memory, 64 * PAGE))
			return failed("mprotect and munmap");
	}
	return 0;
}

/* With a thread on another CPU each unmapping has a CPU to flush. */
int work_mmap(int rounds)
{
	return with_sibling(map_and_unmap, rounds) ? -1 : rounds;
}
