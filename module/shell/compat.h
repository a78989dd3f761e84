/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between kernels, keyed on what the hooks and the kernel
 * offer, never on a version.
 */
#ifndef TASK_ISOLATION_COMPAT_H
#define TASK_ISOLATION_COMPAT_H

#include <linux/task_isolation.h>

#if TASK_ISOLATION_ABI_VERSION != 1
#error "these modules serve hooks of interface 1; build them with the hooks they came with"
#endif

#endif /* TASK_ISOLATION_COMPAT_H */
