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
 * For a shape of revolution g = alpha^m h(|alpha|^2), alpha = ax + i ay, and three products do. With b a complex number,
 * so that the function is Re sum conj(b) g,
 *
 *     (d/dax - i d/day) Re sum conj(b) g = sum m conj(b) alpha^(m-1) h + conj(alpha) Re sum conj(b) alpha^m 2h',
 *
 * where 2h' alpha^(m+1) is the derivative by x + iy: the last sum is the product with b_+, the transpose of that alone,
 * and with alpha^(m-1).
 *
 * Turning a neighbour together with its displacement turns the coefficients, so the derivative with respect to
 * its orientation alone is sum b E[(x cross grad) f] - r cross dE/dr: no derivative of a rotation is needed. */
#pragma once
#include "coefficients.h"

/* Products: in this order those of shapes of revolution, of others, and of even or odd l alone stand side by side. */
enum { ALONG_X, ALONG_Y, ALONG_Z, PLAIN, TWICE_X, TWICE_Y, TWICE_Z, PRODUCTS };
enum { ALONG_PLUS = ALONG_Y }; /* b_+, which takes the place of b_x and b_y */
enum { AXIAL_PRODUCTS = PLAIN + 1 - ALONG_PLUS };

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
    V *sums;                 /* of two pairs: see pair_products */
} Backward;

/* Rows at l and m: n values each of (Re, Im). */
typedef struct {
    const V *re, *im;
} Line;

INLINE Line line_of(const Basis *e, const V *sum, int l, int m)
{
    const V *middle = sum + e->offset[l] + l * e->moments[l];
    return (Line){middle + m * e->moments[l], middle - m * e->moments[l]};
}

/* The transposes of d_x, d_y and d_z for one l. From l - 1 comes R, raise[n] times what is at n + 1, and from l + 1 comes L,
 * lower[n] times what is at n. d_x = (d_+ + d_-) / 2 and d_y = (d_+ - d_-) / 2i, so what is at m gives p to m + 1, twice
 * that from m = 0, and q to m - 1. With `axial` x is the transpose of d_+, and there is no y. */
INLINE void transpose_degree(const int axial, const Basis *b, V *raise, V *x, V *y, V *z, const V *in, int l)
{
    const int N = b->moments[l], low = l > 0 ? l - 1 : 0;
    const int high = l < b->lmax && b->moments[l + 1] > 0 ? l + 1 : l; /* nothing may be read from an empty one */
    const int64_t middle = b->offset[l] + l * N;
    V *lower = raise + N;

    for (int n = 0; n < N; n++) {
        raise[n] = splat(low < l && n + 1 < b->moments[low] ? (n + 1) * 2.0 / (2 * l - 1) : 0);
        lower[n] = splat(high > l && n < b->moments[high] ? 1 + n * 2.0 / (2 * l + 3) : 0);
        x[middle + n] = y[middle + n] = splat(0);
    }

    for (int m = 0; m <= (axial ? l : l + 1); m++) {
        const Line below = line_of(b, in, low, m < low ? m : low), above = line_of(b, in, high, m < high ? m : high);
        const real half = axial || m == 0 ? 1 : 0.5, some = m > 0, more = m > 1;
        const real by_R = -0.5 * (l - m) * (l - m + 1), by_L = 0.5 * (l + m + 1) * (l + m);
        const int64_t re = middle + m * N, im = middle - m * N;

        for (int n = 0; n < N; n++) {
            const V R = raise[n] * below.re[n + 1], R_im = some * raise[n] * below.im[n + 1];
            const V L = lower[n] * above.re[n], L_im = some * lower[n] * above.im[n];
            const V p = half * (R - L), p_im = half * (R_im - L_im);

            if (m <= l) {
                z[im + n] = (real)(l - m) * R_im + (real)(l + 1 + m) * L_im;
                z[re + n] = (real)(l - m) * R + (real)(l + 1 + m) * L;
            }
            if (m < l) {
                x[im - N + n] = p_im;
                x[re + N + n] = p;
            }
            if (m < l && !axial) {
                y[im - N + n] = p;
                y[re + N + n] = -p_im;
            }
            if (m > 0 && !axial) {
                x[im + N + n] += more * (by_L * L_im + by_R * R_im);
                x[re - N + n] += by_L * L + by_R * R;
                y[im + N + n] -= more * (by_L * L + by_R * R);
                y[re - N + n] += by_L * L_im + by_R * R_im;
            }
        }
    }
}

/* The same for all l. */
NOINLINE void transpose_gradient(const Basis *b, V *room, V *x, V *y, V *z, const V *in)
{
    for (int l = 0; l <= b->lmax; l++)
        transpose_degree(0, b, room, x, y, z, in, l);
}

/* Vectors for the products of a batch's groups, from b. Of mirrored pairs b has even l alone. */
static void transpose_products(Backward *w, int kind, int diameters)
{
    const Basis *e = w->wider;
    V *const *to = w->product, *room = w->batch.scratch, *unused = w->batch.sum;

    if (kind & TRIAXIAL)
        transpose_gradient(e, room, to[ALONG_X], to[ALONG_Y], to[ALONG_Z], to[PLAIN]);
    for (int l = kind & EVEN ? 1 : 0; l <= e->lmax && !(kind & TRIAXIAL); l += kind & EVEN ? 2 : 1)
        transpose_degree(1, e, room, to[ALONG_PLUS], unused, to[ALONG_Z], to[PLAIN], l);
    if (diameters) {
        transpose_gradient(e, room, to[TWICE_X], unused, unused, to[ALONG_X]);
        transpose_gradient(e, room, unused, to[TWICE_Y], unused, to[ALONG_Y]);
        transpose_gradient(e, room, unused, unused, to[TWICE_Z], to[ALONG_Z]);
    }
}

/* Cotangents of a batch's groups in their own frames: the way of `finish`, backwards. What the wider basis has
 * beyond the basis stays zero. */
static void pull_back(Backward *w, const Group *const *groups, int lanes, int kind, const real *const *rows)
{
    const Basis *b = w->basis, *e = w->wider;
    const real weight = kind & EVEN ? 2 : 1;
    V *value = w->batch.sum;

    from_rows(value, rows, b->row);
    write_angles(&w->batch, b, groups, lanes);

    for (int l = 0; l <= b->lmax; l += kind & EVEN ? 2 : 1) {
        const int N = b->moments[l], wide = e->moments[l];
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
static void turning(const Basis *e, int lmax, const V *b, const V *g, int kind, V torque[3])
{
    V x[2] = {splat(0), splat(0)}, y[2] = {splat(0), splat(0)}, z = splat(0);

    for (int l = kind & EVEN ? 2 : 1; l <= lmax; l += kind & EVEN ? 2 : 1) {
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

/* Dot products of a line of both pairs' moments with `count` vectors at `place`, added to `to`. */
INLINE void multiply_line(const int count, int N, V *const *product, int64_t place, const V *const row[PAIRS],
                          V (*to)[PAIRS])
{
    V sum[PRODUCTS][PAIRS];

    for (int p = 0; p < count; p++)
        for (int q = 0; q < PAIRS; q++)
            sum[p][q] = to[p][q];
    for (int n = 0; n < N; n++)
        for (int p = 0; p < count; p++) {
            const V by = product[p][place + n];
            for (int q = 0; q < PAIRS; q++)
                sum[p][q] += by * row[q][n];
        }
    for (int p = 0; p < count; p++)
        for (int q = 0; q < PAIRS; q++)
            to[p][q] = sum[p][q];
}

/* The same for all m of one l. `all` products lie side by side; those of Re and Im of each m are apart for shapes of
 * revolution, whose moments are to be multiplied with powers of alpha yet. */
INLINE void multiply(const int count, int all, const Backward *w, const Mean *mean, V *const *product, V (*to)[PAIRS],
                     int l, int kind)
{
    const Basis *e = w->wider;
    const int N = e->moments[l], one = kind & TRIAXIAL;
    const int64_t middle = e->offset[l] + l * N;

    for (int m = 0; m <= l; m++) {
        const Lines lines = lines_of(&w->batch, mean, e->stride, l, m, kind);

        multiply_line(count, N, product, middle + m * N, lines.re, to + (one ? 0 : 2 * m * all));
        if (m > 0)
            multiply_line(count, N, product, middle - m * N, lines.im, to + (one ? 0 : (2 * m + 1) * all));
    }
}

NOINLINE void multiply_some(int count, int all, const Backward *w, const Mean *mean, V *const *product,
                            V (*to)[PAIRS], int l, int kind)
{
    switch (count) {
    case 1: multiply(1, all, w, mean, product, to, l, kind); break;
    case 2: multiply(2, all, w, mean, product, to, l, kind); break;
    case 3: multiply(3, all, w, mean, product, to, l, kind); break;
    case 4: multiply(4, all, w, mean, product, to, l, kind); break;
    default: multiply(PRODUCTS, all, w, mean, product, to, l, kind);
    }
}

/* The products of one of the pairs, from what multiplies powers of alpha. */
static void axial_products(V to[PRODUCTS], V (*sums)[PAIRS], const Mean *mean, int lmax, int q)
{
    V plain = sums[PLAIN - ALONG_PLUS][q], z = sums[ALONG_Z - ALONG_PLUS][q], x = splat(0), y = x, outwards = x;

    for (int m = 1; m <= lmax; m++) {
        V(*re)[PAIRS] = sums + 2 * m * AXIAL_PRODUCTS, (*im)[PAIRS] = re + AXIAL_PRODUCTS;
        const V *power = mean->powers + 2 * m, *last = power - 2;
        const V b_re = re[PLAIN - ALONG_PLUS][q], b_im = im[PLAIN - ALONG_PLUS][q];

        plain += power[0] * b_re + power[1] * b_im;
        z += power[0] * re[ALONG_Z - ALONG_PLUS][q] + power[1] * im[ALONG_Z - ALONG_PLUS][q];
        outwards += last[0] * re[0][q] + last[1] * im[0][q];
        x += (real)m * (last[0] * b_re + last[1] * b_im);
        y += (real)m * (last[0] * b_im - last[1] * b_re);
    }
    to[PLAIN] = plain;
    to[ALONG_X] = x + mean->ax * outwards;
    to[ALONG_Y] = y + mean->ay * outwards;
    to[ALONG_Z] = z;
}

/* The products of two pairs of each group. Sums of the moments up to the basis' lmax are added to batch->sum; of mirrored
 * pairs these are of even l alone, as are the products that b itself or its second derivatives make. */
static void pair_products(Backward *w, const Mean *mean, Covariance cov, int kind, int diameters,
                          V to[PAIRS][PRODUCTS])
{
    const Basis *e = w->wider;
    const int axial = !(kind & TRIAXIAL), first = axial ? ALONG_PLUS : ALONG_X, end = diameters ? PRODUCTS : PLAIN + 1;
    V(*sums)[PAIRS] = (V(*)[PAIRS])w->sums, shape[3];

    memset(sums, 0, (axial ? 2 * (e->lmax + 1) : 1) * (end - first) * sizeof(*sums));
    first_degree(&w->batch, e, mean, cov, shape);

    for (int l = 0; l <= e->lmax; l++) {
        const int from = kind & EVEN && l % 2 == 0 ? PLAIN : first, before = kind & EVEN && l % 2 ? PLAIN : end;
        const int add = l <= w->basis->lmax && from <= PLAIN && before > PLAIN;

        if (l > 0)
            next_degree(&w->batch, e, l, mean, shape, kind, add ? w->batch.sum + e->offset[l] : NULL);
        multiply_some(before - from, end - first, w, mean, w->product + from, sums + from - first, l, kind);
    }
    for (int q = 0; q < PAIRS && axial; q++)
        axial_products(to[q], sums, mean + q, e->lmax, q);
    for (int q = 0; q < PAIRS && !axial; q++)
        for (int p = first; p < end; p++)
            to[q][p] = sums[p - first][q];
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
