/* SPDX-License-Identifier: GPL-2.0 */
/* The fair server: the CPU time that the scheduler gives ordinary tasks beside real-time ones. */
#ifndef SELFTESTS_FAIR_SERVER_H
#define SELFTESTS_FAIR_SERVER_H

#include "isolation.h"

#define FAIR_SERVER	"/sys/kernel/debug/sched/fair_server"

/* ns of each period; -1: not known */
static inline long fair_runtime(int cpu)
{
	char path[96], text[32];

	snprintf(path, sizeof(path), FAIR_SERVER "/cpu%d/runtime", cpu);
	return read_text(path, text, sizeof(text)) > 0 ? atol(text) : -1;
}

static inline bool set_fair_runtime(int cpu, long ns)
{
	char path[96];

	snprintf(path, sizeof(path), FAIR_SERVER "/cpu%d/runtime", cpu);
	return !write_number(path, ns) && fair_runtime(cpu) == ns;
}

#endif /* SELFTESTS_FAIR_SERVER_H */
