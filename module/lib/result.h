/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: a value or the error that stands in for it.
 *
 * Example:
 *	Result<u32, Errno> first = number(reader);
 *	if (!first.ok())
 *		return first.error();
 *	use(first.value());
 *
 * Invariants: exactly one of both is meant; error() is None if and only if
 * ok(). Trivially copyable when T is. A result cannot be dropped unseen.
 */
#pragma once

#include "lib/errno.h"

namespace task_isolation
{

/* The value of a call that has none beside "it worked". */
struct Nothing {
};

template <typename T, typename E> class [[nodiscard]] Result final
{
public:
	[[gnu::always_inline]] constexpr Result(T value) : value_{value}
	{
	}

	[[gnu::always_inline]] constexpr Result(E error) : error_{error}
	{
	}

	[[nodiscard, gnu::always_inline]] constexpr bool ok() const
	{
		return error_ == E::None;
	}

	[[nodiscard, gnu::always_inline]] constexpr T value() const
	{
		return value_;
	}

	[[nodiscard, gnu::always_inline]] constexpr E error() const
	{
		return error_;
	}

private:
	T value_{};
	E error_{E::None};
};

static_assert(Result<u32, Errno>{7U}.ok());
static_assert(Result<u32, Errno>{7U}.value() == 7);
static_assert(!Result<u32, Errno>{Errno::Busy}.ok());

} // namespace task_isolation
