// SPDX-License-Identifier: GPL-2.0
/*
 * The new image of the execve tests: says on descriptor 3 what it is born
 * with, as one line of "flags state own foreign late uid", then spins (with
 * the argument "spin") until the first byte of the file on descriptor 4 is set.
 */
#include "isolation.h"

int main(int argc, char **argv)
{
	struct task_isolation_info info = { 0 };
	long flags = flags_now();
	int error = read_info(&info);
	char text[160];

	snprintf(text, sizeof(text), "%ld %d %llu %llu %llu %d\n", flags, error ? -1 : (int)info.state,
		 (unsigned long long)info.own, (unsigned long long)info.foreign,
		 (unsigned long long)info.late, (int)geteuid());
	if (write(3, text, strlen(text)) < 0)
		return 1;
	if (argc > 1 && !strcmp(argv[1], "spin")) {
		volatile char *stop = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_POPULATE, 4, 0);

		if (stop == MAP_FAILED)
			return 2;
		while (!*stop)
			relax();
	}
	return 0;
}
