// SPDX-License-Identifier: GPL-2.0
#include "state.h"

namespace task_isolation
{

const char *state_word(State state)
{
	switch (state) {
	case State::Off:
		return "off";
	case State::Entering:
		return "entering";
	case State::Isolated:
		return "isolated";
	case State::Late:
		return "late";
	case State::Lost:
		return "lost";
	}
	return "";
}

} // namespace task_isolation
