/* What a call is asked for, and the memory that it works in. */
#pragma once
#include "backward.h"

/* What is wanted. A segment is a run of centres of one frame; it has a row of the averaged spectrum. The
 * fields are those of `Task` in tables.py. */
typedef struct {
    int64_t output, self_pairs, per_centre;
    int64_t first, end;     /* segments of this call */
    const int64_t *frame;   /* [segment] */
    const int64_t *from;    /* [segment + 1] first particle */
    const double *weight;   /* [segment] of each of its centres in the average */
    int64_t width;          /* of an output row */
    double *out;
    int64_t *found;         /* [centre][species] groups of neighbours, counted when not NULL */
    const double *cotangent; /* [centre or frame][width] derivatives by features, or NULL */
    int64_t failed_frame;
} Task;

typedef struct {
    Neighbours nb;
    Batch batch;
    double *values;        /* [centre of the block][species][Basis.row] */
    V *lanes, *c, *P;      /* of LANES centres: primitive, orthonormal, products */
    Backward backward;
    V *d;                  /* derivatives by orthonormal coefficients */
    double *padded;        /* rows of cotangents */
    int *order;            /* groups, sorted */
    int64_t order_room;
    int64_t frame;         /* that `nb` holds */
} Work;

/* Room for batches of a basis; 0 when there is none. */
static int open_batch(Batch *batch, const Basis *b)
{
    const size_t degree = 2 * b->lmax + 1;

    batch->size = degree * b->stride;
    batch->state = vectors(PAIRS * 3 * batch->size);
    batch->sum = vectors(b->row);
    batch->scratch = vectors(batch->size);
    batch->turns = vectors(3 * 2 * (b->lmax + 1));
    batch->kappa = vectors(b->stride + 1);
    batch->waste = calloc(b->row, sizeof(double));
    return batch->state && batch->sum && batch->scratch && batch->turns && batch->kappa && batch->waste;
}

static void close_batch(Batch *batch)
{
    void *all[] = {batch->state, batch->sum, batch->scratch, batch->turns, batch->kappa, batch->waste};
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
    return there;
}

static void close_work(Work *w)
{
    void *all[] = {w->nb.bodies, w->nb.box.inside, w->nb.box.place, w->nb.box.bin, w->nb.box.first,
                   w->nb.box.member, w->nb.slot, w->nb.groups, w->nb.pairs, w->nb.found, w->values,
                   w->lanes, w->c, w->d, w->P, w->padded, w->order};

    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
        free(all[i]);
    for (int i = 0; i < PRODUCTS; i++)
        free(w->backward.product[i]);
    close_batch(&w->batch);
    close_batch(&w->backward.batch);
}

/* 0 when there is no memory. */
static int open_work(Work *w, const Basis *b, const Basis *wider, const Particles *p, const Task *t, int centres)
{
    const size_t species = p->species_count, degrees = b->lmax + 1;
    const size_t values = degrees * degrees * species * b->stride;
    const size_t products = degrees * species * b->stride * species * b->stride;
    const size_t widest = UP(values > products ? values : products);
    int64_t most = 0;

    for (int64_t s = t->first; s < t->end; s++) {
        const int64_t f = t->frame[s], n = p->start[f + 1] - p->start[f];
        most = n > most ? n : most;
    }

    memset(w, 0, sizeof(*w));
    w->frame = -1;
    w->nb.bodies = malloc((most + 1) * sizeof(Body));
    w->nb.box.inside = malloc((most + 1) * 3 * sizeof(double));
    w->nb.box.place = malloc((most + 1) * 3 * sizeof(int));
    w->nb.box.bin = malloc((most + 1) * sizeof(int));
    w->nb.box.first = malloc((most + 2) * sizeof(int));
    w->nb.box.member = malloc((most + 1) * sizeof(int));
    w->nb.slot = malloc((most + p->alike_count + 1) * sizeof(int));
    w->values = vectors((centres + LANES) * species * b->row / LANES + 1);
    w->lanes = vectors(b->row);
    w->c = vectors(UP(values));
    w->P = vectors(widest);

    int there = open_batch(&w->batch, b);
    if (wider) {
        w->d = vectors(UP(values));
        w->padded = calloc(LANES * widest, sizeof(double));
        there = there && w->d && w->padded && open_backward(&w->backward, b, wider);
    }
    if (w->nb.slot)
        memset(w->nb.slot, -1, (most + p->alike_count + 1) * sizeof(int));
    return there && w->nb.bodies && w->nb.box.inside && w->nb.box.place && w->nb.box.bin && w->nb.box.first &&
           w->nb.box.member && w->nb.slot && w->values && w->lanes && w->c && w->P;
}
