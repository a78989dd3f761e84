/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reading /dev/task_isolation: a descriptor, the reports that come, the page of a CPU.
 */
#ifndef SELFTESTS_READER_H
#define SELFTESTS_READER_H

#include "isolation.h"
#include <poll.h>
#include <sys/ioctl.h>

#define FILE_DEVICE	"/dev/task_isolation"

/* The node is udev's affair, which this VM has not. */
static inline void make_node(void)
{
	unsigned int major, minor;
	char text[32];

	if (!access(FILE_DEVICE, F_OK))
		return;
	if (read_text("/sys/class/misc/task_isolation/dev", text, sizeof(text)) > 0 &&
	    sscanf(text, "%u:%u", &major, &minor) == 2)
		mknod(FILE_DEVICE, S_IFCHR | 0444, makedev(major, minor));
}

/* Reports of @cpu, or of all with -1, from now on; never waits in read(). */
static inline int reader_open(int cpu)
{
	int fd;

	make_node();
	fd = open(FILE_DEVICE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && ioctl(fd, TASK_ISOLATION_ONLY_CPU, &cpu)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The next one; false: there is none. */
static inline bool reader_next(int fd, struct task_isolation_report *report)
{
	return read(fd, report, sizeof(*report)) == sizeof(*report);
}

static inline const struct task_isolation_page *page_map(int cpu)
{
	const struct task_isolation_page *page;
	int fd;

	make_node();
	fd = open(FILE_DEVICE, O_RDONLY | O_CLOEXEC);
	page = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, cpu * 4096L);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

static inline unsigned int page_state(const struct task_isolation_page *page)
{
	return *(volatile const __u64 *)&page->stay % TASK_ISOLATION_STAY_STEP;
}

#endif /* SELFTESTS_READER_H */
