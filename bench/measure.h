/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every program here measures with.
 *
 * Purpose: one way to read the counter and to keep the smallest of many repeats.
 *
 * Context: a guest under -icount, where the time stamp counter moves by one per
 * instruction, of whichever CPU. Whatever a repeat has more than the smallest,
 * an interrupt or another CPU put there.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

#define PAGE	4096UL

static inline uint64_t counter(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void relax(void)
{
	__builtin_ia32_pause();
}

/* No result: a repeat in which something else happened than what is measured. */
#define NOTHING	UINT64_MAX

/* Says what failed, with errno, and ends the program. */
void die(const char *what);
void bind_to(int cpu);
/* Only a task of this class decides itself when another of the same priority runs. */
void real_time(int on);
void sleep_ms(unsigned int ms);
/* Memory that children share, filled with zeros. */
void *share(unsigned long size);
uint64_t smallest(uint64_t (*once)(void), unsigned int repeats);
/* For qsort() of figures. */
int by_size(const void *a, const void *b);

#endif /* BENCH_MEASURE_H */
