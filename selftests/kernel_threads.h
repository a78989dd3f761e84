/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's own threads, but for those that were made for one CPU. */
#ifndef SELFTESTS_KERNEL_THREADS_H
#define SELFTESTS_KERNEL_THREADS_H

#include "isolation.h"
#include <dirent.h>

/* Calls @visit for each that may be bound; the sum of what it returned. */
static inline int kernel_threads(int (*visit)(pid_t pid, const char *name, void *arg), void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int visited = 0;

	while (proc && (entry = readdir(proc))) {
		char path[300], text[512], name[64] = "";
		unsigned long flags;

		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		if (atoi(entry->d_name) <= 0 || read_text(path, text, sizeof(text)) <= 0)
			continue;
		if (!strrchr(text, ')') ||
		    sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %lu", &flags) != 1)
			continue;
		sscanf(text, "%*d (%63[^)]", name);
		/* PF_KTHREAD, PF_NO_SETAFFINITY */
		if ((flags & 0x00200000) && !(flags & 0x04000000))
			visited += visit(atoi(entry->d_name), name, arg);
	}
	if (proc)
		closedir(proc);
	return visited;
}

#endif /* SELFTESTS_KERNEL_THREADS_H */
