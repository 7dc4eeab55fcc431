/* Rows of the Jacobian: derivatives of coefficients by chosen particles, six each, three of position and three of turn.
 *
 * They are the changes of tangent.h along the axes of the neighbour, before these become those of space. With u the
 * displacement in these axes and S[x] = sum of x times the moments over the pairs of a group,
 *
 *     by position k:  S[(fading - decay_k) u_k] + shift_k d_k S[1]
 *     by turn a:      S[sum_k decay_k u_k (e_a x u)_k] - sum_k shift_k d_k S[(e_a x u)_k] + E[(e_a x x).grad f],
 *
 * so that ten sums serve for all six. What moves a neighbour moves the centre the other way: the derivatives by the
 * centre's own position are minus the sum over its neighbours, taken before anything is multiplied. */
#pragma once
#include "tangent.h"

enum { BY_PLACE = 1, PLACE_SUMS = 4, BY_U = PLACE_SUMS, BY_TURN = 7, ROW_SUMS = MOST_SUMS };
enum { POSITION, TURN = 3, ROWS = 6 };

/* Of which particles, and where the derivatives go. */
typedef struct {
    const int64_t *record; /* [particle] the first of its records, or -1 */
    real *out;             /* [record][ROWS][width of the features], to which is added: one for a particle where the
                              features are a mean, else one for each centre of its frame */
} Chosen;

typedef struct {
    Batch batch;           /* sized for `wider` */
    const Basis *basis;
    const Basis *wider;    /* of the moments: lmax + 1 */
    V *sum[ROW_SUMS];      /* in the layout of `wider` */
    V *row[ROWS];          /* in that of `basis` */
    real *neighbour;       /* [lane][species][Basis.row] one row of a batch */
    real *centre;          /* [centre of the block][3][species][Basis.row] by its own position */
} RowWork;

/* What the moments of the pairs `p` and `p + 1` of each group are multiplied with in each sum. */
static void row_weights(V weight[PAIRS][ROW_SUMS], const Basis *b, const Shared *shared, const Group *const *groups,
                        int lanes, const Neighbours *nb, int p)
{
    for (int q = 0; q < PAIRS; q++) {
        Exact r[3] = {{0}}, faded = {0}, u[3];

        for (int k = 0; k < lanes; k++) {
            if (p + q >= groups[k]->count)
                continue;
            const Pair *pair = nb->pairs + groups[k]->first + p + q;

            faded[k] = fading(b, pair->r);
            for (int x = 0; x < 3; x++)
                r[x][k] = pair->r[x];
        }
        for (int i = 0; i < 3; i++) {
            u[i] = shared->axes[0][i] * r[0] + shared->axes[1][i] * r[1] + shared->axes[2][i] * r[2];
            weight[q][BY_PLACE + i] = rounded((faded - shared->decay[i]) * u[i]);
            weight[q][BY_U + i] = rounded(u[i]);
        }
        for (int i = 0; i < 3; i++) {
            const int j = (i + 1) % 3, k = (i + 2) % 3;
            weight[q][BY_TURN + i] = rounded((shared->decay[k] - shared->decay[j]) * u[j] * u[k]);
        }
        weight[q][MOMENTS] = splat(1);
    }
}

/* What derivatives of moments give to the rows by position, in the axes of the neighbour. */
static void add_places(const RowWork *w, const Exact *shift, int kind)
{
    for (int k = 0; k < 3; k++)
        add_derivative(k, w->basis, w->wider, w->row[k], w->sum[MOMENTS], rounded(shift[k]), kind);
}

/* The same by turn, and the generators: e_x x u = (0, -u_z, u_y), and so on. */
static void add_turns(const RowWork *w, const Exact *shift, int kind)
{
    for (int i = 0; i < 3; i++) {
        const int j = (i + 1) % 3, k = (i + 2) % 3;
        V axis[3] = {splat(0), splat(0), splat(0)}, *row = w->row[TURN + i];

        axis[i] = splat(1);
        add_derivative(j, w->basis, w->wider, row, w->sum[BY_U + k], rounded(shift[j]), kind);
        add_derivative(k, w->basis, w->wider, row, w->sum[BY_U + j], rounded(-shift[k]), kind);
        add_turn(w->basis, w->wider, row, w->sum[MOMENTS], axis, kind);
    }
}

/* From the axes of the neighbour to those of space. */
static void to_space(const RowWork *w, const Shared *shared, int first)
{
    for (int64_t j = 0; j < w->basis->values; j++) {
        const V a = w->row[first][j], b = w->row[first + 1][j], c = w->row[first + 2][j];

        for (int x = 0; x < 3; x++)
            w->row[first + x][j] = rounded(shared->axes[x][0]) * a + rounded(shared->axes[x][1]) * b +
                                   rounded(shared->axes[x][2]) * c;
    }
}

/* Two pairs of each group, added to all sums or to those that rows by position need. */
static void add_rows(RowWork *w, int all, int fresh, const Mean *mean, Covariance cov, int kind, const V *first,
                     const V *second)
{
    if (all && fresh)
        add_weighted(ROW_SUMS, 1, &w->batch, w->wider, w->sum, mean, cov, kind, first, second);
    else if (all)
        add_weighted(ROW_SUMS, 0, &w->batch, w->wider, w->sum, mean, cov, kind, first, second);
    else if (fresh)
        add_weighted(PLACE_SUMS, 1, &w->batch, w->wider, w->sum, mean, cov, kind, first, second);
    else
        add_weighted(PLACE_SUMS, 0, &w->batch, w->wider, w->sum, mean, cov, kind, first, second);
}

/* The rows from `first` to `end` of a batch of groups, in the frames of their centres. */
static void rows_of(RowWork *w, const Group *const *groups, int lanes, const Neighbours *nb, int first, int end)
{
    const Basis *b = w->basis;
    const int kind = groups[0]->kind;
    Shared shared;
    share(&shared, groups, lanes);

    for (int p = 0; p < shared.most; p += PAIRS) {
        V weight[PAIRS][ROW_SUMS];
        Mean mean[PAIRS];

        means_of(mean, &w->batch, w->wider->lmax, &shared, groups, lanes, nb, p);
        row_weights(weight, b, &shared, groups, lanes, nb, p);
        add_rows(w, end > TURN, p == 0, mean, shared.covariance, kind, weight[0], weight[1]);
    }

    for (int r = first; r < end; r++)
        narrow(b, w->wider, w->row[r], w->sum[r < TURN ? BY_PLACE + r : BY_TURN + r - TURN], kind);
    if (first == POSITION)
        add_places(w, shared.shift, kind);
    if (end > TURN)
        add_turns(w, shared.shift, kind);

    write_angles(&w->batch, b, groups, lanes);
    for (int r = first; r < end; r += 3)
        to_space(w, &shared, r);
    for (int r = first; r < end; r++)
        finish(&w->batch, w->row[r], b, kind);
}
