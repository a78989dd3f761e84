/* SPDX-License-Identifier: GPL-2.0 */
/* What lists and loads change, and must leave as it was: taken before and after. */
#ifndef SELFTESTS_SHOT_H
#define SELFTESTS_SHOT_H

#include "fair_server.h"
#include "isolation.h"

static inline const char *number(int n)
{
	static char text[4][16];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(text[turn], sizeof(text[turn]), "%d", n);
	return text[turn];
}

/* Words that hold for the whole system, which no list and no load may change. */
static const char *const system_files[] = {
	DIR_CPUS "/nohz_full", DIR_CPUS "/isolated", DIR_CPUS "/online",
	"/sys/devices/virtual/workqueue/cpumask", "/proc/irq/default_smp_affinity",
	FILE_TIMER_MIGRATION, "/proc/sys/kernel/watchdog_cpumask",
	"/proc/sys/kernel/sched_rt_runtime_us",
};

struct shot { char text[8][128]; long runtime[8]; };

static inline void shoot(struct shot *shot)
{
	memset(shot, 0, sizeof(*shot));
	for (size_t i = 0; i < sizeof(system_files) / sizeof(*system_files); i++)
		read_text(system_files[i], shot->text[i], sizeof(shot->text[i]));
	for (int cpu = 0; cpu < 8; cpu++)
		shot->runtime[cpu] = fair_runtime(cpu);
}

#define EXPECT_AS(before) do {						\
	struct shot now_;						\
	shoot(&now_);							\
	for (size_t i_ = 0; i_ < sizeof(system_files) / sizeof(*system_files); i_++) { \
		EXPECT_STREQ((before).text[i_], now_.text[i_]) TH_LOG("%s", system_files[i_]); \
	}								\
	for (int cpu_ = 0; cpu_ < 8; cpu_++) {				\
		EXPECT_EQ((before).runtime[cpu_], now_.runtime[cpu_])	\
			TH_LOG("fair server of CPU %d", cpu_);		\
	}								\
} while (0)

#endif /* SELFTESTS_SHOT_H */
