/* Derivatives, given those of some function with respect to the coefficients of the centres ("cotangents").
 *
 * Let b be the cotangent of a group's values in its own frame, so that the function is linear in the moments,
 * sum b g. Moments depend on a mean only through E[f(x)], so d/da_k E[f] = E[d_k f], and d_k f is a sum of two
 * functions of the basis:
 *
 *     d_k (r^2n S_lm) = 2n/(2l+1) r^(2n-2) up_k + (1 + 2n/(2l+1)) r^2n low_k,      S_lm = r^l P_l^m e^(i m phi)
 *     z:       up = (l-m+1) S_{l+1,m}               low = (l+m) S_{l-1,m}
 *     x + iy:  up = S_{l+1,m+1}                     low = -S_{l-1,m+1}
 *     x - iy:  up = -(l-m+1)(l-m+2) S_{l+1,m-1}     low = (l+m)(l+m-1) S_{l-1,m-1}
 *
 * The transpose of that takes b to b_k with sum b E[d_k f] = sum b_k g: once for a group. A pair then needs its
 * moments, up to l = lmax + 1, and one dot product for each of b, b_x, b_y, b_z. The variance of axis k comes
 * in through d/dc_k E[f] = E[d_k d_k f] / 2: the transpose twice, moments up to lmax + 2, three more products.
 *
 * Turning a neighbour together with its displacement turns the coefficients, so the derivative with respect to
 * its orientation alone is sum b E[(x cross grad) f] - r cross dE/dr: no derivative of a rotation is needed. */
#pragma once
#include "coefficients.h"

enum { PLAIN, ALONG_X, ALONG_Y, ALONG_Z, TWICE_X, TWICE_Y, TWICE_Z, PRODUCTS };

/* Where derivatives are added up. */
typedef struct {
    double *positions;  /* [particle][3] */
    double *rotations;  /* [particle][3] rotation vector in space: R -> exp(theta) R */
    double *diameters;  /* [particle][3], or NULL */
    double *strain;     /* [frame][3][3] sum of r_a dE/dr_b */
} Derivatives;

typedef struct {
    Batch batch;             /* sized for `wider` */
    const Basis *basis;
    const Basis *wider;      /* of the moments: lmax + 1, or lmax + 2 with diameters */
    V *product[PRODUCTS];    /* b and what the transposes make of it, in the layout of `wider` */
} Backward;

/* One l and n of what is given: (Re, Im) at m are value[m step] and value[-m step], times `share`, and nothing
 * beyond m = last. */
typedef struct {
    const V *value;
    real share;
    int step, last;
} Component;

typedef struct {
    V re, im;
} Complex;

INLINE Complex at(const Component c, int m)
{
    if (m > c.last)
        return (Complex){splat(0), splat(0)};
    return (Complex){c.share * c.value[m * c.step], m > 0 ? c.share * c.value[-m * c.step] : splat(0)};
}

/* The transposes of d_x, d_y and d_z for one l and n: those whose `out` is not NULL. From l - 1 comes
 * raised_n = 2(n+1)/(2l-1) in_{n+1}, and from l + 1 lowered_n = (1 + 2n/(2l+3)) in_n.
 * d_x = (d_+ + d_-) / 2 and d_y = (d_+ - d_-) / 2i, so from m - 1 comes p = (raised - lowered) / 2, twice that
 * from m = 0, and from m + 1 comes q = (l+m+2)(l+m+1) lowered / 2 - (l-m-1)(l-m) raised / 2. */
INLINE void transpose_line(V *x, V *y, V *z, int step, int l, const Component raised, const Component lowered)
{
    const Complex none = {splat(0), splat(0)};
    Complex R_last = none, L_last = none, R = at(raised, 0), L = at(lowered, 0);

    for (int m = 0; m <= l; m++) {
        const Complex R_next = at(raised, m + 1), L_next = at(lowered, m + 1);
        const real half = m == 1 ? 1 : 0.5;
        const real up = -0.5 * (l - m - 1) * (l - m), low = 0.5 * (l + m + 2) * (l + m + 1);
        const V q_re = low * L_next.re + up * R_next.re, q_im = low * L_next.im + up * R_next.im;
        const V p_re = half * (R_last.re - L_last.re), p_im = half * (R_last.im - L_last.im);
        const int re = m * step, im = -re;

        if (x) {
            x[im] = p_im + q_im;
            x[re] = p_re + q_re;
        }
        if (y) {
            y[im] = p_re - q_re;
            y[re] = q_im - p_im;
        }
        if (z) {
            z[im] = (real)(l - m) * R.im + (real)(l + 1 + m) * L.im;
            z[re] = (real)(l - m) * R.re + (real)(l + 1 + m) * L.re;
        }
        R_last = R, L_last = L;
        R = R_next, L = L_next;
    }
}

/* The same for all l and n. */
static void transpose_gradient(const Basis *b, V *x, V *y, V *z, const V *in)
{
    for (int l = 0; l <= b->lmax; l++) {
        const int N = b->moments[l], below = l > 0 ? b->moments[l - 1] : 0;
        const int above = l < b->lmax ? b->moments[l + 1] : 0;
        const V *down = in + b->offset[l] - l * below, *up = in + b->offset[l + 1] + (l + 1) * above;

        for (int n = 0; n < N; n++) {
            const int64_t place = b->offset[l] + l * N + n;
            const int there = n + 1 < below ? l - 1 : -1;
            const Component raised = {down + n + 1, (n + 1) * 2.0 / (2 * l - 1), below, there};
            const Component lowered = {up + n, 1 + n * 2.0 / (2 * l + 3), above, n < above ? l + 1 : -1};
            transpose_line(x ? x + place : NULL, y ? y + place : NULL, z ? z + place : NULL, N, l, raised, lowered);
        }
    }
}

/* Cotangents of a batch's groups in their own frames: the way of `finish`, backwards. What the wider basis has
 * beyond the basis stays zero. */
static void pull_back(Backward *w, const Group *const *groups, int lanes, int kind, const real *const *rows)
{
    const Basis *b = w->basis, *e = w->wider;
    V *value = w->batch.sum;

    from_rows(value, rows, b->row);
    write_angles(&w->batch, b, groups, lanes);

    for (int l = 0; l <= b->lmax; l++) {
        const int N = b->moments[l], wide = e->moments[l];
        const real weight = kind & EVEN ? (l % 2 ? 0 : 2) : 1;
        V *from = value + b->offset[l], *to = w->product[PLAIN] + e->offset[l];

        if (kind & TURNED && l > 0)
            rotate(N, from, w->batch.scratch, b, w->batch.turns, l, kind & TRIAXIAL, -1);
        for (int m = -l; m <= l; m++)
            for (int n = 0; n < N; n++)
                to[(l + m) * wide + n] = weight * norm_of(b, l, m) * from[(l + m) * N + n];
    }
}

/* sum b E[(x cross grad)_k f] for the three axes of the group, from b and the moments summed over its pairs.
 * (x cross grad) S_m has the components -(i/2)(S_{m+1} + q S_{m-1}), -(1/2)(S_{m+1} - q S_{m-1}) and i m S_m
 * with q = (l+m)(l-m+1); for m = 0 they are Im S_1, -Re S_1 and 0. */
static void turning(const Basis *e, int lmax, const V *b, const V *g, V torque[3])
{
    V x[2] = {splat(0), splat(0)}, y[2] = {splat(0), splat(0)}, z = splat(0);

    for (int l = 1; l <= lmax; l++) {
        const int N = e->moments[l];
        const V *bl = b + e->offset[l] + l * N, *gl = g + e->offset[l] + l * N;

        for (int n = 0; n < N; n++) {
            x[0] += bl[n] * gl[n - N];
            y[0] -= bl[n] * gl[n + N];
        }
        for (int m = 1; m <= l; m++) {
            const real q = (l + m) * (l - m + 1.0), up = m < l, down = m > 1 ? q : 0;
            const V *br = bl + m * N, *bi = bl - m * N, *gr = gl + m * N, *gi = gl - m * N;
            const int out = m < l ? N : 0; /* there is nothing beyond m = l */

            for (int n = 0; n < N; n++) {
                const V ur = up * gr[n + out], ui = up * gi[n - out], dr = q * gr[n - N], di = down * gi[n + N];

                x[0] += 0.5 * br[n] * (ui + di);
                x[1] -= 0.5 * bi[n] * (ur + dr);
                y[0] -= 0.5 * br[n] * (ur - dr);
                y[1] -= 0.5 * bi[n] * (ui - di);
                z += (real)m * (bi[n] * gr[n] - br[n] * gi[n]);
            }
        }
    }
    torque[0] = x[0] + x[1];
    torque[1] = y[0] + y[1];
    torque[2] = z;
}

/* Dot products of a line of both pairs' moments with `count` vectors at `place`, added to `to` with the factor of each
 * pair. */
INLINE void multiply_line(const int count, int N, V *const *product, int64_t place, const V *const row[PAIRS],
                          const V factor[PAIRS], V to[PAIRS][PRODUCTS])
{
    V sum[PAIRS][PRODUCTS];

    for (int p = 0; p < count; p++)
        sum[0][p] = sum[1][p] = splat(0);
    for (int n = 0; n < N; n++)
        for (int p = 0; p < count; p++) {
            const V by = product[p][place + n];
            sum[0][p] += by * row[0][n];
            sum[1][p] += by * row[1][n];
        }
    for (int p = 0; p < count; p++) {
        to[0][p] += factor[0] * sum[0][p];
        to[1][p] += factor[1] * sum[1][p];
    }
}

/* The same for all m of one l. */
INLINE void multiply(const int count, const Basis *e, V *const *product, const Batch *batch, const Mean *mean, int l,
                     int kind, V to[PAIRS][PRODUCTS])
{
    const int N = e->moments[l], stride = e->stride;
    const int64_t middle = e->offset[l] + l * N;

    for (int m = 0; m <= l; m++) {
        const Lines lines = lines_of(batch, mean, stride, l, m, kind);

        multiply_line(count, N, product, middle + m * N, lines.re, lines.cosine, to);
        if (m > 0)
            multiply_line(count, N, product, middle - m * N, lines.im, lines.sine, to);
    }
}

/* The products of two pairs of each group. Sums of the moments up to the basis' lmax are added to batch->sum. */
static void pair_products(Backward *w, const Mean *mean, Covariance cov, int kind, int count,
                          V to[PAIRS][PRODUCTS])
{
    const Basis *e = w->wider;
    Batch *batch = &w->batch;
    V shape[3];

    memset(to, 0, PAIRS * PRODUCTS * sizeof(V));
    first_degree(batch, e, mean, cov, shape);
    for (int l = 0; l <= e->lmax; l++) {
        const int add = l <= w->basis->lmax;
        if (l > 0)
            next_degree(batch, e, l, mean, shape, kind, add ? batch->sum + e->offset[l] : NULL);

        if (count == PRODUCTS)
            multiply(PRODUCTS, e, w->product, batch, mean, l, kind, to);
        else
            multiply(TWICE_X, e, w->product, batch, mean, l, kind, to);
    }
}

/* From a pair's products to its derivatives. Returns dE/dr in `force`; r is in space. */
static void differentiate_pair(const Group *g, const Pair *pair, const V *product, int k, double force[3],
                               double *diameters)
{
    const double plain = product[PLAIN][k];
    double along[3] = {0};

    for (int i = 0; i < 3; i++) {
        const Shape *s = &g->shape;
        const double u = g->axes[0][i] * pair->r[0] + g->axes[1][i] * pair->r[1] + g->axes[2][i] * pair->r[2];
        const double slope = product[ALONG_X + i][k];
        along[i] = s->shift[i] * slope - s->decay[i] * u * plain;

        if (diameters) {
            /* shift s = 1 / (1 + a^2 / sigma^2), 1 / sigma^2 = decay / s, c = a^2 s + const, d = 2 a:
             * ds/da = -2 a s decay, dc/da = 2 a s^2, and w = prod sqrt(s) exp(-s u^2 / 2 sigma^2) */
            const double share = s->shift[i], a = s->semiaxis[i], inverse = s->decay[i] / share;
            const double by_share = u * slope + plain * (0.5 / share - 0.5 * u * u * inverse);
            const double by_a = a * share * share * product[TWICE_X + i][k] - 2 * a * share * s->decay[i] * by_share;
            diameters[g->order[i]] += 0.5 * by_a;
        }
    }
    for (int x = 0; x < 3; x++)
        force[x] = g->axes[x][0] * along[0] + g->axes[x][1] * along[1] + g->axes[x][2] * along[2];
}

/* One pair's share of everything but the turning, which is the group's. */
static void add_pair(const Basis *b, const Group *g, const Pair *pair, const V *product, int k,
                     const Derivatives *to)
{
    double force[3];
    differentiate_pair(g, pair, product, k, force, to->diameters ? to->diameters + 3 * pair->particle : NULL);
    const double along = fading(b, pair->r) * product[PLAIN][k];

    for (int x = 0; x < 3; x++)
        force[x] += along * pair->r[x];
    for (int x = 0; x < 3; x++) {
        to->positions[3 * pair->particle + x] += force[x];
        to->positions[3 * g->centre + x] -= force[x];
        for (int y = 0; y < 3; y++)
            to->strain[9 * g->frame + 3 * x + y] += pair->r[x] * force[y];
    }

    if (g->kind == SPHERES)
        return;

    double *torque = to->rotations + 3 * pair->particle;
    torque[0] -= pair->r[1] * force[2] - pair->r[2] * force[1];
    torque[1] -= pair->r[2] * force[0] - pair->r[0] * force[2];
    torque[2] -= pair->r[0] * force[1] - pair->r[1] * force[0];
}
