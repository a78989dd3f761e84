// SPDX-License-Identifier: GPL-2.0
/*
 * Writes the cpulist corpus: list texts for our parser and for the kernel's
 * own, the same ones on every run. About half is malformed: well-formed lists
 * with a few bytes changed, and pieces of the grammar in any order.
 */
#include <cstdint>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "corpus_line.h"

namespace
{

using task_isolation::test::escaped;

constexpr unsigned int lines_wanted = 3000;
constexpr unsigned int sizes[] = {1, 5, 64, 100, 256};

/* Numbers without a meaning of their own: xorshift, so that no library changes them. */
class Dice
{
public:
	unsigned int below(unsigned int limit)
	{
		state_ ^= state_ << 13;
		state_ ^= state_ >> 7;
		state_ ^= state_ << 17;
		return static_cast<unsigned int>((state_ >> 20) % limit);
	}

	template <typename T, size_t N> const T &pick(const T (&from)[N])
	{
		return from[below(N)];
	}

private:
	uint64_t state_{0x7461736b69736f6cULL};
};

std::string number(Dice &dice, unsigned int nbits)
{
	static const char *const special[] = {"N",
					      "0",
					      "00",
					      "007",
					      "4294967295",
					      "4294967294",
					      "4294967296",
					      "2147483648",
					      "18446744073709551615",
					      "18446744073709551616",
					      "99999999999999999999999999",
					      "1152921504606846976"};

	if (dice.below(12) == 0)
		return dice.pick(special);
	if (dice.below(25) == 0)
		return std::to_string(nbits + dice.below(3));
	return std::to_string(dice.below(nbits));
}

std::string separator(Dice &dice)
{
	static const char *const separators[] = {",",  ",",  ",",  ", ", " ",  "  ",
						 ",,", "\t", "\v", "\f", "\r", "\xa0"};

	return dice.pick(separators);
}

std::string region(Dice &dice, unsigned int nbits)
{
	static const char *const everything[] = {"all", "ALL", "All", "aLL"};
	std::string text;

	if (dice.below(15) == 0) {
		text = dice.pick(everything);
	} else if (dice.below(3) == 0) {
		return number(dice, nbits);
	} else {
		const unsigned int first = dice.below(nbits);

		if (dice.below(5) == 0)
			text = number(dice, nbits) + "-" + number(dice, nbits);
		else
			text = std::to_string(first) + "-" +
			       std::to_string(first + dice.below(nbits - first));
	}
	if (dice.below(3) != 0)
		return text;
	if (dice.below(5) == 0)
		return text + ":" + number(dice, nbits) + "/" + number(dice, nbits);

	const unsigned int group = 1 + dice.below(12);

	return text + ":" + std::to_string(dice.below(group + 1)) + "/" + std::to_string(group);
}

std::string list(Dice &dice, unsigned int nbits)
{
	std::string text;
	const unsigned int regions = 1 + dice.below(5);

	if (dice.below(10) == 0)
		text += separator(dice);
	for (unsigned int index = 0; index < regions; index++) {
		if (index != 0)
			text += separator(dice);
		text += region(dice, nbits);
	}
	if (dice.below(10) == 0)
		text += separator(dice);
	if (dice.below(4) == 0)
		text += "\n";
	if (dice.below(30) == 0)
		text += region(dice, nbits);
	return text;
}

/* A few bytes taken out, put in or changed: mostly to what the grammar knows. */
std::string damaged(Dice &dice, std::string text)
{
	static const char likely[] = "0123456789-:/, \nNalxn+.;\t\\\x80\xa0\xff\x01";
	const unsigned int hits = 1 + dice.below(3);

	for (unsigned int hit = 0; hit < hits; hit++) {
		const unsigned int at = dice.below(static_cast<unsigned int>(text.size()) + 1);
		const char byte = likely[dice.below(sizeof(likely) - 1)];

		switch (dice.below(3)) {
		case 0:
			text.insert(at, 1, byte);
			break;
		case 1:
			if (at < text.size())
				text.erase(at, 1);
			break;
		default:
			if (at < text.size())
				text[at] = byte;
			break;
		}
	}
	return text;
}

std::string pieces(Dice &dice, unsigned int nbits)
{
	static const char *const grammar[] = {"-", ":", "/", ",", " ", "\n", "all", "N", "1", "x"};
	std::string text;
	const unsigned int count = 1 + dice.below(8);

	for (unsigned int index = 0; index < count; index++)
		text += dice.below(3) == 0 ? number(dice, nbits) : dice.pick(grammar);
	return text;
}

} // namespace

int main()
{
	/* What a reader of the grammar would try first. */
	const std::vector<std::string> known = {"",
						"\n",
						" ",
						",",
						"1\n2",
						"\n2",
						"0-3:1/2\n1",
						"0-3:1/2all",
						"5-6:1/4294967295",
						"4294967295",
						"allall",
						"all:1/2",
						"0-N:N/N",
						"N-0",
						"1-",
						"-1",
						"0-3:3/2",
						"0-3:0/0",
						"1\xa0"
						"2",
						"0x1"};
	std::set<std::string> lines;
	Dice dice;

	for (const unsigned int nbits : sizes) {
		for (const std::string &text : known)
			lines.insert(std::to_string(nbits) + " " + escaped(text));
	}
	while (lines.size() < lines_wanted) {
		const unsigned int nbits = dice.pick(sizes);
		std::string text;

		switch (dice.below(4)) {
		case 0:
			text = pieces(dice, nbits);
			break;
		case 1:
			text = damaged(dice, list(dice, nbits));
			break;
		default:
			text = list(dice, nbits);
			break;
		}
		lines.insert(std::to_string(nbits) + " " + escaped(text));
	}
	for (const std::string &line : lines)
		puts(line.c_str());
	return 0;
}
