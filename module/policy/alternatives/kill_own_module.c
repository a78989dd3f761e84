// SPDX-License-Identifier: GPL-2.0
/* The module of kill_own.cpp; an object of its own, for each has its own THIS_MODULE. */
#define POLICY_DESCRIPTION "Task isolation: the policy that kills on the first own entry"
#include "../module.c"
