// CUDA's driver for one host thread, as far as fuseir/runtime/executors/cuda/driver.py uses it: functions are emulated kernels.
//
// A launch is done when the call returns. A graph's nodes run as late as their edges allow in reverse order, so that an edge which is
// missing shows. Each call is counted, and can be made to fail; after an error that CUDA does not recover from, all calls fail.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

// What a kernel module has for each entry point.
struct EmulatedFunction {
    void (*run)(void **arguments, const unsigned *grid, const unsigned *block);
    unsigned count;
    const unsigned *sizes;
    const char *name;
};
