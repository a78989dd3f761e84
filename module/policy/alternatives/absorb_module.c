// SPDX-License-Identifier: GPL-2.0
/* The module of absorb.cpp; an object of its own, for each has its own THIS_MODULE. */
#define POLICY_DESCRIPTION "Task isolation: the policy that absorbs every interruption"
#include "../module.c"
