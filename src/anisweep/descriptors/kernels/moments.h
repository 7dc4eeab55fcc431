/* Moments of Gaussians in the solid harmonics, by a recurrence that never subtracts r^2.
 *
 * A pair is a Gaussian with weight w, mean a = (ax, ay, az) and covariance diag(cx, cy, cz), in the frame of
 * the neighbour's axes. With alpha = ax + i ay, c = (cx + cy) / 2, D = cz - c, d = cx - cy and
 *
 *     g(n, l, m) = w E[r^2n r^l P_l^m e^(i m phi)],   m >= 0, P_mm = (2m - 1)!!, no Condon-Shortley phase,
 *
 * Stein's identity E[x f] = a E[f] + C E[grad f] gives, missing terms being zero,
 *
 *   g(n,l,m) = az g(n,l-1,m) + (l+m-1) alpha g(n,l-1,m-1)
 *            + 2n [c + D (l-m)/(2l-1)] g(n-1,l,m) + D (2n+2l-1)(l+m-1)/(2l-1) g(n,l-2,m)
 *            + d { (2n+2l-1)/(2(2l-1)) (l+m-1)(l+m-2)(l+m-3) g(n,l-2,m-2)
 *                  - n (l-m+2)(l-m+1)(l+m-1)/(2l-1) g(n-1,l,m-2) }
 *
 *   m = 0: the alpha term is -Re[conj(alpha) g(n,l-1,1)] / l, (l+m-1) in the D term is l-1, and the last is
 *          d { (2n+2l-1)/(2(2l-1)l) Re g(n,l-2,2) - n/((2l-1)l) Re g(n-1,l,2) };
 *   m = 1: the last is d { -l(2n+2l-1)/(2(2l-1)) conj g(n,l-2,1) + n l/(2l-1) conj g(n-1,l,1) }.
 *
 * The polynomials are ordered: :f: = exp(-s^2/4 Laplacian) f, Hermite polynomials for powers of x, y, z. Since
 * E[f] = exp(1/2 sum_k c_k d_k^2) f at the mean, E[:f:] is E[f] with s^2/2 less in each c_k, which may be
 * negative then. With s the width of the envelope the functions are orthogonal, and coefficients made of them
 * lose no digits: see `ordered` in basis.py.
 *
 * For a shape of revolution (d = 0) g(n, l, m) = alpha^m h(n, l, m) with real h, half as many numbers:
 *
 *   h(n,l,m) = az h(n,l-1,m) + (l+m-1) h(n,l-1,m-1) + the two terms of the second line,
 *
 * and -|alpha|^2 h(n,l-1,1) / l in place of the second for m = 0.
 *
 * Lanes are groups; two pairs of each group run side by side and share their covariance. The state holds
 * three rows (l, l-1, l-2) of (2l+1) x stride vectors, Re g at m, Im g at -m; for shapes of revolution two rows
 * of h at m, from m = 0 on. */
#pragma once
#include "basis.h"

#define PAIRS 2

typedef struct {
    V cx, cy, cz;
} Covariance;

/* For a shape of revolution powers[2m], powers[2m + 1] are Re and Im of alpha^m, m >= 0. */
typedef struct {
    V weight, ax, ay, az;
    const V *powers;
} Mean;

/* l = 0: E[r^2n] from the cumulants of r^2, kappa_s / (s-1)! = 2^(s-1) sum_i c_i^(s-1) (c_i + s a_i^2):
 * mu_n / n! = (1/n) sum_{s=1..n} kappa_s / (s-1)! mu_{n-s} / (n-s)! */
NOINLINE void seeds(V *mu, V *kappa, int count, Mean a, Covariance c)
{
    const V x2 = a.ax * a.ax, y2 = a.ay * a.ay, z2 = a.az * a.az;
    V px = splat(1), py = px, pz = px;
    real power = 1, factorial = 1;

    for (int s = 1; s < count; s++) {
        const V sum = px * ((real)s * x2 + c.cx) + py * ((real)s * y2 + c.cy) + pz * ((real)s * z2 + c.cz);
        kappa[s] = power * sum;
        power *= 2;
        px *= c.cx;
        py *= c.cy;
        pz *= c.cz;
    }

    mu[0] = a.weight;
    for (int n = 1; n < count; n++) {
        V sum = kappa[1] * mu[n - 1];
        for (int s = 2; s <= n; s++)
            sum += kappa[s] * mu[n - s];
        mu[n] = sum * (real)(1.0 / n);
    }

    for (int n = 2; n < count; n++) {
        factorial *= n;
        mu[n] *= factorial;
    }
}

/* The rows that the step from l-1 to l reads and writes; each is [m][n], m counted from -its l. */
typedef struct {
    V *now, *last, *before;
} Rows;

INLINE Rows rows_at(V *state, int l, int size)
{
    return (Rows){state + (l % 3) * size, state + ((l + 2) % 3) * size, state + ((l + 1) % 3) * size};
}

/* Those of shapes of revolution: l takes the place of l-2, value by value, so that two rows fit into the first-level
 * cache beside the sums. */
INLINE Rows axial_rows_at(V *state, int l, int size)
{
    return (Rows){state + l % 2 * size, state + (l + 1) % 2 * size, state + l % 2 * size};
}

/* Shapes of revolution (d = 0): h for all n of one (l, m) and both pairs. With `adds` alpha^m h is added to `sum`, at m
 * and -m. N, the number of n, is a constant after inlining, and so is which terms exist: `terms` is 3 for m < l-1, 2 for
 * m = l-1 (none of l-2), 1 for m = l (that of m-1 alone); with `middle` m is 0. */
INLINE void axial_row(const int N, const int terms, const int middle, const int adds, V *sum, V *state, const int size,
                      const int stride, const int l, const int m, const Mean *mean, const V c, const V D)
{
    const real f = 1.0 / (2 * l - 1);
    const V C1 = 2 * (c + ((l - m) * f) * D), D1 = (2 * f * (middle ? l - 1 : l + m - 1)) * D;
    V *const re = adds ? sum + (l + m) * N : NULL, *const im = adds ? sum + (l - m) * N : NULL;
    V C = splat(0), E = (real)(0.5 * (2 * l - 1)) * D1;
    V factor[PAIRS], z[PAIRS], real_part[PAIRS], imaginary[PAIRS], h[PAIRS];
    const V *beside[PAIRS], *below[PAIRS], *before[PAIRS];
    V *now[PAIRS];

    for (int q = 0; q < PAIRS; q++) {
        const Rows r = axial_rows_at(state + q * 3 * size, l, size);

        beside[q] = r.last + (middle ? 1 : m - 1) * stride;
        below[q] = r.last + m * stride;
        before[q] = r.before + m * stride;
        now[q] = r.now + m * stride;
        factor[q] = middle ? (mean[q].ax * mean[q].ax + mean[q].ay * mean[q].ay) * (real)(-1.0 / l) : splat(l + m - 1);
        z[q] = mean[q].az;
        real_part[q] = mean[q].powers[2 * m];
        imaginary[q] = mean[q].powers[2 * m + 1];
        h[q] = splat(0);
    }

#pragma GCC unroll 16
    for (int n = 0; n < N; n++) {
        for (int q = 0; q < PAIRS; q++) {
            V t = middle && terms < 3 ? splat(0) : factor[q] * beside[q][n];

            if (terms > 1)
                t += z[q] * below[q][n];
            if (terms > 2)
                t += E * before[q][n];
            t += C * h[q]; /* last, as the value before it is what it waits for */
            h[q] = t;
            now[q][n] = t;
        }
        if (adds)
            re[n] += middle ? h[0] + h[1] : real_part[0] * h[0] + real_part[1] * h[1];
        if (adds && !middle)
            im[n] += imaginary[0] * h[0] + imaginary[1] * h[1];
        C += C1;
        E += D1;
    }
}

/* All m of one l. Compiled for each small N, so that the loops over n are straight lines. */
INLINE void axial_degree(const int N, const int adds, V *sum, V *state, int size, int stride, int l, const Mean *mean,
                         V c, V D)
{
    if (l == 1)
        axial_row(N, 2, 1, adds, sum, state, size, stride, l, 0, mean, c, D);
    else
        axial_row(N, 3, 1, adds, sum, state, size, stride, l, 0, mean, c, D);

    for (int m = 1; m < l - 1; m++)
        axial_row(N, 3, 0, adds, sum, state, size, stride, l, m, mean, c, D);
    if (l > 1)
        axial_row(N, 2, 0, adds, sum, state, size, stride, l, l - 1, mean, c, D);
    axial_row(N, 1, 0, adds, sum, state, size, stride, l, l, mean, c, D);
}

/* Unless `sum` is NULL, alpha^m h is added to it. */
INLINE void axial_any(const int N, V *sum, V *state, int size, int stride, int l, const Mean *mean, const V *c)
{
    if (sum)
        axial_degree(N, 1, sum, state, size, stride, l, mean, c[0], c[1]);
    else
        axial_degree(N, 0, sum, state, size, stride, l, mean, c[0], c[1]);
}

#define AXIAL(N)                                                                                              \
    NOINLINE void axial_##N(V *sum, V *state, int size, int stride, int l, const Mean *mean, const V *c)      \
    {                                                                                                         \
        axial_any(N, sum, state, size, stride, l, mean, c);                                                   \
    }
EACH(AXIAL)

#define AXIAL_CASE(N) case N: axial_##N(sum, state, size, stride, l, mean, c); break;

NOINLINE void axial(int N, V *sum, V *state, int size, int stride, int l, const Mean *mean, const V *c)
{
    switch (N) {
    EACH(AXIAL_CASE)
    default: axial_any(N, sum, state, size, stride, l, mean, c);
    }
}
