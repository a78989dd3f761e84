/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Purpose: walks a text from left to right.
 *
 * Example:
 *	TextReader reader{text, length};
 *	if (reader.take('+'))
 *		...
 *
 * Invariants: never reads past the text; after its end, and from its first
 * NUL on, there are only NULs.
 */
#pragma once

#include "lib/character.h"
#include "lib/span.h"

namespace task_isolation
{

/* A row of decimal digits: how many there were, and what they say. */
struct Digits {
	u64 value;
	u32 count;
	bool too_large; /* for 64 bits; value is then meaningless */
};

class TextReader final
{
public:
	[[gnu::always_inline]] constexpr TextReader(const char *text, u32 length)
	    : text_{text, length}
	{
	}

	[[nodiscard, gnu::always_inline]] constexpr char peek() const
	{
		return text_[position_];
	}

	[[gnu::always_inline]] constexpr void skip()
	{
		if (peek() != '\0')
			position_++;
	}

	/* Takes the character if it is the next one. */
	[[nodiscard, gnu::always_inline]] constexpr bool take(char wanted)
	{
		if (peek() != wanted || wanted == '\0')
			return false;
		position_++;
		return true;
	}

	/* Takes a word of small letters if it comes next, in any case. */
	template <usize N>
	[[nodiscard, gnu::always_inline]] constexpr bool take_word(const char (&word)[N])
	{
		for (usize index = 0; index < N - 1; index++) {
			if (lower(text_[position_ + index]) != word[index])
				return false;
		}
		position_ += N - 1;
		return true;
	}

	[[nodiscard, gnu::always_inline]] constexpr Digits take_digits()
	{
		Digits digits{0, 0, false};

		for (; is_digit(peek()); position_++, digits.count++) {
			const u64 digit = static_cast<u64>(peek() - '0');

			if (digits.value > (~u64{0} - digit) / 10)
				digits.too_large = true;
			digits.value = digits.value * 10 + digit;
		}
		return digits;
	}

private:
	Span<char> text_;
	usize position_{0};
};

} // namespace task_isolation
