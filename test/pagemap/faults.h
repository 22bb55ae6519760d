// SPDX-License-Identifier: BSD-2-Clause
/* Steps of the library that fail because a test wants them to: only in what links :faults. */
#ifndef RANGEMAP_TEST_PAGEMAP_FAULTS_H
#define RANGEMAP_TEST_PAGEMAP_FAULTS_H

/*
 * Lets the calling thread's step number `steps` from now fail (1: the next one), once; 0: none. Returns how
 * many steps were still to go, 0 if the failure has happened or none was asked for.
 */
unsigned pm_fault_arm(unsigned steps);

/* The same, but all steps from that one on fail, until pm_fault_arm() is called. */
void pm_fault_arm_from(unsigned steps);

#endif
