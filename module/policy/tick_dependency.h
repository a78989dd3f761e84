/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: what can keep the tick of a nohz_full CPU running, by the kernel's
 * bits (TICK_DEP_MASK_*).
 *
 * Example: if (facts.tick_dependency & lasting_dependencies) refuse();
 *
 * Invariants: lasting ones end only when somebody acts (disarms a timer,
 * closes an event), never by waiting; an unstable clock never ends.
 */
#pragma once

#include "lib/text_writer.h"

namespace task_isolation
{

constexpr u32 dependency_posix_timer = 1U << 0;
constexpr u32 dependency_perf_events = 1U << 1;
constexpr u32 dependency_scheduler = 1U << 2;
constexpr u32 dependency_clock_unstable = 1U << 3;
constexpr u32 dependency_rcu = 1U << 4;
constexpr u32 dependency_rcu_expedited = 1U << 5;

constexpr u32 lasting_dependencies = dependency_posix_timer | dependency_perf_events;

/* Names of all bits, e.g. "posix timer, rcu". Writes nothing for 0. */
void write_dependencies(TextWriter &writer, u32 dependencies);

} // namespace task_isolation
