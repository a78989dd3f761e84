/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: a pointer and how much it points to, as one thing, to read only.
 *
 * Example: Span<char> comm = until_nul(task.comm);
 *
 * Invariants: [] never reads outside: an index past the end gives T{}, so a
 * text may be walked as if a NUL followed it.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

template <typename T> class Span final
{
public:
	[[gnu::always_inline]] constexpr Span(const T *first, usize size)
	    : first_{first}, size_{size}
	{
	}

	[[nodiscard, gnu::always_inline]] constexpr usize size() const
	{
		return size_;
	}

	[[nodiscard, gnu::always_inline]] constexpr bool empty() const
	{
		return size_ == 0;
	}

	[[nodiscard, gnu::always_inline]] constexpr T operator[](usize index) const
	{
		return index < size_ ? first_[index] : T{};
	}

	[[nodiscard, gnu::always_inline]] constexpr const T *begin() const
	{
		return first_;
	}

	[[nodiscard, gnu::always_inline]] constexpr const T *end() const
	{
		return first_ + size_;
	}

private:
	const T *first_;
	usize size_;
};

/* The text in a fixed field that may or may not end in a NUL. */
template <usize N>
[[nodiscard, gnu::always_inline]] constexpr Span<char> until_nul(const char (&field)[N])
{
	usize size = 0;

	while (size < N && field[size] != '\0')
		size++;
	return {field, size};
}

static_assert(until_nul("abc").size() == 3);
static_assert(until_nul("abc")[3] == '\0');

} // namespace task_isolation
