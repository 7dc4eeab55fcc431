/* The same recurrence with all its terms, for shapes with three different axes.
 *
 * g(n, l, 0) needs g(n-1, l, 2) and the other way round, so n runs outside and m inside. */
#pragma once
#include "moments.h"

/* One (n, l, m), m >= 2. `f` is 1 / (2l-1), `s` the row stride. */
INLINE void triaxial_value(const Rows r, int s, int l, int m, int n, Mean a, V c, V D, V d)
{
    const real f = 1.0 / (2 * l - 1), up = f * (2 * n + 2 * l - 1);
    const V *x = r.last + (l + m - 2) * s + n, *y = r.last + (l - m) * s + n;
    V t = (real)(l + m - 1) * (a.ax * *x - a.ay * *y);
    V u = (real)(l + m - 1) * (a.ay * *x + a.ax * *y);

    if (m < l) {
        t += a.az * r.last[(l - 1 + m) * s + n];
        u += a.az * r.last[(l - 1 - m) * s + n];
    }
    if (m < l - 1) {
        const V E = (up * (l + m - 1)) * D;
        t += E * r.before[(l - 2 + m) * s + n];
        u += E * r.before[(l - 2 - m) * s + n];
    }

    const V G = (real)(0.5 * up * (l + m - 1) * (l + m - 2) * (l + m - 3)) * d;
    t += G * r.before[(l - 2 + m - 2) * s + n];
    if (m > 2)
        u += G * r.before[(l - 2 - m + 2) * s + n];

    if (n > 0) {
        const V C = (real)(2 * n) * (c + ((l - m) * f) * D);
        const V F = (-f * n * (l - m + 2) * (l - m + 1) * (l + m - 1)) * d;
        t += C * r.now[(l + m) * s + n - 1] + F * r.now[(l + m - 2) * s + n - 1];
        u += C * r.now[(l - m) * s + n - 1];
        if (m > 2)
            u += F * r.now[(l - m + 2) * s + n - 1];
    }
    r.now[(l + m) * s + n] = t;
    r.now[(l - m) * s + n] = u;
}

INLINE void triaxial_m0(const Rows r, int s, int l, int n, Mean a, V c, V D, V d)
{
    const real f = 1.0 / (2 * l - 1), up = f * (2 * n + 2 * l - 1);
    V t = a.az * r.last[(l - 1) * s + n];

    if (l > 1) {
        t -= (a.ax * r.last[l * s + n] + a.ay * r.last[(l - 2) * s + n]) * (real)(1.0 / l);
        t += (up * (l - 1)) * D * r.before[(l - 2) * s + n];
    }
    if (l > 3)
        t += (real)(0.5 * up / l) * d * r.before[l * s + n];
    if (n > 0) {
        t += (real)(2 * n) * (c + (l * f) * D) * r.now[l * s + n - 1];
        if (l > 1)
            t -= (f * n / l) * d * r.now[(l + 2) * s + n - 1];
    }
    r.now[l * s + n] = t;
}

INLINE void triaxial_m1(const Rows r, int s, int l, int n, Mean a, V c, V D, V d)
{
    const real f = 1.0 / (2 * l - 1), up = f * (2 * n + 2 * l - 1);
    const V x = r.last[(l - 1) * s + n];
    V t = (real)l * a.ax * x, u = (real)l * a.ay * x;

    if (l > 1) {
        t += a.az * r.last[l * s + n];
        u += a.az * r.last[(l - 2) * s + n];
    }
    if (l > 2) {
        const V E = (up * l) * D, G = (real)(0.5 * up * l) * d;
        t += (E - G) * r.before[(l - 1) * s + n];
        u += (E + G) * r.before[(l - 3) * s + n];
    }
    if (n > 0) {
        const V C = (real)(2 * n) * (c + ((l - 1) * f) * D), F = (f * n * l) * d;
        t += (C + F) * r.now[(l + 1) * s + n - 1];
        u += (C - F) * r.now[(l - 1) * s + n - 1];
    }
    r.now[(l + 1) * s + n] = t;
    r.now[(l - 1) * s + n] = u;
}

/* All (m, n) of one l, added to `sum` unless it is NULL. `c` holds c, D and d. */
NOINLINE void triaxial(int N, V *sum, V *state, int size, int stride, int l, const Mean *mean, const V *c)
{
    for (int q = 0; q < PAIRS; q++) {
        const Rows r = rows_at(state + q * 3 * size, l, size);
        const Mean a = mean[q];

        for (int n = 0; n < N; n++) {
            triaxial_m0(r, stride, l, n, a, c[0], c[1], c[2]);
            triaxial_m1(r, stride, l, n, a, c[0], c[1], c[2]);
            for (int m = 2; m <= l; m++)
                triaxial_value(r, stride, l, m, n, a, c[0], c[1], c[2]);
        }
        if (!sum)
            continue;
        for (int m = 0; m < 2 * l + 1; m++)
            for (int n = 0; n < N; n++)
                sum[m * N + n] += r.now[m * stride + n];
    }
}
