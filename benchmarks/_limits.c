/* What a core can do at most: multiply-adds, and bytes written and read. */
#include "vector.h"

/* `count` times twelve multiply-adds that do not wait for one another: enough to keep every unit busy. */
double anisweep_multiply(int64_t count)
{
    V sum[12], factor = splat(1.0 - 1e-9), term = splat(1e-9), total = splat(0);

    for (int i = 0; i < 12; i++)
        sum[i] = splat(i);
    for (int64_t n = 0; n < count; n++) {
#pragma GCC unroll 12
        for (int i = 0; i < 12; i++)
            sum[i] = sum[i] * factor + term;
    }
    for (int i = 0; i < 12; i++)
        total += sum[i];
    return total[0];
}

int anisweep_lanes(void)
{
    return LANES;
}
