/* What a call is asked for, and the memory that it works in. */
#pragma once
#include "backward.h"
#include "own_density.h"
#include "rows.h"

enum { COEFFICIENTS, POWER_SPECTRUM, PAIR_FEATURES }; /* Task.output */

/* What is wanted. A segment is a run of centres of one frame; it has a row of the averaged spectrum. The
 * fields are those of `Task` in tables.py. */
typedef struct {
    int64_t output, self_pairs, per_centre;
    int64_t segments;
    int64_t threads;        /* that take blocks, this one among them */
    int64_t next;           /* the first segment that no thread has taken */
    const int64_t *frame;   /* [segment] */
    const int64_t *from_particle; /* [segment + 1] the first of each segment */
    int64_t width;          /* of an output row */
    real *out;
    int64_t *found;         /* [centre][species] groups of neighbours */
    const real *cotangent; /* [centre or frame][width] derivatives by features, or NULL */
    int64_t cotangent_step; /* between rows: width, or 0 where all are one */
    int64_t failed_frame;   /* where the status is of a frame */
} Task;

typedef struct {
    Neighbours nb;
    Batch batch;
    real *values;          /* [centre of the block][species][Basis.row] */
    V *lanes, *c, *P;      /* of LANES centres: primitive, orthonormal, products */
    Backward backward;
    V *d;                  /* derivatives by orthonormal coefficients */
    real *padded;          /* rows of cotangents */
    Tangent tangent;
    RowWork rows;
    real *changes;         /* of `values` */
    real *own;             /* like `values`, of the centres' own densities: for pair features */
    real *own_changes;
    V *s, *ds;             /* like `c` and `d`, of the own densities */
    int64_t neighbours;    /* groups that are no own density: the first ones in order */
    V *pair;               /* c, d and c again of one l */
    int *order;            /* groups, sorted */
    int *needed;           /* those that rows of the Jacobian need */
    int64_t order_room, needed_room;
    int64_t frame;         /* that `nb` holds */
} Work;

/* Room for batches of a basis; 0 when there is none. */
static int open_batch(Batch *batch, const Basis *b)
{
    const size_t degree = 2 * b->lmax + 1;

    batch->size = degree * b->stride;
    batch->state = vectors(PAIRS * 3 * batch->size);
    batch->powers = vectors(PAIRS * 2 * (b->lmax + 1));
    batch->sum = vectors(b->row);
    batch->scratch = vectors(batch->size);
    batch->turns = vectors(3 * 2 * (b->lmax + 1));
    batch->kappa = vectors(b->stride + 1);
    batch->waste = calloc(b->row, sizeof(real));
    return batch->state && batch->powers && batch->sum && batch->scratch && batch->turns && batch->kappa && batch->waste;
}

static void close_batch(Batch *batch)
{
    void *all[] = {batch->state, batch->powers, batch->sum, batch->scratch, batch->turns, batch->kappa, batch->waste};
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
}

static int open_backward(Backward *w, const Basis *b, const Basis *wider)
{
    int there = open_batch(&w->batch, wider);

    w->basis = b;
    w->wider = wider;
    for (int i = 0; i < PRODUCTS; i++) {
        w->product[i] = vectors(wider->row);
        there = there && w->product[i];
    }
    for (int i = 0; i < PRODUCTS && there; i++)
        memset(w->product[i], 0, wider->row * sizeof(V));
    w->sums = vectors(2 * (wider->lmax + 1) * PRODUCTS * PAIRS);
    return there && w->sums;
}

static int open_tangent(Tangent *w, const Basis *b, const Basis *wider)
{
    int there = open_batch(&w->batch, wider);

    w->basis = b;
    w->wider = wider;
    for (int i = 0; i < WEIGHTED; i++) {
        w->sum[i] = vectors(wider->row);
        there = there && w->sum[i];
    }
    return there;
}

static int open_rows(RowWork *w, const Basis *b, const Basis *wider, int64_t species, int64_t centres)
{
    int there = open_batch(&w->batch, wider);

    w->basis = b;
    w->wider = wider;
    w->neighbour = vectors(species * b->row);
    w->centre = vectors((centres * 3 * species * b->row) / LANES + 1);
    for (int i = 0; i < ROW_SUMS; i++) {
        w->sum[i] = vectors(wider->row);
        there = there && w->sum[i];
    }
    for (int i = 0; i < ROWS; i++) {
        w->row[i] = vectors(b->row);
        there = there && w->row[i];
    }
    return there && w->neighbour && w->centre;
}

/* Particles of the largest of the frames `first` to `end`. */
static int64_t most_particles(const Particles *p, int64_t first, int64_t end)
{
    int64_t most = 0;

    for (int64_t f = first; f < end; f++)
        most = p->start[f + 1] - p->start[f] > most ? p->start[f + 1] - p->start[f] : most;
    return most;
}

/* Lists of groups and pairs that grew in one call wait here for the next. Memory that goes back to the system comes
 * from it again page by page, which took up to a tenth of a call's time. */
#define WAITING 16          /* threads whose lists are kept */
#define LARGEST (8 << 20)   /* bytes that are worth it */

static Neighbours *waiting[WAITING];

/* Lists that nobody uses, or none. */
static Neighbours take_lists(void)
{
    for (int i = 0; i < WAITING; i++) {
        Neighbours *kept = __atomic_exchange_n(&waiting[i], NULL, __ATOMIC_ACQ_REL);
        if (kept) {
            const Neighbours lists = {.groups = kept->groups, .group_room = kept->group_room,
                                      .pairs = kept->pairs,   .pair_room = kept->pair_room,
                                      .found = kept->found,   .found_room = kept->found_room};
            free(kept);
            return lists;
        }
    }
    return (Neighbours){0};
}

/* Keep the lists, or free them. */
static void leave_lists(const Neighbours *nb)
{
    const size_t bytes = nb->group_room * sizeof(Group) + (nb->pair_room + nb->found_room) * sizeof(Pair);
    Neighbours *kept = bytes > 0 && bytes <= LARGEST ? malloc(sizeof(Neighbours)) : NULL;

    if (kept)
        *kept = *nb;
    for (int i = 0; i < WAITING && kept; i++) {
        Neighbours *none = NULL;
        if (__atomic_compare_exchange_n(&waiting[i], &none, kept, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return;
    }
    free(kept);
    free(nb->groups);
    free(nb->pairs);
    free(nb->found);
}

/* Room for the neighbours in frames of so many particles, which count as spheres until they are entered: no
 * pair then stands for its mirror image. 0 when there is none. */
static int open_neighbours(Neighbours *nb, const Particles *p, int64_t most)
{
    *nb = take_lists();
    nb->bodies = malloc((most + 1) * sizeof(Body));
    nb->box.inside = malloc((most + 1) * 3 * sizeof(double));
    nb->box.place = malloc((most + 1) * 3 * sizeof(int));
    nb->box.bin = malloc((most + 1) * sizeof(int));
    nb->box.first = malloc((most + 2) * sizeof(int));
    nb->box.member = malloc((most + 1) * sizeof(int));
    nb->slot = malloc((most + p->alike_count + 1) * sizeof(int));

    for (int64_t i = 0; i < most && nb->bodies; i++)
        nb->bodies[i].sphere = 1;
    if (nb->slot)
        memset(nb->slot, -1, (most + p->alike_count + 1) * sizeof(int));
    return nb->bodies && nb->box.inside && nb->box.place && nb->box.bin && nb->box.first && nb->box.member &&
           nb->slot;
}

static void close_neighbours(Neighbours *nb)
{
    void *all[] = {nb->bodies,    nb->box.inside, nb->box.place, nb->box.bin,
                   nb->box.first, nb->box.member, nb->slot};

    leave_lists(nb);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
}

static void close_work(Work *w)
{
    void *all[] = {w->values, w->lanes, w->c, w->d, w->P, w->padded, w->order, w->needed,
                   w->changes, w->pair, w->own, w->own_changes, w->s, w->ds, w->rows.neighbour, w->rows.centre};

    close_neighbours(&w->nb);
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
    for (int i = 0; i < PRODUCTS; i++)
        free(w->backward.product[i]);
    free(w->backward.sums);
    for (int i = 0; i < WEIGHTED; i++)
        free(w->tangent.sum[i]);
    for (int i = 0; i < ROW_SUMS; i++)
        free(w->rows.sum[i]);
    for (int i = 0; i < ROWS; i++)
        free(w->rows.row[i]);
    close_batch(&w->batch);
    close_batch(&w->backward.batch);
    close_batch(&w->tangent.batch);
    close_batch(&w->rows.batch);
}

/* What a call computes, with `wider`, the basis of derivatives, where it is not features alone. */
typedef struct {
    const Basis *basis, *wider;
    const Particles *particles;
    Task *task;
    const Derivatives *to;  /* backwards, beside the features, or NULL */
    const Directions *v;    /* along these, in place of the features, or NULL */
    const Chosen *chosen;   /* by these particles, in place of the features, or NULL */
} Call;

/* Room for the derivatives of a call; 0 when there is no memory. */
static int open_derivatives(Work *w, const Call *call, size_t values, size_t widest, size_t sums, int centres)
{
    const Basis *b = call->basis, *wider = call->wider;
    const int64_t species = call->particles->species_count;

    w->d = vectors(UP(values));
    w->pair = vectors(3 * 2 * (b->lmax + 1) * species * b->stride);
    if (call->chosen)
        return w->d && w->pair && open_rows(&w->rows, b, wider, species, centres);
    if (call->v) {
        w->changes = vectors(sums);
        return w->d && w->pair && w->changes && open_tangent(&w->tangent, b, wider);
    }
    w->padded = calloc(LANES * widest, sizeof(real));
    return w->d && w->padded && open_backward(&w->backward, b, wider);
}

/* Room for the centres' own densities, and for what derivatives need of them; 0 when there is no memory. */
static int open_own(Work *w, const Call *call, size_t values, size_t sums)
{
    w->own = vectors(sums);
    w->s = vectors(UP(values));
    w->ds = vectors(UP(values));
    if (call->v)
        w->own_changes = vectors(sums);
    return w->own && w->s && w->ds && (!call->v || w->own_changes);
}

/* Room for the work on blocks of so many centres; 0 when there is no memory. */
static int open_work(Work *w, const Call *call, int centres)
{
    const Basis *b = call->basis;
    const Particles *p = call->particles;
    const Task *t = call->task;
    const size_t species = p->species_count, degrees = b->lmax + 1;
    const size_t values = degrees * degrees * species * b->stride;
    const size_t products = degrees * species * b->stride * species * b->stride;
    const size_t widest = UP(values > products ? values : products);
    const size_t sums = (centres + LANES) * species * b->row / LANES + 1;
    const int64_t most = t->segments ? most_particles(p, t->frame[0], t->frame[t->segments - 1] + 1) : 0;

    memset(w, 0, sizeof(*w));
    w->frame = -1;
    w->values = vectors(sums);
    w->lanes = vectors(b->row);
    w->c = vectors(UP(values));
    w->P = vectors(widest + TILE); /* the last tile reads beyond its channels */

    return open_neighbours(&w->nb, p, most) && open_batch(&w->batch, b) && w->values && w->lanes && w->c && w->P &&
           (t->output != PAIR_FEATURES || open_own(w, call, values, sums)) &&
           (!call->wider || open_derivatives(w, call, values, widest, sums, centres));
}
