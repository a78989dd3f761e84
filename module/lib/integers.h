/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the fixed-width integers, and the one cast from an enumeration to
 * the number it stands for.
 *
 * Example: verdict->call = number_of(Call::Leave);
 *
 * Invariants: the same names and widths as the kernel's.
 */
#pragma once

namespace task_isolation
{

using u8 = __UINT8_TYPE__;
using u32 = __UINT32_TYPE__;
using s32 = __INT32_TYPE__;
using u64 = __UINT64_TYPE__;
using s64 = __INT64_TYPE__;
using usize = __SIZE_TYPE__;

/* What the kernel's bitmaps are made of. */
using bitmap_word = unsigned long;

template <typename Enumeration>
[[nodiscard, gnu::always_inline]] constexpr u32 number_of(Enumeration value)
{
	static_assert(__is_enum(Enumeration));
	return static_cast<u32>(value);
}

static_assert(sizeof(u8) == 1 && sizeof(u32) == 4 && sizeof(u64) == 8);

} // namespace task_isolation
