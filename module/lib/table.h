/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: an array whose index is an enumeration, so that a row cannot be
 * looked up with the wrong kind of number.
 *
 * Example: constexpr Table<State, const char *, states> words{{"off", ...}};
 *
 * Invariants: has a row for each value below N; numbers from outside are
 * checked where they cross the border, before they become an Index.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

template <typename Index, typename T, u32 N> struct Table final {
	T rows[N];

	[[nodiscard, gnu::always_inline]] constexpr const T &operator[](Index index) const
	{
		return rows[number_of(index)];
	}
};

} // namespace task_isolation
