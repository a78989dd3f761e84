/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the errors a policy can answer with, as a type of its own, so that
 * an error is never taken for a number or a boolean.
 *
 * Example: return Errno::Invalid;  // becomes -22 at the border only
 *
 * Invariants: values are the kernel's on every supported architecture. The
 * names are words because a host test also sees the macros of <errno.h>.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

enum class Errno : s32 {
	None = 0,
	NotPermitted = 1,  /* EPERM */
	Again = 11,	   /* EAGAIN */
	NoMemory = 12,	   /* ENOMEM */
	Busy = 16,	   /* EBUSY */
	Invalid = 22,	   /* EINVAL */
	OutOfRange = 34,   /* ERANGE */
	TooLargeType = 75, /* EOVERFLOW */
};

/* The form that crosses the border: 0 or -errno. */
[[nodiscard, gnu::always_inline]] constexpr s32 negative(Errno error)
{
	return -static_cast<s32>(error);
}

static_assert(negative(Errno::None) == 0);
static_assert(negative(Errno::Invalid) == -22);

} // namespace task_isolation
