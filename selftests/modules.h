/* SPDX-License-Identifier: GPL-2.0 */
/* Loading and removing the project's modules, for the tests that do. */
#ifndef SELFTESTS_MODULES_H
#define SELFTESTS_MODULES_H

#include "isolation.h"
#include <sys/utsname.h>

#define SHELL		"task_isolation"
#define POLICY(name)	"task_isolation_policy_" name
#define STANDARD	"task_isolation_policy"

/* Where the object of a module is packed: beside us, or where the VM has it. */
static inline int open_module(const char *name)
{
	struct utsname system;
	char path[256];
	int fd;

	uname(&system);
	snprintf(path, sizeof(path), "/lib/taskiso/%s.ko", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/lib/modules/%s/extra/%s.ko", system.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/dkms/%s.ko", system.release, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	snprintf(path, sizeof(path), "%s.ko", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static inline int load(const char *name, const char *parameters)
{
	int fd = open_module(name), error;

	if (fd < 0)
		return -errno;
	error = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return error;
}

/* A reader of a sysfs file may hold a module for an instant: ask again. */
static inline int unload(const char *name)
{
	int error = 0;

	(void)UNTIL_MS(3000, ({
		error = syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
		error != -EAGAIN && error != -EBUSY && error != -EWOULDBLOCK;
	}));
	return error;
}

static inline bool is_loaded(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	return !access(path, F_OK);
}

#endif /* SELFTESTS_MODULES_H */
