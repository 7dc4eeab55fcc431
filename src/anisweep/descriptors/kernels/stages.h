/* Where the time of a call goes. `make bench` compiles the kernels with -DANISWEEP_STAGES, and with a counter
 * of ticks; in what is installed MARK is nothing. Only one thread may run the kernels then. */
#pragma once

#ifdef ANISWEEP_STAGES
#include <x86intrin.h>

enum {
    STAGE_NEIGHBOURS,
    STAGE_MOMENTS,
    STAGE_ROTATION,
    STAGE_SUM,
    STAGE_ORTHONORMALISE,
    STAGE_PRODUCTS,
    STAGE_WRITE,
    STAGES
};

static uint64_t ticks[STAGES], last_tick;

/* What ran since the last mark was this stage. */
#define MARK(stage)                                                                                           \
    do {                                                                                                      \
        const uint64_t now = __rdtsc();                                                                       \
        ticks[STAGE_##stage] += now - last_tick;                                                                      \
        last_tick = now;                                                                                      \
    } while (0)
#define START() (last_tick = __rdtsc())

/* [stage] since the kernels were loaded */
const uint64_t *anisweep_ticks(void)
{
    return ticks;
}
#else
#define MARK(stage) ((void)0)
#define START() ((void)0)
#endif
