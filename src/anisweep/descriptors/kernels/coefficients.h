/* From groups to the coefficients of their centres: moments, norms, rotation, sum. Lanes are groups. */
#pragma once
#include "neighbours.h"
#include "stages.h"
#include "triaxial.h"

typedef struct {
    V *state;   /* PAIRS x 3 rows of the recurrence */
    V *powers;  /* PAIRS x (lmax + 1) x 2, see Mean */
    V *sum;     /* values of a batch */
    V *scratch; /* one l */
    V *turns;   /* three angles */
    V *kappa;
    real *waste;   /* a row for lanes without a group */
    int size;      /* of a row of the state */
} Batch;

/* What the pairs of a group share: lane k is group k. */
typedef struct {
    Exact axes[3][3], shift[3], decay[3], weight; /* see Group and Shape */
    Covariance covariance;
    int most; /* pairs that a group has */
} Shared;

static void share(Shared *to, const Group *const *groups, int lanes)
{
    memset(to, 0, sizeof(*to));

    for (int k = 0; k < lanes; k++) {
        const Group *g = groups[k];

        for (int i = 0; i < 3; i++) {
            for (int x = 0; x < 3; x++)
                to->axes[x][i][k] = g->axes[x][i];
            to->shift[i][k] = g->shape.shift[i];
            to->decay[i][k] = g->shape.decay[i];
        }
        to->weight[k] = g->shape.weight;
        to->covariance.cx[k] = g->shape.variance[0];
        to->covariance.cy[k] = g->shape.variance[1];
        to->covariance.cz[k] = g->shape.variance[2];
        to->most = g->count > to->most ? g->count : to->most;
    }
}

/* e^x of the first lanes, x <= 0: as the mathematical library has it, or in single precision of all lanes at once, with
 * x = k ln 2 + y, |y| <= ln 2 / 2, as 2^k times the series of e^y. Below e^-87 that is zero. */
INLINE V exponential(Exact x, int lanes)
{
#ifdef ANISWEEP_SINGLE
    typedef __typeof__((V){0} == (V){0}) Bits;
    const double whole = 0x1.8p52; /* beyond it there are no fractions */
    const Exact k = (x * M_LOG2E + whole) - whole;
    const V y = rounded(x - k * M_LN2);
    const Bits power = (__builtin_convertvector(rounded(k), Bits) + 127) << 23, there = rounded(x) > -87;
    V series = splat(1);

    for (int n = 7; n > 0; n--)
        series = series * y * (real)(1.0 / n) + 1;
    return (V)((Bits)(series * (V)power) & there);
#else
    V value = x;

    for (int k = 0; k < lanes; k++)
        value[k] = exp(x[k]);
    return value;
#endif
}

/* The Gaussians of the pairs `p` and `p + 1` of each group, in its frame; those that are not there have weight
 * zero. */
static void means_of(Mean mean[PAIRS], const Batch *batch, int lmax, const Shared *shared,
                     const Group *const *groups, int lanes, const Neighbours *nb, int p)
{
    for (int q = 0; q < PAIRS; q++) {
        Exact r[3] = {{0}}, weight = {0}, a[3], decay = {0};

        for (int k = 0; k < lanes; k++) {
            if (p + q >= groups[k]->count)
                continue;
            const Pair *pair = nb->pairs + groups[k]->first + p + q;
            for (int x = 0; x < 3; x++)
                r[x][k] = pair->r[x];
            weight[k] = pair->weight;
        }
        for (int i = 0; i < 3; i++) {
            const Exact u = shared->axes[0][i] * r[0] + shared->axes[1][i] * r[1] + shared->axes[2][i] * r[2];
            decay += shared->decay[i] * u * u;
            a[i] = u * shared->shift[i];
        }

        V *powers = batch->powers + q * 2 * (lmax + 1);
        powers[0] = splat(1);
        powers[1] = splat(0);
        write_turns(powers, groups[0]->kind & TRIAXIAL ? 0 : lmax, a[0], a[1]);
        mean[q] = (Mean){rounded(weight) * exponential(-0.5 * decay, lanes) * rounded(shared->weight),
                         rounded(a[0]), rounded(a[1]), rounded(a[2]), powers};
    }
}

/* The moments of degree 0, and in `shape` what higher degrees need of the covariance. */
static void first_degree(const Batch *batch, const Basis *e, const Mean *mean, Covariance cov, V shape[3])
{
    const V c = 0.5 * (cov.cx + cov.cy);

    shape[0] = c;
    shape[1] = cov.cz - c;
    shape[2] = cov.cx - cov.cy;
    for (int q = 0; q < PAIRS; q++)
        seeds(batch->state + q * 3 * batch->size, batch->kappa, e->moments[0], mean[q], cov);
}

/* The moments of degree l, from those of lower degrees, added to `sum` unless it is NULL. */
static void next_degree(const Batch *batch, const Basis *e, int l, const Mean *mean, const V *shape, int kind, V *sum)
{
    if (kind & TRIAXIAL)
        triaxial(e->moments[l], sum, batch->state, batch->size, e->stride, l, mean, shape);
    else
        axial(e->moments[l], sum, batch->state, batch->size, e->stride, l, mean, shape);
}

/* Where the moments of both pairs are for all n of one l and m: by_re re[n] and by_im im[n], none for m = 0. */
typedef struct {
    const V *re[PAIRS], *im[PAIRS];
    V by_re[PAIRS], by_im[PAIRS];
} Lines;

INLINE Lines lines_of(const Batch *batch, const Mean *mean, int stride, int l, int m, int kind)
{
    Lines lines;

    for (int q = 0; q < PAIRS; q++) {
        V *const state = batch->state + q * 3 * batch->size;
        const int one = kind & TRIAXIAL;
        const V *now = one ? rows_at(state, l, batch->size).now : axial_rows_at(state, l, batch->size).now;

        lines.re[q] = now + (one ? l + m : m) * stride;
        lines.im[q] = now + (one ? l - m : m) * stride;
        lines.by_re[q] = one ? splat(1) : mean[q].powers[2 * m];
        lines.by_im[q] = one ? splat(1) : mean[q].powers[2 * m + 1];
    }
    return lines;
}

/* Values of the pairs `p` and `p + 1` of each group, added to batch->sum. */
static void add_moments(Batch *batch, const Basis *b, const Group *const *groups, int lanes,
                        const Neighbours *nb, int p, const Shared *shared, int kind)
{
    Mean mean[PAIRS];
    V shape[3];

    means_of(mean, batch, b->lmax, shared, groups, lanes, nb, p);
    first_degree(batch, b, mean, shared->covariance, shape);
    for (int q = 0; q < PAIRS; q++)
        for (int n = 0; n < b->moments[0]; n++)
            batch->sum[n] += batch->state[q * 3 * batch->size + n];

    for (int l = 1; l <= b->lmax; l++) {
        const int add = !(kind & EVEN) || l % 2 == 0;
        next_degree(batch, b, l, mean, shape, kind, add ? batch->sum + b->offset[l] : NULL);
    }
}

/* The angles of groups that are turned, into batch->turns. */
static void write_angles(Batch *batch, const Basis *b, const Group *const *groups, int lanes)
{
    const int size = 2 * (b->lmax + 1);

    for (int t = 0; t < 3 && groups[0]->kind & TURNED; t++) {
        Exact cosine = {0}, sine = {0};

        for (int k = 0; k < lanes; k++) {
            cosine[k] = groups[k]->euler.angle[t][0];
            sine[k] = groups[k]->euler.angle[t][1];
        }
        write_turns(batch->turns + t * size, b->lmax, cosine, sine);
    }
}

/* From values of a batch to orthonormal harmonics in the frame of the centre. */
static void finish(Batch *batch, V *values, const Basis *b, int kind)
{
    const int step = kind & EVEN ? 2 : 1;
    const real weight = kind & EVEN ? 2 : 1;

    for (int l = 0; l <= b->lmax; l += step) {
        const int N = b->moments[l], turned = kind & TURNED && l > 0;
        V *value = values + b->offset[l];

        for (int m = -l; m <= l && !(turned && weight == 1); m++)
            for (int n = 0; n < N; n++)
                value[(l + m) * N + n] *= turned ? weight : weight * norm_of(b, l, m);
        if (turned) /* which brings the norms */
            rotate(N, value, batch->scratch, b, batch->turns, l, kind & TRIAXIAL, 1);
    }
}

/* Up to LANES groups of one kind, added to the rows of their centres. */
static void add_batch(Batch *batch, const Basis *b, const Group *const *groups, int lanes,
                      const Neighbours *nb, const int64_t *species, int64_t species_count, real *values)
{
    const int kind = groups[0]->kind;
    real *rows[LANES];
    Shared shared;
    share(&shared, groups, lanes);

    for (int k = 0; k < LANES; k++)
        rows[k] = k < lanes ? values + (groups[k]->row * species_count + species[groups[k]->particle]) * b->row
                            : batch->waste;

    memset(batch->sum, 0, b->row * sizeof(V));
    for (int p = 0; p < shared.most; p += PAIRS)
        add_moments(batch, b, groups, lanes, nb, p, &shared, kind);
    MARK(MOMENTS);
    write_angles(batch, b, groups, lanes);
    finish(batch, batch->sum, b, kind);
    MARK(ROTATION);

    /* Lanes of one centre must be added one after the other. */
    add_to_rows(rows, batch->sum, b->row);
    MARK(SUM);
}
