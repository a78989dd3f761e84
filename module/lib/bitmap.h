/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: the kernel's bitmap (an array of long words) seen as a set of
 * numbers below a size.
 *
 * Example:
 *	Bitmap cpus{words, 64};
 *	cpus.clear();
 *	cpus.set(2, 3);		// 2, 3 and 4
 *
 * Invariants: bits at and above size are never set or read as set; clear()
 * also clears the unused rest of the last word.
 */
#pragma once

#include "lib/integers.h"

namespace task_isolation
{

constexpr u32 bits_per_word = sizeof(bitmap_word) * 8;

[[nodiscard, gnu::always_inline]] constexpr u32 words_for(u32 bits)
{
	return bits / bits_per_word + (bits % bits_per_word != 0 ? 1 : 0);
}

template <typename Word> class BasicBitmap final
{
public:
	[[gnu::always_inline]] constexpr BasicBitmap(Word *words, u32 size)
	    : words_{words}, size_{size}
	{
	}

	[[nodiscard, gnu::always_inline]] constexpr u32 size() const
	{
		return size_;
	}

	[[nodiscard, gnu::always_inline]] constexpr bool test(u32 bit) const
	{
		return bit < size_ && (words_[bit / bits_per_word] & mask(bit)) != 0;
	}

	[[gnu::always_inline]] constexpr void clear()
	{
		for (u32 word = 0; word < words_for(size_); word++)
			words_[word] = 0;
	}

	/* Sets length bits from first on, as far as they are below size. */
	[[gnu::always_inline]] constexpr void set(u32 first, u32 length)
	{
		for (u32 bit = first; length != 0 && bit < size_; bit++, length--)
			words_[bit / bits_per_word] |= mask(bit);
	}

private:
	[[nodiscard, gnu::always_inline]] static constexpr bitmap_word mask(u32 bit)
	{
		return bitmap_word{1} << (bit % bits_per_word);
	}

	Word *words_;
	u32 size_;
};

using Bitmap = BasicBitmap<bitmap_word>;
using ConstBitmap = BasicBitmap<const bitmap_word>;

static_assert(words_for(0) == 0 && words_for(1) == 1 && words_for(64) == 64 / bits_per_word);

} // namespace task_isolation
