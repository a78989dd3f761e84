// SPDX-License-Identifier: GPL-2.0
#include "tick_dependency.h"

namespace task_isolation
{
namespace
{

struct DependencyName {
	u32 bit;
	const char *name;
};

constexpr DependencyName dependency_names[] = {
	{dependency_posix_timer, "posix timer"},
	{dependency_perf_events, "perf events"},
	{dependency_scheduler, "scheduler"},
	{dependency_clock_unstable, "clock unstable"},
	{dependency_rcu, "rcu"},
	{dependency_rcu_expedited, "rcu expedited"},
};

} // namespace

void write_dependencies(TextWriter &writer, u32 dependencies)
{
	const char *separator = "";

	for (const DependencyName &row : dependency_names) {
		if ((dependencies & row.bit) == 0)
			continue;
		writer.text(separator).text(row.name);
		separator = ", ";
		dependencies &= ~row.bit;
	}
	/* A kernel may have bits this table does not know: shown, not hidden. */
	if (dependencies != 0)
		writer.text(separator).hexadecimal(dependencies);
}

} // namespace task_isolation
