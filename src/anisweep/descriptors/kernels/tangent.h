/* Directional derivatives: by how much coefficients change when particles move and turn and frames are strained.
 *
 * A moment depends on a pair through its weight and its mean alone, and d/da_k E[f] = E[d_k f] as in gradients.h. So
 *
 *     dE[f] = (d log w) E[f] + sum_k da_k E[d_k f],
 *
 * and what differs from pair to pair are four numbers. The moments times each of them are summed over the pairs of a
 * group, and d_k is applied to the sums, once for a group. Where the neighbour turns by theta, its displacement counts
 * as turned with it, so that the coefficients turn: E[(theta x x).grad f], and what is left of the displacement's
 * change is dr - theta x r. The centre's frame stays where it was. */
#pragma once
#include "gradients.h"

/* What moves, and how. */
typedef struct {
    const double *displacements; /* [particle][3] */
    const double *turns;         /* [particle][3] rotation vectors in space: R -> exp(theta) R */
    const double *strains;       /* [frame][3][3] row vectors r -> r (1 + strain), or NULL */
} Directions;

/* Sums over the pairs of a group: the moments, and the moments times a pair's change of log w, a_x, a_y, a_z. */
enum { MOMENTS, BY_WEIGHT, BY_X, BY_Y, BY_Z, WEIGHTED, MOST_SUMS = 10 }; /* rows.h has most */

typedef struct {
    Batch batch;           /* sized for `wider` */
    const Basis *basis;
    const Basis *wider;    /* of the moments: lmax + 1 */
    V *sum[WEIGHTED];      /* in the layout of `wider` */
} Tangent;

/* By how much a pair's displacement changes, less theta x r where the neighbour has an orientation. */
static void displace(double step[3], const Group *g, const Pair *pair, const Directions *v)
{
    const double *from = v->displacements + 3 * g->centre, *to = v->displacements + 3 * pair->particle;
    double turned[3] = {0};

    if (g->kind != SPHERES)
        cross(turned, v->turns + 3 * pair->particle, pair->r);
    for (int x = 0; x < 3; x++) {
        step[x] = to[x] - from[x] - turned[x];
        for (int y = 0; y < 3 && v->strains; y++)
            step[x] += pair->r[y] * v->strains[9 * g->frame + 3 * y + x];
    }
}

/* What the moments of the pairs `p` and `p + 1` of each group are multiplied with in each sum. */
static void weights_of(V weight[PAIRS][WEIGHTED], const Basis *b, const Shared *shared, const Group *const *groups,
                       int lanes, const Neighbours *nb, int p, const Directions *v)
{
    for (int q = 0; q < PAIRS; q++) {
        Exact r[3] = {{0}}, step[3] = {{0}}, by_weight = {0};

        for (int k = 0; k < lanes; k++) {
            if (p + q >= groups[k]->count)
                continue;
            const Pair *pair = nb->pairs + groups[k]->first + p + q;
            double change[3];

            displace(change, groups[k], pair, v);
            by_weight[k] = fading(b, pair->r) * dot(change, pair->r);
            for (int x = 0; x < 3; x++) {
                r[x][k] = pair->r[x];
                step[x][k] = change[x];
            }
        }
        for (int i = 0; i < 3; i++) {
            const Exact *axis[3] = {&shared->axes[0][i], &shared->axes[1][i], &shared->axes[2][i]};
            const Exact u = *axis[0] * r[0] + *axis[1] * r[1] + *axis[2] * r[2];
            const Exact du = *axis[0] * step[0] + *axis[1] * step[1] + *axis[2] * step[2];

            by_weight -= shared->decay[i] * u * du;
            weight[q][BY_X + i] = rounded(shared->shift[i] * du);
        }
        weight[q][MOMENTS] = splat(1);
        weight[q][BY_WEIGHT] = rounded(by_weight);
    }
}

/* A line of both pairs' moments, added to `count` sums at `place` with the weights of each, times the factor of each
 * pair. The `fresh` sums of a batch's first pairs hold nothing yet. */
INLINE void spread_line(const int count, const int fresh, int N, V *const *sum, int64_t place, const V *const row[PAIRS],
                        const V factor[PAIRS], const V *first, const V *second)
{
    V by[PAIRS][MOST_SUMS];

    for (int s = MOMENTS + 1; s < count; s++) {
        by[0][s] = factor[0] * first[s];
        by[1][s] = factor[1] * second[s];
    }
    for (int n = 0; n < N; n++) {
        const V x = row[0][n], y = row[1][n], none = splat(0);

        sum[MOMENTS][place + n] = (fresh ? none : sum[MOMENTS][place + n]) + factor[0] * x + factor[1] * y;
        for (int s = MOMENTS + 1; s < count; s++)
            sum[s][place + n] = (fresh ? none : sum[s][place + n]) + by[0][s] * x + by[1][s] * y;
    }
}

/* The same for all m of one l. */
INLINE void spread(const int count, const int fresh, const Batch *batch, const Basis *e, V *const *sum, const Mean *mean,
                   int l, int kind, const V *first, const V *second)
{
    const int N = e->moments[l], stride = e->stride;
    const int64_t middle = e->offset[l] + l * N;

    for (int m = 0; m <= l; m++) {
        const Lines lines = lines_of(batch, mean, stride, l, m, kind);

        spread_line(count, fresh, N, sum, middle + m * N, lines.re, lines.by_re, first, second);
        if (m > 0)
            spread_line(count, fresh, N, sum, middle - m * N, lines.im, lines.by_im, first, second);
    }
}

/* Two pairs of each group. */
INLINE void add_weighted(const int count, const int fresh, Batch *batch, const Basis *e, V *const *sum,
                         const Mean *mean, Covariance cov, int kind, const V *first, const V *second)
{
    V shape[3];

    first_degree(batch, e, mean, cov, shape);
    spread(count, fresh, batch, e, sum, mean, 0, kind, first, second);

    for (int l = 1; l <= e->lmax; l++) {
        next_degree(batch, e, l, mean, shape, kind, NULL);
        spread(count, fresh, batch, e, sum, mean, l, kind, first, second);
    }
}

/* One term of d_k for one l and m: N values `to`, and c share(n) factor times those of a sum at l + 1 (`up`) or l - 1
 * and at m `from`; divided by i where that is asked for. */
INLINE void add_term(const int up, const int over_i, const Basis *e, V *to_re, V *to_im, int N, int l, int from,
                     const V *sum, V factor, real c)
{
    const int degree = up ? l + 1 : l - 1, M = degree < 0 ? 0 : e->moments[degree];
    const int end = up && M < N - 1 ? M + 1 : N;

    if (from < 0 || from > degree)
        return;
    const V *re = sum + e->offset[degree] + (degree + from) * M - up, *im = re - 2 * from * M;
    const real slope = 2 * c / (2 * l + 1);

    for (int n = up; n < end; n++) {
        const V share = (up ? n * slope : c + n * slope) * factor;
        const V x = re[n], y = from ? im[n] : splat(0);

        to_re[n] += over_i ? share * y : share * x;
        if (to_im)
            to_im[n] += over_i ? -share * x : share * y;
    }
}

/* to += factor d_k of a sum: the formulas of gradients.h, with d_x = (d_+ + d_-) / 2 and d_y = (d_+ - d_-) / 2i. What is
 * real at m = 0 has only the real part of these, which d_+ alone makes. Of mirrored pairs odd l vanish. */
INLINE void differentiate(const int axis, const Basis *b, const Basis *e, V *to, const V *sum, V factor, int kind)
{
    for (int l = 0; l <= b->lmax; l += kind & EVEN ? 2 : 1)
        for (int m = 0; m <= l; m++) {
            const int N = b->moments[l];
            const real half = m ? 0.5 : 1, minus = axis == 1 ? -0.5 : 0.5;
            V *re = to + b->offset[l] + (l + m) * N, *im = m ? re - 2 * m * N : NULL;

            if (axis == 2) {
                add_term(1, 0, e, re, im, N, l, m, sum, factor, l - m + 1);
                add_term(0, 0, e, re, im, N, l, m, sum, factor, l + m);
            } else {
                add_term(1, axis, e, re, im, N, l, m + 1, sum, factor, half);
                add_term(0, axis, e, re, im, N, l, m + 1, sum, factor, -half);
                add_term(1, axis, e, re, im, N, l, m - 1, sum, factor, -minus * (l - m + 1) * (l - m + 2));
                add_term(0, axis, e, re, im, N, l, m - 1, sum, factor, minus * (l + m) * (l + m - 1));
            }
        }
}

NOINLINE void differentiate_x(const Basis *b, const Basis *e, V *to, const V *sum, const V *factor, int kind)
{
    differentiate(0, b, e, to, sum, *factor, kind);
}

NOINLINE void differentiate_y(const Basis *b, const Basis *e, V *to, const V *sum, const V *factor, int kind)
{
    differentiate(1, b, e, to, sum, *factor, kind);
}

NOINLINE void differentiate_z(const Basis *b, const Basis *e, V *to, const V *sum, const V *factor, int kind)
{
    differentiate(2, b, e, to, sum, *factor, kind);
}

/* The same for one of the axes. */
static void add_derivative(int axis, const Basis *b, const Basis *e, V *to, const V *sum, V factor, int kind)
{
    (axis == 0 ? differentiate_x : axis == 1 ? differentiate_y : differentiate_z)(b, e, to, sum, &factor, kind);
}

/* What one degree, l + 1 or l - 1, gives to sum_k d_k of the sums along[k] at l and m: `next` times d_+ from m + 1, `last`
 * times d_- from m - 1, and `same` times d_z. */
typedef struct {
    Line x[2], y[2], z;
    real next, last, same;
} Source;

INLINE Source source_of(const Basis *e, V *const along[3], int l, int m, double next, double last, double same)
{
    const int degree = e->moments[l] > 0 ? l : -1, from = degree < 0 ? 0 : l; /* nothing may be read from an empty one */
    const int after = m + 1 <= degree, before = m > 0 && degree >= 0, here = m <= degree;

    return (Source){{line_of(e, along[0], from, after * (m + 1)), line_of(e, along[0], from, before * (m - 1))},
                    {line_of(e, along[1], from, after * (m + 1)), line_of(e, along[1], from, before * (m - 1))},
                    line_of(e, along[2], from, here * m), after * next, before * last, here * same};
}

typedef struct {
    V re, im;
} Complex;

INLINE Complex taken(const Source *s, int m, int n)
{
    const real imaginary = m > 1; /* of m - 1 */
    const V re = s->next * (s->x[0].re[n] + s->y[0].im[n]) + s->same * s->z.re[n] +
                 s->last * (s->x[1].re[n] - imaginary * s->y[1].im[n]);
    const V im = s->next * (s->x[0].im[n] - s->y[0].re[n]) + s->same * s->z.im[n] +
                 s->last * (imaginary * s->x[1].im[n] + s->y[1].re[n]);

    return (Complex){re, im};
}

/* to += sum_k d_k of the sums along[k]: `differentiate` for three at once. */
static void add_divergence(const Basis *b, const Basis *e, V *to, V *const along[3], int kind)
{
    for (int l = 0; l <= b->lmax; l += kind & EVEN ? 2 : 1)
        for (int m = 0; m <= l; m++) {
            const int N = b->moments[l];
            const real half = m ? 0.5 : 1, by_up = -0.5 * (l - m + 1) * (l - m + 2), by_low = 0.5 * (l + m) * (l + m - 1);
            const Source up = source_of(e, along, l + 1, m, half, by_up, l - m + 1);
            const Source low = source_of(e, along, l ? l - 1 : 0, m, l ? -half : 0, by_low, l + m);
            V *re = to + b->offset[l] + (l + m) * N, *im = re - 2 * m * N;

            for (int n = 0; n < N; n++) {
                const real raised = 2.0 * n / (2 * l + 1);
                const Complex above = taken(&up, m, n - (n > 0)), below = taken(&low, m, n);

                re[n] += raised * above.re + (1 + raised) * below.re;
                if (m > 0)
                    im[n] += raised * above.im + (1 + raised) * below.im;
            }
        }
}

/* to += E[(theta x x).grad f], from the moments: the components stand at `turning`. Of mirrored pairs odd l vanish. */
static void add_turn(const Basis *b, const Basis *e, V *to, const V *moments, const V theta[3], int kind)
{
    const V x = 0.5 * theta[0], y = 0.5 * theta[1], z = theta[2];

    for (int l = kind & EVEN ? 2 : 1; l <= b->lmax; l += kind & EVEN ? 2 : 1) {
        const int N = b->moments[l], M = e->moments[l];
        const V *from = moments + e->offset[l] + l * M;
        V *line = to + b->offset[l] + l * N;

        for (int n = 0; n < N; n++)
            line[n] += 2 * x * from[n - M] - 2 * y * from[n + M];
        for (int m = 1; m <= l; m++) {
            const real q = (l + m) * (l - m + 1.0), there = m < l, odd = m > 1;
            const V *re = from + m * M, *im = from - m * M;
            const int next = m < l ? M : 0; /* there is nothing beyond m = l */

            for (int n = 0; n < N; n++) {
                const V up_re = there * re[n + next], up_im = there * im[n - next];
                const V low_re = q * re[n - M], low_im = odd * q * im[n + M];

                line[m * N + n] += x * (up_im + low_im) - y * (up_re - low_re) - (real)m * z * im[n];
                line[-m * N + n] += (real)m * z * re[n] - x * (up_re + low_re) - y * (up_im - low_im);
            }
        }
    }
}

/* One of the sums in the layout of the basis; of mirrored pairs odd l vanish. */
static void narrow(const Basis *b, const Basis *e, V *to, const V *from, int kind)
{
    const int64_t kept = kind & EVEN ? 0 : b->values;

    memset(to + kept, 0, (b->row - kept) * sizeof(V));
    for (int l = 0; l <= b->lmax; l += kind & EVEN ? 2 : 1)
        for (int m = 0; m < 2 * l + 1; m++)
            memcpy(to + b->offset[l] + m * b->moments[l], from + e->offset[l] + m * e->moments[l],
                   b->moments[l] * sizeof(V));
}

/* The groups' turns, in their own axes. */
static void turns_of(V theta[3], const Group *const *groups, int lanes, const Directions *v)
{
    for (int i = 0; i < 3; i++) {
        theta[i] = splat(0);
        for (int k = 0; k < lanes; k++) {
            const double(*axes)[3] = groups[k]->axes, *turn = v->turns + 3 * groups[k]->particle;
            theta[i][k] = axes[0][i] * turn[0] + axes[1][i] * turn[1] + axes[2][i] * turn[2];
        }
    }
}

/* Changes of the groups' values in their own frames, from the sums over pairs, into batch->sum. */
static void gather_changes(Tangent *w, const Group *const *groups, int lanes, int kind, const Directions *v)
{
    const Basis *b = w->basis, *e = w->wider;
    V theta[3];

    turns_of(theta, groups, lanes, v);
    narrow(b, e, w->batch.sum, w->sum[BY_WEIGHT], kind);

    add_divergence(b, e, w->batch.sum, w->sum + BY_X, kind);
    if (kind != SPHERES)
        add_turn(b, e, w->batch.sum, w->sum[MOMENTS], theta, kind);
}

/* Up to LANES groups of one kind: their values, and by how much these change, added to the rows of their centres. */
static void change_batch(Tangent *w, const Group *const *groups, int lanes, const Neighbours *nb,
                         const int64_t *species, int64_t species_count, const Directions *v, real *values,
                         real *changes)
{
    const Basis *b = w->basis;
    const int kind = groups[0]->kind;
    real *rows[LANES], *changed[LANES];
    Shared shared;
    share(&shared, groups, lanes);

    for (int k = 0; k < LANES; k++) {
        const Group *g = groups[k < lanes ? k : 0];
        const int64_t place = (g->row * species_count + species[g->particle]) * b->row;
        rows[k] = k < lanes ? values + place : w->batch.waste;
        changed[k] = k < lanes ? changes + place : w->batch.waste;
    }

    for (int p = 0; p < shared.most; p += PAIRS) {
        V weight[PAIRS][WEIGHTED];
        Mean mean[PAIRS];

        means_of(mean, &w->batch, w->wider->lmax, &shared, groups, lanes, nb, p);
        weights_of(weight, b, &shared, groups, lanes, nb, p, v);
        if (p == 0)
            add_weighted(WEIGHTED, 1, &w->batch, w->wider, w->sum, mean, shared.covariance, kind, weight[0], weight[1]);
        else
            add_weighted(WEIGHTED, 0, &w->batch, w->wider, w->sum, mean, shared.covariance, kind, weight[0], weight[1]);
    }

    gather_changes(w, groups, lanes, kind, v);
    write_angles(&w->batch, b, groups, lanes);
    finish(&w->batch, w->batch.sum, b, kind);
    add_to_rows(changed, w->batch.sum, b->row);

    narrow(b, w->wider, w->batch.sum, w->sum[MOMENTS], kind);
    finish(&w->batch, w->batch.sum, b, kind);
    add_to_rows(rows, w->batch.sum, b->row);
}

/* Changes of the products: f sum_m (c_a d_b + d_a c_b). Both terms are one sum over twice as many rows, c and d
 * beside d and c; `room` holds c, d and c again. */
static void changes_of_products(V *P, V *room, const V *c, const V *d, int l, int channels)
{
    const int size = (2 * l + 1) * channels;

    memcpy(room, c, size * sizeof(V));
    memcpy(room + size, d, size * sizeof(V));
    memcpy(room + 2 * size, c, size * sizeof(V));
    multiply_rows(P, room, room + size, 2 * (2 * l + 1), channels, factor_of(l));
}
